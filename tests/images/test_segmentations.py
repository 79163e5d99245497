"""Segmentations fit their images."""

import numpy as np
import pytest

from sksuperpixel._images.segmentations import check_segmentation, check_segmentation_to_learn


def test_annotators_come_first():
    one = np.arange(30).reshape(5, 6)
    found = check_segmentation(one, (5, 6))
    assert found.shape == (1, 5, 6)
    assert np.shares_memory(found, one)
    assert check_segmentation(np.stack([one] * 7), (5, 6)).shape == (7, 5, 6)
    assert check_segmentation(np.zeros((4, 5, 6), bool), (4, 5, 6)).shape == (1, 4, 5, 6)
    assert check_segmentation(np.zeros((2, 4, 5, 6), int), (4, 5, 6)).shape == (2, 4, 5, 6)


@pytest.mark.parametrize("shape", [(6, 5), (5, 6, 2), (0, 5, 6), (1, 1, 5, 6), (5,), ()])
def test_other_shapes(shape):
    message = r"^found a segmentation of shape .* expected \(5, 6\) like the image, or \(A, 5, 6\)"
    with pytest.raises(ValueError, match=message):
        check_segmentation(np.zeros(shape, int), (5, 6))


def test_no_integers():
    with pytest.raises(TypeError, match=r"^found a segmentation of dtype float64, expected int"):
        check_segmentation(np.zeros((5, 6)), (5, 6))


def test_masked_segmentations_cannot_be_learned_from():
    masked = np.ma.masked_equal(np.arange(30).reshape(5, 6), 3)
    for segmentation in (masked, [masked, masked.data]):
        with pytest.raises(ValueError, match=r"^found a masked segmentation, expected one with"):
            check_segmentation_to_learn(segmentation, (5, 6))
        # Metrics leave masked pixels out.
        check_segmentation(segmentation, (5, 6))
    nothing = np.ma.masked_equal(np.zeros((5, 6), int), 3)
    assert check_segmentation_to_learn(nothing, (5, 6)).shape == (1, 5, 6)
