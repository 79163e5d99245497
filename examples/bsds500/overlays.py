"""
Figure 12: superpixels of all methods on three images
=====================================================

What does a better score look like?

The bear and two more test images at 256 x 256, size 16, each method as compact as SLIC.

    python examples/bsds500/overlays.py --data BSDS500
"""

import matplotlib.pyplot as plt
import numpy as np
from common import METHODS, evaluate, extract, fitted, load, parse
from skimage.segmentation import mark_boundaries

SHOWN = ("SLIC", "manual tuning", "one layer", "three layers")
IMAGES = ("100007", "107045", "118072")


def main():
    """Segment the three images by every method, and draw."""
    arguments = parse(__doc__, "overlays.png")
    train, val, test = (
        load(arguments.data, subset, arguments.limit) for subset in ("train", "val", "test")
    )
    known = tuple(a + b for a, b in zip(train, val, strict=True))
    chosen = [test[2].index(name) if name in test[2] else i for i, name in enumerate(IMAGES)]
    images = [test[0][i] for i in chosen]
    figure, panels = plt.subplots(
        len(images), len(SHOWN), figsize=(4 * len(SHOWN), 4 * len(images)), layout="constrained"
    )
    slic = evaluate(METHODS["SLIC"], known, test, None, arguments)
    for column, name in enumerate(SHOWN):
        settings = METHODS[name]
        wanted = None if name == "SLIC" else slic["CO"].mean()
        table = evaluate(settings, known, test, wanted, arguments)
        estimator = fitted(settings, known, arguments)
        estimator.set_params(compactness=float(table["parameter"].iloc[0]))
        superpixels = estimator.transform(extract(settings["features"], images))
        for row, (image, labels, i) in enumerate(zip(images, superpixels, chosen, strict=True)):
            large, zoomed = (
                np.kron(array, np.ones((3, 3, 1)[: array.ndim], array.dtype))
                for array in (image, labels)
            )
            panel = panels[row, column]
            panel.imshow(mark_boundaries(large, zoomed, mode="inner"))
            panel.set_axis_off()
            panel.set_title(f"{name}: UE {table['UE'].iloc[i]:.3f}, CO {table['CO'].iloc[i]:.2f}")
    figure.savefig(arguments.output, dpi=100)
    print(f"Saved {arguments.output}")


if __name__ == "__main__":
    main()
