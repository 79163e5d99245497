"""Copy pixels with all their channels to one plane per channel, and back."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import kernel


@kernel
def to_planes(
    pixels,  # IN (n, C) any numbers
    planes,  # OUT (C, n) float32
):
    """Copy pixels to planes, in blocks that fit into the processor's cache."""
    n_pixels, n_channels = pixels.shape
    for start in range(0, n_pixels, 64):
        stop = min(start + 64, n_pixels)
        for c in range(n_channels):
            for i in range(start, stop):
                planes[c, i] = pixels[i, c]


@kernel
def to_pixels(
    planes,  # IN (C, n) float32
    factors,  # IN (C,) float32
    start,  # IN: the first pixel to copy
    stop,  # IN: one after the last pixel to copy
    pixels,  # OUT (n, C) float32
):
    """Copy planes to pixels, each channel times its factor, in blocks that fit the cache."""
    for block in range(start, stop, 64):
        for c in range(len(planes)):
            factor = factors[c]
            for i in range(block, min(block + 64, stop)):
                pixels[i, c] = planes[c, i] * factor


@kernel
def largest_bits(
    bits,  # IN (n,) int32: the bits of float32 numbers
):
    """Return the bits of the largest absolute value; those of infinity or NaN are larger still."""
    without_sign = np.int32(0x7FFFFFFF)
    largest = np.int32(0)
    for i in range(len(bits)):
        largest = max(largest, bits[i] & without_sign)
    return np.int32(largest)
