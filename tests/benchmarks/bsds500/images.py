"""
Figures 9 and 11: image by image
================================

On which images is a learned distance better, and is it better because its superpixels are less
compact?

This script plots the scores of every method of Table I against SLIC's, one point for each of the
200 test images, and the undersegmentation error of each image against the compactness of its
superpixels.

    python tests/benchmarks/bsds500/images.py --data BSDS500
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluation import evaluate, load_all
from results import parse, print_and_save

# The scores shown, and whether higher is better.
SHOWN = {"IoU": True, "Rec": True, "MDE": False, "UE": False}


def compare(results):
    """Compare each score of each method with SLIC's.

    The columns hold the mean change, its standard error, and the share of images improved.
    """
    rows = {}
    for name in others_than_slic(results):
        rows[name] = {}
        for column, higher_is_better in SHOWN.items():
            change = results[name][column].values - results["SLIC"][column].values
            better = change > 0 if higher_is_better else change < 0
            rows[name][f"{column} change"] = change.mean()
            rows[name][f"{column} se"] = change.std(ddof=1) / np.sqrt(len(change))
            rows[name][f"{column} better"] = better.mean()
    return pd.DataFrame(rows).T


def others_than_slic(results):
    """Return the names of the methods to compare with SLIC."""
    return [name for name in results if name != "SLIC"]


def plot_scores(results, comparison, path):
    """Draw every method's scores against SLIC's, one point per image."""
    others = others_than_slic(results)
    figure, panels = plt.subplots(
        len(SHOWN),
        len(others),
        figsize=(2.6 * len(others), 2.6 * len(SHOWN)),
        layout="constrained",
    )
    for row, column in zip(panels, SHOWN, strict=True):
        for panel, name in zip(row, others, strict=True):
            slic, ours = results["SLIC"][column].values, results[name][column].values
            panel.scatter(slic, ours, s=4)
            ends = [min(slic.min(), ours.min()), max(slic.max(), ours.max())]
            panel.plot(ends, ends, color="black", linewidth=0.8)
            better = 100 * comparison.loc[name, f"{column} better"]
            panel.text(0.04, 0.9, f"{better:.0f} % better", transform=panel.transAxes)
        row[0].set_ylabel(f"{column} of the method")
    for panel, name in zip(panels[0], others, strict=True):
        panel.set_title(name, fontsize=9)
    for panel in panels[-1]:
        panel.set_xlabel("score of SLIC")
    figure.savefig(path, dpi=100)
    plt.close(figure)


def plot_errors(results, path):
    """Draw the error against the compactness of the superpixels, one point per image."""
    names = [name for name in results if "classification" not in name]
    figure, panels = plt.subplots(
        1,
        len(names),
        figsize=(3.4 * len(names), 3.4),
        layout="constrained",
        sharex=True,
        sharey=True,
    )
    for panel, name in zip(panels, names, strict=True):
        table = results[name]
        panel.scatter(table["CO"], table["UE"], s=5)
        slope, at_zero = np.polyfit(table["CO"], table["UE"], 1)
        ends = np.array([table["CO"].min(), table["CO"].max()])
        panel.plot(ends, at_zero + slope * ends, color="black", linewidth=0.8)
        correlation = np.corrcoef(table["CO"], table["UE"])[0, 1]
        panel.set(title=f"{name}, r = {correlation:.2f}", xlabel="compactness")
    panels[0].set_ylabel("undersegmentation error")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main():
    """Score every method, print the comparison, write and plot it."""
    arguments = parse(__doc__)
    known, test, methods = load_all(arguments)
    results = {name: evaluate(each, known, test, arguments) for name, each in methods.items()}
    comparison = compare(results)
    print_and_save(comparison, arguments.results / "images.csv")
    plot_scores(results, comparison, arguments.results / "images.png")
    plot_errors(results, arguments.results / "images_compactness.png")


if __name__ == "__main__":
    main()
