import io
import struct
import zlib

import numpy as np
import pytest
from fuzz.picture_files import MAT_HEAD, mat_array, mat_element
from numpy.testing import assert_array_equal
from scipy.io import savemat

from sksuperpixel.datasets import _matlab
from sksuperpixel.datasets._matlab import read_ground_truth

LABELS = np.arange(12, dtype=np.uint8).reshape(3, 4)
NAMES = mat_element(5, struct.pack("<i", 16)) + mat_element(1, b"Segmentation\0\0\0\0")


def numbers(labels=LABELS, shape=(3, 4), kind=9, stored=2):
    return mat_array(kind, shape, b"", mat_element(stored, labels.tobytes("F")))


def structure(*fields, shape=(1, 1), names=NAMES):
    return mat_array(2, shape, b"", names, *(fields or [numbers()]))


def ground_truth(*cells, shape=None):
    return mat_array(1, shape or (1, len(cells)), b"groundTruth", *cells)


def saved(segmentations, **options):
    """Save segmentations with scipy, besides other fields and variables."""
    cells = np.empty((1, len(segmentations)), dtype=object)
    for k, segmentation in enumerate(segmentations):
        cell = np.zeros((1, 1), dtype=[("Boundaries", object), ("Segmentation", object)])
        cell[0, 0]["Boundaries"], cell[0, 0]["Segmentation"] = np.eye(2), segmentation
        cells[0, k] = cell
    file = io.BytesIO()
    savemat(file, {"text": "before", "groundTruth": cells, "z": 1}, **options)
    return file.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
def test_segmentations_written_by_scipy(dtype, compressed):
    segmentations = [LABELS.astype(dtype), LABELS[::-1].astype(dtype)]
    result = read_ground_truth(saved(segmentations, do_compression=compressed))
    assert_array_equal(result, segmentations)
    assert result[0].dtype == dtype


def test_a_segmentation_of_so_few_bytes_that_it_is_stored_in_the_short_form():
    for shape in [(1, 1), (1, 4), (3, 1)]:
        labels = np.full(shape, 7, np.uint8)
        assert_array_equal(read_ground_truth(saved([labels])), [labels])


def test_a_file_of_the_other_byte_order():
    swapped = bytearray(MAT_HEAD + ground_truth(structure()))
    swapped[126:128] = b"MI"
    with pytest.raises(ValueError, match="it is cut short"):
        read_ground_truth(bytes(swapped))
    # The flags, the shape and the length of names are numbers, the names and labels are bytes.
    element = struct.Struct(">II")

    def array(kind, shape, name, *parts):
        flags = element.pack(6, 8) + element.pack(kind, 0) + element.pack(5, 8)
        name = element.pack(1, len(name)) + name + bytes(-len(name) % 8)
        content = flags + struct.pack(">ii", *shape) + name + b"".join(parts)
        return element.pack(14, len(content)) + content

    labels = array(11, (1, 2), b"", element.pack(4, 4) + struct.pack(">HHxxxx", 258, 3))
    names = struct.pack(">HHi", 4, 5, 16) + element.pack(1, 16) + b"Segmentation".ljust(16, b"\0")
    content = array(1, (1, 1), b"groundTruth", array(2, (1, 1), b"", names, labels))
    assert_array_equal(read_ground_truth(MAT_HEAD[:126] + b"MI" + content), [[[258, 3]]])


def compressed(content):
    content = zlib.compress(content)
    return struct.pack("<II", 15, len(content)) + content


COMPLEX = bytearray(numbers())
COMPLEX[17] = 8
HOSTILE = {
    "no variable groundTruth": mat_array(9, (1, 1), b"other", mat_element(2, b"\1")),
    "it has no variable groundTruth": b"",
    "no cell array": mat_array(9, (1, 1), b"groundTruth", mat_element(2, b"\1")),
    "has 0 cells": ground_truth(shape=(0, 0)),
    r"shape \(2147483647, 2147483647\) has 1 cells": ground_truth(
        structure(), shape=(2**31 - 1, 2**31 - 1)
    ),
    "cell of its groundTruth is no structure": ground_truth(numbers()),
    "is no structure": ground_truth(structure(shape=(2**31 - 1, 1))),
    "no names of fields": ground_truth(structure(names=b"")),
    "2 fields for 16 names": ground_truth(structure(numbers(), numbers())),
    "1 fields for 0 names": ground_truth(
        structure(names=mat_element(5, struct.pack("<i", 0)) + mat_element(1, b""))
    ),
    "no field Segmentation": ground_truth(structure(names=NAMES.replace(b"Seg", b"seg"))),
    "does not hold integers": ground_truth(structure(numbers(LABELS / 1.0, kind=6, stored=9))),
    "Segmentation does not hold integers": ground_truth(structure(bytes(COMPLEX))),
    r"its Segmentation of shape \(2147483647, 4\) has 12 bytes": ground_truth(
        structure(numbers(shape=(2**31 - 1, 4)))
    ),
    r"shape \(-3, -4\)": ground_truth(structure(numbers(shape=(-3, -4)))),
    r"of shape \(0, 4\)": ground_truth(structure(numbers(LABELS[:0], shape=(0, 4)))),
    r"integers of shape \(H, W\)": ground_truth(structure(numbers(shape=(3, 4, 1)))),
    "no kind, shape and name": ground_truth(mat_element(14, b"")),
    "an array in it has no kind": ground_truth(structure(), shape=(1,) * 33),
    "more than 1000 elements": ground_truth(*[mat_element(14, b"")] * 1001),
    "incorrect header check": struct.pack("<II", 15, 8) + b"no zlib!",
}


@pytest.mark.parametrize("message", HOSTILE)
def test_what_is_no_ground_truth(message):
    with pytest.raises(ValueError, match=message):
        read_ground_truth(MAT_HEAD + HOSTILE[message])


def test_files_of_other_versions():
    for content in (b"", b"\x89HDF\r\n\x1a\n" + bytes(600), bytes(20) + b"groundTruth\0"):
        with pytest.raises(ValueError, match="it is no MATLAB file of version 5"):
            read_ground_truth(content)


def test_files_that_are_cut_anywhere():
    for content in (ground_truth(structure()), compressed(ground_truth(structure()))):
        assert_array_equal(read_ground_truth(MAT_HEAD + content), [LABELS])
        for length in range(1, len(content) - 8):
            with pytest.raises(ValueError, match=r"it is cut short|no variable"):
                read_ground_truth(MAT_HEAD + content[:length])


def test_compressed_data_may_not_grow_without_limit(monkeypatch):
    content = MAT_HEAD + compressed(ground_truth(structure()))
    assert_array_equal(read_ground_truth(content), [LABELS])
    monkeypatch.setattr(_matlab, "MOST_BYTES", 100)
    with pytest.raises(ValueError, match="it holds more than 100 bytes of data"):
        read_ground_truth(content)


def test_deep_nesting_does_not_matter():
    # scipy's loadmat ends the process at this depth.
    array = numbers()
    for _ in range(5000):
        array = mat_array(1, (1, 1), b"", array)
    with pytest.raises(ValueError, match="a cell of its groundTruth is no structure"):
        read_ground_truth(MAT_HEAD + ground_truth(array))
