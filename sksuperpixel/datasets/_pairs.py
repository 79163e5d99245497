"""Pair image files with label files, and load the pairs lazily."""

import os
from functools import partial
from pathlib import Path, PurePath

from sklearn.utils import Bunch

from .._images.lazy_sequence import LazySequence
from ._files import image_shape, read_image

EXTENSIONS = (".bmp", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp")


def check_folder(path, expected):
    """Return the folder `path`, or raise an error that says what was expected there."""
    # Unlike the methods of Path, these functions do not raise for an unknown user, or for a name
    # that the system does not allow.
    path = Path(os.path.expanduser(path))
    if not os.path.isdir(path):
        found = "a file" if os.path.exists(path) else "nothing"
        raise FileNotFoundError(f"{path}: found {found}, expected {expected}")
    return path


def check_subset(subset, allowed):
    """Return the list of subsets that are meant by "all", by one name or by several names."""
    if isinstance(subset, str):
        names = list(allowed) if subset == "all" else [subset]
    else:
        names = list(subset)
    if not names or len(set(names)) != len(names) or not set(names) <= set(allowed):
        raise ValueError(
            f"subset: found {subset!r}, expected 'all', one of {list(allowed)} or a list of "
            "different ones"
        )
    return names


def list_files(folder, pattern="*", extensions=EXTENSIONS):
    """Return the matching files of a folder, without hidden ones, sorted by name.

    Parameters
    ----------
    folder : Path
    pattern : str, default="*"
        Relative to the folder. It may name folders inside it.
    extensions : tuple of str
        In lower case.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If the pattern is not valid, or leads out of the folder.
    """
    try:
        leads_out = PurePath(pattern).anchor or ".." in PurePath(pattern).parts
        paths = [] if leads_out else list(folder.glob(pattern))
    except Exception as error:  # a pattern that is not valid makes glob raise almost anything
        raise ValueError(
            f"{folder}: found the pattern {pattern!r} ({error}), expected one of file names, for "
            "instance '*.png'"
        ) from error
    if leads_out:
        raise ValueError(
            f"{folder}: found the pattern {pattern!r}, expected one of files inside the folder"
        )
    return sorted(
        path
        for path in paths
        if path.suffix.lower() in extensions and path.name[0] != "." and os.path.isfile(path)
    )


def pair_files(images, labels, *, label_suffix=""):
    """Pair each image with the label file of the same name.

    Parameters
    ----------
    images : list of Path
        At least one.
    labels : list of Path
        Label files without an image are left out of the pairs.
    label_suffix : str
        What follows the stem of the image in the stem of its label file.

    Returns
    -------
    list of (Path, Path)

    Raises
    ------
    FileNotFoundError
        If an image has no label file.
    ValueError
        If two images have the same stem, or if two label files match one image.
    """
    by_stem = {}
    for path in labels:
        if path.stem.endswith(label_suffix):
            stem = path.stem.removesuffix(label_suffix)
            by_stem.setdefault(stem, []).append(path)
    missing = [path for path in images if path.stem not in by_stem]
    if missing:
        raise FileNotFoundError(
            f"{missing[0]}: found no label file for it, expected "
            f"{missing[0].stem}{label_suffix}.* among the {len(labels)} label files "
            f"({len(missing)} of {len(images)} images have none)"
        )
    image_of = {}
    for path in images:
        other = image_of.setdefault(path.stem, path)
        if other is not path:
            raise ValueError(
                f"{path}: found {other} with the same name, expected one image per name"
            )
        if len(by_stem[path.stem]) > 1:
            first, second = by_stem[path.stem][:2]
            raise ValueError(
                f"{path}: found the label files {first} and {second}, expected one per image"
            )
    return [(path, by_stem[path.stem][0]) for path in images]


def existing_pairs(pairs):
    """Return the pairs, or raise for the first image or label file that does not exist."""
    for image, label in pairs:
        if not os.path.isfile(image):
            raise FileNotFoundError(f"{image}: found no such file, expected the image of {label}")
        if not os.path.isfile(label):
            raise FileNotFoundError(f"{label}: found no such file, expected the labels of {image}")
    return pairs


def bunch_of_pairs(pairs, read, *, image_ids=None, **others):
    """Return the Bunch of a loader, with lazy `images` and `segmentations`.

    Parameters
    ----------
    pairs : list of (Path, Path)
        The image file and the segmentation file of each image.
    read : callable
        ``read(path)`` returns a segmentation. It must be a function of a module or a partial of
        one, so that the sequences can be pickled.
    image_ids : list of str, default=None
        Names of the images. If None, the stems of the image files.
    **others
        Further items of the Bunch.

    Returns
    -------
    Bunch
    """
    pairs = [(str(image), str(label)) for image, label in pairs]
    filenames = [image for image, _ in pairs]
    if image_ids is None:
        image_ids = [Path(filename).stem for filename in filenames]
    return Bunch(
        images=LazySequence(read_image, filenames),
        segmentations=LazySequence(partial(_read_matching, read=read), pairs),
        image_ids=image_ids,
        filenames=filenames,
        segmentation_filenames=[label for _, label in pairs],
        **others,
    )


def _read_matching(paths, *, read):
    """Read the segmentation of a pair (image, segmentation) and compare the sizes."""
    image_path, path = paths
    segmentation = read(path)
    expected, found = image_shape(image_path), segmentation.shape[-2:]
    if found != expected:
        raise ValueError(
            f"{path}: found {found[0]} x {found[1]} pixels (height x width), expected "
            f"{expected[0]} x {expected[1]} as in its image {image_path}"
        )
    return segmentation
