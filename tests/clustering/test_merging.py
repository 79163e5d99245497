"""The cheapest pairs are merged, as by a reference that looks at every pair each time."""

import numpy as np
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import problems, random_labels

from sksuperpixel._clustering import merging
from sksuperpixel._clustering.regions import Regions


@settings(max_examples=60, deadline=None)
@given(problems(largest=10, channels=3), st.integers(2, 5), st.integers(1, 20), st.booleans())
def test_merge_cheapest_equals_reference(problem, n_labels, n_wanted, with_edges):
    features, mask, _, rng = problem
    labels = random_labels(rng, features.shape[1:], n_labels, mask)
    regions = Regions.of(labels, features)
    scale = np.array([0.5, 0.25, 0.25])
    edges, offset = None, 1.0
    if with_edges:
        edges = (rng.integers(0, 9, labels.shape) / 8).astype(np.float32)
        offset = merging._EDGE_OFFSET
    expected = reference.merge_cheapest(
        features, regions.label_map(), n_wanted, scale, merging._THICK, edges, offset
    )
    merging.merge_to_number(regions, n_wanted, scale, edges)
    np.testing.assert_array_equal(regions.label_map(), expected)
    assert len(regions) == expected.max() + 1
    # What is known of the regions is still right.
    again = Regions.of(expected, features)
    np.testing.assert_array_equal(regions.sums, again.sums)
