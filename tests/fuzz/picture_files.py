"""Valid files of images and of labels, and many ways to damage a file."""

import io
import struct
import zlib
from functools import cache
from typing import NamedTuple

import numpy as np
import tifffile
from PIL import Image
from scipy.io import savemat


class Made(NamedTuple):
    """The content of a file, and the array that it holds.

    `array` is None if only height and width are known. `shape` is None if the file must be
    refused.
    """

    content: bytes
    extension: str
    array: np.ndarray | None
    shape: tuple | None


# Numbers that a damaged or hostile header may hold.
EXTREMES = (
    *(0, 1, 2, 3, 7, 255, 256, 4097, 30_000, 65_535, 100_000, 2**20, 2**24, 10**9),
    *(2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**33, 2**62, 2**63 - 1, 2**63, 2**64 - 1),
)


# Images ----------------------------------------------------------------------------------------


def make_image(rng, extension=None, shape=None):
    """Make a valid image file, and the array that `read_image` should return."""
    extension = extension or str(rng.choice([*_IMAGES]))
    if shape is None:
        shape = tuple(int(side) for side in rng.integers(1, 24, 2))
    content, array = _IMAGES[extension](rng, shape)
    return Made(content, extension, array, shape if array is None else array.shape)


def _pixels(rng, shape, dtype=np.uint8):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    return rng.integers(0, min(np.iinfo(dtype).max, 2**40), shape, dtype=np.int64).astype(dtype)


def _saved(picture, form, **options):
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def _palette_picture(indices):
    picture = Image.fromarray(indices)
    palette = np.arange(768).reshape(256, 3) * 7 % 256
    coloured = Image.new("P", picture.size)
    coloured.putdata(indices.ravel().tolist())
    coloured.putpalette(palette.ravel().tolist())
    return coloured, palette.astype(np.uint8)[indices]


def _png(rng, shape):
    mode = rng.choice(["L", "RGB", "RGBA", "LA", "1", "I;16", "P", "P transparent"])
    if mode.startswith("P"):
        picture, colours = _palette_picture(_pixels(rng, shape))
        options = {"transparency": 3} if "transparent" in mode else {}
        return _saved(picture, "PNG", **options), colours
    if mode in ("1", "I;16", "L"):
        array = _pixels(rng, shape, {"1": bool, "I;16": np.uint16, "L": np.uint8}[mode])
        expected = np.where(array, np.uint8(255), np.uint8(0)) if mode == "1" else array
        return _saved(Image.fromarray(array), "PNG"), expected
    array = _pixels(rng, (*shape, len(mode)))
    expected = {"RGB": array, "RGBA": array[..., :3], "LA": array[..., 0]}[mode]
    return _saved(Image.fromarray(array), "PNG"), expected


def _jpg(rng, shape):
    mode = rng.choice(["L", "RGB", "CMYK"])
    picture = Image.fromarray(_pixels(rng, (*shape, 3))).convert(mode)
    progressive = bool(rng.random() < 0.3)
    return _saved(picture, "JPEG", progressive=progressive), None


def _bmp(rng, shape):
    if rng.random() < 0.3:
        picture, colours = _palette_picture(_pixels(rng, shape))
        return _saved(picture, "BMP"), colours
    array = _pixels(rng, (*shape, 3) if rng.random() < 0.5 else shape)
    return _saved(Image.fromarray(array), "BMP"), array


def _webp(rng, shape):
    array = _pixels(rng, (*shape, 3))
    return _saved(Image.fromarray(array), "WEBP", lossless=True), array


def _tif(rng, shape):
    if rng.random() < 0.3:
        return _tif_of_pillow(rng, shape)
    dtype = rng.choice(["u1", "u2", "u4", "i2", "i4", "f2", "f4", "f8", "u8"])
    layout = rng.choice(["grey", "rgb", "planar rgb", "channels", "planar channels"])
    n_channels = {"grey": 0, "rgb": 3, "planar rgb": 3}.get(layout, int(rng.integers(5, 9)))
    array = _pixels(rng, (*shape, n_channels) if n_channels else shape, dtype)
    options = {"photometric": "rgb" if "rgb" in layout else "minisblack"}
    if n_channels:
        options["planarconfig"] = "separate" if "planar" in layout else "contig"
    stored = np.moveaxis(array, -1, 0) if "planar" in layout else array
    return _tif_of(rng, stored, options), array


def _tif_of(rng, stored, options):
    options["compression"] = rng.choice([None, None, "zlib", "lzma"])
    options["byteorder"] = str(rng.choice(["<", ">"]))
    options["bigtiff"] = bool(rng.random() < 0.2)
    # Without its own metadata, tifffile must find out the shape from the tags.
    options["metadata"] = None if rng.random() < 0.5 else {}
    if rng.random() < 0.3:
        options["tile"] = (16, 16)
    elif rng.random() < 0.5:
        options["rowsperstrip"] = 3
    file = io.BytesIO()
    tifffile.imwrite(file, stored, **options)
    return file.getvalue()


def _tif_of_pillow(rng, shape):
    compression = str(rng.choice(["tiff_lzw", "packbits", "tiff_deflate", "tiff_jpeg", "group4"]))
    if compression == "group4":
        array = _pixels(rng, shape, bool)
        return _saved(Image.fromarray(array), "TIFF", compression=compression), None
    if compression == "tiff_lzw" and rng.random() < 0.5:
        picture, colours = _palette_picture(_pixels(rng, shape))
        return _saved(picture, "TIFF", compression=compression), colours
    array = _pixels(rng, (*shape, 3))
    content = _saved(Image.fromarray(array), "TIFF", compression=compression)
    return content, None if compression == "tiff_jpeg" else array


def _npy(rng, shape):
    dtype = rng.choice(["u1", "u2", ">u2", "i4", ">i4", "f2", "f4", ">f8", "f8", "?", "u8"])
    n_channels = int(rng.integers(0, 6))
    array = _pixels(rng, (*shape, n_channels) if n_channels else shape, dtype)
    return npy_content(array, rng), array


_IMAGES = {"png": _png, "jpg": _jpg, "bmp": _bmp, "webp": _webp, "tif": _tif, "npy": _npy}


def npy_content(array, rng):
    """Write an array as an npy file, in any version of the format and in C or Fortran order."""
    array = np.asarray(array, order=str(rng.choice(["C", "F"])))
    version = [(1, 0), (2, 0), (3, 0)][rng.integers(3)]
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version, allow_pickle=True)
    return file.getvalue()


# Labels ----------------------------------------------------------------------------------------

_LOW, _HIGH = np.iinfo(np.int32).min, np.iinfo(np.int32).max
_HUGE = (_LOW, _LOW - 1, _HIGH, _HIGH + 1, -(2**33), 2**33, -(2**63), 2**63 - 1, -(2**32) + 5)


def make_labels(rng, shape, extension=None):
    """Make a valid label file, or one whose labels must be refused."""
    extension = extension or str(rng.choice(["png", "png", "tif", "npy", "npy", "bmp"]))
    content, array = {"png": _label_png, "bmp": _label_bmp}.get(extension, _label_array)(
        rng, shape, extension
    )
    is_right = array.dtype.kind in "bui" and (
        int(array.min()) >= _LOW and int(array.max()) <= _HIGH
    )
    return Made(content, extension, array, shape if is_right else None)


def _label_png(rng, shape, _):
    kind = rng.choice(["L", "I;16", "P", "1"])
    if kind == "P":
        indices = _pixels(rng, shape)
        return _saved(_palette_picture(indices)[0], "PNG"), indices
    array = _pixels(rng, shape, {"L": np.uint8, "I;16": np.uint16, "1": bool}[kind])
    return _saved(Image.fromarray(array), "PNG"), array


def _label_bmp(rng, shape, _):
    array = _pixels(rng, shape)
    return _saved(Image.fromarray(array), "BMP"), array


def _label_array(rng, shape, extension):
    dtype = np.dtype(rng.choice(["?", "u1", "i1", "i2", "u4", "i4", ">i4", "i8", "u8", "f4"]))
    array = _pixels(rng, shape, dtype)
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        array = np.minimum(array, min(bounds.max, _HIGH))
        fitting = [label for label in (*_HUGE, 2**64 - 1) if bounds.min <= label <= bounds.max]
        if fitting and rng.random() < 0.5:
            array[0, 0] = fitting[rng.integers(len(fitting))]
    elif dtype.kind == "f":
        array[0, 0] = rng.choice([np.nan, np.inf, -1.0, 3.0])
    if extension == "npy":
        return npy_content(array, rng), array
    array = array.astype(np.uint8) if dtype.kind == "b" else array
    return _tif_of(rng, array, {"photometric": "minisblack"}), array


# Ground truth of BSDS500 -----------------------------------------------------------------------


def make_truth(rng, shape):
    """Make a .mat file like those of BSDS500, or one whose labels must be refused."""
    n_annotators = int(rng.integers(1, 6))
    dtype = rng.choice(["u2", "u2", "u1", "i4", "u4", "i8", "f8"])
    segmentations = _pixels(rng, (n_annotators, *shape), "u1").astype(dtype)
    is_right = dtype != "f8"
    if dtype in ("u4", "i8") and rng.random() < 0.5:
        segmentations[0, 0, 0] = _HIGH + 1 if dtype == "u4" else _LOW - 1
        is_right = False
    cells = np.empty((1, n_annotators), dtype=object)
    for k, segmentation in enumerate(segmentations):
        cell = np.zeros((1, 1), dtype=[("Segmentation", object), ("Boundaries", object)])
        cell[0, 0]["Segmentation"] = segmentation
        cell[0, 0]["Boundaries"] = np.zeros(shape, dtype=np.uint8)
        cells[0, k] = cell
    file = io.BytesIO()
    compress = bool(rng.random() < 0.6)
    savemat(file, {"other": np.eye(3), "groundTruth": cells}, do_compression=compress)
    return Made(file.getvalue(), "mat", segmentations, segmentations.shape if is_right else None)


MAT_HEAD = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"


def mat_element(kind, content):
    return struct.pack("<II", kind, len(content)) + content + b"\0" * (-len(content) % 8)


def mat_array(kind, dims, name, *parts):
    dims = [min(int(length), 2**31 - 1) for length in dims]
    flags = mat_element(6, struct.pack("<II", kind, 0))
    shape = mat_element(5, struct.pack(f"<{len(dims)}i", *dims))
    return mat_element(14, flags + shape + mat_element(1, name) + b"".join(parts))


@cache
def _nested_cells(depth):
    cell = mat_array(9, (1, 1), b"", mat_element(2, b"\1"))
    for _ in range(depth):
        cell = mat_array(1, (1, 1), b"", cell)
    return mat_array(1, (1, 1), b"groundTruth", cell)


@cache
def _many_cells():
    cells = mat_array(1, (1, 1_000_000), b"groundTruth", mat_element(14, b"") * 1_000_000)
    compressed = zlib.compress(cells)
    return struct.pack("<II", 15, len(compressed)) + compressed


def make_hostile_truth(rng, shape):
    """Make a .mat file that claims far more than it holds, or that is nested far too deeply."""
    labels = _pixels(rng, shape)
    names = mat_element(5, struct.pack("<i", 32)) + mat_element(
        1, b"Segmentation".ljust(32, b"\0")
    )
    huge = [int(rng.choice(EXTREMES[5:])) for _ in range(2)]
    segmentation = mat_array(9, labels.shape, b"", mat_element(2, labels.tobytes("F")))
    cell = mat_array(2, (1, 1), b"", names, segmentation)
    kinds = ["cells", "structs", "nothing", "no names", "numbers", "nested", "bomb", "many cells"]
    kind = rng.choice([*kinds, "many axes", "v4", "hdf5"])
    if kind == "cells":
        content = mat_array(1, huge, b"groundTruth", cell)
    elif kind == "structs":
        cell = mat_array(2, huge, b"", names, segmentation)
        content = mat_array(1, (1, 1), b"groundTruth", cell)
    elif kind == "nothing":
        content = mat_array(1, (0, 0), b"groundTruth")
    elif kind == "no names":
        none = mat_element(5, struct.pack("<i", int(rng.choice([0, 32])))) + mat_element(1, b"")
        content = mat_array(1, (1, 1), b"groundTruth", mat_array(2, huge, b"", none))
    elif kind == "numbers":
        segmentation = mat_array(9, huge, b"", mat_element(2, labels.tobytes("F")))
        cell = mat_array(2, (1, 1), b"", names, segmentation)
        content = mat_array(1, (1, 1), b"groundTruth", cell)
    elif kind == "nested":
        content = _nested_cells(int(rng.choice([3, 100, 6000])))
    elif kind == "bomb":
        zeros = _compressed_zeros(100)
        content = struct.pack("<II", 15, len(zeros)) + zeros
    elif kind == "many cells":
        content = _many_cells()
    elif kind == "many axes":
        content = mat_array(1, (2,) * 100_000, b"groundTruth", cell)
    elif kind == "v4":
        content = (
            struct.pack("<5I", 0, *(length % 2**32 for length in huge), 0, 12)
            + b"groundTruth\0"
            + labels.tobytes()
        )
        return Made(content, "mat", None, None)
    else:
        return Made(b"\x89HDF\r\n\x1a\n" + bytes(600), "mat", None, None)
    return Made(MAT_HEAD + content, "mat", None, None)


# Hostile pictures -------------------------------------------------------------------------------


@cache
def _compressed_zeros(megabytes):
    compressor = zlib.compressobj(9)
    return b"".join(compressor.compress(bytes(2**20)) for _ in range(megabytes)) + (
        compressor.flush()
    )


def make_hostile_image(rng, other):
    """Make a picture that must be refused, or read without what it asks for.

    `other` is a TIFF file that a picture may name.
    """
    kind = rng.choice(["bomb", "sparse", "names a file", "program"])
    if kind == "bomb":
        header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
        chunks = [(b"IHDR", header), (b"IDAT", _compressed_zeros(20)), (b"IEND", b"")]
        parts = [
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        ]
        return Made(b"\x89PNG\r\n\x1a\n" + b"".join(parts), "png", None, None)
    if kind == "program":
        content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
        return Made(content, str(rng.choice(["png", "jpg", "bmp", "tif"])), None, None)
    array = _pixels(rng, (5, 6))
    if kind == "sparse":
        # A strip of zero bytes stands for any number of zeros.
        file = io.BytesIO()
        tifffile.imwrite(file, array, compression="zlib", metadata=None, rowsperstrip=2)
        size = int(rng.choice(EXTREMES[8:]))
        content = _with_tags(file.getvalue(), {256: size, 257: size, 278: size, 279: 0})
        return Made(content, "tif", None, None)
    plane = (
        '<TiffData FirstC="{}" IFD="0" PlaneCount="1"><UUID FileName="{}">urn:{}</UUID></TiffData>'
    )
    description = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        'UUID="urn:1"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" '
        'Type="uint8" SizeX="6" SizeY="5" SizeC="2" SizeZ="1" SizeT="1">'
        + plane.format(0, "a.tif", 1)
        + plane.format(1, other, 2)
        + "</Pixels></Image></OME>"
    )
    file = io.BytesIO()
    tifffile.imwrite(file, array, description=description, metadata=None)
    return Made(file.getvalue(), "tif", array, array.shape)


def _with_tags(content, values):
    """Change the values of tags in the first directory of a little-endian TIFF file."""
    content = bytearray(content)
    (start,) = struct.unpack("<I", content[4:8])
    (n_tags,) = struct.unpack("<H", content[start : start + 2])
    for place in range(start + 2, start + 2 + 12 * n_tags, 12):
        (tag,) = struct.unpack("<H", content[place : place + 2])
        if tag in values:
            value = values[tag] % 2**32
            content[place + 2 : place + 12] = struct.pack("<HII", 4, 1, value)
    return bytes(content)


# Damage ----------------------------------------------------------------------------------------


def damage(content, extension, rng):
    """Damage the content of a file in one of many ways."""
    ways = [_flip, _flip, _truncate, _delete, _insert, _repeat, _blank, _overwrite, _overwrite]
    special = {"png": _png_header, "npy": _npy_header, "tif": _tiff_tag, "jpg": _jpeg_size}
    if extension in special:
        ways += [special[extension]] * 6
    if rng.random() < 0.02:
        return b""
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        content = ways[rng.integers(len(ways))](content, rng)
    return content


def _place(content, rng):
    """Draw a position, preferably near the beginning or the end, where headers lie."""
    n = max(1, len(content))
    near = int(rng.choice([64, 256, n]))
    position = int(rng.integers(min(near, n)))
    return n - 1 - position if rng.random() < 0.25 else position


def _flip(content, rng):
    content = bytearray(content)
    for _ in range(int(rng.choice([1, 1, 3, 20]))):
        if content:
            content[_place(content, rng)] ^= int(rng.choice([1, 2, 16, 128, 255]))
    return bytes(content)


def _truncate(content, rng):
    return content[: _place(content, rng)]


def _delete(content, rng):
    start = _place(content, rng)
    return content[:start] + content[start + int(rng.integers(1, 40)) :]


def _insert(content, rng):
    start = _place(content, rng)
    return content[:start] + rng.bytes(int(rng.integers(1, 40))) + content[start:]


def _repeat(content, rng):
    start, end = sorted((_place(content, rng), _place(content, rng)))
    return content[:end] + content[start:]


def _blank(content, rng):
    start, length = _place(content, rng), int(rng.integers(1, 40))
    filler = bytes([int(rng.choice([0, 255, 40]))]) * length
    return content[:start] + filler + content[start + length :]


def _overwrite(content, rng):
    """Overwrite a number with an extreme one."""
    width = int(rng.choice([1, 2, 4, 4, 8]))
    start = _place(content, rng)
    number = int(rng.choice(EXTREMES)) % 2 ** (8 * width)
    order = str(rng.choice(["little", "big"]))
    return content[:start] + number.to_bytes(width, order) + content[start + width :]


def _png_header(content, rng):
    """Change the size, the depth or the kind of colours, with the right checksum."""
    if len(content) < 33:
        return content
    header = bytearray(content[16:29])
    if rng.random() < 0.7:
        size = rng.choice(EXTREMES, 2)
        which = rng.integers(1, 4)
        for k in range(2):
            if which & (k + 1):
                header[4 * k : 4 * k + 4] = struct.pack(">I", int(size[k]) % 2**32)
    else:
        header[int(rng.integers(8, 13))] = int(rng.integers(0, 20))
    checksum = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return content[:16] + bytes(header) + checksum + content[33:]


def _npy_header(content, rng):
    """Replace the header of an npy file."""
    numbers = [int(number) for number in rng.choice(EXTREMES, 3)]
    shapes = [
        *((numbers[0],), tuple(numbers[:2]), tuple(numbers), (-1, numbers[0])),
        *((10**9, 10**9), (2**32, 2**32), (2**33, 2**31 + 1), (True, 3), (2.5, 3), (), "ab"),
        *([3, 4], None, (10**30, 1), (2**16,) * 4, (0, 5), (5, 0, 3), (1,) * 70),
    ]
    types = [
        *("|u1", "<i4", ">u8", "<f4", "|O", "<U99999999", "|V0", "<U0", "<c16", "<M8[s]"),
        *("<f3", "", "x", 3, None, [("a", "<i4")], [("a", "|O")], ("<i4", (2, 2)), "|S2147483647"),
    ]
    fields = {
        "descr": types[rng.integers(len(types))] if rng.random() < 0.4 else "|u1",
        "fortran_order": [False, True, 3][rng.choice(3, p=[0.6, 0.3, 0.1])],
        "shape": shapes[rng.integers(len(shapes))],
    }
    if rng.random() < 0.1:
        fields["more"] = 1
    texts = [
        *("{'descr': '|u1', 'fortran_order': False, 'shape': (3, 4", "(" * 5000, "'''", "[" * 150),
        *("{'descr': " + "-" * 9000 + "1}", "\\", "f(3)", "__import__('os')", "\x00", "{1: 2}"),
        *("{'descr': '|u1', 'fortran_order': False, 'shape': (3L, 4L), }", "\xff\xfe", "1" * 6000),
    ]
    text = texts[rng.integers(len(texts))] if rng.random() < 0.4 else repr(fields)
    header = text.encode("latin1")
    version = int(rng.choice([1, 2, 3, 9], p=[0.5, 0.25, 0.2, 0.05]))
    length = len(header) if rng.random() < 0.9 else int(rng.choice(EXTREMES))
    size = struct.pack("<H", length % 2**16) if version == 1 else struct.pack("<I", length % 2**32)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + content[-50:]


def _tiff_tag(content, rng):
    """Give a tag of the first directory another type, count or value."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(content[:4])
    if order is None or len(content) < 10:
        return content
    (start,) = struct.unpack(order + "I", content[4:8])
    if start + 2 > len(content):
        return content
    (n_tags,) = struct.unpack(order + "H", content[start : start + 2])
    place = start + 2 + 12 * int(rng.integers(max(1, n_tags)))
    number = int(rng.choice(EXTREMES))
    part = rng.choice(["tag", "type", "count", "value", "value", "next"])
    if part == "next":  # the directories form a loop
        place, number = start + 2 + 12 * n_tags - 8, int(rng.choice([start, 0, 8, number]))
    elif part in ("tag", "type"):
        place += 2 * (part == "type")
        number = number if part == "tag" else int(rng.integers(0, 20))
        return content[:place] + struct.pack(order + "H", number % 2**16) + content[place + 2 :]
    elif part == "count":
        place -= 4
    return content[: place + 8] + struct.pack(order + "I", number % 2**32) + content[place + 12 :]


def _jpeg_size(content, rng):
    """Change the size that the header of a JPEG file claims."""
    place = max(content.find(b"\xff\xc0"), content.find(b"\xff\xc2"))
    if place < 0:
        return content
    size = struct.pack(">HH", *(int(side) % 2**16 for side in rng.choice(EXTREMES, 2)))
    return content[: place + 5] + size + content[place + 9 :]
