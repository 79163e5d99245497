"""Networks that choose the cluster of a pixel among its candidates.

They read one flat row per pixel: its M features, its Q distances in space to the candidates, and
the Q x M differences between its features and those of the candidates. The nearest candidate comes
first. A candidate that is absent has an infinite distance and gets the probability 0.
"""

# ruff: noqa: E402
from sksuperpixel._torch import require

require("sksuperpixel.networks", "torch", "skorch")

from sksuperpixel.networks._classification import ClassificationNetwork
from sksuperpixel.networks._distance import DistanceNetwork
from sksuperpixel.networks._factories import (
    make_classification_net,
    make_distance_net,
    make_net_of,
)
from sksuperpixel.networks._losses import SetLoss

__all__ = [
    "ClassificationNetwork",
    "DistanceNetwork",
    "SetLoss",
    "make_classification_net",
    "make_distance_net",
    "make_net_of",
]
