import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksuperpixel import SLIC, LazySequence
from sksuperpixel.datasets._files import read_labels
from sksuperpixel.datasets._pairs import (
    bunch_of_pairs,
    check_folder,
    check_subset,
    existing_pairs,
    list_files,
    pair_files,
)

IMAGE = np.random.RandomState(0).randint(256, size=(6, 8, 3), dtype=np.uint8)
LABELS = np.arange(48).reshape(6, 8) % 5


def test_check_folder(tmp_path):
    assert check_folder(str(tmp_path), "the folder of the images") == tmp_path
    message = r"nowhere: found nothing, expected the folder of the images"
    with pytest.raises(FileNotFoundError, match=message):
        check_folder(tmp_path / "nowhere", "the folder of the images")
    (tmp_path / "a.png").touch()
    with pytest.raises(FileNotFoundError, match=r"a\.png: found a file, expected the folder"):
        check_folder(tmp_path / "a.png", "the folder of the images")


@pytest.mark.parametrize("name", ["~nobody_has_this_name", "x" * 5000, "a\0b"])
def test_names_that_no_folder_can_have(name):
    with pytest.raises(FileNotFoundError, match=r": found nothing, expected the images"):
        check_folder(name, "the images")


def test_check_folder_knows_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert check_folder("~", "the home folder") == tmp_path


@pytest.mark.parametrize(
    ("subset", "names"),
    [("all", ["a", "b"]), ("b", ["b"]), (["b", "a"], ["b", "a"]), (("a",), ["a"])],
)
def test_check_subset(subset, names):
    assert check_subset(subset, ("a", "b")) == names


@pytest.mark.parametrize("subset", ["c", "", [], ["a", "a"], ["a", "all"]])
def test_check_subset_refuses(subset):
    with pytest.raises(ValueError, match=r"subset: found .*, expected 'all', one of \['a', 'b'\]"):
        check_subset(subset, ("a", "b"))


def test_list_files(tmp_path):
    for name in ["b.png", "a.JPG", "c_x.png", "notes.txt", ".hidden.png"]:
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "folder.png" / "inside.png").touch()
    names = [path.name for path in list_files(tmp_path)]
    assert names == ["a.JPG", "b.png", "c_x.png"]
    assert list_files(tmp_path, "*_x.*") == [tmp_path / "c_x.png"]
    assert list_files(tmp_path, extensions=(".txt",)) == [tmp_path / "notes.txt"]
    assert list_files(tmp_path, "*/*") == [tmp_path / "folder.png" / "inside.png"]


@pytest.mark.parametrize("pattern", ["/*", "../*", "*/../*", "/etc/*.png"])
def test_patterns_stay_in_their_folder(tmp_path, pattern):
    (tmp_path / "folder").mkdir()
    (tmp_path / "beside.png").touch()
    message = r"folder: found the pattern '.*', expected one of files inside the folder"
    with pytest.raises(ValueError, match=message):
        list_files(tmp_path / "folder", pattern)


@pytest.mark.parametrize("pattern", ["", "a/" * 3000 + "*"])
def test_patterns_that_are_not_valid(tmp_path, pattern):
    message = r"found the pattern '.*' \(.*\), expected one of file names, for instance"
    with pytest.raises(ValueError, match=message):
        list_files(tmp_path, pattern)


def test_pairs_have_the_same_stem(tmp_path):
    images = [tmp_path / "a.jpg", tmp_path / "b.png"]
    labels = [tmp_path / "b.tif", tmp_path / "a.png", tmp_path / "unused.png"]
    assert pair_files(images, labels) == [(images[0], labels[1]), (images[1], labels[0])]
    labels = [tmp_path / "a.png", tmp_path / "a_mask.png", tmp_path / "b_mask.png"]
    pairs = pair_files(images, labels, label_suffix="_mask")
    assert pairs == [(images[0], labels[1]), (images[1], labels[2])]


def test_images_without_a_label_file(tmp_path):
    images = [tmp_path / f"{name}.jpg" for name in "abc"]
    message = (
        r"b\.jpg: found no label file for it, expected b_x\.\* among the 2 label files "
        r"\(2 of 3 images have none\)"
    )
    with pytest.raises(FileNotFoundError, match=message):
        pair_files(images, [tmp_path / "a_x.png", tmp_path / "b.png"], label_suffix="_x")


def test_two_files_with_one_name(tmp_path):
    a_png, a_jpg, a_tif = (tmp_path / f"a.{extension}" for extension in ("png", "jpg", "tif"))
    message = r"a\.jpg: found the label files .*a\.png and .*a\.tif, expected one per image"
    with pytest.raises(ValueError, match=message):
        pair_files([a_jpg], [a_png, a_tif])
    with pytest.raises(ValueError, match=r"a\.png: found .*a\.jpg with the same name"):
        pair_files([a_jpg, a_png], [a_tif])


def test_existing_pairs(tmp_path):
    pair = tmp_path / "a.jpg", tmp_path / "a.png"
    with pytest.raises(FileNotFoundError, match=r"a\.jpg: found no such file, expected the image"):
        existing_pairs([pair])
    pair[0].touch()
    with pytest.raises(FileNotFoundError, match=r"a\.png: found no such file, expected the label"):
        existing_pairs([pair])
    pair[1].touch()
    assert existing_pairs([pair]) == [pair]


@pytest.fixture
def pairs(tmp_path):
    pairs = []
    for k, name in enumerate("ab"):
        pairs.append((tmp_path / f"{name}.npy", tmp_path / f"{name}_labels.npy"))
        np.save(pairs[k][0], IMAGE + np.uint8(k))
        np.save(pairs[k][1], LABELS + k)
    return pairs


def test_bunch_of_pairs(pairs):
    data = bunch_of_pairs(pairs, read_labels, ignore_label=4)
    assert data.image_ids == ["a", "b"]
    assert data.filenames == [str(image) for image, _ in pairs]
    assert data.segmentation_filenames == [str(labels) for _, labels in pairs]
    assert data.ignore_label == 4
    assert len(data.images) == len(data.segmentations) == 2
    assert_array_equal(data.images[1], IMAGE + np.uint8(1))
    assert_array_equal(data.segmentations[1], LABELS + 1)
    assert bunch_of_pairs(pairs, read_labels, image_ids=["c", "d"]).image_ids == ["c", "d"]


def test_files_are_read_each_time_they_are_indexed(pairs):
    data = bunch_of_pairs(pairs, read_labels)
    assert isinstance(data.images, LazySequence)
    assert isinstance(data.segmentations, LazySequence)
    again = pickle.loads(pickle.dumps(data))
    np.save(pairs[0][0], IMAGE + np.uint8(9))
    np.save(pairs[0][1], LABELS + 9)
    for each in (data, again):
        assert_array_equal(each.images[0], IMAGE + np.uint8(9))
        assert_array_equal(each.segmentations[0], LABELS + 9)


def test_errors_of_lazy_reading_name_the_image_and_the_file(pairs):
    data = bunch_of_pairs(pairs, read_labels)
    pairs[1][0].write_bytes(b"no longer an image")
    with pytest.raises(ValueError, match=r"^[^:]*b\.npy: found a file that cannot be read"):
        data.images[1]
    slic = SLIC(superpixel_size=3).fit(data.images[:1])
    message = r"^image 1: .*b\.npy: found a file that cannot be read"
    with pytest.raises(ValueError, match=message):
        slic.transform(data.images)
    # The size of the image is compared with that of its segmentation.
    with pytest.raises(ValueError, match=message):
        slic.score([IMAGE, IMAGE], data.segmentations)


@pytest.mark.parametrize("annotators", [None, 3])
def test_segmentations_need_the_size_of_their_image(pairs, annotators):
    def read(path):
        labels = read_labels(path)
        return labels if annotators is None else np.stack([labels] * annotators)

    data = bunch_of_pairs(pairs, read)
    assert data.segmentations[0].shape[-2:] == (6, 8)
    np.save(pairs[0][1], LABELS[:, :7])
    message = r"a_labels\.npy: found 6 x 7 pixels .*, expected 6 x 8 as in its image .*a\.npy"
    with pytest.raises(ValueError, match=message):
        data.segmentations[0]
