"""How superpixels and segments overlap: one table under all overlap metrics.

A table has far more cells than there are overlaps, so only the cells that are not zero are
kept, ordered by superpixel, then by segment. Each metric is a few sums over them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

# Tables over labels, or over pairs of labels, are made dense up to so many cells a pixel:
# counting in a dense table is much faster than sorting, as long as it stays in the cache.
_CELLS_PER_PIXEL = 8


def densify(labels):
    """Replace the labels that occur by 0, 1, ..., in their order.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        Any integers.

    Returns
    -------
    codes : ndarray of intp, shape (N,)
        The number of each label.

    n_labels : int
        How many labels occur.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel._contingency import densify
    >>> densify(np.array([7, -2, 900, 7]))
    (array([1, 0, 2, 1]), 3)
    """
    if labels.size == 0:
        return np.zeros(0, dtype=np.intp), 0
    low, high = int(labels.min()), int(labels.max())
    n_cells = high - low + 1
    if n_cells > _CELLS_PER_PIXEL * labels.size:
        values, codes = np.unique(labels, return_inverse=True)
        return codes.astype(np.intp, copy=False), len(values)
    # Small signed types overflow in the difference, and only uint64 goes beyond int64.
    offsets = labels if labels.dtype.kind == "u" else labels.astype(np.int64)
    offsets = (offsets - offsets.dtype.type(low)).astype(np.intp)
    occurs = np.zeros(n_cells, dtype=bool)
    occurs[offsets] = True
    numbers = np.cumsum(occurs) - 1
    return numbers[offsets], int(numbers[-1]) + 1


@dataclass(frozen=True)
class Contingency:
    """The overlaps of superpixels and segments, ordered by superpixel, then by segment.

    Parameters
    ----------
    superpixel, segment : ndarray of intp, shape (n_overlaps,)
        Which two regions overlap, numbered from 0 without gaps.

    count : ndarray of intp, shape (n_overlaps,)
        In how many pixels, at least one.
    """

    superpixel: np.ndarray
    segment: np.ndarray
    count: np.ndarray

    @classmethod
    def from_codes(cls, superpixels, segments):
        """Count the overlaps.

        Parameters
        ----------
        superpixels, segments : ndarray of intp, shape (N,)
            Two labels a pixel, each numbered from 0 without gaps, see `densify`.

        Returns
        -------
        Contingency
            The table.
        """
        n_segments = int(segments.max()) + 1
        n_cells = (int(superpixels.max()) + 1) * n_segments
        cells = superpixels * n_segments + segments
        if n_cells <= _CELLS_PER_PIXEL * len(cells):
            table = np.bincount(cells, minlength=n_cells)
            cells = np.flatnonzero(table)
            count = table[cells]
        else:
            cells, count = np.unique(cells, return_counts=True)
        superpixel, segment = np.divmod(cells, n_segments)
        return cls(superpixel, segment, count)

    @cached_property
    def n_pixels(self):
        """Number of pixels, int."""
        return int(self.count.sum())

    @cached_property
    def superpixel_sizes(self):
        """Pixels of each superpixel, ndarray of intp, shape (n_superpixels,)."""
        return np.add.reduceat(self.count, self._first_of_superpixel)

    @cached_property
    def segment_sizes(self):
        """Pixels of each segment, ndarray of intp, shape (n_segments,)."""
        return np.bincount(self.segment, weights=self.count).astype(np.intp)

    @cached_property
    def largest_overlaps(self):
        """Each superpixel's largest overlap, the lower segment in a tie.

        ndarray of intp, shape (n_superpixels,): where the overlap stands in the table.
        """
        largest = np.maximum.reduceat(self.count, self._first_of_superpixel)
        candidates = np.flatnonzero(self.count == largest[self.superpixel])
        return candidates[_starts(self.superpixel[candidates])]

    def undersegmentation_error(self):
        """Sum over the overlaps of min(inside, outside) / N; outside is the superpixel's rest."""
        outside = self.superpixel_sizes[self.superpixel] - self.count
        return float(np.minimum(self.count, outside).sum() / self.n_pixels)

    def achievable_segmentation_accuracy(self):
        """Share of the pixels right when each superpixel takes its majority segment."""
        return float(self.count[self.largest_overlaps].sum() / self.n_pixels)

    def achievable_iou(self):
        """IoU of each segment with the superpixels that take it, weighted by segment size."""
        n_segments = len(self.segment_sizes)
        taken = self.segment[self.largest_overlaps]
        overlap = self.count[self.largest_overlaps]
        intersection = np.bincount(taken, weights=overlap, minlength=n_segments)
        covered = np.bincount(taken, weights=self.superpixel_sizes, minlength=n_segments)
        iou = intersection / (self.segment_sizes + covered - intersection)
        return float(self.segment_sizes @ iou / self.n_pixels)

    @cached_property
    def _first_of_superpixel(self):
        return _starts(self.superpixel)


def _starts(groups):
    """Where each run of equal entries begins."""
    return np.flatnonzero(np.diff(groups, prepend=-1))
