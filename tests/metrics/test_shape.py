"""Compactness, regularity of volumes, and the number of superpixels."""

import numpy as np
import pytest
from metrics_reference import EXACT, SEGMENTATION, SUPERPIXELS
from numpy.testing import assert_allclose, assert_array_equal

from sksuperpixel.metrics import (
    boundary_precision,
    compactness,
    global_regularity,
    n_superpixels,
)


def test_a_cube_has_compactness_pi_by_6():
    assert_allclose(compactness(np.zeros((2, 2, 2), int)), np.pi / 6, **EXACT)
    # Two blocks of 1 x 2 x 2: 36 pi 4^2 / 16^3
    halves = np.array([[[0, 0], [0, 0]], [[1, 1], [1, 1]]])
    assert_allclose(compactness(halves), 36 * np.pi * 16 / 16**3, **EXACT)


def test_void_may_differ_between_annotators():
    y_true = np.stack([SEGMENTATION, np.full((2, 4), 1)])
    y_true[1, :, :2] = 2
    # The second annotator says 2 2 1 1. Without 2, only superpixel 1 is left.
    assert n_superpixels(SUPERPIXELS, y_true=y_true, ignore_label=2) == 2
    assert_array_equal(
        boundary_precision(y_true, SUPERPIXELS, tolerance=0, ignore_label=2, average=None),
        [0.5, 1.0],
    )
    # Void to both: superpixel 0 is gone.
    y_true[0, :, :2] = 2
    assert n_superpixels(SUPERPIXELS, y_true=y_true, ignore_label=2) == 1


def test_global_regularity_of_a_volume():
    volume = np.zeros((2, 3, 4), int)
    message = r"^image 1: found superpixels of shape \(2, 3, 4\), expected \(H, W\), because"
    with pytest.raises(ValueError, match=message):
        global_regularity([np.zeros((4, 6), int), volume])


def test_ground_truth_is_given_by_name():
    for metric in (compactness, global_regularity, n_superpixels):
        with pytest.raises(TypeError, match="positional argument"):
            metric(SEGMENTATION, SUPERPIXELS)
