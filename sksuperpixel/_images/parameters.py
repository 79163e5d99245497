"""Checks of parameters whose valid values depend on the images."""

import numbers

import numpy as np

# Larger weights would make features too large for float32.
_LARGEST_WEIGHT = 1e30
# More unequal sizes of pixels would be too unequal for float32.
_LARGEST_SPACING_RATIO = 1e6


def check_channel_weights(weights, n_channels):
    """Check the weights of a distance's channels.

    Parameters
    ----------
    weights : array-like of shape (C,) or None
    n_channels : int
        C.

    Returns
    -------
    ndarray of shape (C,), float64, or None

    Raises
    ------
    ValueError
        If there is not one weight from 0 to 1e30 for each channel.
    """
    if weights is None:
        return None
    try:
        array = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"channel_weights: found {weights!r}, expected numbers") from error
    if array.shape != (n_channels,):
        raise ValueError(
            f"channel_weights: found shape {array.shape}, expected ({n_channels},): one weight "
            "for each channel of the features"
        )
    if not ((array >= 0).all() and (array <= _LARGEST_WEIGHT).all()):
        raise ValueError(
            f"channel_weights: found {array.min()} .. {array.max()}, expected finite numbers "
            f"from 0 to {_LARGEST_WEIGHT:g}"
        )
    return array


def check_spacing(spacing, n_axes):
    """Check the size of a pixel along each axis.

    Parameters
    ----------
    spacing : array-like of float, or None
        One number for each axis of the image or volume, without the channel axis.
    n_axes : int
        2 for images, 3 for volumes.

    Returns
    -------
    tuple of 3 float
        Sizes along planes, rows and columns, divided by the smallest given one. It is 1 for the
        planes of an image.

    Raises
    ------
    ValueError
        If there is not one positive number for each axis, or if the largest is more than a
        million times the smallest.
    """
    if spacing is None:
        return (1.0, 1.0, 1.0)
    sizes = _as_floats(spacing)
    if sizes is None or len(sizes) != n_axes or not all(0 < size < np.inf for size in sizes):
        raise ValueError(
            f"spacing: found {_shown(spacing)}, expected {n_axes} positive numbers, one for each "
            "axis of the image"
        )
    finest = min(sizes)
    if max(sizes) > _LARGEST_SPACING_RATIO * finest:
        raise ValueError(
            f"spacing: found {_shown(spacing)}, expected sizes of which the largest is at most "
            f"{_LARGEST_SPACING_RATIO:g} times the smallest"
        )
    return (1.0,) * (3 - n_axes) + tuple(size / finest for size in sizes)


def check_data_range(data_range):
    """Check the darkest and the brightest possible value of images.

    Parameters
    ----------
    data_range : float, pair of float, or None
        A single number is the brightest value, and the darkest is 0.

    Returns
    -------
    pair of float, or None

    Raises
    ------
    ValueError
        If it is not one of these.
    """
    if data_range is None:
        return None
    pair = (0, data_range) if isinstance(data_range, numbers.Real) else data_range
    ends = _as_floats(pair)
    if ends is None or len(ends) != 2 or not 0 < ends[1] - ends[0] < np.inf:
        raise ValueError(
            f"data_range: found {data_range!r}, expected None, the largest possible value, or "
            "the smallest and the largest one"
        )
    return ends


def _shown(spacing):
    """Show a sequence as a tuple, and anything else as it is."""
    return tuple(spacing) if isinstance(spacing, (list, np.ndarray)) else repr(spacing)


def _as_floats(values):
    """Turn a sequence of real numbers into a tuple of floats; return None if it is none."""
    if not isinstance(values, (tuple, list, np.ndarray)) or np.ndim(values) > 1:
        return None
    if not all(isinstance(value, numbers.Real) for value in values):
        return None
    try:
        return tuple(float(value) for value in values)
    except OverflowError:
        return None
