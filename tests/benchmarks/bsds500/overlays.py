"""
Figure 12: superpixels of all methods on three images
=====================================================

What does a better score look like?

This script shows the paper's image of a bear and two more test images at 256 x 256, size 16, with
each method matched to the compactness of the paper's SLIC. One picture shows the superpixels drawn
into the photographs. A second picture shows what is missed: superpixel edges are grey, and the
annotators' edges are blue where a superpixel edge is near and red where none is.

    python tests/benchmarks/bsds500/overlays.py --data BSDS500
"""

import matplotlib.pyplot as plt
import numpy as np
from data import take
from evaluation import TOLERANCES, evaluate, load_all, model_of_scores
from methods import extract
from results import parse
from scipy.ndimage import maximum_filter
from skimage.segmentation import find_boundaries, mark_boundaries

from sksuperpixel._label_maps.edges import edge_map

IMAGES = ("100007", "107045", "118072")


def indices_of(wanted, names):
    """Find images by their names; an image that is not there is replaced by one of the first."""
    return [names.index(name) if name in names else i for i, name in enumerate(wanted)]


def draw_superpixels(image, labels, truth):
    """Draw the edges of superpixels into the image, enlarged three times."""
    large, zoomed = (
        np.kron(array, np.ones((3, 3, 1)[: array.ndim], array.dtype)) for array in (image, labels)
    )
    # scikit-image takes the label 0 for background, which has no boundary inside.
    return mark_boundaries(large, zoomed + 1, mode="inner")


def draw_found_edges(image, labels, truth, tolerance=TOLERANCES["small"]):
    """Draw the edges of superpixels, and the annotators' edges by whether one of them is near."""
    near = maximum_filter(find_boundaries(labels, mode="thick"), 2 * tolerance + 1)
    is_edge = edge_map(truth) > 0
    drawn = np.ones((*labels.shape, 3))
    drawn[find_boundaries(labels, mode="inner")] = 0.85
    drawn[is_edge & near] = (0.45, 0.6, 0.85)
    drawn[is_edge & ~near] = (0.85, 0.1, 0.1)
    return drawn


def draw(draw_panel, images, truths, columns, path, panel_size=(4, 4.2)):
    """Draw one row of panels per image and one column per method; sizes are in inches."""
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
            panel.imshow(draw_panel(image, labels, truth), interpolation="nearest")
            panel.set_axis_off()
            panel.set_title(f"{name}\nUE {row['UE']:.3f}, Rec {row['Rec']:.3f}", fontsize=11)
    figure.savefig(path, dpi=80)
    plt.close(figure)
    print(f"Saved {path}", flush=True)


def main():
    """Segment the three images with every method, and draw both pictures."""
    arguments = parse(__doc__)
    known, test, methods = load_all(arguments)
    chosen = indices_of(IMAGES, test[2])
    images, truths, _ = take(test, chosen)
    columns = {}
    for name, settings in methods.items():
        table = evaluate(settings, known, test, arguments)
        model = model_of_scores(settings, known, table, arguments)
        columns[name] = model.transform(extract(settings, images)), table.iloc[chosen]
    draw(draw_superpixels, images, truths, columns, arguments.results / "overlays.png")
    draw(draw_found_edges, images, truths, columns, arguments.results / "missed.png")


if __name__ == "__main__":
    main()
