"""Checks of parameters."""

from functools import lru_cache
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import validate_parameter_constraints

from sksuperpixel._numbers import of_python

# Larger weights would make features too large for float32.
_LARGEST_WEIGHT = 1e30
# More unequal sizes of pixels would be too unequal for float32.
_LARGEST_SPACING_RATIO = 1e6
# Error messages show at most this much of a value.
_MOST_CHARACTERS = 80


# Values of these types are equal only if they are the same in every respect but their type.
_SIMPLE = (str, bool, int, float, type(None))


def check_constraints(estimator):
    """Check an estimator's parameters by its `_parameter_constraints`.

    Parameters of simple types that were right before are not checked again, because with small
    images the check would take much of the time.

    Parameters
    ----------
    estimator : estimator

    Raises
    ------
    ValueError
        If a parameter is not as expected.
    """
    kind = type(estimator)
    # As numbers of Python, because small types of NumPy cannot hold the limits that they are
    # compared with.
    values = [of_python(getattr(estimator, name)) for name in _parameter_names(kind)]
    types = tuple(map(type, values))
    check = _check_simple if all(each in _SIMPLE for each in types) else _check_values
    check(kind, tuple(values), types)


@lru_cache(maxsize=256)
def _parameter_names(kind):
    return kind._get_param_names()


def _check_values(kind, values, types):
    params = dict(zip(_parameter_names(kind), values, strict=True))
    validate_parameter_constraints(kind._parameter_constraints, params, caller_name=kind.__name__)


# The types are part of the arguments, because 1 and True are equal.
_check_simple = lru_cache(maxsize=256)(_check_values)


def shown(value):
    """Show a value in an error message, without the middle if it is long."""
    try:
        text = repr(value)
    except ValueError:
        # Python does not print integers of thousands of digits.
        text = f"a huge {type(value).__name__}"
    half = _MOST_CHARACTERS // 2
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:half]} ... {text[-half:]}"


def as_floats(name, values, expected):
    """Turn a parameter that is made of real numbers into an array.

    Parameters
    ----------
    name : str
        The parameter.
    values : array-like
        Any shape, also that of a single number. Text is refused, even if it looks like a number.
    expected : str
        What should have been given, for the error.

    Returns
    -------
    ndarray, float64

    Raises
    ------
    ValueError
        If `values` are not real numbers that fit in an array.
    """
    cause = None
    try:
        # As objects, because text in a long list would make a huge array of text.
        array = np.asarray(values, None if hasattr(values, "dtype") else object)
        kind = array.dtype.kind
        if kind in "biuf" or (kind == "O" and all(isinstance(each, Real) for each in array.flat)):
            with np.errstate(over="ignore"):
                return array.astype(np.float64)
    # torch raises RuntimeError for tensors that cannot become arrays.
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        cause = error
    raise ValueError(f"{name}: found {shown(values)}, expected {expected}") from cause


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
    expected = f"numbers from 0 to {_LARGEST_WEIGHT:g}"
    array = as_floats("channel_weights", weights, expected)
    if array.shape != (n_channels,):
        raise ValueError(
            f"channel_weights: found shape {array.shape}, expected ({n_channels},): one weight "
            "for each channel of the features"
        )
    is_right = (array >= 0) & (array <= _LARGEST_WEIGHT)
    if not is_right.all():
        first = int(np.argmin(is_right))
        raise ValueError(
            f"channel_weights: found {array[first]} at index {first}, expected {expected}"
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
    expected = f"{n_axes} positive numbers, one for each axis of the image"
    array = as_floats("spacing", spacing, expected)
    if array.shape != (n_axes,) or not ((array > 0) & (array < np.inf)).all():
        raise ValueError(f"spacing: found {shown(spacing)}, expected {expected}")
    sizes = array.tolist()
    finest = min(sizes)
    if max(sizes) > _LARGEST_SPACING_RATIO * finest:
        raise ValueError(
            f"spacing: found {shown(spacing)}, expected sizes of which the largest is at most "
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
    expected = "None, the largest possible value, or the smallest and the largest one"
    pair = (0, data_range) if isinstance(data_range, Real) else data_range
    ends = as_floats("data_range", pair, expected).tolist()
    if np.shape(ends) != (2,) or not 0 < ends[1] - ends[0] < np.inf:
        raise ValueError(f"data_range: found {shown(data_range)}, expected {expected}")
    return tuple(ends)
