"""Read files of images and of label images."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np

from .._images.pictures import array_of_picture
from ._tiff import read_tiff

# Pillow recognises a picture by its content, not by its name. Some of its other formats are risky
# to read: for EPS it starts another program.
_FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")
_LONGEST_REASON = 300  # characters of another library's error that are repeated


def read_image(path):
    """Read an image with the values of its file, without alpha.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    ndarray of shape (H, W) or (H, W, C), bool, int or float

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file cannot be read, does not contain an image, or claims to hold more pixels than
        Pillow allows.
    """
    path = Path(path)
    with damage_as_value_error(path, "an image"):
        image = _read_array_file(path, as_image=True)
        if image is None:
            image = _read_picture(path)
    if image.ndim not in (2, 3) or not image.size:
        raise ValueError(
            f"{path}: found an array of shape {image.shape}, expected an image (H, W) or (H, W, C)"
        )
    if image.dtype.kind not in "buif":
        raise ValueError(
            f"{path}: found an array of dtype {image.dtype}, expected an image of real numbers"
        )
    return image


def read_labels(path):
    """Read a label image; the labels of a palette picture are its indices, not its colours.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    ndarray of shape (H, W), int32

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file cannot be read, does not contain labels, or contains a label that int32 cannot
        hold.
    """
    path = Path(path)
    with damage_as_value_error(path, "a label image"):
        labels, found = _read_array_file(path, as_image=False), "an array"
        if labels is None:
            labels, found = _read_raw_picture(path)
    return check_labels(labels, path, found)


def check_labels(labels, path, found):
    """Check that an array is a label image, and convert it to int32.

    Parameters
    ----------
    labels : ndarray
    path : Path
        The file, for errors.
    found : str
        What the file contains, for errors.

    Returns
    -------
    ndarray of shape (H, W), int32

    Raises
    ------
    ValueError
        If its shape or dtype is another one, or if int32 cannot hold a label.
    """
    if labels.ndim == 3:
        raise ValueError(
            f"{path}: found {found} of shape {labels.shape}, which holds colours; expected a "
            "label image of one channel (8 or 16 bits, or a palette picture)"
        )
    if labels.ndim != 2 or not labels.size or labels.dtype.kind not in "iub":
        raise ValueError(
            f"{path}: found {found} of shape {labels.shape} and dtype {labels.dtype}, expected a "
            "label image: integers of shape (H, W)"
        )
    bounds = np.iinfo(np.int32)
    for label in (labels.min(), labels.max()):
        if not bounds.min <= label <= bounds.max:
            raise ValueError(
                f"{path}: found the label {label}, expected labels from {bounds.min} to "
                f"{bounds.max}"
            )
    return labels.astype(np.int32)


def read_class_labels(path, *, n_classes, ignore_label):
    """Read a label image whose labels are 0..n_classes-1 or `ignore_label`."""
    labels = read_labels(path)
    wrong = labels[((labels < 0) | (labels >= n_classes)) & (labels != ignore_label)]
    if wrong.size:
        raise ValueError(
            f"{path}: found the label {wrong[0]}, expected 0..{n_classes - 1} or the ignored "
            f"label {ignore_label}"
        )
    return labels


def image_shape(path):
    """Return height and width of an image, from the header of its file if possible."""
    if Path(path).suffix.lower() in (".npy", ".tif", ".tiff"):
        return read_image(path).shape[:2]
    with damage_as_value_error(path, "an image"), _open_picture(path) as picture:
        return picture.size[::-1]


@contextmanager
def damage_as_value_error(path, expected):
    """Turn whatever another library raises for a damaged file into a ValueError with its path.

    Damaged bytes make libraries raise almost anything, MemoryError and RecursionError included.
    If the user turns warnings into errors, a warning about the file ends up here, too. Only
    the reading belongs into the block, because an error of our own must not look like damage.

    Parameters
    ----------
    path : str or Path
    expected : str
        What the file should contain.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        raise ValueError(
            f"{path}: found a file that cannot be read ({reason}), expected {expected}"
        ) from error


def _read_array_file(path, *, as_image):
    """Read a file that contains an array; return None if Pillow has to read the file."""
    if path.suffix.lower() == ".npy":
        # Mapping a file needs no memory, and fails if its header claims more than the file holds.
        np.lib.format.open_memmap(path, mode="r")
        return np.load(path, allow_pickle=False)
    if path.suffix.lower() in (".tif", ".tiff"):
        return read_tiff(path, as_image=as_image)
    return None


def _open_picture(path):
    from PIL import Image

    return Image.open(path, formats=_FORMATS)


def _read_picture(path):
    """Read a picture as an image: grey levels or RGB, without alpha."""
    with _open_picture(path) as picture:
        picture.load()
        if picture.mode in ("1", "LA"):
            picture = picture.convert("L")
        image = array_of_picture(picture)
        return image[:, :, :3] if picture.mode == "RGBA" else image


def _read_raw_picture(path):
    """Read the stored values of a picture; also return what it is, for errors."""
    with _open_picture(path) as picture:
        picture.load()
        # The values of a palette picture are its indices.
        return np.asarray(picture), f"a picture of mode {picture.mode!r}"
