"""The distance by which pixels choose clusters. Fitted estimators differ only in it."""

import numpy as np

from sksuperpixel._clustering.assignment import cluster_pixels
from sksuperpixel._clustering.network_assignment import cluster_by_network
from sksuperpixel._clustering.scaling import check_input_of_network, scaled_to_range
from sksuperpixel._clustering.threads import ONE_THREAD


class WeightedDistance:
    """SLIC's distance: weighted squared differences of features, and distance in space.

    Parameters
    ----------
    weights : ndarray of shape (C,), default=None
        Weights of the features' squared differences. If None, every weight is 1.
    """

    def __init__(self, weights=None):
        self.weights = weights

    def weigh(self, features):
        """Multiply features so that their plain squared differences become the weighted ones.

        Parameters
        ----------
        features : ndarray of shape (C, D, H, W), float32

        Returns
        -------
        ndarray of shape (c, D, H, W), float32
            Features of weight 0 are left out. If all are, there is one feature of zeros.
        """
        if self.weights is None:
            return features
        heavy = np.flatnonzero(self.weights)
        if len(heavy) == 0:
            return np.zeros((1, *features.shape[1:]), np.float32)
        roots = np.sqrt(self.weights[heavy]).astype(np.float32).reshape(-1, 1, 1, 1)
        # Products that are too large are found later.
        with np.errstate(over="ignore"):
            if len(heavy) == len(features):
                return features * roots
            some = features[heavy]
            some *= roots
            return some

    def prepare(self, image, settings):
        """Weigh the features of an image, and keep all squares in the range of float32.

        Parameters
        ----------
        image : Planes
        settings : Settings

        Returns
        -------
        image : Planes
            With weighted features.
        settings : Settings
            If the features had to be scaled, the compactness is scaled with them.
        """
        return scaled_to_range(image.weighted_by(self), settings)

    def cluster(self, image, grid, settings, threads=ONE_THREAD):
        """Run the iterations on one image.

        Parameters
        ----------
        image : Planes
            With its weighted features.
        grid : Grid
        settings : Settings
        threads : Threads, default=ONE_THREAD

        Returns
        -------
        labels : ndarray of shape (D, H, W), int32
            Cluster of each pixel; -1 outside the mask.
        clusters : Clusters
        """
        return cluster_pixels(
            image.weighted,
            grid,
            compactness=settings.compactness,
            adaptive=settings.adaptive_compactness,
            max_iter=settings.max_iter,
            mask=image.mask,
            threads=threads,
        )


class NetworkDistance(WeightedDistance):
    """A network that chooses among the nearest clusters of a pixel.

    Parameters
    ----------
    network : KernelNetwork or other object with its method `on_image`
        The network, see `network_assignment`.
    n_candidates : int
        Q.
    weights : ndarray of shape (C,), default=None
        Weights of the features' squared differences when regions are merged and their borders
        refined.
    pair_features : sequence of callable, default=()
        Functions whose values the network sees for each pixel and candidate, besides the
        differences of their features.
    """

    def __init__(self, network, n_candidates, weights=None, pair_features=()):
        super().__init__(weights)
        self.network = network
        self.n_candidates = n_candidates
        self.pair_features = pair_features

    def prepare(self, image, settings):
        """Weigh the features of an image; a network needs the scale that it was trained with."""
        check_input_of_network(image)
        return image.weighted_by(self), settings

    def cluster(self, image, grid, settings, threads=ONE_THREAD):
        """Run the iterations on the features as they are; see `WeightedDistance.cluster`."""
        return cluster_by_network(
            image,
            grid,
            self.network,
            n_candidates=self.n_candidates,
            pair_features=self.pair_features,
            compactness=settings.compactness,
            max_iter=settings.max_iter,
            threads=threads,
        )
