"""Connected regions, and what merging needs to know about them."""

from dataclasses import dataclass

import numpy as np

from sksuperpixel._clustering.kernels import merging
from sksuperpixel._clustering.kernels import runs as kernels
from sksuperpixel._clustering.runs import Runs
from sksuperpixel._clustering.threads import ONE_THREAD


@dataclass
class Regions:
    """The connected regions of an image.

    Attributes
    ----------
    runs : Runs
        Where they are: each run holds the number of its region, or a negative number.
    sums : ndarray of shape (K, 4 + C), float64
        Their numbers of pixels; sums of planes, rows and columns; sums of features.
    """

    runs: Runs
    sums: np.ndarray

    @classmethod
    def of(cls, labels, features, threads=ONE_THREAD):
        """Split each label into its connected parts.

        Parameters
        ----------
        labels : ndarray of shape (D, H, W), int32
            Negative where a pixel has no label.
        features : ndarray of shape (C, D, H, W), float32
        threads : Threads, default=ONE_THREAD

        Returns
        -------
        Regions
            Numbered by their first pixels in raster order.
        """
        runs = Runs.of(labels)
        n_regions = runs.number_connected()
        return cls(runs, runs.sums(features, n_regions, threads))

    def __len__(self):
        return len(self.sums)

    @property
    def counts(self):
        """Number of pixels of each region: ndarray of shape (K,), float64."""
        return self.sums[:, 0]

    def join(self, parents):
        """Make one region of each tree of a forest, whose root has the sums of all, in place.

        Parameters
        ----------
        parents : ndarray of shape (K,), int32
            The parent of each region, which is lower, or the region itself. It is changed.
        """
        is_root = parents == np.arange(len(parents))
        merging.number_roots(parents)
        self.runs.renumber(parents)
        self.sums = self.sums[is_root]

    def label_map(self):
        """Write the label map, numbered by the regions' first pixels in raster order.

        Returns
        -------
        ndarray of shape (D, H, W), int32
            0 .. K - 1; -1 where there is no region.
        """
        numbers = np.empty(len(self), np.int32)
        kernels.number_by_first_pixel(self.runs.values, numbers)
        self.runs.renumber(numbers)
        self.sums = self.sums[np.argsort(numbers)]
        return self.runs.label_map()
