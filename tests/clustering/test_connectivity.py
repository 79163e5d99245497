"""Regions are those of slow, obvious references, to the last label."""

import numpy as np
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import problems, random_labels

from sksuperpixel._clustering.connectivity import connected_regions, merge_small_regions


@settings(max_examples=100, deadline=None)
@given(problems(largest=40), st.integers(1, 6))
def test_connected_components_equal_reference(problem, n_labels):
    features, mask, _, rng = problem
    labels = random_labels(rng, features.shape[1:], n_labels, mask)
    regions, n_regions = connected_regions(labels)
    expected = reference.components(labels)
    np.testing.assert_array_equal(regions, expected)
    assert n_regions == expected.max(initial=-1) + 1


@settings(max_examples=60, deadline=None)
@given(problems(largest=14, channels=4), st.integers(2, 5), st.integers(1, 30))
def test_merge_small_equals_reference(problem, n_labels, min_count):
    features, mask, _, rng = problem
    labels = random_labels(rng, features.shape[1:], n_labels, mask)
    regions, n_regions = connected_regions(labels)
    expected = reference.merge_small(features, regions, min_count)
    n_left = merge_small_regions(features, regions, n_regions, min_count)
    np.testing.assert_array_equal(regions, expected)
    assert n_left == expected.max() + 1
