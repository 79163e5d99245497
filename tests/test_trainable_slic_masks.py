"""TrainableSLIC learns, segments and scores inside masks only."""

import numpy as np
import pytest
from mosaics import IMAGES, SEGMENTATIONS, learner
from sklearn import config_context
from sklearn.model_selection import cross_validate

from sksuperpixel import ChannelUnion, LabelMaker, LabFeatures
from sksuperpixel.features import LearnedFeatures, ScatteringFeatures
from sksuperpixel.networks import make_distance_net

MASK = np.zeros((64, 80), bool)
MASK[8:50, 10:60] = True
MASK[20:26, 30:40] = False


def assert_same(results, expected):
    for one, other in zip(results, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def with_outside(value):
    """Give float images and segmentations with something else outside the mask."""
    images = [
        np.where(MASK[..., None], each / 255.0, value).astype(np.float32) for each in IMAGES[:3]
    ]
    other = np.full((64, 80), 99) if value else np.indices((64, 80))[1]
    return images, [np.where(MASK, each, other) for each in SEGMENTATIONS[:3]]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"features": "passthrough", "compactness": 0.1},
        {"n_rounds": 2, "classifier": make_distance_net(3, max_epochs=2)},
        {"label_maker": LabelMaker("edges", min_segments=2)},
        {"features": LabFeatures(sigma=2.0)},
        {"features": ScatteringFeatures(J=1, L=2), "compactness": 0.1},
        {
            "features": LearnedFeatures(
                n_maps=2, width=4, max_epochs=2, crop_size=32, random_state=0
            )
        },
        {
            "features": ChannelUnion([("lab", LabFeatures(sigma=1.0)), ("rgb", "passthrough")]),
            "n_segments": 20,
        },
    ],
    ids=["lab", "rgb", "rounds", "edges", "blurred", "scattering", "learned", "union"],
)
def test_nothing_outside_the_masks_counts(params):
    masks = [MASK, None, MASK]
    results = []
    for value in (0.0, 1e6, np.nan):
        images, segmentations = with_outside(value)
        images[1], segmentations[1] = IMAGES[1] / np.float32(255), SEGMENTATIONS[1]
        slic = learner(**params).fit(images, segmentations, masks=masks)
        weights = slic.classifier_.module_.log_weights.detach().clone()
        superpixels = slic.transform(images, masks=masks)
        score = slic.score(images, segmentations, masks=masks)
        results.append((weights, superpixels, score))
    for weights, superpixels, score in results[1:]:
        assert weights.equal(results[0][0])
        assert_same(superpixels, results[0][1])
        assert score == results[0][2]
    for mask, labels in zip(masks, results[0][1], strict=True):
        np.testing.assert_array_equal(labels >= 0, np.ones_like(MASK) if mask is None else mask)


def test_masks_change_what_is_learned():
    with_masks = learner().fit(IMAGES[:3], SEGMENTATIONS[:3], masks=[MASK] * 3)
    without = learner().fit(IMAGES[:3], SEGMENTATIONS[:3])
    weights = [each.classifier_.module_.log_weights for each in (with_masks, without)]
    assert not weights[0].equal(weights[1])


def test_masked_arrays_are_images_with_masks():
    images, segmentations = with_outside(0.5)
    masks = [MASK] * 3
    masked = [
        np.ma.array(each, mask=np.broadcast_to(~MASK[..., None], each.shape)) for each in images
    ]
    by_masks = learner().fit(images, segmentations, masks=masks)
    by_arrays = learner().fit(masked, segmentations)
    expected = by_masks.transform(images, masks=masks)
    assert_same(by_arrays.transform(masked), expected)
    assert_same(by_arrays.predict(masked), expected)
    assert_same(learner().fit_transform(masked, segmentations), expected)
    score = by_masks.score(images, segmentations, masks=masks)
    assert by_arrays.score(masked, segmentations) == score


def test_masks_reach_all_methods():
    images, segmentations = with_outside(np.nan)
    masks = [MASK] * 3
    slic = learner().fit(images, segmentations, masks=masks)
    expected = slic.transform(images, masks=masks)
    assert_same(slic.predict(images, masks=masks), expected)
    assert_same(learner().fit_transform(images, segmentations, masks=masks), expected)
    # Only what is inside counts: here the superpixels are all of one segment.
    flat = [np.where(MASK, 3, each) for each in SEGMENTATIONS[:3]]
    assert slic.score(images, flat, masks=masks) == 1
    assert slic.score(images, segmentations, masks=masks) < 1


def test_masks_are_passed_on_by_metadata_routing():
    images, segmentations = with_outside(np.nan)
    masks = [MASK] * 3
    split = [([0, 1], [2]), ([1, 2], [0])]
    with config_context(enable_metadata_routing=True):
        slic = learner().set_fit_request(masks=True).set_score_request(masks=True)
        found = cross_validate(
            slic,
            images,
            segmentations,
            cv=split,
            params={"masks": masks},
            error_score="raise",
        )
    for (train, test), score in zip(split, found["test_score"], strict=True):
        fitted = learner().fit(
            [images[i] for i in train], [segmentations[i] for i in train], masks=[MASK] * 2
        )
        tested = [images[i] for i in test], [segmentations[i] for i in test]
        assert score == fitted.score(*tested, masks=[MASK])
