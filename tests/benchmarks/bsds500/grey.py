"""
Without colour
==============

How much of the gain is left when images have no colour?

This script turns the photographs grey and evaluates those methods of Table I whose compactness can
be matched to SLIC's. They are fitted on training and validation images and scored on the 200 test
images.

    python tests/benchmarks/bsds500/grey.py --data BSDS500
"""

import pandas as pd
from evaluation import evaluate, fit_missing, load_all
from results import mean_scores, parse, print_and_save

SHOWN = ("SLIC", "manual tuning", "one layer", "three layers")


def main():
    """Score the methods in colour and in grey, print the table and write it."""
    arguments = parse(__doc__)
    known, test, coloured = load_all(arguments)
    tables = {}
    for kind, change in (("colour", {}), ("grey", {"grey": True})):
        methods = {name: {**coloured[name], **change} for name in SHOWN}
        fit_missing([(settings, known) for settings in methods.values()], arguments)
        tables[kind] = mean_scores(
            {name: evaluate(methods[name], known, test, arguments) for name in SHOWN}
        )
    print_and_save(
        pd.concat(tables, names=["images", "method"]),
        arguments.results / "grey.csv",
        ["images", "method"],
    )


if __name__ == "__main__":
    main()
