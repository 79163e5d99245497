"""Where regions meet: edge pixels, their neighbourhood, and distances to them."""

import numpy as np


def differing_pairs(labels, valid):
    """Neighbours with different labels, axis by axis.

    Parameters
    ----------
    labels : ndarray of int, shape (H, W) or (D, H, W)
        One label a pixel.

    valid : ndarray of bool, the shape of `labels`
        A pair counts only if both of its pixels are valid.

    Yields
    ------
    first, second : tuple of slice
        The pixels that have a next neighbour along the axis, and these neighbours.

    differ : ndarray of bool
        Which pairs have different labels.
    """
    for axis in range(labels.ndim):
        before = (slice(None),) * axis
        first, second = (*before, slice(None, -1)), (*before, slice(1, None))
        differ = labels[first] != labels[second]
        differ &= valid[first]
        differ &= valid[second]
        yield first, second, differ


def one_sided_edges(labels, valid):
    """Pixels whose next neighbour along some axis has another label.

    Parameters
    ----------
    labels : ndarray of int, shape (H, W) or (D, H, W)
        One label a pixel.

    valid : ndarray of bool, the shape of `labels`
        Pixels that count.

    Returns
    -------
    ndarray of bool, the shape of `labels`
        True at the edge pixels.
    """
    edges = np.zeros(labels.shape, dtype=bool)
    for first, _, differ in differing_pairs(labels, valid):
        edges[first] |= differ
    return edges


def two_sided_edges(labels, valid):
    """Pixels of which some direct neighbour has another label.

    Parameters
    ----------
    labels : ndarray of int, shape (H, W) or (D, H, W)
        One label a pixel.

    valid : ndarray of bool, the shape of `labels`
        Pixels that count.

    Returns
    -------
    ndarray of bool, the shape of `labels`
        True at the edge pixels.
    """
    edges = np.zeros(labels.shape, dtype=bool)
    for first, second, differ in differing_pairs(labels, valid):
        edges[first] |= differ
        edges[second] |= differ
    return edges


def widen(mask, radius):
    """Pixels within a box of side 2 * radius + 1 around a pixel of the mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W) or (D, H, W)
        The pixels to start from.

    radius : int
        Chebyshev distance up to which a pixel is taken in.

    Returns
    -------
    ndarray of bool, the shape of `mask`
        True near the mask.
    """
    # A box is its sides one after the other; a shifted `or` of bytes beats a rank filter.
    for axis in range(mask.ndim):
        source = np.moveaxis(mask, axis, 0)
        mask = mask.copy()
        target = np.moveaxis(mask, axis, 0)
        for shift in range(1, min(radius, len(source) - 1) + 1):
            target[shift:] |= source[:-shift]
            target[:-shift] |= source[shift:]
    return mask


def distance_to(mask):
    """Euclidean distance of each pixel to the nearest pixel of the mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W) or (D, H, W)
        Where the distance is 0.

    Returns
    -------
    ndarray of float64, the shape of `mask`
        The distances in pixels. Where the mask is empty, the length of the image's diagonal,
        which no distance between two of its pixels exceeds.
    """
    from scipy.ndimage import distance_transform_edt

    if not mask.any():
        return np.full(mask.shape, np.sqrt(np.sum((np.array(mask.shape) - 1.0) ** 2)))
    return distance_transform_edt(~mask)
