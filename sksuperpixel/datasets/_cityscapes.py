"""Cityscapes: street scenes with 19 classes, or with instances."""

import numpy as np

from ._files import read_labels
from ._pairs import bunch_of_pairs, check_folder, check_subset, existing_pairs, list_files

_SUBSETS = {"fine": ("train", "val", "test"), "coarse": ("train", "val", "train_extra")}
_FOLDERS = {"fine": "gtFine", "coarse": "gtCoarse"}
_TARGETS = {"class": "labelIds", "instance": "instanceIds"}
# The label ids of the files for the 19 classes that the benchmark scores, in its order.
_CLASSES = {
    7: "road",
    8: "sidewalk",
    11: "building",
    12: "wall",
    13: "fence",
    17: "pole",
    19: "traffic light",
    20: "traffic sign",
    21: "vegetation",
    22: "terrain",
    23: "sky",
    24: "person",
    25: "rider",
    26: "car",
    27: "truck",
    28: "bus",
    31: "train",
    32: "motorcycle",
    33: "bicycle",
}
_VOID = 255

_DESCR = """\
Cityscapes: street scenes of 50 cities
--------------------------------------
Street scenes of 2048 x 1024 pixels: 2975 for training, 500 for validation and 1525 for testing
with fine segmentations, and 20000 more with coarse segmentations [1]_. The benchmark scores 19
classes; everything else is void (label 255 here). The authors keep the segmentations of the test
images secret: all pixels in their files are void.

Terms: non-commercial use, after registration; see https://www.cityscapes-dataset.com/license/
Source: https://www.cityscapes-dataset.com

.. [1] M. Cordts, M. Omran, S. Ramos, T. Rehfeld, M. Enzweiler, R. Benenson, U. Franke, S. Roth,
   B. Schiele: The Cityscapes dataset for semantic urban scene understanding. CVPR, 2016.
"""


def _read_classes(path):
    table = np.full(256, _VOID, dtype=np.int32)
    table[list(_CLASSES)] = np.arange(len(_CLASSES))
    labels = read_labels(path)
    for label in (labels.min(), labels.max()):
        if not 0 <= label <= 255:
            raise ValueError(f"{path}: found the label {label}, expected label ids 0..255")
    return table[labels]


def _read_instances(path):
    instances = read_labels(path)
    # Instances of the label 26 are 26000, 26001, ...; groups and walls keep their label.
    labels = np.where(instances < 1000, instances, instances // 1000)
    instances[~np.isin(labels, list(_CLASSES))] = _VOID
    return instances


def load_cityscapes(root, subset="train", *, mode="fine", target="class"):
    """Load Cityscapes, street scenes of 50 cities, from its folder.

    Parameters
    ----------
    root : str or path-like
        The folder that contains ``leftImg8bit`` and ``gtFine`` or ``gtCoarse`` from the unpacked
        archives of the data set.
    subset : str or list of str, default="train"
        The images to load: ``"train"``, ``"val"``, ``"test"`` (only fine, with void
        segmentations), ``"train_extra"`` (only coarse), a list of several, or ``"all"``.
    mode : {"fine", "coarse"}, default="fine"
        Which of the two sets of segmentations to load.
    target : {"class", "instance"}, default="class"
        Whether the labels are the 19 classes or single objects.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the following attributes. Images are in the order of the requested subsets, and
        sorted by city and file name within a subset.

        images : LazySequence of uint8 arrays (H, W, 3)
        segmentations : LazySequence of int32 arrays (H, W)
            Classes 0..18, or instances as the files number them: ``1000 * label id + number``
            for single objects and the label id for everything else. 255 is void in both cases.
        image_ids : list of str
            For instance ``"aachen_000000_000019"``.
        groups : array of str, shape (n_images,)
            The city of each image, for :class:`~sklearn.model_selection.GroupKFold`.
        subsets : array of str, shape (n_images,)
        target_names : list of str
            The names of the classes 0..18.
        ignore_label : int
            255.
        filenames, segmentation_filenames : list of str
        DESCR : str

    Raises
    ------
    FileNotFoundError
        If a folder or a label image is missing, or if a subset has no images.
    ValueError
        If `subset`, `mode` or `target` is unknown. When a file is read: if the label image and
        the image differ in size, if a label id is not in 0..255, or if the file is damaged.

    References
    ----------
    .. [1] M. Cordts, M. Omran, S. Ramos, T. Rehfeld, M. Enzweiler, R. Benenson, U. Franke,
       S. Roth, B. Schiele: The Cityscapes dataset for semantic urban scene understanding.
       CVPR, 2016.

    Examples
    --------
    >>> from sksuperpixel.datasets import load_cityscapes
    >>> data = load_cityscapes("cityscapes", "val")  # doctest: +SKIP
    >>> sorted(set(data.groups))  # doctest: +SKIP
    ['frankfurt', 'lindau', 'munster']
    """
    if mode not in _FOLDERS:
        raise ValueError(f"mode: found {mode!r}, expected one of {list(_FOLDERS)}")
    if target not in _TARGETS:
        raise ValueError(f"target: found {target!r}, expected one of {list(_TARGETS)}")
    annotation = _FOLDERS[mode]
    layout = f"Cityscapes with the folders leftImg8bit and {annotation}"
    pairs, image_ids, subsets = [], [], []
    for name in check_subset(subset, _SUBSETS[mode]):
        root = check_folder(root, layout)
        image_folder = check_folder(root / "leftImg8bit" / name, layout)
        label_folder = check_folder(root / annotation / name, layout)
        images = list_files(image_folder, "*/*_leftImg8bit.png")
        if not images:
            raise FileNotFoundError(
                f"{image_folder}: found no images, expected CITY/NAME_leftImg8bit.png"
            )
        for image in images:
            image_id = image.stem.removesuffix("_leftImg8bit")
            label = f"{image_id}_{annotation}_{_TARGETS[target]}.png"
            pairs.append((image, label_folder / image.parent.name / label))
            image_ids.append(image_id)
            subsets.append(name)
    return bunch_of_pairs(
        existing_pairs(pairs),
        _read_classes if target == "class" else _read_instances,
        image_ids=image_ids,
        groups=np.array([image.parent.name for image, _ in pairs]),
        subsets=np.array(subsets),
        target_names=list(_CLASSES.values()),
        ignore_label=_VOID,
        DESCR=_DESCR,
    )
