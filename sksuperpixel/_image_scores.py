"""What all metrics of one image share: each piece is computed once, when first asked for."""

from functools import cached_property

import numpy as np

from ._boundaries import distance_to, one_sided_edges, two_sided_edges, widen
from ._contingency import Contingency, densify
from ._shape_regularity import global_regularity, isoperimetric_quotients


class Superpixels:
    """The part of a label map that counts, and the scores that need nothing else.

    Parameters
    ----------
    label_map : ndarray of int, shape (H, W) or (D, H, W)
        One superpixel a pixel.

    valid : ndarray of bool, the shape of `label_map`
        The pixels that count, at least one.

    name : str
        What errors call the label map.
    """

    def __init__(self, label_map, valid, name):
        self.name = name
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
        if self.codes.ndim != 2:
            raise ValueError(
                f"{self.name} has shape {self.codes.shape}; expected (H, W), as global "
                "regularity is not defined for volumes."
            )
        return global_regularity(self.codes, self.sizes)

    def explained_variation(self, image, name):
        """Share of the variation of `image`, ndarray of shape (H, W, C), between superpixels."""
        within = total = 0.0
        for channel in np.moveaxis(image, -1, 0):
            values = channel[self.valid].astype(np.float64)
            if not np.isfinite(values).all():
                raise ValueError(f"{name} has values that are NaN or infinite.")
            values -= values[0]  # exactly 0 where the channel is constant
            means = np.bincount(self.valid_codes, weights=values) / self.sizes
            within += np.sum((values - means[self.valid_codes]) ** 2)
            total += np.sum((values - values.mean()) ** 2)
        return max(0.0, float(1 - within / total)) if total > 0 else 1.0


class Overlap:
    """The superpixels of an image against one annotator's segmentation.

    Parameters
    ----------
    superpixels : Superpixels
        With the pixels that count for this annotator; annotators may share it.

    segmentation : ndarray of int, shape (H, W) or (D, H, W), or None
        The annotator's segments. Without them only `superpixels` has scores.
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
        return _share(self.true_edges, self.superpixels.near_edges(tolerance))

    def boundary_precision(self, tolerance):
        return _share(self.superpixels.edges, widen(self.true_edges, tolerance))

    def mean_distance_to_edge(self):
        if not self.true_edges.any():
            return 0.0
        return float(self.superpixels.distance_to_edges[self.true_edges].mean())


def overlaps(label_map, annotations, ignore_label, name_pred="y_pred", name_true="y_true"):
    """Pair the label map of an image with each annotator.

    Parameters
    ----------
    label_map : ndarray of int, shape (H, W) or (D, H, W)
        One superpixel a pixel; negative where a pixel is left out.

    annotations : ndarray of int, shape (A, H, W) or (A, D, H, W), or None
        The segmentations of the annotators.

    ignore_label : int or None
        The segment that is left out.

    name_pred, name_true : str
        What errors call the label map and the annotations.

    Returns
    -------
    list of Overlap, length A
        One an annotator; one alone without annotations. Annotators with the same void pixels
        share what depends on the superpixels only.

    Raises
    ------
    ValueError
        If no pixel is left to score.
    """
    inside = label_map >= 0
    if annotations is None:
        if not inside.any():
            raise ValueError(f"{name_pred} is negative everywhere; no pixel is left to score.")
        return [Overlap(Superpixels(label_map, inside, name_pred), None)]
    known, pairs = {}, []
    for i, segmentation in enumerate(annotations):
        valid = inside if ignore_label is None else inside & (segmentation != ignore_label)
        if not valid.any():
            raise ValueError(
                f"{name_true}, annotator {i}: no pixel is left to score; each is "
                f"ignore_label={ignore_label} or has a negative label in {name_pred}."
            )
        key = valid.tobytes()
        if key not in known:
            known[key] = Superpixels(label_map, valid, name_pred)
        pairs.append(Overlap(known[key], segmentation))
    return pairs


def _share(pixels, within):
    """Share of `pixels` that are in `within`; 1 if there are none."""
    n_pixels = np.count_nonzero(pixels)
    return np.count_nonzero(pixels & within) / n_pixels if n_pixels else 1.0
