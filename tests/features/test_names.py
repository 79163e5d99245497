"""The features that names stand for."""

import numpy as np
import pytest
from skimage.data import astronaut

from sksuperpixel.features import LabFeatures, ScatteringFeatures, features_of_name

IMAGE = astronaut()[:40, :48]


def test_lab_is_colour():
    found = features_of_name("lab").fit_transform([IMAGE])[0]
    np.testing.assert_array_equal(found, LabFeatures().fit_transform([IMAGE])[0])


def test_scattering_is_smoothed_colour_and_texture_at_one_and_two_scales():
    features = features_of_name("scattering").fit([IMAGE])
    found = features.transform([IMAGE])[0]
    parts = (
        LabFeatures(sigma=0.7),
        ScatteringFeatures(J=1, channels="lightness"),
        ScatteringFeatures(J=2, channels="lightness"),
    )
    expected = np.concatenate([each.fit_transform([IMAGE])[0] for each in parts], axis=-1)
    assert found.shape == (40, 48, 93)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    names = list(features.get_feature_names_out())
    assert names[:4] == ["lab__L", "lab__a", "lab__b", "fine__L_order0"]
    assert len(set(names)) == 93


@pytest.mark.parametrize("name", ["lab", "scattering"])
def test_grey_images_have_no_axis_of_channels(name):
    grey = IMAGE[..., 0]
    found = features_of_name(name, channel_axis=None).fit_transform([grey])[0]
    assert found.shape[:2] == grey.shape


@pytest.mark.parametrize("name", ["rgb", "LAB", "passthrough", "", None])
def test_unknown_names_are_an_error(name):
    with pytest.raises(ValueError, match=f"^name: found {name!r}, expected 'lab' or 'scattering'"):
        features_of_name(name)


@pytest.mark.parametrize("name", ["lab", "scattering"])
def test_the_range_of_the_numbers_is_passed_on(name):
    grey = (IMAGE[..., 0] // 16).astype(np.uint8)
    wide = (grey.astype(np.uint16) * 257).astype(np.uint16)
    narrow = features_of_name(name, data_range=15).fit_transform([grey])[0]
    full = features_of_name(name, data_range=15 * 257).fit_transform([wide])[0]
    np.testing.assert_allclose(narrow, full, atol=1e-4)
    assert narrow[..., 0].max() > 50
