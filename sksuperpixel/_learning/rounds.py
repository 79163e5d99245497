"""One round of learning: draw pixels from images, and hold out some images."""

from dataclasses import dataclass, replace

import numpy as np

from sksuperpixel._clustering.assignment import start_clusters, update_clusters
from sksuperpixel._clustering.candidates import scaled_candidates, values_at
from sksuperpixel._clustering.distance import WeightedDistance
from sksuperpixel._clustering.pairs import pair_values
from sksuperpixel._clustering.settings import Settings
from sksuperpixel._clustering.superpixels import check_number_of_pixels, learning_grid
from sksuperpixel._clustering.threads import ONE_THREAD
from sksuperpixel._learning.label_maker import LabelMaker
from sksuperpixel._learning.training_pixels import TrainingPixels, candidate_distances

# The fraction of the images that are held out to stop training early.
_VALIDATION_SHARE = 0.15
# No image teaches more than this number of times the mean number of pixels.
_MOST_OF_MEAN = 3


@dataclass(frozen=True)
class Teacher:
    """Draws the training pixels of an image, with their candidates and targets.

    Parameters
    ----------
    label_maker : LabelMaker
    settings : Settings
        How superpixels are made, including the compactness to learn with.
    n_candidates : int
        Q.
    n_pixels : int or None
        Mean number of pixels to draw from an image; at most three times as many are drawn. None
        for all that teach.
    start : WeightedDistance
        SLIC's distance, by which candidates are compared for the label maker.
    distance : WeightedDistance or NetworkDistance
        The distance that makes the clusters.
    pair_features : tuple of callable, default=()
    """

    label_maker: LabelMaker
    settings: Settings
    n_candidates: int
    n_pixels: int | None
    start: WeightedDistance
    distance: WeightedDistance
    pair_features: tuple = ()

    def draw(self, image, segmentation, rng, threads=ONE_THREAD):
        """Draw pixels of one image.

        Parameters
        ----------
        image : Planes
        segmentation : ndarray of shape (A, D, H, W), int
        rng : RandomState
        threads : Threads, default=ONE_THREAD

        Returns
        -------
        pixels : TrainingPixels
        labels : ndarray of shape (D, H, W), int32
            Cluster of each pixel.
        centres : ndarray of shape (K, 3), float64
            Plane, row and column of the clusters' centres.
        """
        check_number_of_pixels(image, self.settings.n_segments)
        features, grid = image.features, learning_grid(image, self.settings)
        labels, start = self.distance.cluster(
            image.weighted_by(self.distance), grid, self.settings, threads
        )
        clusters = _clusters_of(labels, features, start.seeds)
        pixels = np.argwhere(labels >= 0).astype(np.int32)
        candidates, space = scaled_candidates(
            pixels, clusters, self.n_candidates, self.settings.compactness, grid, threads
        )
        distances = self._start_distances(features, labels, clusters, pixels, candidates, space)
        targets = self.label_maker.make(
            segmentation, labels, pixels, candidates, distances, clusters.centres, rng
        )
        if targets.ndim == 1:
            targets = targets[:, np.newaxis] == np.arange(candidates.shape[1])
        drawn = np.flatnonzero(targets.any(axis=1))
        n_teaching = len(drawn)
        if self.n_pixels is not None:
            drawn = rng.permutation(drawn)[: _MOST_OF_MEAN * self.n_pixels]
        pixels, candidates = pixels[drawn], candidates[drawn]
        training_pixels = TrainingPixels(
            values_at(features, pixels),
            candidates,
            space[drawn],
            pair_values(self.pair_features, features, pixels, candidates, clusters.centres),
            targets[drawn].astype(np.float32),
            clusters.means,
            pixels,
            n_teaching,
        )
        return training_pixels, labels, clusters.centres

    def _start_distances(self, features, labels, clusters, pixels, candidates, space):
        """Compute SLIC's distances of pixels to their candidates, with the weights of `start`."""
        weighted = self.start.weigh(features)
        if weighted is not features:
            clusters = _clusters_of(labels, weighted, clusters.seeds)
        return candidate_distances(weighted, clusters, pixels, candidates, space)

    def varied(self, spread, rng):
        """Make a teacher with a random number of iterations and a random compactness.

        Parameters
        ----------
        spread : float
            Largest factor by which the new compactness differs from the old one.
        rng : RandomState

        Returns
        -------
        Teacher
        """
        # The network chooses in every iteration, so it has to learn from the clusters of each.
        n_iter = rng.randint(1, self.settings.max_iter + 1)
        compactness = self.settings.compactness
        if spread > 1:
            compactness *= spread ** rng.uniform(-1, 1)
        settings = replace(self.settings, max_iter=n_iter, compactness=compactness)
        return replace(self, settings=settings)


def _clusters_of(labels, features, seeds):
    """Compute the clusters to which labels assign the pixels."""
    clusters = start_clusters(features, seeds)
    update_clusters(features, labels, clusters)
    return clusters


def check_drawn(pixels, n_clusters, teacher):
    """Check that at least one image has enough clusters, and that there is a pixel to learn from.

    Parameters
    ----------
    pixels : TrainingPixels
        The pixels of all images.
    n_clusters : list of int
        Number of clusters of each image.
    teacher : Teacher

    Raises
    ------
    ValueError
        If there is no such image or no such pixel.
    """
    # With `n_segments`, `transform` starts from more clusters than were learned from.
    if max(n_clusters) < teacher.n_candidates and teacher.settings.n_segments is None:
        raise ValueError(
            f"n_candidates: found {teacher.n_candidates}, expected at most {max(n_clusters)}, the "
            f"largest number of clusters in any of the {len(n_clusters)} images"
        )
    if len(pixels) == 0:
        maker = teacher.label_maker
        expected = "expected pixels with a right candidate"
        if maker.mining == "ambiguous":
            expected = (
                f"min_segments={maker.min_segments} (X); expected pixels whose candidates lie in "
                "at least as many segments"
            )
        elif maker.mining == "mistakes":
            expected += " other than SLIC's choice"
        raise ValueError(
            f"y: found no pixel to learn from in {len(n_clusters)} images with "
            f"mining={maker.mining!r} and {expected}"
        )


def draw_validation_images(sizes, seed):
    """Draw the images that are held out to stop training early.

    Parameters
    ----------
    sizes : list of int
        Number of pixels drawn from each image.
    seed : int

    Returns
    -------
    ndarray of shape (n_images,), bool
        True for about 15 % of the images with pixels, and for at least one if there are several.
    """
    useful = np.flatnonzero(sizes)
    chosen = np.zeros(len(sizes), bool)
    if len(useful) > 1:
        n_validation = max(1, round(_VALIDATION_SHARE * len(useful)))
        chosen[np.random.RandomState(seed).permutation(useful)[:n_validation]] = True
    return chosen
