import numpy as np
import pytest
from PIL import Image

from sksuperpixel.datasets import load_camvid

RGB = np.zeros((4, 6, 3), dtype=np.uint8)


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


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


def test_frames_classes_and_groups(camvid):
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


def test_errors(camvid):
    with pytest.raises(ValueError, match="subset: found 'valid', expected 'all', one of"):
        load_camvid(camvid, "valid")
    with pytest.raises(FileNotFoundError, match="test: found nothing, expected CamVid with the"):
        load_camvid(camvid, "test")
    data = load_camvid(camvid)
    save(camvid / "trainannot" / "0001TP_006690.png", np.full((4, 6), 12, dtype=np.uint8))
    with pytest.raises(
        ValueError, match=r"0001TP_006690\.png: found the label 12, expected 0\.\.10"
    ):
        data.segmentations[0]
    (camvid / "trainannot" / "0001TP_006690.png").unlink()
    with pytest.raises(FileNotFoundError, match="1 of 3 images have none"):
        load_camvid(camvid)
    (camvid / "test").mkdir()
    (camvid / "testannot").mkdir()
    with pytest.raises(FileNotFoundError, match="test: found no images"):
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
