"""
Table II: how well networks learn what they are taught
======================================================

Which features make the assignment easier to learn: scattering or ENet's?

The table shows validation losses (cross-entropy on 15 % of the training images) of networks that
see CIELAB and 81 scattering maps of lightness, or CIELAB and the 16 maps of ENet's first block.
Clusters and labels come from SLIC on colour, so that both columns of a row learn the same labels.

    python tests/benchmarks/bsds500/table2.py --data BSDS500
"""

from functools import partial

import pandas as pd
from data import load
from joblib import Parallel, delayed
from methods import extract, make_estimator
from results import cached, parse, print_and_save

from sksuperpixel.networks import DistanceNetwork

REPLICATION = {"strategy": "slic", "correct": False, "mining": None}
CORRECTED = {"strategy": "slic", "min_segments": 3}
WEAK = {"strategy": "nearest", "min_segments": 6}
# The network, the labels it learns, and the paper's losses with scattering and with ENet.
ROWS = {
    "classification: replicate SLIC": ("classification", REPLICATION, 0.184, 0.210),
    "classification: corrected, X = 3": ("classification", CORRECTED, 0.786, 0.746),
    "classification: weak, X = 6": ("classification", WEAK, 1.413, 1.400),
    "one layer: replicate SLIC": (1, REPLICATION, 0.016, 0.035),
    "one layer: corrected, X = 3": (1, CORRECTED, 0.970, 2.885),
    "three layers: corrected, X = 3": (3, CORRECTED, 0.731, 0.960),
}
COLUMNS = {"scattering": "all scattering", "ENet": "ENet"}


class TrainedDistance(DistanceNetwork):
    """A distance that is trained by gradient descent even if it has one layer.

    The library computes the best weights of one layer from all images, without validation.
    """


def fit_loss(settings, train):
    """Fit a method and return its lowest validation loss."""
    images, segmentations, _ = train
    model = make_estimator(settings)
    if model.classifier.module is DistanceNetwork:
        model.classifier.set_params(module=TrainedDistance)
    model.fit(extract(settings, images), segmentations)
    history = model.classifier_.history
    return pd.DataFrame(
        {
            "loss": [min(history[:, "valid_loss"])],
            "epochs": [len(history)],
            "pixels": [model.n_pixels_],
        }
    )


def cached_loss(settings, train, arguments):
    """Return the lowest validation loss of a method, from the cache where possible."""
    parts = {"settings": settings, "train": train[2]}
    return cached(arguments.cache, "loss", parts, partial(fit_loss, settings, train))


def main():
    """Compute the losses, print the table and write it."""
    arguments = parse(__doc__)
    train = load(arguments, "train")
    jobs = {}
    for name, (network, label_maker, *_) in ROWS.items():
        for column, features in COLUMNS.items():
            jobs[name, column] = {
                "features": features,
                "network": network,
                "label_maker": label_maker,
                "n_candidates": 7,
                "n_pixels": 300,
                "spread": 1.0,
            }
    losses = Parallel(n_jobs=arguments.n_jobs)(
        delayed(cached_loss)(settings, train, arguments) for settings in jobs.values()
    )
    table = pd.DataFrame(index=list(ROWS))
    for (name, column), loss in zip(jobs, losses, strict=True):
        table.loc[name, column] = loss["loss"].iloc[0]
        table.loc[name, "pixels"] = loss["pixels"].iloc[0]
    for i, column in enumerate(COLUMNS):
        table[f"paper {column}"] = [row[2 + i] for row in ROWS.values()]
    print_and_save(table, arguments.results / "table2.csv")


if __name__ == "__main__":
    main()
