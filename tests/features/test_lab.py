import itertools

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.color import gray2rgb, rgb2lab

from sksuperpixel import LabFeatures


def lab(image, **params):
    return LabFeatures(**params).fit_transform([image])[0]


def colours(codes):
    """Every triple of codes, as an image."""
    grid = np.array(list(itertools.product(codes, repeat=3)))
    return grid.reshape(len(codes), -1, 3)


# 55 codes per channel, including both ends and the codes next to them.
CODES = np.unique(np.concatenate([np.arange(0, 256, 5), [1, 2, 10, 11, 254, 255]]))


def assert_lab(image, expected=None, **params):
    features = lab(image, **params)
    assert features.dtype == np.float32
    assert features.shape == (*image.shape[:2], 3)
    np.testing.assert_allclose(
        features, rgb2lab(image) if expected is None else expected, atol=1e-3
    )


def test_uint8():
    assert_lab(colours(CODES).astype(np.uint8))


def test_all_greys():
    for dtype in (np.uint8, np.uint16):
        codes = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(256, -1)
        assert_lab(codes, rgb2lab(gray2rgb(codes)))


def test_uint16():
    rng = np.random.default_rng(0)
    assert_lab(rng.integers(0, 2**16, (200, 200, 3), dtype=np.uint16))
    assert_lab(rng.integers(0, 300, (50, 200, 3), dtype=np.uint16), data_range=65535)
    # The same colours as of uint8
    image = colours(CODES[::6])
    np.testing.assert_allclose(
        lab((image * 257).astype(np.uint16)), lab(image.astype(np.uint8)), atol=1e-3
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats(dtype):
    rng = np.random.default_rng(0)
    assert_lab(rng.random((200, 200, 3)).astype(dtype))
    # Near black, gamma and the cube root are replaced by lines.
    assert_lab((rng.random((100, 200, 3)) * 0.06).astype(dtype), data_range=1)
    assert_lab((colours(CODES) / 255).astype(dtype))
    assert_lab(np.array([[[0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 1e-9]]], dtype))


def test_half_floats():
    image = np.random.default_rng(0).random((20, 20, 3)).astype(np.float16)
    assert_lab(image, rgb2lab(image.astype(np.float64)))


def test_known_colours():
    image = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 0, 255]]], np.uint8)
    expected = [[0, 0, 0], [100, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    np.testing.assert_allclose(lab(image)[0], expected, atol=0.02)


def test_dtypes_agree():
    image = colours(CODES[::6]).astype(np.uint8)
    for dtype in (np.float32, np.float64):
        np.testing.assert_allclose(lab((image / 255).astype(dtype)), lab(image), atol=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_grey(dtype):
    grey = np.random.default_rng(0).random((31, 29))
    if dtype in (np.uint8, np.uint16):
        grey = grey * np.iinfo(dtype).max
    grey = grey.astype(dtype)
    expected = rgb2lab(gray2rgb(grey))
    assert_lab(grey, expected)
    assert_lab(grey[..., np.newaxis], expected)
    np.testing.assert_allclose(lab(grey, channel_axis=None), expected, atol=1e-3)
    assert abs(expected[..., 1:]).max() < 0.01


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_volumes(dtype):
    volume = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3))
    volume = volume.astype(dtype) / (1 if dtype == np.uint8 else 255)
    volume = volume.astype(dtype)
    expected = np.stack([rgb2lab(plane) for plane in volume])
    np.testing.assert_allclose(lab(volume), expected, atol=1e-3)
    grey = lab(volume[..., 0], channel_axis=None)
    assert grey.shape == (4, 6, 5, 3)
    np.testing.assert_allclose(grey[2], rgb2lab(gray2rgb(volume[2, ..., 0])), atol=1e-3)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_channel_axis(axis):
    image = colours(CODES[::6]).astype(np.uint8)
    moved = lab(np.moveaxis(image, -1, axis), channel_axis=axis)
    # Features always have their channels last.
    np.testing.assert_array_equal(moved, lab(image))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_layouts_in_memory(dtype):
    rng = np.random.default_rng(0)
    largest = 1 if dtype().dtype.kind == "f" else np.iinfo(dtype).max
    image = (rng.random((8, 11, 3)) * largest).astype(dtype)
    expected = lab(image)
    wide = np.zeros((16, 22, 6), dtype)
    wide[::2, ::2, ::2] = image
    for same in (
        np.asfortranarray(image),
        wide[::2, ::2, ::2],
        image[::-1, ::-1][::-1, ::-1],
        image.astype(image.dtype.newbyteorder()),
    ):
        np.testing.assert_array_equal(lab(same), expected)
    before = image.copy()
    image.flags.writeable = False
    np.testing.assert_array_equal(lab(image), expected)
    np.testing.assert_array_equal(image, before)


def test_one_pixel():
    assert lab(np.full((1, 1, 3), 255, np.uint8)).shape == (1, 1, 3)


@pytest.mark.parametrize("shape", [(20, 30, 3), (6, 9, 8, 3)])
def test_smoothing(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    smooth = LabFeatures(sigma=1.5).fit_transform([image])[0]
    plain = LabFeatures().fit_transform([image])[0]
    expected = gaussian_filter(plain, (1.5,) * (len(shape) - 1) + (0,))
    np.testing.assert_allclose(smooth, expected, atol=1e-4)


def test_names():
    features = LabFeatures()
    assert features.get_feature_names_out().tolist() == ["L", "a", "b"]
    image = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    assert lab(image).shape[-1] == len(features.get_feature_names_out())


def test_only_images_asked_for_are_looked_at():
    images = [np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), np.nan), np.zeros((4, 4, 3))]
    features = LabFeatures().fit(images).transform(images)
    assert not features[2].any()
    with pytest.raises(ValueError, match="image 1: found NaN"):
        features[1]


@pytest.mark.parametrize("shape", [(4, 4, 2), (4, 4, 4), (2, 4, 4, 4)])
def test_other_channels_are_an_error(shape):
    with pytest.raises(
        ValueError, match=rf"image 0: found {shape[-1]} channels, expected 1 .grey"
    ):
        lab(np.zeros(shape, np.uint8))
