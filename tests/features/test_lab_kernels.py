import numpy as np
import pytest
from skimage.color import rgb2lab

from sksuperpixel.features import _lab_kernels as kernels
from sksuperpixel.features._lab import _MATRIX


def test_codes_are_looked_up():
    table = np.array([0.5, 0.25, 0.125], np.float32)
    codes = np.array([[0, 1, 2], [2, 2, 0]], np.uint8)
    linear = np.empty((3, 2), np.float32)
    kernels.linear_from_codes(codes, table, linear)
    np.testing.assert_array_equal(linear, table[codes].T)


def test_floats_are_interpolated():
    # Two steps from 0 to 1, and the value of 1 again.
    table = np.array([0, 10, 30, 30], np.float32)
    values = np.array([[0, 0.25, 0.5], [0.75, 1, 0.125]], np.float32)
    linear = np.empty((3, 2), np.float32)
    kernels.linear_from_floats(values, table, linear)
    np.testing.assert_allclose(linear.T, [[0, 5, 10], [20, 30, 2.5]])


# The kernel works on 512 pixels at a time.
@pytest.mark.parametrize("n", [1, 511, 512, 513, 1025])
def test_lab_of_any_number_of_pixels(n):
    srgb = np.random.default_rng(0).random((n, 3)) ** 2
    linear = np.where(srgb > 0.04045, ((srgb + 0.055) / 1.055) ** 2.4, srgb / 12.92)
    planes = np.ascontiguousarray(linear.T, dtype=np.float32)
    kernels.lab_from_linear(planes, _MATRIX)
    np.testing.assert_allclose(planes.T, rgb2lab(srgb), atol=1e-3)
