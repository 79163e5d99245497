"""Merge regions that touch, the cheapest pair first, until a given number is left."""

import numpy as np

from sksuperpixel._clustering.connectivity import renumber, touching_regions
from sksuperpixel._clustering.kernels import merging
from sksuperpixel._clustering.sums import label_sums
from sksuperpixel._clustering.threads import ONE_THREAD

# The cost of a merge is divided by the length of the border between the two regions to this
# power. It was chosen on BSDS500's validation images among 0 (Ward's cost), 1/5, 1/4, 1/3, 1/2
# and 1 (the cost per unit of length of Koepfler, Lopez and Morel). Larger powers give a better
# overlap with the ground truth at equal compactness; smaller ones find more of its borders.
_BORDER_POWER = 1 / 4
# With an edge map, the cost is multiplied by this plus the mean edge strength on the border that
# disappears. It was chosen on half of the same images, with a learned edge map, among 1/10, 1/5,
# 2/5 and 1.
_EDGE_OFFSET = 2 / 5
# Strips along uncertain edges are not worth a superpixel. If one of two regions is thinner than
# this, in pixels, the cost of merging them is multiplied by its thickness as a fraction of this.
_THICK = 3.0


def merge_to_number(features, regions, n_regions, n_wanted, scale, edges=None, threads=ONE_THREAD):
    """Merge adjacent regions, the cheapest pair first, until `n_wanted` are left, in place.

    The cost is Ward's, in features and space, divided by the fourth root of the length of the
    border that disappears. Of two pairs that are otherwise equal, the one with the longer border
    is therefore merged first. With an edge map, pairs with weaker edges on their border cost
    less.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    regions : ndarray of shape (D, H, W), int32
        Connected regions, 0 .. `n_regions` - 1; -1 where a pixel has no label.
    n_regions, n_wanted : int
    scale : ndarray of shape (3,)
        Weight of a distance of one pixel along each axis, in units of the features.
    edges : ndarray of shape (D, H, W), float32, default=None
        Strength of the edge at each pixel, in [0, 1].
    threads : Threads, default=ONE_THREAD

    Returns
    -------
    n_regions : int
        `n_wanted`, or more if the regions that are left do not touch.
    """
    if n_regions <= n_wanted:
        return n_regions
    sums = label_sums(features, regions, n_regions, threads)
    counts, positions, sums = sums[:, 0].copy(), sums[:, 1:4], sums[:, 4 : 4 + len(features)]
    pairs, faces = touching_regions(regions, np.ones(n_regions, bool))
    perimeters = np.bincount(pairs.ravel(), np.repeat(faces, 2), minlength=n_regions)
    parents = np.arange(n_regions, dtype=np.int32)
    sums = np.hstack((sums, positions * np.asarray(scale, np.float64)))
    offset, strengths = 1.0, np.zeros(len(pairs))
    if edges is not None:
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        pairs, faces = pairs[order], faces[order]
        starts = np.searchsorted(pairs[:, 0], np.arange(n_regions + 1))
        offset = _EDGE_OFFSET
        merging.strengths_at_borders(regions, edges, pairs, starts, strengths)
    merging.merge_cheapest(
        n_wanted,
        _BORDER_POWER,
        offset,
        _THICK,
        pairs,
        faces,
        strengths,
        counts,
        perimeters,
        sums,
        parents,
    )
    return renumber(regions, parents)
