import numpy as np
import pytest

from sksuperpixel import LazySequence
from sksuperpixel._validation import (
    check_channel_weights,
    check_finite,
    check_image,
    check_images,
    check_mask,
    check_masks,
    check_segmentations,
    check_spacing,
)

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
        (np.stack([IMAGE[..., 0]]), -1),
        (np.stack([IMAGE[..., 0]]), None),
        # Images of width 4 without channels
        (np.zeros((7, 5, 4)), None),
        (np.zeros((7, 4, 5)), -1),
        # Stacks, whose first axis is not a channel's
        (np.zeros((3, 5, 6)), -1),
        (np.zeros((5, 5, 6)), 0),
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
    image = check_image(array, 0, channel_axis)
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
        check_image(np.zeros(shape), 42, channel_axis)
    assert str(error.value).startswith(f"image 42: found shape {shape}, expected ")


def test_number_of_channels():
    assert check_image(IMAGE, 0, n_channels=3).shape == IMAGE.shape
    with pytest.raises(ValueError, match=r"^image 9: found 3 channels, expected 1, as the first"):
        check_image(IMAGE, 9, n_channels=1)


def test_other_byte_orders():
    image = check_image(IMAGE.astype(">u2"), 0)
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image, IMAGE)


# check_finite -------------------------------------------------------------------------------


def test_finite():
    check_finite(IMAGE, 0)
    check_finite(np.full((4, 4, 1), 1e308), 0)
    check_finite(np.array([[[3e38], [3e38], [-3e38]]], np.float32), 0)
    image = IMAGE / 7
    image[2, 3, 1] = np.nan
    image[3, 0] = np.inf
    message = r"^thing 5: found NaN or infinity at 2 pixels, the first at \(2, 3\); expected"
    with pytest.raises(ValueError, match=message):
        check_finite(image, 5, what="thing")
    mask = np.ones((5, 6), bool)
    mask[2, 3] = False
    message = r"^image 5: found .* at 1 pixels inside its mask, the first at \(3, 0\); expected"
    with pytest.raises(ValueError, match=message):
        check_finite(image, 5, mask)
    mask[3, 0] = False
    check_finite(image, 5, mask)


def test_finite_volumes():
    volume = np.zeros((2, 3, 4, 1))
    volume[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match=r"the first at \(1, 2, 3\)"):
        check_finite(volume, 0)


# Masks --------------------------------------------------------------------------------------


def test_mask():
    inside = np.eye(4, dtype=bool)
    assert check_mask(None, (4, 4), 0) is None
    assert check_mask(inside, (4, 4), 0) is inside
    for dtype in (np.uint8, np.int64):
        found = check_mask(inside.astype(dtype), (4, 4), 0)
        assert found.dtype == bool
        np.testing.assert_array_equal(found, inside)
    found = check_mask(inside.tolist(), (4, 4), 0)
    np.testing.assert_array_equal(found, inside)


def test_masks():
    assert check_masks(None, 3) == [None] * 3
    masks = Untouchable()
    assert check_masks(masks, 3) is masks


# check_segmentations ------------------------------------------------------------------------


def test_segmentations_are_given_back():
    for segmentations in (
        [IMAGE[..., 0], IMAGE[:, :4, 0] > 3],
        [np.stack([IMAGE[..., 0]] * 7), IMAGE[:, :4, 0].astype(np.int64)],
    ):
        images = [IMAGE, IMAGE[:, :4]]
        assert check_segmentations(segmentations, images) is segmentations
    stacked = np.zeros((2, 5, 6), int)
    assert check_segmentations(stacked, np.zeros((2, 5, 6, 3))) is stacked
    # Annotators and channels first
    check_segmentations([np.zeros((2, 5, 6), int)], [np.zeros((3, 5, 6))], channel_axis=0)
    # A volume's, with annotators and without
    volume = np.zeros((4, 5, 6))
    check_segmentations([np.zeros((4, 5, 6), int)], [volume], channel_axis=None)
    check_segmentations([np.zeros((2, 4, 5, 6), int)], [volume], channel_axis=None)
    with pytest.raises(ValueError, match=r"or \(A, 4, 5, 6\) for A annotators"):
        check_segmentations([np.zeros((5, 6), int)], [volume], channel_axis=None)


def test_lazy_pairs_are_not_all_computed():
    computed = []

    def compute(i):
        computed.append(i)
        return IMAGE

    images = LazySequence(compute, range(5))
    check_segmentations([IMAGE[..., 0]] * 5, images)
    assert computed == [0]
    segmentations = LazySequence(lambda i: compute(i)[..., 0], range(5))
    check_segmentations(segmentations, [IMAGE] * 5)
    assert computed == [0, 0]
    with pytest.raises(ValueError, match="y of image 0: found a segmentation of shape"):
        check_segmentations([np.zeros((2, 2), int)] * 5, images)


# Weights and spacing ------------------------------------------------------------------------


def test_channel_weights():
    assert check_channel_weights(None, 3) is None
    found = check_channel_weights((1, 0, 2), 3)
    assert found.dtype == np.float64
    assert found.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("spacing", "n_axes", "expected"),
    [
        (None, 2, (1, 1, 1)),
        (None, 3, (1, 1, 1)),
        ((2, 1), 2, (1, 2, 1)),
        ([2, 3], 2, (1, 1, 1.5)),
        (np.array([5.0, 1.0, 0.5]), 3, (10, 2, 1)),
        ((np.float32(0.5), 1), 2, (1, 1, 2)),
    ],
)
def test_spacing(spacing, n_axes, expected):
    found = check_spacing(spacing, n_axes)
    assert found == expected
    assert all(type(s) is float for s in found)


@pytest.mark.parametrize("spacing", [(1, 2), (1, 2, 0), (1, 2, "3"), [(1, 2, 3)] * 3])
def test_wrong_spacing(spacing):
    with pytest.raises(ValueError, match=r"spacing: found .* expected 3 positive numbers"):
        check_spacing(spacing, 3)
