"""Pictures of Pillow, turned into arrays."""

import sys

import numpy as np

# The modes whose numbers are grey levels or the channels red, green and blue, both with or
# without alpha, so that NumPy reads them correctly. "I;16" also has a variant per byte order.
_PLAIN_MODES = ("1", "L", "LA", "I", "F", "RGB", "RGBA")


def is_picture(thing):
    """Tell whether an object is an image of Pillow, without importing Pillow.

    Parameters
    ----------
    thing : object

    Returns
    -------
    bool
    """
    # An object can be a picture only if Pillow was imported.
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(thing, pillow.Image)


def array_of_picture(picture):
    """Turn an image of Pillow into an array whose channels are grey levels or colours.

    NumPy would read a palette picture as palette indices, and a picture in CMYK or YCbCr as if
    its channels were red, green and blue. Such pictures are converted to RGB.

    Parameters
    ----------
    picture : PIL.Image.Image
        A picture of any mode.

    Returns
    -------
    ndarray of shape (H, W) or (H, W, C)
        The modes L, RGB, LA and RGBA give uint8 with 1 (no axis), 3, 2 and 4 channels; "1" gives
        bool, I int32, F float32 and I;16 uint16. All other modes (P, PA, CMYK, YCbCr, LAB, HSV
        and others) give uint8 of shape (H, W, 3): their colours in RGB, without transparency.

    Raises
    ------
    ValueError
        If the picture is read only now, and its file is damaged.
    """
    try:
        picture.load()
    except Exception as error:  # damaged bytes make Pillow raise almost anything
        name = getattr(picture, "filename", "") or "a picture"
        raise ValueError(
            f"{name}: found a file that cannot be read ({type(error).__name__}: {error}), "
            "expected an image"
        ) from error
    mode = picture.mode
    if mode in _PLAIN_MODES or mode.startswith("I;16"):
        return np.asarray(picture)
    if mode in ("P", "PA"):
        # Without this step, Pillow would warn about palettes with transparency.
        picture = picture.convert("RGBA")
    return np.asarray(picture.convert("RGB"))


def picture_in_layout(picture, channel_axis):
    """Turn an image of Pillow into an array with its channels where they are expected.

    Parameters
    ----------
    picture : PIL.Image.Image
    channel_axis : int or None

    Returns
    -------
    ndarray of shape (H, W), or with three axes

    Raises
    ------
    ValueError
        If it has channels but none are expected, or if its file is damaged.
    """
    array = array_of_picture(picture)
    if array.ndim == 2:
        return array
    if channel_axis is None:
        raise ValueError(
            f"found a picture of {array.shape[-1]} channels, expected a grey one where images "
            "have no axis of channels"
        )
    return np.moveaxis(array, -1, channel_axis)
