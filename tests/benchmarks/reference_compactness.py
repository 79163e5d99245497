"""
How compact SLIC's superpixels are on photographs
=================================================

What does the parameter ``compactness`` mean? This script measures the compactness of SLIC's
superpixels on every fourth training image of BSDS500, at three sizes. The measured numbers stand
in ``sksuperpixel/_learning/calibration.py``: learned distances are made as compact.

    python tests/benchmarks/reference_compactness.py --data BSDS500
"""

import argparse

import pandas as pd

from sksuperpixel import SLIC
from sksuperpixel.datasets import load_bsds500
from sksuperpixel.metrics import compactness

SIZES = (8, 16, 32)
PARAMETERS = (0.5, 1, 2, 4, 7, 10, 14, 20, 30, 50, 100, 300)
STEP = 4


def measure(images, size, parameter, n_jobs):
    """Return the mean compactness of SLIC's superpixels."""
    slic = SLIC(size, compactness=parameter, n_jobs=n_jobs)
    return compactness(slic.fit_transform(images))


def main():
    """Measure, and print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of BSDS500")
    parser.add_argument("--limit", type=int, help="maximum number of images")
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--output", help="CSV file to write")
    arguments = parser.parse_args()
    images = list(load_bsds500(arguments.data, subset="train").images[::STEP])[: arguments.limit]
    table = pd.DataFrame(
        {
            parameter: [measure(images, size, parameter, arguments.n_jobs) for size in SIZES]
            for parameter in PARAMETERS
        },
        index=pd.Index(SIZES, name="size"),
    )
    print(table.round(3).to_string())
    if arguments.output is not None:
        table.to_csv(arguments.output)


if __name__ == "__main__":
    main()
