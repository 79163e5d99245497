"""Read the ground truth of BSDS500 from a MATLAB file.

`scipy.io.loadmat` would read every variable of every kind. It believes the sizes that a file
claims, and ends the whole process if arrays are nested too deeply. The files of BSDS500 need
little of the format, so this module reads only that: a cell array of structures of integers, in
MATLAB's format of version 5. It never needs more memory than the file and `MOST_BYTES`.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

# How much compressed data may hold, and how many elements may follow each other. The largest file
# of BSDS500 holds less than 5 MB, and at most twelve elements follow each other in it.
MOST_BYTES = 2**26
_MOST_ELEMENTS = 1000
_MOST_AXES = 32

_HEADER = 128  # bytes before the first element
# Kinds of elements.
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_INTEGERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 12: "i8", 13: "u8"}
# Kinds of arrays.
_CELL, _STRUCTURE, _FIRST_NUMBERS, _LAST_NUMBERS = 1, 2, 6, 15
_COMPLEX = 0x800  # a flag of arrays


class _Array(NamedTuple):
    """An array of a MATLAB file, whose values are still to be read.

    Attributes
    ----------
    kind : int
    is_complex : bool
    shape : tuple of int
    name : bytes
    elements : iterator of (int, memoryview)
        What follows the name.
    """

    kind: int
    is_complex: bool
    shape: tuple
    name: bytes
    elements: Iterator


def read_ground_truth(content):
    """Read the segmentations from the content of a file of BSDS500.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    list of ndarray of shape (H, W), int
        One per annotator. The arrays are read-only.

    Raises
    ------
    ValueError
        If the content is damaged, or something else than a ground truth of BSDS500.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[_HEADER - 2 : _HEADER])
    if order is None:
        raise ValueError("it is no MATLAB file of version 5")
    for kind, element in _elements(memoryview(content)[_HEADER:], order):
        if kind == _COMPRESSED:
            kind, element = next(_elements(_inflate(element), order), (None, None))
        if kind != _MATRIX:
            continue
        variable = _read_array(element, order)
        if variable.name == b"groundTruth":
            return [_read_segmentation(cell, order) for cell in _cells(variable)]
    raise ValueError("it has no variable groundTruth")


def _elements(data, order):
    """Yield kind and content of each data element; those of at most 4 bytes are stored shorter."""
    position, n_elements = 0, 0
    while position < len(data):
        n_elements += 1
        if n_elements > _MOST_ELEMENTS:
            raise ValueError(f"it has more than {_MOST_ELEMENTS} elements in a row")
        if len(data) < position + 8:
            raise ValueError("it is cut short")
        kind, length = struct.unpack_from(order + "II", data, position)
        start, next_position = position + 8, position + 8 + length
        if kind >> 16:
            kind, length = kind & 0xFFFF, kind >> 16
            start, next_position = position + 4, position + 8
        elif kind != _COMPRESSED:
            next_position += -length % 8
        if start + length > min(len(data), next_position):
            raise ValueError("it is cut short")
        yield kind, data[start : start + length]
        position = next_position


def _inflate(data):
    decompressor = zlib.decompressobj()
    try:
        content = decompressor.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if decompressor.unconsumed_tail:
        raise ValueError(f"it holds more than {MOST_BYTES} bytes of data")
    return memoryview(content)


def _read_array(data, order):
    """Read what comes before the values of an array."""
    elements = _elements(data, order)
    head = list(islice(elements, 3))
    if [kind for kind, _ in head] != [_UINT32, _INT32, _INT8]:
        raise ValueError("an array in it has no kind, shape and name")
    flags, shape, name = (content for _, content in head)
    if len(flags) != 8 or len(shape) % 4 or len(shape) > 4 * _MOST_AXES:
        raise ValueError("an array in it has no kind, shape and name")
    (flags,) = struct.unpack_from(order + "I", flags)
    shape = struct.unpack(f"{order}{len(shape) // 4}i", shape)
    return _Array(flags & 0xFF, bool(flags & _COMPLEX), shape, bytes(name), elements)


def _cells(array):
    """Return the contents of the arrays in a cell array."""
    if array.kind != _CELL:
        raise ValueError("its groundTruth is no cell array")
    elements = list(array.elements)
    cells = [content for kind, content in elements if kind == _MATRIX]
    if not cells or not len(cells) == len(elements) == math.prod(array.shape):
        raise ValueError(f"its groundTruth of shape {array.shape} has {len(cells)} cells")
    return cells


def _read_segmentation(cell, order):
    """Read the field Segmentation of a structure."""
    array = _read_array(cell, order)
    if array.kind != _STRUCTURE or math.prod(array.shape) != 1:
        raise ValueError("a cell of its groundTruth is no structure")
    elements = list(array.elements)
    if len(elements) < 2 or len(elements[0][1]) != 4:
        raise ValueError("a structure in it has no names of fields")
    (_, length), (_, names), *fields = elements
    (length,) = struct.unpack(order + "i", length)
    if length < 1 or len(names) != length * len(fields):
        raise ValueError(f"a structure in it has {len(fields)} fields for {len(names)} names")
    names = [bytes(names[k : k + length]) for k in range(0, len(names), length)]
    for name, (kind, content) in zip(names, fields, strict=True):
        if name.partition(b"\0")[0] == b"Segmentation" and kind == _MATRIX:
            return _read_integers(_read_array(content, order), order)
    raise ValueError("a structure in it has no field Segmentation")


def _read_integers(array, order):
    is_numeric = _FIRST_NUMBERS <= array.kind <= _LAST_NUMBERS
    kind, values = next(array.elements, (None, b""))
    if not is_numeric or array.is_complex or kind not in _INTEGERS or len(array.shape) != 2:
        raise ValueError("its Segmentation does not hold integers of shape (H, W)")
    dtype = np.dtype(order + _INTEGERS[kind])
    if min(array.shape) < 1 or math.prod(array.shape) * dtype.itemsize != len(values):
        raise ValueError(f"its Segmentation of shape {array.shape} has {len(values)} bytes")
    return np.frombuffer(values, dtype).reshape(array.shape, order="F")
