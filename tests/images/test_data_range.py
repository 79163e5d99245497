import numpy as np
import pytest

from sksuperpixel._images.data_range import check_colours, scaled_to_unit
from sksuperpixel._images.errors import about_image

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)


@pytest.mark.parametrize("function", [check_colours, scaled_to_unit])
@pytest.mark.parametrize(
    ("image", "data_range"),
    [
        (RAMP.astype(np.uint16), 255),
        (RAMP.astype(np.int64) * 16, 4080),
        (RAMP.astype(np.int16) * 8 - 1000, (-1000, 1040)),
        (RAMP.astype(np.float32) * 10 + 5, [5, 2555]),
        (RAMP.astype(np.float64) / 4, np.float32(63.75)),
    ],
)
def test_ranges_are_scaled_to_0_and_1(function, image, data_range):
    found = function(image, data_range)
    assert found.dtype.kind == "f"
    np.testing.assert_allclose(found, RAMP / 255, atol=1e-7)


# Colours --------------------------------------------------------------------------------------


@pytest.mark.parametrize("data_range", [None, 255, (0, 255.0)])
def test_whole_types_need_no_scaling(data_range):
    assert check_colours(RAMP, data_range) is RAMP


def test_floats_in_0_and_1_need_no_scaling():
    image = RAMP.astype(np.float32) / np.float32(255)
    for data_range in (None, 1, (0, 1)):
        assert check_colours(image, data_range) is image


@pytest.mark.parametrize(
    ("dtype", "excess"), [("float64", 1e-12), ("float32", 5e-5), ("float16", 1e-3)]
)
@pytest.mark.parametrize("data_range", [None, 1, (-50, 150)])
def test_floats_a_rounding_outside_are_clipped(dtype, excess, data_range):
    low, high = (0, 1) if data_range in (None, 1) else data_range
    values = np.array([0 - excess, 0.5, 1 + excess])
    image = (low + values * (high - low)).astype(dtype)
    before = image.copy()
    found = check_colours(image, data_range)
    np.testing.assert_allclose(found, [0, 0.5, 1], atol=1e-3)
    assert found.min() == 0
    assert found.max() == 1
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    ("image", "data_range", "message"),
    [
        (
            np.array([0, 1.0002]),
            None,
            "found values from 0 to 1.0002, expected floats in [0, 1];",
        ),
        (
            np.array([-0.0001234567, 1]),
            None,
            "found values from -0.0001234567 to 1, expected floats in [0, 1];",
        ),
        (
            np.array([0, 255.0]),
            None,
            "found values from 0 to 255, expected floats in [0, 1];",
        ),
        (
            np.array([0, 4095.8]),
            4095,
            "found values from 0 to 4095.8, expected values in data_range=4095",
        ),
        # Integers have no rounding.
        (
            np.array([0, 65531], np.uint16),
            65530,
            "found values from 0 to 65531, expected values in data_range=65530",
        ),
        (
            np.array([-1025, 0], np.int16),
            (-1024, 3071),
            "found values from -1025 to 0, expected values in data_range=(-1024, 3071)",
        ),
    ],
)
def test_values_outside_are_an_error_with_enough_digits(image, data_range, message):
    with pytest.raises(ValueError, match="found values") as error:
        check_colours(image, data_range)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.uint32])
def test_types_without_black_and_white_need_a_range(dtype):
    image = np.array([0, 1], dtype)
    with pytest.raises(ValueError, match=f"found dtype {image.dtype}, expected uint8, uint16 or"):
        check_colours(image)
    np.testing.assert_array_equal(check_colours(image, 1), [0, 1])


# Ranges that are hardly used ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "found", "guess"),
    [
        (RAMP.astype(np.uint16) * 16, "uint16 values up to 4080, expected up to 65535", "4095"),
        (RAMP.astype(np.uint16) * 64, "uint16 values up to 16320, expected up to 65535", "16383"),
        (RAMP.astype(np.uint16), "uint16 values up to 255, expected up to 65535", "255"),
        (np.array([0, 1], np.uint16), "uint16 values up to 1, expected up to 65535", "1"),
        (np.array([0, 1], np.uint8), "uint8 values up to 1, expected up to 255", "1"),
        (RAMP >> 4, "uint8 values up to 15, expected up to 255", "15"),
        (RAMP / 4096, "float64 values up to 0.0622559, expected up to 1", "0.0622559"),
    ],
)
def test_a_range_that_is_hardly_used_is_warned_of(image, found, guess):
    message = (
        f"image 3: found {found}. If white is {guess}, set the data_range of the features, as in "
        f"features=features_of_name('lab', data_range={guess}), and likewise for 'scattering'"
    )
    with pytest.warns(UserWarning, match="image 3") as caught, about_image(3):
        check_colours(image)
    assert [str(each.message) for each in caught] == [message]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint16),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4)),
        np.array([0, 16384], np.uint16),
        np.array([0, 16], np.uint8),
        np.array([0, 0.07]),
    ],
)
def test_black_and_dark_images_are_not_warned_of(image):
    assert check_colours(image) is image


def test_who_gives_a_range_is_not_warned():
    image = RAMP.astype(np.uint16)
    assert check_colours(image, 65535) is image
    np.testing.assert_allclose(check_colours(image, 65536), RAMP / 65536)
    np.testing.assert_allclose(scaled_to_unit(image, 65535), RAMP / 65535, rtol=1e-6)


def test_features_without_white_are_warned_for_integers_only():
    with pytest.warns(UserWarning, match="uint16 values up to 255, expected up to 65535"):
        scaled_to_unit(RAMP.astype(np.uint16))
    small = RAMP / 1e6
    assert scaled_to_unit(small) is small
    scaled_to_unit(RAMP.astype(np.uint32))


# Numbers without black and white --------------------------------------------------------------


def test_numbers_without_white_have_no_limits():
    image = np.array([-1e6, 0.5, 7])
    assert scaled_to_unit(image) is image
    np.testing.assert_array_equal(scaled_to_unit(image, 7), (image / 7).astype(np.float32))
    flags = np.array([True, False])
    assert scaled_to_unit(flags) is flags
    for dtype in (np.uint8, np.uint16, np.uint32):
        largest = np.array([0, np.iinfo(dtype).max], dtype)
        np.testing.assert_array_equal(scaled_to_unit(largest), [0, 1])


def test_signed_integers_need_a_range():
    with pytest.raises(ValueError, match="found dtype int16, expected bool, unsigned integers"):
        scaled_to_unit(np.array([0, 1], np.int16))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.uint16, np.int32, np.float32])
def test_a_range_of_one_is_white_in_any_type(dtype):
    image = np.array([[[0], [1]]]).astype(dtype)
    found = check_colours(image, 1)
    assert found.dtype.kind == "f"
    assert found.ravel().tolist() == [0, 1]
    assert check_colours(image, (0, 1)).ravel().tolist() == [0, 1]
