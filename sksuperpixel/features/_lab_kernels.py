"""Kernels that convert sRGB to CIELAB."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import kernel


@kernel
def linear_from_codes(
    codes,  # IN (n, 3) unsigned integers
    table,  # IN (number of codes,) float32: linear light of each code
    linear,  # OUT (3, n) float32
):
    """Undo the gamma of integer sRGB values."""
    for i in range(codes.shape[0]):
        for c in range(3):
            linear[c, i] = table[codes[i, c]]


@kernel
def linear_from_floats(
    values,  # IN (n, 3) float32 in [0, 1]
    table,  # IN (m + 2,) float32: linear light of 0, 1/m, ..., 1, and 1 again
    linear,  # OUT (3, n) float32
):
    """Undo the gamma of sRGB values by interpolating in a table."""
    m = np.float32(len(table) - 2)
    for i in range(values.shape[0]):
        for c in range(3):
            position = values[i, c] * m
            j = int(position)
            fraction = position - np.float32(j)
            linear[c, i] = table[j] + fraction * (table[j + 1] - table[j])


@kernel
def lab_from_linear(
    planes,  # IN and OUT (3, n) float32: linear RGB, then L, a, b
    matrix,  # IN (3, 3) float32: from linear RGB to XYZ over the white point
):
    """Convert linear RGB to CIELAB in place."""
    n = planes.shape[1]
    chunk = 512
    ratio = np.empty((3, chunk), np.float32)
    cube_root = np.empty((3, chunk), np.float32)
    ratio_bits, root_bits = ratio.view(np.int32), cube_root.view(np.int32)
    two, third = np.float32(2.0), np.int32(3)
    for start in range(0, n, chunk):
        length = min(chunk, n - start)
        r = planes[0, start : start + length]
        g = planes[1, start : start + length]
        b = planes[2, start : start + length]
        for c in range(3):
            out = ratio[c]
            m0, m1, m2 = matrix[c, 0], matrix[c, 1], matrix[c, 2]
            for i in range(length):
                out[i] = m0 * r[i] + m1 * g[i] + m2 * b[i]
            # Dividing the bits of a float by three divides its exponent by three. This gives
            # the cube root to 4 %, and two of Halley's steps refine it to the last bits.
            bits, guess = ratio_bits[c], root_bits[c]
            for i in range(length):
                guess[i] = bits[i] // third + np.int32(709921077)
            root = cube_root[c]
            for i in range(length):
                t, y = out[i], root[i]
                for _ in range(2):
                    y3 = y * y * y
                    y = y * ((y3 + two * t) / (two * y3 + t))
                linear = np.float32(7.787) * t + np.float32(16.0 / 116.0)
                root[i] = y if t > np.float32(0.008856) else linear
        fx, fy, fz = cube_root[0], cube_root[1], cube_root[2]
        for i in range(length):
            r[i] = np.float32(116.0) * fy[i] - np.float32(16.0)
            g[i] = np.float32(500.0) * (fx[i] - fy[i])
            b[i] = np.float32(200.0) * (fy[i] - fz[i])
