"""Pascal VOC, the segmentation task."""

from functools import partial

from ._files import (
    bunch_of_pairs,
    check_folder,
    existing_pairs,
    read_class_labels,
    read_labels,
)

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

_DESCR = """\
Pascal VOC: photographs with objects of 20 classes
--------------------------------------------------
Photographs in which every object of 20 classes is outlined, up to 500 x 500 pixels. In the
year 2012: 1464 to train, 1449 to validate [1]_. Borders of objects and difficult parts are
void (label 255).

Terms: the photographs come from Flickr, whose terms of use they fall under.
Source: http://host.robots.ox.ac.uk/pascal/VOC/

.. [1] M. Everingham, S. M. A. Eslami, L. Van Gool, C. K. I. Williams, J. Winn, A. Zisserman:
   The Pascal visual object classes challenge: a retrospective. IJCV 111(1), 2015.
"""


def load_voc(root, subset="train", *, year="2012", target="class"):
    """Load the segmentations of Pascal VOC from its folder.

    Parameters
    ----------
    root : str or path-like
        The folder ``VOCdevkit``, the one that holds it, or the folder of the year itself, with
        ``JPEGImages``, ``SegmentationClass``, ``SegmentationObject`` and
        ``ImageSets/Segmentation``.
    subset : {"train", "val", "trainval", "test"}, default="train"
        The list of images. ``"test"`` has public segmentations only in 2007.
    year : str or int, default="2012"
        The year of the challenge, as in the folder's name.
    target : {"class", "object"}, default="class"
        Whether the segmentations tell classes, or single objects.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the following attributes, sorted by file name:

        images : LazySequence of uint8 arrays (H, W, 3)
        segmentations : LazySequence of int32 arrays (H, W)
            Classes 0..20, or the objects of each image 1, 2, ... and 0 for the background;
            255 is void.
        image_ids : list of str
            As in ``"2007_000032"``.
        target_names : list of str
            The names of the classes 0..20, background first.
        ignore_label : int
            255.
        filenames, segmentation_filenames : list of str
        DESCR : str

    Raises
    ------
    FileNotFoundError
        If a folder, a list, an image or a label image is missing.
    ValueError
        If `subset` or `target` is unknown; and, when a file is read: if a label image has
        another size than its image, colours instead of a palette or labels beyond the classes.

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
        raise ValueError(f"subset must be one of {list(_SUBSETS)}, got {subset!r}")
    if target not in _TARGETS:
        raise ValueError(f"target must be one of {list(_TARGETS)}, got {target!r}")
    year = f"VOC{year}"
    root = check_folder(root, f"Pascal VOC with the folder {year}")
    candidates = [root / "VOCdevkit" / year, root / year, root]
    home = next((path for path in candidates if (path / "JPEGImages").is_dir()), None)
    if home is None or (home == root and root.resolve().name != year):
        raise FileNotFoundError(f"{root} has no folder {year} with JPEGImages, expected both")

    list_file = home / "ImageSets" / "Segmentation" / f"{subset}.txt"
    if not list_file.is_file():
        raise FileNotFoundError(f"{list_file} does not exist, expected the list of the images")
    image_ids = sorted(list_file.read_text(encoding="utf-8").split())
    if not image_ids:
        raise ValueError(f"{list_file} is empty, expected the list of the images")
    images = check_folder(home / "JPEGImages", "the images of Pascal VOC")
    labels = check_folder(home / _TARGETS[target], "the segmentations of Pascal VOC")
    pairs = existing_pairs([(images / f"{i}.jpg", labels / f"{i}.png") for i in image_ids])
    read = read_labels
    if target == "class":
        read = partial(read_class_labels, n_classes=len(_CLASSES), ignore_label=_VOID)
    return bunch_of_pairs(
        pairs, read, target_names=list(_CLASSES), ignore_label=_VOID, DESCR=_DESCR
    )
