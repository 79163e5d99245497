"""Random parts of images to train on, and linear interpolation along an axis."""

import numpy as np


def interpolate(array, positions, axis):
    """Interpolate linearly along one axis; beyond its ends, repeat the first or last value.

    Parameters
    ----------
    array : ndarray, float32
    positions : ndarray of shape (n,)
        Where to interpolate, in indices along the axis.
    axis : int

    Returns
    -------
    ndarray, float32
        The values, of length n along the axis.
    """
    last = array.shape[axis] - 1
    positions = np.clip(positions, 0, last)
    low = np.minimum(positions.astype(np.intp), max(last - 1, 0))
    high = np.minimum(low + 1, last)
    shape = [1] * array.ndim
    shape[axis] = -1
    weight = (positions - low).astype(np.float32).reshape(shape)
    below, above = array.take(low, axis), array.take(high, axis)
    above -= below
    above *= weight
    above += below
    return above


def draw_crop(image, labels, shape, scale_range, rng):
    """Draw a part of an image at random, scaled and perhaps mirrored.

    Parameters
    ----------
    image : ndarray of shape (H, W, 3), float32
    labels : ndarray of shape (H, W), int
    shape : tuple of 2 int
        Shape of the part.
    scale_range : tuple of 2 float
        Smallest and largest factor by which the part is enlarged.
    rng : Generator

    Returns
    -------
    image : ndarray of shape (3, *shape), float32
    labels : ndarray of shape `shape`, int64
        -1 where the part is outside the image.
    """
    scale = np.exp(rng.uniform(*np.log(scale_range)))
    labels = labels.astype(np.int64)
    for axis, (length, wanted) in enumerate(zip(labels.shape, shape, strict=True)):
        # If the part is larger than the image, the image lies anywhere inside the part.
        start = rng.uniform() * (length - wanted / scale)
        positions = start + (np.arange(wanted) + 0.5) / scale - 0.5
        if axis == 1 and rng.uniform() < 0.5:
            positions = positions[::-1]
        image = interpolate(image, positions, axis)
        nearest = np.rint(positions).astype(np.intp)
        labels = labels.take(np.clip(nearest, 0, length - 1), axis)
        outside = (nearest < 0) | (nearest >= length)
        labels[(slice(None),) * axis + (outside,)] = -1
    return np.ascontiguousarray(np.moveaxis(image, -1, 0)), labels
