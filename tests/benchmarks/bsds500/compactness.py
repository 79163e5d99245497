"""
Figure 10: scores at every compactness
======================================

Is a method better at every compactness?

This script sweeps the parameter `compactness` of each method from 2 to 40, on the 200 test images
at 256 x 256 and size 16. It draws the mean distance to an edge and the undersegmentation error
against the compactness of the superpixels.

    python tests/benchmarks/bsds500/compactness.py --data BSDS500
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluation import fit_missing, fitted_model, load_all, score
from methods import extract
from results import cached, parse, print_and_save

SHOWN = ("SLIC", "manual tuning", "one layer", "three layers")
SWEPT = (2, 3, 5, 7, 10, 14, 20, 28, 40)


def sweep(settings, train, test, arguments):
    """Compute the mean scores of a method at each value of the parameter."""
    images, segmentations, names = test

    def compute():
        model = fitted_model(settings, train, arguments)
        features = [np.asarray(each) for each in extract(settings, images)]
        rows = []
        for parameter in SWEPT:
            model.set_params(compactness=parameter)
            table = score(segmentations, model.transform(features), names, arguments)
            rows.append(table.drop(columns="image").mean())
        return pd.DataFrame(rows).assign(parameter=SWEPT)

    parts = {"settings": settings, "train": train[2], "test": names, "swept": SWEPT}
    return cached(arguments.cache, "sweep", parts, compute)


def plot_curves(curves, path):
    """Draw both errors against the compactness of the superpixels."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for panel, column, label in (
        (panels[0], "MDE", "mean distance to an edge (pixels)"),
        (panels[1], "UE", "undersegmentation error"),
    ):
        for name, table in curves.items():
            panel.plot(table["CO"], table[column], marker=".", label=name)
        panel.set(xlabel="compactness of superpixels", ylabel=label)
    panels[0].legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    """Sweep each method, print the table, write and plot it."""
    arguments = parse(__doc__)
    known, test, methods = load_all(arguments)
    fit_missing([(methods[name], known) for name in SHOWN], arguments)
    curves = {name: sweep(methods[name], known, test, arguments) for name in SHOWN}
    table = pd.concat(curves, names=["method"]).reset_index("method").set_index("method")
    print_and_save(table, arguments.results / "compactness.csv")
    plot_curves(curves, arguments.results / "compactness.png")


if __name__ == "__main__":
    main()
