"""Learned distances are made as compact as SLIC's, and features are weighed evenly."""

from dataclasses import replace

import numpy as np
import pytest
from skimage.data import astronaut, chelsea, coffee

from sksuperpixel import SLIC
from sksuperpixel._clustering.distance import WeightedDistance
from sksuperpixel._clustering.planes import Planes
from sksuperpixel._clustering.settings import Settings
from sksuperpixel._clustering.superpixels import superpixels
from sksuperpixel._learning import calibration
from sksuperpixel._learning.calibration import Sample, reference_compactness
from sksuperpixel.features import LabFeatures
from sksuperpixel.metrics import compactness

SETTINGS = Settings.of(SLIC(8))
PICTURES = [astronaut()[::2, ::2], chelsea(), coffee()[::2, ::2]]


def planes_of(image, **params):
    features = np.moveaxis(np.asarray(image, np.float32), -1, 0)
    features = features[:, np.newaxis] if features.ndim == 3 else features
    return Planes(np.ascontiguousarray(features), **params)


def sample_of(images, settings=SETTINGS):
    sample = Sample(settings)
    for image in images:
        sample.add(image)
    return sample


def colours():
    return [planes_of(each) for each in LabFeatures().fit(PICTURES).transform(PICTURES)]


@pytest.mark.parametrize(
    ("size", "parameter", "expected"), [(8, 10, 0.456), (16, 0.5, 0.190), (32, 300, 0.765)]
)
def test_the_reference_is_the_table(size, parameter, expected):
    assert reference_compactness(size, parameter) == pytest.approx(expected / (np.pi / 4))


def test_the_reference_between_and_beyond_the_table():
    between = reference_compactness(11, 8)
    assert reference_compactness(16, 8) < between < reference_compactness(8, 8)
    assert reference_compactness(11, 7) < between < reference_compactness(11, 10)
    assert reference_compactness(2, 1e-3) == reference_compactness(8, 0.5)
    assert reference_compactness(99, 1e9) == reference_compactness(32, 300)
    assert reference_compactness(8, 10, n_axes=3) == pytest.approx(
        reference_compactness(8, 10) ** 1.5
    )


def test_parts_are_the_middle_of_images():
    image = np.indices((300, 200)).transpose(1, 2, 0)
    (part,) = sample_of([planes_of(image)]).images
    rows, columns = part.features[:, 0]
    # 16 cells of about 8 pixels along each axis.
    assert part.shape == (1, 127, 128)
    assert (rows.min(), rows.max()) == (150 - 63, 150 + 63)
    assert (columns.min(), columns.max()) == (100 - 64, 100 + 63)


@pytest.mark.parametrize("shape", [(5, 90), (3, 3), (40, 60)])
def test_small_images_are_taken_whole(shape):
    (part,) = sample_of([planes_of(np.zeros((*shape, 2)))]).images
    assert part.shape == (1, *shape)


def test_parts_are_the_middle_of_masks():
    mask = np.zeros((1, 300, 300), bool)
    mask[0, 200:280, 20:90] = True
    image = planes_of(np.zeros((300, 300, 1)), mask=mask)
    sample = sample_of([image])
    assert sample.images[0].mask.sum() == mask.sum()
    # The part is a copy, so the image can be freed.
    assert not np.shares_memory(sample.images[0].features, image.features)


def test_volumes_have_parts_along_all_axes():
    settings = replace(SETTINGS, superpixel_size=2.0)
    image = planes_of(np.random.default_rng(0).random((50, 20, 40, 1)))
    sample = sample_of([image], settings)
    assert sample.images[0].shape == (32, 20, 32)
    assert sample.even_weights().shape == (1,)


def test_a_sample_is_full_with_enough_images_or_numbers(monkeypatch):
    image = planes_of(np.zeros((20, 20, 3)))
    assert not sample_of([image] * 7).is_full
    assert sample_of([image] * 8).is_full
    monkeypatch.setattr(calibration, "_MOST_NUMBERS", 1200)
    assert sample_of([image]).is_full


def test_other_numbers_of_features_are_an_error():
    with pytest.raises(ValueError, match=r"^found 2 features, expected 3 as in image 0"):
        sample_of([planes_of(np.zeros((20, 20, 3))), planes_of(np.zeros((20, 20, 2)))])


def test_the_number_of_superpixels_gives_the_size():
    settings = replace(SETTINGS, n_segments=20)
    sample = sample_of([planes_of(np.zeros((160, 200, 1)))], settings)
    # Images are first cut into six times as many regions. Learning is in between.
    assert sample.settings.superpixel_size == pytest.approx(
        np.sqrt(160 * 200 / 20 / np.sqrt(6)), rel=0.1
    )
    assert sample.settings.n_segments is None


def test_even_weights_undo_scales():
    sample = sample_of(colours())
    weights = sample.even_weights()
    scales = np.array([1e-3, 7.0, 1e3], np.float32)
    scaled = sample_of(
        [each._replace(features=each.features * scales[:, None, None, None]) for each in colours()]
    )
    np.testing.assert_allclose(scaled.even_weights() * scales**2, weights, rtol=1e-3)


def test_even_weights_make_all_features_count_the_same():
    sample = sample_of(colours())
    weights = sample.even_weights()
    spread = np.mean(
        [calibration._spread_in_cells(each, sample.settings) for each in sample.images], axis=0
    )
    np.testing.assert_allclose(weights * spread, (weights * spread)[0], rtol=1e-6)


def test_constant_features_have_no_weight():
    rng = np.random.default_rng(0)
    image = np.stack([rng.random((60, 60)), np.full((60, 60), 1e6 + 0.1)], axis=-1)
    weights = sample_of([planes_of(image)]).even_weights()
    assert weights[0] > 0
    assert weights[1] == 0
    constant = sample_of([planes_of(np.full((60, 60, 2), 3.0))])
    np.testing.assert_array_equal(constant.even_weights(), [1, 1])


@pytest.mark.parametrize("parameter", [None, 30.0])
def test_space_is_scaled_until_superpixels_are_as_compact_as_wanted(parameter):
    sample = sample_of(colours())
    distance = WeightedDistance(np.array([5.0, 20.0, 0.1]))
    factor = sample.space_factor(distance, parameter)
    settings = replace(sample.settings, compactness=factor * sample.settings.compactness)
    found = compactness([superpixels(each, distance, settings)[0] for each in sample.images])
    wanted = reference_compactness(8, parameter or SETTINGS.compactness) * np.pi / 4
    assert found == pytest.approx(wanted, abs=0.02)


def test_where_space_does_not_count_nothing_is_scaled():
    sample = sample_of(colours(), replace(SETTINGS, compactness=0.0))
    assert sample.space_factor(WeightedDistance()) == 1
    assert np.isfinite(sample.even_weights()).all()


def test_factors_are_bounded():
    image = planes_of(np.zeros((64, 64, 1)))
    factor = sample_of([image]).space_factor(WeightedDistance())
    assert 1 / 30 <= factor <= 30
