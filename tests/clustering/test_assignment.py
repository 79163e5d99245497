"""SLIC's iterations give what a slow, obvious reference gives, to the last label."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import problems

from sksuperpixel._clustering.assignment import _Means, _steps_of_sums, cluster_pixels
from sksuperpixel._clustering.grid import Grid
from sksuperpixel._clustering.kernels import assignment as kernels
from sksuperpixel._clustering.runs import Runs
from sksuperpixel._clustering.threads import Threads


@settings(max_examples=60, deadline=None)
@given(
    problems(),
    st.sampled_from([1.0, 2.0, 3.7, 8.0, 16.0, 90.0]),
    st.sampled_from([0.0, 0.5, 10.0, 40.0]),
    st.integers(1, 4),
    st.booleans(),
)
def test_clusters_equal_reference(problem, size, compactness, max_iter, adaptive):
    features, mask, spacing, _ = problem
    adaptive = adaptive and compactness > 0
    grid = Grid(features.shape[1:], size, spacing)
    labels, _ = cluster_pixels(
        features,
        grid,
        compactness=compactness,
        max_iter=max_iter,
        mask=mask,
        adaptive=adaptive,
    )
    expected = reference.slic_clusters(
        features, size, spacing, compactness, max_iter, mask, adaptive
    )
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("shape", [(1, 40, 150), (4, 20, 21), (1, 3, 5), (1, 1, 1)])
@pytest.mark.parametrize("size", [2.0, 9.5, 70.0])
@pytest.mark.parametrize("n_channels", [1, 2, 3, 7])
def test_sums_over_windows_and_of_changes_are_those_of_rounded_features(shape, size, n_channels):
    rng = np.random.default_rng(0)
    features = rng.normal(0, 10, (n_channels, *shape)).astype(np.float32)
    grid = Grid(shape, size)
    labels, clusters = cluster_pixels(features, grid, compactness=10.0, max_iter=2)
    steps = np.float32(2.0**12)
    rounded = np.trunc(features * steps).astype(np.int64)
    expected = Runs.of(labels).sums(rounded.astype(np.float32), len(clusters))
    half = grid.half_window
    found = np.empty(expected.shape, np.int64)
    seen = clusters.seeds, clusters.offsets, half, steps, 0, len(clusters)
    kernels.sum_windows(features, labels, *seen, found)
    np.testing.assert_array_equal(found, expected)
    # As if some pixels had been elsewhere before.
    before = labels.copy()
    moved = rng.random(shape) < 0.2
    before[moved] = rng.integers(-1, len(clusters), moved.sum())
    changed = Runs.of(before).sums(rounded.astype(np.float32), len(clusters)).astype(np.int64)
    kernels.sum_changes(features, before, labels, steps, (0, shape[0], 0, shape[1]), changed)
    np.testing.assert_array_equal(changed, expected)


def test_means_are_the_same_on_any_number_of_threads():
    rng = np.random.default_rng(0)
    features = rng.normal(0, 10, (4, 1, 60, 70)).astype(np.float32)
    found = []
    for n_threads in (1, 3):
        with ThreadPoolExecutor(n_threads) as pool:
            threads = Threads(pool, n_threads)
            grid = Grid(features.shape[1:], 8.0)
            labels, clusters = cluster_pixels(
                features, grid, compactness=5.0, max_iter=6, threads=threads
            )
            means = _Means(features, np.float32(2.0**15), threads)
            means.move(labels, labels, clusters, grid.half_window)
            means.move(labels, np.roll(labels, 1, axis=2), clusters, grid.half_window)
        found.append((labels, clusters.offsets, clusters.means, means.sums))
    for one, three in zip(*found, strict=True):
        np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize(
    ("largest", "compactness", "exponent"),
    [
        (100.0, 10.0, 16),  # a step of 2^-20 of 16
        (100.0, 1.0, 17),  # limited by the features: 100 is less than 2^7
        (100.0, 0.0, 17),
        (0.0, 10.0, 16),
        (2.0**20, 10.0, 3),
        (0.001, 0.001, 29),
    ],
)
def test_features_are_rounded_finely_and_their_sums_are_exact(largest, compactness, exponent):
    features = np.array([[[[0, -largest]]]], np.float32)
    steps = _steps_of_sums(features, compactness, None)
    assert steps == 2.0**exponent
    assert largest * steps < 2**24
    # A wild number outside a mask changes nothing.
    wild = np.array([[[[0, -largest, np.inf]]]], np.float32)
    mask = np.array([[[True, True, False]]])
    assert _steps_of_sums(wild, compactness, mask) == steps
