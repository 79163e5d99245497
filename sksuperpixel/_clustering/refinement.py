"""A last pass: pixels on the borders of regions change sides where that pays."""

import numpy as np

from sksuperpixel._clustering.kernels.refinement import move_border_pixels
from sksuperpixel._clustering.sums import label_sums
from sksuperpixel._clustering.threads import ONE_THREAD

# Chosen on BSDS500's validation images, for CIELAB and learned features. A pixel face of border
# costs this share of the squared compactness: what SLIC pays for distances in space, for they
# alone would make borders short. So these count by this share of their weight only.
_BORDER_COST = 0.3
_COMPACTNESS = 0.25


def refine_borders(features, regions, n_regions, grid, compactness, max_iter, threads=ONE_THREAD):
    """Move single pixels across borders, in place, while every region stays connected.

    What falls is the sum of squared differences of features to the regions' means, of distances
    in space to their centres, and the length of the borders: pixel by pixel, in raster order
    and, every other time, in the reverse of it.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    regions : ndarray of shape (D, H, W), int32
        Connected regions, 0 .. `n_regions` - 1; -1 where a pixel belongs to nothing.
    n_regions : int
    grid : Grid
        With about as many cells as regions.
    compactness : float
        Of the clusters.
    max_iter : int
        Most passes over all borders; means and centres are those before each pass.
    threads : Threads, default=ONE_THREAD
    """
    scale = grid.scale(_COMPACTNESS * compactness).astype(np.float64)
    # Borders are surfaces in pixels' true proportions: faces across a long axis are small.
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
