import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from sksuperpixel.datasets import load_cityscapes

RGB = np.zeros((4, 6, 3), dtype=np.uint8)


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture
def cityscapes(tmp_path):
    ids = np.array([[0, 1, 7, 8, 11, 33], [26, 26, 24, 29, 23, 3]] * 2, dtype=np.uint8)
    instances = ids.astype(np.uint16)
    instances[1, :3] = [26000, 26001, 24007]
    instances[1, 3] = 29002  # a caravan: an instance of a class that is not scored
    instances[3, 0] = 26  # a group of cars
    for subset, city, frame in [
        ("train", "bochum", "000000_000313"),
        ("train", "aachen", "000001_000019"),
        ("train", "aachen", "000000_000019"),
        ("val", "lindau", "000000_000019"),
    ]:
        stem = f"{city}_{frame}"
        save(tmp_path / "leftImg8bit" / subset / city / f"{stem}_leftImg8bit.png", RGB)
        for folder in ("gtFine", "gtCoarse"):
            labels = tmp_path / folder / subset / city
            save(labels / f"{stem}_{folder}_labelIds.png", ids)
            save(labels / f"{stem}_{folder}_instanceIds.png", instances)
    return tmp_path


def test_classes(cityscapes):
    data = load_cityscapes(cityscapes)
    assert data.image_ids == [
        "aachen_000000_000019",
        "aachen_000001_000019",
        "bochum_000000_000313",
    ]
    assert data.groups.tolist() == ["aachen", "aachen", "bochum"]
    assert data.ignore_label == 255
    assert len(data.target_names) == 19
    names = np.array([*data.target_names, *["void"] * 237])
    assert data.segmentations[0].dtype == np.int32
    assert_array_equal(
        names[data.segmentations[0][:2]],
        [
            ["void", "void", "road", "sidewalk", "building", "bicycle"],
            ["car", "car", "person", "void", "sky", "void"],
        ],
    )
    assert "Cordts" in data.DESCR


@pytest.mark.parametrize("mode", ["fine", "coarse"])
def test_instances(cityscapes, mode):
    data = load_cityscapes(cityscapes, ["val", "train"], mode=mode, target="instance")
    assert data.subsets.tolist() == ["val", "train", "train", "train"]
    assert_array_equal(data.segmentations[0][1], [26000, 26001, 24007, 255, 23, 255])
    assert_array_equal(data.segmentations[0][3], [26, 26, 24, 255, 23, 255])
    folder = {"fine": "gtFine", "coarse": "gtCoarse"}[mode]
    assert data.segmentation_filenames[0].endswith(f"_{folder}_instanceIds.png")


def test_errors(cityscapes):
    with pytest.raises(ValueError, match="mode: found 'rough', expected one of"):
        load_cityscapes(cityscapes, mode="rough")
    with pytest.raises(ValueError, match="target: found 'depth', expected one of"):
        load_cityscapes(cityscapes, target="depth")
    with pytest.raises(ValueError, match=r"subset: found 'test', expected .*train_extra"):
        load_cityscapes(cityscapes, "test", mode="coarse")
    with pytest.raises(FileNotFoundError, match=r"test: found nothing, expected Cityscapes with"):
        load_cityscapes(cityscapes, "test")
    (cityscapes / "leftImg8bit" / "test").mkdir()
    (cityscapes / "gtFine" / "test").mkdir()
    with pytest.raises(FileNotFoundError, match=r"test: found no images, expected CITY"):
        load_cityscapes(cityscapes, "test")
    name = "lindau_000000_000019_gtFine_labelIds.png"
    data = load_cityscapes(cityscapes, "val")
    save(cityscapes / "gtFine" / "val" / "lindau" / name, np.zeros((4, 5), dtype=np.uint8))
    with pytest.raises(ValueError, match=rf"{name}: found 4 x 5 pixels .*expected 4 x 6"):
        data.segmentations[0]
    save(cityscapes / "gtFine" / "val" / "lindau" / name, np.full((4, 6), 256, dtype=np.uint16))
    with pytest.raises(ValueError, match=rf"{name}: found the label 256, expected label ids"):
        data.segmentations[0]
    negative = np.full((4, 6), -300, dtype=np.int32)
    negative_tiff = Image.fromarray(negative)
    negative_tiff.save(cityscapes / "gtFine" / "val" / "lindau" / name, format="TIFF")
    with pytest.raises(ValueError, match=rf"{name}: found the label -300, expected label ids"):
        data.segmentations[0]
    (cityscapes / "gtFine" / "val" / "lindau" / name).unlink()
    with pytest.raises(
        FileNotFoundError, match=rf"{name}: found no such file, expected the labels"
    ):
        load_cityscapes(cityscapes, "val")
