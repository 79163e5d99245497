"""Checks of parameters whose valid values depend on the images."""

import numbers

import numpy as np


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
        If there is not one finite, non-negative weight for each channel.
    """
    if weights is None:
        return None
    try:
        array = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"channel_weights: found {weights!r}, expected numbers") from error
    if array.shape != (n_channels,):
        raise ValueError(
            f"channel_weights: found shape {array.shape}, expected ({n_channels},): one weight "
            "for each channel of the features"
        )
    if not (np.isfinite(array).all() and (array >= 0).all()):
        raise ValueError(
            f"channel_weights: found {array.min()} .. {array.max()}, expected finite numbers "
            "that are not negative"
        )
    return array


def check_spacing(spacing, n_axes):
    """Check the size of a pixel along each axis.

    Parameters
    ----------
    spacing : sequence of float or None
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
        If there is not one positive number for each axis.
    """
    if spacing is None:
        return (1.0, 1.0, 1.0)
    numbers_given = all(isinstance(s, numbers.Real) and 0 < s < np.inf for s in spacing)
    if len(spacing) != n_axes or not numbers_given:
        raise ValueError(
            f"spacing: found {tuple(spacing)}, expected {n_axes} positive numbers, one for each "
            "axis of the image"
        )
    finest = min(spacing)
    return (1.0,) * (3 - n_axes) + tuple(float(s / finest) for s in spacing)


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
    numbers_given = isinstance(pair, (tuple, list)) and all(
        isinstance(end, numbers.Real) for end in pair
    )
    if not numbers_given or len(pair) != 2 or not -np.inf < pair[0] < pair[1] < np.inf:
        raise ValueError(
            f"data_range: found {data_range!r}, expected None, the largest possible value, or "
            "the smallest and the largest one"
        )
    return float(pair[0]), float(pair[1])
