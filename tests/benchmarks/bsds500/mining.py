"""
Figures 5 to 7: what is mined, and how hard it should be
========================================================

Which pixels are learned from, and does it help to keep only the hard ones?

The first picture shows one training image: the annotators' edges combined into one map, and the
pixels that are mined with X = 1, 2, 3 and 4. Lines lead from some of the pixels to their target
cluster. The second picture shows the validation scores of three layers against X, after fitting
on the training images.

    python tests/benchmarks/bsds500/mining.py --data BSDS500
"""

import matplotlib.pyplot as plt
import numpy as np
from data import load
from evaluation import evaluate, fit_missing
from methods import METHODS, extract, make_estimator
from results import mean_scores, parse, print_and_save

from sksuperpixel._label_maps.edges import edge_map

VALUES = (1, 2, 3, 4, 5)
# It has few features, so that it is fitted quickly.
METHOD = "three layers, hand-set start"


def settings_of(x):
    """Return the settings of three layers that learn with this X.

    Pixels are kept if their candidates lie in at least X segments.
    """
    method = METHODS[METHOD]
    return {**method, "label_maker": {**method["label_maker"], "min_segments": x}}


def draw_mined(image, segmentation, path):
    """Draw the annotators' edges, and the pixels mined with several X."""
    figure, panels = plt.subplots(1, 6, figsize=(20, 3.8), layout="constrained")
    panels[0].imshow(image)
    panels[1].imshow(edge_map(segmentation), cmap="gray_r")
    panels[1].set_title("edges, by number of annotators")
    features = extract(METHODS[METHOD], [image])[0]
    rng = np.random.default_rng(0)
    for panel, x in zip(panels[2:], VALUES, strict=False):
        mined = make_estimator(settings_of(x)).mine(features, segmentation)
        shown = np.full((*image.shape[:2], 3), 255, np.uint8)
        shown[tuple(mined.pixels.T)] = image[tuple(mined.pixels.T)]
        panel.imshow(shown)
        for i in rng.permutation(len(mined.pixels))[:60]:
            # The spatially nearest one, if several clusters are right.
            centre = mined.centres[mined.candidates[i, mined.targets[i].argmax()]]
            ends = np.stack([mined.pixels[i], centre])
            panel.plot(ends[:, 1], ends[:, 0], color="red", linewidth=0.8)
        share = 100 * len(mined.pixels) / shown[..., 0].size
        panel.set_title(f"X = {x}: {share:.0f} % of the pixels")
    for panel in panels:
        panel.set_axis_off()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def plot_scores(table, path):
    """Draw four scores against X, with SLIC's for comparison."""
    figure, panels = plt.subplots(1, 4, figsize=(14, 3.4), layout="constrained")
    for panel, column in zip(panels, ("IoU", "Rec", "MDE", "UE"), strict=True):
        panel.plot(VALUES, table[column].iloc[1:], marker="o", label="three layers")
        panel.axhline(table[column].iloc[0], color="black", linewidth=0.8, label="SLIC")
        panel.set(xlabel="X", title=column, xticks=VALUES)
    panels[0].legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main():
    """Draw the mined pixels, fit and score with each X, print the table, write and plot it."""
    arguments = parse(__doc__)
    train, val = (load(arguments, subset) for subset in ("train", "val"))
    draw_mined(train[0][1], train[1][1], arguments.results / "mined.png")
    methods = {"SLIC": METHODS["SLIC"]} | {f"X = {x}": settings_of(x) for x in VALUES}
    fit_missing([(settings, train) for settings in methods.values()], arguments)
    table = mean_scores(
        {name: evaluate(settings, train, val, arguments) for name, settings in methods.items()}
    )
    print_and_save(table, arguments.results / "mining.csv")
    plot_scores(table, arguments.results / "mining.png")


if __name__ == "__main__":
    main()
