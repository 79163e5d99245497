"""What numbers of an image stand for black and white."""

import numpy as np

from sksuperpixel._images.errors import warn_about_image
from sksuperpixel._images.parameters import check_data_range

# Floats may be off the range by rounding, as after filtering an image.
_TOLERANCE = 1e-4
# Images that use no more than this share of their range are probably of another range.
_LEAST_SHARE = {"u": 1 / 4, "f": 1 / 16}


def check_colours(image, data_range=None):
    """Check that values are colours, and bring them into the range of their type.

    Parameters
    ----------
    image : ndarray
        Without NaN.
    data_range : float, pair of float, or None
        Values of black and white. None for 0 and the largest value of uint8 and uint16, and for
        0 and 1 of floats.

    Returns
    -------
    ndarray
        As it was where it is uint8 or uint16 with their own range; otherwise floats in [0, 1].

    Raises
    ------
    ValueError
        If the values are of another type, or not in the range.

    Warns
    -----
    UserWarning
        If values use so little of their type's range that they are probably of another one.
    """
    ends = check_data_range(data_range)
    if ends is not None:
        low, high = ends
        image = (image.astype(np.float64) - low) / (high - low)
        return _clipped(image, f"data_range={data_range!r}", ends)
    if image.dtype.kind == "f":
        image = _clipped(image, "floats in [0, 1] (or uint8, uint16, or a data_range)")
        _warn_if_unused(image, 1)
        return image
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"found dtype {image.dtype}, expected uint8, uint16 or floats in [0, 1]; for other "
            "numbers, set data_range"
        )
    if image.dtype == np.uint16:
        _warn_if_unused(image, np.iinfo(np.uint16).max)
    return image


def scaled_to_unit(image, data_range=None):
    """Divide an image by its range; without limits, for features that need no white point.

    Parameters
    ----------
    image : ndarray
        Without NaN.
    data_range : float, pair of float, or None
        Values that become 0 and 1. None for 0 and the largest value of unsigned integers and
        bool; floats are taken as they are.

    Returns
    -------
    ndarray, float32 or as it was

    Raises
    ------
    ValueError
        If the values are signed integers without a range.

    Warns
    -----
    UserWarning
        If uint16 values use so little of their range that they are probably of another one.
    """
    ends = check_data_range(data_range)
    if ends is not None:
        low, high = ends
        return ((image.astype(np.float64) - low) / (high - low)).astype(np.float32)
    if image.dtype.kind == "i":
        raise ValueError(
            f"found dtype {image.dtype}, expected bool, unsigned integers (uint8, uint16) or "
            "floats; for other numbers, set data_range"
        )
    if image.dtype.kind == "u":
        if image.dtype == np.uint16:
            _warn_if_unused(image, np.iinfo(np.uint16).max)
        return (image / np.iinfo(image.dtype).max).astype(np.float32)
    return image


def _clipped(image, expected, ends=(0, 1)):
    """Clip values that are off the range by rounding only, and refuse others."""
    low, high = float(image.min()), float(image.max())
    if low >= 0 and high <= 1:
        return image
    tolerance = max(_TOLERANCE, 2 * np.finfo(image.dtype).eps)
    if low < -tolerance or high > 1 + tolerance:
        # In the numbers that the user knows.
        low, high = (ends[0] + share * (ends[1] - ends[0]) for share in (low, high))
        raise ValueError(f"found values from {low:.9g} to {high:.9g}, expected {expected}")
    return np.clip(image, 0, 1)


def _warn_if_unused(image, white):
    largest = float(image.max())
    if 0 < largest <= _LEAST_SHARE[image.dtype.kind] * white:
        n_bits = int(np.ceil(np.log2(largest * (2**16 - 1) / white + 1)))
        guess = 2**n_bits - 1 if white > 1 else largest
        warn_about_image(
            f"found {image.dtype} values up to {largest:g}, of a range up to {white:g}. If "
            f"white is less, set data_range of the features, as in "
            f"features=LabFeatures(data_range={guess:g})"
        )
