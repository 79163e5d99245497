"""Overlap metrics on label maps small enough to count."""

import numpy as np
from metrics_reference import EXACT
from numpy.testing import assert_allclose

from sksuperpixel.metrics import (
    achievable_iou,
    achievable_segmentation_accuracy,
    undersegmentation_error,
)


def test_iou_weighs_segments_by_area():
    segmentation = np.array([[0, 0, 0, 0, 0, 1, 1, 2]])
    superpixels = np.array([[4, 4, 4, 4, 5, 5, 5, 5]])
    # Superpixel 5 takes segment 1 (2 pixels of 4). IoU: 4/5, 2/4, 0; areas 5/8, 2/8, 1/8.
    expected = 5 / 8 * 4 / 5 + 2 / 8 * 2 / 4
    assert_allclose(achievable_iou(segmentation, superpixels), expected, **EXACT)


def test_only_the_smaller_part_of_a_superpixel_leaks():
    # Superpixel 5 has one pixel in segment 0, two in 1, one in 2:
    # min(1, 3) + min(2, 2) + min(1, 3).
    segmentation = np.array([[0, 0, 0, 0, 0, 1, 1, 2]])
    superpixels = np.array([[4, 4, 4, 4, 5, 5, 5, 5]])
    assert undersegmentation_error(segmentation, superpixels) == 4 / 8


def test_a_tie_does_not_matter_to_the_accuracy():
    segmentation = np.array([[0, 0, 1, 1]])
    one_superpixel = np.zeros((1, 4), int)
    assert achievable_segmentation_accuracy(segmentation, one_superpixel) == 0.5
    # For the IoU, the superpixel goes to segment 0: 2/4 of the area at IoU 2/4.
    assert achievable_iou(segmentation, one_superpixel) == 0.25
