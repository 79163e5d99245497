"""Let all loaders read files of images and labels, most of them damaged.

A loader returns the right array, or raises a ValueError or FileNotFoundError that names the file
or the folder.
"""

import io
import os
import shutil
import tarfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from sksuperpixel import SLIC
from sksuperpixel.datasets import (
    load_bsds500,
    load_camvid,
    load_cityscapes,
    load_image_folder,
    load_voc,
)
from sksuperpixel.datasets._download import RemoteArchive, _unpack

from . import picture_files
from .harness import Defect

LIMIT_S = 6
# Pillow accepts up to 89 million pixels of up to 4 bytes each. Reading them makes a few copies.
LIMIT_MB = 1200

_SECRET = 99


class Shared(NamedTuple):
    """The folder that each case empties and fills, and a file that no case may read."""

    folder: Path
    secret: Path


class Layout(NamedTuple):
    """A data set on disk: how it is loaded, its files, and what its segmentation should be.

    `truth` is None if the segmentation must be refused.
    """

    load: callable
    root: Path
    image: Path
    labels: Path
    truth: np.ndarray | None


def prepare(folder):
    """Make the folder of the cases, and beside it a file that must not be read."""
    secret = folder / "secret"
    (secret / "JPEGImages").mkdir(parents=True)
    array = np.full((5, 6), _SECRET, dtype=np.uint8)
    Image.fromarray(array).save(secret / "secret.tif")
    for name in ("secret.jpg", "secret.png"):
        Image.fromarray(array).save(secret / name)
    # Compile the kernels, which takes longer than a case may take.
    _slic().fit([array]).transform([array])
    return Shared(folder / "case", secret)


def case(rng, shared):
    """Run one case, and return its kind and outcome."""
    shutil.rmtree(shared.folder, ignore_errors=True)
    shared.folder.mkdir()
    kinds = [_image_case, _label_case, _layout_case, _folder_case, _archive_case, _estimator_case]
    chosen = kinds[rng.choice(len(kinds), p=[0.37, 0.2, 0.27, 0.1, 0.03, 0.03])]
    n_open = _n_open_files()
    outcome = chosen(rng, shared)
    if _n_open_files() > n_open:
        raise Defect(f"a file is left open: {outcome}")
    return outcome


def _n_open_files():
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def _attempt(what, call, *names):
    """Call a function; return its result, or None if it refused and named one of the files."""
    try:
        return call()
    except (ValueError, FileNotFoundError) as error:
        text = str(error)
        if type(error) not in (ValueError, FileNotFoundError):
            raise Defect(
                f"{what}: {type(error).__name__} instead of ValueError\n{text}"
            ) from error
        if not any(name in text for name in names):
            raise Defect(f"{what}: {type(error).__name__} without {names[0]!r}\n{text}") from error
        # The errors about folders repeat what the caller passed.
        if len(text) > 2000 and not what.startswith("folder"):
            raise Defect(f"{what}: an error of {len(text)} characters") from error
        return None
    except Exception as error:
        raise Defect(f"{what}: leaks {type(error).__name__}\n{error!r:.300}") from error


# One file --------------------------------------------------------------------------------------


def _image_case(rng, shared):
    kind = rng.choice(["valid", "damaged", "renamed", "hostile"], p=[0.15, 0.67, 0.1, 0.08])
    if kind == "hostile":
        made = picture_files.make_hostile_image(rng, shared.secret / "secret.tif")
    else:
        made = picture_files.make_image(rng)
    content, extension = made.content, made.extension
    if kind == "damaged":
        content = picture_files.damage(content, extension, rng)
    elif kind == "renamed":
        extension = str(rng.choice(["png", "jpg", "bmp", "webp", "tif", "npy"]))
    data = _write_pair(shared, f"a.{extension}", content, "a.npy", _npy(np.zeros((5, 6), int)))
    if rng.random() < 0.3:
        _attempt(f"size of .{extension}", lambda: data.segmentations[0], f"images/a.{extension}")
    what = f"image .{extension}"
    array = _attempt(what, lambda: data.images[0], f"images/a.{extension}")
    if kind in ("valid", "hostile") and made.shape is not None:
        _check_equal(what, array, made)
    elif kind == "hostile" and array is not None:
        raise Defect(f"{what}: reads a hostile file")
    elif array is not None:
        # A file with the extension of another format is read if its content can be recognised.
        _check_image(what, array)
    return f"image {kind}: " + ("refused" if array is None else "read")


def _label_case(rng, shared):
    kind = rng.choice(["valid", "damaged"])
    shape = tuple(int(side) for side in rng.integers(1, 20, 2))
    made = picture_files.make_labels(rng, shape)
    content, extension = made.content, made.extension
    if kind == "damaged":
        content = picture_files.damage(content, extension, rng)
    image = _npy(np.zeros(shape, np.uint8))
    data = _write_pair(shared, "a.npy", image, f"a.{extension}", content)
    what = f"labels .{extension}"
    array = _attempt(what, lambda: data.segmentations[0], f"labels/a.{extension}")
    if kind == "valid" and made.shape is not None:
        _check_equal(what, array, made)
    elif kind == "valid" and array is not None:
        raise Defect(f"{what}: reads {made.array.dtype} out of the range as {array.dtype}")
    if array is not None and (array.dtype != np.int32 or array.shape != shape):
        raise Defect(f"{what}: reads {array.dtype} of shape {array.shape}")
    return f"labels {kind}: " + ("refused" if array is None else "read")


def _write_pair(shared, image_name, image, label_name, labels):
    for folder, name, content in [("images", image_name, image), ("labels", label_name, labels)]:
        (shared.folder / folder).mkdir()
        (shared.folder / folder / name).write_bytes(content)
    return load_image_folder(shared.folder / "images", shared.folder / "labels")


def _npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _check_equal(what, array, made):
    if array is None:
        raise Defect(f"{what}: refuses a valid file")
    if array.shape[: len(made.shape)] != made.shape:
        raise Defect(f"{what}: reads another shape\n{array.shape} instead of {made.shape}")
    if made.array is not None and not np.array_equal(array, made.array):
        raise Defect(f"{what}: reads other numbers\n{made.array.dtype}")


def _check_image(what, array):
    if type(array) is not np.ndarray:
        raise Defect(f"{what}: reads {type(array).__name__}")
    if array.ndim not in (2, 3) or array.dtype.kind not in "buif" or not array.size:
        raise Defect(f"{what}: reads {array.dtype} of shape {array.shape}")


# Layouts of data sets --------------------------------------------------------------------------


def _layout_case(rng, shared):
    name = str(rng.choice(["bsds500", "camvid", "cityscapes", "voc"], p=[0.4, 0.2, 0.2, 0.2]))
    layout = _LAYOUTS[name](rng, shared)
    ways = ["valid", "image", "labels", "labels", "other labels", "missing", "folder", "link"]
    way = str(rng.choice([*ways, "list"] if name == "voc" else ways))
    victim = layout.image if way == "image" else layout.labels
    # Reading a segmentation reads the image as well, to compare their sizes.
    names = [layout.image.name, layout.labels.name]
    if way in ("image", "labels"):
        content = victim.read_bytes()
        extension = victim.suffix[1:]
        if extension == "mat" and rng.random() < 0.4:
            content = picture_files.make_hostile_truth(rng, (5, 6)).content
        else:
            content = picture_files.damage(content, extension, rng)
        victim.write_bytes(content)
    elif way == "other labels":
        made = picture_files.make_labels(rng, (5, 6))
        victim.write_bytes(made.content)
    elif way in ("missing", "folder", "link"):
        victim = layout.image if rng.random() < 0.5 else victim
        if rng.random() < 0.4:
            victim = victim.parent
        _displace(victim, way)
        # The error may name any folder above the file, or the other file of the pair.
        folders = victim.relative_to(shared.folder).parts
        names += folders
    elif way == "list":
        victim = layout.root / "ImageSets" / "Segmentation" / "train.txt"
        victim.write_bytes(_hostile_list(rng, shared))
        names += [victim.name, "JPEGImages"]
    what = f"{name} {way}"
    data = _attempt(what, layout.load, *names)
    if data is None:
        return f"layout {way}: refused"
    image = _attempt(f"{what} image", lambda: data.images[0], *names)
    segmentation = _attempt(f"{what} segmentation", lambda: data.segmentations[0], *names)
    if image is not None:
        _check_image(what, image)
        if way == "list" and np.all(image == _SECRET):
            raise Defect(f"{what}: reads a file outside the folder")
    if segmentation is not None and segmentation.dtype != np.int32:
        raise Defect(f"{what}: reads segmentations of {segmentation.dtype}")
    if way == "valid":
        if image is None or (segmentation is None) != (layout.truth is None):
            raise Defect(f"{what}: refuses a valid data set, or reads a wrong one")
        if layout.truth is not None and not np.array_equal(segmentation, layout.truth):
            raise Defect(f"{what}: reads other labels")
    return f"layout {way}: " + ("refused" if segmentation is None else "read")


def _displace(path, way):
    """Take a file or folder away, or put a folder or a link to itself in its place."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    if way == "folder":
        path.mkdir()
    elif way == "link":
        path.symlink_to(path)


def _hostile_list(rng, shared):
    outside = shared.secret / "secret"
    entries = [
        *(b"", b"\xff\xfe", b"a\x00b", b"x" * 5000, b"..", b".", b"/", "\u2028a".encode()),
        *(str(outside).encode(), b"../../../../secret/secret", b"a b", b"a\na", b"C:\\a", b"\x85"),
    ]
    chosen = rng.choice(len(entries), int(rng.integers(1, 3)))
    return b"\n".join(entries[k] for k in chosen)


def _save(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _save_labels(rng, path, n_labels):
    labels = rng.integers(0, n_labels, (5, 6)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(labels).save(file, "PNG")
    _save(path, file.getvalue())
    return labels.astype(np.int32)


def _save_image(rng, path):
    _save(path, picture_files.make_image(rng, path.suffix[1:], (5, 6)).content)


def _bsds500(rng, shared):
    data = shared.folder / "BSR/BSDS500/data"
    image, labels = data / "images/train/7.jpg", data / "groundTruth/train/7.mat"
    _save_image(rng, image)
    made = picture_files.make_truth(rng, (5, 6))
    _save(labels, made.content)
    truth = None if made.shape is None else made.array
    return Layout(lambda: load_bsds500(shared.folder), shared.folder, image, labels, truth)


def _camvid(rng, shared):
    image = shared.folder / "train/0001_7.png"
    labels = shared.folder / "trainannot/0001_7.png"
    _save_image(rng, image)
    truth = _save_labels(rng, labels, 12)
    return Layout(lambda: load_camvid(shared.folder), shared.folder, image, labels, truth)


def _cityscapes(rng, shared):
    root = shared.folder
    target = str(rng.choice(["class", "instance"]))
    name = {"class": "labelIds", "instance": "instanceIds"}[target]
    image = root / "leftImg8bit/train/ulm/ulm_7_leftImg8bit.png"
    labels = root / f"gtFine/train/ulm/ulm_7_gtFine_{name}.png"
    _save_image(rng, image)
    ids = _save_labels(rng, labels, 34)
    scored = [7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33]
    truth = np.where(np.isin(ids, scored), ids, 255)
    if target == "class":
        truth = np.where(truth < 255, np.searchsorted(scored, truth), 255)
    return Layout(lambda: load_cityscapes(root, target=target), root, image, labels, truth)


def _voc(rng, shared):
    root = shared.folder / "VOC2012"
    target = str(rng.choice(["class", "object"]))
    folder = {"class": "SegmentationClass", "object": "SegmentationObject"}[target]
    image, labels = root / "JPEGImages/a7.jpg", root / folder / "a7.png"
    _save_image(rng, image)
    truth = _save_labels(rng, labels, 21)
    _save(root / "ImageSets/Segmentation/train.txt", b"a7\n")
    return Layout(lambda: load_voc(root, target=target), root, image, labels, truth)


_LAYOUTS = {"bsds500": _bsds500, "camvid": _camvid, "cityscapes": _cityscapes, "voc": _voc}


# Two folders -----------------------------------------------------------------------------------


def _folder_case(rng, shared):
    images, labels = shared.folder / "images", shared.folder / "labels"
    images.mkdir()
    labels.mkdir()
    stems = ["a", "b c", "\udcff", "ü", "a" * 250, "new\nline", "[x]"]
    stem = stems[rng.integers(len(stems))]
    content = _npy(np.zeros((5, 6), np.uint8))
    (images / f"{stem}.npy").write_bytes(content)
    (labels / f"{stem}.npy").write_bytes(content)
    patterns = [
        *("", ".", "..", "/", "/etc/*", "../*", "*/../*", "**", "a**b", "**/*", "[", "[!]", "\0"),
        *("a\0", "~", "~/*", "nothing*", "*" * 300, "*/" * 100, "C:/*", "a/" * 3000, "\udc80"),
        *(f"../../{shared.secret.name}/*", f"{shared.secret}/*", "x/../../labels/*"),
    ]
    way = rng.choice(["pattern", "pattern", "empty", "missing", "displaced", "loop", "path"])
    options, names = {}, ["images", "labels", f"{stem}.npy"]
    if way == "pattern":
        pattern = patterns[rng.integers(len(patterns))]
        options = {str(rng.choice(["image_pattern", "label_pattern"])): pattern}
    elif way in ("empty", "missing"):
        victim = images if rng.random() < 0.5 else labels
        (victim / f"{stem}.npy").unlink()
        if way == "missing":
            victim.rmdir()
    elif way == "displaced":
        victim = (images if rng.random() < 0.5 else labels) / f"{stem}.npy"
        _displace(victim, str(rng.choice(["missing", "folder", "link"])))
    elif way == "loop":
        (images / "sub").symlink_to(images)
        (images / "dangling.png").symlink_to(images / "nowhere")
        (images / "loop.png").symlink_to(images / "loop.png")
        options = {"image_pattern": str(rng.choice(["**/*", "*/*", "*"]))}
    else:
        paths = ["x" * 5000, "~nobody_has_this_name/x", "a\0b", "", "\udcff", str(images / stem)]
        place = paths[rng.integers(len(paths))]
        names.append(place)
        images = place
    what = f"folder {way}"
    data = _attempt(what, lambda: load_image_folder(images, labels, **options), *names)
    if data is None:
        return f"{what}: refused"
    root = shared.folder.resolve()
    for path in [*data.filenames, *data.segmentation_filenames]:
        if way == "pattern" and Path(path).resolve().parent not in (
            root / "images",
            root / "labels",
        ):
            raise Defect(f"{what}: a pattern leads out of its folder\n{options} gives {path}")
    if way != "path":
        _attempt(what, lambda: data.images[0], *names)
        _attempt(what, lambda: data.segmentations[0], *names)
    return f"{what}: read"


# Archives --------------------------------------------------------------------------------------


def _archive_case(rng, shared):
    file = io.BytesIO()
    outside = shared.folder / "outside"
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        kinds = ["file", "absolute", "up", "link", "hard link", "through link", "device", "long"]
        for kind in ["file", *rng.choice(kinds, 2)]:
            for info in _members(str(kind), outside):
                tar.addfile(info, io.BytesIO(bytes(info.size)))
    content = file.getvalue()
    if rng.random() < 0.6:
        content = picture_files.damage(content, "tgz", rng)
    path = shared.folder / "archive.tgz"
    path.write_bytes(content)
    archive = RemoteArchive(url="http://x/archive.tgz", sha256="", folder="top")
    destination = shared.folder / "unpacked" / "here"
    destination.mkdir(parents=True)
    unpacked = _attempt("archive", lambda: _unpack(archive, path, destination), "archive.tgz")
    if sorted(os.listdir(shared.folder)) != ["archive.tgz", "unpacked"] or os.listdir(
        destination.parent
    ) != ["here"]:
        raise Defect("archive: writes outside its folder")
    return "archive: " + ("refused" if unpacked is None else "unpacked")


def _members(kind, outside):
    names = {
        "absolute": f"{outside}/evil",
        "up": "top/../../../outside/evil",
        "link": "top/link",
        "hard link": "top/link",
        "through link": "top/link",
        "long": "top/" + "x" * 300,
    }
    info = tarfile.TarInfo(names.get(kind, "top/file"))
    if kind == "device":
        info.type = tarfile.CHRTYPE
    elif "link" in kind:
        info.type = tarfile.LNKTYPE if kind == "hard link" else tarfile.SYMTYPE
        info.linkname = str(outside)
    else:
        info.size = 10
    yield info
    if kind == "through link":
        inside = tarfile.TarInfo("top/link/evil")
        inside.size = 10
        yield inside


# An estimator ----------------------------------------------------------------------------------


def _slic():
    return SLIC(superpixel_size=4)


def _estimator_case(rng, shared):
    for folder in ("images", "labels"):
        (shared.folder / folder).mkdir()
    damaged = int(rng.integers(3))
    for index in range(3):
        made = picture_files.make_image(rng, "png", (8, 9))
        content = made.content
        if index == damaged:
            content = picture_files.damage(content, "png", rng)
        (shared.folder / "images" / f"{index}.png").write_bytes(content)
        (shared.folder / "labels" / f"{index}.npy").write_bytes(_npy(np.zeros((8, 9), int)))
    data = load_image_folder(shared.folder / "images", shared.folder / "labels")
    name = f"{damaged}.png"
    if _attempt("image .png", lambda: data.images[damaged], name) is not None:
        return "estimator: nothing to refuse"
    slic = _slic()
    try:
        slic.fit(data.images[:]).transform(data.images)
    except (ValueError, FileNotFoundError) as error:
        if not str(error).startswith(f"image {damaged}: ") or name not in str(error):
            # The first image may have another number of channels than the next one.
            if "channels" in str(error) or "grey" in str(error):
                return "estimator: other channels"
            raise Defect(f"estimator: names neither image nor file\n{error}") from error
        return "estimator: refused"
    raise Defect("estimator: accepts a damaged image")
