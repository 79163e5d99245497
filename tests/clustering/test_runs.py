"""Runs hold what a label map holds."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import problems, random_labels

from sksuperpixel._clustering.runs import Runs


@settings(max_examples=80, deadline=None)
@given(problems(largest=30, channels=5), st.integers(1, 6), st.booleans())
def test_runs_equal_reference(problem, n_labels, with_edges):
    features, mask, _, rng = problem
    labels = random_labels(rng, features.shape[1:], n_labels, mask)
    runs = Runs.of(labels)
    np.testing.assert_array_equal(runs.label_map(), labels)
    # Each run is as long as possible, and within a row.
    flat, width = labels.ravel(), labels.shape[2]
    starts = [0] + [p for p in range(1, flat.size) if p % width == 0 or flat[p] != flat[p - 1]]
    assert runs.starts.tolist() == [*starts, flat.size]
    assert runs.rows.tolist() == [
        *np.searchsorted(starts, range(0, flat.size, width)),
        len(starts),
    ]
    # Sums of eighths are exact in any order.
    sums = runs.sums(features, n_labels)
    values = np.concatenate([np.ones((1, *labels.shape)), np.indices(labels.shape), features])
    for k in range(n_labels):
        np.testing.assert_array_equal(sums[k], values[:, labels == k].sum(axis=1))
    edges = (rng.integers(0, 9, labels.shape) / 8).astype(np.float32) if with_edges else None
    pairs, faces, strengths = runs.touching(n_labels, edges)
    found = {tuple(pair): n for pair, n in zip(pairs.tolist(), faces.tolist(), strict=True)}
    assert len(found) == len(pairs)
    assert found == reference.touching(labels)
    if with_edges:
        expected = reference.edge_strengths(labels, edges)
        assert {tuple(p): s for p, s in zip(pairs.tolist(), strengths, strict=True)} == expected
    small = rng.random(n_labels) < 0.5
    of_small = {tuple(sorted(pair)) for pair in runs.touching_small(small).tolist()}
    assert of_small == {pair for pair in found if small[list(pair)].any()}


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 40), (1, 40, 1), (40, 1, 1), (3, 1, 5)])
def test_runs_of_narrow_label_maps(shape):
    labels = (np.arange(np.prod(shape)) // 3).astype(np.int32).reshape(shape)
    runs = Runs.of(labels)
    np.testing.assert_array_equal(runs.label_map(), labels)
    pairs, faces, _ = runs.touching(labels.max() + 1)
    found = {tuple(pair): n for pair, n in zip(pairs.tolist(), faces.tolist(), strict=True)}
    assert found == reference.touching(labels)
