"""One round of learning: pixels drawn from images, and images held out for validation."""

from dataclasses import dataclass, replace

import numpy as np

from sksuperpixel._clustering.distance import WeightedDistance
from sksuperpixel._clustering.settings import Settings
from sksuperpixel._clustering.superpixels import check_number_of_pixels, start_grid
from sksuperpixel._learning.label_maker import LabelMaker
from sksuperpixel._learning.training_pixels import draw_pixels

# The share of the images that are held out to stop training early.
_VALIDATION_SHARE = 0.15


@dataclass(frozen=True)
class Teacher:
    """Draws the pixels of an image that teach, with their candidates and targets.

    Parameters
    ----------
    label_maker : LabelMaker
    settings : Settings
        How superpixels are made, with the compactness to learn at.
    n_candidates : int
        Q.
    n_pixels : int or None
        Largest number of pixels to draw from an image; None for all that teach.
    start : WeightedDistance
        SLIC's distance, which compares candidates for the label maker.
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

    def draw(self, image, segmentation, rng):
        """Draw pixels of one image.

        Parameters
        ----------
        image : Planes
        segmentation : ndarray of shape (A, D, H, W), int
        rng : RandomState

        Returns
        -------
        pixels : TrainingPixels
        labels : ndarray of shape (D, H, W), int32
            Cluster of each pixel.
        centres : ndarray of shape (K, 3), float64
            Plane, row and column of the clusters' centres.
        """
        check_number_of_pixels(image, self.settings.n_segments)
        grid = start_grid(image, self.settings)
        labels, clusters = self.distance.cluster(
            image, self.distance.weigh(image.features), grid, self.settings
        )
        drawn, centres = draw_pixels(
            image.features,
            self.start.weigh(image.features),
            labels,
            clusters.seeds,
            segmentation,
            self.label_maker,
            grid,
            n_candidates=self.n_candidates,
            compactness=self.settings.compactness,
            n_pixels=self.n_pixels,
            pair_features=self.pair_features,
            rng=rng,
        )
        return drawn, labels, centres

    def varied(self, spread, rng):
        """Give a teacher with a random number of iterations and a random compactness.

        Parameters
        ----------
        spread : float
            Largest factor between the compactness and the new one.
        rng : RandomState

        Returns
        -------
        Teacher
        """
        # The network chooses in every iteration, so it has to learn from clusters of any of them.
        n_iter = rng.randint(1, self.settings.max_iter + 1)
        compactness = self.settings.compactness
        if spread > 1:
            compactness *= spread ** rng.uniform(-1, 1)
        settings = replace(self.settings, max_iter=n_iter, compactness=compactness)
        return replace(self, settings=settings)


def check_drawn(pixels, n_clusters, teacher):
    """Check that some image has enough clusters to choose from, and that a pixel teaches.

    Parameters
    ----------
    pixels : TrainingPixels
        Those of all images.
    n_clusters : list of int
        Number of clusters of each image.
    teacher : Teacher

    Raises
    ------
    ValueError
        If there is none.
    """
    # With `n_segments`, `transform` starts from more clusters than were learned from.
    if max(n_clusters) < teacher.n_candidates and teacher.settings.n_segments is None:
        raise ValueError(
            f"n_candidates: found {teacher.n_candidates}, expected at most {max(n_clusters)}, the "
            f"most clusters that one of the {len(n_clusters)} images has"
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
        True for about 15 % of the images with pixels, and for at least one if there are two.
    """
    useful = np.flatnonzero(sizes)
    chosen = np.zeros(len(sizes), bool)
    if len(useful) > 1:
        n_validation = max(1, round(_VALIDATION_SHARE * len(useful)))
        chosen[np.random.RandomState(seed).permutation(useful)[:n_validation]] = True
    return chosen
