"""Make each label one connected region, and none of them too small."""

import numpy as np

from sksuperpixel._clustering.kernels import connectivity, merging
from sksuperpixel._clustering.sums import label_sums
from sksuperpixel._clustering.threads import ONE_THREAD


def connected_regions(labels):
    """Split each label into its connected parts.

    Parameters
    ----------
    labels : ndarray of shape (D, H, W), int32
        Negative where a pixel has no label.

    Returns
    -------
    regions : ndarray of shape (D, H, W), int32
        Numbered by their first pixels in raster order; -1 where `labels` is negative.
    n_regions : int
    """
    regions = np.empty_like(labels)
    return regions, connectivity.connected_components(labels, regions)


def without_gaps(labels):
    """Renumber labels as 0, 1, ... without gaps, in their own order, in place.

    Parameters
    ----------
    labels : ndarray of shape (D, H, W), int32
        Negative where a pixel has no label.

    Returns
    -------
    n_labels : int
    """
    present = np.bincount(labels[labels >= 0]) > 0
    connectivity.relabel(labels, (np.cumsum(present) - 1).astype(np.int32))
    return np.count_nonzero(present)


def merge_small_regions(features, regions, n_regions, min_count, threads=ONE_THREAD):
    """Merge each small region into the neighbour for which this costs least, in place.

    The cost is Ward's: the increase of the sum of squared distances to the regions' means.
    What happens to a region depends on its surroundings only, and not on the rest of the image.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    regions : ndarray of shape (D, H, W), int32
        Connected regions, 0 .. `n_regions` - 1; -1 where a pixel has no label.
    n_regions : int
    min_count : float
        A region with fewer pixels than this is small.

    Returns
    -------
    n_regions : int
        Number of regions left. A small region with no neighbour is kept.
    """
    all_sums = label_sums(features, regions, n_regions, threads)
    counts, sums = all_sums[:, 0].copy(), all_sums[:, 4 : 4 + len(features)].copy()
    small = counts < min_count
    if not small.any():
        return n_regions
    pairs, _ = touching_regions(regions, small)
    parents = np.arange(n_regions, dtype=np.int32)
    merging.merge_small(min_count, pairs, counts, sums, parents)
    return renumber(regions, parents)


def touching_regions(regions, wanted):
    """List the pairs of regions that touch.

    Parameters
    ----------
    regions : ndarray of shape (D, H, W), int32
        Negative where a pixel has no label.
    wanted : ndarray of shape (K,), bool
        Only pairs with at least one wanted region are listed.

    Returns
    -------
    pairs : ndarray of shape (n, 2), int32
        Lower region, higher region; each pair once.
    faces : ndarray of shape (n,), int32
        Number of pixel faces that the two regions share.
    """
    capacity, n_pairs = 2 * len(wanted), -1
    while n_pairs < 0:
        capacity *= 2
        pairs, faces = np.empty((capacity, 2), np.int32), np.empty(capacity, np.int32)
        table = np.empty(1 << (3 * capacity // 2).bit_length(), np.int32)
        n_pairs = connectivity.borders(regions, wanted, table, pairs, faces)
    return pairs[:n_pairs], faces[:n_pairs]


def renumber(regions, parents):
    """Renumber merged regions as 0, 1, ... in the order of their first pixels, in place."""
    n_regions = connectivity.number_roots(parents)
    connectivity.relabel(regions, parents)
    return n_regions
