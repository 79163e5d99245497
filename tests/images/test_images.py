"""What is an image, and what is a sequence of images."""

import numpy as np
import pytest

from sksuperpixel import LazySequence
from sksuperpixel._images.images import check_finite, check_image, check_images

IMAGE = np.arange(5 * 6 * 3, dtype=np.uint8).reshape(5, 6, 3)


class Untouchable:
    """A sequence that must not be looked into."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        raise AssertionError("was looked into")


# check_images -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "channel_axis"),
    [
        ([IMAGE], -1),
        ((IMAGE, IMAGE[:2]), -1),
        (np.stack([IMAGE]), -1),
        (np.zeros((3, 3, 5, 6)), 0),
        (np.array([IMAGE, None], dtype=object)[:1], -1),
        (Untouchable(), -1),
        (LazySequence(Untouchable().__getitem__, range(2)), -1),
    ],
)
def test_images_are_given_back(images, channel_axis):
    assert check_images(images, channel_axis) is images


@pytest.mark.parametrize(
    ("shape", "channel_axis"),
    [
        ((5, 6, 3), -1),
        ((5, 6, 1), 2),
        ((3, 5, 6), 0),
        ((5, 4, 6), 1),
        ((5, 6), -1),
        ((5, 6), 0),
        ((5, 6), None),
        ((5,), None),
        ((), -1),
    ],
)
def test_a_single_image_is_recognised(shape, channel_axis):
    with pytest.raises(ValueError, match="looks like a single image"):
        check_images(np.zeros(shape), channel_axis)


@pytest.mark.parametrize(
    ("shape", "channel_axis", "other"),
    [
        ((1, 5, 6), -1, "an image of 6 channels"),
        ((145, 145, 200), -1, "an image of 200 channels"),
        ((5, 5, 6), 0, "an image of 5 channels"),
        ((7, 5, 4), None, "a volume"),
    ],
)
def test_one_array_of_three_axes_is_ambiguous(shape, channel_axis, other):
    message = (
        rf"found one array of shape \({', '.join(map(str, shape))}\), which is read as {shape[0]} "
        rf"grey images of shape \({shape[1]}, {shape[2]}\). If it is {other}, pass \[image\]"
    )
    images = np.zeros(shape)
    with pytest.warns(UserWarning, match=message):
        assert check_images(images, channel_axis) is images
    # Whoever says what it is is not warned.
    check_images([images], channel_axis)
    check_images(list(images), channel_axis)


class ArrayLike:
    """As dask, zarr and xarray arrays are: not NumPy's, and with lengths of any type."""

    def __init__(self, shape):
        self.shape = tuple(map(np.int64, shape))
        self.dtype = np.dtype(np.float32)

    def __len__(self):
        return int(self.shape[0])

    def __getitem__(self, index):
        return np.zeros(self.shape, self.dtype)[index]


class WithoutLength:
    """As zarr arrays are."""

    shape = (512, 512, 3)
    dtype = np.dtype(np.uint8)

    def __getitem__(self, index):
        raise AssertionError("was looked into")


def test_arrays_without_length_are_told_too():
    with pytest.raises(ValueError, match=r"found one array of shape \(512, 512, 3\), which looks"):
        check_images(WithoutLength())
    several = WithoutLength()
    several.shape = (9, 512, 512, 3)
    with pytest.raises(TypeError, match="found WithoutLength, expected a sequence of images"):
        check_images(several)


def as_torch(shape):
    return pytest.importorskip("torch").zeros(shape)


@pytest.mark.parametrize("make", [ArrayLike, as_torch], ids=["like", "torch"])
def test_arrays_of_other_libraries_are_told_apart_alike(make):
    with pytest.raises(ValueError, match=r"found one array of shape \(512, 512, 3\), which looks"):
        check_images(make((512, 512, 3)))
    with pytest.warns(UserWarning, match="read as 9 grey images"):
        check_images(make((9, 12, 20)))
    check_images(make((2, 12, 20, 3)))
    np.testing.assert_array_equal(check_image(make((5, 6, 3))), np.zeros((5, 6, 3)))


def test_tensors_that_numpy_cannot_read():
    tensor = pytest.importorskip("torch").zeros(4, 5, requires_grad=True)
    with pytest.raises(TypeError, match="found a Tensor that NumPy cannot read"):
        check_image(tensor)


@pytest.mark.parametrize("channel_axis", [4, -5, 100])
def test_no_image_has_such_an_axis(channel_axis):
    with pytest.raises(ValueError, match=f"channel_axis: found {channel_axis}, expected an axis"):
        check_images([IMAGE], channel_axis)


# check_image --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "channel_axis", "expected"),
    [
        ((5, 6), -1, (5, 6, 1)),
        ((5, 6), 0, (5, 6, 1)),
        ((5, 6), None, (5, 6, 1)),
        ((4, 5, 6), None, (4, 5, 6, 1)),
        ((5, 6, 3), -1, (5, 6, 3)),
        ((3, 5, 6), 0, (5, 6, 3)),
        ((5, 3, 6), 1, (5, 6, 3)),
        ((5, 3, 6), -2, (5, 6, 3)),
        ((4, 5, 6, 3), -1, (4, 5, 6, 3)),
        ((4, 5, 6, 3), 3, (4, 5, 6, 3)),
        ((3, 4, 5, 6), 0, (4, 5, 6, 3)),
        ((3, 4, 5, 6), -4, (4, 5, 6, 3)),
    ],
)
def test_channels_move_last(shape, channel_axis, expected):
    array = np.arange(np.prod(shape)).reshape(shape)
    image = check_image(array, channel_axis)
    assert image.shape == expected
    assert np.shares_memory(image, array)
    if channel_axis is None or len(shape) == 2:
        np.testing.assert_array_equal(image[..., 0], array)
    else:
        np.testing.assert_array_equal(np.moveaxis(image, -1, channel_axis), array)


@pytest.mark.parametrize(
    ("shape", "channel_axis", "expected"),
    [
        ((5,), -1, r"\(H, W\), or \(H, W, C\) or \(D, H, W, C\) with the channels on axis -1"),
        ((2,) * 5, 0, "with the channels on axis 0"),
        ((5, 6, 3), 3, "with the channels on axis 3"),
        ((5, 6, 3), -4, "with the channels on axis -4"),
        ((2,) * 4, None, r"expected \(H, W\) or \(D, H, W\)$"),
        ((5,), None, r"expected \(H, W\) or \(D, H, W\)$"),
    ],
)
def test_number_of_axes(shape, channel_axis, expected):
    with pytest.raises(ValueError, match=expected) as error:
        check_image(np.zeros(shape), channel_axis)
    assert str(error.value).startswith(f"found shape {shape}, expected ")


def test_number_of_channels():
    assert check_image(IMAGE, n_channels=3).shape == IMAGE.shape
    with pytest.raises(ValueError, match=r"^found 3 channels, expected 1, as in the first"):
        check_image(IMAGE, n_channels=1)


def test_other_byte_orders():
    image = check_image(IMAGE.astype(">u2"))
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image, IMAGE)


# check_finite -------------------------------------------------------------------------------


def test_finite():
    check_finite(IMAGE)
    check_finite(np.full((4, 4, 1), 1e308))
    check_finite(np.array([[[3e38], [3e38], [-3e38]]], np.float32))
    image = IMAGE / 7
    image[2, 3, 1] = np.nan
    image[3, 0] = np.inf
    message = r"^found NaN or infinity in it at 2 pixels, the first at \(2, 3\); expected"
    with pytest.raises(ValueError, match=message):
        check_finite(image, what="in it ")
    mask = np.ones((5, 6), bool)
    mask[2, 3] = False
    message = r"^found .* at 1 pixels inside its mask, the first at \(3, 0\); expected"
    with pytest.raises(ValueError, match=message):
        check_finite(image, mask)
    mask[3, 0] = False
    check_finite(image, mask)


def test_finite_volumes():
    volume = np.zeros((2, 3, 4, 1))
    volume[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match=r"the first at \(1, 2, 3\)"):
        check_finite(volume)
