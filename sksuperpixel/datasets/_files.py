"""Read files of images and of label images."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np

from .._images.pictures import array_of_picture


def read_image(path):
    """Read an image with the values of its file, without alpha.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    ndarray of shape (H, W) or (H, W, C)

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file cannot be read or does not contain an image.
    """
    path = Path(path)
    with _damage_as_value_error(path, "an image"):
        image = _read_array_file(path, as_image=True)
        if image is None:
            image = _read_picture(path)
    if image.ndim not in (2, 3):
        raise ValueError(
            f"{path}: found an array of shape {image.shape}, expected an image (H, W) or (H, W, C)"
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
        If the file cannot be read or does not contain labels.
    """
    path = Path(path)
    with _damage_as_value_error(path, "a label image"):
        labels, kind = _read_array_file(path, as_image=False), "an array"
        if labels is None:
            labels, kind = _read_raw_picture(path)
    if labels.ndim == 3:
        raise ValueError(
            f"{path}: found {kind} of shape {labels.shape}, which holds colours; expected a label "
            "image of one channel (8 or 16 bits, or a palette picture)"
        )
    if labels.ndim != 2 or labels.dtype.kind not in "iub":
        raise ValueError(
            f"{path}: found {kind} of shape {labels.shape} and dtype {labels.dtype}, expected a "
            "label image: integers of shape (H, W)"
        )
    if labels.size and labels.max() > np.iinfo(np.int32).max:
        raise ValueError(f"{path}: found the label {labels.max()}, expected labels below 2**31")
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
    from PIL import Image

    with _damage_as_value_error(path, "an image"), Image.open(path) as picture:
        return picture.size[::-1]


@contextmanager
def _damage_as_value_error(path, expected):
    """Turn the errors of readers for a damaged file into a ValueError with its path."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (EOFError, OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"{path}: found a file that cannot be read ({error}), expected {expected}"
        ) from error


def _read_array_file(path, *, as_image):
    """Read a file that contains an array; return None if Pillow has to read the file."""
    if path.suffix.lower() == ".npy":
        return np.load(path, allow_pickle=False)
    if path.suffix.lower() in (".tif", ".tiff"):
        return _read_tiff(path, as_image=as_image)
    return None


def _read_tiff(path, *, as_image):
    import tifffile
    from tifffile import PHOTOMETRIC

    # Pillow converts these to RGB, because their values are neither grey levels nor RGB.
    converted = (
        PHOTOMETRIC.PALETTE,
        PHOTOMETRIC.SEPARATED,
        PHOTOMETRIC.YCBCR,
        PHOTOMETRIC.CIELAB,
    )
    try:
        with tifffile.TiffFile(path) as file:
            if as_image and file.pages.first.photometric in converted:
                return None
            return file.asarray()
    except ValueError:
        # Pillow can read some compressions for which tifffile needs another package.
        return None


def _read_picture(path):
    """Read a picture as an image: grey levels or RGB, without alpha."""
    from PIL import Image

    with Image.open(path) as picture:
        if picture.mode in ("1", "LA"):
            picture = picture.convert("L")
        image = array_of_picture(picture)
        return image[:, :, :3] if picture.mode == "RGBA" else image


def _read_raw_picture(path):
    """Read the stored values of a picture; also return what it is, for errors."""
    from PIL import Image

    with Image.open(path) as picture:
        # The values of a palette picture are its indices.
        return np.asarray(picture), f"a picture of mode {picture.mode!r}"
