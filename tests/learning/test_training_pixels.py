"""Training pixels: what is kept of them, what is computed, and how they are drawn."""

import numpy as np
import pytest

from sksuperpixel import LabelMaker
from sksuperpixel._clustering.assignment import Clusters
from sksuperpixel._clustering.grid import Grid
from sksuperpixel._learning.training_pixels import (
    TrainingPixels,
    candidate_distances,
    concatenate_pixels,
    draw_pixels,
)


def make_pixels(n_pairs=0, first=0.0):
    """Two pixels of an image with three clusters."""
    return TrainingPixels(
        values=np.array([[1.0, 2.0], [3.0, 5.0]], np.float32) + np.float32(first),
        candidates=np.array([[2, 0], [2, -1]], np.int32),
        distances=np.array([[0.5, 1.5], [2.0, np.inf]], np.float32),
        pairs=np.array([[[7], [8]], [[9], [0]]], np.float32)[..., :n_pairs],
        targets=np.array([1, 0]),
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


def test_right_candidates_of_slots_and_of_sets():
    pixels = make_pixels()
    assert pixels.right_candidates(sets=False).tolist() == [[False, True], [True, False]]
    pixels.targets = np.array([0b11, 0b10])
    assert pixels.right_candidates(sets=True).tolist() == [[True, True], [False, True]]


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
    pixels, sizes, n_clusters = concatenate_pixels(iter(parts))
    assert (sizes, n_clusters) == ([2, 2], [3, 3])
    np.testing.assert_array_equal(pixels.rows(np.arange(4)), rows)
    np.testing.assert_array_equal(pixels.targets, [1, 0, 1, 0])
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


def draw(n_pixels=None, maker=None, seed=0, labels=None, pair_features=()):
    """Draw from an image of two halves, in four clusters, of which the third straddles both."""
    segmentation = np.zeros((1, 1, 6, 8), int)
    segmentation[..., 5:] = 1
    if labels is None:
        labels = (np.indices((1, 6, 8))[2] // 2).astype(np.int32)
    features = np.stack([segmentation[0] * 10.0, np.zeros((1, 6, 8))]).astype(np.float32)
    return draw_pixels(
        features,
        features[:1],
        labels,
        np.array([[0, 3, 1], [0, 3, 3], [0, 3, 5], [0, 3, 7]], np.int32),
        segmentation,
        LabelMaker(mining=None) if maker is None else maker,
        Grid((1, 6, 8), 2.0),
        n_candidates=3,
        compactness=1.0,
        n_pixels=n_pixels,
        pair_features=pair_features,
        rng=np.random.RandomState(seed),
    )


def test_all_pixels_that_teach_are_drawn_in_raster_order():
    pixels, centres = draw()
    np.testing.assert_array_equal(pixels.positions, np.argwhere(np.ones((1, 6, 8))))
    np.testing.assert_array_equal(centres, [[0, 2.5, 0.5 + 2 * k] for k in range(4)])
    # Each is taught a cluster of its own half; the third cluster is of the left one.
    taught = pixels.candidates[np.arange(48), pixels.targets]
    np.testing.assert_array_equal(taught == 3, pixels.positions[:, 2] >= 5)
    assert pixels.values.tolist() == [[10.0 * (x >= 5), 0.0] for _, _, x in pixels.positions]
    np.testing.assert_array_equal(pixels.means, [[0, 0], [0, 0], [5, 0], [10, 0]])


def test_some_pixels_are_drawn_at_random():
    everything, _ = draw()
    drawn = [draw(20, seed=seed)[0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0].positions, drawn[1].positions)
    assert (drawn[0].positions != drawn[2].positions).any()
    for pixels in drawn:
        assert len(pixels) == 20
        places = np.ravel_multi_index(pixels.positions.T, (1, 6, 8))
        assert len(set(places)) == 20
        for name in ("values", "candidates", "distances", "targets"):
            expected = getattr(everything, name)[places]
            np.testing.assert_array_equal(getattr(pixels, name), expected)
    assert len(draw(1000)[0]) == 48


def test_pixels_outside_the_mask_are_not_drawn():
    labels = (np.indices((1, 6, 8))[2] // 2).astype(np.int32)
    labels[:, :2] = -1
    pixels, _ = draw(labels=labels)
    np.testing.assert_array_equal(pixels.positions, np.argwhere(labels >= 0))


def test_sets_are_kept_as_bits():
    pixels, _ = draw(maker=LabelMaker(mining=None, targets="set"))
    slots, _ = draw()
    right = pixels.right_candidates(sets=True)
    assert right[np.arange(48), slots.targets].all()
    assert right.sum(axis=1).max() > 1
    # Right are the clusters of a pixel's half.
    left = pixels.positions[:, 2] < 5
    np.testing.assert_array_equal(right, (pixels.candidates < 3) == left[:, np.newaxis])


def test_pair_features_are_kept():
    pixels, centres = draw(10, pair_features=(lambda f, p, e: e[..., 2] - p[:, np.newaxis, 2],))
    expected = np.rint(centres[pixels.candidates, 2]) - pixels.positions[:, 2:]
    np.testing.assert_array_equal(pixels.pairs[..., 0], expected)
