"""SLIC's iterations: pixels to their nearest clusters, clusters to the mean of their pixels."""

import numpy as np

from sksuperpixel import _kernels
from sksuperpixel._clusters import (
    ONE_THREAD,
    assign,
    find_candidates,
    start_clusters,
    update_clusters,
)


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
    """Cluster pixels by features and position: SLIC's iterations.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
        Of the image, or of a window of it.
    grid : Grid
        Of the whole image.
    compactness : float
        Weight of distances in space, in units of the features over a grid step.
    adaptive : bool, default=False
        Whether each cluster's compactness follows its contrast (SLICO).
    max_iter : int, default=5
    mask : ndarray of shape (D, H, W), bool, default=None
    window : sequence of 3 slice, default=None
        Where in the whole image the features are; None for all of it.
    threads : Threads, default=ONE_THREAD

    Returns
    -------
    labels : ndarray of shape (D, H, W), int32
        Cluster of each pixel; -1 outside the mask.
    clusters : Clusters
        What the pixels were assigned to.
    """
    clusters = start_clusters(features, grid.seeds(window, mask))
    shape = features.shape[1:]
    nearest, labels = np.empty(shape, np.float32), np.empty(shape, np.int32)
    # SLICO compares with the largest distance in features seen in a cluster so far. Its
    # authors start from 10 and let it fall to 1: to a tenth of the compactness.
    contrast = np.full(len(clusters), (0.1 * compactness) ** 2, np.float32)
    scale = grid.scale(np.full(len(clusters), compactness))
    gain = np.ones(len(clusters), np.float32)
    for iteration in range(max_iter):
        if iteration > 0:
            if adaptive:
                _kernels.largest_feature_distance(features, labels, clusters.means, contrast)
                scale, gain = grid.scale(np.sqrt(contrast)), 1 / contrast
            update_clusters(features, labels, clusters, threads)
        assign(features, clusters, grid.half_window, scale, gain, nearest, labels, threads)
        if mask is not None:
            labels[~mask] = -1
    label_missed(labels, mask, clusters, grid)
    return labels, clusters


def label_missed(labels, mask, clusters, grid):
    """Give the pixels that no window reaches to the cluster nearest in space, in place."""
    if labels.min() >= 0:
        return
    missed = np.argwhere(labels < 0 if mask is None else (labels < 0) & mask).astype(np.int32)
    if len(missed):
        candidates, _ = find_candidates(missed, clusters, 1, grid.spacing)
        labels[tuple(missed.T)] = candidates[:, 0]
