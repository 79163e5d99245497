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
        space_scale, *scales = layers["inverse_scales"]
        self._scales = np.array(scales, np.float32)
        self._space_scale = np.float32(space_scale)
        self._weights = layers["channel_weights"] / self._scales**2
        self._layers = [layers[name] for name in ("first", "second", "last")]

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
        planes = features.reshape(len(features), -1)
        if len(pixels) < planes.shape[1]:
            planes = planes[:, np.ravel_multi_index(pixels.T, features.shape[1:])]
        scales, pair_scales = np.split(self._scales, [len(planes)])
        # The channels of each pixel are laid side by side and divided by their scales. This is
        # done once and not in each iteration.
        values = np.empty(planes.shape[::-1], np.float32)
        threads.run(
            lambda bounds: layout.to_pixels(planes, scales, *bounds, values),
            split_range(len(values), threads.n_threads),
        )

        def choose(means, candidates, distances, pairs):
            means, pairs = means * scales, pairs * pair_scales
            chosen = np.empty(len(candidates), np.int32)

            def part(bounds):
                nearest_by_network(
                    values,
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

            threads.run(part, split_range(len(candidates), threads.n_threads))
            return chosen

        return choose
