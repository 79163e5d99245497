"""What estimators of superpixels share: masks through all methods and scikit-learn's tools."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline

from sksuperpixel import SLIC, LabFeatures, LazySequence
from sksuperpixel.metrics import SCORERS, achievable_segmentation_accuracy, get_scorers

SHAPES = [(30, 36), (36, 30), (24, 40), (33, 33)]


def make_data():
    """Images in two halves, and masks outside which everything is NaN."""
    rng = np.random.default_rng(0)
    images, segmentations, masks = [], [], []
    for shape in SHAPES:
        truth = (np.indices(shape)[1] > shape[1] // 2 + rng.integers(-3, 3)).astype(int)
        image = 0.3 + 0.4 * truth[..., np.newaxis] + rng.normal(0, 0.02, (*shape, 3))
        mask = np.ones(shape, bool)
        mask[: shape[0] // 3] = False
        mask[:, -4:] = False
        image[~mask] = np.nan
        images.append(image)
        segmentations.append(truth)
        masks.append(mask)
    return images, segmentations, masks


IMAGES, SEGMENTATIONS, MASKS = make_data()


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def requesting(estimator):
    """Ask for masks in every method that scikit-learn's tools call."""
    estimator.set_fit_request(masks=True)
    if hasattr(estimator, "set_score_request"):
        return estimator.set_score_request(masks=True).set_predict_request(masks=True)
    return estimator.set_transform_request(masks=True)


def test_every_method_takes_masks():
    slic = SLIC(8)
    label_maps = slic.fit_transform(IMAGES, masks=MASKS)
    for found in (
        slic.fit(IMAGES, masks=MASKS).transform(IMAGES, masks=MASKS),
        slic.fit(IMAGES, SEGMENTATIONS, masks=MASKS).predict(IMAGES, masks=MASKS),
        slic.fit_transform([np.ma.masked_invalid(image) for image in IMAGES]),
    ):
        for one, other in zip(found, label_maps, strict=True):
            np.testing.assert_array_equal(one, other)
    assert all(
        ((label_map < 0) == ~mask).all() for label_map, mask in zip(label_maps, MASKS, strict=True)
    )
    score = slic.score(IMAGES, SEGMENTATIONS, masks=MASKS)
    assert score == achievable_segmentation_accuracy(SEGMENTATIONS, label_maps)
    assert 0.9 < score <= 1
    weighted = slic.score(IMAGES, SEGMENTATIONS, masks=MASKS, sample_weight=[0, 0, 2, 0])
    assert weighted == achievable_segmentation_accuracy(SEGMENTATIONS[2], label_maps[2])


@pytest.mark.parametrize("method", ["fit", "transform", "predict", "score", "fit_transform"])
def test_nan_outside_is_an_error_without_masks(method):
    slic = SLIC(8).fit(IMAGES, masks=MASKS)
    y = {"score": [SEGMENTATIONS]}.get(method, [])
    if method == "fit":
        # Nothing is looked at but the channels.
        assert slic.fit(IMAGES) is slic
        return
    with pytest.raises(ValueError, match="image 0: found NaN or infinity at"):
        getattr(slic, method)(IMAGES, *y)


def test_predict_gives_an_object_array():
    slic = SLIC(8).fit(IMAGES, masks=MASKS)
    same_shape = [np.full((20, 20, 3), 0.5)] * 3
    for images, masks in ((IMAGES, MASKS), (same_shape, None), (same_shape[:1], None)):
        predicted = slic.predict(images, masks=masks)
        assert predicted.dtype == object
        assert predicted.shape == (len(images),)
        for found, right in zip(predicted, slic.transform(images, masks=masks), strict=True):
            assert found.dtype == np.int32
            np.testing.assert_array_equal(found, right)


def test_cross_val_predict_of_unequal_sizes():
    images = [np.nan_to_num(image, nan=0.5) for image in IMAGES]
    predicted = cross_val_predict(SLIC(8), images, SEGMENTATIONS, cv=2)
    expected = SLIC(8).fit(images).transform(images)
    for found, right in zip(predicted, expected, strict=True):
        np.testing.assert_array_equal(found, right)


def test_masks_are_split_with_the_images(routing):
    slic = requesting(SLIC(8))
    result = cross_validate(
        slic, IMAGES, SEGMENTATIONS, cv=2, params={"masks": MASKS}, error_score="raise"
    )
    expected = [
        SLIC(8).fit(IMAGES, masks=MASKS).score(*(each[half] for each in halves()), masks=m[half])
        for half, m in ((slice(0, 2), MASKS), (slice(2, 4), MASKS))
    ]
    np.testing.assert_allclose(result["test_score"], expected)
    scores = cross_val_score(
        slic, IMAGES, SEGMENTATIONS, cv=2, params={"masks": MASKS}, error_score="raise"
    )
    np.testing.assert_allclose(scores, expected)


def halves():
    return IMAGES, SEGMENTATIONS


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_passes_masks_to_fit_predict_and_scorers(routing, n_jobs):
    scoring = get_scorers()
    search = GridSearchCV(
        requesting(SLIC(8)),
        {"compactness": [0.1, 10.0]},
        scoring=scoring,
        refit="achievable_segmentation_accuracy",
        cv=2,
        error_score="raise",
        n_jobs=n_jobs,
    ).fit(IMAGES, SEGMENTATIONS, masks=MASKS)
    for name in scoring:
        for value, mean in zip(
            search.cv_results_["param_compactness"],
            search.cv_results_[f"mean_test_{name}"],
            strict=True,
        ):
            slic = SLIC(8, compactness=value).fit(IMAGES, masks=MASKS)
            scores = [
                SCORERS[name](slic, IMAGES[h], SEGMENTATIONS[h], masks=MASKS[h])
                for h in (slice(0, 2), slice(2, 4))
            ]
            assert mean == pytest.approx(np.mean(scores)), name
    predicted = search.best_estimator_.predict(IMAGES[:1], masks=MASKS[:1])
    np.testing.assert_array_equal(predicted[0] < 0, ~MASKS[0])


def test_masks_reach_all_steps_of_a_pipeline(routing):
    steps = [
        ("features", requesting(LabFeatures(sigma=1))),
        ("slic", requesting(SLIC(8, features="passthrough"))),
    ]
    search = GridSearchCV(
        Pipeline(steps), {"slic__compactness": [5.0, 20.0]}, cv=2, error_score="raise"
    ).fit(IMAGES, SEGMENTATIONS, masks=MASKS)
    alone = SLIC(8, features=LabFeatures(sigma=1), compactness=5.0).fit(IMAGES, masks=MASKS)
    expected = np.mean(
        [
            alone.score(IMAGES[h], SEGMENTATIONS[h], masks=MASKS[h])
            for h in (slice(0, 2), slice(2, 4))
        ]
    )
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(expected)


def test_masks_that_nobody_asked_for_are_an_error(routing):
    with pytest.raises(UnsetMetadataPassedError, match=r"SLIC.set_fit_request\(\{metadata\}"):
        GridSearchCV(SLIC(8), {"compactness": [1.0]}, cv=2).fit(IMAGES, SEGMENTATIONS, masks=MASKS)


def test_learning_with_masks_in_a_search(routing):
    pytest.importorskip("torch")
    from sksuperpixel import LabelMaker, TrainableSLIC
    from sksuperpixel.networks import make_distance_net

    learner = TrainableSLIC(
        6,
        n_candidates=5,
        label_maker=LabelMaker(min_segments=2),
        classifier=make_distance_net(1, max_epochs=2),
        n_pixels_per_image=50,
        random_state=0,
    )
    search = GridSearchCV(
        requesting(learner), {"compactness": [5.0, 20.0]}, cv=2, error_score="raise"
    ).fit(IMAGES, SEGMENTATIONS, masks=MASKS)
    alone = clone(learner).set_params(**search.best_params_)
    alone.fit(IMAGES, SEGMENTATIONS, masks=MASKS)
    np.testing.assert_array_equal(
        search.best_estimator_.transform(IMAGES, masks=MASKS)[1],
        alone.transform(IMAGES, masks=MASKS)[1],
    )


@pytest.mark.parametrize("start_label", [0, 1, 5])
def test_labels_start_where_asked(start_label):
    slic = SLIC(8, start_label=start_label).fit(IMAGES, masks=MASKS)
    expected = SLIC(8).fit_transform(IMAGES, masks=MASKS)
    for found, right in zip(slic.transform(IMAGES, masks=MASKS), expected, strict=True):
        np.testing.assert_array_equal(found, right + start_label)
    assert slic.score(IMAGES, SEGMENTATIONS, masks=MASKS) == SLIC(8).fit(
        IMAGES, masks=MASKS
    ).score(IMAGES, SEGMENTATIONS, masks=MASKS)


def test_score_reads_each_image_once():
    read = []

    def decode(index):
        read.append(index)
        return IMAGES[index]

    slic = SLIC(8).fit(IMAGES, masks=MASKS)
    slic.score(LazySequence(decode, range(4)), SEGMENTATIONS, masks=MASKS)
    assert sorted(read) == [0, 1, 2, 3]


def test_masked_segmentations_are_scored_but_not_learned_from():
    y = [np.ma.masked_array(s, ~mask) for s, mask in zip(SEGMENTATIONS, MASKS, strict=True)]
    slic = SLIC(8).fit(IMAGES, y, masks=MASKS)
    assert slic.score(IMAGES, y, masks=MASKS) == slic.score(IMAGES, SEGMENTATIONS, masks=MASKS)
    pytest.importorskip("torch")
    from sksuperpixel import TrainableSLIC

    with pytest.raises(ValueError, match="image 0: found a masked segmentation"):
        TrainableSLIC(8, n_candidates=3, random_state=0).fit(IMAGES, y, masks=MASKS)
