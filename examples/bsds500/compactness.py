"""
Figures 10 and 11: the whole curve
==================================

Is a method better at every compactness, and on which images?

The compactness of every method is swept from 2 to 40, at 256 x 256 and size 16 on the 200 test
images: curves of the mean distance to an edge and of the undersegmentation error against the
compactness of the superpixels. Beside them, at SLIC's compactness, the error of each image by
each method against SLIC's.

    python examples/bsds500/compactness.py --data BSDS500
"""

import matplotlib.pyplot as plt
import pandas as pd
from common import METHODS, evaluate, extract, fitted, kept, load, parse, score

SHOWN = ("SLIC", "manual tuning", "one layer", "three layers")
SWEPT = (2, 3, 5, 7, 10, 14, 20, 28, 40)


def sweep(name, train, test, arguments):
    """Mean scores of a method at each parameter."""
    settings = METHODS[name]
    images, segmentations, names = test

    def compute():
        estimator = fitted(settings, train, arguments)
        features = extract(settings["features"], images)
        rows = []
        for parameter in SWEPT:
            estimator.set_params(compactness=parameter)
            table = score(segmentations, estimator.transform(features), names, arguments.n_jobs)
            rows.append(table.drop(columns="image").mean())
        return pd.DataFrame(rows).assign(parameter=SWEPT)

    parts = {"settings": settings, "train": train[2], "test": names, "swept": SWEPT}
    return kept(arguments.cache, "sweep", parts, compute)


def plot_curves(curves, path):
    """Draw both errors against the compactness reached."""
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


def plot_images(results, path):
    """Draw each image's error by each method against SLIC's."""
    others = [name for name in results if name != "SLIC"]
    figure, panels = plt.subplots(
        1, len(others), figsize=(3.6 * len(others), 3.8), layout="constrained", sharey=True
    )
    for panel, name in zip(panels, others, strict=True):
        slic, ours = results["SLIC"]["UE"], results[name]["UE"]
        panel.scatter(slic, ours, s=6)
        most = max(slic.max(), ours.max())
        panel.plot([0, most], [0, most], color="black", linewidth=0.8)
        better = 100 * (ours.values < slic.values).mean()
        panel.set(title=f"{name}: {better:.0f} % better", xlabel="UE of SLIC")
    panels[0].set_ylabel("UE")
    figure.savefig(path, dpi=120)


def main():
    """Compute what is not kept, print and draw."""
    arguments = parse(__doc__, "compactness.png")
    train, val, test = (
        load(arguments.data, subset, arguments.limit) for subset in ("train", "val", "test")
    )
    known = tuple(a + b for a, b in zip(train, val, strict=True))
    curves = {name: sweep(name, known, test, arguments) for name in SHOWN}
    table = pd.concat(curves, names=["method"]).reset_index("method")
    print(table.round(4).to_string(index=False))
    table.to_csv(arguments.output.with_suffix(".csv"), index=False)
    plot_curves(curves, arguments.output)
    slic = evaluate(METHODS["SLIC"], known, test, None, arguments)
    wanted = slic["CO"].mean()
    results = {"SLIC": slic} | {
        name: evaluate(METHODS[name], known, test, wanted, arguments) for name in SHOWN[1:]
    }
    plot_images(results, arguments.output.with_stem("images"))


if __name__ == "__main__":
    main()
