"""The clusters that a pixel can go to, and what a classifier sees of them."""

import numpy as np

from sksuperpixel._clustering.kernels import candidates as candidates_kernels
from sksuperpixel._clustering.threads import ONE_THREAD, split_range


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
        -1 where there are fewer than Q clusters. In a tie, the lower cluster comes first.
    distances : ndarray of shape (n, Q), float32
        Distances in units of `spacing`; infinity where there is no candidate.
    """
    spacing = np.asarray(spacing, np.float64)
    positions = clusters.seeds + clusters.offsets.astype(np.float64)
    extent = np.maximum(positions.max(axis=0), pixels.max(axis=0, initial=0)) + 1
    # Bins contain about one cluster each. They are cubes in space, so that a ring of bins is
    # equally far away on all sides.
    bin_size = np.maximum(_edge_of_bins(extent * spacing, len(clusters)) / spacing, 1.0)
    bins = np.ceil(extent / bin_size).astype(np.int32)
    cell = np.clip((positions / bin_size).astype(np.int32), 0, bins - 1)
    flat_bin = np.ravel_multi_index(cell.T, bins)
    order = np.argsort(flat_bin, kind="stable").astype(np.int32)
    bin_start = np.zeros(np.prod(bins) + 1, np.int32)
    np.cumsum(np.bincount(flat_bin, minlength=np.prod(bins)), out=bin_start[1:])
    candidates = np.empty((len(pixels), n_candidates), np.int32)
    distances = np.empty((len(pixels), n_candidates), np.float32)

    def part(bounds):
        candidates_kernels.nearest_candidates(
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

    threads.run(part, split_range(len(pixels), threads.n_threads))
    return candidates, distances


def _edge_of_bins(lengths, n_bins):
    """Find the edge of about `n_bins` cubes that fill a box of these lengths.

    Along axes that are shorter than the edge, there is only one layer of cubes.
    """
    long = np.ones(len(lengths), bool)
    while long.any():
        edge = (np.prod(lengths[long]) / n_bins) ** (1 / np.count_nonzero(long))
        if (lengths[long] >= edge).all():
            return edge
        long &= lengths >= edge
    return lengths.max()


def scaled_candidates(pixels, clusters, n_candidates, compactness, grid, threads=ONE_THREAD):
    """Find the spatially nearest clusters of each pixel, with the distances networks see.

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
        Distances times compactness over grid step; infinity where a candidate is absent, even
        if the compactness is 0.
    """
    candidates, distances = find_candidates(pixels, clusters, n_candidates, grid.spacing, threads)
    # With a very large compactness, they may become infinite.
    with np.errstate(over="ignore"):
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
        The clusters' mean features.
    candidates : ndarray of shape (n, Q), int32
        Nearest first; -1 where absent.
    distances : ndarray of shape (n, Q), float32
        Distances in space, times compactness over grid step; infinity where absent.
    pairs : ndarray of shape (n, Q, P), float32
        Pair features.

    Returns
    -------
    ndarray of shape (n, M + Q + Q M), float32
        With M = C + P. A row holds the pixel's features followed by P zeros, its distances,
        and for each candidate the differences between the pixel's and the cluster's features,
        followed by the pair features. Numbers of absent candidates are 0.
    """
    n_pixels, n_candidates = candidates.shape
    n_channels = values.shape[1] + pairs.shape[2]
    rows = np.empty((n_pixels, n_channels + n_candidates * (1 + n_channels)), np.float32)
    candidates_kernels.fill_rows(values, means, candidates, distances, pairs, rows)
    return rows
