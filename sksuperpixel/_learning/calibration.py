"""Make a learned distance cut superpixels that are as compact as SLIC's.

What a network learns says little about how much space should count: the more uncertain its
features, the more compact its superpixels become. So the parameter `compactness` would mean
something else for every model. After training, distances in space are therefore scaled until
superpixels of training images are as compact as those of SLIC on photographs with the same
parameter.
"""

from dataclasses import replace

import numpy as np

from sksuperpixel._clustering.assignment import start_clusters, update_clusters
from sksuperpixel._clustering.compactness_search import search_compactness
from sksuperpixel._clustering.distance import WeightedDistance
from sksuperpixel._clustering.superpixels import learning_grid, start_grid, superpixels
from sksuperpixel.metrics import compactness

# The compactness of SLIC's superpixels on CIELAB, as a fraction of that of squares, for some
# sizes of superpixels and parameters. `tests/benchmarks/reference_compactness.py` measured it on
# 50 training images of BSDS500.
_SIZES = (8, 16, 32)
_PARAMETERS = (0.5, 1, 2, 4, 7, 10, 14, 20, 30, 50, 100, 300)
_MEASURED = (
    (0.276, 0.288, 0.313, 0.360, 0.413, 0.456, 0.503, 0.556, 0.616, 0.679, 0.729, 0.742),
    (0.190, 0.196, 0.213, 0.251, 0.299, 0.339, 0.384, 0.442, 0.517, 0.610, 0.712, 0.760),
    (0.142, 0.144, 0.151, 0.174, 0.210, 0.240, 0.278, 0.329, 0.401, 0.507, 0.654, 0.765),
)
_OF_SQUARES = np.pi / 4
# Compactness is measured to this precision, on at most this number of images, in parts of at most
# this number of grid cells along each axis, as long as their features do not fill 256 MiB.
_TOLERANCE = 0.005
# Some features cannot make superpixels as compact as wanted. Larger factors would only make space,
# or features, stop counting.
_LARGEST_FACTOR = 30
MOST_IMAGES = 8
_CELLS = 16
_MOST_NUMBERS = 2**26


def reference_compactness(size, parameter, n_axes=2):
    """Return how compact SLIC's superpixels are on photographs.

    Parameters
    ----------
    size : float
        Grid step in pixels.
    parameter : float
        The parameter `compactness`.
    n_axes : {2, 3}, default=2
        Number of axes that superpixels extend along.

    Returns
    -------
    float
        Compactness as a fraction of that of squares or cubes.
    """
    along = [np.interp(np.log(parameter), np.log(_PARAMETERS), row) for row in _MEASURED]
    plane = np.interp(np.log(size), np.log(_SIZES), along) / _OF_SQUARES
    # The compactness of a region with a rough border is divided by the square of its relative
    # length in an image, and by the cube of its relative area in a volume.
    return float(plane ** (n_axes / 2))


class Sample:
    """Parts of a few training images, in which superpixels are measured.

    Parameters
    ----------
    settings : Settings
        How superpixels are made.
    """

    def __init__(self, settings):
        self.images = []
        self._sizes = []
        self._settings = settings

    def add(self, image):
        """Add the middle of an image, or of its mask.

        Parameters
        ----------
        image : Planes

        Raises
        ------
        ValueError
            If it has another number of features than the first.
        """
        found = len(image.features)
        if self.images and found != self.n_features:
            raise ValueError(f"found {found} features, expected {self.n_features} as in image 0")
        grid = learning_grid(image, self._settings)
        shape = np.asarray(image.shape)
        length = np.ceil(shape / grid.n_cells * _CELLS).astype(int)
        length = np.minimum(length, shape)
        middle = shape // 2
        if image.mask is not None:
            inside = np.argwhere(image.mask)
            middle = inside[np.abs(inside - inside.mean(axis=0)).sum(axis=1).argmin()]
        start = np.clip(middle - length // 2, 0, shape - length)
        window = tuple(slice(a, a + n) for a, n in zip(start, length, strict=True))
        mask = None if image.mask is None else image.mask[window].copy()
        self.images.append(image._replace(features=image.features[:, *window].copy(), mask=mask))
        self._sizes.append(grid.size)

    @property
    def n_features(self):
        """C, the number of features of each image."""
        return len(self.images[0].features)

    @property
    def is_full(self):
        """Whether more images would take too much memory."""
        numbers = sum(image.features.size for image in self.images)
        return len(self.images) >= MOST_IMAGES or numbers >= _MOST_NUMBERS

    @property
    def settings(self):
        """The settings for the parts: without a number of superpixels, and without merging."""
        return replace(
            self._settings, n_segments=None, superpixel_size=float(np.mean(self._sizes))
        )

    def space_factor(self, distance, parameter=None):
        """Find the factor on distances in space that makes superpixels as compact as SLIC's.

        Parameters
        ----------
        distance : WeightedDistance or NetworkDistance
        parameter : float, default=None
            The parameter with which SLIC is as compact as wanted. If None, the one that the
            factor multiplies.

        Returns
        -------
        float
            1 if the parameter is 0, because then space does not count.
        """
        settings = self.settings
        if settings.compactness == 0:
            return 1.0
        parameter = settings.compactness if parameter is None else parameter

        def measure(value):
            changed = replace(settings, compactness=value)
            found = [superpixels(image, distance, changed) for image in self.images]
            return _mean_compactness(found)

        most_compact = _mean_compactness([_cells(each, settings)[0] for each in self.images])
        n_axes = 3 if max(image.shape[0] for image in self.images) > 1 else 2
        reference = reference_compactness(settings.superpixel_size, parameter, n_axes)
        start = settings.compactness
        found, _ = search_compactness(
            measure,
            most_compact * reference,
            start=start,
            tol=_TOLERANCE,
            limits=(start / _LARGEST_FACTOR, start * _LARGEST_FACTOR),
        )
        return found / start

    def even_weights(self):
        """Weigh features so that all of them count the same, whatever their scales.

        Returns
        -------
        ndarray of shape (C,), float64
            With these, superpixels are as compact as SLIC's. A feature without any differences
            has the weight 0.
        """
        settings = self.settings
        spread = np.mean([_spread_in_cells(image, settings) for image in self.images], axis=0)
        weights = np.divide(1.0, spread, out=np.zeros(len(spread)), where=spread > 0)
        if not weights.any():
            return np.ones(len(weights))
        # All features together vary as much as a distance in space of one grid step.
        weights *= (settings.compactness or 1.0) ** 2 / np.count_nonzero(weights)
        return weights / self.space_factor(WeightedDistance(weights)) ** 2


def _cells(image, settings):
    """Assign each pixel to the nearest seed of the grid.

    Returns
    -------
    labels : ndarray of shape (D, H, W), int32
        -1 outside the mask.
    seeds : ndarray of shape (K, 3), int32
    """
    nothing = np.zeros((1, *image.shape), np.float32)
    blank = image._replace(features=nothing, weighted=nothing)
    once = replace(settings, max_iter=1, compactness=1.0)
    labels, clusters = WeightedDistance().cluster(blank, start_grid(image, settings), once)
    return labels, clusters.seeds


def _spread_in_cells(image, settings):
    """Compute each feature's mean squared difference to its mean in a cell: (C,) float64."""
    labels, seeds = _cells(image, settings)
    clusters = start_clusters(image.features, seeds)
    update_clusters(image.features, labels, clusters)
    inside = labels >= 0
    means = clusters.means[labels[inside]]
    found = np.empty(len(image.features))
    for channel, plane in enumerate(image.features):
        values = plane[inside].astype(np.float64)
        found[channel] = ((values - means[:, channel]) ** 2).mean()
        # Means are rounded to float32, so a constant feature may seem to vary.
        if found[channel] <= (np.finfo(np.float32).eps * np.abs(values).max()) ** 2:
            found[channel] = 0.0
    return found


def _mean_compactness(label_maps):
    """Average the compactness of images and volumes. A volume of one plane is an image."""
    flat = [each[0] if len(each) == 1 else each for each in label_maps]
    return float(compactness(flat))
