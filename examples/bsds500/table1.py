"""
Table I: all methods at equal compactness
=========================================

How much does learning the distance improve superpixels of natural images?

All at 256 x 256, size 16, five iterations, every method as compact as SLIC is in the paper.
The manual tuning is the best of ten settings on training and validation images; methods are
fitted on these and scored on the 200 test images. With --folds, all 500 images are scored, each
by models fitted on the other four fifths of them.

    python examples/bsds500/table1.py --data BSDS500
"""

import numpy as np
import pandas as pd
from common import SCORES, both, evaluate, fit_missing, load_all, parse, part, show
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


def evaluate_all(train, test, methods, arguments):
    """Score every method, image by image."""
    fit_missing([(settings, train) for settings in methods.values()], arguments)
    results = {}
    for name, settings in methods.items():
        print(name, flush=True)
        results[name] = evaluate(settings, train, test, arguments)
    return results


def summary(results):
    """Tell means, standard errors, share of images with a lower error than SLIC's, the paper's."""
    rows = {}
    for name, table in results.items():
        row = {}
        for column in COLUMNS:
            row[column] = table[column].mean()
            row[f"{column} se"] = table[column].std() / np.sqrt(len(table))
        row["K"] = table["K"].mean()
        row["improved"] = (table["UE"].values < results["SLIC"]["UE"].values).mean()
        row |= {f"paper {c}": v for c, v in zip(COLUMNS, PAPER[name], strict=True)}
        rows[name] = row
    return pd.DataFrame(rows).T


def main():
    """Print both tables and write them."""
    folds = {"action": "store_true", "help": "also on all images, by folds"}
    arguments = parse(__doc__, folds=folds)
    known, test, methods = load_all(arguments)
    show(summary(evaluate_all(known, test, methods, arguments)), arguments.results / "table1.csv")
    if arguments.folds:
        everything = both(known, test)
        folds = []
        for fold, held_out in KFold(5, shuffle=True, random_state=0).split(everything[0]):
            pair = part(everything, fold), part(everything, held_out)
            folds.append(evaluate_all(*pair, methods, arguments))
        joined = {name: pd.concat([each[name] for each in folds]) for name in methods}
        show(summary(joined), arguments.results / "table1_folds.csv")


if __name__ == "__main__":
    main()
