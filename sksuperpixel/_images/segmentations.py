"""Segmentations: the ground truth of an image, by one annotator or several."""

import numpy as np


def check_number_of_segmentations(segmentations, n_images):
    """Check that there is one segmentation per image.

    Parameters
    ----------
    segmentations : sequence
    n_images : int

    Raises
    ------
    ValueError
        If the numbers differ.
    """
    if not hasattr(segmentations, "__len__") or len(segmentations) != n_images:
        found = (
            f"{len(segmentations)} segmentations"
            if hasattr(segmentations, "__len__")
            else type(segmentations).__name__
        )
        raise ValueError(f"y: found {found}, expected one for each of the {n_images} images")


def check_segmentation(segmentation, shape):
    """Check the segmentation of one image.

    Parameters
    ----------
    segmentation : ndarray of shape (H, W) or (A, H, W)
        The ground truth by one annotator, or by A of them.
    shape : tuple of int
        (H, W) of the image.

    Returns
    -------
    ndarray of shape (A, H, W), int
        A is 1 if there was no such axis.

    Raises
    ------
    ValueError
        If its shape is not the image's.
    TypeError
        If it does not hold integers.
    """
    segmentation = np.asarray(segmentation)
    annotated = segmentation.shape[1:] == shape and len(segmentation) > 0
    if segmentation.shape != shape and not annotated:
        raise ValueError(
            f"found a segmentation of shape {segmentation.shape}, expected {shape} like the "
            f"image, or (A, {', '.join(map(str, shape))}) for A annotators"
        )
    if segmentation.dtype.kind not in "bui":
        raise TypeError(f"found a segmentation of dtype {segmentation.dtype}, expected integers")
    return segmentation.reshape(-1, *shape)


def check_segmentation_to_learn(segmentation, shape):
    """Check the segmentation of one image that something is learned from.

    Metrics leave out the masked pixels of a segmentation. Learning knows no such pixels, and must
    not take what is under a mask for ground truth.

    Parameters
    ----------
    segmentation : ndarray of shape (H, W) or (A, H, W)
    shape : tuple of int

    Returns
    -------
    ndarray of shape (A, H, W), int

    Raises
    ------
    ValueError
        If a pixel is masked, or if the shape is not the image's.
    TypeError
        If it does not hold integers.
    """
    several = segmentation if isinstance(segmentation, (list, tuple)) else [segmentation]
    if any(np.ma.is_masked(each) for each in several):
        raise ValueError(
            "found a masked segmentation, expected one without masked pixels; give them the "
            "ignore_label, or pass masks"
        )
    return check_segmentation(segmentation, shape)
