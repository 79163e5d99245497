"""Clusters of pixels: where they start, how they move, which are near a pixel."""

from dataclasses import dataclass

import numpy as np

from sksuperpixel import _kernels


@dataclass
class Clusters:
    """What SLIC's iterations move.

    Attributes
    ----------
    seeds : ndarray of shape (K, 3), int32
        Where the clusters started: plane, row and column of a pixel.
    offsets : ndarray of shape (K, 3), float32
        Where they are, from their seeds, in pixels.
    means : ndarray of shape (K, C), float32
        Mean features of their pixels.
    """

    seeds: np.ndarray
    offsets: np.ndarray
    means: np.ndarray

    def __len__(self):
        return len(self.seeds)


@dataclass(frozen=True)
class Grid:
    """The regular grid of seeds over a whole image.

    The grid belongs to the whole image even where only a window of it is in memory, so that a
    tile has the seeds, and in the end the regions, that the whole image has there.

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

    @property
    def n_cells(self):
        """Number of cells along each axis: the nearest to extent / S, at least one."""
        return tuple(
            max(1, int(n * step / self.size + 0.5))
            for n, step in zip(self.shape, self.spacing, strict=True)
        )

    @classmethod
    def with_cells(cls, shape, n_pixels, spacing=(1.0, 1.0, 1.0)):
        """Grid whose cells have about a number of pixels.

        Parameters
        ----------
        shape : tuple of 3 int
        n_pixels : float
        spacing : tuple of 3 float

        Returns
        -------
        Grid
        """
        n_axes = 2 if shape[0] == 1 else 3
        size = (n_pixels * np.prod(spacing[-n_axes:])) ** (1 / n_axes)
        return cls(shape, float(size), spacing)

    @property
    def cell_volume(self):
        """Number of pixels in a cube of the grid's step (a square in an image)."""
        n_axes = 2 if self.shape[0] == 1 else 3
        return self.size**n_axes / np.prod(self.spacing[-n_axes:])

    @property
    def half_window(self):
        """Half of a cluster's window along each axis, in pixels: float32 of shape (3,).

        No longer than the image, for a kernel's buffers have the window's size.
        """
        half = self.size / np.asarray(self.spacing)
        return np.minimum(half, np.asarray(self.shape)).astype(np.float32)

    def scale(self, compactness):
        """Weight of a distance of one pixel along each axis beside the features.

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
        """Centres of the grid's cells.

        Parameters
        ----------
        window : sequence of 3 slice, default=None
            The part of the image in memory; None for the whole.
        mask : ndarray of shape (D, H, W), bool, default=None
            Of the window. A cell's seed is the pixel of the mask nearest to its centre; a cell
            without one has no seed.

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
        _kernels.seeds_in_mask(mask, *edges, seeds, found)
        return seeds[found]


def share(total, n_parts):
    """Cut ``range(total)`` into at most `n_parts` nearly equal (start, stop), none empty."""
    n_parts = max(1, min(n_parts, total))
    return [(total * i // n_parts, total * (i + 1) // n_parts) for i in range(n_parts)]


def row_blocks(shape, n_parts):
    """Cut an image into (z start, z stop, y start, y stop): by planes, or one plane by rows."""
    depth, height = shape[:2]
    if depth > 1:
        return [(start, stop, 0, height) for start, stop in share(depth, n_parts)]
    return [(0, 1, start, stop) for start, stop in share(height, n_parts)]


class Threads:
    """Runs a kernel's parts, one after the other or on a pool of threads.

    Parameters
    ----------
    pool : concurrent.futures.Executor, default=None
    n_threads : int, default=1
    """

    def __init__(self, pool=None, n_threads=1):
        self.pool = pool
        self.n_threads = n_threads

    def run(self, function, parts):
        """Call ``function(part)`` for each part; wait for all."""
        if self.pool is None or len(parts) == 1:
            for part in parts:
                function(part)
        else:
            list(self.pool.map(function, parts))


ONE_THREAD = Threads()


def channels_first(values):
    """Lay features out as the kernels want them; no copy where they are so already.

    Parameters
    ----------
    values : ndarray of shape (..., C)
        Any numbers.

    Returns
    -------
    ndarray of shape (C, ...), float32
        Contiguous.
    """
    planes = np.moveaxis(values, -1, 0)
    if planes.dtype == np.float32 and planes.flags.c_contiguous:
        return planes
    known = values.dtype.isnative and values.dtype.char in "?bBhHiIlLqQfd"
    if not (known and values.flags.c_contiguous):
        return np.ascontiguousarray(planes, dtype=np.float32)
    copy = np.empty(planes.shape, np.float32)
    pixels = values.reshape(-1, values.shape[-1])
    _kernels.to_planes(pixels, copy.reshape(len(copy), -1))
    return copy


def weigh(features, weights):
    """Multiply features so that their plain differences are weighted.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    weights : ndarray of shape (C,), or None
        Of squared differences; None for 1 each.

    Returns
    -------
    ndarray of shape (c, D, H, W), float32
        Without the channels that weigh nothing, but at least one.
    """
    if weights is None:
        return features
    heavy = np.flatnonzero(weights)
    if len(heavy) == 0:
        heavy = [0]
    roots = np.sqrt(weights[heavy]).astype(np.float32).reshape(-1, 1, 1, 1)
    if len(heavy) == len(features):
        return features * roots
    some = features[heavy]
    some *= roots
    return some


def start_clusters(features, seeds):
    """Put a cluster at each seed, with the features found there.

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


def assign(features, clusters, half, scale, gain, nearest, labels, threads=ONE_THREAD):
    """Give each pixel its nearest cluster; see `_kernels.assign`."""
    # Blocks of few rows keep many channels in the processor's cache.
    rows_at_once = max(8, 2**20 // (features.shape[0] * features.shape[3] * 4))
    n_rows = features.shape[2] if features.shape[1] == 1 else features.shape[1]
    n_parts = max(threads.n_threads, -(-n_rows // rows_at_once))

    def part(rows):
        _kernels.assign(
            features,
            clusters.seeds,
            clusters.offsets,
            clusters.means,
            half,
            scale,
            gain,
            rows,
            nearest,
            labels,
        )

    threads.run(part, row_blocks(labels.shape, n_parts))


def label_sums(features, labels, n_labels, threads=ONE_THREAD):
    """Count each label's pixels and sum their positions and features.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    labels : ndarray of shape (D, H, W), int32
        Below `n_labels`; negative where a pixel belongs to nothing.
    n_labels : int
        K.

    Returns
    -------
    ndarray of shape (K, 7 + 5 m), float64
        Number of pixels, sums of planes, rows and columns, sums of features; what is beyond
        4 + C means nothing.
    """
    sums = np.empty((n_labels, 7 + 5 * -(-max(len(features) - 3, 0) // 5)))

    def part(bounds):
        _kernels.accumulate(features, labels, *bounds, sums)

    threads.run(part, share(n_labels, threads.n_threads))
    return sums


def update_clusters(features, labels, clusters, threads=ONE_THREAD):
    """Move each cluster to the mean of its pixels; one without pixels stays where it is."""
    sums = label_sums(features, labels, len(clusters), threads)
    _kernels.move_clusters(sums, clusters.seeds, clusters.offsets, clusters.means)


def find_candidates(pixels, clusters, n_candidates, spacing=(1.0, 1.0, 1.0), threads=ONE_THREAD):
    """Find the spatially nearest clusters of each pixel, nearest first.

    Parameters
    ----------
    pixels : ndarray of shape (n, 3), int32
    clusters : Clusters
    n_candidates : int
        Q.
    spacing : tuple of 3 float
        Size of a pixel along each axis.
    threads : Threads, default=ONE_THREAD

    Returns
    -------
    candidates : ndarray of shape (n, Q), int32
        -1 where there are fewer than Q clusters. Ties: the lower cluster first.
    distances : ndarray of shape (n, Q), float32
        In units of `spacing`; infinity where there is no candidate.
    """
    positions = clusters.seeds + clusters.offsets.astype(np.float64)
    extent = np.maximum(positions.max(axis=0), pixels.max(axis=0, initial=0)) + 1
    # About one cluster a bin; cubes in space, so that a ring of bins is as near on all sides.
    volume = np.prod(extent * spacing)
    flat = extent == 1
    edge = (volume / np.prod(np.asarray(spacing)[flat]) / len(clusters)) ** (
        1 / max(1, 3 - flat.sum())
    )
    bin_size = np.maximum(edge / np.asarray(spacing), 1.0)
    bins = np.ceil(extent / bin_size).astype(np.int32)
    cell = np.clip((positions / bin_size).astype(np.int32), 0, bins - 1)
    flat_bin = np.ravel_multi_index(cell.T, bins)
    order = np.argsort(flat_bin, kind="stable").astype(np.int32)
    bin_start = np.zeros(np.prod(bins) + 1, np.int32)
    np.cumsum(np.bincount(flat_bin, minlength=np.prod(bins)), out=bin_start[1:])
    candidates = np.empty((len(pixels), n_candidates), np.int32)
    distances = np.empty((len(pixels), n_candidates), np.float32)

    def part(bounds):
        _kernels.nearest_candidates(
            pixels[slice(*bounds)],
            clusters.seeds,
            clusters.offsets,
            np.asarray(spacing, np.float32),
            bin_size,
            bin_start,
            order,
            bins,
            candidates[slice(*bounds)],
            distances[slice(*bounds)],
        )

    threads.run(part, share(len(pixels), threads.n_threads))
    return candidates, distances


def scaled_candidates(pixels, clusters, n_candidates, compactness, grid, threads=ONE_THREAD):
    """Find the spatially nearest clusters, with distances as networks see them.

    Parameters
    ----------
    pixels : ndarray of shape (n, 3), int32
    clusters : Clusters
    n_candidates : int
        Q.
    compactness : float
    grid : Grid
    threads : Threads, default=ONE_THREAD

    Returns
    -------
    candidates : ndarray of shape (n, Q), int32
        Nearest first; -1 where absent.
    distances : ndarray of shape (n, Q), float32
        Times compactness over grid step; infinity where absent, also for compactness 0.
    """
    candidates, distances = find_candidates(pixels, clusters, n_candidates, grid.spacing, threads)
    np.multiply(
        distances, np.float32(compactness / grid.size), out=distances, where=candidates >= 0
    )
    return candidates, distances


def values_at(features, pixels):
    """Collect the features of some pixels.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    pixels : ndarray of shape (n, 3), int32

    Returns
    -------
    ndarray of shape (n, C), float32
    """
    return np.ascontiguousarray(features[(slice(None), *pixels.T)].T)


def classifier_rows(values, means, candidates, distances, pairs):
    """Lay out what a classifier sees of some pixels.

    Parameters
    ----------
    values : ndarray of shape (n, C), float32
        The pixels' features.
    means : ndarray of shape (K, C), float32
        The clusters'.
    candidates : ndarray of shape (n, Q), int32
        Nearest first; -1 where absent.
    distances : ndarray of shape (n, Q), float32
        In space, times compactness over grid step; infinity where absent.
    pairs : ndarray of shape (n, Q, P), float32
        Pair features.

    Returns
    -------
    ndarray of shape (n, M + Q + Q M), float32
        With M = C + P: a pixel's features and P zeros, its distances, and for each candidate
        the differences of its features to the cluster's and the pair features; 0 where absent.
    """
    n_pixels, n_candidates = candidates.shape
    n_channels = values.shape[1] + pairs.shape[2]
    rows = np.empty((n_pixels, n_channels + n_candidates * (1 + n_channels)), np.float32)
    _kernels.fill_rows(values, means, candidates, distances, pairs, rows)
    return rows
