"""Masks: which pixels of an image count, and what takes the place of the others."""

import numpy as np
from scipy.ndimage import distance_transform_edt


def check_masks(masks, n_images):
    """Check that there is one mask (or None) per image.

    Parameters
    ----------
    masks : sequence or None
    n_images : int

    Returns
    -------
    sequence
        One mask (or None) per image.

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    if masks is None:
        return [None] * n_images
    if not hasattr(masks, "__len__") or len(masks) != n_images:
        found = len(masks) if hasattr(masks, "__len__") else type(masks).__name__
        raise ValueError(
            f"masks: found {found}, expected one mask (or None) for each of the {n_images} images"
        )
    return masks


def check_mask(mask, shape):
    """Check the mask of one image.

    Parameters
    ----------
    mask : array-like of shape `shape`, bool, or None
        True where pixels count. Integers that are 0 or 1 are masks, too, and uint8 that is 0 or
        255, as in picture files.
    shape : tuple of int
        Shape of the image without its channels.

    Returns
    -------
    ndarray of shape `shape`, bool, or None

    Raises
    ------
    ValueError
        If the shape or the values do not fit, or if nothing is inside.
    """
    if mask is None:
        return None
    mask = np.asarray(mask)
    if mask.shape != shape:
        raise ValueError(f"found a mask of shape {mask.shape}, expected the image's, {shape}")
    if mask.dtype != bool:
        # Masks in picture files are 0 and 255.
        values = (0, 255) if mask.dtype == np.uint8 and mask.max(initial=0) == 255 else (0, 1)
        if mask.dtype.kind not in "ui" or not np.isin(mask, values).all():
            raise ValueError(
                f"found a mask of dtype {mask.dtype}, expected bool, integers that are 0 "
                "or 1, or uint8 that is 0 or 255"
            )
        mask = mask.astype(bool)
    if not mask.any():
        raise ValueError("found a mask with no pixel inside, expected at least one True")
    return mask


def replace_outside(image, mask):
    """Replace the pixels outside a mask by the value of one pixel inside.

    This is quick, and enough for features that do not depend on neighbouring pixels.

    Parameters
    ----------
    image : ndarray of shape (..., C)
    mask : ndarray of shape (...), bool, or None

    Returns
    -------
    ndarray of shape (..., C)
        The image itself if everything is inside.
    """
    if mask is None or mask.all():
        return image
    some = image[np.unravel_index(mask.argmax(), mask.shape)]
    return np.where(mask[..., np.newaxis], image, some)


def fill_outside(image, mask):
    """Fill an image outside its mask with what is inside, mirrored at the mask's border.

    Features that look around a pixel then see no edge where the mask ends, and nothing of what
    lies outside. A pixel next to the border gets the nearest value inside. Repeating that value
    farther out would draw streaks, which texture features would take for edges.

    Parameters
    ----------
    image : ndarray of shape (..., C)
    mask : ndarray of shape (...), bool, or None

    Returns
    -------
    ndarray of shape (..., C)
        The image itself if everything is inside.
    """
    if mask is None or mask.all():
        return image
    nearest = distance_transform_edt(~mask, return_distances=False, return_indices=True)
    away = np.indices(mask.shape) - nearest
    # The border lies between the last pixel inside and the first one outside.
    mirrored = nearest - away + np.sign(away)
    last = np.reshape(mask.shape, (-1, *[1] * mask.ndim)) - 1
    mirrored = np.clip(mirrored, 0, last)
    # Where the mask is narrow, the mirrored position may be outside, too. Then the nearest
    # pixel inside is used.
    return image[tuple(np.where(mask[tuple(mirrored)], mirrored, nearest))]
