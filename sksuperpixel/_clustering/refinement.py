"""Refine the borders of regions by moving single pixels across them."""

from functools import lru_cache, partial

import numpy as np

from sksuperpixel._clustering.kernels import refinement as kernels
from sksuperpixel._clustering.runs import Runs
from sksuperpixel._clustering.threads import ONE_THREAD, split_range

# Each pixel face of border costs `_BORDER_COST` times the squared compactness. Short borders
# already make regions compact, so for distances in space the compactness is multiplied by
# `_COMPACTNESS`. Both were chosen on BSDS500's validation images, for CIELAB and for learned
# features.
_BORDER_COST = 0.3
_COMPACTNESS = 0.25
# Threads share the blocks. Results depend on these numbers, but hardly.
_ROWS_OF_BLOCK = 32
_PLANES_OF_BLOCK = 4


def refine_borders(features, regions, grid, compactness, max_iter, threads=ONE_THREAD):
    """Move single pixels across borders, in place, while every region stays connected.

    A pixel moves if this lowers the sum of three terms: squared differences of features to the
    regions' means, squared distances in space to their centres, and the length of all borders.
    A pass first goes through every other block of rows, in raster order, and then through the
    blocks in between; every other pass goes through the pixels of a block in reverse order.

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
    threads : Threads, default=ONE_THREAD
    """
    scale = grid.scale(_COMPACTNESS * compactness).astype(np.float64)
    # A face has the size of a pixel along the other two axes, so it is small across an axis along
    # which pixels are long.
    spacing = np.asarray(grid.spacing, np.float64)
    faces = _BORDER_COST * compactness**2 * spacing.min() / spacing
    depth, height, width = regions.runs.shape
    labels = _in_frame(regions.runs.label_map())
    marks, marked_rows = np.empty(labels.shape, np.uint8), np.empty(labels.shape[:2], np.uint8)
    kernels.mark_borders(labels, marks, marked_rows)
    pixels, sums = features.reshape(len(features), -1), regions.sums
    # In a volume, a block is made of whole planes.
    block = _ROWS_OF_BLOCK if depth == 1 else _PLANES_OF_BLOCK * height
    n_blocks = -(-depth * height // block)
    moved, n_moved = np.empty((pixels.shape[1], 2), np.int64), np.zeros(n_blocks, np.int64)

    def run_blocks(means, backward, blocks):
        kernels.move_marked_pixels(
            pixels,
            scale,
            faces,
            means,
            _movable(),
            backward,
            block,
            blocks,
            marks,
            marked_rows,
            labels,
            moved,
            n_moved,
        )

    for iteration in range(max_iter):
        part = partial(run_blocks, sums[:, 1:] / sums[:, :1], iteration % 2 == 1)
        for parity in range(2):
            # An even number of blocks per thread, so that each begins with the same parity.
            pairs = split_range(-(-n_blocks // 2), threads.n_threads)
            threads.run(part, [(2 * a + parity, min(2 * b, n_blocks)) for a, b in pairs])
        if kernels.add_moves(pixels, block * width, moved, n_moved, labels, sums) == 0:
            break
    regions.runs = Runs.of(np.ascontiguousarray(labels[1:-1, 1:-1, 1:-1]))


def _in_frame(label_map):
    """Put -1 around a label map, so that its outermost pixels need no care."""
    labels = np.full([n + 2 for n in label_map.shape], -1, np.int32)
    labels[1:-1, 1:-1, 1:-1] = label_map
    return labels


@lru_cache
def _movable():
    """Tabulate which pixels of a plane may leave their region, see the kernel."""
    movable = np.empty(256, bool)
    kernels.movable_by_neighbours(movable)
    return movable
