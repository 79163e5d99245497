"""match_compactness: what is reached is measured, whatever the estimator."""

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from sksuperpixel import SLIC, LabFeatures, match_compactness
from sksuperpixel.datasets import make_texture_mosaics
from sksuperpixel.metrics import compactness

IMAGES = list(make_texture_mosaics(n_images=3, image_shape=(64, 80), random_state=0).images)


@pytest.mark.parametrize("start", [0, 1, 100])
@pytest.mark.parametrize("wanted", [0.38, 0.5])
def test_wanted_is_reached(start, wanted):
    slic = SLIC(8, compactness=start).fit(IMAGES)
    reached = match_compactness(slic, IMAGES, wanted, tol=0.005)
    assert reached == compactness(slic.transform(IMAGES))
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
    assert reached == compactness(slic.transform(IMAGES))


@pytest.mark.parametrize("wanted", [0.001, 0.999])
def test_the_parameter_stays_within_bounds(wanted):
    slic = SLIC(8).fit(IMAGES)
    match_compactness(slic, IMAGES, wanted, max_iter=40)
    assert slic.compactness * 1.001 >= 1e-3
    assert slic.compactness <= 1.001e5


def test_parameters_that_are_not_there():
    pipeline = Pipeline([("slic", SLIC())]).fit(IMAGES)
    with pytest.raises(ValueError, match="found 'compactness', which the estimator does not have"):
        match_compactness(pipeline, IMAGES, 0.4)


def test_masks():
    masks = [np.zeros((64, 80), bool) for _ in IMAGES]
    for mask in masks:
        mask[10:50, 10:60] = True
    slic = SLIC(8).fit(IMAGES)
    reached = match_compactness(slic, IMAGES, 0.4, masks=masks)
    assert reached == compactness(slic.transform(IMAGES, masks=masks))


@pytest.mark.parametrize("wanted", [0, 1, -1, 2])
def test_impossible_wishes(wanted):
    with pytest.raises(ValueError, match=r"wanted: found .*, expected a compactness between"):
        match_compactness(SLIC().fit(IMAGES), IMAGES, wanted)
