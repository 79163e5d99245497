"""Merge regions that touch, the cheapest pair first, until a given number is left."""

import numpy as np

from sksuperpixel._clustering.kernels import merging

# The cost of a merge is divided by the fourth root of the length of the border between the two
# regions. This power was chosen on BSDS500's validation images among 0 (Ward's cost), 1/5, 1/4,
# 1/3, 1/2 and 1 (the cost per unit of length of Koepfler, Lopez and Morel). Larger powers give a
# better overlap with the ground truth at equal compactness; smaller ones find more of its borders.
#
# With an edge map, the cost is multiplied by this plus the mean edge strength on the border that
# disappears. It was chosen on half of the same images, with a learned edge map, among 1/10, 1/5,
# 2/5 and 1.
_EDGE_OFFSET = 2 / 5
# Strips along uncertain edges are not worth a superpixel. If the thinner of two regions is thinner
# than `_THICK` pixels, the cost of merging them is multiplied by its thickness over `_THICK`. This
# was chosen among 3 and 4 on BSDS500's validation images, for CIELAB and for learned features.
# With 3, half of the superpixels that are nowhere thicker than four pixels are gone, more borders
# are found, and the overlap with the ground truth is the same or hardly worse.
_THICK = 3.0


def merge_to_number(regions, n_wanted, scale, edges=None):
    """Merge adjacent regions, the cheapest pair first, until `n_wanted` are left, in place.

    The cost is Ward's, in features and space, divided by the fourth root of the length of the
    border that disappears. Of two pairs that are otherwise equal, the one with the longer border
    is therefore merged first. With an edge map, pairs with weaker edges on their border cost
    less. Thin regions cost less, too.

    Parameters
    ----------
    regions : Regions
        If not enough of them touch, more than `n_wanted` are left.
    n_wanted : int
    scale : ndarray of shape (3,)
        Weight of a distance of one pixel along each axis, in units of the features.
    edges : ndarray of shape (D, H, W), float32, default=None
        Strength of the edge at each pixel, in [0, 1].
    """
    if len(regions) <= n_wanted:
        return
    pairs, faces, strengths = regions.runs.touching(len(regions), edges)
    parents = np.empty(len(regions), np.int32)
    merging.merge_cheapest(
        n_wanted,
        1.0 if edges is None else _EDGE_OFFSET,
        _THICK,
        pairs,
        faces,
        strengths,
        np.asarray(scale, np.float64),
        regions.sums,
        parents,
    )
    regions.join(parents)
