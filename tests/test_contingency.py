from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sksuperpixel._contingency import Contingency, densify

pairs_of_codes = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40
).map(lambda pairs: [densify(np.array(codes))[0] for codes in zip(*pairs, strict=True)])


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, 3, 1, 7], dtype=np.int64),
        np.array([255, 0, 255], dtype=np.uint8),
        # the difference of the first two does not fit into the type
        np.array([-128, 127, 5], dtype=np.int8),
        np.tile(np.array([-100, 100, 60, 5], dtype=np.int8), 100),
        np.array([-(2**31), 2**31 - 1], dtype=np.int32),
        np.array([-(2**63), 2**63 - 1, 0], dtype=np.int64),
        # beyond int64, near each other and far apart
        np.array([2**64 - 1, 2**64 - 2, 2**64 - 1], dtype=np.uint64),
        np.array([2**64 - 1, 0, 12], dtype=np.uint64),
        np.array([10**12, -5, 10**12], dtype=np.int64),
    ],
)
def test_densify_keeps_the_order_of_labels(labels):
    codes, n_labels = densify(labels)
    values = sorted(set(labels.tolist()))
    assert n_labels == len(values)
    assert codes.dtype == np.intp
    assert codes.tolist() == [values.index(label) for label in labels.tolist()]


def test_densify_of_nothing():
    codes, n_labels = densify(np.array([], dtype=np.uint8))
    assert codes.shape == (0,)
    assert n_labels == 0


@given(pairs_of_codes)
def test_table_counts_overlaps(pair):
    superpixels, segments = pair
    table = Contingency.from_codes(superpixels, segments)
    expected = Counter(zip(superpixels.tolist(), segments.tolist(), strict=True))
    entries = list(zip(table.superpixel.tolist(), table.segment.tolist(), strict=True))
    assert entries == sorted(expected)
    assert table.count.tolist() == [expected[entry] for entry in entries]
    assert table.n_pixels == len(superpixels)
    assert_array_equal(table.superpixel_sizes, np.bincount(superpixels))
    assert_array_equal(table.segment_sizes, np.bincount(segments))


def test_sparse_table_is_the_dense_one():
    # 400 x 300 cells for 400 pixels are counted by sorting, for 40000 pixels they are not.
    rng = np.random.default_rng(0)
    superpixels = np.concatenate([np.arange(400), np.zeros(40_000, dtype=int)])
    segments = np.concatenate([rng.permutation(400) % 300, np.zeros(40_000, dtype=int)])
    sparse = Contingency.from_codes(superpixels[:400], segments[:400])
    dense = Contingency.from_codes(superpixels, segments)
    # The further pixels are all of one overlap.
    first = (dense.superpixel == 0) & (dense.segment == 0)
    had_it = segments[0] == 0
    if not had_it:
        dense = Contingency(dense.superpixel[~first], dense.segment[~first], dense.count[~first])
    else:
        dense.count[first] -= 40_000
    assert_array_equal(sparse.superpixel, dense.superpixel)
    assert_array_equal(sparse.segment, dense.segment)
    assert_array_equal(sparse.count, dense.count)


def test_largest_overlap_takes_the_lower_segment_in_a_tie():
    # superpixel 0: segments 2, 1, 1, 2 (a tie); superpixel 1: segments 0, 2, 2
    table = Contingency.from_codes(
        np.array([0, 0, 0, 0, 1, 1, 1]), np.array([2, 1, 1, 2, 0, 2, 2])
    )
    assert table.segment[table.largest_overlaps].tolist() == [1, 2]
