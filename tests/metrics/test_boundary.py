"""Boundary metrics on label maps whose edges can be counted by hand."""

import numpy as np
import pytest
from metrics_reference import EXACT
from numpy.testing import assert_allclose

from sksuperpixel.metrics import (
    boundary_precision,
    boundary_recall,
    mean_distance_to_edge,
    superpixel_report,
)


def test_true_edges_are_one_sided_and_superpixel_edges_two_sided():
    segmentation = np.array([[0, 0, 0, 1, 1, 1]])
    # The true edge is column 2 only; superpixel edges are columns 3, 4 and 1, 2.
    assert mean_distance_to_edge(segmentation, np.array([[0, 0, 0, 0, 1, 1]])) == 1.0
    assert mean_distance_to_edge(segmentation, np.array([[0, 0, 1, 1, 1, 1]])) == 0.0


def test_recall_measures_boxes_and_distance_is_euclidean():
    segmentation = np.zeros((4, 4), dtype=int)
    segmentation[3, 3] = 1
    superpixels = np.zeros((4, 4), dtype=int)
    superpixels[0, 0] = 1
    # True edges (2, 3) and (3, 2); superpixel edges (0, 0), (0, 1), (1, 0). From (2, 3) to
    # (0, 1) it is 2 along each axis.
    assert boundary_recall(segmentation, superpixels, tolerance=2) == 1.0
    assert boundary_recall(segmentation, superpixels, tolerance=1) == 0.0
    assert_allclose(mean_distance_to_edge(segmentation, superpixels), np.sqrt(8), **EXACT)


def test_a_neighbour_left_out_makes_no_edge():
    segmentation = np.array([[0, 0, 9, 1, 1]])
    assert boundary_recall(segmentation, np.zeros((1, 5), int), ignore_label=9) == 1.0
    assert boundary_recall(segmentation, np.zeros((1, 5), int)) == 0.0


def test_no_true_edge():
    one_segment = np.zeros((3, 5), dtype=int)
    superpixels = np.arange(15).reshape(3, 5)
    assert boundary_recall(one_segment, superpixels) == 1.0
    assert boundary_precision(one_segment, superpixels) == 0.0
    assert mean_distance_to_edge(one_segment, superpixels) == 0.0


def test_no_superpixel_edge():
    segmentation = np.arange(20).reshape(4, 5)
    one_superpixel = np.zeros((4, 5), dtype=int)
    assert boundary_recall(segmentation, one_superpixel) == 0.0
    assert boundary_precision(segmentation, one_superpixel) == 1.0
    # the diagonal of 4 x 5 pixels is 3 by 4
    assert mean_distance_to_edge(segmentation, one_superpixel) == 5.0


def test_no_edge_at_all():
    single = np.zeros((1, 1), dtype=int)
    assert boundary_recall(single, single) == 1.0
    assert boundary_precision(single, single) == 1.0
    assert mean_distance_to_edge(single, single) == 0.0


@pytest.mark.parametrize("tolerance", [-1, 1.5, True, None])
def test_wrong_tolerance(tolerance):
    flat = np.zeros((4, 6), dtype=int)
    message = f"^tolerance: found {tolerance}, expected an integer of at least 0$"
    for metric in (boundary_recall, boundary_precision, superpixel_report):
        with pytest.raises(ValueError, match=message):
            metric(flat, flat, tolerance=tolerance)
