import io
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, ImageCms

from sksuperpixel import SLIC
from sksuperpixel._images.pictures import array_of_picture, is_picture, picture_in_layout

COLOURS = np.array([[[200, 100, 50], [10, 20, 30]], [[40, 160, 60], [90, 90, 90]]], dtype=np.uint8)
ALPHA = np.array([[0, 255], [128, 7]], dtype=np.uint8)


def palette_picture(transparency=None):
    """Return a picture of COLOURS whose palette indices are 3, 2, 1 and 0, read from a file."""
    picture = Image.new("P", (2, 2))
    picture.putpalette(COLOURS.reshape(-1, 3)[::-1].ravel().tolist())
    picture.putdata([3, 2, 1, 0])
    file = io.BytesIO()
    options = {} if transparency is None else {"transparency": transparency}
    picture.save(file, "PNG", **options)
    return Image.open(file)


@pytest.mark.parametrize(
    "array",
    [
        COLOURS,
        COLOURS[:, :, 0],
        np.dstack([COLOURS, ALPHA]),
        np.dstack([COLOURS[:, :, 0], ALPHA]),
        COLOURS[:, :, 0] > 50,
        COLOURS[:, :, 0].astype(np.int32) * 100_000,
        COLOURS[:, :, 0].astype(np.float32) / 7,
        COLOURS[:, :, 0].astype(np.uint16) * 250,
    ],
    ids=["RGB", "L", "RGBA", "LA", "1", "I", "F", "I;16"],
)
def test_plain_modes_keep_their_numbers(array, request):
    picture = Image.fromarray(array)
    assert picture.mode == request.node.callspec.id
    result = array_of_picture(picture)
    assert result.dtype == array.dtype
    assert_array_equal(result, array)


def test_16_bits_in_the_other_byte_order():
    numbers = (COLOURS[:, :, 0].astype(np.uint16) * 250).astype(">u2")
    picture = Image.frombytes("I;16B", (2, 2), numbers.tobytes())
    assert_array_equal(array_of_picture(picture), numbers)


# A single index that is transparent, one alpha per index, and none.
@pytest.mark.parametrize("transparency", [None, 3, bytes([0, 50, 100, 150])])
def test_palette_pictures_give_colours(transparency):
    picture = palette_picture(transparency)
    assert picture.mode == "P"
    result = array_of_picture(picture)
    assert result.dtype == np.uint8
    assert_array_equal(result, COLOURS)


def test_palette_pictures_with_alpha_give_colours():
    picture = palette_picture(bytes([0, 50, 100, 150])).convert("PA")
    assert_array_equal(array_of_picture(picture), COLOURS)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", "RGBX", "RGBa"])
def test_other_modes_are_converted(mode):
    between = "RGBA" if mode == "RGBa" else "RGB"
    picture = Image.fromarray(COLOURS).convert(between).convert(mode)
    assert picture.mode == mode
    result = array_of_picture(picture)
    assert result.dtype == np.uint8
    assert result.shape == (2, 2, 3)
    # The conversion to the mode and back rounds twice.
    assert_allclose(result.astype(int), COLOURS, atol=3)


def test_lab_is_converted():
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    picture = ImageCms.profileToProfile(Image.fromarray(COLOURS), *profiles, outputMode="LAB")
    assert picture.mode == "LAB"
    assert_allclose(array_of_picture(picture).astype(int), COLOURS, atol=3)


def test_a_jpeg_in_cmyk_is_converted():
    file = io.BytesIO()
    plain = np.full((8, 8, 3), [200, 100, 50], dtype=np.uint8)
    Image.fromarray(plain).convert("CMYK").save(file, "JPEG", quality=95)
    picture = Image.open(file)
    assert picture.mode == "CMYK"
    assert_allclose(array_of_picture(picture).astype(int), plain, atol=4)


def test_a_picture_whose_file_is_damaged(tmp_path):
    # Pillow opens a file at once, but reads it only when its pixels are asked for.
    Image.fromarray(np.tile(COLOURS, (40, 40, 1))).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
    with (
        Image.open(tmp_path / "a.png") as picture,
        pytest.raises(ValueError, match=r"a\.png: found a file that cannot be read \(OSError: "),
    ):
        array_of_picture(picture)
    with (
        Image.open(io.BytesIO(content[: len(content) // 2])) as picture,
        pytest.raises(ValueError, match=r"^image 1: a picture: found a file that cannot be read"),
    ):
        SLIC(superpixel_size=9).fit([COLOURS]).transform([COLOURS, picture])


def test_pictures_are_recognised():
    file = io.BytesIO()
    Image.fromarray(COLOURS).save(file, "PNG")
    assert is_picture(Image.fromarray(COLOURS))
    assert is_picture(Image.open(file))
    for thing in (COLOURS, "picture.png", None, [Image.fromarray(COLOURS)], Image):
        assert not is_picture(thing)


def test_pictures_are_recognised_without_importing_pillow():
    code = (
        "import sys\n"
        "from sksuperpixel._images.pictures import is_picture\n"
        "print(is_picture(3), 'PIL' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("channel_axis", [0, 1, -1])
def test_channels_are_where_they_are_expected(channel_axis):
    pixels = np.random.default_rng(0).integers(0, 255, (5, 6, 3), dtype=np.uint8)
    found = picture_in_layout(Image.fromarray(pixels), channel_axis)
    np.testing.assert_array_equal(np.moveaxis(found, channel_axis, -1), pixels)
    grey = Image.fromarray(pixels[..., 0])
    np.testing.assert_array_equal(picture_in_layout(grey, channel_axis), pixels[..., 0])


def test_colours_are_refused_where_there_is_no_axis_for_them():
    picture = Image.fromarray(np.zeros((5, 6, 3), np.uint8))
    with pytest.raises(ValueError, match="found a picture of 3 channels, expected a grey one"):
        picture_in_layout(picture, None)
