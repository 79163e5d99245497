"""Which numbers of an image stand for black and white."""

import numpy as np

from sksuperpixel._images.errors import warn_about_image
from sksuperpixel._images.parameters import check_data_range

# How to set it, where features are given by their name.
_HOW = "features=features_of_name('lab', data_range={}), and likewise for 'scattering'"
_FLOATS = (
    "floats in [0, 1]; clip them, or set the data_range of the features, as in "
    + _HOW.format("...")
)
# Floats may leave their range by rounding, for example when an image was filtered.
_TOLERANCE = 1e-4
# An image whose largest value is at most this fraction of its range probably has another range.
# In uint16 that is 14 bits or fewer; in uint8, 4 bits, or a mask of 0 and 1; in floats, 12 bits
# that were divided by 65535. A photograph that dark would be almost black.
_LEAST_USED = {"uint8": 1 / 16, "uint16": 1 / 4, "float": 1 / 16}


def check_colours(image, data_range=None):
    """Check that values are colours, and scale them to [0, 1] where their type requires it.

    Parameters
    ----------
    image : ndarray
        It must not contain NaN.
    data_range : float, pair of float, or None
        Values of black and white. With None, they are 0 and the largest value of uint8 or uint16,
        or 0 and 1 for floats.

    Returns
    -------
    ndarray
        The image itself if it is uint8 or uint16 and black and white are the ends of its type;
        otherwise floats in [0, 1].

    Raises
    ------
    ValueError
        If `data_range` is None and the type does not tell what black and white are, or if values
        are outside the range.

    Warns
    -----
    UserWarning
        If `data_range` is None, and values use so little of the range of their type that they
        probably have another one.
    """
    ends = check_data_range(data_range)
    if image.dtype in (np.uint8, np.uint16):
        whole = (0, np.iinfo(image.dtype).max)
        if ends is None:
            _warn_if_unused(image, image.dtype.name, whole[1])
        if ends in (None, whole):
            return image
    if ends is not None:
        return _scaled_colours(image, ends, f"values in data_range={data_range!r}")
    if image.dtype.kind != "f":
        raise ValueError(
            f"found dtype {image.dtype}, expected uint8, uint16 or floats in [0, 1]; for other "
            f"numbers, set the data_range of the features, as in {_HOW.format('...')}"
        )
    _warn_if_unused(image, "float", 1)
    return _scaled_colours(image, (0, 1), _FLOATS)


def _scaled_colours(image, ends, expected):
    """Scale values to [0, 1]. Clip those outside by no more than rounding, refuse others."""
    low, high = ends
    tolerance = 0
    if image.dtype.kind == "b":
        image = image.astype(np.uint8)
    if image.dtype.kind == "f":
        tolerance = max(_TOLERANCE, 2 * np.finfo(image.dtype).eps) * (high - low)
    least, largest = float(image.min()), float(image.max())
    if least < low - tolerance or largest > high + tolerance:
        raise ValueError(f"found values from {least:.9g} to {largest:.9g}, expected {expected}")
    if image.dtype.kind != "f" or ends != (0, 1):
        image = (image.astype(np.float64) - low) / (high - low)
    return image if low <= least and largest <= high else np.clip(image, 0, 1)


def scaled_to_unit(image, data_range=None):
    """Scale values by their range, for features that need no black and white.

    Values outside the range are allowed.

    Parameters
    ----------
    image : ndarray
        It must not contain NaN.
    data_range : float, pair of float, or None
        Values that become 0 and 1. With None, they are 0 and the largest value of an unsigned
        integer type; bool and floats are not scaled.

    Returns
    -------
    ndarray
        The scaled image as float32, or the image itself if it is not scaled.

    Raises
    ------
    ValueError
        If values are signed integers and `data_range` is None.

    Warns
    -----
    UserWarning
        If `data_range` is None, and uint8 or uint16 values use so little of their range that they
        probably have another one.
    """
    ends = check_data_range(data_range)
    if ends is None and image.dtype.kind in "bf":
        return image
    if ends is None and image.dtype.kind == "i":
        raise ValueError(
            f"found dtype {image.dtype}, expected bool, unsigned integers (uint8, uint16) or "
            "floats; for other numbers, set data_range"
        )
    if ends is None:
        ends = (0, np.iinfo(image.dtype).max)
        _warn_if_unused(image, image.dtype.name, ends[1])
    low, high = ends
    return ((image.astype(np.float64) - low) / (high - low)).astype(np.float32)


def _warn_if_unused(image, kind, white):
    """Warn if the values use so little of their range that white is probably a lower value."""
    largest = float(image.max())
    if not 0 < largest <= _LEAST_USED.get(kind, 0) * white:
        return
    # Integers probably have just enough bits for the largest value.
    guess = largest if white == 1 else 2 ** int(largest).bit_length() - 1
    warn_about_image(
        f"found {image.dtype} values up to {largest:g}, expected up to {white:g}. If white is "
        f"{guess:g}, set the data_range of the features, as in {_HOW.format(format(guess, 'g'))}"
    )
