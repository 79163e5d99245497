"""match_compactness: what is reached is measured, whatever the estimator."""

import mosaics
import numpy as np
import pytest
from mosaics import learner
from sklearn.pipeline import Pipeline

from sksuperpixel import SLIC, LabFeatures, match_compactness
from sksuperpixel.metrics import compactness

IMAGES, SEGMENTATIONS = mosaics.IMAGES[:3], mosaics.SEGMENTATIONS[:3]


@pytest.mark.parametrize("start", [0, 1, 100])
@pytest.mark.parametrize("wanted", [0.38, 0.5])
def test_wanted_is_reached(start, wanted):
    slic = SLIC(8, compactness=start).fit(IMAGES)
    reached = match_compactness(slic, IMAGES, wanted, tol=0.005)
    assert reached == compactness(y_true=None, y_pred=slic.transform(IMAGES))
    assert reached == pytest.approx(wanted, abs=0.005)


def test_steps_of_pipelines():
    pipeline = Pipeline([("lab", LabFeatures()), ("slic", SLIC(8, features="passthrough"))])
    pipeline.fit(IMAGES)
    reached = match_compactness(pipeline, IMAGES, 0.4, parameter="slic__compactness")
    assert reached == pytest.approx(0.4, abs=0.002)
    assert pipeline[-1].compactness != 10


def test_nearest_is_taken_where_it_is_out_of_reach():
    slic = SLIC(8).fit(IMAGES)
    reached = match_compactness(slic, IMAGES, 0.99, max_iter=4)
    assert 0.6 < reached < 0.99
    assert reached == compactness(y_true=None, y_pred=slic.transform(IMAGES))


@pytest.mark.parametrize("wanted", [0.001, 0.999])
def test_the_parameter_stays_within_bounds(wanted):
    slic = SLIC(8).fit(IMAGES)
    match_compactness(slic, IMAGES, wanted, max_iter=40)
    assert slic.compactness * 1.001 >= 1e-3
    assert slic.compactness <= 1.001e5


def test_parameters_that_are_not_there():
    pipeline = Pipeline([("slic", SLIC())]).fit(IMAGES)
    with pytest.raises(ValueError, match="found 'compactness', expected a parameter of the estim"):
        match_compactness(pipeline, IMAGES, 0.4)


def test_no_more_trials_than_asked_for(monkeypatch):
    slic = SLIC(8).fit(IMAGES)
    n_calls = []
    predict = SLIC.predict
    monkeypatch.setattr(
        SLIC, "predict", lambda self, X: n_calls.append(len(X)) or predict(self, X)
    )
    match_compactness(slic, IMAGES, 0.38, tol=0, max_iter=3)
    assert n_calls == [3, 3, 3]
    n_calls.clear()
    match_compactness(slic, IMAGES, 0.38, tol=1)
    assert n_calls == [3]


def test_a_trained_model_is_matched_and_stays_as_it_is():
    slic = learner(3, compactness_spread=2.0).fit(IMAGES, SEGMENTATIONS)
    net = slic.classifier_
    reached = match_compactness(slic, IMAGES, 0.4, tol=0.01)
    assert reached == pytest.approx(0.4, abs=0.01)
    assert slic.classifier_ is net
    assert slic.compactness != 10


def test_masks():
    masks = [np.zeros((64, 80), bool) for _ in IMAGES]
    for mask in masks:
        mask[10:50, 10:60] = True
    slic = SLIC(8).fit(IMAGES)
    reached = match_compactness(slic, IMAGES, 0.4, masks=masks)
    assert reached == pytest.approx(0.4, abs=0.002)
    assert reached == compactness(y_true=None, y_pred=slic.transform(IMAGES, masks=masks))


@pytest.mark.parametrize("wanted", [0, 1, -1, 2])
def test_impossible_wishes(wanted):
    with pytest.raises(ValueError, match=r"wanted: found .*, expected a compactness between"):
        match_compactness(SLIC().fit(IMAGES), IMAGES, wanted)


def test_what_lies_outside_masks_does_not_count_however_it_is_labelled():
    image = IMAGES[0]
    mask = np.zeros(image.shape[:2], bool)
    mask[10:40, 10:40] = True
    reached = {}
    for start_label in (0, 1):
        slic = SLIC(6, start_label=start_label).fit([image])
        reached[start_label] = (
            match_compactness(slic, [image], 0.45, masks=[mask]),
            (slic.compactness),
        )
    assert reached[0] == reached[1]
    masked = np.ma.masked_array(image, np.repeat(~mask[..., np.newaxis], 3, axis=-1))
    slic = SLIC(6, start_label=1).fit([masked])
    assert (match_compactness(slic, [masked], 0.45), slic.compactness) == reached[0]


def test_an_error_leaves_the_parameter_as_it_was():
    slic = SLIC(8, compactness=0, features="passthrough").fit(IMAGES)
    with pytest.raises(ValueError, match="image 0: found NaN"):
        match_compactness(slic, [np.full((20, 20, 3), np.nan)], 0.5)
    assert slic.compactness == 0
