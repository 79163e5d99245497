"""Check the arguments of the metrics, and split them into images.

A *label map* is the result of a superpixel method: one integer per pixel, negative where the pixel
is outside a mask. A *segmentation* is the ground truth of one image, by one or several
annotators. A *batch* is a sequence of either.

Errors read ``image 3: found ..., expected ...`` for an image of a batch. For a single image they
begin with the name of the parameter.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import NamedTuple

import numpy as np

from sksuperpixel._images.errors import about_image
from sksuperpixel._images.images import check_image
from sksuperpixel._images.masks import check_mask
from sksuperpixel._images.pictures import array_of_picture, is_picture
from sksuperpixel._images.segmentations import check_segmentation


class ScoredImage(NamedTuple):
    """What the metrics know about one image.

    Attributes
    ----------
    index : int or None
        Position of the image in its batch; None for a single image.

    label_map : ndarray of int, shape (H, W) or (D, H, W)
        One superpixel per pixel.

    inside : ndarray of bool, the shape of `label_map`
        The pixels that belong to a superpixel and are not masked.

    segmentations : list of (ndarray of int, ndarray of bool or None), or None
        One pair per annotator: the segmentation, and which of its pixels are not masked, or None
        if no pixel is masked.

    image : ndarray of shape (H, W, C) or (D, H, W, C), or None
        The pixels' values.
    """

    index: int | None
    label_map: np.ndarray
    inside: np.ndarray
    segmentations: list | None
    image: np.ndarray | None


@contextmanager
def about(index, parameter):
    """Begin errors with the image's number, or with the parameter for a single image.

    Parameters
    ----------
    index : int or None
        Position of the image in its batch; None for a single image.

    parameter : str
        Name of the parameter that a single image was given as.
    """
    if index is not None:
        with about_image(index):
            yield
        return
    try:
        yield
    except (TypeError, ValueError) as error:
        error.args = (f"{parameter}: {error}",)
        raise


def is_batch(label_maps):
    """Tell whether `label_maps` are several images, that is, a sequence and not one array."""
    if isinstance(label_maps, np.ndarray):
        return label_maps.dtype == object and label_maps.ndim == 1
    return isinstance(label_maps, Sequence)


def split_images(y_pred, *, y_true=None, masks=None, images=None, images_name="images"):
    """Check one image after another, together with its ground truth, mask and values.

    Parameters
    ----------
    y_pred : array of int or sequence of such arrays
        One label map, or one per image. Each is indexed only once.

    y_true, masks, images : object or sequence of objects, default=None
        What belongs to the label map, or one entry per image of a batch.

    images_name : str, default="images"
        Name of the parameter `images` in errors.

    Yields
    ------
    ScoredImage
        The checked image.

    Raises
    ------
    ValueError
        If there is no image, the numbers of images differ, or a shape does not fit.
    TypeError
        If labels are not integers, or an image does not hold real numbers.
    """
    others = {"y_true": y_true, "masks": masks, images_name: images}
    if not is_batch(y_pred):
        indices, columns = [None], [[y_pred], *([other] for other in others.values())]
    else:
        indices = range(len(y_pred))
        if not indices:
            raise ValueError("y_pred: found an empty sequence, expected at least one image")
        columns = [_column(name, other, len(indices)) for name, other in others.items()]
        columns.insert(0, y_pred)
    # A lazy sequence reads a file when its next entry is taken, and the error should say which.
    next_map, next_truth, next_mask, next_image = (iter(column).__next__ for column in columns)
    for index in indices:
        with about(index, "y_pred"):
            label_map, inside = _check_label_map(next_map())
        with about(index, "masks"):
            mask = next_mask()
            if mask is not None:
                inside = inside & check_mask(_as_array(mask), label_map.shape)
        with about(index, "y_true"):
            segmentation = next_truth()
            if y_true is not None:
                segmentation = _check_annotators(segmentation, label_map.shape)
        with about(index, images_name):
            image = next_image()
            if images is not None:
                image, known = _check_image(image, label_map.shape)
                inside = inside & known
        yield ScoredImage(index, label_map, inside, segmentation, image)


def check_length(name, values, n_images):
    """Raise unless `values` has one entry per image."""
    if not hasattr(values, "__len__"):
        raise ValueError(
            f"{name}: found {type(values).__name__}, expected a sequence of length {n_images}, "
            "one entry per image of y_pred"
        )
    if len(values) != n_images:
        raise ValueError(
            f"{name}: found length {len(values)}, expected {n_images}, one entry per image of "
            "y_pred"
        )


def check_given(y_true):
    """Raise if there is no ground truth."""
    if y_true is None:
        raise ValueError("y_true: found None, expected segmentations")


def check_ignore_label(ignore_label):
    """Raise unless `ignore_label` is None or an integer."""
    if ignore_label is not None and not isinstance(ignore_label, Integral):
        raise ValueError(f"ignore_label: found {ignore_label!r}, expected an integer or None")


def check_tolerance(tolerance):
    """Raise unless `tolerance` is a whole number of pixels."""
    if not isinstance(tolerance, Integral) or isinstance(tolerance, bool) or tolerance < 0:
        raise ValueError(f"tolerance: found {tolerance!r}, expected an integer of at least 0")


def check_average(average):
    """Raise unless `average` is "mean" or None."""
    if average not in ("mean", None):
        raise ValueError(f"average: found {average!r}, expected 'mean' or None")


def _column(name, values, n_images):
    """Return one entry of a parameter per image."""
    if values is None:
        return [None] * n_images
    check_length(name, values, n_images)
    return values


def _check_label_map(label_map):
    """Check one label map; return it and the pixels that belong to a superpixel."""
    labels = _as_array(label_map)
    if labels.dtype.kind not in "bui":
        raise TypeError(f"found superpixels of dtype {labels.dtype}, expected integers")
    if labels.ndim not in (2, 3):
        hint = "; pass several images as a list" if labels.ndim > 3 else ""
        raise ValueError(
            f"found superpixels of shape {labels.shape}, expected (H, W), or (D, H, W) for a "
            f"volume{hint}"
        )
    if labels.size == 0:
        raise ValueError(f"found superpixels of shape {labels.shape}, expected at least one pixel")
    return labels.data, (labels.data >= 0) & ~np.ma.getmaskarray(labels)


def _check_annotators(segmentation, shape):
    """Check the ground truth of one image; return a list with one entry per annotator."""
    segmentation = _as_array(segmentation)
    labels = check_segmentation(segmentation.data, shape)
    masked = np.ma.getmask(segmentation)
    known = [None] * len(labels) if masked is np.ma.nomask else ~masked.reshape(labels.shape)
    return list(zip(labels, known, strict=True))


def _check_image(image, shape):
    """Check one image; return it with channels last, and the pixels that are not masked."""
    image = _as_array(array_of_picture(image) if is_picture(image) else image)
    values = check_image(image.data, None if image.shape == shape else -1)
    if values.shape[:-1] != shape:
        raise ValueError(
            f"found an image of shape {image.shape}, expected {shape} like the superpixels, or "
            f"({', '.join(map(str, shape))}, C) with C channels"
        )
    return values, ~np.ma.getmaskarray(image).reshape(values.shape).any(axis=-1)


def _as_array(values):
    """Make a masked array, whose mask is `numpy.ma.nomask` if nothing is masked."""
    try:
        if isinstance(values, (list, tuple)) and any(np.ma.isMaskedArray(v) for v in values):
            return np.ma.stack(values)
        return np.ma.asarray(np.asanyarray(values))
    except ValueError as error:
        raise ValueError("found parts of unequal shapes, expected an array") from error
