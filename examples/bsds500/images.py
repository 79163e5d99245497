"""
Figures 9 and 11: image by image
================================

On which images is a learned distance better, and is it better because it is less compact?

Scores of each of the 200 test images by each method of Table I against those by SLIC, and the
undersegmentation error of each image against the compactness of its superpixels.

    python examples/bsds500/images.py --data BSDS500
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from common import evaluate, load_all, parse, show

# Scores, and whether more is better.
SHOWN = {"IoU": True, "Rec": True, "MDE": False, "UE": False}


def compare(results):
    """Tell, for each method and score, how much and on how many images it is better than SLIC."""
    rows = []
    for table in results.values():
        row = {}
        for column, more_is_better in SHOWN.items():
            change = table[column].values - results["SLIC"][column].values
            row[f"{column} change"] = change.mean()
            row[f"{column} se"] = change.std(ddof=1) / np.sqrt(len(change))
            row[f"{column} better"] = ((change > 0) == more_is_better)[change != 0].mean()
        rows.append(row)
    return pd.DataFrame(rows, index=list(results))


def plot_scores(results, path):
    """Draw each image's scores by each method against SLIC's."""
    others = [name for name in results if name != "SLIC"]
    figure, panels = plt.subplots(
        len(SHOWN),
        len(others),
        figsize=(2.6 * len(others), 2.6 * len(SHOWN)),
        layout="constrained",
    )
    for row, (column, more_is_better) in zip(panels, SHOWN.items(), strict=True):
        for panel, name in zip(row, others, strict=True):
            slic, ours = results["SLIC"][column].values, results[name][column].values
            panel.scatter(slic, ours, s=4)
            ends = [min(slic.min(), ours.min()), max(slic.max(), ours.max())]
            panel.plot(ends, ends, color="black", linewidth=0.8)
            better = (ours > slic) == more_is_better
            panel.text(0.04, 0.9, f"{100 * better.mean():.0f} % better", transform=panel.transAxes)
        row[0].set_ylabel(f"{column} of the method")
    for panel, name in zip(panels[0], others, strict=True):
        panel.set_title(name, fontsize=9)
    for panel in panels[-1]:
        panel.set_xlabel("score of SLIC")
    figure.savefig(path, dpi=100)


def plot_errors(results, path):
    """Draw each image's error against the compactness of its superpixels."""
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


def main():
    """Compute what is not kept, print and draw."""
    arguments = parse(__doc__)
    known, test, methods = load_all(arguments)
    results = {name: evaluate(each, known, test, arguments) for name, each in methods.items()}
    show(compare(results), arguments.results / "images.csv")
    plot_scores(results, arguments.results / "images.png")
    plot_errors(results, arguments.results / "images_compactness.png")


if __name__ == "__main__":
    main()
