"""Check what the metrics take, and split it into images.

A *label map* is what a superpixel method gives: one integer per pixel, negative where the pixel
is outside a mask. A *segmentation* is the ground truth of one image, by one or several
annotators. A batch is a sequence of either.

Errors read ``image 3: found ..., expected ...`` for an image of a batch. For a single image they
begin with the name of the parameter.
"""

from collections.abc import Sequence
from numbers import Integral
from typing import NamedTuple

import numpy as np

from sksuperpixel._validation import check_image

# What errors about an image of a batch call the parameters.
_NOUNS = {
    "y_pred": "superpixels",
    "y_true": "a segmentation",
    "masks": "a mask",
    "image": "an image",
    "images": "an image",
}


class ScoredImage(NamedTuple):
    """What the metrics know of one image.

    Attributes
    ----------
    index : int or None
        Where the image is in its batch. None: it is a single image.

    label_map : ndarray of int, shape (H, W) or (D, H, W)
        One superpixel per pixel.

    inside : ndarray of bool, the shape of `label_map`
        The pixels that have a superpixel and that no mask leaves out.

    segmentations : list of (ndarray of int, ndarray of bool or None), or None
        One per annotator: the segmentation, and which of its pixels are not masked; None if no
        pixel is.

    image : ndarray of shape (H, W, C) or (D, H, W, C), or None
        The pixels' values.
    """

    index: int | None
    label_map: np.ndarray
    inside: np.ndarray
    segmentations: list | None
    image: np.ndarray | None


def is_batch(label_maps):
    """Tell whether `label_maps` is several images, that is, a sequence and not one array."""
    if isinstance(label_maps, np.ndarray):
        return label_maps.dtype == object and label_maps.ndim == 1
    return isinstance(label_maps, Sequence)


def split_images(y_pred, *, y_true=None, masks=None, images=None, images_name="images"):
    """Check one image after another, each with what belongs to it.

    Parameters
    ----------
    y_pred : array of int or sequence of such arrays
        One label map, or one per image. Each is asked for once.

    y_true, masks, images : object or sequence of objects, default=None
        What belongs to the label map, or one per image of a batch.

    images_name : str, default="images"
        What errors call the parameter `images`.

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
        rows = [(None, y_pred, *others.values())]
    else:
        n_images = len(y_pred)
        if n_images == 0:
            raise ValueError("y_pred: found an empty sequence, expected at least one image")
        columns = [_column(name, other, n_images) for name, other in others.items()]
        rows = zip(range(n_images), y_pred, *columns, strict=True)
    for index, label_map, segmentation, mask, image in rows:
        label_map, inside = _check_label_map(label_map, index)
        if mask is not None:
            inside &= _check_mask(mask, label_map.shape, index)
        if segmentation is not None:
            segmentation = _check_segmentation(segmentation, label_map.shape, index)
        if image is not None:
            image, known = _check_image(image, label_map.shape, index, images_name)
            inside = inside if known is None else inside & known
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
    """Raise unless `average` is one of its two values."""
    if average not in ("mean", None):
        raise ValueError(f"average: found {average!r}, expected 'mean' or None")


def place(name, index):
    """Name what an error is about: the image of a batch, or the parameter ``y_pred``."""
    return name if index is None else f"image {index}"


def found(name, index):
    """Begin an error: ``y_pred: found``, or ``image 3: found superpixels of`` in a batch."""
    return f"{place(name, index)}: found" + ("" if index is None else f" {_NOUNS[name]} of")


def _column(name, values, n_images):
    """One entry of a parameter per image."""
    if values is None:
        return [None] * n_images
    check_length(name, values, n_images)
    return values


def _check_label_map(label_map, index):
    """Check one label map; give it and the pixels that have a superpixel."""
    label_map, known = _check_integers(label_map, "y_pred", index)
    if label_map.ndim not in (2, 3):
        hint = "; several images are given as a list" if label_map.ndim > 3 else ""
        raise ValueError(
            f"{found('y_pred', index)} shape {label_map.shape}, expected (H, W), or (D, H, W) for "
            f"a volume{hint}"
        )
    if label_map.size == 0:
        raise ValueError(
            f"{found('y_pred', index)} shape {label_map.shape}, expected at least one pixel"
        )
    inside = label_map >= 0
    return label_map, inside if known is None else inside & known


def _check_mask(mask, shape, index):
    """Check one mask; it may be empty, which is an error only if nothing else is left."""
    mask, _ = _as_array(mask, "masks", index)
    if mask.shape != shape:
        raise ValueError(
            f"{found('masks', index)} shape {mask.shape}, expected {shape}, the shape of the "
            "superpixels"
        )
    if mask.dtype != bool and (mask.dtype.kind not in "ui" or not np.isin(mask, (0, 1)).all()):
        raise ValueError(
            f"{found('masks', index)} dtype {mask.dtype}, expected bool, or integers that are 0 "
            "or 1"
        )
    return mask.astype(bool, copy=False)


def _check_segmentation(segmentation, shape, index):
    """Check the ground truth of one image; give a list with an entry per annotator."""
    labels, known = _check_integers(segmentation, "y_true", index)
    if labels.shape != shape and labels.shape[1:] != shape:
        raise ValueError(
            f"{found('y_true', index)} shape {labels.shape}, expected {shape}, the shape of the "
            f"superpixels, or (A, {', '.join(map(str, shape))}) for A annotators"
        )
    labels = labels.reshape(-1, *shape)
    if len(labels) == 0:
        raise ValueError(
            f"{found('y_true', index)} shape {labels.shape}, expected at least one annotator"
        )
    known = [None] * len(labels) if known is None else known.reshape(-1, *shape)
    return list(zip(labels, known, strict=True))


def _check_image(image, shape, index, name):
    """Check one image; give it with its channels last, and the pixels that are not masked."""
    values, known = _as_array(image, name, index)
    channel_axis = None if values.shape == shape else -1
    image = check_image(values, 0 if index is None else index, channel_axis)
    if image.shape[:-1] != shape:
        raise ValueError(
            f"{found(name, index)} shape {values.shape}, expected {shape}, the shape of the "
            f"superpixels, or ({', '.join(map(str, shape))}, C) with C channels"
        )
    return image, None if known is None else known.reshape(image.shape).all(axis=-1)


def _check_integers(values, name, index):
    """Make an array of integers, and tell which of them are not masked."""
    values, known = _as_array(values, name, index)
    if values.dtype == bool:
        return values.view(np.uint8), known
    if values.dtype.kind not in "iu":
        raise TypeError(f"{found(name, index)} dtype {values.dtype}, expected integers")
    return values, known


def _as_array(values, name, index):
    """Make a plain array, and tell which of its entries are not masked; None: all are."""
    try:
        if isinstance(values, (list, tuple)) and any(np.ma.isMaskedArray(v) for v in values):
            values = np.ma.stack(values)  # numpy.asarray would drop the masks
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{found(name, index)} unequal shapes, expected parts that make one array"
        ) from error
    mask = np.ma.getmask(values)
    return array, None if mask is np.ma.nomask else ~mask
