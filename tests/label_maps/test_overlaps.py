"""The table of overlaps against counting, and the numbering of labels."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sksuperpixel._label_maps.overlaps import Contingency, densify

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
    regions, segments = pair
    table = Contingency.from_codes(regions, segments)
    expected = Counter(zip(regions.tolist(), segments.tolist(), strict=True))
    entries = list(zip(table.region.tolist(), table.segment.tolist(), strict=True))
    assert entries == sorted(expected)
    assert table.count.tolist() == [expected[entry] for entry in entries]
    assert table.n_pixels == len(regions)
    assert_array_equal(table.region_sizes, np.bincount(regions))
    assert_array_equal(table.segment_sizes, np.bincount(segments))


def test_sparse_table_is_the_dense_one():
    # 400 x 300 cells for 400 pixels are counted by sorting. With 40000 more pixels, all in one
    # cell that is not counted otherwise, the table is dense.
    segments = np.random.default_rng(0).permutation(400) % 300
    segments[0] = 1
    further = np.zeros(40_000, dtype=int)
    regions = np.arange(400)
    sparse = Contingency.from_codes(regions, segments)
    dense = Contingency.from_codes(
        np.concatenate([regions, further]), np.concatenate([segments, further])
    )
    assert (dense.region[0], dense.segment[0], dense.count[0]) == (0, 0, 40_000)
    assert_array_equal(sparse.region, dense.region[1:])
    assert_array_equal(sparse.segment, dense.segment[1:])
    assert_array_equal(sparse.count, dense.count[1:])


def test_largest_overlap_takes_the_lower_segment_in_a_tie():
    # region 0: segments 2, 1, 1, 2 (a tie); region 1: segments 0, 2, 2
    table = Contingency.from_codes(
        np.array([0, 0, 0, 0, 1, 1, 1]), np.array([2, 1, 1, 2, 0, 2, 2])
    )
    assert table.segment[table.largest_overlaps].tolist() == [1, 2]
    assert table.majority.tolist() == [1, 2]


def test_regions_and_segments_without_pixels():
    # Region 1 has no pixel, region 3 only pixels without a segment; segment 2 is outside all
    # regions.
    regions = np.array([[0, 0, 0, 2, 2], [3, 3, -1, -1, 2]], dtype=np.int32)
    segments = np.array([[1, 0, 1, 0, 0], [-1, -1, 2, 2, -1]])
    table = Contingency.from_maps(regions, segments, 5)
    assert table.region_sizes.tolist() == [3, 0, 2, 0, 0]
    assert table.segment_sizes.tolist() == [3, 2, 0]
    assert table.majority.tolist() == [1, -1, 0, -1, -1]
    expected = [[1 / 3, 2 / 3, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert table.shares().tolist() == expected
    # Segment 0 is 3 pixels, of which region 2 covers 2; segment 1 is covered by region 0.
    assert table.achievable_iou() == pytest.approx((3 * 2 / 3 + 2 * 2 / 3) / 5)


@pytest.mark.parametrize("segments", [np.full(4, -1), np.array([3, -1, -1, -1])])
def test_a_table_of_nothing(segments):
    regions = np.array([-1, 0, 1, 1])
    table = Contingency.from_maps(regions, segments, 2)
    assert table.majority.tolist() == [-1, -1]
    assert table.region_sizes.tolist() == [0, 0]
    assert table.shares().shape == (2, segments.max() + 1)
    assert not table.shares().any()


@given(st.integers(0, 2**32 - 1))
def test_maps_agree_with_counting(seed):
    rng = np.random.default_rng(seed)
    n_regions, n_segments = rng.integers(1, 20, 2)
    regions = rng.integers(-1, n_regions, (7, 6))
    segments = rng.integers(-1, n_segments, (7, 6))
    counts = np.zeros((n_regions, max(segments.max() + 1, 1)), dtype=int)
    for region, segment in zip(regions.ravel(), segments.ravel(), strict=True):
        if region >= 0 and segment >= 0:
            counts[region, segment] += 1
    table = Contingency.from_maps(regions, segments, n_regions)
    has_pixels = counts.any(axis=1)
    assert_array_equal(table.majority, np.where(has_pixels, counts.argmax(axis=1), -1))
    expected = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    assert_array_equal(table.shares(), expected[:, : segments.max() + 1])


def test_shares_are_fractions_of_regions():
    regions = np.array([0, 0, 0, 1, 1, 3])
    segments = np.array([2, 2, 0, 1, 1, 0])
    table = Contingency.from_codes(regions, segments)
    asked = np.array([[0, 0, 0], [1, 2, 3], [3, 3, 0]])
    found = table.shares_at(asked, np.array([[0, 1, 2], [1, 0, 0], [1, 2, 9]]))
    np.testing.assert_allclose(found, [[1 / 3, 0, 2 / 3], [1, 0, 1], [0, 0, 0]])
    nothing = Contingency.from_codes(regions[:0], segments[:0], 4, 3)
    assert (nothing.shares_at(asked, asked) == 0).all()
