import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from sksuperpixel.datasets import load_image_folder

RGB = np.random.RandomState(0).randint(256, size=(6, 8, 3), dtype=np.uint8)
LABELS = np.arange(48, dtype=np.uint8).reshape(6, 8) % 5


@pytest.fixture
def folders(tmp_path):
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    return images, labels


def save(path, array):
    Image.fromarray(array).save(path)


def test_images_and_labels_come_in_sorted_order(folders):
    images, labels = folders
    for k, name in enumerate(["b", "a", "c"]):
        save(images / f"{name}.png", RGB + np.uint8(k))
        save(labels / f"{name}.tif", LABELS + np.uint8(k))
    (images / "notes.txt").write_text("no image")
    save(labels / "unused.png", LABELS)

    data = load_image_folder(str(images), str(labels), ignore_label=4)
    assert data.image_ids == ["a", "b", "c"]
    assert data.filenames == [str(images / f"{name}.png") for name in "abc"]
    assert data.segmentation_filenames == [str(labels / f"{name}.tif") for name in "abc"]
    assert data.ignore_label == 4
    assert f"3 images from {images}\nwith label images from {labels}." in data.DESCR
    assert_array_equal(data.images[0], RGB + np.uint8(1))
    assert_array_equal(data.segmentations[0], LABELS + 1)
    assert load_image_folder(images, labels).ignore_label is None


def test_palettes_are_colours_of_images_and_indices_of_labels(folders):
    images, labels = folders
    picture = Image.new("P", (8, 6))
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0, 9, 9, 9])
    picture.putdata(LABELS.ravel().tolist())
    picture.save(images / "a.png")
    picture.save(labels / "a.png")
    data = load_image_folder(images, labels)
    assert_array_equal(data.images[0][0, :3], [[255, 0, 0], [0, 255, 0], [0, 0, 255]])
    assert_array_equal(data.segmentations[0], LABELS)


def test_patterns_and_suffix_in_one_folder(tmp_path):
    for name in "ab":
        save(tmp_path / f"{name}.png", RGB)
        save(tmp_path / f"{name}_mask.png", LABELS)
    save(tmp_path / "c.jpg", RGB)
    data = load_image_folder(tmp_path, tmp_path, label_suffix="_mask", image_pattern="*.png")
    assert data.image_ids == ["a", "b"]
    assert data.segmentation_filenames[1] == str(tmp_path / "b_mask.png")
    with pytest.raises(FileNotFoundError, match=r"c\.jpg: found no .*c_mask\..*1 of 3 images"):
        load_image_folder(tmp_path, tmp_path, label_suffix="_mask", label_pattern="*.png")
    with pytest.raises(FileNotFoundError, match=r"a\.png: found no .* among the 0 label files"):
        load_image_folder(tmp_path, tmp_path, label_suffix="_mask", label_pattern="*.tif")


def test_missing_and_empty_folders(folders, tmp_path):
    images, labels = folders
    message = r"nowhere: found nothing, expected the folder of the "
    with pytest.raises(FileNotFoundError, match=message + "images"):
        load_image_folder(tmp_path / "nowhere", labels)
    with pytest.raises(FileNotFoundError, match=message + "label images"):
        load_image_folder(images, tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"images: found no image that matches '\*'"):
        load_image_folder(images, labels)


def test_files_that_do_not_match_are_told_at_once(folders):
    images, labels = folders
    save(images / "a.jpg", RGB)
    with pytest.raises(FileNotFoundError, match=r"a\.jpg: found no label file for it"):
        load_image_folder(images, labels)
    save(labels / "a.png", LABELS)
    save(labels / "a.tif", LABELS)
    with pytest.raises(ValueError, match=r"a\.jpg: found the label files .*a\.png and .*a\.tif"):
        load_image_folder(images, labels)


@pytest.mark.parametrize("which", ["image_pattern", "label_pattern"])
def test_patterns_that_lead_elsewhere(folders, which):
    images, labels = folders
    save(images / "a.png", RGB)
    save(labels / "a.png", LABELS)
    for pattern in ("../*/*", f"{images}/*"):
        message = rf"{which[:5]}.*s: found the pattern .*, expected one of files inside the folder"
        with pytest.raises(ValueError, match=message):
            load_image_folder(images, labels, **{which: pattern})
    assert (
        len(
            load_image_folder(
                images.parent, images.parent, image_pattern="images/*", label_pattern="labels/*"
            ).images
        )
        == 1
    )


def test_wrong_contents_are_told_at_reading(folders):
    images, labels = folders
    save(images / "a.png", RGB)
    save(labels / "a.png", LABELS[:, :7])
    data = load_image_folder(images, labels)
    message = r"labels.a\.png: found 6 x 7 pixels .*expected 6 x 8 as in its image .*a\.png"
    with pytest.raises(ValueError, match=message):
        data.segmentations[0]
    save(labels / "a.png", RGB)
    with pytest.raises(ValueError, match=r"labels.a\.png: found .* holds colours"):
        data.segmentations[0]


def test_real_nuclei(shared_data):
    root = shared_data("nuclei")
    data = load_image_folder(root / "images", root / "labels")
    assert len(data.images) == 423
    assert data.segmentations[0].shape == data.images[0].shape[:2]
    assert max(data.segmentations[k].max() for k in range(20)) > 10
