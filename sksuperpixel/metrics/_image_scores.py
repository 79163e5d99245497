"""Intermediate results that the metrics of one image share, each computed only once."""

from functools import cached_property

import numpy as np

from sksuperpixel._label_maps.edges import distance_to, one_sided_edges, two_sided_edges, widen
from sksuperpixel._label_maps.overlaps import Contingency, densify
from sksuperpixel.metrics._checks import (
    about,
    check_average,
    check_ignore_label,
    is_batch,
    split_images,
)
from sksuperpixel.metrics._regularity import global_regularity, isoperimetric_quotients


class Superpixels:
    """The pixels of a label map that count, and the scores that need only these.

    Parameters
    ----------
    label_map : ndarray of int, shape (H, W) or (D, H, W)
        One superpixel per pixel.

    valid : ndarray of bool, the shape of `label_map`
        The pixels that count, at least one.
    """

    def __init__(self, label_map, valid):
        self.label_map = label_map
        self.valid = valid
        self.valid_codes, n_superpixels = densify(label_map[valid])
        self.codes = np.full(label_map.shape, -1, dtype=np.intp)
        self.codes[valid] = self.valid_codes
        self.sizes = np.bincount(self.valid_codes, minlength=n_superpixels)
        self._near_edges = {}

    @cached_property
    def edges(self):
        return two_sided_edges(self.codes, self.valid)

    @cached_property
    def distance_to_edges(self):
        return distance_to(self.edges)

    def near_edges(self, tolerance):
        if tolerance not in self._near_edges:
            self._near_edges[tolerance] = widen(self.edges, tolerance)
        return self._near_edges[tolerance]

    @cached_property
    def compactness(self):
        quotients = isoperimetric_quotients(self.codes, self.sizes)
        return float(self.sizes @ quotients / self.sizes.sum())

    @cached_property
    def global_regularity(self):
        return global_regularity(self.codes, self.sizes)

    def explained_variation(self, image):
        """Fraction of the variation of `image`, of shape (H, W, C), between superpixels."""
        within = total = 0.0
        # The score does not depend on the scale. Values are scaled by a power of two, which is
        # exact. The squares of very large values would overflow, and those of very small ones
        # would be 0.
        exponent = np.frexp(float(np.abs(image[self.valid].astype(np.float64)).max()))[1]
        for channel in np.moveaxis(image, -1, 0):
            values = np.ldexp(channel[self.valid].astype(np.float64), -exponent)
            values -= values[0]  # exactly 0 where the channel is constant
            means = np.bincount(self.valid_codes, weights=values) / self.sizes
            within += np.sum((values - means[self.valid_codes]) ** 2)
            total += np.sum((values - values.mean()) ** 2)
        return max(0.0, float(1 - within / total)) if total > 0 else 1.0


class Overlap:
    """The superpixels of one image against the segmentation of one annotator.

    Each method is the metric of the same name.

    Parameters
    ----------
    superpixels : Superpixels
        The superpixels, whose valid pixels are those that count for this annotator. Several
        annotators may share one object.

    segmentation : ndarray of int, shape (H, W) or (D, H, W), or None
        The annotator's segments. If None, only metrics of shape can be computed.
    """

    def __init__(self, superpixels, segmentation):
        self.superpixels = superpixels
        self.segmentation = segmentation

    @cached_property
    def contingency(self):
        segments, _ = densify(self.segmentation[self.superpixels.valid])
        return Contingency.from_codes(self.superpixels.valid_codes, segments)

    @cached_property
    def true_edges(self):
        return one_sided_edges(self.segmentation, self.superpixels.valid)

    def boundary_recall(self, tolerance):
        return _fraction(self.true_edges, self.superpixels.near_edges(tolerance))

    def boundary_precision(self, tolerance):
        return _fraction(self.superpixels.edges, widen(self.true_edges, tolerance))

    def mean_distance_to_edge(self):
        if not self.true_edges.any():
            return 0.0
        return float(self.superpixels.distance_to_edges[self.true_edges].mean())

    def undersegmentation_error(self):
        return self.contingency.undersegmentation_error()

    def achievable_segmentation_accuracy(self):
        return self.contingency.achievable_segmentation_accuracy()

    def achievable_iou(self):
        return self.contingency.achievable_iou()

    def compactness(self):
        return self.superpixels.compactness

    def global_regularity(self):
        return self.superpixels.global_regularity


def overlaps(image, ignore_label):
    """Pair the superpixels of an image with each annotator.

    Parameters
    ----------
    image : ScoredImage
        The superpixels and the segmentations of the annotators.

    ignore_label : int or None
        Label of the pixels that are left out.

    Returns
    -------
    list of Overlap
        One per annotator, or a single one if there are no segmentations. Annotators with the
        same valid pixels share results that depend only on the superpixels.

    Raises
    ------
    ValueError
        If no pixel is left to score.
    """
    with about(image.index, "y_pred"):
        if not image.inside.any():
            raise ValueError(
                "found no pixel to score, expected at least one whose label is not negative and "
                "that no mask leaves out"
            )
    if image.segmentations is None:
        return [Overlap(Superpixels(image.label_map, image.inside), None)]
    superpixels, pairs = {}, []
    for annotator, (segmentation, known) in enumerate(image.segmentations):
        valid = image.inside if known is None else image.inside & known
        if ignore_label is not None:
            valid = valid & (segmentation != ignore_label)
        with about(image.index, "y_true"):
            if not valid.any():
                raise ValueError(
                    f"found no pixel of annotator {annotator} to score, expected at least one in "
                    f"a superpixel that is neither masked nor void (ignore_label={ignore_label})"
                )
        key = valid.tobytes()
        if key not in superpixels:
            superpixels[key] = Superpixels(image.label_map, valid)
        pairs.append(Overlap(superpixels[key], segmentation))
    return pairs


def count_superpixels(pairs):
    """Count the superpixels of an image that have a valid pixel for at least one annotator."""
    label_map = pairs[0].superpixels.label_map
    valid = np.logical_or.reduce([pair.superpixels.valid for pair in pairs])
    return densify(label_map[valid])[1]


def score(measure, y_pred, *, y_true, ignore_label, average, masks, volumes=True):
    """Score images by one metric.

    Parameters
    ----------
    measure : callable
        ``measure(overlap)`` is the score of an `Overlap`.

    y_pred, y_true, ignore_label, average, masks
        As in the public metrics.

    volumes : bool, default=True
        Whether the metric is defined for volumes.

    Returns
    -------
    float, or ndarray of float, shape (A,), or list of such arrays
        As in the public metrics.

    Raises
    ------
    ValueError
        If an image is a volume, but the metric is not defined for volumes.
    """
    check_average(average)
    check_ignore_label(ignore_label)
    scores = []
    for image in split_images(y_pred, y_true=y_true, masks=masks):
        with about(image.index, "y_pred"):
            if image.label_map.ndim == 3 and not volumes:
                raise ValueError(
                    f"found superpixels of shape {image.label_map.shape}, expected (H, W), "
                    "because this metric is not defined for volumes"
                )
        scores.append(np.array([measure(pair) for pair in overlaps(image, ignore_label)]))
    if average == "mean":
        return float(np.mean([of_image.mean() for of_image in scores]))
    return scores if is_batch(y_pred) else scores[0]


def _fraction(pixels, within):
    """Compute the fraction of `pixels` that are in `within`; 1 if there are no pixels."""
    n_pixels = np.count_nonzero(pixels)
    return np.count_nonzero(pixels & within) / n_pixels if n_pixels else 1.0
