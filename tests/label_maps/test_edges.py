"""Edges, boxes and distances against slow definitions and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from metrics_reference import as_dict, chebyshev, edges_of, euclidean
from numpy.testing import assert_allclose, assert_array_equal

from sksuperpixel._label_maps.edges import (
    differing_pairs,
    distance_to,
    edge_map,
    one_sided_edges,
    two_sided_edges,
    widen,
)

LABELS = np.array([[1, 1, 2], [1, 3, 2]])


def test_pairs_of_each_axis():
    (first, second, down), (_, _, right) = differing_pairs(LABELS)
    assert down.tolist() == [[False, True, False]]
    assert right.tolist() == [[False, True], [True, True]]
    assert_array_equal(LABELS[first] != LABELS[second], down)


def test_sides_of_an_edge():
    row = np.array([[0, 0, 5, 5, 5]])
    assert one_sided_edges(row).tolist() == [[False, True, False, False, False]]
    assert two_sided_edges(row).tolist() == [[False, True, True, False, False]]


def test_a_pair_needs_both_pixels():
    row = np.array([[0, 1, 2, 3]])
    valid = np.array([[True, True, False, True]])
    assert one_sided_edges(row, valid).tolist() == [[True, False, False, False]]
    assert two_sided_edges(row, valid).tolist() == [[True, True, False, False]]


@st.composite
def maps(draw):
    shape = draw(array_shapes(min_dims=2, max_dims=3, max_side=5))
    labels = draw(arrays(np.intp, shape, elements=st.integers(0, 3), fill=st.nothing()))
    return labels, draw(arrays(bool, shape, fill=st.nothing()))


def pixels_of(mask):
    return {tuple(p) for p in np.argwhere(mask).tolist()}


@settings(deadline=None)
@given(maps())
def test_edges_agree_with_brute_force(case):
    labels, valid = case
    of_valid = as_dict(labels, valid)
    assert pixels_of(one_sided_edges(labels, valid)) == set(edges_of(of_valid, [1]))
    assert pixels_of(two_sided_edges(labels, valid)) == set(edges_of(of_valid, [1, -1]))
    everywhere = np.ones(labels.shape, dtype=bool)
    assert_array_equal(one_sided_edges(labels), one_sided_edges(labels, everywhere))
    assert_array_equal(two_sided_edges(labels), two_sided_edges(labels, everywhere))


@settings(deadline=None)
@given(maps(), st.integers(0, 6))
def test_boxes_and_distances_agree_with_brute_force(case, radius):
    mask = case[1]
    inside = pixels_of(mask)
    near, distance = widen(mask, radius), distance_to(mask)
    farthest = sum((n - 1) ** 2 for n in mask.shape) ** 0.5
    for pixel in np.ndindex(mask.shape):
        assert near[pixel] == any(chebyshev(pixel, other) <= radius for other in inside)
        expected = min((euclidean(pixel, other) for other in inside), default=farthest)
        assert_allclose(distance[pixel], expected, rtol=1e-12)


def test_widening_leaves_the_mask_alone():
    mask = np.zeros((3, 3), dtype=bool)
    mask[1, 1] = True
    assert widen(mask, 1).all()
    assert mask.sum() == 1


def test_edge_map_averages_annotators_and_leaves_void_out():
    segmentations = np.array([[[1, 1, 2], [1, 1, 2]], [[1, 1, 1], [3, 3, 3]]])
    assert_allclose(edge_map(segmentations), [[0.5, 1.0, 0.5], [0, 0.5, 0]])
    assert_allclose(edge_map(segmentations, 3), [[0, 0.5, 0], [0, 0.5, 0]])
    assert edge_map(segmentations).dtype == np.float32


@pytest.mark.parametrize("n_axes", [2, 3])
def test_edge_map_of_one_annotator_is_their_edges(n_axes):
    labels = np.random.default_rng(0).integers(3, size=(2, 4, 5)[-n_axes:])
    assert_array_equal(edge_map(labels[np.newaxis]), one_sided_edges(labels))
