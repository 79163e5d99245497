import shutil

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from scipy.io import savemat

from sksuperpixel.datasets import load_bsds500


def save_truth(path, segmentations):
    annotators = np.empty((1, len(segmentations)), dtype=object)
    for k, segmentation in enumerate(segmentations):
        cell = np.zeros((1, 1), dtype=[("Segmentation", object), ("Boundaries", object)])
        cell[0, 0]["Segmentation"] = segmentation.astype(np.uint16)
        cell[0, 0]["Boundaries"] = np.zeros(segmentation.shape, dtype=np.uint8)
        annotators[0, k] = cell
    savemat(path, {"groundTruth": annotators})


@pytest.fixture
def bsr(tmp_path):
    data = tmp_path / "BSR" / "BSDS500" / "data"
    for subset, names in {"train": ["12", "3"], "val": ["5"], "test": ["7"]}.items():
        (data / "images" / subset).mkdir(parents=True)
        (data / "groundTruth" / subset).mkdir(parents=True)
        (data / "images" / subset / "Thumbs.db").write_bytes(b"as in the archive")
        for name in names:
            Image.new("RGB", (5, 4), (int(name), 0, 0)).save(
                data / "images" / subset / f"{name}.jpg"
            )
            base = np.arange(1, 21).reshape(4, 5) * int(name)
            save_truth(data / "groundTruth" / subset / f"{name}.mat", [base, base + 1, base + 2])
    return tmp_path / "BSR"


@pytest.mark.parametrize("inside", ["..", ".", "BSDS500", "BSDS500/data"])
def test_root_may_be_any_of_the_folders(bsr, inside):
    data = load_bsds500(bsr / inside)
    assert data.image_ids == ["12", "3"]
    assert data.images[0].shape == (4, 5, 3)
    assert data.images[0].dtype == np.uint8
    assert data.segmentations[1].shape == (3, 4, 5)
    assert data.segmentations[1].dtype == np.int32
    base = np.arange(1, 21).reshape(4, 5) * 3
    assert_array_equal(data.segmentations[1], [base, base + 1, base + 2])
    assert data.ignore_label is None
    assert "Berkeley" in data.DESCR


def test_subsets(bsr):
    assert load_bsds500(bsr, "all").image_ids == ["12", "3", "5", "7"]
    data = load_bsds500(bsr, ["test", "train"])
    assert data.image_ids == ["7", "12", "3"]
    assert data.subsets.tolist() == ["test", "train", "train"]


@pytest.mark.parametrize("subset", ["tests", ["train", "train"], [], ["train", "all"]])
def test_unknown_subset(bsr, subset):
    with pytest.raises(ValueError, match=r"subset must be 'all', one of .*'val'"):
        load_bsds500(bsr, subset)


def test_missing_parts(bsr, tmp_path):
    data = bsr / "BSDS500" / "data"
    with pytest.raises(FileNotFoundError, match="nowhere does not exist, expected BSDS500"):
        load_bsds500(tmp_path / "nowhere")
    (data / "groundTruth" / "train" / "3.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 of 2 images .*3\.jpg, expected a file 3\."):
        load_bsds500(bsr)
    (data / "images" / "test" / "7.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"test has no \.jpg files"):
        load_bsds500(bsr, "test")
    shutil.rmtree(data / "groundTruth" / "val")
    with pytest.raises(FileNotFoundError, match=r"groundTruth.val does not exist"):
        load_bsds500(bsr, "val")
    shutil.rmtree(data / "images")
    with pytest.raises(FileNotFoundError, match="BSR has no folder images, and none in"):
        load_bsds500(bsr)


def test_damaged_ground_truth(bsr):
    truth = bsr / "BSDS500" / "data" / "groundTruth" / "train"
    data = load_bsds500(bsr)
    savemat(truth / "3.mat", {"other": 1})
    with pytest.raises(ValueError, match=r"3\.mat could not be read .*expected the variable"):
        data.segmentations[1]
    (truth / "12.mat").write_bytes((truth / "12.mat").read_bytes()[:300])
    with pytest.raises(ValueError, match=r"12\.mat could not be read"):
        data.segmentations[0]
    (truth / "12.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"12\.mat"):
        data.segmentations[0]
    save_truth(truth / "3.mat", [np.ones((5, 4))])
    with pytest.raises(ValueError, match=r"3\.mat is 5 x 4 .*expected 4 x 5 as its image"):
        data.segmentations[1]


def test_real_bsds500(shared_data):
    data = load_bsds500(shared_data("BSDS500"), "all")
    assert np.unique(data.subsets, return_counts=True)[1].tolist() == [200, 200, 100]
    assert data.images[0].shape in [(321, 481, 3), (481, 321, 3)]
    for k in (0, 250, 499):
        segmentations = data.segmentations[k]
        assert segmentations.shape[0] >= 4
        assert segmentations.min() == 1
