"""SLIC's iterations with a network in place of its distance."""

import numpy as np

from sksuperpixel._clustering.assignment import start_clusters, update_clusters
from sksuperpixel._clustering.candidates import scaled_candidates
from sksuperpixel._clustering.kernels import layout
from sksuperpixel._clustering.kernels.network import nearest_by_network
from sksuperpixel._clustering.pairs import pair_values
from sksuperpixel._clustering.threads import ONE_THREAD, split_range


def cluster_by_network(
    image,
    grid,
    network,
    *,
    n_candidates,
    compactness,
    max_iter,
    pair_features=(),
    threads=ONE_THREAD,
):
    """Cluster pixels; a network chooses among the spatially nearest clusters of each pixel.

    Parameters
    ----------
    image : Planes
    grid : Grid
    network : object
        ``network.on_image(features, pixels, threads)`` returns a function ``choose(means,
        candidates, distances, pairs)``. Its arguments are the clusters' mean features (K, C),
        the pixels' candidates (n, Q), their scaled distances (n, Q) and their pair features
        (n, Q, P). It returns the cluster of each pixel, (n,) int32.
    n_candidates : int
        Q.
    compactness : float
    max_iter : int
    pair_features : sequence of callable, default=()
    threads : Threads, default=ONE_THREAD

    Returns
    -------
    labels : ndarray of shape (D, H, W), int32
        Cluster of each pixel; -1 outside the mask.
    clusters : Clusters
        The clusters that the pixels were assigned to.
    """
    features = image.features
    clusters = start_clusters(features, grid.seeds(mask=image.mask))
    labels = np.full(image.shape, -1, np.int32)
    inside = np.ones(image.shape, bool) if image.mask is None else image.mask
    pixels = np.argwhere(inside).astype(np.int32)
    choose = network.on_image(features, pixels, threads)
    for iteration in range(max_iter):
        if iteration > 0:
            update_clusters(features, labels, clusters, threads)
        candidates, distances = scaled_candidates(
            pixels, clusters, n_candidates, compactness, grid, threads
        )
        pairs = pair_values(pair_features, features, pixels, candidates, clusters.centres)
        labels[inside] = choose(clusters.means, candidates, distances, pairs)
    return labels, clusters


class KernelNetwork:
    """A distance network of one or three layers, computed by a kernel.

    Parameters
    ----------
    layers : dict of str to ndarray
        The arrays that `networks.DistanceNetwork.arrays` returns.
    """

    def __init__(self, layers):
        self._layers = layers

    def on_image(self, features, pixels, threads=ONE_THREAD):
        """Prepare the pixels of one image.

        Parameters
        ----------
        features : ndarray of shape (C, D, H, W), float32
        pixels : ndarray of shape (n, 3), int32
            The pixels to assign, in raster order.
        threads : Threads, default=ONE_THREAD

        Returns
        -------
        callable
            See `cluster_by_network`.
        """
        layers, used = _without_unused(self._layers, len(features))
        space_scale, *scales = layers["inverse_scales"]
        scales = np.array(scales, np.float32)
        weights = layers["channel_weights"] / scales**2
        planes = features.reshape(len(features), -1)
        if len(pixels) < planes.shape[1]:
            pixels = np.ravel_multi_index(pixels.T, features.shape[1:])
            planes = planes[np.ix_(used, pixels)]
        elif len(used) < len(planes):
            planes = planes[used]
        scales, pair_scales = np.split(scales, [len(used)])
        # The channels of each pixel are laid side by side and divided by their scales. This is
        # done once and not in each iteration.
        values = np.empty(planes.shape[::-1], np.float32)
        threads.run(
            lambda bounds: layout.to_pixels(planes, scales, *bounds, values),
            split_range(len(values), threads.n_threads),
        )

        def choose(means, candidates, distances, pairs):
            means = np.take(means, used, axis=1) * scales
            pairs = pairs * pair_scales
            chosen = np.empty(len(candidates), np.int32)

            def part(bounds):
                nearest_by_network(
                    values,
                    means,
                    candidates,
                    distances,
                    pairs,
                    *bounds,
                    weights,
                    np.float32(space_scale),
                    layers["first"],
                    layers["second"],
                    layers["last"],
                    chosen,
                )

            threads.run(part, split_range(len(candidates), threads.n_threads))
            return chosen

        return choose


def _without_unused(layers, n_features):
    """Leave out the features that a distance does not depend on.

    Parameters
    ----------
    layers : dict of str to ndarray
        The arrays that `networks.DistanceNetwork.arrays` returns.
    n_features : int
        C, the number of features. Pair features, which follow them, are kept.

    Returns
    -------
    layers : dict of str to ndarray
    used : ndarray of int
        Which of the features are left, at least one.
    """
    of_features = layers["first"][1 : 1 + n_features]
    counts = (layers["channel_weights"][:n_features] > 0) | of_features.any(axis=1)
    used = np.flatnonzero(counts) if counts.any() else np.array([0])
    if len(used) == n_features:
        return layers, used
    n_channels = len(layers["channel_weights"])
    kept = np.append(used, np.arange(n_features, n_channels))
    # The first row of these belongs to the distance in space, the last one to the bias.
    rows = np.concatenate([[0], 1 + kept, [1 + n_channels]])
    return {
        **layers,
        "channel_weights": layers["channel_weights"][kept],
        "inverse_scales": layers["inverse_scales"][rows[:-1]],
        "first": np.ascontiguousarray(layers["first"][rows]),
    }, used
