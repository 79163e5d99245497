"""What the file loaders share: reading one picture, pairing files, lazy sequences of them."""

from functools import partial
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from .._images.lazy_sequence import LazySequence

EXTENSIONS = (".bmp", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp")


def _read_array(path, *, as_labels):
    """Return the pixels of a file and a word for what it holds, for the error messages."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return np.load(path, allow_pickle=False), "array"
    if suffix in (".tif", ".tiff"):
        import tifffile

        try:
            return tifffile.imread(path), "array"
        except ValueError:
            pass  # some compressions need a package that Pillow does without
    from PIL import Image

    with Image.open(path) as picture:
        mode = picture.mode
        if as_labels:
            # A palette picture gives its indices here, which are the labels.
            return np.asarray(picture), f"picture of mode {mode!r}"
        if mode == "RGBA":
            return np.asarray(picture)[:, :, :3], mode
        if mode in ("1", "LA"):
            picture = picture.convert("L")
        elif mode not in ("F", "I", "L", "RGB") and not mode.startswith("I;16"):
            picture = picture.convert("RGB")
        return np.asarray(picture), mode


def _read_checked(path, *, as_labels):
    try:
        return _read_array(path, as_labels=as_labels)
    except FileNotFoundError:
        raise
    except (EOFError, OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path} could not be read: {error}") from error


def read_image(path):
    """Read an image: (H, W) or (H, W, C), in the numbers of the file; alpha is dropped."""
    path = Path(path)
    image, _ = _read_checked(path, as_labels=False)
    if image.ndim not in (2, 3):
        raise ValueError(f"{path} has shape {image.shape}, expected an image (H, W) or (H, W, C)")
    return image


def read_labels(path):
    """Read a label image: (H, W) int32; the indices of a palette picture, never its colours."""
    path = Path(path)
    labels, kind = _read_checked(path, as_labels=True)
    if labels.ndim == 3:
        raise ValueError(
            f"{path} is a {kind} of shape {labels.shape}: it holds colours, expected a label "
            "image of one channel (8 or 16 bit, or a palette picture)"
        )
    if labels.ndim != 2 or labels.dtype.kind not in "iub":
        raise ValueError(
            f"{path} is a {kind} of shape {labels.shape} and dtype {labels.dtype}, expected a "
            "label image: integers of shape (H, W)"
        )
    if labels.size and labels.max() > np.iinfo(np.int32).max:
        raise ValueError(f"{path} has the label {labels.max()}, expected labels below 2**31")
    return labels.astype(np.int32)


def read_class_labels(path, *, n_classes, ignore_label):
    """Read a label image whose labels are 0..n_classes-1 or `ignore_label`."""
    labels = read_labels(path)
    wrong = labels[((labels < 0) | (labels >= n_classes)) & (labels != ignore_label)]
    if wrong.size:
        raise ValueError(
            f"{path} has the label {wrong[0]}, expected 0..{n_classes - 1} or the ignored "
            f"label {ignore_label}"
        )
    return labels


def _image_shape(path):
    """Height and width of an image, from its header where that is possible."""
    if Path(path).suffix.lower() in (".npy", ".tif", ".tiff"):
        return read_image(path).shape[:2]
    from PIL import Image

    with Image.open(path) as picture:
        return picture.size[::-1]


def _read_fitting(paths, *, read):
    """Read the segmentation of a pair (image, segmentation) and compare the sizes."""
    image_path, path = paths
    segmentation = read(path)
    expected, found = _image_shape(image_path), segmentation.shape[-2:]
    if found != expected:
        raise ValueError(
            f"{path} is {found[0]} x {found[1]} pixels (height x width), expected "
            f"{expected[0]} x {expected[1]} as its image {image_path}"
        )
    return segmentation


def check_folder(path, expected):
    """Return the folder `path`, or raise FileNotFoundError saying what was expected there."""
    path = Path(path).expanduser()
    if not path.is_dir():
        found = "is not a folder" if path.exists() else "does not exist"
        raise FileNotFoundError(f"{path} {found}, expected {expected}")
    return path


def check_subset(subset, allowed):
    """Return the list of subsets that "all", one name or several names stand for."""
    if isinstance(subset, str):
        names = list(allowed) if subset == "all" else [subset]
    else:
        names = list(subset)
    if not names or len(set(names)) != len(names) or not set(names) <= set(allowed):
        raise ValueError(
            f"subset must be 'all', one of {list(allowed)} or a list of different ones, "
            f"got {subset!r}"
        )
    return names


def list_files(folder, pattern="*", extensions=EXTENSIONS):
    """Return the visible files of a folder that fit, sorted by name."""
    return sorted(
        path
        for path in folder.glob(pattern)
        if path.suffix.lower() in extensions and path.name[0] != "." and path.is_file()
    )


def pair_files(images, labels, *, label_suffix=""):
    """Return the pairs (image, label file) with one name; labels without an image are left out.

    Parameters
    ----------
    images, labels : list of Path
        Not empty: `images`.
    label_suffix : str
        What the stem of a label file has after the stem of its image.
    """
    by_stem = {}
    for path in labels:
        if path.stem.endswith(label_suffix):
            stem = path.stem.removesuffix(label_suffix)
            by_stem.setdefault(stem, []).append(path)
    missing = [path for path in images if path.stem not in by_stem]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(images)} images have no label file; the first is "
            f"{missing[0]}, expected a file {missing[0].stem}{label_suffix}.* among the "
            f"{len(labels)} label files"
        )
    image_of = {}
    for path in images:
        other = image_of.setdefault(path.stem, path)
        if other is not path:
            raise ValueError(f"{other} and {path} have one name, expected one image a name")
        if len(by_stem[path.stem]) > 1:
            first, second = by_stem[path.stem][:2]
            raise ValueError(f"{first} and {second} both fit {path}, expected one label file")
    return [(path, by_stem[path.stem][0]) for path in images]


def existing_pairs(pairs):
    """Return the pairs, or raise for the first image or label file that does not exist."""
    for image, label in pairs:
        if not image.is_file():
            raise FileNotFoundError(f"{image} does not exist, expected the image of {label}")
        if not label.is_file():
            raise FileNotFoundError(f"{label} does not exist, expected the labels of {image}")
    return pairs


def bunch_of_pairs(pairs, read, *, image_ids=None, **others):
    """Return the Bunch of a file loader, with lazy `images` and `segmentations`.

    Parameters
    ----------
    pairs : list of (Path, Path)
        Image and segmentation file of each image.
    read : callable
        ``read(path)`` gives a segmentation. A function of a module or a partial of one, so
        that the sequences can be pickled.
    image_ids : list of str, default=None
        Default: the stems of the image files.
    **others
        Further items of the Bunch.
    """
    pairs = [(str(image), str(label)) for image, label in pairs]
    filenames = [image for image, _ in pairs]
    if image_ids is None:
        image_ids = [Path(filename).stem for filename in filenames]
    return Bunch(
        images=LazySequence(read_image, filenames),
        segmentations=LazySequence(partial(_read_fitting, read=read), pairs),
        image_ids=image_ids,
        filenames=filenames,
        segmentation_filenames=[label for _, label in pairs],
        **others,
    )
