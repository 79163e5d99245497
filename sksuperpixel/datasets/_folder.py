"""Images and label images from two folders."""

from pathlib import Path

from ._files import read_labels
from ._pairs import EXTENSIONS, bunch_of_pairs, check_folder, list_files, pair_files

_DESCR = """\
Images and their segmentations, read from two folders
-----------------------------------------------------
{n} images from {images}
with label images from {labels}.

Terms and source: those of the files.
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
    """Load images and label images with matching file names from two folders.

    The image ``images/a.jpg`` belongs to the label image ``labels/a.png``: the names must match,
    but the formats may differ. This function only lists the files. An image or a label image is
    read each time it is indexed.

    Parameters
    ----------
    images : str or path-like
        The folder of the images: PNG, JPEG, TIFF, BMP, WebP or npy files. Other files, hidden
        files and folders inside it are ignored.
    labels : str or path-like
        The folder of the label images: files of one channel of 8 or 16 bits (PNG, TIFF),
        palette pictures, whose labels are the palette indices, or npy files with integers of
        shape (H, W). Label images without an image are ignored. This may be the folder of the
        images, if patterns or `label_suffix` tell the two kinds of files apart.
    image_pattern : str, default="*"
        Load only images whose file names match, for instance ``"*_rgb.png"``. It may begin with
        folders inside `images`, as in ``"*/*.png"``.
    label_pattern : str, default="*"
        The same for the label images.
    label_suffix : str, default=""
        What the names of label images have in addition to those of images: ``"_mask"`` pairs
        ``a.jpg`` with ``a_mask.png``.
    ignore_label : int, default=None
        The label of void pixels, if there is one. It is only passed on in the result.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the following attributes, sorted by file name.

        images : LazySequence of arrays (H, W) or (H, W, C)
            The values of the files, in most cases uint8. Alpha is dropped, not blended.
            Palette pictures and colours other than RGB, such as CMYK, are converted to RGB.
            Other TIFF files and npy files keep all their channels.
        segmentations : LazySequence of int32 arrays (H, W)
        image_ids : list of str
            The file names of the images, without folder and extension.
        filenames, segmentation_filenames : list of str
        ignore_label : int or None
        DESCR : str

    Raises
    ------
    FileNotFoundError
        If a folder is missing, if there is no image, or if an image has no label image.
    ValueError
        If two images have the same name, if two label images match one image, or if a pattern is
        not valid or leads out of its folder. When a file is read: if the label image and the
        image differ in size, if the label image has colours instead of labels, if a label does
        not fit into int32, or if the file is damaged or too large. The error names the file.

    Notes
    -----
    The orientation that cameras store in the file (EXIF) is not applied. Pillow reduces PNG files
    with 16 bits per colour to 8 bits. Use TIFF or npy files to keep all bits.

    A damaged file may claim to hold far more than it does. Pillow warns if a picture has more
    than ``PIL.Image.MAX_IMAGE_PIXELS`` pixels and refuses twice as many; set this number if your
    pictures are larger. A TIFF file may claim 256 MiB, or 1032 bytes for each of its own. An npy
    file must hold all that it claims.

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
        # In one folder, the suffix may be the only difference between label images and images.
        image_files = [path for path in image_files if not path.stem.endswith(label_suffix)]
    if not image_files:
        raise FileNotFoundError(
            f"{images}: found no image that matches {image_pattern!r}, expected files with the "
            f"extensions {', '.join(EXTENSIONS)}"
        )
    pairs = pair_files(image_files, label_files, label_suffix=label_suffix)
    return bunch_of_pairs(
        pairs,
        read_labels,
        ignore_label=ignore_label,
        DESCR=_DESCR.format(n=len(pairs), images=Path(images), labels=Path(labels)),
    )
