"""How regions and segments overlap: one table for all overlap metrics and for learning.

Most regions overlap few segments, so the table stores only overlaps that have pixels, ordered by
region, then by segment. Each metric is a few sums over these overlaps.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

# A table over labels, or over pairs of labels, is made dense if it has at most this number of
# cells per pixel: counting in a dense table is much faster than sorting, as long as the table
# stays in the cache.
_CELLS_PER_PIXEL = 8


def densify(labels):
    """Renumber the labels that occur as 0, 1, ..., in their order.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        Any integers.

    Returns
    -------
    codes : ndarray of intp, shape (N,)
        The number of each label.

    n_labels : int
        Number of different labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel._label_maps.overlaps import densify
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
    # The difference of two labels can overflow small signed types, so those become int64.
    # Unsigned types are kept, because uint64 holds numbers that int64 does not.
    offsets = labels if labels.dtype.kind == "u" else labels.astype(np.int64)
    offsets = (offsets - offsets.dtype.type(low)).astype(np.intp)
    occurs = np.zeros(n_cells, dtype=bool)
    occurs[offsets] = True
    numbers = np.cumsum(occurs) - 1
    return numbers[offsets], int(numbers[-1]) + 1


@dataclass(frozen=True)
class Contingency:
    """The overlaps of regions and segments, ordered by region, then by segment.

    Regions are superpixels or clusters. Regions and segments are numbered from 0. Not every
    number needs to have pixels.

    Parameters
    ----------
    region, segment : ndarray of intp, shape (n_overlaps,)
        The region and the segment of each overlap.

    count : ndarray of intp, shape (n_overlaps,)
        Number of pixels of each overlap, at least one.

    n_regions, n_segments : int
        One more than the largest possible region and segment.
    """

    region: np.ndarray
    segment: np.ndarray
    count: np.ndarray
    n_regions: int
    n_segments: int

    @classmethod
    def from_codes(cls, regions, segments, n_regions=None, n_segments=None):
        """Count the overlaps of two label maps in which every pixel counts.

        Parameters
        ----------
        regions, segments : ndarray of intp, shape (N,)
            The region and the segment of each pixel, numbered from 0, see `densify`.

        n_regions, n_segments : int, default=None
            One more than the largest possible region and segment. If None, than the largest
            that occurs.

        Returns
        -------
        Contingency
            The table.
        """
        if n_regions is None:
            n_regions = int(regions.max(initial=-1)) + 1
        if n_segments is None:
            n_segments = int(segments.max(initial=-1)) + 1
        n_cells = n_regions * n_segments
        cells = regions * n_segments + segments
        if n_cells <= _CELLS_PER_PIXEL * len(cells):
            table = np.bincount(cells, minlength=n_cells)
            cells = np.flatnonzero(table)
            count = table[cells]
        else:
            cells, count = np.unique(cells, return_counts=True)
        region, segment = np.divmod(cells, max(n_segments, 1))
        return cls(region, segment, count, n_regions, n_segments)

    @classmethod
    def from_maps(cls, regions, segments, n_regions):
        """Count the overlaps of two label maps, leaving out pixels with a negative label.

        Parameters
        ----------
        regions, segments : ndarray of int, the same shape
            The region and the segment of each pixel, numbered from 0; negative where there is
            none.

        n_regions : int
            One more than the largest possible region.

        Returns
        -------
        Contingency
            The table.
        """
        valid = (regions >= 0) & (segments >= 0)
        codes = (labels[valid].astype(np.intp) for labels in (regions, segments))
        # A segment counts even if all of its pixels lie outside the regions.
        return cls.from_codes(*codes, n_regions, int(segments.max(initial=-1)) + 1)

    @cached_property
    def n_pixels(self):
        """Number of pixels, int."""
        return int(self.count.sum())

    @cached_property
    def region_sizes(self):
        """Pixels of each region, ndarray of intp, shape (n_regions,)."""
        return _sums(self.region, self.count, self.n_regions)

    @cached_property
    def segment_sizes(self):
        """Pixels of each segment, ndarray of intp, shape (n_segments,)."""
        return _sums(self.segment, self.count, self.n_segments)

    @cached_property
    def largest_overlaps(self):
        """Positions in the table of the largest overlap of each region that has pixels.

        ndarray of intp, one entry per region with pixels, in the order of the regions. In a tie,
        it is the overlap with the lower segment.
        """
        starts = _starts(self.region)
        largest = np.zeros(self.n_regions, dtype=np.intp)
        if len(starts):
            largest[self.region[starts]] = np.maximum.reduceat(self.count, starts)
        candidates = np.flatnonzero(self.count == largest[self.region])
        return candidates[_starts(self.region[candidates])]

    @cached_property
    def majority(self):
        """The segment that each region overlaps most, ndarray of intp, shape (n_regions,).

        In a tie, it is the lower segment. A region without pixels has -1.
        """
        majority = np.full(self.n_regions, -1)
        majority[self.region[self.largest_overlaps]] = self.segment[self.largest_overlaps]
        return majority

    def shares(self):
        """Compute the fraction of each region that lies in each segment.

        Returns
        -------
        ndarray of float64, shape (n_regions, n_segments)
            Each row sums to 1, except that of a region without pixels, which is 0.
        """
        shares = np.zeros((self.n_regions, self.n_segments))
        shares[self.region, self.segment] = self.count / self.region_sizes[self.region]
        return shares

    def shares_at(self, regions, segments):
        """Look up the fraction of some regions that lies in some segments.

        Parameters
        ----------
        regions, segments : ndarray of int, the same shape
            Numbers of regions and segments; none of them is negative.

        Returns
        -------
        ndarray of float64, of that shape
            0 where a region and a segment do not overlap.
        """
        if len(self.count) == 0:
            return np.zeros(np.shape(regions))
        keys = self.region * self.n_segments + self.segment  # ascending
        wanted = regions.astype(np.int64) * self.n_segments + segments
        found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        overlaps = (keys[found] == wanted) & (segments < self.n_segments)
        return np.where(overlaps, self.count[found] / self.region_sizes[self.region[found]], 0.0)

    def undersegmentation_error(self):
        """Sum min(inside, outside) / N over the overlaps; outside is the rest of the region."""
        outside = self.region_sizes[self.region] - self.count
        return float(np.minimum(self.count, outside).sum() / self.n_pixels)

    def achievable_segmentation_accuracy(self):
        """Compute the fraction of pixels that are right if regions take their majority segment."""
        return float(self.count[self.largest_overlaps].sum() / self.n_pixels)

    def achievable_iou(self):
        """Average the IoU of each segment and the regions that take it, weighted by its size."""
        taken = self.segment[self.largest_overlaps]
        overlap = self.count[self.largest_overlaps]
        whole = self.region_sizes[self.region[self.largest_overlaps]]
        intersection = np.bincount(taken, weights=overlap, minlength=self.n_segments)
        covered = np.bincount(taken, weights=whole, minlength=self.n_segments)
        union = self.segment_sizes + covered - intersection
        # A segment without pixels that no region takes has a weight of 0.
        iou = intersection / np.maximum(union, 1)
        return float(self.segment_sizes @ iou / self.n_pixels)


def _sums(groups, counts, n_groups):
    return np.bincount(groups, weights=counts, minlength=n_groups).astype(np.intp)


def _starts(groups):
    """Find where each run of equal entries begins."""
    return np.flatnonzero(np.diff(groups, prepend=-1))
