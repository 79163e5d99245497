import pickle
import struct
import zlib

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from sksuperpixel.datasets._files import (
    damage_as_value_error,
    image_shape,
    read_class_labels,
    read_image,
    read_labels,
)

RGB = np.random.RandomState(0).randint(256, size=(6, 8, 3), dtype=np.uint8)
GREY = RGB[:, :, 0]
ALPHA = RGB[:, :, 1]
LABELS = np.arange(48).reshape(6, 8) % 5
PALETTE = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [9, 9, 9]])


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def save_palette(path):
    picture = Image.new("P", LABELS.shape[::-1])
    picture.putpalette(PALETTE.ravel().tolist())
    picture.putdata(LABELS.ravel().tolist())
    picture.save(path)
    return path


# Images -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (RGB, RGB),
        (GREY, GREY),
        (np.dstack([RGB, ALPHA]), RGB),
        (np.dstack([GREY, ALPHA]), GREY),
        (GREY.astype(np.uint16) * 200, GREY.astype(np.uint16) * 200),
        (GREY > 99, np.uint8(255) * (GREY > 99)),
    ],
    ids=["RGB", "L", "RGBA", "LA", "I;16", "1"],
)
def test_images_keep_the_numbers_of_the_file_without_alpha(tmp_path, stored, expected):
    image = read_image(save(tmp_path / "a.png", stored))
    assert image.dtype == expected.dtype
    assert_array_equal(image, expected)


@pytest.mark.parametrize("extension", ["png", "tif", "bmp"])
def test_palette_images_give_colours(tmp_path, extension):
    image = read_image(save_palette(tmp_path / f"a.{extension}"))
    assert image.dtype == np.uint8
    assert_array_equal(image, PALETTE[LABELS])


@pytest.mark.parametrize("extension", ["jpg", "tif"])
def test_images_in_cmyk_give_rgb(tmp_path, extension):
    plain = np.full((8, 8, 3), [200, 100, 50], dtype=np.uint8)
    Image.fromarray(plain).convert("CMYK").save(tmp_path / f"a.{extension}")
    image = read_image(tmp_path / f"a.{extension}")
    assert_allclose(image.astype(int), plain, atol=4)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_tiff_images_keep_all_channels(tmp_path, dtype):
    cube = np.dstack([RGB, RGB]).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", cube, photometric="minisblack", planarconfig="contig")
    image = read_image(tmp_path / "a.tif")
    assert image.dtype == dtype
    assert_array_equal(image, cube)


def test_compressed_tiff_images(tmp_path):
    assert_array_equal(read_image(save(tmp_path / "a.tif", RGB, compression="tiff_lzw")), RGB)


def test_npy_images(tmp_path):
    np.save(tmp_path / "a.npy", RGB / 7)
    assert_array_equal(read_image(tmp_path / "a.npy"), RGB / 7)
    np.save(tmp_path / "a.npy", np.zeros(4))
    with pytest.raises(
        ValueError, match=r"a\.npy: found an array of shape \(4,\), expected an im"
    ):
        read_image(tmp_path / "a.npy")


@pytest.mark.parametrize("read", [read_image, read_labels, image_shape])
@pytest.mark.parametrize("extension", ["png", "jpg", "tif", "npy"])
def test_damaged_and_missing_files(tmp_path, extension, read):
    path = tmp_path / f"a.{extension}"
    path.write_bytes(b"no image at all")
    with pytest.raises(ValueError, match=rf"a\.{extension}: found a file that cannot be read"):
        read(path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=rf"a\.{extension}"):
        read(path)


@pytest.mark.parametrize("extension", ["png", "tif", "npy"])
def test_truncated_images(tmp_path, extension):
    path = tmp_path / f"a.{extension}"
    big = np.tile(RGB, (20, 20, 1))
    np.save(path, big) if extension == "npy" else save(path, big)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=rf"a\.{extension}: found a file .*, expected an image"):
        read_image(path)


# What damage makes the libraries raise ---------------------------------------------------------


def npy(header, data=b"", version=1):
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + data


NPY = {
    "claims far more than it holds": npy(
        "{'descr': '<i4', 'fortran_order': False, 'shape': (1000000000, 1000)}", bytes(40)
    ),
    "claims more than an address can reach": npy(
        "{'descr': '<i4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", bytes(40)
    ),
    "is cut by one byte": npy(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 5)}", bytes(19)
    ),
    "has an open bracket": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4, 5"),
    "is nested too deeply": npy("(" * 9000, version=2),
    "holds Python objects": npy("{'descr': '|O', 'fortran_order': False, 'shape': (4, 5)}", b"."),
    "is an archive": b"PK\3\4" + bytes(40),
    "is empty": b"",
    "is a pickle": pickle.dumps([1, 2]),
}


@pytest.mark.parametrize("read", [read_image, read_labels, image_shape])
@pytest.mark.parametrize("kind", NPY)
def test_damaged_npy_files(tmp_path, kind, read):
    (tmp_path / "a.npy").write_bytes(NPY[kind])
    with pytest.raises(ValueError, match=r"a\.npy: found a file that cannot be read") as caught:
        read(tmp_path / "a.npy")
    assert caught.value.__cause__ is not None
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("array", [np.array([["a", "b"]]), np.ones((2, 2), complex)])
def test_arrays_that_are_no_images(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=r"a\.npy: found .* expected an image of real numbers"):
        read_image(tmp_path / "a.npy")
    np.save(tmp_path / "a.npy", np.zeros((4, 0, 3)))
    with pytest.raises(ValueError, match=r"a\.npy: found an array of shape \(4, 0, 3\)"):
        read_image(tmp_path / "a.npy")


@pytest.mark.parametrize("read", [read_image, read_labels, image_shape])
@pytest.mark.parametrize("side", [2**31 - 1, 20_000, 10_000])
def test_pictures_of_more_pixels_than_pillow_allows(tmp_path, side, read):
    # Beyond its limit Pillow warns, which is an error here, and beyond twice its limit it raises.
    content = bytearray(save(tmp_path / "a.png", GREY).read_bytes())
    content[16:24] = struct.pack(">II", side, side)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"a\.png: found .*\(Decompression.*, expected a"
    ) as caught:
        read(tmp_path / "a.png")
    assert isinstance(caught.value.__cause__, Exception)


def test_a_warning_about_a_good_file_is_only_a_warning(tmp_path, monkeypatch):
    save(tmp_path / "a.png", GREY)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", GREY.size - 1)
    with pytest.warns(Image.DecompressionBombWarning):
        assert_array_equal(read_image(tmp_path / "a.png"), GREY)


@pytest.mark.parametrize("read", [read_image, read_labels])
@pytest.mark.parametrize("change", [(259, 7), (273, 2**32 - 1), (258, 3), (256, 10**9)])
def test_damaged_tags_of_tiff_files(tmp_path, change, read):
    path = save(tmp_path / "a.tif", GREY)
    content = bytearray(path.read_bytes())
    tag, value = change
    (start,) = struct.unpack_from("<I", content, 4)
    (n_tags,) = struct.unpack_from("<H", content, start)
    for place in range(start + 2, start + 2 + 12 * n_tags, 12):
        if struct.unpack_from("<H", content, place)[0] == tag:
            struct.pack_into("<I", content, place + 8, value)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.tif: found a file that cannot be read"):
        read(path)


def test_only_the_formats_of_the_documentation_are_opened(tmp_path):
    # For EPS, Pillow would start another program, whatever the file's extension.
    (tmp_path / "a.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"
    )
    with pytest.raises(ValueError, match=r"a\.png: found .*cannot identify image file"):
        read_image(tmp_path / "a.png")
    Image.fromarray(RGB).save(tmp_path / "a.png", format="BMP")
    assert_array_equal(read_image(tmp_path / "a.png"), RGB)


@pytest.mark.parametrize("error", [MemoryError(), RecursionError("too deep"), KeyError(5)])
def test_any_error_of_a_library_becomes_a_value_error(tmp_path, error):
    name = type(error).__name__
    with (
        pytest.raises(ValueError, match=rf"a\.x: .* read \({name}: .*\), expected it") as caught,
        damage_as_value_error(tmp_path / "a.x", "it"),
    ):
        raise error
    assert caught.value.__cause__ is error


def test_interrupts_pass():
    with pytest.raises(KeyboardInterrupt), damage_as_value_error("a.x", "it"):
        raise KeyboardInterrupt


def test_folders_and_loops_are_no_files(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ValueError, match=r"a\.png: found a file that cannot be read"):
        read_image(tmp_path / "a.png")
    try:
        (tmp_path / "b.png").symlink_to(tmp_path / "b.png")
    except OSError:
        pytest.skip("links are not allowed here")
    with pytest.raises(ValueError, match=r"b\.png: found a file that cannot be read"):
        read_image(tmp_path / "b.png")


# Labels -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}])
@pytest.mark.parametrize("extension", ["png", "tif"])
def test_label_images_of_one_channel(tmp_path, dtype, extension, options):
    stored = (LABELS * (1 if dtype == np.uint8 else 1000)).astype(dtype)
    options = options if extension == "tif" else {}
    labels = read_labels(save(tmp_path / f"a.{extension}", stored, **options))
    assert labels.dtype == np.int32
    assert_array_equal(labels, stored)


@pytest.mark.parametrize("extension", ["png", "tif"])
def test_palette_labels_are_indices_not_colours(tmp_path, extension):
    labels = read_labels(save_palette(tmp_path / f"a.{extension}"))
    assert labels.dtype == np.int32
    assert_array_equal(labels, LABELS)


def test_palette_labels_of_16_bits(tmp_path):
    # Pillow cannot read such a file.
    stored = (LABELS * 1000).astype(np.uint16)
    colours = np.zeros((3, 65536), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="palette", colormap=colours)
    assert_array_equal(read_labels(tmp_path / "a.tif"), stored)


@pytest.mark.parametrize("dtype", [bool, np.int16, np.uint32, np.int64])
def test_npy_labels(tmp_path, dtype):
    np.save(tmp_path / "a.npy", LABELS.astype(dtype))
    labels = read_labels(tmp_path / "a.npy")
    assert labels.dtype == np.int32
    assert_array_equal(labels, LABELS.astype(dtype))


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_colours_are_no_labels(tmp_path, channels):
    save(tmp_path / "a.png", np.dstack([RGB, ALPHA])[:, :, :channels])
    mode = {2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    message = rf"a\.png: found a picture of mode '{mode}' .*holds colours; expected a label image"
    with pytest.raises(ValueError, match=message):
        read_labels(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (LABELS / 2, "found an array of .* dtype float64, expected a label image: integers"),
        (LABELS.ravel(), r"found an array of shape \(48,\)"),
        (np.zeros((0, 5), int), r"found an array of shape \(0, 5\)"),
        (np.array([[np.nan, 1]]), r"found .* dtype float64, expected a label image: integers"),
    ],
)
def test_arrays_that_are_no_labels(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=rf"a\.npy: {message}"):
        read_labels(tmp_path / "a.npy")


@pytest.mark.parametrize("label", [-(2**63), -(2**33), -(2**31) - 1, 2**31, 2**63 - 1, 2**64 - 1])
@pytest.mark.parametrize("extension", ["npy", "tif"])
def test_labels_that_int32_cannot_hold(tmp_path, extension, label):
    path = tmp_path / f"a.{extension}"
    array = np.array([[1, label], [2, 3]], np.uint64 if label >= 2**63 else np.int64)
    np.save(path, array) if extension == "npy" else tifffile.imwrite(path, array)
    message = (
        rf"a\.{extension}: found the label {label}, expected labels from -2147483648 to 2147483647"
    )
    with pytest.raises(ValueError, match=message):
        read_labels(path)


def test_the_extreme_labels_of_int32(tmp_path):
    array = np.array([[-(2**31), 2**31 - 1]])
    np.save(tmp_path / "a.npy", array)
    assert_array_equal(read_labels(tmp_path / "a.npy"), array)


def test_class_labels(tmp_path):
    path = save(tmp_path / "a.png", np.array([[0, 4, 255]], dtype=np.uint8))
    assert_array_equal(read_class_labels(path, n_classes=5, ignore_label=255), [[0, 4, 255]])
    message = r"a\.png: found the label 4, expected 0\.\.3 or the ignored label 255"
    with pytest.raises(ValueError, match=message):
        read_class_labels(path, n_classes=4, ignore_label=255)
    with pytest.raises(ValueError, match=r"found the label 255, expected 0\.\.4 or .* 9"):
        read_class_labels(path, n_classes=5, ignore_label=9)
    np.save(tmp_path / "a.npy", [[-1, 0]])
    with pytest.raises(ValueError, match="found the label -1"):
        read_class_labels(tmp_path / "a.npy", n_classes=5, ignore_label=255)


@pytest.mark.parametrize("extension", ["png", "jpg", "tif", "npy"])
@pytest.mark.parametrize("array", [RGB, GREY])
def test_shape_of_an_image(tmp_path, extension, array):
    path = tmp_path / f"a.{extension}"
    np.save(path, array) if extension == "npy" else save(path, array)
    assert image_shape(path) == (6, 8)
