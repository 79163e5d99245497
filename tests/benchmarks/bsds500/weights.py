"""
What was learned: the weights of the features
=============================================

Which colours, and which scales and directions of texture, does a learned distance compare?

The script takes the distance of one layer from Table I, which started from nothing, and computes
which part of the squared distance each feature makes up on average. For this, the weight of each
feature is multiplied by its mean squared difference between a pixel and the clusters near it.

    python tests/benchmarks/bsds500/weights.py --data BSDS500
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from data import SHAPE
from evaluation import fitted_model, load_all
from methods import METHODS, feature_extractor
from results import parse, print_and_save

METHOD = "one layer"
NAMES = {"lab": "colour", "fine": "J = 1", "coarse": "J = 2"}


def describe_features():
    """Return a table of the features: the transform, the order, scales and angles of each."""
    union = feature_extractor(METHODS[METHOD]["features"], False)
    parts = []
    for name, transformer in union.transformers:
        if hasattr(transformer, "feature_table"):
            fitted = transformer.fit([np.zeros((*SHAPE, 3), np.uint8)])
            table = fitted.feature_table()
        else:
            table = pd.DataFrame({"name": ["L", "a", "b"], "order": 0})
        parts.append(table.assign(transform=NAMES[name]))
    return pd.concat(parts, ignore_index=True)


def shares_of_distance(network):
    """Compute which part of the squared distance, without space, each feature makes up."""
    sizes = network.scales[1:].cpu().numpy().astype(np.float64)
    parts = network.channel_weights * sizes**2
    return parts / parts.sum()


def grouped(table):
    """Add up the shares of maps of the same transform, order, scale and angle.

    Maps of second order count for the angle of their first wavelet.
    """
    text = table.copy()
    text["angle"] = text["angle1"].map(lambda each: "" if pd.isna(each) else f"{each:g}°")
    scales = [
        "".join(f", scale {each}" for each in pair if not pd.isna(each))
        for pair in zip(text["j1"], text["j2"], strict=True)
    ]
    orders = [
        name if transform == "colour" else f"{transform}, order {order}"
        for name, transform, order in zip(
            text["name"], text["transform"], text["order"], strict=True
        )
    ]
    text["group"] = [order + scale for order, scale in zip(orders, scales, strict=True)]
    return text.groupby(["group", "angle"], sort=False)["share"].sum().reset_index()


def plot(groups, path):
    """Draw a bar for each group, in parts by angle."""
    wide = groups.pivot(index="group", columns="angle", values="share").fillna(0)
    wide = wide.loc[list(dict.fromkeys(groups["group"]))[::-1]]
    angles = sorted(wide.columns, key=lambda each: float(each.rstrip("°") or -1))
    colours = ["grey", *plt.get_cmap("hsv")(np.linspace(0, 1, len(angles))[:-1])]
    figure, panel = plt.subplots(figsize=(9, 0.42 * len(wide) + 1.2), layout="constrained")
    left = np.zeros(len(wide))
    for angle, colour in zip(angles, colours, strict=True):
        label = f"change along {angle}" if angle else "no direction"
        panel.barh(wide.index, wide[angle], left=left, color=colour, label=label)
        left += wide[angle]
    panel.set(xlabel="share of the squared distance, without space")
    panel.legend(fontsize="small")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main():
    """Compute the shares, print the table, write and plot it."""
    arguments = parse(__doc__)
    known, _, methods = load_all(arguments)
    network = fitted_model(methods[METHOD], known, arguments).classifier_.module_
    table = describe_features()
    table["weight"] = network.channel_weights
    table["share"] = shares_of_distance(network)
    used = table[table["weight"] > 0].set_index("name")
    print_and_save(used, arguments.results / "weights.csv", index_label="name")
    print(f"{len(used)} of {len(table)} features have a weight other than 0.")
    plot(grouped(table), arguments.results / "weights.png")


if __name__ == "__main__":
    main()
