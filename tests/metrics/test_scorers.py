"""Scorers in scikit-learn's model selection: signs, sharing of predictions, masks."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sksuperpixel import SLIC, LabFeatures, LazySequence, metrics
from sksuperpixel.metrics import SCORERS, compactness, get_scorers


class Columns(BaseEstimator):
    """Superpixels that are vertical stripes."""

    def __init__(self, width=1, stacked=False):
        self.width = width
        self.stacked = stacked

    def fit(self, X, y=None):
        self.n_images_ = len(X)
        return self

    def predict(self, X):
        maps = [np.broadcast_to(np.arange(x.shape[1]) // self.width, x.shape[:2]) for x in X]
        return np.stack(maps) if self.stacked else maps


def stripes(widths=(6, 6, 9, 6), n_annotators=(1, 2, 3, 1)):
    """Images with segments of three columns, which differ in size, and annotators."""
    images, segmentations = [], []
    for width, n in zip(widths, n_annotators, strict=True):
        segmentation = np.broadcast_to(np.arange(width) // 3, (n, 4, width))
        images.append(np.repeat(segmentation[0, ..., np.newaxis], 3, axis=-1) * 20.0)
        segmentations.append(segmentation)
    return images, segmentations


def test_scorers_negate_errors_and_only_those():
    assert set(SCORERS) == {
        "boundary_recall",
        "boundary_precision",
        "neg_mean_distance_to_edge",
        "neg_undersegmentation_error",
        "achievable_segmentation_accuracy",
        "achievable_iou",
        "compactness",
        "global_regularity",
        "n_superpixels",
        "explained_variation",
    }
    images, segmentations = stripes()
    estimator = Columns(width=5).fit(images)
    superpixels = estimator.predict(images)
    for name, scorer in SCORERS.items():
        metric = getattr(metrics, name.removeprefix("neg_"))
        sign = -1 if name.startswith("neg_") else 1
        data = {"image": images} if name == "explained_variation" else {"y_true": segmentations}
        score = scorer(estimator, images, segmentations)
        assert score == sign * metric(y_pred=superpixels, **data), name
        assert score != 0, name


@pytest.mark.parametrize("name", SCORERS)
def test_scorers_can_be_pickled(name):
    images, segmentations = stripes()
    estimator = Columns(width=2)
    copy = pickle.loads(pickle.dumps(SCORERS[name]))
    expected = SCORERS[name](estimator, images, segmentations)
    assert copy(estimator, images, segmentations) == expected


@pytest.mark.parametrize("refit", ["achievable_iou", "neg_undersegmentation_error"])
def test_grid_search_over_images_of_different_sizes(refit):
    images, segmentations = stripes()
    search = GridSearchCV(
        Columns(), {"width": [2, 3, 5]}, scoring=SCORERS, refit=refit, cv=2, error_score="raise"
    )
    search.fit(images, segmentations)
    assert search.best_params_ == {"width": 3}
    assert np.isfinite(search.cv_results_["mean_test_explained_variation"]).all()
    assert search.score(images, segmentations) == (1 if refit == "achievable_iou" else 0)


def test_scorers_take_stacked_arrays_as_images():
    images, segmentations = stripes(widths=(6, 6, 6, 6), n_annotators=(2, 2, 2, 2))
    expected = cross_validate(
        Columns(2), images, segmentations, scoring=SCORERS, cv=2, error_score="raise"
    )
    stacked = cross_validate(
        Columns(2, stacked=True),
        np.stack(images),
        np.stack(segmentations),
        scoring=SCORERS,
        cv=2,
        error_score="raise",
    )
    for name in SCORERS:
        assert_array_equal(stacked[f"test_{name}"], expected[f"test_{name}"])


@pytest.mark.parametrize(
    "name", ["explained_variation", "compactness", "global_regularity", "n_superpixels"]
)
def test_some_scorers_need_no_segmentations(name):
    images, segmentations = stripes()
    options = {"cv": 2, "error_score": "raise"}
    search = GridSearchCV(Columns(), {"width": [2, 3]}, scoring=SCORERS[name], **options)
    scores = search.fit(images).cv_results_["mean_test_score"]
    search.fit(images, segmentations)
    assert_array_equal(search.cv_results_["mean_test_score"], scores)
    with pytest.raises(ValueError, match=r"^y_true: found None, expected segmentations"):
        SCORERS["boundary_recall"](search, images)


@pytest.mark.parametrize(
    ("setting", "affected"),
    [
        ({"tolerance": 0}, {"boundary_recall", "boundary_precision"}),
        (
            {"ignore_label": 0},
            {
                "neg_mean_distance_to_edge",
                "neg_undersegmentation_error",
                "achievable_segmentation_accuracy",
                "achievable_iou",
                "compactness",
                "global_regularity",
            },
        ),
    ],
)
def test_scorers_have_settings(setting, affected):
    # 4 segments of 3 columns, superpixels of 5, 5 and 2. All edges are within 2 of each other,
    # with or without segment 0, and the first superpixel has some columns left.
    images, segmentations = stripes(widths=(12, 12), n_annotators=(1, 2))
    estimator = Columns(width=5)
    for name, scorer in get_scorers(**setting).items():
        score = scorer(estimator, images, segmentations)
        changed = score != SCORERS[name](estimator, images, segmentations)
        assert changed == (name in affected), name
        if changed:
            metric = getattr(metrics, name.removeprefix("neg_"))
            superpixels = estimator.predict(images)
            assert abs(score) == metric(y_true=segmentations, y_pred=superpixels, **setting)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("boundary_recall", "SuperpixelScorer(boundary_recall, ignore_label=None, tolerance=1)"),
        (
            "neg_mean_distance_to_edge",
            "SuperpixelScorer(mean_distance_to_edge, greater_is_better=False, ignore_label=None)",
        ),
        ("explained_variation", "SuperpixelScorer(explained_variation)"),
    ],
)
def test_scorers_print_what_they_do(name, expected):
    assert repr(get_scorers(tolerance=1)[name]) == expected


def test_wrong_settings():
    with pytest.raises(ValueError, match=r"^tolerance: found -1, expected an integer of at least"):
        get_scorers(tolerance=-1)
    with pytest.raises(ValueError, match=r"^ignore_label: found 'void', expected an integer or N"):
        get_scorers(ignore_label="void")


# Masks -------------------------------------------------------------------------------------


class MaskedSLIC(BaseEstimator):
    """SLIC that notes how `predict` is called, and gives an array of label maps.

    What is outside the masks is numbered `outside`. The noted calls survive cloning.
    """

    calls: list = []  # noqa: RUF012

    def __init__(self, compactness=10.0, outside=-1):
        self.compactness = compactness
        self.outside = outside

    def fit(self, X, y=None):
        self.slic_ = SLIC(9, compactness=self.compactness).fit(X)
        return self

    def predict(self, X, masks=None):
        self.calls.append((len(X), masks))
        images = [np.ma.getdata(image) for image in X]
        if masks is None and any(np.ma.isMaskedArray(image) for image in X):
            masks = [~np.ma.getmaskarray(image)[..., 0] for image in X]
        found = np.empty(len(X), dtype=object)
        for i, label_map in enumerate(self.slic_.predict(images, masks=masks)):
            found[i] = np.where(label_map < 0, self.outside, label_map)
        return found


@pytest.fixture
def calls():
    MaskedSLIC.calls.clear()
    return MaskedSLIC.calls


def scenes(n_images=4):
    """Make noisy images of discs in front of halves, with masks, of different sizes."""
    rng = np.random.default_rng(0)
    images, segmentations, masks = [], [], []
    for i in range(n_images):
        row, col = np.indices((24, 26 + 2 * i))
        segmentation = (col > 15).astype(int)
        segmentation[(row - 12) ** 2 + (col - 12) ** 2 < 40] = 2
        image = 40 + 20.0 * segmentation[..., np.newaxis] + rng.normal(0, 12, (*row.shape, 3))
        images.append(image.clip(0, 255).astype(np.uint8))
        segmentations.append(segmentation)
        masks.append((row > 4) & (col > i) & (row + col < 40))
    return images, segmentations, masks


def expected_scores(estimator, images, segmentations, masks):
    """Score as a user would: cut within the masks, and compare there."""
    superpixels = SLIC(9, compactness=estimator.compactness).fit_transform(images, masks=masks)
    scores = {}
    for name in SCORERS:
        metric = getattr(metrics, name.removeprefix("neg_"))
        data = {"image": images} if name == "explained_variation" else {"y_true": segmentations}
        score = metric(y_pred=superpixels, masks=masks, **data)
        scores[name] = -score if name.startswith("neg_") else score
    return scores


@pytest.mark.parametrize("routing", [False, True])
def test_scorers_take_masks_when_called(routing):
    images, segmentations, masks = scenes()
    masks[1] = None
    estimator = MaskedSLIC(outside=0).fit(images)
    expected = expected_scores(estimator, images, segmentations, masks)
    with config_context(enable_metadata_routing=routing):
        for name, scorer in SCORERS.items():
            score = scorer(estimator, images, segmentations, masks=masks)
            assert score == expected[name], name
            assert score != scorer(estimator, images, segmentations), name


@pytest.mark.parametrize("copied", [False, True])
def test_cross_validation_routes_masks(calls, copied):
    images, segmentations, masks = scenes()
    scorers = SCORERS
    if copied:
        scorers = {
            name: pickle.loads(pickle.dumps(deepcopy(scorer))) for name, scorer in SCORERS.items()
        }
    options = {"cv": KFold(2), "error_score": "raise", "params": {"masks": masks}}
    with config_context(enable_metadata_routing=True):
        found = cross_validate(MaskedSLIC(), images, segmentations, scoring=scorers, **options)
    # Each fold calls `predict` once, for all scorers, with its own masks.
    assert [n_images for n_images, _ in calls] == [2, 2]
    for fold, (_, given) in zip([slice(0, 2), slice(2, 4)], calls, strict=True):
        assert all(a is b for a, b in zip(given, masks[fold], strict=True))
        expected = expected_scores(MaskedSLIC(), images[fold], segmentations[fold], masks[fold])
        for name, score in expected.items():
            assert found[f"test_{name}"][fold.start // 2] == score, name


@pytest.mark.parametrize(
    ("scoring", "refit"), [(SCORERS, "achievable_iou"), (SCORERS["achievable_iou"], True)]
)
def test_grid_search_routes_masks(calls, scoring, refit):
    images, segmentations, masks = scenes()
    grid = {"compactness": [1.0, 40.0]}
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            MaskedSLIC(), grid, scoring=scoring, refit=refit, cv=KFold(2), error_score="raise"
        )
        search = clone(search).fit(images, segmentations, masks=masks)
        assert [n_images for n_images, _ in calls] == [2] * 4
        score = search.score(images, segmentations, masks=masks)
    best = search.best_estimator_
    expected = expected_scores(best, images, segmentations, masks)["achievable_iou"]
    assert score == expected


def test_without_masks_predict_is_called_once(calls):
    images, segmentations, _ = scenes()
    own = make_scorer(metrics.achievable_iou)
    scoring = {"own": own, **SCORERS, "own_too": own}
    options = {"scoring": scoring, "cv": KFold(2), "error_score": "raise"}
    for routing in (False, True):
        calls.clear()
        with config_context(enable_metadata_routing=routing):
            found = cross_validate(MaskedSLIC(), images, segmentations, **options)
        assert calls == [(2, None), (2, None)]
        assert_array_equal(found["test_own"], found["test_achievable_iou"])


def test_scorers_with_other_masks_have_their_own_predictions(calls):
    images, segmentations, masks = scenes()
    others = [~mask for mask in masks]
    with config_context(enable_metadata_routing=True):
        scorers = {name: get_scorers()["compactness"] for name in ("inside", "others", "all")}
        scorers["others"].set_score_request(masks="others")
        scorers["all"].set_score_request(masks=False)
        found = cross_validate(
            MaskedSLIC(),
            images,
            segmentations,
            scoring=scorers,
            params={"masks": masks, "others": others},
            cv=[([0, 1, 2, 3], [0, 1, 2, 3])],
            error_score="raise",
        )
    slic = SLIC(9).fit(images)
    for name, wanted in (("inside", masks), ("others", others), ("all", None)):
        expected = compactness(slic.transform(images, masks=wanted))
        assert found[f"test_{name}"].tolist() == [expected], name
    assert len(calls) == 3


def masked_arrays(images, masks):
    """Make masked arrays; without a mask where that is None."""
    return [
        image if mask is None else np.ma.array(image, mask=np.repeat(~mask[..., None], 3, axis=-1))
        for image, mask in zip(images, masks, strict=True)
    ]


@pytest.mark.parametrize("kind", ["list", "objects", "lazy"])
def test_masked_images_are_left_out(calls, kind):
    images, segmentations, masks = scenes()
    masks[2] = None
    expected = expected_scores(MaskedSLIC(), images, segmentations, masks)
    masked = X = masked_arrays(images, masks)
    read = []
    if kind == "objects":
        X = np.empty(4, dtype=object)
        X[:] = masked
    elif kind == "lazy":
        X = LazySequence(lambda i: read.append(i) or masked[i], range(4))
    scoring = {name: s for name, s in SCORERS.items() if name != "explained_variation"}
    # One fold, trained and tested on all images.
    options = {"cv": [([0, 1, 2, 3], [0, 1, 2, 3])], "error_score": "raise"}
    estimator = MaskedSLIC(outside=0)
    cross_validate(Fitted(estimator.fit(images)), X, segmentations, scoring=scoring, **options)
    n_reads = len(read)
    estimator.predict(X)
    # Looking for masks reads no image again.
    assert n_reads == len(read) - n_reads
    found = cross_validate(Fitted(estimator), X, segmentations, scoring=SCORERS, **options)
    for name, score in expected.items():
        assert found[f"test_{name}"].tolist() == [score], name


class Fitted(BaseEstimator):
    """An estimator that is fitted already, and takes no masks."""

    def __init__(self, estimator):
        self.estimator = estimator

    def __sklearn_clone__(self):
        return self

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        return self.estimator.predict(X)


def test_a_stacked_masked_array():
    images, segmentations, _ = scenes(1)
    images, segmentations = np.stack(images * 2), segmentations * 2
    mask = np.zeros(images.shape, dtype=bool)
    mask[0, :5] = mask[1, :, :7] = True
    masked = np.ma.array(images, mask=mask)
    estimator = MaskedSLIC(outside=0).fit(list(images))
    expected = expected_scores(estimator, images, segmentations, ~mask[..., 0])
    for name, scorer in SCORERS.items():
        assert scorer(estimator, masked, segmentations) == expected[name], name


def test_masks_and_masked_images_add_up():
    images, segmentations, masks = scenes(1)
    mask = np.zeros(masks[0].shape, dtype=bool)
    mask[:, :14] = True

    class Masked(Columns):
        def predict(self, X, masks=None):
            return super().predict(X)

    estimator = Masked(width=4)
    scorer = SCORERS["compactness"]
    score = scorer(estimator, masked_arrays(images, masks), segmentations, masks=[mask])
    assert score == compactness(estimator.predict(images), masks=[mask & masks[0]])


def test_channels_may_come_first():
    images, segmentations, masks = scenes(1)
    masked = [np.ma.array(np.moveaxis(m, -1, 0)) for m in masked_arrays(images, masks)]
    superpixels = [np.arange(masks[0].size).reshape(masks[0].shape) // 3]

    class Known(Columns):
        channel_axis = 0

        def predict(self, X):
            return superpixels

    score = SCORERS["n_superpixels"](Known(), masked, segmentations)
    assert score == metrics.n_superpixels(superpixels, masks=masks)


def test_a_request_for_masks_can_be_changed():
    scorer = get_scorers()["compactness"]
    assert not hasattr(scorer, "_metadata_request")
    with config_context(enable_metadata_routing=True):
        assert scorer.get_metadata_routing().score.requests == {"masks": True}
        scorer.set_score_request(masks="inside")
        assert deepcopy(scorer).get_metadata_routing().score.requests == {"masks": "inside"}
    # SCORERS are others.
    assert SCORERS["compactness"].get_metadata_routing().score.requests == {"masks": True}


def test_slic_in_a_grid_search_with_masks():
    images, segmentations, masks = scenes()
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            SLIC(9, start_label=1).set_fit_request(masks=True),
            {"compactness": [1.0, 40.0]},
            scoring=SCORERS,
            refit="neg_undersegmentation_error",
            cv=KFold(2),
            error_score="raise",
        ).fit(images, segmentations, masks=masks)
    for i, value in enumerate([1.0, 40.0]):
        expected = expected_scores(MaskedSLIC(value), images[2:], segmentations[2:], masks[2:])
        for name, score in expected.items():
            assert search.cv_results_[f"split1_test_{name}"][i] == score, name


def test_slic_on_masked_images():
    images, segmentations, masks = scenes()
    expected = expected_scores(MaskedSLIC(), images, segmentations, masks)
    # What is masked is numbered 0.
    slic = SLIC(9, start_label=1).fit(images)
    for name, scorer in SCORERS.items():
        assert scorer(slic, masked_arrays(images, masks), segmentations) == expected[name], name


def test_masks_pass_through_a_pipeline():
    images, segmentations, masks = scenes()
    expected = expected_scores(MaskedSLIC(), images, segmentations, masks)
    scorer = SCORERS["compactness"]
    with config_context(enable_metadata_routing=True):
        slic = SLIC(9).set_predict_request(masks=True)
        pipeline = Pipeline([("same", FunctionTransformer()), ("slic", slic)]).fit(images)
        score = scorer(pipeline, images, segmentations, masks=masks)
    assert score == expected["compactness"]


@pytest.mark.parametrize("channel_axis", [0, 1, -1])
def test_channels_may_be_on_any_axis(channel_axis):
    image = np.random.default_rng(0).integers(0, 255, (20, 24, 3), dtype=np.uint8)
    expected = SCORERS["explained_variation"](SLIC(6).fit([image]), [image])
    moved = [np.moveaxis(image, -1, channel_axis)]
    slic = SLIC(6, channel_axis=channel_axis).fit(moved)
    assert SCORERS["explained_variation"](slic, moved) == expected


def test_as_many_bands_as_rows_are_told_by_the_estimator():
    image = np.random.default_rng(0).integers(0, 255, (16, 20, 16)).astype(np.uint8)
    expected = SCORERS["explained_variation"](
        SLIC(6, features="passthrough").fit([image]), [image]
    )
    moved = [np.moveaxis(image, -1, 0)]
    slic = SLIC(6, channel_axis=0, features="passthrough").fit(moved)
    assert SCORERS["explained_variation"](slic, moved) == expected


def test_masks_for_a_pipeline_need_routing_or_masked_arrays():
    image = np.random.default_rng(0).random((24, 24, 3))
    mask = np.ones((24, 24), bool)
    mask[:, :8] = False
    pipeline = make_pipeline(LabFeatures(sigma=2), SLIC(6, features="passthrough")).fit([image])
    with pytest.raises(ValueError, match="masks: found masks for a Pipeline"):
        SCORERS["compactness"](pipeline, [image], masks=[mask])
    masked = np.ma.masked_array(image, np.repeat(~mask[..., np.newaxis], 3, axis=-1))
    other = np.ma.masked_array(np.where(mask[..., np.newaxis], image, 0), masked.mask)
    scores = [SCORERS["compactness"](pipeline, [each]) for each in (masked, other)]
    assert scores[0] == scores[1]
