import numpy as np
import pytest
import tifffile
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from sksuperpixel.datasets._files import image_shape, read_class_labels, read_image, read_labels

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
        (LABELS.astype(np.int64) + 2**31, r"found the label 2147483652, expected labels below 2"),
    ],
)
def test_arrays_that_are_no_labels(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=rf"a\.npy: {message}"):
        read_labels(tmp_path / "a.npy")


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
