"""The pixels that a classifier is trained on, stored in little memory."""

import math
from dataclasses import dataclass, replace

import numpy as np

from sksuperpixel._clustering.candidates import classifier_rows, values_at

# Number of pixels whose rows are computed at a time, because rows are long if there are many
# channels.
_N_AT_ONCE = 4096


@dataclass
class TrainingPixels:
    """What a network sees of some pixels, and which candidates are right for them.

    Most of what a network sees are the differences between a pixel and its candidates. They would
    take Q times the memory of the features. Since many pixels share a cluster, only the features
    of pixels and clusters are stored, and differences are computed when they are asked for.

    Attributes
    ----------
    values : ndarray of shape (n, C), float32
        Features of the pixels.
    candidates : ndarray of shape (n, Q), int32
        Their candidates, nearest first; -1 where absent.
    distances : ndarray of shape (n, Q), float32
        Distances in space, times compactness over grid step; infinity where absent.
    pairs : ndarray of shape (n, Q, P), float32
        Pair features; 0 where absent.
    targets : ndarray of shape (n, Q), float32
        How right each candidate is, from 0 to 1. If one candidate is taught, it is 1 for this one
        and 0 for the others.
    means : ndarray of shape (K, C), float32
        Mean features of the clusters.
    positions : ndarray of shape (n, 3), int32, or None
        Plane, row and column of the pixels.
    n_teaching : int, default=None
        Number of pixels that could have been drawn.
    """

    values: np.ndarray
    candidates: np.ndarray
    distances: np.ndarray
    pairs: np.ndarray
    targets: np.ndarray
    means: np.ndarray
    positions: np.ndarray | None = None
    n_teaching: int | None = None

    def __len__(self):
        return len(self.targets)

    @property
    def n_features(self):
        """M: number of features and pair features."""
        return self.values.shape[1] + self.pairs.shape[2]

    def rows(self, index):
        """Lay out what a network sees of some of the pixels.

        Parameters
        ----------
        index : ndarray of shape (m,), int

        Returns
        -------
        ndarray of shape (m, M + Q + Q M), float32
        """
        return classifier_rows(
            self.values[index],
            self.means,
            self.candidates[index],
            self.distances[index],
            self.pairs[index],
        )

    def without_pairs(self):
        """Leave out the pair features: TrainingPixels."""
        return replace(self, pairs=self.pairs[:, :, :0])

    def first(self, count):
        """Copy the first pixels, or return all if there are not more: TrainingPixels."""
        if count >= len(self):
            return self
        names = ("values", "candidates", "distances", "pairs", "targets", "positions")
        rows = {name: getattr(self, name) for name in names}
        # Copies, because a view would keep all pixels in memory.
        rows = {name: each[:count].copy() for name, each in rows.items() if each is not None}
        return replace(self, **rows)

    def typical_sizes(self):
        """Compute root mean squares of distances in space and of each feature's differences.

        Returns
        -------
        ndarray of shape (1 + M,), float32
            Positive numbers.
        """
        n_features, n_candidates = self.n_features, self.candidates.shape[1]
        present = self.candidates >= 0
        space = (self.distances[present].astype(np.float64) ** 2).sum()
        differences = np.zeros(n_features)
        for start in range(0, len(self), _N_AT_ONCE):
            rows = self.rows(np.arange(start, min(start + _N_AT_ONCE, len(self))))
            rows = rows[:, n_features + n_candidates :].reshape(-1, n_features)
            differences += np.einsum("ij,ij->j", rows, rows, dtype=np.float64)
        sums = np.append(space, differences)
        return np.maximum(np.sqrt(sums / max(present.sum(), 1)), 1e-6).astype(np.float32)


def share_out(parts, n_pixels):
    """Take pixels of each image in proportion to the number of those that teach.

    Parameters
    ----------
    parts : list of TrainingPixels
        The pixels drawn from each image, in random order. The list is changed in place, so that
        memory is freed image by image.
    n_pixels : int or None
        Mean number of pixels per image. None to keep all.

    Returns
    -------
    list of TrainingPixels
        The same list. An image that has fewer pixels than its share keeps them all.
    """
    total = sum(part.n_teaching for part in parts)
    if n_pixels is not None and total > 0:
        share = n_pixels * len(parts) / total
        for index, part in enumerate(parts):
            parts[index] = part.first(math.ceil(share * part.n_teaching))
    return parts


def concatenate_pixels(parts):
    """Put the pixels of several images together.

    Parameters
    ----------
    parts : list of TrainingPixels
        The pixels of each image. The list is emptied.

    Returns
    -------
    pixels : TrainingPixels
        The pixels of all images, without positions.
    sizes, n_clusters : list of int
        Number of pixels and of clusters of each part.

    Raises
    ------
    ValueError
        If an image has another number of features than the first.
    """
    values, others, sizes, n_clusters = [], [], [], []
    n_means = 0
    for index, part in enumerate(parts):
        values.append(part.values)
        n_features = part.values.shape[1]
        if n_features != values[0].shape[1]:
            raise ValueError(
                f"image {index}: found {n_features} features, expected {values[0].shape[1]} as "
                "in image 0"
            )
        used, numbers = np.unique(part.candidates, return_inverse=True)
        absent = np.count_nonzero(used < 0)
        numbers = numbers.reshape(part.candidates.shape) - absent + n_means
        candidates = np.where(part.candidates < 0, -1, numbers).astype(np.int32)
        means = part.means[used[absent:]]
        others.append((candidates, part.distances, part.pairs, part.targets, means))
        n_means += len(used) - absent
        sizes.append(len(part))
        n_clusters.append(len(part.means))
    parts.clear()
    joined = [np.concatenate(each) for each in zip(*others, strict=True)]
    return TrainingPixels(_concatenate_and_free(values), *joined), sizes, n_clusters


def _concatenate_and_free(arrays):
    """Concatenate arrays, and empty the list so that each array is freed once it is copied."""
    stop = sum(map(len, arrays))
    joined = np.empty((stop, arrays[0].shape[1]), np.float32)
    while arrays:
        array = arrays.pop()
        joined[stop - len(array) : stop] = array
        stop -= len(array)
    return joined


def candidate_distances(features, clusters, pixels, candidates, space):
    """Compute SLIC's squared distances of pixels to their candidates.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
        Weighted features.
    clusters : Clusters
        Clusters with the means of the weighted features.
    pixels : ndarray of shape (n, 3), int32
    candidates : ndarray of shape (n, Q), int32
    space : ndarray of shape (n, Q), float32
        Distances in space, times compactness over grid step; infinity where absent.

    Returns
    -------
    ndarray of shape (n, Q), float32
        Infinity where a candidate is absent.
    """
    # With a very large compactness, squares may become infinite.
    with np.errstate(over="ignore"):
        distances = space**2
    for start in range(0, len(pixels), _N_AT_ONCE):
        some = slice(start, start + _N_AT_ONCE)
        values = values_at(features, pixels[some])
        for q in range(candidates.shape[1]):
            differences = values - clusters.means[candidates[some, q]]
            distances[some, q] += np.einsum("ij,ij->i", differences, differences)
    return distances
