"""Checks of an image, and of a sequence of images."""

import warnings

import numpy as np


def check_images(images, channel_axis=-1):
    """Check that `images` is a sequence of images, without looking at each of them.

    Parameters
    ----------
    images : sequence of ndarray, or array of shape (n, H, W[, C])
    channel_axis : int or None, default=-1
        Which axis of an image holds its channels; None where images have no such axis.

    Returns
    -------
    sequence
        The same object. It has a length.

    Raises
    ------
    TypeError
        If it is not a sequence.
    ValueError
        If it is empty, if it is a single image, or if no image can have such a `channel_axis`.

    Warns
    -----
    UserWarning
        If it is one array that could be several images or a single one.
    """
    if channel_axis is not None and not -4 <= channel_axis < 4:
        raise ValueError(
            f"channel_axis: found {channel_axis}, expected an axis of images (H, W, C) or "
            "(D, H, W, C), or None"
        )
    # This check comes first, because zarr arrays have a shape but no length.
    _check_not_bare(images, channel_axis)
    if isinstance(images, (str, bytes, dict)) or not (
        hasattr(images, "__len__") and hasattr(images, "__getitem__")
    ):
        raise TypeError(
            f"images: found {type(images).__name__}, expected a sequence of images (arrays)"
        )
    if len(images) == 0:
        raise ValueError("images: found an empty sequence, expected at least one image")
    return images


def _check_not_bare(images, channel_axis):
    """Raise or warn if `images` is one array that may be a single image.

    Arrays of NumPy, torch, dask, zarr and xarray have a shape and a numeric dtype. Sequences of
    images do not.
    """
    shape = getattr(images, "shape", None)
    try:
        shape = tuple(int(length) for length in shape)
    except TypeError:
        return
    dtype = getattr(images, "dtype", None)
    if dtype is None or getattr(dtype, "kind", None) == "O":
        return
    # An image of 2 axes is a grey one. One of 3 axes can have channels.
    has_channels = channel_axis is not None and -3 <= channel_axis < 3
    if len(shape) < 3 or (len(shape) == 3 and has_channels and shape[channel_axis] <= 4):
        raise ValueError(
            f"images: found one array of shape {shape}, which looks like a single image; "
            "expected a sequence of images, for instance [image]"
        )
    if len(shape) == 3:
        one = "a volume" if channel_axis is None else f"an image of {shape[channel_axis]} channels"
        warnings.warn(
            f"images: found one array of shape {shape}, which is read as {shape[0]} grey images "
            f"of shape {shape[1:]}. If it is {one}, pass [image]; if it is several images, pass "
            "list(images)",
            UserWarning,
            stacklevel=2,
        )


def check_image(image, channel_axis=-1, n_channels=None):
    """Check one image and move its channels last.

    Parameters
    ----------
    image : array-like of shape (H, W), (H, W, C), (D, H, W) or (D, H, W, C)
        With `channel_axis` None, 2 axes are an image and 3 axes a volume. Otherwise 2 axes are a
        grey image, 3 an image and 4 a volume, channels included.
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
        If it is not an array of real numbers.
    ValueError
        If its shape or its number of channels is not as expected.
    """
    image = _as_array(image)
    if channel_axis is None or image.ndim == 2:
        axes = 2 if channel_axis is not None else (2, 3)
        fits = image.ndim in np.atleast_1d(axes)
        expected = "(H, W)" if channel_axis is not None else "(H, W) or (D, H, W)"
    else:
        fits = image.ndim in (3, 4) and -image.ndim <= channel_axis < image.ndim
        expected = f"(H, W), or (H, W, C) or (D, H, W, C) with the channels on axis {channel_axis}"
    if not fits:
        raise ValueError(f"found shape {image.shape}, expected {expected}")
    if image.size == 0:
        raise ValueError(f"found shape {image.shape}, which has no pixel; expected at least one")
    if channel_axis is None or image.ndim == 2:
        image = image[..., np.newaxis]
    else:
        image = np.moveaxis(image, channel_axis, -1)
    if n_channels == 3 and image.shape[-1] == 1:
        raise ValueError(
            "found a grey image, expected 3 channels, as in the first image fitted; "
            "skimage.color.gray2rgb repeats the grey levels"
        )
    if n_channels is not None and image.shape[-1] != n_channels:
        raise ValueError(
            f"found {image.shape[-1]} channels, expected {n_channels}, as in the first image "
            "fitted"
        )
    return image


def _as_array(image):
    """Make an array of real numbers, in the machine's byte order."""
    try:
        image = np.asarray(image)
    except ValueError as error:
        raise ValueError("found nested lists of unequal lengths, expected an array") from error
    except (RuntimeError, TypeError) as error:
        # For example, a torch tensor that needs a gradient or is on a GPU.
        raise TypeError(
            f"found a {type(image).__name__} that NumPy cannot read ({error}), expected an array"
        ) from error
    if image.dtype.kind not in "buif":
        raise TypeError(f"found an array of dtype {image.dtype}, expected real numbers")
    if not image.dtype.isnative:
        # Some files have another byte order. The kernels support only that of the machine.
        image = image.astype(image.dtype.newbyteorder("="))
    return image


def check_finite(image, mask=None, what=""):
    """Check that an image has no NaN and no infinity, or none inside its mask.

    Parameters
    ----------
    image : ndarray of shape (..., C)
    mask : ndarray of shape (...), bool, default=None
    what : str, default=""
        What to call the array in the error, if it is not the image itself.

    Raises
    ------
    ValueError
        If there is a NaN or an infinity.
    """
    if image.dtype.kind != "f":
        return
    # The usual case takes one pass without temporaries: if the sum is finite, all numbers are.
    # If it is not, it may just have overflowed, so the numbers are looked at one by one.
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
            f"found NaN or infinity {what}at {int(bad.sum())} pixels{inside}, the first at "
            f"{where}; expected finite numbers"
        )
