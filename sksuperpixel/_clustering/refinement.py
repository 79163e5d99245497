"""Refine the borders of regions by moving single pixels across them."""

import numpy as np

from sksuperpixel._clustering.kernels.refinement import move_border_pixels
from sksuperpixel._clustering.sums import label_sums
from sksuperpixel._clustering.threads import ONE_THREAD

# Each pixel face of border costs `_BORDER_COST` times the squared compactness. Short borders
# already make regions compact, so for distances in space the compactness is multiplied by
# `_COMPACTNESS`. Both were chosen on BSDS500's validation images, for CIELAB and for learned
# features.
_BORDER_COST = 0.3
_COMPACTNESS = 0.25


def refine_borders(features, regions, n_regions, grid, compactness, max_iter, threads=ONE_THREAD):
    """Move single pixels across borders, in place, while every region stays connected.

    A pixel moves if this lowers the sum of three terms: squared differences of features to the
    regions' means, squared distances in space to their centres, and the length of all borders.
    A pass goes through the pixels in raster order, every other pass in reverse order.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    regions : ndarray of shape (D, H, W), int32
        Connected regions, 0 .. `n_regions` - 1; -1 where a pixel has no label.
    n_regions : int
    grid : Grid
        A grid with about as many cells as there are regions.
    compactness : float
        Weight of distance in space, as in the clustering.
    max_iter : int
        Maximum number of passes over all borders. Means and centres are updated between passes.
    threads : Threads, default=ONE_THREAD
    """
    scale = grid.scale(_COMPACTNESS * compactness).astype(np.float64)
    # A face has the size of a pixel along the other two axes, so it is small across an axis along
    # which pixels are long.
    spacing = np.asarray(grid.spacing, np.float64)
    faces = _BORDER_COST * compactness**2 * spacing.min() / spacing
    sums = label_sums(features, regions, n_regions, threads)[:, : 4 + len(features)]
    changed = np.full(n_regions, -1)
    for iteration in range(max_iter):
        means = sums[:, 1:] / sums[:, :1]
        if not move_border_pixels(
            features, scale, faces, means, iteration, changed, sums, regions
        ):
            return
