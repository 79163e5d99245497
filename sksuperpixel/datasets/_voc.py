"""Pascal VOC: photographs with segmented objects."""

import os
from functools import partial
from pathlib import PureWindowsPath

from ._files import damage_as_value_error, read_class_labels, read_labels
from ._pairs import bunch_of_pairs, check_folder, existing_pairs

_SUBSETS = ("train", "val", "trainval", "test")
_TARGETS = {"class": "SegmentationClass", "object": "SegmentationObject"}
_CLASSES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "dining table",
    "dog",
    "horse",
    "motorbike",
    "person",
    "potted plant",
    "sheep",
    "sofa",
    "train",
    "tv/monitor",
)
_VOID = 255
_LONGEST_NAME = 100  # characters; those of the data set have 11

_DESCR = """\
Pascal VOC: photographs with objects of 20 classes
--------------------------------------------------
Photographs of up to 500 x 500 pixels in which every object of 20 classes is outlined. The year
2012 has 1464 for training and 1449 for validation [1]_. Borders of objects and difficult parts are
void (label 255).

Terms: the photographs come from Flickr and fall under its terms of use.
Source: http://host.robots.ox.ac.uk/pascal/VOC/

.. [1] M. Everingham, S. M. A. Eslami, L. Van Gool, C. K. I. Williams, J. Winn, A. Zisserman:
   The Pascal visual object classes challenge: a retrospective. IJCV 111(1), 2015.
"""


def _read_list(path):
    """Read the names of images from a file, in sorted order."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: found no such file, expected the list of images")
    with damage_as_value_error(path, "the list of images"):
        image_ids = sorted(path.read_text(encoding="utf-8").split())
    if not image_ids:
        raise ValueError(f"{path}: found an empty file, expected the list of images")
    for image_id in image_ids:
        # A list must not lead out of the folder of the images, on any system.
        if PureWindowsPath(image_id).name != image_id or len(image_id) > _LONGEST_NAME:
            raise ValueError(
                f"{path}: found the name {image_id[:_LONGEST_NAME]!r}, expected names of images "
                "without folders"
            )
    return image_ids


def load_voc(root, subset="train", *, year="2012", target="class"):
    """Load the segmentations of Pascal VOC from its folder.

    Parameters
    ----------
    root : str or path-like
        The folder ``VOCdevkit``, the folder that contains it, or the folder of the year itself,
        which contains ``JPEGImages``, ``SegmentationClass``, ``SegmentationObject`` and
        ``ImageSets/Segmentation``.
    subset : {"train", "val", "trainval", "test"}, default="train"
        The images to load. The segmentations of ``"test"`` are public only for 2007.
    year : str or int, default="2012"
        The year of the challenge, as in the folder's name.
    target : {"class", "object"}, default="class"
        Whether the labels are classes or single objects.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the following attributes, sorted by file name.

        images : LazySequence of uint8 arrays (H, W, 3)
        segmentations : LazySequence of int32 arrays (H, W)
            Classes 0..20, or the objects 1, 2, ... of each image with 0 for the background.
            255 is void in both cases.
        image_ids : list of str
            For instance ``"2007_000032"``.
        target_names : list of str
            The names of the classes 0..20, starting with the background.
        ignore_label : int
            255.
        filenames, segmentation_filenames : list of str
        DESCR : str

    Raises
    ------
    FileNotFoundError
        If a folder, a list, an image or a label image is missing.
    ValueError
        If `subset` or `target` is unknown, or if the list of images is empty, is damaged or names
        files of other folders. When a file is read: if the label image and the image differ in
        size, if the label image has colours instead of a palette, if a label is not a class, or
        if the file is damaged.

    References
    ----------
    .. [1] M. Everingham, S. M. A. Eslami, L. Van Gool, C. K. I. Williams, J. Winn,
       A. Zisserman: The Pascal visual object classes challenge: a retrospective. IJCV 111(1),
       2015.

    Examples
    --------
    >>> from sksuperpixel.datasets import load_voc
    >>> data = load_voc("VOCdevkit", "val", target="object")  # doctest: +SKIP
    >>> len(data.images)  # doctest: +SKIP
    1449
    """
    if subset not in _SUBSETS:
        raise ValueError(f"subset: found {subset!r}, expected one of {list(_SUBSETS)}")
    if target not in _TARGETS:
        raise ValueError(f"target: found {target!r}, expected one of {list(_TARGETS)}")
    year = f"VOC{year}"
    root = check_folder(root, f"Pascal VOC with the folder {year}")
    candidates = [root / "VOCdevkit" / year, root / year, root]
    home = next((path for path in candidates if os.path.isdir(path / "JPEGImages")), None)
    if home is None or (home == root and root.resolve().name != year):
        raise FileNotFoundError(f"{root}: found no folder {year} with JPEGImages, expected both")

    list_file = home / "ImageSets" / "Segmentation" / f"{subset}.txt"
    image_ids = _read_list(list_file)
    images = check_folder(home / "JPEGImages", "the images of Pascal VOC")
    labels = check_folder(home / _TARGETS[target], "the segmentations of Pascal VOC")
    pairs = existing_pairs([(images / f"{i}.jpg", labels / f"{i}.png") for i in image_ids])
    read = read_labels
    if target == "class":
        read = partial(read_class_labels, n_classes=len(_CLASSES), ignore_label=_VOID)
    return bunch_of_pairs(
        pairs, read, target_names=list(_CLASSES), ignore_label=_VOID, DESCR=_DESCR
    )
