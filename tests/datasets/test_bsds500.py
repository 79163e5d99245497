import hashlib
import shutil
import tarfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from scipy.io import savemat

from sksuperpixel.datasets import _bsds500, fetch_bsds500, load_bsds500


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
    with pytest.raises(ValueError, match=r"subset: found .*, expected 'all', one of .*'val'"):
        load_bsds500(bsr, subset)


def test_missing_parts(bsr, tmp_path):
    data = bsr / "BSDS500" / "data"
    with pytest.raises(FileNotFoundError, match="nowhere: found nothing, expected BSDS500"):
        load_bsds500(tmp_path / "nowhere")
    (data / "groundTruth" / "train" / "3.mat").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"3\.jpg: found no label file for it, expected 3\..*1 of 2 images"
    ):
        load_bsds500(bsr)
    (data / "images" / "test" / "7.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"test: found no \.jpg files"):
        load_bsds500(bsr, "test")
    shutil.rmtree(data / "groundTruth" / "val")
    with pytest.raises(FileNotFoundError, match=r"groundTruth.val: found nothing"):
        load_bsds500(bsr, "val")
    shutil.rmtree(data / "images")
    with pytest.raises(FileNotFoundError, match="BSR: found no folder images in it, nor in its"):
        load_bsds500(bsr)


def test_damaged_ground_truth(bsr):
    truth = bsr / "BSDS500" / "data" / "groundTruth" / "train"
    data = load_bsds500(bsr)
    savemat(truth / "3.mat", {"other": 1})
    with pytest.raises(
        ValueError, match=r"3\.mat: found a file that cannot be read .*expected .*the variable"
    ):
        data.segmentations[1]
    (truth / "12.mat").write_bytes((truth / "12.mat").read_bytes()[:300])
    with pytest.raises(ValueError, match=r"12\.mat: found a file that cannot be read"):
        data.segmentations[0]
    (truth / "12.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"12\.mat"):
        data.segmentations[0]
    save_truth(truth / "3.mat", [np.ones((5, 4))])
    with pytest.raises(ValueError, match=r"3\.mat: found 5 x 4 .*expected 4 x 5 as in its image"):
        data.segmentations[1]


def test_labels_and_shapes_of_the_annotators(bsr):
    truth = bsr / "BSDS500" / "data" / "groundTruth" / "train" / "12.mat"
    data = load_bsds500(bsr)
    for label in (2**31, -(2**31) - 1):
        cells = np.empty((1, 1), dtype=object)
        cells[0, 0] = np.zeros((1, 1), dtype=[("Segmentation", object)])
        cells[0, 0][0, 0]["Segmentation"] = np.full((4, 5), label)
        savemat(truth, {"groundTruth": cells})
        with pytest.raises(ValueError, match=rf"12\.mat: found the label {label}, expected"):
            data.segmentations[0]
    save_truth(truth, [np.ones((4, 5)), np.ones((5, 4))])
    with pytest.raises(ValueError, match=r"12\.mat: found segmentations of the shapes \[\(4, 5\)"):
        data.segmentations[0]


def test_real_bsds500(shared_data):
    data = load_bsds500(shared_data("BSDS500"), "all")
    assert np.unique(data.subsets, return_counts=True)[1].tolist() == [200, 200, 100]
    assert data.images[0].shape in [(321, 481, 3), (481, 321, 3)]
    for k in (0, 250, 499):
        segmentations = data.segmentations[k]
        assert segmentations.shape[0] >= 4
        assert segmentations.min() == 1


# Fetching -----------------------------------------------------------------------------------


@pytest.fixture
def archive(bsr, server, monkeypatch):
    """Serve BSR as the official archive, and return the server."""
    path = bsr.parent / "packed.tgz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(bsr, "BSR")
    server.content = path.read_bytes()
    sha256 = hashlib.sha256(server.content).hexdigest()
    replaced = _bsds500._ARCHIVE._replace(url=server.url, sha256=sha256)
    monkeypatch.setattr(_bsds500, "_ARCHIVE", replaced)
    return server


def test_fetching_downloads_once(archive, tmp_path):
    home = tmp_path / "home"
    data = fetch_bsds500(data_home=home, subset="all", delay=0)
    assert data.image_ids == ["12", "3", "5", "7"]
    assert data.segmentations[0].shape == (3, 4, 5)
    again = fetch_bsds500(data_home=str(home), subset="val", download_if_missing=False)
    assert again.filenames == data.filenames[2:3]
    assert archive.n_requests == 1


def test_fetching_tries_again(archive, tmp_path):
    archive.cuts = [len(archive.content) // 2]
    with pytest.raises(OSError, match="could not be downloaded, attempt 1 of 1 failed"):
        fetch_bsds500(data_home=tmp_path / "home", n_retries=0)
    archive.cuts = [len(archive.content) // 2]
    assert len(fetch_bsds500(data_home=tmp_path / "home", n_retries=1, delay=0).images) == 2


def test_fetching_into_the_folder_of_the_environment(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("SKSUPERPIXEL_DATA", str(tmp_path / "environment"))
    data = fetch_bsds500()
    assert data.filenames[0].startswith(str(tmp_path / "environment" / "BSDS500"))


def test_fetching_can_be_forbidden(archive, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"BSDS500: found no .*download_if_missing is Fal"):
        fetch_bsds500(data_home=tmp_path / "home", download_if_missing=False)
    assert archive.n_requests == 0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"subset": "valid"}, "subset: found 'valid', expected"),
        ({"n_retries": -1}, "'n_retries' parameter"),
        ({"delay": -1}, "'delay' parameter"),
        ({"data_home": 3}, "'data_home' parameter"),
        ({"download_if_missing": "no"}, "'download_if_missing' parameter"),
    ],
)
def test_bad_parameters_are_told_before_any_download(archive, tmp_path, params, message):
    with pytest.raises(ValueError, match=message):
        fetch_bsds500(**{"data_home": tmp_path / "home", **params})
    assert archive.n_requests == 0


def test_official_address():
    assert _bsds500._ARCHIVE.url.startswith("https://www2.eecs.berkeley.edu/")
    assert len(bytes.fromhex(_bsds500._ARCHIVE.sha256)) == 32
    assert _bsds500._ARCHIVE.folder == "BSR/BSDS500"
