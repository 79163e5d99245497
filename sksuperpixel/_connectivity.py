"""From label maps to regions: one connected region a label, none too small, as many as asked."""

import numpy as np

from sksuperpixel import _kernels
from sksuperpixel._clusters import ONE_THREAD, label_sums

# Chosen on BSDS500's validation images among 0 (Ward), 1/5, 1/4, 1/3, 1/2 and 1 (the increase a
# unit of length, of Koepfler, Lopez and Morel): the larger, the better the overlap with the
# ground truth at equal compactness; the smaller, the more of its borders are found.
_BORDER_POWER = 1 / 4
# With an edge map, a merge costs this plus the mean strength of the edges that go times as much.
# Chosen on half of the same images with a learned map, among 1/10, 1/5, 2/5 and 1.
_EDGE_OFFSET = 2 / 5


def connected_regions(labels):
    """Split each label into its connected parts.

    Parameters
    ----------
    labels : ndarray of shape (D, H, W), int32
        Negative where a pixel belongs to nothing.

    Returns
    -------
    regions : ndarray of shape (D, H, W), int32
        Numbered by their first pixels in raster order; -1 where `labels` is negative.
    n_regions : int
    """
    regions = np.empty_like(labels)
    return regions, _kernels.connected_components(labels, regions)


def _borders(regions, wanted):
    """Pairs of regions that touch, (n, 2) int32, and the faces they share, (n,) int32."""
    capacity, n_pairs = 2 * len(wanted), -1
    while n_pairs < 0:
        capacity *= 2
        pairs, faces = np.empty((capacity, 2), np.int32), np.empty(capacity, np.int32)
        table = np.empty(1 << (3 * capacity // 2).bit_length(), np.int32)
        n_pairs = _kernels.borders(regions, wanted, table, pairs, faces)
    return pairs[:n_pairs], faces[:n_pairs]


def without_gaps(labels):
    """Give labels the numbers 0, 1, ... in their own order, none missing, in place.

    Parameters
    ----------
    labels : ndarray of shape (D, H, W), int32
        Negative where a pixel belongs to nothing.

    Returns
    -------
    n_labels : int
    """
    present = np.bincount(labels[labels >= 0]) > 0
    _kernels.relabel(labels, (np.cumsum(present) - 1).astype(np.int32))
    return np.count_nonzero(present)


def _renumber(regions, parents):
    """Give merged regions the numbers 0, 1, ... in the order of their first pixels, in place."""
    n_regions = _kernels.number_roots(parents)
    _kernels.relabel(regions, parents)
    return n_regions


def merge_small_regions(features, regions, n_regions, min_count, threads=ONE_THREAD):
    """Merge each small region into the neighbour where that costs least, in place.

    The cost is Ward's: the increase of the sum of squared distances to the regions' means. A
    region's fate depends on its surroundings alone, whatever the image around them.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    regions : ndarray of shape (D, H, W), int32
        Connected regions, 0 .. `n_regions` - 1; -1 where a pixel belongs to nothing.
    n_regions : int
    min_count : float
        A region with fewer pixels is small.

    Returns
    -------
    n_regions : int
        How many are left. A small region without a neighbour is.
    """
    all_sums = label_sums(features, regions, n_regions, threads)
    counts, sums = all_sums[:, 0].copy(), all_sums[:, 4 : 4 + len(features)].copy()
    small = counts < min_count
    if not small.any():
        return n_regions
    pairs, _ = _borders(regions, small)
    parents = np.arange(n_regions, dtype=np.int32)
    _kernels.merge_small(min_count, pairs, counts, sums, parents)
    return _renumber(regions, parents)


def merge_to_number(features, regions, n_regions, n_wanted, scale, edges=None, threads=ONE_THREAD):
    """Merge adjacent regions, the cheapest pair first, down to a number, in place.

    The cost is Ward's increase in features and space over the fourth root of the length of the
    border that goes: of two equal pairs, the one with the longer border is merged. With an edge
    map, also that whose border has weaker edges.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    regions : ndarray of shape (D, H, W), int32
        Connected regions, 0 .. `n_regions` - 1; -1 where a pixel belongs to nothing.
    n_regions, n_wanted : int
    scale : ndarray of shape (3,)
        Weight of a distance of one pixel along each axis beside the features.
    edges : ndarray of shape (D, H, W), float32, default=None
        Strength of the edge at each pixel, in [0, 1].
    threads : Threads, default=ONE_THREAD

    Returns
    -------
    n_regions : int
        `n_wanted`, or as few as the regions' adjacency allows.
    """
    if n_regions <= n_wanted:
        return n_regions
    sums = label_sums(features, regions, n_regions, threads)
    counts, positions, sums = sums[:, 0].copy(), sums[:, 1:4], sums[:, 4 : 4 + len(features)]
    pairs, faces = _borders(regions, np.ones(n_regions, bool))
    parents = np.arange(n_regions, dtype=np.int32)
    sums = np.hstack((sums, positions * np.asarray(scale, np.float64)))
    offset, strengths = 1.0, np.zeros(len(pairs))
    if edges is not None:
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        pairs, faces = pairs[order], faces[order]
        starts = np.searchsorted(pairs[:, 0], np.arange(n_regions + 1))
        offset = _EDGE_OFFSET
        _kernels.strengths_at_borders(regions, edges, pairs, starts, strengths)
    _kernels.merge_cheapest(
        n_wanted, _BORDER_POWER, offset, pairs, faces, strengths, counts, sums, parents
    )
    return _renumber(regions, parents)
