"""Rounds: what a teacher draws, and which images are held out."""

from dataclasses import replace

import numpy as np
import pytest
from mosaics import IMAGES, SEGMENTATIONS, learner

from sksuperpixel import LabelMaker
from sksuperpixel._clustering.assignment import start_clusters
from sksuperpixel._clustering.distance import WeightedDistance
from sksuperpixel._clustering.planes import Planes
from sksuperpixel._clustering.settings import Settings
from sksuperpixel._learning.rounds import Teacher, check_drawn, draw_validation_images


def make_image():
    planes = np.moveaxis(IMAGES[0], -1, 0)[:, np.newaxis].astype(np.float32)
    return Planes(np.ascontiguousarray(planes))


def make_teacher(**params):
    distance = WeightedDistance()
    options = {
        "label_maker": LabelMaker(min_segments=2),
        "settings": Settings.of(learner()),
        "n_candidates": 5,
        "n_pixels": 30,
        "start": distance,
        "distance": distance,
        **params,
    }
    return Teacher(**options)


def draw(teacher, seed=0):
    segmentation = SEGMENTATIONS[0][np.newaxis, np.newaxis]
    return teacher.draw(make_image(), segmentation, np.random.RandomState(seed))


class GivenLabels(WeightedDistance):
    """Makes clusters of labels that are given, whatever the features."""

    def __init__(self, labels, seeds):
        super().__init__()
        self.labels, self.seeds = labels, seeds

    def cluster(self, image, grid, settings, threads=None):
        return self.labels, start_clusters(image.weighted, self.seeds)


def draw_from_halves(n_pixels=None, maker=None, seed=0, labels=None, pair_features=()):
    """Draw from an image of two halves, in four clusters, of which the third straddles both."""
    segmentation = np.zeros((1, 1, 6, 8), int)
    segmentation[..., 5:] = 1
    features = np.stack([segmentation[0] * 10.0, np.zeros((1, 6, 8))]).astype(np.float32)
    if labels is None:
        labels = (np.indices((1, 6, 8))[2] // 2).astype(np.int32)
    seeds = np.array([[0, 3, 1], [0, 3, 3], [0, 3, 5], [0, 3, 7]], np.int32)
    teacher = make_teacher(
        label_maker=LabelMaker(mining=None) if maker is None else maker,
        settings=replace(Settings.of(learner()), superpixel_size=2.0, compactness=1.0),
        n_candidates=3,
        n_pixels=n_pixels,
        start=WeightedDistance(np.array([1.0, 0.0])),
        distance=GivenLabels(labels, seeds),
        pair_features=pair_features,
    )
    pixels, clusters, centres = teacher.draw(
        Planes(features), segmentation, np.random.RandomState(seed)
    )
    np.testing.assert_array_equal(clusters, labels)
    return pixels, centres


def test_all_pixels_that_teach_are_drawn_in_raster_order():
    pixels, centres = draw_from_halves()
    np.testing.assert_array_equal(pixels.positions, np.argwhere(np.ones((1, 6, 8))))
    np.testing.assert_array_equal(centres, [[0, 2.5, 0.5 + 2 * k] for k in range(4)])
    # Each is taught a cluster of its own half; the third cluster is of the left one.
    taught = pixels.candidates[np.arange(48), pixels.targets.argmax(axis=1)]
    np.testing.assert_array_equal(taught == 3, pixels.positions[:, 2] >= 5)
    assert pixels.values.tolist() == [[10.0 * (x >= 5), 0.0] for _, _, x in pixels.positions]
    np.testing.assert_array_equal(pixels.means, [[0, 0], [0, 0], [5, 0], [10, 0]])


def test_some_pixels_are_drawn_at_random():
    everything, _ = draw_from_halves()
    drawn = [draw_from_halves(7, seed=seed)[0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0].positions, drawn[1].positions)
    assert (drawn[0].positions != drawn[2].positions).any()
    for pixels in drawn:
        # At most three times as many as wanted on average; the images share them out later.
        assert len(pixels) == 21
        assert pixels.n_teaching == 48
        places = np.ravel_multi_index(pixels.positions.T, (1, 6, 8))
        assert len(set(places)) == 21
        for name in ("values", "candidates", "distances", "targets"):
            expected = getattr(everything, name)[places]
            np.testing.assert_array_equal(getattr(pixels, name), expected)
    assert len(draw_from_halves(1000)[0]) == 48


def test_pixels_outside_the_mask_are_not_drawn():
    labels = (np.indices((1, 6, 8))[2] // 2).astype(np.int32)
    labels[:, :2] = -1
    pixels, _ = draw_from_halves(labels=labels)
    np.testing.assert_array_equal(pixels.positions, np.argwhere(labels >= 0))


def test_sets_of_right_candidates_are_kept():
    pixels, _ = draw_from_halves(maker=LabelMaker(mining=None, targets="set"))
    slots, _ = draw_from_halves()
    right = pixels.targets == 1
    np.testing.assert_array_equal(right, pixels.targets > 0)
    assert right[slots.targets > 0].all()
    assert right.sum(axis=1).max() > 1
    # Right are the clusters of a pixel's half.
    left = pixels.positions[:, 2] < 5
    np.testing.assert_array_equal(right, (pixels.candidates < 3) == left[:, np.newaxis])


def test_shares_of_candidates_are_kept():
    pixels, _ = draw_from_halves(maker=LabelMaker(mining=None, targets="share"))
    # The third cluster straddles both halves; the others lie in one of them.
    in_left = np.array([1, 1, 0.5, 0])[pixels.candidates]
    left = pixels.positions[:, 2, np.newaxis] < 5
    expected = np.maximum(np.where(left, in_left, 1 - in_left), 1e-3)
    np.testing.assert_allclose(pixels.targets, expected, rtol=1e-6)


def test_pair_features_are_kept():
    pixels, centres = draw_from_halves(
        4, pair_features=(lambda f, p, e: e[..., 2] - p[:, np.newaxis, 2],)
    )
    expected = np.rint(centres[pixels.candidates, 2]) - pixels.positions[:, 2:]
    np.testing.assert_array_equal(pixels.pairs[..., 0], expected)


def test_weights_of_the_start_compare_candidates():
    # With no weight on features, the nearest candidate in space is SLIC's choice.
    maker = LabelMaker(correct=False, mining=None)
    pixels, _, _ = draw(make_teacher(label_maker=maker, start=WeightedDistance(np.zeros(3))))
    assert (pixels.targets.argmax(axis=1) == 0).all()
    pixels, _, _ = draw(make_teacher(label_maker=maker))
    assert (pixels.targets.argmax(axis=1) != 0).any()


def test_more_superpixels_than_pixels_is_an_error():
    settings = replace(Settings.of(learner()), n_segments=64 * 80 + 1)
    with pytest.raises(ValueError, match="found 5120 pixels, expected at least n_segments=5121"):
        draw(make_teacher(settings=settings))


def test_varied_teachers():
    teacher = make_teacher()
    rng = np.random.RandomState(0)
    varied = [teacher.varied(3.0, rng).settings for _ in range(200)]
    # Any of the iterations of `transform`, and any compactness in between.
    assert {each.max_iter for each in varied} == {1, 2, 3, 4, 5}
    factors = np.array([each.compactness for each in varied]) / teacher.settings.compactness
    assert 1 / 3 <= factors.min() < 0.4
    assert 2.5 < factors.max() <= 3
    assert abs(np.median(np.log(factors))) < 0.2
    # The rest stays.
    same = {"max_iter": 5, "compactness": teacher.settings.compactness}
    assert {replace(each, **same) for each in varied} == {teacher.settings}
    assert replace(teacher.varied(3.0, rng), settings=teacher.settings) == teacher


def test_without_a_spread_the_compactness_stays():
    rng = np.random.RandomState(0)
    settings = [make_teacher().varied(1.0, rng).settings for _ in range(20)]
    assert {each.compactness for each in settings} == {10.0}
    assert len({each.max_iter for each in settings}) > 1


@pytest.mark.parametrize(
    ("n_useful", "expected"), [(0, 0), (1, 0), (2, 1), (6, 1), (10, 2), (20, 3), (100, 15)]
)
def test_a_share_of_the_images_with_pixels_is_held_out(n_useful, expected):
    sizes = [5] * n_useful + [0] * 7
    chosen = draw_validation_images(sizes, 0)
    assert chosen.sum() == expected
    assert not chosen[n_useful:].any()


def test_the_seed_decides_which_images_are_held_out():
    chosen = [draw_validation_images([3] * 40, seed).tolist() for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]


@pytest.mark.parametrize(
    ("maker", "message"),
    [
        (LabelMaker(mining=None), "mining=None and expected pixels with a right candidate"),
        (
            LabelMaker(min_segments=4),
            r"mining='ambiguous' and min_segments=4 \(X\); expected pixels whose candidates lie",
        ),
        (LabelMaker(mining="mistakes"), "with a right candidate other than SLIC's choice"),
    ],
)
def test_no_pixel_at_all_is_an_error(maker, message):
    with pytest.raises(
        ValueError, match=f"^y: found no pixel to learn from in 2 images.*{message}"
    ):
        check_drawn([], [9, 9], make_teacher(label_maker=maker))
    check_drawn([1], [9, 9], make_teacher(label_maker=maker))


def test_too_few_clusters_in_all_images_is_an_error():
    with pytest.raises(
        ValueError, match="n_candidates: found 5, expected at most 4, the largest number"
    ):
        check_drawn([1], [3, 4], make_teacher())
    check_drawn([1], [3, 5], make_teacher())
    # Then `transform` starts from more clusters.
    exact = replace(Settings.of(learner()), n_segments=4)
    check_drawn([1], [3, 4], make_teacher(settings=exact))
