"""Edges between regions: edge pixels, their neighbourhoods, and distances to them."""

import numpy as np


def differing_pairs(labels, valid=None):
    """Find neighbours with different labels, axis by axis.

    Parameters
    ----------
    labels : ndarray of int, shape (H, W) or (D, H, W)
        One label per pixel.

    valid : ndarray of bool, the shape of `labels`, default=None
        A pair counts only if both of its pixels are valid. If None, all are.

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
        if valid is not None:
            differ &= valid[first]
            differ &= valid[second]
        yield first, second, differ


def one_sided_edges(labels, valid=None):
    """Find the pixels whose next neighbour along some axis has another label.

    Parameters
    ----------
    labels : ndarray of int, shape (H, W) or (D, H, W)
        One label per pixel.

    valid : ndarray of bool, the shape of `labels`, default=None
        Pixels that count. If None, all do.

    Returns
    -------
    ndarray of bool, the shape of `labels`
        True at the edge pixels.
    """
    edges = np.zeros(labels.shape, dtype=bool)
    for first, _, differ in differing_pairs(labels, valid):
        edges[first] |= differ
    return edges


def two_sided_edges(labels, valid=None):
    """Find the pixels that have a direct neighbour with another label.

    Parameters
    ----------
    labels : ndarray of int, shape (H, W) or (D, H, W)
        One label per pixel.

    valid : ndarray of bool, the shape of `labels`, default=None
        Pixels that count. If None, all do.

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


def edge_map(segmentations, ignore_label=None):
    """Combine the edges of several annotators into one map.

    Parameters
    ----------
    segmentations : ndarray of int, shape (A, H, W) or (A, D, H, W)
        The segmentations of one image by A annotators.

    ignore_label : int, default=None
        Label of void pixels. There is no edge between a void pixel and its neighbours.

    Returns
    -------
    ndarray of float32, shape (H, W) or (D, H, W)
        The fraction of annotators, from 0 to 1, whose segmentation has a one-sided edge at the
        pixel.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel._label_maps.edges import edge_map
    >>> edge_map(np.array([[[0, 0, 1]], [[0, 0, 0]]]))
    array([[0. , 0.5, 0. ]], dtype=float32)
    """
    edges = np.empty(segmentations.shape, dtype=bool)
    for a, each in enumerate(segmentations):
        valid = None if ignore_label is None else each != ignore_label
        edges[a] = one_sided_edges(each, valid)
    return edges.mean(axis=0, dtype=np.float32)


def widen(mask, radius):
    """Find all pixels in boxes of side 2 * radius + 1 around the pixels of a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W) or (D, H, W)
        The pixels to start from.

    radius : int
        The largest distance along any axis, in pixels.

    Returns
    -------
    ndarray of bool, the shape of `mask`
        True near the mask.
    """
    # A box can be made along one axis after the other. Shifting and combining bytes is faster
    # than a rank filter.
    for axis in range(mask.ndim):
        source = np.moveaxis(mask, axis, 0)
        mask = mask.copy()
        target = np.moveaxis(mask, axis, 0)
        for shift in range(1, min(radius, len(source) - 1) + 1):
            target[shift:] |= source[:-shift]
            target[:-shift] |= source[shift:]
    return mask


def distance_to(mask):
    """Measure the Euclidean distance from each pixel to the nearest pixel of a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W) or (D, H, W)
        Where the distance is 0.

    Returns
    -------
    ndarray of float64, the shape of `mask`
        The distances in pixels. If the mask is empty, all are the length of the image's
        diagonal, the largest distance between two of its pixels.
    """
    from scipy.ndimage import distance_transform_edt

    if not mask.any():
        return np.full(mask.shape, np.sqrt(np.sum((np.array(mask.shape) - 1.0) ** 2)))
    return distance_transform_edt(~mask)
