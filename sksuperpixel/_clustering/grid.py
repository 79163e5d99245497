"""The regular grid on which clusters start."""

from dataclasses import dataclass

import numpy as np

from sksuperpixel._clustering.kernels.grid import seeds_in_mask

# A cell may be this much longer than the image, or shorter than a pixel, by rounding.
_ROUNDING = 1e-12


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
        # A cell is at most as long as the image, and at least one pixel long. Where it would not
        # be, its length is fixed, and the other axes get what is left: the worst axis first.
        lengths = [1 if n == 1 else None for n in shape]
        while None in lengths:
            free = [axis for axis in range(3) if lengths[axis] is None]
            each = n_pixels / np.prod([length for length in lengths if length is not None])
            size = (each * np.prod([spacing[axis] for axis in free])) ** (1 / len(free))
            excess = {
                axis: max(size / spacing[axis] / shape[axis], spacing[axis] / size)
                for axis in free
            }
            worst = max(free, key=excess.get)
            if excess[worst] <= 1 + _ROUNDING:
                return cls(shape, float(size), spacing)
            lengths[worst] = 1 if size < spacing[worst] else shape[worst]
        # All lengths are fixed; the step of the longest gives all of them.
        longest = max(length * step for length, step in zip(lengths, spacing, strict=True))
        return cls(shape, float(longest), spacing)

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
            inside = (centre >= start) & (centre < stop)
            if mask is not None:
                # A cell cut by the window's border still seeds the pixels inside.
                inside = (edge[1:] > start) & (edge[:-1] < stop)
            first, last = np.flatnonzero(inside)[[0, -1]]
            edges.append(np.clip(edge[first : last + 2] - start, 0, stop - start).astype(np.int32))
            centres.append(centre[inside] - start)
        seeds = np.stack(np.meshgrid(*centres, indexing="ij"), axis=-1).reshape(-1, 3)
        seeds = np.ascontiguousarray(seeds, dtype=np.int32)
        if mask is None:
            return seeds
        found = np.empty(len(seeds), bool)
        seeds_in_mask(mask, *edges, seeds, found)
        return seeds[found]
