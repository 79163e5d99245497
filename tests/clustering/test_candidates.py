"""The nearest clusters are those of a slow, obvious reference."""

import numpy as np
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import problems

from sksuperpixel._clustering.assignment import Clusters
from sksuperpixel._clustering.candidates import find_candidates


@settings(max_examples=60, deadline=None)
@given(problems(largest=30), st.integers(1, 40), st.integers(1, 12))
def test_candidates_equal_reference(problem, n_clusters, n_candidates):
    features, _, spacing, rng = problem
    shape = features.shape[1:]
    seeds = rng.integers(0, shape, (n_clusters, 3)).astype(np.int32)
    offsets = (rng.integers(-8, 9, (n_clusters, 3)) / 4).astype(np.float32)
    clusters = Clusters(seeds, offsets, np.zeros((n_clusters, 1), np.float32))
    pixels = rng.integers(0, shape, (20, 3)).astype(np.int32)
    found, distances = find_candidates(pixels, clusters, n_candidates, spacing)
    for i, pixel in enumerate(pixels):
        expected, far = reference.candidates(pixel, seeds, offsets, n_candidates, spacing)
        n = len(expected)
        assert found[i, :n].tolist() == expected
        np.testing.assert_array_equal(distances[i, :n], far)
        assert (found[i, n:] == -1).all()
        assert np.isinf(distances[i, n:]).all()
