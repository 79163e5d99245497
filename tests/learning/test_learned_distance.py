"""The distance of a trained classifier."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier
from torch import nn

from sksuperpixel import PathFeature
from sksuperpixel._clustering.distance import NetworkDistance, WeightedDistance
from sksuperpixel._clustering.network_assignment import KernelNetwork
from sksuperpixel._learning.learned_distance import TorchNetwork, learned_distance, network_of
from sksuperpixel.networks import (
    ClassificationNetwork,
    DistanceNetwork,
    make_distance_net,
    make_net_of,
)

WEIGHTS = [0.5, 1.0, 2.0]


def distance_of(module, n_features=3, channel_weights=None, pairs=()):
    return learned_distance(make_net_of(module), n_features, channel_weights, 7, pairs)


def test_one_layer_is_slics_distance():
    distance = distance_of(DistanceNetwork(3, 1, channel_weights=WEIGHTS), 3, [9, 9, 9])
    assert type(distance) is WeightedDistance
    np.testing.assert_allclose(distance.weights, WEIGHTS, rtol=1e-6)
    assert distance.weights.dtype == np.float64


def test_one_layer_with_pair_features_is_not():
    network = DistanceNetwork(4, 1, channel_weights=[*WEIGHTS, 7.0])
    pairs = (PathFeature(),)
    distance = distance_of(network, pairs=pairs)
    assert type(distance) is NetworkDistance
    # The weights of the pair features serve in the iterations only.
    np.testing.assert_allclose(distance.weights, WEIGHTS, rtol=1e-6)
    assert (distance.n_candidates, distance.pair_features) == (7, pairs)


def test_three_layers_are_computed_by_the_kernel():
    distance = distance_of(DistanceNetwork(3, 3, channel_weights=WEIGHTS))
    assert isinstance(distance.network, KernelNetwork)
    np.testing.assert_allclose(distance.weights, WEIGHTS, rtol=1e-6)


def test_other_networks_are_computed_by_torch():
    distance = distance_of(ClassificationNetwork(3, 7, channel_weights=WEIGHTS), 3)
    assert isinstance(distance.network, TorchNetwork)
    # They serve in merging only.
    np.testing.assert_array_equal(distance.weights, WEIGHTS)


@pytest.mark.parametrize("channel_weights", [None, WEIGHTS])
def test_a_network_without_weights_has_those_of_the_estimator(channel_weights):
    net = NeuralNetClassifier(OwnNetwork, criterion=nn.CrossEntropyLoss).initialize()
    distance = learned_distance(net, 3, channel_weights, 7, ())
    if channel_weights is None:
        assert distance.weights is None
    else:
        np.testing.assert_array_equal(distance.weights, channel_weights)


class OwnNetwork(nn.Module):
    """A user's own network."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3 + 7 + 21, 7)


def test_a_subclass_may_compute_something_else():
    class Negated(DistanceNetwork):
        def forward(self, X):
            return -super().forward(X)

    net = make_distance_net(3).set_params(module=Negated, module__n_features=3).initialize()
    assert isinstance(network_of(net), TorchNetwork)


class LastFeature(nn.Module):
    """Prefers large differences of the last feature; in training, always the first candidate."""

    def __init__(self, n_features):
        super().__init__()
        self.n_features = n_features
        self.unused = nn.Parameter(torch.zeros(1))  # for the optimizer

    def forward(self, X):
        n_candidates = (X.shape[1] - self.n_features) // (1 + self.n_features)
        start = self.n_features + n_candidates
        scores = X[:, start:].reshape(len(X), n_candidates, -1)[..., -1].clone()
        if self.training:
            scores[:, 0] = torch.inf
        return torch.log_softmax(scores, dim=1)


@pytest.mark.parametrize("rows_bytes", [1, 2**20])
def test_torch_chooses_among_present_candidates(monkeypatch, rows_bytes):
    monkeypatch.setattr("sksuperpixel._learning.learned_distance._ROWS_BYTES", rows_bytes)
    net = NeuralNetClassifier(LastFeature, module__n_features=1).initialize()
    net.module_.train()
    rng = np.random.default_rng(0)
    features = rng.normal(size=(1, 1, 30, 40)).astype(np.float32)
    pixels = np.argwhere(np.ones((1, 30, 40))).astype(np.int32)
    means = rng.normal(size=(9, 1)).astype(np.float32)
    candidates = np.argsort(rng.random((1200, 9)), axis=1)[:, :4].astype(np.int32)
    candidates[:50, 2:] = -1
    distances = np.where(candidates < 0, np.inf, 1).astype(np.float32)
    choose = TorchNetwork(net).on_image(features, pixels, None)
    chosen = choose(means, candidates, distances, np.zeros((1200, 4, 0), np.float32))
    # The largest difference of the pixel to the cluster is that to the lowest cluster.
    lowest = np.where(candidates < 0, np.inf, means[candidates, 0]).argmin(axis=1)
    np.testing.assert_array_equal(chosen, candidates[np.arange(1200), lowest])
