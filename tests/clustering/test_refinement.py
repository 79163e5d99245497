"""Border pixels move as in a slow, obvious reference."""

from unittest import mock

import numpy as np
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import problems

from sksuperpixel._clustering import refinement
from sksuperpixel._clustering.grid import Grid
from sksuperpixel._clustering.regions import Regions


@settings(max_examples=60, deadline=None)
@given(
    problems(largest=14, channels=4),
    st.integers(2, 5),
    st.sampled_from([0.0, 0.5, 3.0, 40.0]),
    st.integers(1, 3),
    st.sampled_from([(2, 1), (4, 2), (32, 4)]),
)
def test_refining_equals_reference(problem, n_labels, compactness, n_iter, blocks):
    features, mask, spacing, rng = problem
    labels = rng.integers(0, n_labels, features.shape[1:]).astype(np.int32)
    # Regions of more than some pixels.
    labels = labels.repeat(3, axis=1).repeat(3, axis=2)[:, : labels.shape[1], : labels.shape[2]]
    if mask is not None:
        labels[~mask] = -1
    regions = Regions.of(np.ascontiguousarray(labels), features)
    grid = Grid(features.shape[1:], 4.0, spacing)
    scale = grid.scale(refinement._COMPACTNESS * compactness).astype(np.float64)
    faces = refinement._BORDER_COST * compactness**2 * min(spacing) / np.array(spacing)
    n_regions, before = len(regions), regions.runs.label_map()
    expected = reference.refined(features, before, scale, faces, n_iter, *blocks)
    names = "_ROWS_OF_BLOCK", "_PLANES_OF_BLOCK"
    with mock.patch.multiple(refinement, **dict(zip(names, blocks, strict=True))):
        refinement.refine_borders(features, regions, grid, compactness, n_iter)
    found = regions.runs.label_map()
    np.testing.assert_array_equal(found, expected)
    # What is known of the regions is still right.
    np.testing.assert_array_equal(regions.sums, regions.runs.sums(features, n_regions))
    # Connected as before, and none is lost.
    assert len(Regions.of(found, features)) == n_regions
