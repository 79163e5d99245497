"""Regions that are not too small, and labels without gaps."""

import numpy as np

from sksuperpixel._clustering.kernels import merging


def without_gaps(labels):
    """Renumber labels as 0, 1, ... without gaps, in their own order.

    Parameters
    ----------
    labels : ndarray of shape (D, H, W), int32
        Negative where a pixel has no label.

    Returns
    -------
    ndarray of shape (D, H, W), int32
        -1 where a pixel has no label.
    """
    present = np.bincount(labels[labels >= 0]) > 0
    numbers = np.append(np.cumsum(present) - 1, -1).astype(np.int32)
    return numbers[np.maximum(labels, -1)]


def merge_small_regions(regions, min_count):
    """Merge each small region into the neighbour for which this costs least, in place.

    The cost is Ward's: the increase of the sum of squared distances to the regions' means.
    What happens to a region depends on its surroundings only, and not on the rest of the image.

    Parameters
    ----------
    regions : Regions
        A small region with no neighbour is kept.
    min_count : float
        A region with fewer pixels than this is small.
    """
    small = regions.counts < min_count
    if not small.any():
        return
    pairs = regions.runs.touching_small(small)
    parents = np.empty(len(regions), np.int32)
    merging.merge_small(min_count, pairs, regions.sums, parents)
    regions.join(parents)
