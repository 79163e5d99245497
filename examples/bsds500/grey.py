"""
Without colour
==============

How much is left of the gain when images have no colour?

The methods of Table I that can be made as compact as SLIC, on photographs turned grey: fitted on
training and validation images, scored on the 200 test images.

    python examples/bsds500/grey.py --data BSDS500
"""

import pandas as pd
from common import evaluate, fit_missing, load_all, means, parse, show

SHOWN = ("SLIC", "manual tuning", "one layer", "three layers")


def main():
    """Print both tables side by side and write them."""
    arguments = parse(__doc__)
    known, test, coloured = load_all(arguments)
    tables = {}
    for kind, change in (("colour", {}), ("grey", {"grey": True})):
        methods = {name: {**coloured[name], **change} for name in SHOWN}
        fit_missing([(settings, known) for settings in methods.values()], arguments)
        tables[kind] = means(
            {name: evaluate(methods[name], known, test, arguments) for name in SHOWN}
        )
    show(
        pd.concat(tables, names=["images", "method"]),
        arguments.results / "grey.csv",
        ["images", "method"],
    )


if __name__ == "__main__":
    main()
