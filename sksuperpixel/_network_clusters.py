"""SLIC's iterations with a network in place of its distance."""

import numpy as np

from sksuperpixel import _kernels
from sksuperpixel._clusters import (
    ONE_THREAD,
    classifier_rows,
    scaled_candidates,
    share,
    start_clusters,
    update_clusters,
    values_at,
)
from sksuperpixel._pair_features import pair_values

# Rows at a time: what a network makes of them should stay in the processor's cache.
_ROWS_BYTES = 2**20


def cluster_by_network(
    features,
    grid,
    net,
    *,
    n_candidates,
    compactness,
    max_iter,
    pair_features=(),
    index=None,
    mask=None,
    threads=ONE_THREAD,
):
    """Cluster pixels, each among its nearest clusters in space, as a network decides.

    Parameters
    ----------
    features : ndarray of shape (M, D, H, W), float32
    grid : Grid
    net : skorch.NeuralNetClassifier
        Initialised.
    n_candidates : int
        Q.
    compactness : float
    max_iter : int
    pair_features : sequence of callable, default=()
    index : int, default=None
        Of the image, for errors.
    mask : ndarray of shape (D, H, W), bool, default=None
    threads : Threads, default=ONE_THREAD

    Returns
    -------
    labels : ndarray of shape (D, H, W), int32
        Cluster of each pixel; -1 outside the mask.
    clusters : Clusters
        What the pixels were assigned to.
    """
    clusters = start_clusters(features, grid.seeds(mask=mask))
    labels = np.full(features.shape[1:], -1, np.int32)
    inside = np.ones(labels.shape, bool) if mask is None else mask
    pixels = np.argwhere(inside).astype(np.int32)
    layers = _kernel_layers(net.module_)
    if layers is not None:
        distance = NetworkDistance(features, mask, layers, threads)
    for iteration in range(max_iter):
        if iteration > 0:
            update_clusters(features, labels, clusters, threads)
        candidates, distances = scaled_candidates(
            pixels, clusters, n_candidates, compactness, grid, threads
        )
        centres = clusters.seeds + clusters.offsets
        pairs = pair_values(pair_features, features, pixels, candidates, centres, index)
        if layers is not None:
            chosen = distance.nearest(clusters.means, candidates, distances, pairs)
        else:
            chosen = _ask(net, features, clusters.means, pixels, candidates, distances, pairs)
        labels[inside] = chosen
    return labels, clusters


class NetworkDistance:
    """The distance of a network of one or three layers, to the pixels of one image.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    inside : ndarray of shape (D, H, W), bool, or None
        The pixels to assign; None for all.
    layers : dict of str to ndarray
        As of `networks.DistanceNetwork.arrays`.
    threads : Threads, default=ONE_THREAD
    """

    def __init__(self, features, inside, layers, threads=ONE_THREAD):
        planes = features.reshape(len(features), -1)
        if inside is not None:
            planes = planes[:, inside.ravel()]
        space_scale, *scales = layers["inverse_scales"]
        scales = np.array(scales, np.float32)
        # Those of the features, and of pair features.
        self._scales, self._pair_scales = np.split(scales, [len(planes)])
        self._space_scale = np.float32(space_scale)
        self._weights = layers["channel_weights"] / scales**2
        self._layers = [layers[name] for name in ("first", "second", "last")]
        self._threads = threads
        # A pixel's channels side by side, over their scales: once, not at each iteration.
        self._values = np.empty(planes.shape[::-1], np.float32)
        threads.run(
            lambda bounds: _kernels.to_pixels(planes, self._scales, *bounds, self._values),
            share(len(self._values), threads.n_threads),
        )

    def nearest(self, means, candidates, distances, pairs):
        """Choose the nearest candidate of each pixel.

        Parameters
        ----------
        means : ndarray of shape (K, C), float32
            The clusters'.
        candidates : ndarray of shape (n, Q), int32
            Nearest in space first; -1 where absent.
        distances : ndarray of shape (n, Q), float32
            In space, times compactness over grid step.
        pairs : ndarray of shape (n, Q, P), float32
            Pair features.

        Returns
        -------
        ndarray of shape (n,), int32
        """
        means = means * self._scales
        pairs = pairs * self._pair_scales
        chosen = np.empty(len(candidates), np.int32)

        def part(bounds):
            _kernels.nearest_by_network(
                self._values,
                means,
                candidates,
                distances,
                pairs,
                *bounds,
                self._weights,
                self._space_scale,
                *self._layers,
                chosen,
            )

        self._threads.run(part, share(len(candidates), self._threads.n_threads))
        return chosen


def _kernel_layers(module):
    """Arrays of a learned distance, for a kernel; None for other networks."""
    from sksuperpixel.networks import DistanceNetwork

    return module.arrays() if type(module) is DistanceNetwork else None


def _ask(net, features, means, pixels, candidates, distances, pairs):
    """Let the network choose each pixel's candidate, some pixels at a time."""
    from sksuperpixel._pixel_classifier import choose

    n_channels, n_candidates = len(features) + pairs.shape[2], candidates.shape[1]
    row_bytes = 4 * (n_channels + n_candidates * (1 + n_channels))
    step = max(256, _ROWS_BYTES // row_bytes)
    chosen = np.empty(len(pixels), np.int32)
    for start in range(0, len(pixels), step):
        some = slice(start, start + step)
        values = values_at(features, pixels[some])
        rows = classifier_rows(values, means, candidates[some], distances[some], pairs[some])
        slots = choose(net, rows, candidates[some])
        chosen[some] = candidates[some][np.arange(len(slots)), slots]
    return chosen
