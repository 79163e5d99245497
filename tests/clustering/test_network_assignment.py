"""Clusters by a network: the kernel equals torch, and the iterations do what they say."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from sksuperpixel._clustering.assignment import start_clusters, update_clusters
from sksuperpixel._clustering.candidates import classifier_rows, find_candidates
from sksuperpixel._clustering.distance import NetworkDistance, WeightedDistance
from sksuperpixel._clustering.grid import Grid
from sksuperpixel._clustering.network_assignment import KernelNetwork, cluster_by_network
from sksuperpixel._clustering.planes import Planes
from sksuperpixel._clustering.settings import Settings
from sksuperpixel._clustering.threads import ONE_THREAD, Threads
from sksuperpixel._learning.learned_distance import TorchNetwork
from sksuperpixel.networks import DistanceNetwork, make_net_of


def make_network(n_features, n_layers, n_hidden=16, seed=0):
    """Make a network whose layers all matter."""
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = DistanceNetwork(
            n_features,
            n_layers,
            n_hidden=n_hidden,
            channel_weights=rng.random(n_features),
            scales=1 + rng.random(1 + n_features),
        )
        if n_layers == 3:
            torch.nn.init.normal_(network.last.weight, std=3)
    return network


def assert_same_choice(network, features, n_clusters, n_candidates, n_pairs, threads=ONE_THREAD):
    """Let the kernel and torch choose clusters for all pixels."""
    rng = np.random.default_rng(1)
    shape = features.shape[1:]
    seeds = rng.permutation(np.argwhere(np.ones(shape)))[:n_clusters].astype(np.int32)
    clusters = start_clusters(features, seeds)
    pixels = np.argwhere(np.ones(shape, bool)).astype(np.int32)
    candidates, distances = find_candidates(pixels, clusters, n_candidates)
    pairs = rng.normal(0, 9, (*candidates.shape, n_pairs)).astype(np.float32)
    pairs[candidates < 0] = 0
    by_kernel, by_torch = (
        each.on_image(features, pixels, threads)(clusters.means, candidates, distances, pairs)
        for each in (KernelNetwork(network.arrays()), TorchNetwork(make_net_of(network)))
    )
    values = features.reshape(len(features), -1).T.copy()
    rows = classifier_rows(values, clusters.means, candidates, distances, pairs)
    totals = network.distances(torch.from_numpy(rows)).detach().numpy()
    for chosen in (by_kernel, by_torch):
        assert chosen.dtype == np.int32
        slots = chosen[:, np.newaxis] == candidates
        assert (slots.sum(axis=1) == 1).all()
        np.testing.assert_allclose(totals[slots], totals.min(axis=1), rtol=1e-5, atol=1e-4)
    # Sums in another order differ by a rounding, which seldom decides.
    assert (by_kernel == by_torch).mean() > 0.995
    return by_kernel, candidates


@pytest.mark.parametrize("n_hidden", [1, 6, 16])
@pytest.mark.parametrize(("n_clusters", "n_candidates"), [(9, 1), (9, 5), (3, 5), (40, 7)])
@pytest.mark.parametrize("n_channels", [1, 3, 37])
@pytest.mark.parametrize(("n_layers", "n_pairs"), [(1, 0), (1, 1), (3, 0), (3, 2)])
def test_the_kernel_equals_torch(
    n_hidden, n_clusters, n_candidates, n_channels, n_layers, n_pairs
):
    rng = np.random.default_rng(0)
    features = rng.normal(0, 5, (n_channels, 1, 17, 19)).astype(np.float32)
    network = make_network(n_channels + n_pairs, n_layers, n_hidden)
    chosen, candidates = assert_same_choice(network, features, n_clusters, n_candidates, n_pairs)
    # Features decide, not only which candidate is nearest.
    assert (chosen != candidates[:, 0]).any() == (n_candidates > 1)


@pytest.mark.parametrize("n_layers", [1, 3])
def test_the_kernel_equals_torch_in_volumes_and_on_threads(n_layers):
    features = np.random.default_rng(0).normal(0, 5, (2, 5, 11, 13)).astype(np.float32)
    with ThreadPoolExecutor(3) as pool:
        assert_same_choice(make_network(2, n_layers), features, 30, 7, 0, Threads(pool, 3))


@pytest.mark.parametrize("n_pairs", [0, 2])
@pytest.mark.parametrize("left_out", [[0], [1, 3], [0, 1, 2, 3, 4]])
def test_the_kernel_equals_torch_where_features_are_left_out(left_out, n_pairs):
    features = np.random.default_rng(0).normal(0, 5, (5, 1, 17, 19)).astype(np.float32)
    network = make_network(5 + n_pairs, 3)
    with torch.no_grad():
        network.log_weights[left_out] = np.log(1e-40)
    chosen, _ = assert_same_choice(network, features, 40, 7, n_pairs)
    # Nothing depends on them.
    features[left_out] = 7.0
    again, _ = assert_same_choice(network, features, 40, 7, n_pairs)
    assert (chosen == again).mean() > 0.99


def test_absent_candidates_are_never_chosen():
    # Whatever the network makes of the zeros in their place: here it likes small differences.
    network = make_network(1, 3)
    with torch.no_grad():
        network.last.weight.abs_()
    features = np.full((1, 1, 1, 6), 100.0, np.float32)
    features[..., 0] = 0
    pixels = np.argwhere(np.ones((1, 1, 6), bool)).astype(np.int32)
    candidates = np.array([[0, -1, -1]] * 6, np.int32)
    distances = np.array([[50, np.inf, np.inf]] * 6, np.float32)
    means, pairs = np.zeros((1, 1), np.float32), np.zeros((6, 3, 0), np.float32)
    for each in (KernelNetwork(network.arrays()), TorchNetwork(make_net_of(network))):
        chosen = each.on_image(features, pixels, ONE_THREAD)(means, candidates, distances, pairs)
        assert chosen.tolist() == [0] * 6


class Recorder:
    """Chooses a slot, and remembers what it was asked."""

    def __init__(self, slot=0):
        self.slot = slot
        self.calls = []

    def on_image(self, features, pixels, threads):
        self.features, self.pixels = features, pixels

        def choose(means, candidates, distances, pairs):
            self.calls.append((means.copy(), candidates, distances, pairs))
            return candidates[:, self.slot]

        return choose


def make_image(mask=None):
    features = np.random.default_rng(0).normal(size=(2, 1, 20, 30)).astype(np.float32)
    return Planes(features, mask)


def run(network, image, **params):
    options = {"n_candidates": 4, "compactness": 6.0, "max_iter": 3, **params}
    return cluster_by_network(image, Grid(image.shape, 5.0), network, **options)


def test_networks_are_asked_in_each_iteration():
    image, network = make_image(), Recorder()
    labels, clusters = run(network, image)
    assert len(network.calls) == 3
    np.testing.assert_array_equal(network.pixels, np.argwhere(np.ones(image.shape)))
    assert network.features is image.features
    # The nearest candidate in space, whose distances are in units of compactness over the step.
    means, candidates, distances, pairs = network.calls[-1]
    expected, far = find_candidates(network.pixels, clusters, 4)
    np.testing.assert_array_equal(candidates, expected)
    np.testing.assert_allclose(distances, far * 6 / 5, rtol=1e-6)
    assert pairs.shape == (600, 4, 0)
    np.testing.assert_array_equal(labels.ravel(), candidates[:, 0])
    np.testing.assert_array_equal(clusters.means, means)


def test_clusters_move_to_the_mean_of_their_pixels():
    image, network = make_image(), Recorder(slot=1)
    first, start = run(network, image, max_iter=1)
    _, moved = run(network, image, max_iter=2)
    update_clusters(image.features, first, start)
    np.testing.assert_array_equal(moved.centres, start.centres)
    np.testing.assert_array_equal(moved.means, start.means)
    assert (moved.offsets != 0).any()


def test_pixels_outside_the_mask_are_not_asked_for():
    mask = np.zeros((1, 20, 30), bool)
    mask[:, 3:15, 8:] = True
    network = Recorder()
    labels, clusters = run(network, make_image(mask))
    np.testing.assert_array_equal(network.pixels, np.argwhere(mask))
    np.testing.assert_array_equal(labels >= 0, mask)
    assert mask[tuple(clusters.seeds.T)].all()


def test_pair_features_are_of_the_clusters_so_far():
    def columns(features, pixels, ends):
        return ends[..., 2]

    image, network = make_image(), Recorder()
    _, clusters = run(network, image, pair_features=(columns,))
    _, candidates, _, pairs = network.calls[-1]
    nearest = np.rint(clusters.centres[:, 2])[candidates]
    np.testing.assert_array_equal(pairs[..., 0], nearest)


def test_with_many_candidates_one_layer_is_the_weighted_distance():
    network = DistanceNetwork(2, 1, channel_weights=[2.0, 5.0])
    weights = network.channel_weights.astype(np.float64)
    image = make_image()
    # So compact that no pixel chooses a cluster outside SLIC's window.
    settings = Settings(5, None, 8.0, 4, 0.25, 6.0, None, 5)
    grid = Grid(image.shape, 5.0)
    distances = (
        WeightedDistance(weights),
        NetworkDistance(KernelNetwork(network.arrays()), 24, weights),
        NetworkDistance(TorchNetwork(make_net_of(network)), 24, weights),
    )
    results = [
        distance.cluster(image.weighted_by(distance), grid, settings)[0] for distance in distances
    ]
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])
    assert (results[0].ravel() != run(Recorder(), image, max_iter=4)[0].ravel()).any()
