"""What a label map and a segmentation are to the metrics: every check, and its one error.

A *label map* is what a superpixel method gives: one integer a pixel, negative where the pixel
is outside a mask. A *segmentation* is the ground truth of one image, by one or several
annotators. A batch is a sequence of either. Errors name the image by its index, say what was
found and what was expected.
"""

from collections.abc import Sequence
from numbers import Integral

import numpy as np


def is_batch(label_maps):
    """Tell whether `label_maps` is several images, that is, a sequence and not one array."""
    if isinstance(label_maps, np.ndarray):
        return label_maps.dtype == object and label_maps.ndim == 1
    return isinstance(label_maps, Sequence)


def check_label_map(label_map, name="y_pred"):
    """Check one label map.

    Parameters
    ----------
    label_map : array-like of int, shape (H, W) or (D, H, W)
        One label a pixel. Negative labels are legal.

    name : str, default="y_pred"
        What errors call it.

    Returns
    -------
    ndarray of int, shape (H, W) or (D, H, W)
        The same labels. Booleans become integers.

    Raises
    ------
    ValueError
        If the labels are no integers, the array has another number of axes, or it is empty.
    """
    label_map = _integers(label_map, name)
    if label_map.ndim not in (2, 3):
        message = (
            f"{name} has shape {label_map.shape}; expected (H, W), or (D, H, W) for a volume."
        )
        if label_map.ndim > 3:
            message += " Give several images as a list."
        raise ValueError(message)
    if label_map.size == 0:
        raise ValueError(f"{name} has shape {label_map.shape}; expected at least one pixel.")
    return label_map


def check_annotations(segmentation, shape, name="y_true", name_pred="y_pred"):
    """Check the ground truth of one image and give it an axis of annotators.

    Parameters
    ----------
    segmentation : array-like of int, shape (H, W) or (A, H, W)
        One segmentation, or those of A annotators; for a volume (D, H, W) or (A, D, H, W).

    shape : tuple of int
        The shape of the image's label map. It decides which axes are the image's.

    name, name_pred : str
        What errors call the segmentation and the label map.

    Returns
    -------
    ndarray of int, shape (A, H, W) or (A, D, H, W)
        The same labels, A = 1 where there was no axis of annotators.

    Raises
    ------
    ValueError
        If the labels are no integers, the shape does not fit, or there is no annotator.
    """
    segmentation = _integers(segmentation, name)
    if segmentation.shape == shape:
        return segmentation[np.newaxis]
    if segmentation.shape[1:] != shape:
        annotated = ", ".join(["n_annotators", *map(str, shape)])
        raise ValueError(
            f"{name} has shape {segmentation.shape}; expected {shape}, the shape of "
            f"{name_pred}, or ({annotated})."
        )
    if len(segmentation) == 0:
        raise ValueError(f"{name} has shape {segmentation.shape}; expected at least 1 annotator.")
    return segmentation


def check_image(image, shape, name="image", name_pred="y_pred"):
    """Check that one image fits its label map and give it an axis of channels.

    Parameters
    ----------
    image : array-like of shape (H, W) or (H, W, C)
        Numbers; for a volume (D, H, W) or (D, H, W, C).

    shape : tuple of int
        The shape of the image's label map.

    name, name_pred : str
        What errors call the image and the label map.

    Returns
    -------
    ndarray of shape (H, W, C) or (D, H, W, C)
        The image, C = 1 where there was no axis of channels.

    Raises
    ------
    ValueError
        If the values are no real numbers, the shape does not fit, or there is no channel.
    """
    image = _array(image, name)
    if image.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {image.dtype}; expected an image of real numbers.")
    if image.shape == shape:
        return image[..., np.newaxis]
    if image.shape[:-1] != shape or image.shape[-1] == 0:
        channelled = ", ".join([*map(str, shape), "n_channels"])
        raise ValueError(
            f"{name} has shape {image.shape}; expected {shape}, the shape of {name_pred}, "
            f"or ({channelled})."
        )
    return image


def check_batch(y_pred, **others):
    """Walk over images, each with what belongs to it.

    Parameters
    ----------
    y_pred : array of int or sequence of such arrays
        One label map, or one an image. Each is asked for once.

    **others : object or sequence of objects
        What goes with the label map, or one an image, under the name errors call it:
        segmentations or images. None goes with every image.

    Yields
    ------
    label_map : ndarray of int, shape (H, W) or (D, H, W)
        The checked label map of an image.

    name : str
        What errors are to call it.

    *items : tuple of (object, str)
        Of each of `others` the part of this image, unchecked, and what errors are to call it.

    Raises
    ------
    ValueError
        If there is no image, or one of `others` has another number of images than `y_pred`.
    """
    if not is_batch(y_pred):
        yield check_label_map(y_pred), "y_pred", *((other, n) for n, other in others.items())
        return
    if len(y_pred) == 0:
        raise ValueError("y_pred holds no image; expected at least one.")
    for name, other in others.items():
        if other is not None and not hasattr(other, "__len__"):
            raise ValueError(
                f"{name} is a {type(other).__name__}; expected a sequence of {len(y_pred)}, one "
                "an image of y_pred."
            )
        if other is not None and len(other) != len(y_pred):
            raise ValueError(
                f"{name} has length {len(other)}; expected {len(y_pred)}, one an image of y_pred."
            )
    columns = [[None] * len(y_pred) if other is None else other for other in others.values()]
    for i, (label_map, *items) in enumerate(zip(y_pred, *columns, strict=True)):
        name_pred = f"y_pred[{i}]"
        names = [f"{name}[{i}]" for name in others]
        yield check_label_map(label_map, name_pred), name_pred, *zip(items, names, strict=True)


def check_ignore_label(ignore_label):
    """Raise unless `ignore_label` is None or an integer."""
    if ignore_label is not None and not isinstance(ignore_label, Integral):
        raise ValueError(f"ignore_label is {ignore_label!r}; expected an integer or None.")


def check_tolerance(tolerance):
    """Raise unless `tolerance` is a whole number of pixels."""
    if not isinstance(tolerance, Integral) or isinstance(tolerance, bool) or tolerance < 0:
        raise ValueError(f"tolerance is {tolerance!r}; expected an integer of at least 0.")


def _array(values, name):
    try:
        return np.asarray(values)
    except ValueError as error:  # ragged lists
        raise ValueError(f"{name} cannot be made one array: its parts differ in shape.") from error


def _integers(values, name):
    values = _array(values, name)
    if values.dtype == bool:
        return values.view(np.uint8)
    if values.dtype.kind not in "iu":
        raise ValueError(f"{name} has dtype {values.dtype}; expected integer labels.")
    return values
