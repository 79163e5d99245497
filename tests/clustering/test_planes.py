"""Features as kernels see them keep their structure."""

import numpy as np
import pytest

from sksuperpixel._clustering.planes import Planes, channels_first


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int16, np.uint16, np.float16, ">f4"])
def test_small_types_are_converted_exactly(dtype):
    values = np.random.default_rng(0).integers(0, 200, (5, 6, 4)).astype(dtype)
    planes = channels_first(values)
    assert planes.dtype == np.float32
    assert planes.flags.c_contiguous
    np.testing.assert_array_equal(planes, np.moveaxis(values, -1, 0).astype(np.float32))


def test_no_copy_where_the_layout_is_right():
    planes = np.random.default_rng(0).random((4, 5, 6), np.float32)
    assert np.shares_memory(channels_first(np.moveaxis(planes, 0, -1)), planes)


def test_ordinary_numbers_are_not_centred():
    values = np.random.default_rng(0).random((5, 6, 2)) * 255
    np.testing.assert_array_equal(
        channels_first(values), np.moveaxis(values, -1, 0).astype(np.float32)
    )


@pytest.mark.parametrize(
    ("dtype", "offset"),
    [
        (np.float64, 1e8),
        (np.float64, -1e12),
        (np.int64, 2**50),
        (np.uint32, 2**31),
        (np.uint64, 2**62),
        (np.uint64, 2**63 - 25),
        (np.uint64, 2**64 - 60),
    ],
)
def test_structure_on_a_large_offset_is_kept(dtype, offset):
    steps = np.random.default_rng(0).integers(0, 50, (5, 6, 2))
    # Only one channel needs it; the other stays as it is.
    values = steps.astype(dtype)
    values[..., 1] += dtype(offset)
    planes = channels_first(values)
    np.testing.assert_array_equal(planes[0], steps[..., 0])
    np.testing.assert_allclose(planes[1] - planes[1, 0, 0], steps[..., 1] - steps[0, 0, 1])


def test_only_pixels_inside_the_mask_tell_the_offset():
    values = np.full((4, 4, 1), -9999.0)
    values[1:3, 1:3, 0] = 1e9 + np.arange(4).reshape(2, 2)
    mask = values[..., 0] > 0
    inside = channels_first(values, mask)[0][mask]
    np.testing.assert_allclose(np.diff(inside), 1)
    values[0, 0] = np.nan
    np.testing.assert_allclose(np.diff(channels_first(values, mask)[0][mask]), 1)


def test_a_constant_channel_is_left_alone():
    assert (channels_first(np.full((3, 3, 1), 1e9)) == np.float32(1e9)).all()


def test_pixels_are_counted_inside_the_mask():
    features = np.zeros((2, 1, 3, 4), np.float32)
    assert Planes(features).n_pixels == 12
    assert Planes(features, np.eye(3, 4, dtype=bool)[np.newaxis]).n_pixels == 3
