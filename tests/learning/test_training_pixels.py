"""Training pixels: what is kept of them, and what is computed."""

from dataclasses import replace

import numpy as np
import pytest

from sksuperpixel._clustering.assignment import Clusters
from sksuperpixel._learning.training_pixels import (
    TrainingPixels,
    candidate_distances,
    concatenate_pixels,
    share_out,
)


def make_pixels(n_pairs=0, first=0.0):
    """Two pixels of an image with three clusters."""
    return TrainingPixels(
        values=np.array([[1.0, 2.0], [3.0, 5.0]], np.float32) + np.float32(first),
        candidates=np.array([[2, 0], [2, -1]], np.int32),
        distances=np.array([[0.5, 1.5], [2.0, np.inf]], np.float32),
        pairs=np.array([[[7], [8]], [[9], [0]]], np.float32)[..., :n_pairs],
        targets=np.array([[0, 1], [1, 0]], np.float32),
        means=np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 4.0]], np.float32) + np.float32(first),
        positions=np.zeros((2, 3), np.int32),
    )


def test_rows_hold_features_distances_and_differences():
    pixels = make_pixels()
    assert pixels.n_features == 2
    expected = np.array([[1, 2, 0.5, 1.5, -1, -2, 1, 2], [3, 5, 2, np.inf, 1, 1, 0, 0]])
    np.testing.assert_array_equal(pixels.rows(np.array([0, 1])), expected)
    np.testing.assert_array_equal(pixels.rows(np.array([1])), expected[1:])


def test_rows_with_pair_features():
    pixels = make_pixels(n_pairs=1)
    assert pixels.n_features == 3
    np.testing.assert_array_equal(
        pixels.rows(np.array([0, 1])),
        [[1, 2, 0, 0.5, 1.5, -1, -2, 7, 1, 2, 8], [3, 5, 0, 2, np.inf, 1, 1, 9, 0, 0, 0]],
    )


def test_the_first_pixels_are_copies():
    pixels = make_pixels(1)
    first = pixels.first(1)
    assert len(first) == 1
    np.testing.assert_array_equal(first.rows(np.array([0])), pixels.rows(np.array([0])))
    # So that the others can be freed.
    assert all(getattr(first, name).base is None for name in ("values", "targets", "positions"))
    assert pixels.first(2) is pixels
    pixels.positions = None
    assert pixels.first(1).positions is None


def test_pair_features_can_be_left_out():
    np.testing.assert_array_equal(
        make_pixels(1).without_pairs().rows(np.arange(2)), make_pixels().rows(np.arange(2))
    )


def part_of(n, n_teaching):
    """Some of the pixels that teach in an image."""
    pixels = make_pixels()
    index = np.arange(n) % 2
    names = ("values", "candidates", "distances", "pairs", "targets", "positions")
    rows = {name: getattr(pixels, name)[index] for name in names}
    return replace(pixels, n_teaching=n_teaching, **rows)


def test_images_teach_in_proportion_to_their_pixels():
    parts = [part_of(30, 100), part_of(30, 50), part_of(0, 0), part_of(10, 1000)]
    found = share_out(list(parts), 10)
    # 40 pixels for 1150 that teach, rounded up. The last image has not enough.
    assert [len(each) for each in found] == [4, 2, 0, 10]
    assert [len(each) for each in share_out(list(parts), None)] == [30, 30, 0, 10]
    assert [len(each) for each in share_out([part_of(0, 0)], 10)] == [0]


def test_typical_sizes_are_root_mean_squares_over_candidates():
    squares = [0.25 + 2.25 + 4, 1 + 1 + 1, 4 + 4 + 1, 49 + 64 + 81]
    np.testing.assert_allclose(
        make_pixels(n_pairs=1).typical_sizes(), np.sqrt(np.array(squares) / 3), rtol=1e-6
    )


def test_typical_sizes_are_positive_and_of_any_number_of_pixels(monkeypatch):
    pixels = make_pixels()
    expected = pixels.typical_sizes()
    monkeypatch.setattr("sksuperpixel._learning.training_pixels._N_AT_ONCE", 1)
    np.testing.assert_allclose(pixels.typical_sizes(), expected, rtol=1e-6)
    pixels.values, pixels.means = np.zeros((2, 2), np.float32), np.zeros((3, 2), np.float32)
    assert (pixels.typical_sizes() > 0).all()


def test_concatenated_pixels_have_the_same_rows():
    parts = [make_pixels(1), make_pixels(1, first=10.0)]
    rows = np.concatenate([part.rows(np.arange(2)) for part in parts])
    pixels, sizes, n_clusters = concatenate_pixels(parts)
    assert (sizes, n_clusters) == ([2, 2], [3, 3])
    np.testing.assert_array_equal(pixels.rows(np.arange(4)), rows)
    np.testing.assert_array_equal(pixels.targets.argmax(axis=1), [1, 0, 1, 0])
    assert parts == []
    # A cluster that is nobody's candidate is not kept.
    assert len(pixels.means) == 4


def test_other_numbers_of_features_are_an_error():
    other = make_pixels()
    other.values = other.values[:, :1]
    with pytest.raises(ValueError, match=r"^image 1: found 1 features, expected 2 as in image 0"):
        concatenate_pixels([make_pixels(), other])


def test_candidate_distances_are_slics():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3, 1, 4, 5)).astype(np.float32)
    means = rng.normal(size=(2, 3)).astype(np.float32)
    clusters = Clusters(np.zeros((2, 3), np.int32), np.zeros((2, 3), np.float32), means)
    pixels = np.array([[0, 1, 2], [0, 3, 4]], np.int32)
    candidates = np.array([[1, 0], [0, -1]], np.int32)
    space = np.array([[1.0, 2.0], [0.5, np.inf]], np.float32)
    found = candidate_distances(features, clusters, pixels, candidates, space)
    values = features[:, 0, [1, 3], [2, 4]].T
    for i, q in ((0, 0), (0, 1), (1, 0)):
        differences = values[i] - means[candidates[i, q]]
        np.testing.assert_allclose(found[i, q], space[i, q] ** 2 + (differences**2).sum(), 1e-6)
    assert np.isinf(found[1, 1])
