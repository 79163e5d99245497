"""Images and label images in two folders."""

from pathlib import Path

from ._files import EXTENSIONS, bunch_of_pairs, check_folder, list_files, pair_files, read_labels

_DESCR = """\
Images and their segmentations, read from two folders
-----------------------------------------------------
{n} images of {images}
with the label images of {labels}.
Terms and source are those of the files: see where they came from.
"""


def load_image_folder(
    images,
    labels,
    *,
    image_pattern="*",
    label_pattern="*",
    label_suffix="",
    ignore_label=None,
):
    """Load images and label images from two folders whose file names match.

    An image ``images/a.jpg`` belongs to the label image ``labels/a.png``: the names match, the
    formats may differ. Files are looked for at once and read when they are asked for.

    Parameters
    ----------
    images : str or path-like
        The folder of the images: PNG, JPEG, TIFF, BMP, WebP or npy files. Other files, hidden
        ones and folders inside it are passed over.
    labels : str or path-like
        The folder of the label images: one channel of 8 or 16 bit (PNG, TIFF), palette
        pictures, whose labels are the palette indices, or npy files with integers (H, W).
        May be the same folder, with patterns. Label images without an image are left out.
    image_pattern : str, default="*"
        Only images whose file name fits are taken, such as ``"*_rgb.png"``.
    label_pattern : str, default="*"
        The same for the label images.
    label_suffix : str, default=""
        What the names of the label images have at the end: ``"_mask"`` pairs ``a.jpg`` with
        ``a_mask.png``.
    ignore_label : int, default=None
        The label of void pixels, if there is one. It is handed on in the result.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the following attributes, sorted by file name:

        images : LazySequence of arrays (H, W) or (H, W, C)
            uint8, or what the file holds. Alpha is dropped, not blended; palette pictures
            become RGB. TIFF and npy files keep all their channels.
        segmentations : LazySequence of int32 arrays (H, W)
        image_ids : list of str
            File names without folder and extension.
        filenames, segmentation_filenames : list of str
        ignore_label : int or None
        DESCR : str

    Raises
    ------
    FileNotFoundError
        If a folder is missing or has no image, or if an image has no label image.
    ValueError
        If two files have one name; and, when a file is read: if a label image has another size
        than its image, or colours instead of labels, or if a file is damaged.

    Notes
    -----
    The orientation that a camera writes beside the pixels (EXIF) is not applied. Pillow reads
    PNG files of 16 bit colour as 8 bit; use TIFF or npy to keep their depth.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sksuperpixel.datasets import load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ["images", "labels"]:
    ...         (Path(folder) / name).mkdir()
    ...     np.save(Path(folder) / "images" / "a.npy", np.zeros((4, 5, 3), dtype=np.uint8))
    ...     np.save(Path(folder) / "labels" / "a.npy", np.ones((4, 5), dtype=np.uint8))
    ...     data = load_image_folder(Path(folder) / "images", Path(folder) / "labels")
    ...     data.image_ids, data.images[0].shape, data.segmentations[0].shape
    (['a'], (4, 5, 3), (4, 5))
    """
    images = check_folder(images, "the folder of the images")
    labels = check_folder(labels, "the folder of the label images")
    image_files = list_files(images, image_pattern)
    label_files = list_files(labels, label_pattern)
    if images.resolve() == labels.resolve() and label_suffix:
        # One folder, told apart by the suffix alone.
        image_files = [path for path in image_files if not path.stem.endswith(label_suffix)]
    if not image_files:
        raise FileNotFoundError(
            f"{images} has no image that fits {image_pattern!r}, expected files "
            f"{', '.join(EXTENSIONS)}"
        )
    pairs = pair_files(image_files, label_files, label_suffix=label_suffix)
    return bunch_of_pairs(
        pairs,
        read_labels,
        ignore_label=ignore_label,
        DESCR=_DESCR.format(n=len(pairs), images=Path(images), labels=Path(labels)),
    )
