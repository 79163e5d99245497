import pickle

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image

from sksuperpixel import LazySequence
from sksuperpixel.datasets import load_image_folder

RGB = np.random.RandomState(0).randint(256, size=(6, 8, 3), dtype=np.uint8)
LABELS = np.arange(48).reshape(6, 8) % 5


@pytest.fixture
def folders(tmp_path):
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    return images, labels


def save_image(path, image=RGB):
    Image.fromarray(image).save(path)


def save_labels(path, labels=LABELS, dtype=np.uint8):
    Image.fromarray(labels.astype(dtype)).save(path)


def save_palette(path, labels=LABELS):
    palette = Image.new("P", labels.shape[::-1])
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0, 9, 9, 9])
    palette.putdata(labels.ravel().tolist())
    palette.save(path)


def test_pairs_are_read_lazily_in_sorted_order(folders):
    images, labels = folders
    for k, name in enumerate(["b", "a", "c"]):
        save_image(images / f"{name}.png", RGB + np.uint8(k))
        save_labels(labels / f"{name}.png", LABELS + k)
    (images / "notes.txt").write_text("no image")
    (images / ".hidden.png").write_text("no image")
    (images / "folder.png").mkdir()
    save_labels(labels / "unused.png")

    data = load_image_folder(str(images), str(labels), ignore_label=4)
    assert data.image_ids == ["a", "b", "c"]
    assert data.filenames == [str(images / f"{name}.png") for name in "abc"]
    assert data.segmentation_filenames == [str(labels / f"{name}.png") for name in "abc"]
    assert data.ignore_label == 4
    assert str(images) in data.DESCR
    assert isinstance(data.images, LazySequence)
    assert isinstance(data.segmentations, LazySequence)
    assert len(data.images) == len(data.segmentations) == 3
    assert_array_equal(data.images[0], RGB + np.uint8(1))
    assert_array_equal(data.segmentations[0], LABELS + 1)
    assert data.segmentations[0].dtype == np.int32
    again = pickle.loads(pickle.dumps(data))
    assert_array_equal(again.segmentations[2], LABELS + 2)
    # nothing is cached: the file is read anew
    save_labels(labels / "a.png", LABELS + 7)
    assert_array_equal(data.segmentations[0], LABELS + 7)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("extension", ["png", "tif"])
def test_label_images_of_one_channel(folders, dtype, extension):
    images, labels = folders
    save_image(images / "a.jpg")
    big = LABELS * (1 if dtype == np.uint8 else 1000)
    save_labels(labels / f"a.{extension}", big, dtype)
    data = load_image_folder(images, labels)
    assert_array_equal(data.segmentations[0], big)
    assert data.images[0].shape == (6, 8, 3)


@pytest.mark.parametrize("dtype", [bool, np.int16, np.uint32, np.int64])
def test_npy_labels(folders, dtype):
    images, labels = folders
    np.save(images / "a.npy", RGB.astype(np.float32))
    np.save(labels / "a.npy", LABELS.astype(dtype))
    data = load_image_folder(images, labels)
    assert_array_equal(data.segmentations[0], LABELS.astype(dtype))
    assert data.segmentations[0].dtype == np.int32
    assert data.images[0].dtype == np.float32


def test_compressed_tiff_and_tiff_images(folders):
    images, labels = folders
    tifffile.imwrite(images / "a.tif", np.stack([RGB, RGB], axis=2).reshape(6, 8, 6))
    Image.fromarray(LABELS.astype(np.uint8)).save(labels / "a.tif", compression="tiff_lzw")
    data = load_image_folder(images, labels)
    assert data.images[0].shape == (6, 8, 6)
    assert_array_equal(data.segmentations[0], LABELS)


def test_palette_labels_are_indices_not_colours(folders):
    images, labels = folders
    save_image(images / "a.png")
    save_palette(labels / "a.png")
    assert_array_equal(load_image_folder(images, labels).segmentations[0], LABELS)


def test_image_modes(folders):
    images, labels = folders
    rgba = np.dstack([RGB, np.zeros((6, 8), dtype=np.uint8)])
    save_image(images / "alpha.png", rgba)
    save_image(images / "grey.png", RGB[:, :, 0])
    save_image(images / "greyalpha.png", rgba[:, :, 2:])
    save_image(images / "deep.png", RGB[:, :, 0].astype(np.uint16) * 200)
    save_palette(images / "palette.png")
    for name in ["alpha", "grey", "greyalpha", "deep", "palette"]:
        save_labels(labels / f"{name}.png")
    data = load_image_folder(images, labels)
    image = dict(zip(data.image_ids, data.images, strict=True))
    assert_array_equal(image["alpha"], RGB)
    assert_array_equal(image["grey"], RGB[:, :, 0])
    assert_array_equal(image["greyalpha"], RGB[:, :, 2])
    assert_array_equal(image["deep"], RGB[:, :, 0].astype(np.uint16) * 200)
    assert_array_equal(image["palette"][0, :3], [[255, 0, 0], [0, 255, 0], [0, 0, 255]])


def test_patterns_and_suffix_in_one_folder(tmp_path):
    for name in "ab":
        save_image(tmp_path / f"{name}.png")
        save_labels(tmp_path / f"{name}_mask.png")
    save_image(tmp_path / "c.jpg")
    data = load_image_folder(tmp_path, tmp_path, label_suffix="_mask", image_pattern="*.png")
    assert data.image_ids == ["a", "b"]
    assert data.segmentation_filenames[1] == str(tmp_path / "b_mask.png")
    with pytest.raises(FileNotFoundError, match=r"1 of 3 images .*c\.jpg, expected a file c_mask"):
        load_image_folder(tmp_path, tmp_path, label_suffix="_mask", label_pattern="*.png")


def test_missing_folder_and_empty_folder(folders, tmp_path):
    images, labels = folders
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist, expected the folder of"):
        load_image_folder(tmp_path / "nowhere", labels)
    save_image(tmp_path / "a.png")
    with pytest.raises(FileNotFoundError, match=r"a\.png is not a folder"):
        load_image_folder(images, tmp_path / "a.png")
    with pytest.raises(FileNotFoundError, match=r"images has no image that fits '\*'"):
        load_image_folder(images, labels)


def test_image_without_label(folders):
    images, labels = folders
    for name in "abc":
        save_image(images / f"{name}.jpg")
    save_labels(labels / "a.png")
    with pytest.raises(FileNotFoundError, match=r"2 of 3 images .*b\.jpg, expected a file b\.\*"):
        load_image_folder(images, labels)


def test_two_files_of_one_name(folders):
    images, labels = folders
    save_image(images / "a.jpg")
    save_labels(labels / "a.png")
    save_labels(labels / "a.tif")
    with pytest.raises(ValueError, match=r"a\.png and .*a\.tif both fit .*a\.jpg"):
        load_image_folder(images, labels)
    (labels / "a.tif").unlink()
    save_image(images / "a.png")
    with pytest.raises(ValueError, match=r"a\.jpg and .*a\.png have one name"):
        load_image_folder(images, labels)


@pytest.mark.parametrize("extension", ["png", "tif", "npy"])
def test_wrong_size_is_an_error_at_reading(folders, extension):
    images, labels = folders
    np.save(images / "a.npy", RGB) if extension == "npy" else save_image(images / f"a.{extension}")
    save_labels(labels / "a.png", LABELS[:, :7])
    data = load_image_folder(images, labels)
    message = rf"labels.a\.png is 6 x 7 pixels .*expected 6 x 8 as its image .*a\.{extension}"
    with pytest.raises(ValueError, match=message):
        data.segmentations[0]


@pytest.mark.parametrize("channels", [3, 4])
def test_colours_as_labels_are_an_error(folders, channels):
    images, labels = folders
    save_image(images / "a.png")
    save_image(labels / "a.png", np.dstack([RGB, RGB])[:, :, :channels])
    message = rf"a\.png is a picture of mode '{'RGBA'[:channels]}' .*holds colours"
    with pytest.raises(ValueError, match=message):
        load_image_folder(images, labels).segmentations[0]


@pytest.mark.parametrize(
    ("labels_array", "message"),
    [
        (LABELS / 2, "dtype float64, expected a label image: integers"),
        (LABELS.ravel(), r"shape \(48,\)"),
        (LABELS.astype(np.int64) + 2**31, "expected labels below 2"),
    ],
)
def test_npy_that_is_no_label_image(folders, labels_array, message):
    images, labels = folders
    save_image(images / "a.png")
    np.save(labels / "a.npy", labels_array)
    with pytest.raises(ValueError, match=message):
        load_image_folder(images, labels).segmentations[0]


def test_npy_image_of_wrong_shape(folders):
    images, labels = folders
    np.save(images / "a.npy", np.zeros(4))
    save_labels(labels / "a.png")
    with pytest.raises(ValueError, match=r"a\.npy has shape \(4,\), expected an image"):
        load_image_folder(images, labels).images[0]


@pytest.mark.parametrize("extension", ["png", "jpg", "tif", "npy"])
def test_damaged_and_vanished_files(folders, extension):
    images, labels = folders
    name = f"a.{extension}"
    (images / name).write_bytes(b"no image at all")
    save_labels(labels / "a.png")
    data = load_image_folder(images, labels)
    with pytest.raises(ValueError, match=rf"images.a\.{extension} could not be read"):
        data.images[0]
    (images / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"a\.{extension}"):
        data.images[0]


def test_truncated_image(folders):
    images, labels = folders
    save_image(images / "a.png", np.tile(RGB, (20, 20, 1)))
    content = (images / "a.png").read_bytes()
    (images / "a.png").write_bytes(content[: len(content) // 2])
    save_labels(labels / "a.png")
    with pytest.raises(ValueError, match=r"a\.png could not be read"):
        load_image_folder(images, labels).images[0]


def test_real_nuclei(shared_data):
    root = shared_data("nuclei")
    data = load_image_folder(root / "images", root / "labels")
    assert len(data.images) == 423
    assert data.segmentations[0].shape == data.images[0].shape[:2]
    assert max(data.segmentations[k].max() for k in range(20)) > 10
