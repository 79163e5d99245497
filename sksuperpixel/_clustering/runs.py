"""Label maps as runs of equal labels, which are faster to work with than pixels."""

from dataclasses import dataclass

import numpy as np

from sksuperpixel._clustering.kernels import runs as kernels
from sksuperpixel._clustering.threads import ONE_THREAD, split_range


@dataclass
class Runs:
    """A label map as a list of runs: neighbouring pixels of a row that have the same label.

    Attributes
    ----------
    shape : tuple of 3 int
        Planes, rows and columns of the label map.
    rows : ndarray of shape (D H + 1,), int64
        Number of the first run of each row, and the number of runs.
    starts : ndarray of shape (n + 1,), int64
        Number of the first pixel of each run in raster order, and the number of pixels.
    values : ndarray of shape (n,), int32
        Label of each run; negative where pixels have no label.
    """

    shape: tuple
    rows: np.ndarray
    starts: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, labels):
        """List the runs of a label map.

        Parameters
        ----------
        labels : ndarray of shape (D, H, W), int32

        Returns
        -------
        Runs
        """
        lines = labels.reshape(-1, labels.shape[2])
        rows = np.empty(len(lines) + 1, np.int64)
        n_runs = kernels.count_runs(lines, rows)
        starts, values = np.empty(n_runs + 1, np.int64), np.empty(n_runs + 1, np.int32)
        kernels.find_runs(lines, starts, values)
        return cls(labels.shape, rows, starts, values[:-1])

    def label_map(self):
        """Write the label map: ndarray of shape (D, H, W), int32."""
        n_pixels = int(self.starts[-1])
        labels = np.empty(n_pixels + kernels.AT_ONCE, np.int32)
        kernels.write_runs(self.starts, self.values, labels)
        return labels[:n_pixels].reshape(self.shape)

    def renumber(self, numbers):
        """Replace each label that is not negative by its number: ndarray of shape (K,), int32."""
        kernels.renumber_runs(self.values, numbers)

    def sums(self, features, n_labels, threads=ONE_THREAD):
        """Count each label's pixels and sum their positions and features.

        Parameters
        ----------
        features : ndarray of shape (C, D, H, W), float32
        n_labels : int
            K, larger than every label.
        threads : Threads, default=ONE_THREAD

        Returns
        -------
        ndarray of shape (K, 4 + C), float64
            Number of pixels; sums of planes, rows and columns; sums of features.
        """
        sums = np.empty((n_labels, 4 + len(features)))
        pixels = features.reshape(len(features), -1)

        def part(bounds):
            kernels.sum_runs(pixels, *self._lists(), *bounds, sums)

        threads.run(part, split_range(n_labels, threads.n_threads))
        return sums

    def number_connected(self):
        """Replace each label by its connected regions, numbered by their first pixels, in place.

        Returns
        -------
        n_regions : int
        """
        return kernels.unite_runs(*self._lists())

    def touching(self, n_regions, edges=None):
        """List the pairs of regions that touch.

        Parameters
        ----------
        n_regions : int
            K.
        edges : ndarray of shape (D, H, W), float32, default=None
            Strength of the edge at each pixel.

        Returns
        -------
        pairs : ndarray of shape (m, 2), int32
            Lower region, higher region; each pair once.
        faces : ndarray of shape (m,), int32
            Number of pixel faces that the two regions share.
        strengths : ndarray of shape (m,), float64
            Sum over these faces of the mean edge strength of their two pixels; without an edge
            map, 0.
        """
        edges = np.empty(0, np.float32) if edges is None else edges.reshape(-1)
        first = np.empty(n_regions, np.int32)
        capacity, n_pairs = 2 * n_regions, -1
        while n_pairs < 0:
            capacity *= 2
            following, pairs = np.empty(capacity, np.int32), np.empty((capacity, 2), np.int32)
            faces, strengths = np.empty(capacity, np.int32), np.empty(capacity)
            n_pairs = kernels.touching_regions(
                *self._lists(), edges, first, following, pairs, faces, strengths
            )
        return pairs[:n_pairs], faces[:n_pairs], strengths[:n_pairs]

    def touching_small(self, small):
        """List the pairs of regions that touch and of which at least one is small.

        Parameters
        ----------
        small : ndarray of shape (K,), bool

        Returns
        -------
        ndarray of shape (m, 2), int32
            The same pair may be listed several times.
        """
        # Each run touches one run before it, and two rows have fewer pairs of runs than runs.
        pairs = np.empty((5 * len(self.values) + 1, 2), np.int32)
        return pairs[: kernels.touching_small(*self._lists(), small, pairs)]

    def _lists(self):
        """Return the arguments that describe runs to the kernels."""
        return self.shape[2], self.shape[1], self.rows, self.starts, self.values
