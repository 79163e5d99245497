"""Masks, and what takes the place of pixels outside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksuperpixel._images.masks import check_mask, check_masks, fill_outside, replace_outside


def test_mask():
    inside = np.eye(4, dtype=bool)
    assert check_mask(None, (4, 4)) is None
    assert check_mask(inside, (4, 4)) is inside
    np.testing.assert_array_equal(check_mask(255 * inside.astype(np.uint8), (4, 4)), inside)
    for dtype in (np.uint8, np.int64):
        found = check_mask(inside.astype(dtype), (4, 4))
        assert found.dtype == bool
        np.testing.assert_array_equal(found, inside)
    found = check_mask(inside.tolist(), (4, 4))
    np.testing.assert_array_equal(found, inside)


class Untouchable:
    """A sequence that must not be looked into."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        raise AssertionError("was looked into")


def test_masks():
    assert check_masks(None, 3) == [None] * 3
    masks = Untouchable()
    assert check_masks(masks, 3) is masks


@given(st.integers(0, 2**32 - 1), st.sampled_from([(7, 9), (3, 5, 6)]))
def test_outside_is_something_inside(seed, shape):
    rng = np.random.default_rng(seed)
    image = rng.permutation(2 * np.prod(shape)).reshape(*shape, 2)
    mask = rng.random(shape) < rng.choice([0.1, 0.5, 0.9])
    mask[tuple(rng.integers(0, shape))] = True
    filled = fill_outside(image, mask)
    np.testing.assert_array_equal(filled[mask], image[mask])
    inside = {tuple(pixel) for pixel in image[mask].tolist()}
    assert {tuple(pixel) for pixel in filled[~mask].tolist()} <= inside
    # Beside the border it is a pixel there.
    for pixel in np.argwhere(~mask):
        steps = np.concatenate((np.eye(len(shape), dtype=int), -np.eye(len(shape), dtype=int)))
        beside = [tuple(each) for each in pixel + steps if (each >= 0).all()]
        beside = [each for each in beside if all(e < n for e, n in zip(each, shape, strict=True))]
        beside = [each for each in beside if mask[each]]
        if beside:
            assert filled[tuple(pixel)].tolist() in [image[each].tolist() for each in beside]


def test_the_image_is_mirrored_at_a_straight_border():
    image = np.arange(40).reshape(4, 10, 1)
    mask = np.zeros((4, 10), bool)
    mask[:, 4:8] = True
    filled = fill_outside(image, mask)[0, :, 0]
    assert filled.tolist() == [7, 6, 5, 4, 4, 5, 6, 7, 7, 6]
    # Where a mirrored pixel would be outside, too, it is the nearest one.
    mask[:, 6:] = False
    assert fill_outside(image, mask)[0, :, 0].tolist() == [4, 4, 5, 4, 4, 5, 5, 4, 5, 5]


@pytest.mark.parametrize("mask", [None, np.ones((3, 4), bool)])
def test_nothing_is_copied_where_nothing_is_outside(mask):
    image = np.zeros((3, 4, 1))
    assert fill_outside(image, mask) is image
    assert replace_outside(image, mask) is image


def test_outside_is_replaced_by_something_inside():
    image = np.arange(24, dtype=np.uint8).reshape(3, 4, 2)
    mask = image[..., 0] > 12
    found = replace_outside(image, mask)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[mask], image[mask])
    np.testing.assert_array_equal(found[~mask], np.broadcast_to([14, 15], (7, 2)))
