"""
Table I: all methods at equal compactness
=========================================

How much does learning the distance improve superpixels of natural images?

All images are resized to 256 x 256, with size 16 and five iterations, and every method is matched
to the compactness of the paper's SLIC. The methods are fitted on training and validation images
and scored on the 200 test images. The learned distances start from nothing, except where their
names say otherwise. The manual tuning is the best of ten settings on training and validation
images. With --folds, the methods of the paper are scored on all 500 images as well, in five folds:
each fold with models fitted on the other four.

    python tests/benchmarks/bsds500/table1.py --data BSDS500
"""

import numpy as np
import pandas as pd
from data import concatenate, take
from evaluation import SCORES, evaluate, fit_missing, load_all
from results import parse, print_and_save
from sklearn.model_selection import KFold

# The paper's scores on all 500 images, in the order of COLUMNS.
PAPER = {
    "SLIC": (0.907, 0.809, 0.911, 0.101, 0.324),
    "manual tuning": (0.913, 0.819, 0.870, 0.095, 0.328),
    "classification, corrected, X = 3": (0.910, 0.800, 0.942, 0.097, 0.328),
    "classification, weak, X = 6": (0.913, 0.796, 0.954, 0.094, 0.307),
    "one layer": (0.912, 0.819, 0.874, 0.095, 0.325),
    "three layers": (0.912, 0.824, 0.855, 0.094, 0.320),
}
COLUMNS = list(SCORES.values())[:5]
N_FOLDS = 5


def evaluate_all(train, test, methods, arguments):
    """Score every method, image by image."""
    fit_missing([(settings, train) for settings in methods.values()], arguments)
    results = {}
    for name, settings in methods.items():
        print(name, flush=True)
        results[name] = evaluate(settings, train, test, arguments)
    return results


def summary(results):
    """Summarize the scores of each method beside the paper's.

    The columns hold the means, their standard errors, the share of images with a lower
    undersegmentation error than SLIC's, and the paper's scores.
    """
    rows = {}
    for name, table in results.items():
        row = {}
        for column in COLUMNS:
            row[column] = table[column].mean()
            row[f"{column} se"] = table[column].std() / np.sqrt(len(table))
        row["K"] = table["K"].mean()
        row["improved"] = (table["UE"].values < results["SLIC"]["UE"].values).mean()
        paper = PAPER[name if name in PAPER else name.split(",")[0]]
        row |= {f"paper {c}": v for c, v in zip(COLUMNS, paper, strict=True)}
        rows[name] = row
    return pd.DataFrame(rows).T


def main():
    """Make the tables, print and write them."""
    folds = {"action": "store_true", "help": "score all 500 images in five folds, too"}
    arguments = parse(__doc__, folds=folds)
    known, test, methods = load_all(arguments)
    table = summary(evaluate_all(known, test, methods, arguments))
    print_and_save(table, arguments.results / "table1.csv")
    if arguments.folds:
        everything = concatenate(known, test)
        folds, methods = [], {name: methods[name] for name in PAPER}
        splitter = KFold(N_FOLDS, shuffle=True, random_state=0)
        for fitted_on, held_out in splitter.split(everything[0]):
            pair = take(everything, fitted_on), take(everything, held_out)
            folds.append(evaluate_all(*pair, methods, arguments))
        joined = {name: pd.concat([each[name] for each in folds]) for name in methods}
        print_and_save(summary(joined), arguments.results / "table1_folds.csv")


if __name__ == "__main__":
    main()
