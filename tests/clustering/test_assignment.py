"""SLIC's iterations give what a slow, obvious reference gives, to the last label."""

import numpy as np
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import problems

from sksuperpixel._clustering.assignment import cluster_pixels
from sksuperpixel._clustering.grid import Grid


@settings(max_examples=60, deadline=None)
@given(
    problems(),
    st.sampled_from([1.0, 2.0, 3.7, 8.0, 16.0, 90.0]),
    st.sampled_from([0.0, 0.5, 10.0, 40.0]),
    st.integers(1, 4),
    st.booleans(),
)
def test_clusters_equal_reference(problem, size, compactness, max_iter, adaptive):
    features, mask, spacing, _ = problem
    adaptive = adaptive and compactness > 0
    grid = Grid(features.shape[1:], size, spacing)
    labels, _ = cluster_pixels(
        features,
        grid,
        compactness=compactness,
        max_iter=max_iter,
        mask=mask,
        adaptive=adaptive,
    )
    expected = reference.slic_clusters(
        features, size, spacing, compactness, max_iter, mask, adaptive
    )
    np.testing.assert_array_equal(labels, expected)
