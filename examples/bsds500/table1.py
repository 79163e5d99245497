"""
Table I: all methods at equal compactness
=========================================

How much does learning the distance improve superpixels of natural images?

All at 256 x 256, size 16, five iterations, every method as compact as SLIC. Weights of the manual
tuning are picked out of ten settings on training and validation images; methods are fitted on
these and scored on the 200 test images. With --folds, all 500 images are scored, each by models
fitted on the other four fifths of them.

    python examples/bsds500/table1.py --data BSDS500
"""

import numpy as np
import pandas as pd
from common import METHODS, SCORES, evaluate, load, parse
from sklearn.model_selection import KFold

# The paper's, on 500 images.
PAPER = {
    "SLIC": (0.907, 0.809, 0.911, 0.101, 0.324),
    "manual tuning": (0.913, 0.819, 0.870, 0.095, 0.328),
    "classification, corrected, X = 3": (0.910, 0.800, 0.942, 0.097, 0.328),
    "classification, weak, X = 6": (0.913, 0.796, 0.954, 0.094, 0.307),
    "one layer": (0.912, 0.819, 0.874, 0.095, 0.325),
    "three layers": (0.912, 0.824, 0.855, 0.094, 0.320),
}
COLUMNS = list(SCORES.values())[:5]
# Weights to try by hand: of a and b, and of the scattering maps.
BY_HAND = [(1, 0), (2, 0), (4, 0), (1, 4), (2, 4), (1, 16), (2, 16), (4, 16), (2, 8), (2, 40)]


def pick_by_hand(tuning, arguments):
    """Find the weights of the least undersegmentation error at SLIC's compactness."""
    wanted = evaluate(METHODS["SLIC"], tuning, tuning, None, arguments)["CO"].mean()
    errors = {}
    for colour, texture in BY_HAND:
        settings = {"features": "scattering", "weights": [1, colour, colour] + 8 * [texture]}
        errors[colour, texture] = evaluate(settings, tuning, tuning, wanted, arguments)[
            "UE"
        ].mean()
    colour, texture = min(errors, key=errors.get)
    print(f"By hand: a and b weigh {colour}, scattering {texture}", flush=True)
    return {"features": "scattering", "weights": [1, colour, colour] + 8 * [texture]}


def part(data, index):
    """Take some of the images of a data set."""
    return tuple([each[i] for i in index] for each in data)


def evaluate_all(train, test, methods, arguments):
    """Score every method, image by image."""
    slic = evaluate(methods["SLIC"], train, test, None, arguments)
    results = {"SLIC": slic}
    for name, settings in methods.items():
        if name != "SLIC":
            print(name, flush=True)
            results[name] = evaluate(settings, train, test, slic["CO"].mean(), arguments)
    return results


def summary(results):
    """Tell means, standard errors, share of images with a lower error than SLIC's, the paper's."""
    rows = {}
    for name, table in results.items():
        row = {}
        for column in COLUMNS:
            row[column] = table[column].mean()
            row[f"{column} se"] = table[column].std() / np.sqrt(len(table))
        row["improved"] = (table["UE"].values < results["SLIC"]["UE"].values).mean()
        row |= {f"paper {c}": v for c, v in zip(COLUMNS, PAPER[name], strict=True)}
        rows[name] = row
    return pd.DataFrame(rows).T


def main():
    """Print both tables and write them."""
    arguments = parse(__doc__, "table1.csv", folds=True)
    train, val, test = (
        load(arguments.data, subset, arguments.limit) for subset in ("train", "val", "test")
    )
    known = tuple(a + b for a, b in zip(train, val, strict=True))
    tuning = part(known, range(0, len(known[0]), 5))
    methods = {**METHODS, "manual tuning": pick_by_hand(tuning, arguments)}
    table = summary(evaluate_all(known, test, methods, arguments))
    print(table.round(4).to_string(), flush=True)
    table.to_csv(arguments.output, index_label="method")
    if arguments.folds:
        everything = tuple(a + b for a, b in zip(known, test, strict=True))
        folds = []
        for fold, held_out in KFold(5, shuffle=True, random_state=0).split(everything[0]):
            pair = part(everything, fold), part(everything, held_out)
            folds.append(evaluate_all(*pair, methods, arguments))
        joined = {name: pd.concat([each[name] for each in folds]) for name in methods}
        table = summary(joined)
        print(table.round(4).to_string())
        table.to_csv(arguments.output.with_stem("table1_folds"), index_label="method")


if __name__ == "__main__":
    main()
