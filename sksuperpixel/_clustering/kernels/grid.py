"""Move the seeds of the grid into a mask."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import kernel


@kernel
def seeds_in_mask(
    mask,  # IN (D, H, W) bool
    edges_z,  # IN (cells + 1,) int32: where the grid's cells begin and end
    edges_y,  # IN
    edges_x,  # IN
    seeds,  # IN and OUT (cells, 3) int32: moved to the nearest pixel of the mask in their cell
    found,  # OUT (cells,) bool: whether there is one
):
    """Move each cell's seed to the pixel of the mask nearest to it within the cell."""
    k = 0
    for cell_z in range(len(edges_z) - 1):
        for cell_y in range(len(edges_y) - 1):
            for cell_x in range(len(edges_x) - 1):
                sz, sy, sx = seeds[k, 0], seeds[k, 1], seeds[k, 2]
                nearest = np.int64(-1)
                for z in range(edges_z[cell_z], edges_z[cell_z + 1]):
                    for y in range(edges_y[cell_y], edges_y[cell_y + 1]):
                        for x in range(edges_x[cell_x], edges_x[cell_x + 1]):
                            if not mask[z, y, x]:
                                continue
                            d = (z - sz) ** 2 + (y - sy) ** 2 + (x - sx) ** 2
                            if nearest < 0 or d < nearest:
                                nearest = d
                                seeds[k, 0], seeds[k, 1], seeds[k, 2] = z, y, x
                found[k] = nearest >= 0
                k += 1
