import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from sksuperpixel.datasets import load_voc

CLASSES = np.array([[0, 15, 15, 255, 7], [0, 0, 20, 255, 1]])
OBJECTS = np.array([[0, 1, 2, 255, 3], [0, 0, 4, 255, 30]])


def save_palette(path, labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("P", labels.shape[::-1])
    picture.putpalette(np.random.RandomState(0).randint(256, size=768).tolist())
    picture.putdata(labels.ravel().tolist())
    picture.save(path)


@pytest.fixture
def devkit(tmp_path):
    home = tmp_path / "VOCdevkit" / "VOC2012"
    (home / "JPEGImages").mkdir(parents=True)
    lists = home / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("2008_000002\n2007_000032\n")
    (lists / "val.txt").write_text("2009_000001\n\n")
    (lists / "trainval.txt").write_text("2007_000032\n2008_000002\n2009_000001\n")
    for name in ("2007_000032", "2008_000002", "2009_000001", "2010_not_listed"):
        Image.new("RGB", (5, 2)).save(home / "JPEGImages" / f"{name}.jpg")
    for name in ("2007_000032", "2008_000002", "2009_000001"):
        save_palette(home / "SegmentationClass" / f"{name}.png", CLASSES)
        save_palette(home / "SegmentationObject" / f"{name}.png", OBJECTS)
    return tmp_path / "VOCdevkit"


@pytest.mark.parametrize("inside", ["..", ".", "VOC2012"])
def test_classes(devkit, inside):
    data = load_voc(devkit / inside)
    assert data.image_ids == ["2007_000032", "2008_000002"]
    assert data.images[0].shape == (2, 5, 3)
    assert_array_equal(data.segmentations[0], CLASSES)
    assert data.segmentations[0].dtype == np.int32
    assert data.ignore_label == 255
    assert [data.target_names[k] for k in (0, 1, 7, 15, 20)] == [
        "background",
        "aeroplane",
        "car",
        "person",
        "tv/monitor",
    ]
    assert "Everingham" in data.DESCR


def test_objects_and_subsets(devkit):
    data = load_voc(devkit, "trainval", year=2012, target="object")
    assert len(data.images) == len(data.segmentations) == 3
    assert_array_equal(data.segmentations[2], OBJECTS)
    assert load_voc(devkit, "val").image_ids == ["2009_000001"]


def test_errors(devkit, tmp_path):
    home = devkit / "VOC2012"
    with pytest.raises(ValueError, match=r"subset: found 'all', expected one of .*'trainval'"):
        load_voc(devkit, "all")
    with pytest.raises(
        ValueError, match=r"target: found 'instance', expected one of \['class', 'object'\]"
    ):
        load_voc(devkit, target="instance")
    with pytest.raises(FileNotFoundError, match="nowhere: found nothing, expected Pascal VOC"):
        load_voc(tmp_path / "nowhere")
    for root in (devkit, home):
        with pytest.raises(FileNotFoundError, match="found no folder VOC2007 with JPEGImages"):
            load_voc(root, year="2007")
    with pytest.raises(
        FileNotFoundError, match=r"test\.txt: found no such file, expected the list"
    ):
        load_voc(devkit, "test")
    (home / "ImageSets" / "Segmentation" / "test.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"test\.txt: found an empty file"):
        load_voc(devkit, "test")


@pytest.mark.parametrize("name", ["../JPEGImages/2007_000032", "/etc/a", "C:\\a", ".", "C:a"])
def test_a_list_leads_to_no_other_folder(devkit, name):
    path = devkit / "VOC2012" / "ImageSets" / "Segmentation" / "test.txt"
    path.write_text(f"2007_000032\n{name}\n")
    with pytest.raises(ValueError, match=r"test\.txt: found the name .*, expected names of im"):
        load_voc(devkit, "test")


def test_damaged_lists(devkit):
    path = devkit / "VOC2012" / "ImageSets" / "Segmentation" / "test.txt"
    path.write_bytes(b"2007\xff\n")
    with pytest.raises(ValueError, match=r"test\.txt: found .*UnicodeDecodeError.* the list"):
        load_voc(devkit, "test")
    path.write_text("x" * 5000)
    with pytest.raises(ValueError, match=r"test\.txt: found the name 'x{100}', expected names"):
        load_voc(devkit, "test")


def test_missing_and_wrong_files(devkit):
    home = devkit / "VOC2012"
    data = load_voc(devkit, "val")
    labels = home / "SegmentationClass" / "2009_000001.png"
    save_palette(labels, CLASSES + (CLASSES == 7) * 20)
    with pytest.raises(
        ValueError, match=r"2009_000001\.png: found the label 27, expected 0\.\.20"
    ):
        data.segmentations[0]
    save_palette(labels, CLASSES[:, :4])
    with pytest.raises(ValueError, match=r"2009_000001\.png: found 2 x 4 pixels"):
        data.segmentations[0]
    Image.new("RGB", (5, 2)).save(labels)
    with pytest.raises(ValueError, match=r"2009_000001\.png: found a picture of mode 'RGB'"):
        data.segmentations[0]
    labels.unlink()
    with pytest.raises(
        FileNotFoundError, match=r"000001\.png: found no such file, expected the lab"
    ):
        load_voc(devkit, "val")
    (home / "JPEGImages" / "2007_000032.jpg").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"000032\.jpg: found no such file, expected the im"
    ):
        load_voc(devkit)
