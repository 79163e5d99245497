"""What images, masks and segmentations are: every check of them, and its error.

Each error names the image by its index, says what was found and what was expected.
"""

import numbers

import numpy as np


def check_images(images, channel_axis=-1):
    """Check that `images` is a sequence of images, without looking at each.

    Parameters
    ----------
    images : sequence of ndarray, or ndarray of shape (n, H, W[, C])
    channel_axis : int or None, default=-1
        Where the channels of an image are; None where images have no such axis.

    Returns
    -------
    sequence
        The same object, with a length.

    Raises
    ------
    TypeError
        If it is no sequence.
    ValueError
        If it is empty, or a single image, or no image can have such a `channel_axis`.
    """
    if isinstance(images, (str, bytes, dict)) or not (
        hasattr(images, "__len__") and hasattr(images, "__getitem__")
    ):
        raise TypeError(
            f"images: found {type(images).__name__}, expected a sequence of images (arrays)"
        )
    if channel_axis is not None and not -4 <= channel_axis < 4:
        raise ValueError(
            f"channel_axis: found {channel_axis}, expected an axis of images (H, W, C) or "
            "(D, H, W, C), or None"
        )
    if isinstance(images, np.ndarray) and images.dtype != object:
        # An image of 2 axes is a grey one; of 3 it can have channels.
        looks_bare = images.ndim < 3 or (
            images.ndim == 3
            and channel_axis is not None
            and -3 <= channel_axis < 3
            and images.shape[channel_axis] <= 4
        )
        if looks_bare:
            raise ValueError(
                f"images: found one array of shape {images.shape}, which looks like a single "
                "image; expected a sequence of images, for instance [image]"
            )
    if len(images) == 0:
        raise ValueError("images: found an empty sequence, expected at least one image")
    return images


def check_image(image, index, channel_axis=-1, n_channels=None):
    """Check one image and move its channels last.

    Parameters
    ----------
    image : array-like of shape (H, W), (H, W, C), (D, H, W) or (D, H, W, C)
        With `channel_axis` None, 2 axes are an image and 3 a volume; else 2 axes are a grey
        image, 3 an image and 4 a volume, channels included.
    index : int
        Where the image is in its sequence, for the errors.
    channel_axis : int or None, default=-1
    n_channels : int, default=None
        How many channels it must have.

    Returns
    -------
    ndarray of shape (H, W, C) or (D, H, W, C)
        A view where possible.

    Raises
    ------
    TypeError
        If it is no array of numbers.
    ValueError
        If its shape or its number of channels is not as expected.
    """
    try:
        image = np.asarray(image)
    except ValueError as error:
        raise ValueError(
            f"image {index}: found nested lists of unequal lengths, expected an array"
        ) from error
    if image.dtype.kind not in "buif":
        raise TypeError(
            f"image {index}: found an array of dtype {image.dtype}, expected real numbers"
        )
    if channel_axis is None or image.ndim == 2:
        axes = 2 if channel_axis is not None else (2, 3)
        fits = image.ndim in np.atleast_1d(axes)
        expected = "(H, W)" if channel_axis is not None else "(H, W) or (D, H, W)"
    else:
        fits = image.ndim in (3, 4) and -image.ndim <= channel_axis < image.ndim
        expected = f"(H, W), or (H, W, C) or (D, H, W, C) with the channels on axis {channel_axis}"
    if not fits:
        raise ValueError(f"image {index}: found shape {image.shape}, expected {expected}")
    if not image.dtype.isnative:
        # As some files are; kernels know no other byte order than the machine's.
        image = image.astype(image.dtype.newbyteorder("="))
    if image.size == 0:
        raise ValueError(
            f"image {index}: found shape {image.shape}, which has no pixel; expected at least one"
        )
    if channel_axis is None or image.ndim == 2:
        image = image[..., np.newaxis]
    else:
        image = np.moveaxis(image, channel_axis, -1)
    if n_channels is not None and image.shape[-1] != n_channels:
        raise ValueError(
            f"image {index}: found {image.shape[-1]} channels, expected {n_channels}, "
            "as the first image fitted"
        )
    return image


def check_finite(image, index, mask=None, what="image"):
    """Check that there is no NaN and no infinity in the mask.

    Parameters
    ----------
    image : ndarray of shape (..., C)
    index : int
    mask : ndarray of shape (...), bool, default=None
    what : str, default="image"
        What to call it in the error.

    Raises
    ------
    ValueError
        Where there is.
    """
    if image.dtype.kind != "f":
        return
    # One pass without temporaries for the usual case: a sum of finite numbers is finite,
    # unless it overflows, which the second look tells apart.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(image.sum()):
            return
    bad = ~np.isfinite(image).all(axis=-1)
    if mask is not None:
        bad &= mask
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        inside = " inside its mask" if mask is not None else ""
        raise ValueError(
            f"{what} {index}: found NaN or infinity at {int(bad.sum())} pixels{inside}, the "
            f"first at {where}; expected finite numbers"
        )


def check_mask(mask, shape, index):
    """Check the mask of one image.

    Parameters
    ----------
    mask : array-like of shape `shape`, bool, or None
        True where superpixels are wanted.
    shape : tuple of int
        Shape of the image without its channels.
    index : int

    Returns
    -------
    ndarray of shape `shape`, bool, or None

    Raises
    ------
    ValueError
        If the shape or the values do not fit, or nothing is inside.
    """
    if mask is None:
        return None
    mask = np.asarray(mask)
    if mask.shape != shape:
        raise ValueError(
            f"mask of image {index}: found shape {mask.shape}, expected the image's, {shape}"
        )
    if mask.dtype != bool:
        if mask.dtype.kind not in "ui" or not np.isin(mask, (0, 1)).all():
            raise ValueError(
                f"mask of image {index}: found dtype {mask.dtype}, expected bool, or integers "
                "that are 0 or 1"
            )
        mask = mask.astype(bool)
    if not mask.any():
        raise ValueError(
            f"mask of image {index}: found no pixel inside, expected at least one True"
        )
    return mask


def check_masks(masks, n_images):
    """Check that there is one mask (or None) an image.

    Parameters
    ----------
    masks : sequence or None
    n_images : int

    Returns
    -------
    sequence
        As long as the images.

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


def check_segmentations(segmentations, images, channel_axis=-1):
    """Check that there is one segmentation an image, of the image's shape.

    Images and segmentations that are lazy are not computed for that: there, only the first
    pair is looked at.

    Parameters
    ----------
    segmentations : sequence of ndarray of shape (H, W) or (A, H, W)
        With an axis of annotators in front, or without.
    images : sequence of ndarray
    channel_axis : int or None, default=-1

    Returns
    -------
    sequence
        The same object.

    Raises
    ------
    ValueError
        If lengths or shapes differ.
    TypeError
        If a segmentation does not hold integers.
    """
    if not hasattr(segmentations, "__len__") or len(segmentations) != len(images):
        found = (
            f"{len(segmentations)} segmentations"
            if hasattr(segmentations, "__len__")
            else type(segmentations).__name__
        )
        raise ValueError(f"y: found {found}, expected one for each of the {len(images)} images")
    in_memory = (list, tuple, np.ndarray)
    lazy = not (isinstance(images, in_memory) and isinstance(segmentations, in_memory))
    for i in range(1 if lazy else len(images)):
        check_segmentation(segmentations[i], check_image(images[i], i, channel_axis).shape[:-1], i)
    return segmentations


def check_segmentation(segmentation, shape, index):
    """Check one segmentation, of one annotator or several.

    Parameters
    ----------
    segmentation : ndarray of shape (H, W) or (A, H, W)
    shape : tuple of int
        (H, W) of the image.
    index : int
        Where it is in its sequence, for errors.

    Returns
    -------
    ndarray of shape (A, H, W), int
        A is 1 where there was no such axis.

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
            f"y of image {index}: found a segmentation of shape {segmentation.shape}, expected "
            f"{shape} as the image, or (A, {', '.join(map(str, shape))}) for A annotators"
        )
    if segmentation.dtype.kind not in "bui":
        raise TypeError(
            f"y of image {index}: found a segmentation of dtype {segmentation.dtype}, expected "
            "integers"
        )
    return segmentation.reshape(-1, *shape)


def check_channel_weights(weights, n_channels, name="channel_weights"):
    """Check the weights of a distance's channels.

    Parameters
    ----------
    weights : array-like of shape (C,) or None
    n_channels : int
        C.
    name : str, default="channel_weights"
        The parameter, for errors.

    Returns
    -------
    ndarray of shape (C,), float64, or None

    Raises
    ------
    ValueError
        If there is not one finite weight that is not negative for each channel.
    """
    if weights is None:
        return None
    try:
        array = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: found {weights!r}, expected numbers") from error
    if array.shape != (n_channels,):
        raise ValueError(
            f"{name}: found shape {array.shape}, expected ({n_channels},): one weight "
            "for each channel of the features"
        )
    if not (np.isfinite(array).all() and (array >= 0).all()):
        raise ValueError(
            f"{name}: found {array.min()} .. {array.max()}, expected finite numbers "
            "that are not negative"
        )
    return array


def check_spacing(spacing, n_axes):
    """Check the size of a pixel along each axis.

    Parameters
    ----------
    spacing : sequence of float or None
        One number for each axis of the image (or volume), channels left out.
    n_axes : int
        2 for images, 3 for volumes.

    Returns
    -------
    tuple of 3 float
        For planes, rows and columns, over the smallest of them; 1 for the planes of an image.

    Raises
    ------
    ValueError
        If there is not one positive number for each axis.
    """
    if spacing is None:
        return (1.0, 1.0, 1.0)
    numbers_given = all(isinstance(s, numbers.Real) and 0 < s < np.inf for s in spacing)
    if len(spacing) != n_axes or not numbers_given:
        raise ValueError(
            f"spacing: found {tuple(spacing)}, expected {n_axes} positive numbers, one for each "
            "axis of the image"
        )
    finest = min(spacing)
    return (1.0,) * (3 - n_axes) + tuple(float(s / finest) for s in spacing)
