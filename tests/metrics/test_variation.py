"""Explained variation against its definition, and what images it takes."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from metrics_reference import EXACT, SUPERPIXELS, as_dict, cases, slow_explained_variation
from numpy.testing import assert_allclose

from sksuperpixel.metrics import explained_variation

FLAT = np.zeros((4, 6), dtype=int)


@settings(deadline=None)
@given(st.data(), cases(), st.sampled_from([(), (1,), (3,)]))
def test_explained_variation_agrees_with_brute_force(data, case, channels):
    _, y_pred, _ = case
    values = st.floats(-8, 8, width=16)
    image = data.draw(
        arrays(np.float32, y_pred.shape + channels, elements=values, fill=st.nothing())
    )
    valid = y_pred >= 0
    assume(np.ptp(image[valid].reshape(valid.sum(), -1), axis=0).max() > 0.1)
    expected = slow_explained_variation(image, as_dict(y_pred, valid))
    assert_allclose(explained_variation(image, y_pred), expected, **EXACT)


def test_explained_variation_by_hand():
    # Mean 3; total 4 * 9 + 2 * 1 + 2 * 25 = 88. Means 0 and 6: 8 * 9 = 72.
    image = np.array([[0, 0, 4, 8], [0, 0, 4, 8]])
    assert_allclose(explained_variation(image, SUPERPIXELS), 72 / 88, **EXACT)
    # A second channel that superpixels do not explain adds 8 * 1 to the total.
    channels = np.stack([image, [[1, -1, 1, -1], [1, -1, 1, -1]]], axis=-1)
    assert_allclose(explained_variation(channels, SUPERPIXELS), 72 / 96, **EXACT)
    # Left out: 0 and 4 are explained in full.
    outside = np.where(image == 8, -1, SUPERPIXELS)
    assert explained_variation(image, outside) == 1.0


def test_explained_variation_of_uint8_does_not_overflow():
    image = np.array([[0, 0, 200, 250]], dtype=np.uint8)
    expected = explained_variation(image.astype(float), SUPERPIXELS[:1])
    assert explained_variation(image, SUPERPIXELS[:1]) == expected


@pytest.mark.parametrize("value", [0, 0.1, 255])
def test_a_constant_image_is_explained(value):
    assert explained_variation(np.full((3, 4, 3), value), np.zeros((3, 4), int)) == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_one_superpixel_explains_nothing(seed):
    image = np.random.default_rng(seed).normal(size=(5, 6, 3))
    share = explained_variation(image, np.zeros((5, 6), int))
    assert share >= 0
    assert_allclose(share, 0, atol=1e-15)


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (
            np.zeros((6, 4)),
            ValueError,
            r"^image 1: found an image of shape \(6, 4\), expected \(4, 6\) like the "
            r"superpixels, or \(4, 6, C\) with C channels$",
        ),
        (np.zeros((2, 4, 6)), ValueError, r"^image 1: found an image of shape \(2, 4, 6\)"),
        (np.zeros((4, 6, 0)), ValueError, r"^image 1: found shape \(4, 6, 0\), .*at least one"),
        (np.zeros((4, 6, 1, 1, 1)), ValueError, r"^image 1: found shape \(4, 6, 1, 1, 1\)"),
        (FLAT * 1j, TypeError, "^image 1: found an array of dtype complex128, expected real"),
        (
            np.full((4, 6), np.nan),
            ValueError,
            "^image 1: found NaN or infinity at 24 pixels, the first",
        ),
        ([[1, 2], [3]], ValueError, "^image 1: found parts of unequal shapes, expected an array"),
    ],
)
def test_wrong_images(image, error, message):
    with pytest.raises(error, match=message):
        explained_variation([FLAT, image], [FLAT, FLAT])


def test_a_single_wrong_image():
    with pytest.raises(
        ValueError, match=r"^image: found an image of shape \(6, 4\), expected \(4, 6\)"
    ):
        explained_variation(np.zeros((6, 4)), FLAT)


def test_a_masked_image():
    image = np.array([[0.0, 1.0, np.nan, 7.0]])
    superpixels = np.array([[0, 1, 1, 1]])
    # Without the last two pixels, both values are explained in full.
    masked = np.ma.array(image, mask=[[False, False, True, True]])
    assert explained_variation(masked, superpixels) == 1.0
    # A pixel is left out if it is masked in any channel.
    channels = np.ma.stack([masked, np.ma.array(image, mask=[[False, True, True, True]])], -1)
    expected = explained_variation(channels.data, superpixels, masks=np.arange(4)[None] < 1)
    assert explained_variation(channels, superpixels) == expected


def test_masks():
    image = np.array([[0.0, 1.0, np.nan, 7.0]])
    superpixels = np.array([[0, 1, 1, 1]])
    mask = np.array([[True, True, False, False]])
    assert explained_variation(image, superpixels, masks=mask) == 1.0
    images = [image, np.array([[2.0, 4.0, 3.0, 3.0]])]
    expected = (1 + explained_variation(images[1], superpixels)) / 2
    assert explained_variation(images, [superpixels] * 2, masks=[mask, None]) == expected


def test_nan_outside_the_mask_does_not_matter():
    image = np.array([[0.0, 1.0, np.nan]])
    assert explained_variation(image, np.array([[0, 1, -1]])) == 1.0


@pytest.mark.parametrize("factor", [1e300, 1e-300, 2.0**1000, 5e-324])
def test_any_scale(factor):
    image = np.array([[0.0, 0, 4, 8], [0, 0, 4, 8]])
    superpixels = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
    expected = explained_variation(image, superpixels)
    assert explained_variation(factor * image, superpixels) == pytest.approx(expected, rel=1e-12)
    extremes = np.where(superpixels, 1.7e308, -1.7e308)
    assert explained_variation(extremes, superpixels) == 1
