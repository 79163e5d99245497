"""
Figure 12: superpixels of all methods on three images
=====================================================

What does a better score look like?

The bear and two more test images at 256 x 256, size 16, each method as compact as SLIC is in the
paper. Beside the overlays, a second picture shows what is still missed: superpixels in grey, and
the annotators' edges in blue where a superpixel edge is near, in red where none is.

    python examples/bsds500/overlays.py --data BSDS500
"""

import matplotlib.pyplot as plt
import numpy as np
from common import TOLERANCES, again, evaluate, extract, load_all, parse
from scipy.ndimage import maximum_filter
from skimage.segmentation import find_boundaries, mark_boundaries
from sksuperpixel._label_maker import edge_map

IMAGES = ("100007", "107045", "118072")


def overlay(image, labels, truth):
    """Draw superpixels' edges into the image, three times as large."""
    large, zoomed = (
        np.kron(array, np.ones((3, 3, 1)[: array.ndim], array.dtype)) for array in (image, labels)
    )
    return mark_boundaries(large, zoomed, mode="inner")


def missed(image, labels, truth, tolerance=TOLERANCES["small"]):
    """Draw superpixels' edges, and which of the annotators' edges they are near."""
    edges = find_boundaries(labels, mode="thick")
    near = maximum_filter(edges, 2 * tolerance + 1)
    strength = edge_map(truth)
    drawn = np.ones((*labels.shape, 3))
    drawn[find_boundaries(labels, mode="inner")] = 0.85
    for where, colour in (
        ((strength > 0) & near, (0.45, 0.6, 0.85)),
        ((strength > 0) & ~near, (0.85, 0.1, 0.1)),
    ):
        drawn[where] = colour
    return drawn


def draw(kind, images, truths, columns, path, panel_size=(4, 4.2)):
    """Draw a picture of each image by each method; panels' sizes are in inches."""
    figure, panels = plt.subplots(
        len(images),
        len(columns),
        figsize=(panel_size[0] * len(columns), panel_size[1] * len(images)),
        layout="constrained",
    )
    for axes, (name, (superpixels, table)) in zip(panels.T, columns.items(), strict=True):
        for panel, image, labels, truth, (_, row) in zip(
            axes, images, superpixels, truths, table.iterrows(), strict=True
        ):
            panel.imshow(kind(image, labels, truth), interpolation="nearest")
            panel.set_axis_off()
            panel.set_title(f"{name}\nUE {row['UE']:.3f}, Rec {row['Rec']:.3f}", fontsize=11)
    figure.savefig(path, dpi=80)
    print(f"Saved {path}", flush=True)


def main():
    """Segment the three images by every method, and draw."""
    arguments = parse(__doc__)
    known, test, methods = load_all(arguments)
    chosen = [test[2].index(name) if name in test[2] else i for i, name in enumerate(IMAGES)]
    images, truths = ([test[i][j] for j in chosen] for i in (0, 1))
    columns = {}
    for name, settings in methods.items():
        table = evaluate(settings, known, test, arguments)
        model = again(settings, known, table, arguments)
        columns[name] = model.transform(extract(settings, images)), table.iloc[chosen]
    draw(overlay, images, truths, columns, arguments.results / "overlays.png")
    draw(missed, images, truths, columns, arguments.results / "missed.png")


if __name__ == "__main__":
    main()
