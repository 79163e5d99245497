import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from sksuperpixel.datasets import load_camvid, load_cityscapes


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


RGB = np.zeros((4, 6, 3), dtype=np.uint8)


@pytest.fixture
def camvid(tmp_path):
    labels = np.arange(24, dtype=np.uint8).reshape(4, 6) % 12
    for subset, names in {
        "train": ["0016E5_00390", "0001TP_006690", "0001TP_006720"],
        "val": ["0016E5_07959"],
    }.items():
        for name in names:
            save(tmp_path / subset / f"{name}.png", RGB)
            save(tmp_path / f"{subset}annot" / f"{name}.png", labels)
    return tmp_path


def test_camvid(camvid):
    data = load_camvid(camvid)
    assert data.image_ids == ["0001TP_006690", "0001TP_006720", "0016E5_00390"]
    assert data.groups.tolist() == ["0001TP", "0001TP", "0016E5"]
    assert len(data.target_names) == data.ignore_label == 11
    assert data.target_names[:4] == ["sky", "building", "pole", "road"]
    assert data.images[0].shape == (4, 6, 3)
    assert data.segmentations[0].max() == 11
    assert "SegNet" in data.DESCR
    both = load_camvid(camvid, ["val", "train"])
    assert both.subsets.tolist() == ["val", "train", "train", "train"]


def test_camvid_errors(camvid):
    with pytest.raises(ValueError, match="subset must be 'all', one of"):
        load_camvid(camvid, "valid")
    with pytest.raises(FileNotFoundError, match="test does not exist, expected CamVid with the"):
        load_camvid(camvid, "test")
    data = load_camvid(camvid)
    save(camvid / "trainannot" / "0001TP_006690.png", np.full((4, 6), 12, dtype=np.uint8))
    with pytest.raises(ValueError, match=r"0001TP_006690\.png has the label 12, expected 0\.\.10"):
        data.segmentations[0]
    (camvid / "trainannot" / "0001TP_006690.png").unlink()
    with pytest.raises(FileNotFoundError, match="1 of 3 images have no label file"):
        load_camvid(camvid)
    (camvid / "test").mkdir()
    (camvid / "testannot").mkdir()
    with pytest.raises(FileNotFoundError, match="test has no images"):
        load_camvid(camvid, "test")


def test_real_camvid(shared_data):
    data = load_camvid(shared_data("camvid"), ["train", "val"])
    assert (data.subsets == "train").sum() == 367
    assert (data.subsets == "val").sum() == 101
    assert set(data.groups) == {"0001TP", "0006R0", "0016E5"}
    rows = {}
    for k in range(0, 468, 26):
        segmentation = data.segmentations[k]
        assert segmentation.shape == data.images[k].shape[:2] == (360, 480)
        for label in np.unique(segmentation):
            rows.setdefault(label, []).append(np.nonzero(segmentation == label)[0].mean())
    names = dict(enumerate(data.target_names))
    mean_row = {names.get(label, "void"): np.mean(values) for label, values in rows.items()}
    assert mean_row["sky"] < mean_row["building"] < mean_row["car"] < mean_row["road"]


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


def test_cityscapes_classes(cityscapes):
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
def test_cityscapes_instances(cityscapes, mode):
    data = load_cityscapes(cityscapes, ["val", "train"], mode=mode, target="instance")
    assert data.subsets.tolist() == ["val", "train", "train", "train"]
    assert_array_equal(data.segmentations[0][1], [26000, 26001, 24007, 255, 23, 255])
    assert_array_equal(data.segmentations[0][3], [26, 26, 24, 255, 23, 255])
    folder = {"fine": "gtFine", "coarse": "gtCoarse"}[mode]
    assert data.segmentation_filenames[0].endswith(f"_{folder}_instanceIds.png")


def test_cityscapes_errors(cityscapes):
    with pytest.raises(ValueError, match="mode must be one of"):
        load_cityscapes(cityscapes, mode="rough")
    with pytest.raises(ValueError, match="target must be one of"):
        load_cityscapes(cityscapes, target="depth")
    with pytest.raises(ValueError, match=r"subset must be .*train_extra"):
        load_cityscapes(cityscapes, "test", mode="coarse")
    with pytest.raises(FileNotFoundError, match=r"test does not exist, expected Cityscapes with"):
        load_cityscapes(cityscapes, "test")
    (cityscapes / "leftImg8bit" / "test").mkdir()
    (cityscapes / "gtFine" / "test").mkdir()
    with pytest.raises(FileNotFoundError, match=r"test has no images, expected CITY"):
        load_cityscapes(cityscapes, "test")
    name = "lindau_000000_000019_gtFine_labelIds.png"
    data = load_cityscapes(cityscapes, "val")
    save(cityscapes / "gtFine" / "val" / "lindau" / name, np.zeros((4, 5), dtype=np.uint8))
    with pytest.raises(ValueError, match=rf"{name} is 4 x 5 pixels .*expected 4 x 6"):
        data.segmentations[0]
    save(cityscapes / "gtFine" / "val" / "lindau" / name, np.full((4, 6), 256, dtype=np.uint16))
    with pytest.raises(ValueError, match=rf"{name} has the label 256, expected label ids"):
        data.segmentations[0]
    (cityscapes / "gtFine" / "val" / "lindau" / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name} does not exist, expected the labels"):
        load_cityscapes(cityscapes, "val")
