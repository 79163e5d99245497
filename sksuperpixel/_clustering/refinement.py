"""Refine the borders of regions by moving single pixels across them."""

from functools import lru_cache

import numpy as np

from sksuperpixel._clustering.kernels import refinement as kernels
from sksuperpixel._clustering.runs import Runs

# Each pixel face of border costs `_BORDER_COST` times the squared compactness. Short borders
# already make regions compact, so for distances in space the compactness is multiplied by
# `_COMPACTNESS`. Both were chosen on BSDS500's validation images, for CIELAB and for learned
# features.
_BORDER_COST = 0.3
_COMPACTNESS = 0.25


def refine_borders(features, regions, grid, compactness, max_iter):
    """Move single pixels across borders, in place, while every region stays connected.

    A pixel moves if this lowers the sum of three terms: squared differences of features to the
    regions' means, squared distances in space to their centres, and the length of all borders.
    A pass goes through the pixels in raster order, every other pass in reverse order.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    regions : Regions
    grid : Grid
        A grid with about as many cells as there are regions.
    compactness : float
        Weight of distance in space, as in the clustering.
    max_iter : int
        Maximum number of passes over all borders. Means and centres are updated between passes.
    """
    scale = grid.scale(_COMPACTNESS * compactness).astype(np.float64)
    # A face has the size of a pixel along the other two axes, so it is small across an axis along
    # which pixels are long.
    spacing = np.asarray(grid.spacing, np.float64)
    faces = _BORDER_COST * compactness**2 * spacing.min() / spacing
    depth, height, width = regions.runs.shape
    labels = np.full((depth + 2, height + 2, width + 2), -1, np.int32)
    inner = labels[1:-1, 1:-1, 1:-1]
    inner[:] = regions.runs.label_map()
    marks, marked_rows = np.empty(labels.shape, np.uint8), np.empty(labels.shape[:2], np.uint8)
    kernels.mark_borders(labels, marks, marked_rows)
    pixels, sums = features.reshape(len(features), -1), regions.sums
    for iteration in range(max_iter):
        n_moved = kernels.move_marked_pixels(
            pixels,
            scale,
            faces,
            sums[:, 1:] / sums[:, :1],
            _movable(),
            iteration % 2 == 1,
            marks,
            marked_rows,
            sums,
            labels,
        )
        if n_moved == 0:
            break
    regions.runs = Runs.of(np.ascontiguousarray(inner))


@lru_cache
def _movable():
    """Tabulate which pixels of a plane may leave their region, see the kernel."""
    movable = np.empty(256, bool)
    kernels.movable_by_neighbours(movable)
    return movable
