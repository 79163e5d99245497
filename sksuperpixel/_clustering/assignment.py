"""SLIC's iterations: pixels go to their nearest clusters, clusters to the mean of their pixels."""

from dataclasses import dataclass

import numpy as np

from sksuperpixel._clustering.candidates import find_candidates
from sksuperpixel._clustering.kernels import assignment
from sksuperpixel._clustering.planes import largest_magnitude
from sksuperpixel._clustering.runs import Runs
from sksuperpixel._clustering.threads import ONE_THREAD, split_range, split_rows


@dataclass
class Clusters:
    """The clusters that the iterations move.

    Attributes
    ----------
    seeds : ndarray of shape (K, 3), int32
        Where the clusters started: plane, row and column of a pixel.
    offsets : ndarray of shape (K, 3), float32
        Where the clusters are now, relative to their seeds, in pixels.
    means : ndarray of shape (K, C), float32
        Mean features of their pixels.
    """

    seeds: np.ndarray
    offsets: np.ndarray
    means: np.ndarray

    def __len__(self):
        return len(self.seeds)

    @property
    def centres(self):
        """Where the clusters are: ndarray of shape (K, 3), float64."""
        return self.seeds + self.offsets


def start_clusters(features, seeds):
    """Put a cluster at each seed, with the features of the seed's pixel.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    seeds : ndarray of shape (K, 3), int32

    Returns
    -------
    Clusters
    """
    means = features[:, seeds[:, 0], seeds[:, 1], seeds[:, 2]].T
    return Clusters(seeds, np.zeros(seeds.shape, np.float32), np.ascontiguousarray(means))


def update_clusters(features, labels, clusters, threads=ONE_THREAD):
    """Move each cluster to the mean of its pixels. Clusters without pixels do not move."""
    sums = Runs.of(labels).sums(features, len(clusters), threads)
    assignment.move_clusters(sums, 1.0, clusters.seeds, clusters.offsets, clusters.means)


def cluster_pixels(
    features,
    grid,
    *,
    compactness,
    adaptive=False,
    max_iter=5,
    mask=None,
    window=None,
    threads=ONE_THREAD,
):
    """Cluster pixels by features and position.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
        Features of the image, or of a window of it.
    grid : Grid
        The grid of the whole image.
    compactness : float
        Weight of distances in space, in units of the features per grid step.
    adaptive : bool, default=False
        Whether the compactness of each cluster follows its contrast (SLICO).
    max_iter : int, default=5
    mask : ndarray of shape (D, H, W), bool, default=None
    window : sequence of 3 slice, default=None
        The part of the whole image that `features` cover; None for all of it.
    threads : Threads, default=ONE_THREAD

    Returns
    -------
    labels : ndarray of shape (D, H, W), int32
        Cluster of each pixel; -1 outside the mask.
    clusters : Clusters
        The clusters that the pixels were assigned to.
    """
    clusters = start_clusters(features, grid.seeds(window, mask))
    shape = features.shape[1:]
    nearest = np.empty(shape, np.float32)
    # The labels of this iteration, and of the one before it.
    labels, before = np.empty(shape, np.int32), np.empty(shape, np.int32)
    # SLICO divides feature distances by the largest one seen in the cluster so far. As in the
    # authors' program, the first iteration uses the compactness (10 there), and the largest
    # distance then starts from a tenth of it (1 there).
    # It stays a positive float32, because distances are divided by it.
    least = max((0.1 * compactness) ** 2, float(np.finfo(np.float32).tiny))
    contrast = np.full(len(clusters), least, np.float32)
    scale = grid.scale(np.full(len(clusters), compactness))
    gain, half = np.ones(len(clusters), np.float32), grid.half_window
    means = _Means(features, _steps_of_sums(features, compactness, mask), threads)
    for iteration in range(max_iter):
        if iteration > 0:
            if adaptive:
                assignment.largest_feature_distance(features, labels, clusters.means, contrast)
                scale, gain = grid.scale(np.sqrt(contrast)), 1 / contrast
            means.move(before, labels, clusters, half)
            labels, before = before, labels
        _assign(features, clusters, half, scale, gain, nearest, labels, threads)
        if mask is not None:
            labels[~mask] = -1
    _assign_missed(labels, mask, clusters, grid)
    return labels, clusters


def _steps_of_sums(features, compactness, mask):
    """Choose the step to which features are rounded when clusters move.

    Rounded features are whole multiples of the step, so their sums are exact in any order. The
    step is about 2^-20 of the compactness. It is larger if the largest feature would otherwise
    have 2^24 steps or more, which float32 cannot tell apart.

    Returns
    -------
    float32
        One over the step, a power of two.
    """
    wanted = 20 - np.frexp(compactness)[1] if compactness > 0 else np.inf
    largest = largest_magnitude(features)
    possible = 24 - np.frexp(largest)[1]
    if mask is not None and not (np.isfinite(largest) and possible >= wanted):
        # What lies outside the mask may be anything.
        possible = 24 - np.frexp(np.abs(features[:, mask]).max())[1]
    return np.float32(2.0 ** min(wanted, possible))


class _Means:
    """Moves clusters to the means of their pixels.

    Sums over clusters are whole multiples of a step, and so exact in any order. After the first
    time, they change only by the pixels that have gone to another cluster.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    steps : float32
        One over the step.
    threads : Threads
    """

    def __init__(self, features, steps, threads):
        self.features = features
        self.steps = steps
        self.threads = threads
        self.sums = None

    def move(self, before, labels, clusters, half):
        """Move clusters. A cluster without pixels does not move.

        Parameters
        ----------
        before : ndarray of shape (D, H, W), int32
            The labels of the last call; anything in the first one.
        labels : ndarray of shape (D, H, W), int32
            Clusters of the pixels, which lie in their windows; negative where there is none.
        clusters : Clusters
        half : ndarray of shape (3,), float32
            Half of a window.
        """
        if self.sums is None:
            self.sums = self._sum_all(labels, clusters, half)
        else:
            self._add_changes(before, labels)
        assignment.move_clusters(
            self.sums, float(self.steps), clusters.seeds, clusters.offsets, clusters.means
        )

    def _sum_all(self, labels, clusters, half):
        sums = np.empty((len(clusters), 4 + len(self.features)), np.int64)
        self.threads.run(
            lambda bounds: assignment.sum_windows(
                self.features,
                labels,
                clusters.seeds,
                clusters.offsets,
                half,
                self.steps,
                *bounds,
                sums,
            ),
            split_range(len(clusters), self.threads.n_threads),
        )
        return sums

    def _add_changes(self, before, labels):
        parts = split_rows(labels.shape, self.threads.n_threads)
        # Each thread changes sums of its own.
        sums = [self.sums] + [np.zeros_like(self.sums) for _ in parts[1:]]
        self.threads.run(
            lambda part: assignment.sum_changes(
                self.features, before, labels, self.steps, parts[part], sums[part]
            ),
            range(len(parts)),
        )
        for each in sums[1:]:
            self.sums += each


def _assign(features, clusters, half, scale, gain, nearest, labels, threads):
    """Assign each pixel to its nearest cluster; the arguments are those of the kernel."""
    # Blocks of few rows keep many channels in the processor's cache.
    rows_at_once = max(8, 2**20 // (features.shape[0] * features.shape[3] * 4))
    n_rows = features.shape[2] if features.shape[1] == 1 else features.shape[1]
    parts = split_rows(labels.shape, max(threads.n_threads, -(-n_rows // rows_at_once)))
    reached = _clusters_that_reach(parts, labels.shape, clusters, half)

    def part(number):
        assignment.assign(
            features,
            clusters.seeds,
            clusters.offsets,
            clusters.means,
            half,
            scale,
            gain,
            parts[number],
            reached[number],
            nearest,
            labels,
        )

    threads.run(part, range(len(parts)))


def _clusters_that_reach(parts, shape, clusters, half):
    """Find a range of clusters for each part of an image that contains all that reach it.

    Parameters
    ----------
    parts : list of tuple of int
        Rows, or planes of a volume, see `split_rows`.
    shape : tuple of 3 int
    clusters : Clusters
    half : ndarray of shape (3,), float32

    Returns
    -------
    list of pair of int
    """
    axis = 0 if shape[0] > 1 else 1
    seeds = clusters.seeds[:, axis]
    reach = float(half[axis]) + float(np.abs(clusters.offsets[:, axis]).max()) + 1
    # Seeds are in raster order, but a mask moves them within their cells.
    highest = np.maximum.accumulate(seeds)
    lowest = np.minimum.accumulate(seeds[::-1])[::-1]
    starts = np.searchsorted(highest, [part[2 * axis] - reach for part in parts], "left")
    stops = np.searchsorted(lowest, [part[2 * axis + 1] + reach for part in parts], "right")
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def _assign_missed(labels, mask, clusters, grid):
    """Assign pixels that no window reaches to the spatially nearest cluster, in place."""
    if labels.min() >= 0:
        return
    missed = np.argwhere(labels < 0 if mask is None else (labels < 0) & mask).astype(np.int32)
    if len(missed):
        candidates, _ = find_candidates(missed, clusters, 1, grid.spacing)
        labels[tuple(missed.T)] = candidates[:, 0]
