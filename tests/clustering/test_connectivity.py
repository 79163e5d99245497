"""Regions are those of slow, obvious references, to the last label."""

import numpy as np
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import problems, random_labels

from sksuperpixel._clustering.connectivity import merge_small_regions, without_gaps
from sksuperpixel._clustering.regions import Regions


@settings(max_examples=100, deadline=None)
@given(problems(largest=40), st.integers(1, 6))
def test_connected_components_equal_reference(problem, n_labels):
    features, mask, _, rng = problem
    labels = random_labels(rng, features.shape[1:], n_labels, mask)
    regions = Regions.of(labels, features)
    expected = reference.components(labels)
    np.testing.assert_array_equal(regions.label_map(), expected)
    assert len(regions) == expected.max(initial=-1) + 1


@settings(max_examples=60, deadline=None)
@given(problems(largest=14, channels=4), st.integers(2, 5), st.integers(1, 30))
def test_merge_small_equals_reference(problem, n_labels, min_count):
    features, mask, _, rng = problem
    labels = random_labels(rng, features.shape[1:], n_labels, mask)
    regions = Regions.of(labels, features)
    expected = reference.merge_small(features, regions.label_map(), min_count)
    merge_small_regions(regions, min_count)
    np.testing.assert_array_equal(regions.label_map(), expected)
    assert len(regions) == expected.max() + 1


def test_labels_without_gaps():
    labels = np.array([[[5, 5, -3], [2, 9, -1]]], np.int32)
    expected = [[[1, 1, -1], [0, 2, -1]]]
    np.testing.assert_array_equal(without_gaps(labels), expected)
