"""The regular grid on which clusters start."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sksuperpixel._clustering.kernels.grid import seeds_in_mask


@dataclass(frozen=True)
class Grid:
    """The regular grid of seeds over a whole image.

    The grid belongs to the whole image even where only a window of it is in memory. A tile then
    has the seeds, and in the end the regions, that the whole image has there.

    Attributes
    ----------
    shape : tuple of 3 int
        Planes, rows and columns of the whole image.
    size : float
        Grid step S, in units of `spacing`.
    spacing : tuple of 3 float
        Size of a pixel along each axis.
    """

    shape: tuple
    size: float
    spacing: tuple = (1.0, 1.0, 1.0)

    @classmethod
    def with_cells(cls, shape, n_pixels, spacing=(1.0, 1.0, 1.0)):
        """Make the grid whose cells have about the given number of pixels.

        Parameters
        ----------
        shape : tuple of 3 int
        n_pixels : float
        spacing : tuple of 3 float

        Returns
        -------
        Grid
        """
        shape, spacing = tuple(shape), tuple(spacing)
        return cls(shape, _step_of_cells(shape, n_pixels, spacing), spacing)

    @property
    def n_cells(self):
        """Number of cells along each axis: extent / S, rounded, between 1 and the pixels."""
        return tuple(
            min(max(1, int(n * step / self.size + 0.5)), n)
            for n, step in zip(self.shape, self.spacing, strict=True)
        )

    @property
    def cell_volume(self):
        """Number of pixels in a cube of the grid's step.

        Along each axis it has at least one pixel, and at most as many as the image.
        """
        return np.prod(
            [
                min(max(self.size / step, 1), n)
                for n, step in zip(self.shape, self.spacing, strict=True)
            ]
        )

    @property
    def half_window(self):
        """Half of a cluster's window along each axis, in pixels: float32 of shape (3,).

        It is no longer than the image, because the kernels' buffers have the window's size.
        """
        half = self.size / np.asarray(self.spacing)
        return np.minimum(half, np.asarray(self.shape)).astype(np.float32)

    def scale(self, compactness):
        """Weight of a distance of one pixel along each axis, in units of the features.

        Parameters
        ----------
        compactness : float or ndarray of shape (K,)

        Returns
        -------
        ndarray of shape (..., 3), float32
        """
        step = np.asarray(self.spacing) / self.size
        return (np.asarray(compactness, np.float64)[..., np.newaxis] * step).astype(np.float32)

    def seeds(self, window=None, mask=None):
        """Find the centres of the grid's cells.

        Parameters
        ----------
        window : sequence of 3 slice, default=None
            The part of the image in memory; None for the whole.
        mask : ndarray of shape (D, H, W), bool, default=None
            Mask of the window. The seed of a cell is the pixel of the mask nearest to the cell's
            centre; a cell without such a pixel has no seed.

        Returns
        -------
        ndarray of shape (K, 3), int32
            Positions in the window, in raster order.
        """
        starts = [0, 0, 0] if window is None else [axis.start for axis in window]
        stops = self.shape if window is None else [axis.stop for axis in window]
        edges, centres = [], []
        for n, cells, start, stop in zip(self.shape, self.n_cells, starts, stops, strict=True):
            edge = np.arange(cells + 1) * n // cells
            centre = ((2 * np.arange(cells) + 1) * n) // (2 * cells)
            # Rounding can put the centre of a narrow cell into the next cell. That cell then
            # begins after it, so that a mask which is True everywhere moves no seed.
            edge[1:-1] = np.maximum(edge[1:-1], centre[:-1] + 1)
            inside = (centre >= start) & (centre < stop)
            if mask is not None:
                # A cell cut by the window's border still seeds the pixels inside.
                inside = (edge[1:] > start) & (edge[:-1] < stop)
            first, last = np.flatnonzero(inside)[[0, -1]]
            edges.append(np.clip(edge[first : last + 2] - start, 0, stop - start).astype(np.int32))
            centres.append(centre[inside] - start)
        seeds = np.empty((*map(len, centres), 3), np.int32)
        for axis, along in enumerate(np.ix_(*centres)):
            seeds[..., axis] = along
        seeds = seeds.reshape(-1, 3)
        if mask is None:
            return seeds
        found = np.empty(len(seeds), bool)
        seeds_in_mask(mask, *edges, seeds, found)
        return seeds[found]


def _step_of_cells(shape, n_pixels, spacing):
    """Find the step whose cells have about a number of pixels.

    A cell grows with the step, but along each axis only from one pixel to the whole image. So
    between two steps at which an axis starts or stops growing, its volume is a power of the step.
    """
    starts = list(spacing)
    stops = [n * step for n, step in zip(shape, spacing, strict=True)]
    bounds = sorted({*starts, *stops})
    for low, high in pairwise(bounds):
        growing = [axis for axis in range(3) if starts[axis] <= low and high <= stops[axis]]
        if not growing:
            continue
        others = np.prod([shape[axis] for axis in range(3) if stops[axis] <= low])
        size = n_pixels / others * np.prod([spacing[axis] for axis in growing])
        size = size ** (1 / len(growing))
        if size <= high:
            return float(max(size, low))
    return float(bounds[-1])
