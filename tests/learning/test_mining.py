"""Mined pixels: what an image teaches."""

from copy import copy

import numpy as np
import pytest
from mosaics import IMAGES, SEGMENTATIONS, learner
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sksuperpixel import LabelMaker, LabFeatures, PathFeature


@pytest.fixture(scope="module", params=[1, 3])
def fitted(request):
    return learner(request.param).fit(IMAGES, SEGMENTATIONS)


def test_mined_pixels_can_be_looked_at():
    slic = learner(1)
    mined = slic.mine(IMAGES[0], SEGMENTATIONS[0])
    assert not hasattr(slic, "features_")
    segmentation = SEGMENTATIONS[0]
    n_clusters = len(mined.centres)
    assert mined.clusters.shape == segmentation.shape
    assert mined.clusters.max() < n_clusters
    majority = np.array(
        [
            np.bincount(segmentation[mined.clusters == k]).argmax()
            if (mined.clusters == k).any()
            else -1
            for k in range(n_clusters)
        ]
    )
    # Each pixel is taught one candidate, of its own segment.
    assert (mined.targets.sum(axis=1) == 1).all()
    taught = mined.candidates[mined.targets]
    own = segmentation[tuple(mined.pixels.T)]
    np.testing.assert_array_equal(majority[taught], own)
    # And all pixels between two segments are there, if one of the candidates is right.
    expected = np.zeros(segmentation.shape, bool)
    for pixel in np.argwhere(segmentation >= 0):
        away = np.linalg.norm(mined.centres - pixel, axis=1)
        segments = majority[np.argsort(away, kind="stable")[:7]]
        right = segmentation[tuple(pixel)] in segments
        expected[tuple(pixel)] = right and len(np.unique(segments)) > 1
    found = np.zeros(segmentation.shape, bool)
    found[tuple(mined.pixels.T)] = True
    # Centres are known to float32: two of them may be as far as one another.
    assert (found != expected).mean() < 1e-3


def test_clusters_are_those_of_all_iterations():
    """A pixel more or less of the label maker's draw does not change the clusters."""
    slic = learner(1, max_iter=4, label_maker=LabelMaker(mining=None))
    mined = slic.mine(IMAGES[0], SEGMENTATIONS[0])
    fewer = slic.set_params(max_iter=1).mine(IMAGES[0], SEGMENTATIONS[0])
    assert (mined.clusters != fewer.clusters).any()
    # The centres are the means of the clusters' pixels.
    for k in range(len(mined.centres)):
        pixels = np.argwhere(mined.clusters == k)
        np.testing.assert_allclose(mined.centres[k], pixels.mean(axis=0), atol=1e-4)


def test_sets_are_mined_at_the_models_own_clusters(fitted):
    slic = copy(fitted).set_params(label_maker=LabelMaker(min_segments=2, targets="set"))
    mask = np.zeros((64, 80), bool)
    mask[:, 20:] = True
    mined = slic.mine(IMAGES[0], SEGMENTATIONS[0], mask, learned=True)
    assert mined.targets.any(axis=1).all()
    assert mined.targets.sum(axis=1).max() > 1
    assert (mined.pixels[:, 1] >= 20).all()
    np.testing.assert_array_equal(mined.clusters >= 0, mask)
    other = slic.mine(IMAGES[0], SEGMENTATIONS[0], mask)
    assert (mined.clusters != other.clusters).any()


def test_pair_features_are_asked_at_the_models_own_clusters_only():
    slic = learner(1, pair_features=[PathFeature("variation")])
    plain = slic.mine(IMAGES[0], SEGMENTATIONS[0])
    slic.fit(IMAGES[:2], SEGMENTATIONS[:2])
    again = slic.mine(IMAGES[0], SEGMENTATIONS[0])
    np.testing.assert_array_equal(plain.clusters, again.clusters)
    learned = slic.mine(IMAGES[0], SEGMENTATIONS[0], learned=True)
    assert (learned.clusters != plain.clusters).any()


def test_slics_clusters_do_not_depend_on_what_was_learned(fitted):
    for params in ({}, {"warm_start": True}, {"channel_weights": [1.0, 0.5, 2.0]}):
        slic = copy(fitted).set_params(**params)
        mined = slic.mine(IMAGES[0], SEGMENTATIONS[0])
        expected = clone(slic).mine(IMAGES[0], SEGMENTATIONS[0])
        np.testing.assert_array_equal(mined.clusters, expected.clusters)
        np.testing.assert_array_equal(mined.targets, expected.targets)


def test_mining_changes_nothing_of_the_estimator(fitted):
    before = dict(vars(fitted))
    fitted.mine(IMAGES[0], SEGMENTATIONS[0], learned=True)
    assert vars(fitted) == before


def test_volumes_have_three_coordinates():
    volume = np.zeros((5, 24, 24), np.float32)
    volume[:, :, 13:] = 100
    slic = learner(1, channel_axis=None, features="passthrough")
    mined = slic.mine(volume, (volume > 0).astype(int))
    assert mined.clusters.shape == (5, 24, 24)
    assert mined.centres.shape[1] == mined.pixels.shape[1] == 3


def test_a_model_that_is_not_fitted_has_no_clusters_of_its_own():
    with pytest.raises(NotFittedError):
        learner().mine(IMAGES[0], SEGMENTATIONS[0], learned=True)


@pytest.mark.parametrize(
    ("image", "segmentation", "mask", "message"),
    [
        (IMAGES[0], SEGMENTATIONS[0].T, None, r"^image 0: found a segmentation of shape \(80, 64"),
        (IMAGES[0], SEGMENTATIONS[0], np.ones((3, 3), bool), r"^image 0: found a mask of shape"),
        (IMAGES[0] * np.nan, SEGMENTATIONS[0], None, "^image 0: found"),
    ],
)
def test_bad_input(image, segmentation, mask, message):
    for features in ("lab", LabFeatures(sigma=1.0)):
        with pytest.raises(ValueError, match=message):
            learner(features=features).mine(image, segmentation, mask)
