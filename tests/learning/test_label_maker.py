"""Labels for learning: worked examples by hand, and properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sksuperpixel import LabelMaker
from sksuperpixel._learning.label_maker import count_segments, dense_segments

# One row of eight pixels: three segments, four clusters of two pixels, of which cluster 1
# straddles the first border.
SEGMENTATION = np.array([0, 0, 0, 5, 5, 5, 9, 9]).reshape(1, 1, 1, 8)
LABELS = np.array([0, 0, 1, 1, 2, 2, 3, 3], np.int32).reshape(1, 1, 8)
CENTRES = np.array([[0, 0, 0.5], [0, 0, 2.5], [0, 0, 4.5], [0, 0, 6.5]])
# Majorities: cluster 0 -> 0, cluster 1 -> 0 (a tie of 0 and 5: the lower), 2 -> 5, 3 -> 9.
PIXELS = np.array([[0, 0, 1], [0, 0, 3], [0, 0, 5]], np.int32)
CANDIDATES = np.array([[0, 1, 2], [1, 2, 0], [2, 3, 1]], np.int32)
DISTANCES = np.array([[1.0, 2, 3], [1, 4, 2], [3, 1, 2]])


def make(**params):
    options = {"mining": None, **params}
    return LabelMaker(**options).make(
        SEGMENTATION, LABELS, PIXELS, CANDIDATES, DISTANCES, CENTRES, random_state=0
    )


def test_slic_alone_teaches_the_nearest():
    assert make(correct=False).tolist() == [0, 0, 1]


def test_slic_corrected_teaches_the_nearest_right_one():
    # Pixel 3 lies in 5: of clusters 1, 2, 0 only 2 does. Pixel 5 lies in 5: 2, not 3.
    assert make().tolist() == [0, 1, 0]


def test_nearest_teaches_the_first_right_slot():
    # All of pixel 1's first two candidates are right; slot 0 comes first.
    assert make(strategy="nearest").tolist() == [0, 1, 0]


def test_random_teaches_some_right_slot():
    seen = set()
    for seed in range(40):
        slots = LabelMaker("random", mining=None).make(
            SEGMENTATION, LABELS, PIXELS, CANDIDATES, DISTANCES, CENTRES, random_state=seed
        )
        assert slots[1:].tolist() == [1, 0]
        seen.add(int(slots[0]))
    assert seen == {0, 1}


def test_edges_teach_the_line_that_crosses_least():
    # Edges are at columns 2 and 5. Pixel 3 to cluster 1 at 2 (2.5 rounds to even) crosses one, to
    # cluster 2 at 4 none, to cluster 0 at 0 one. Pixel 5 stands on an edge, which all count;
    # cluster 3 at 6: one, cluster 2 at 4: one, nearer is 3; cluster 1 at 2: two.
    assert make(strategy="edges").tolist() == [0, 1, 1]


def test_mistakes_are_where_correction_changed_something():
    assert make(mining="mistakes").tolist() == [-1, 1, 0]


@pytest.mark.parametrize(
    ("min_segments", "expected"), [(1, [0, 1, 0]), (2, [0, 1, 0]), (4, [-1] * 3)]
)
def test_ambiguous_counts_segments_of_candidates(min_segments, expected):
    assert make(mining="ambiguous", min_segments=min_segments).tolist() == expected


def test_three_segments_among_candidates():
    # Only pixel 5 sees segments 5, 9 and 0.
    assert make(mining="ambiguous", min_segments=3).tolist() == [-1, -1, 0]


def test_sets_are_all_right_candidates():
    expected = [[True, True, False], [False, True, False], [True, False, False]]
    assert make(targets="set").tolist() == expected


def test_shares_of_candidates_by_hand():
    # Half of cluster 1 lies in segment 0, and half in segment 5. The least share is a thousandth.
    expected = [[1, 0.5, 1e-3], [0.5, 1, 1e-3], [1, 1e-3, 0.5]]
    np.testing.assert_allclose(make(targets="share"), expected, rtol=1e-6)


def test_shares_are_counted_for_the_annotator_of_each_pixel():
    rng = np.random.default_rng(0)
    segmentation = rng.integers(0, 3, (4, 1, 6, 6))
    segmentation[:, :, :1] = 9  # void
    labels = rng.integers(0, 5, (1, 6, 6)).astype(np.int32)
    labels[:, :, 5] = -1
    pixels = np.argwhere(labels >= 0).astype(np.int32)
    candidates = np.array([rng.permutation(5)[:3] for _ in pixels], np.int32)
    candidates[::4, 2] = -1
    distances = np.where(candidates >= 0, rng.random(candidates.shape), np.inf)
    maker = LabelMaker(mining=None, targets="share", ignore_label=9)
    found = maker.make(segmentation, labels, pixels, candidates, distances, np.zeros((5, 3)), 0)
    annotator = np.random.RandomState(0).randint(4, size=len(pixels))
    taught = 0
    for pixel, candidate, truth, shares in zip(
        pixels, candidates, segmentation[annotator], found, strict=True
    ):
        own = truth[tuple(pixel)]
        if not shares.any():
            continue
        taught += 1
        assert own != 9
        for number, share in zip(candidate, shares, strict=True):
            inside = truth[(labels == number) & (truth != 9)]
            expected = 0 if number < 0 else max((inside == own).mean(), 1e-3)
            assert share == pytest.approx(expected)
    assert taught > 10


@pytest.mark.parametrize("params", [{"strategy": "nearest"}, {"correct": False}])
def test_shares_need_segments_that_are_compared(params):
    with pytest.raises(ValueError, match="targets: found 'share', expected 'slot' or 'set'"):
        make(targets="share", **params)
    maker = LabelMaker(**params)
    assert maker.with_targets_for(one_layer=True).targets == "slot"


def test_targets_are_chosen_for_the_network():
    maker = LabelMaker()
    assert maker.with_targets_for(one_layer=True).targets == "share"
    assert maker.with_targets_for(one_layer=False).targets == "slot"
    assert maker.targets is None
    chosen = LabelMaker(targets="set")
    assert chosen.with_targets_for(one_layer=True) is chosen


def test_void_teaches_nothing_and_is_no_segment():
    slots = make(ignore_label=5)
    assert slots.tolist() == [0, -1, -1]
    # Half of cluster 1 is void, so its majority is 0; cluster 2 has no segment at all, so only 1
    # and 0 are right for pixel 1 and none is for a pixel of segment 9.
    assert make(ignore_label=5, targets="set").tolist() == [
        [True, True, False],
        [False] * 3,
        [False] * 3,
    ]
    assert dense_segments(SEGMENTATION, 5).ravel().tolist() == [0, 0, 0, -1, -1, -1, 1, 1]


def test_no_right_candidate_teaches_nothing():
    slots = LabelMaker(mining=None).make(
        SEGMENTATION, LABELS, PIXELS[1:2], np.array([[1, 0]], np.int32), np.ones((1, 2)), CENTRES
    )
    assert slots.tolist() == [-1]


def test_absent_candidates_are_never_right():
    candidates = np.array([[2, -1]], np.int32)
    distances = np.array([[2.0, np.inf]])
    for strategy in ("slic", "nearest", "random", "edges"):
        maker = LabelMaker(strategy, mining=None, targets="set")
        right = maker.make(SEGMENTATION, LABELS, PIXELS[1:2], candidates, distances, CENTRES)
        assert right.tolist() == [[True, False]]


def test_annotators_are_drawn_by_random_state():
    both = np.concatenate([SEGMENTATION, np.zeros_like(SEGMENTATION)])
    maker = LabelMaker(mining=None)
    many = np.repeat(PIXELS[1:2], 200, axis=0)
    args = (many, np.repeat(CANDIDATES[1:2], 200, 0), np.repeat(DISTANCES[1:2], 200, 0), CENTRES)

    def slots(segmentation, random_state):
        return maker.make(segmentation, LABELS, *args, random_state=random_state)

    # To the first annotator only slot 1 is right. The second sees one segment, so that slot 0,
    # which is the nearest, is right as well.
    assert set(slots(both[:1], 1)) == {1}
    assert set(slots(both[1:], 1)) == {0}
    drawn = slots(both, 1)
    assert 60 < (drawn == 0).sum() < 140
    # Which of them is drawn depends on the random state, and on the pixel, and on nothing else.
    np.testing.assert_array_equal(drawn, slots(both, 1))
    np.testing.assert_array_equal(drawn, slots(both[::-1], 1) == 0)
    assert (drawn != slots(both, 2)).any()


@pytest.mark.parametrize("strategy", ["slic", "nearest", "edges"])
def test_what_lies_outside_a_mask_changes_nothing(strategy):
    # The last pixel of LABELS is outside: an edge before it or its segment would matter.
    labels = LABELS.copy()
    labels[..., -1] = -1
    args = (PIXELS, CANDIDATES, DISTANCES, CENTRES)
    maker = LabelMaker(strategy, mining="ambiguous", min_segments=3)
    expected = maker.make(SEGMENTATION, labels, *args)
    for outside in (0, 5, 77):
        segmentation = SEGMENTATION.copy()
        segmentation[..., -1] = outside
        np.testing.assert_array_equal(maker.make(segmentation, labels, *args), expected)


def test_edges_at_the_rim_of_a_mask_do_not_count():
    # Pixel 1 lies between two clusters; the pixel beside the second one is outside the mask.
    segmentation = np.array([0, 0, 0, 7]).reshape(1, 1, 1, 4)
    labels = np.array([0, 0, 1, -1], np.int32).reshape(1, 1, 4)
    args = (np.array([[0, 0, 1]], np.int32), np.array([[0, 1]], np.int32), np.array([[2.0, 1]]))
    maker = LabelMaker("edges", mining=None, targets="set")
    centres = np.array([[0, 0, 0], [0, 0, 2]])
    assert maker.make(segmentation, labels, *args, centres).tolist() == [[True, True]]
    labels[..., 3] = 1
    assert maker.make(segmentation, labels, *args, centres).tolist() == [[True, False]]


def test_unknown_strategy_is_an_error():
    with pytest.raises(ValueError, match="'strategy' parameter of LabelMaker"):
        make(strategy="best")


@pytest.mark.parametrize("row", [[0, 0, 0], [3, -1, 3], [-2, -1, 4], [2, 1, 0], [-1, -1, -2]])
def test_count_segments(row):
    assert count_segments(np.array([row]))[0] == len({s for s in row if s >= 0})


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_dense_segments_number_each_annotator_on_its_own(dtype):
    segmentation = np.array([[[[0, 1, 1]]], [[[1, 1, 1]]]]).astype(dtype)
    dense = dense_segments(segmentation)
    assert dense.tolist() == [[[[0, 1, 1]]], [[[0, 0, 0]]]]
    assert dense.dtype == np.int64
    # A label that nobody uses, or that the type does not hold, changes nothing.
    np.testing.assert_array_equal(dense_segments(segmentation, -7), dense)
    assert dense_segments(segmentation, 1).tolist() == [[[[0, -1, -1]]], [[[-1, -1, -1]]]]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_taught_is_right(seed):
    rng = np.random.default_rng(seed)
    segmentation = rng.integers(0, 3, (2, 1, 6, 6))
    labels = rng.integers(0, 5, (1, 6, 6)).astype(np.int32)
    centres = rng.uniform(0, 5, (5, 3)) * [0, 1, 1]
    pixels = np.argwhere(labels >= 0).astype(np.int32)
    candidates = np.array([rng.permutation(5)[:4] for _ in pixels], np.int32)
    distances = rng.random((len(pixels), 4))
    for strategy in ("slic", "nearest", "random"):
        options = {"strategy": strategy, "mining": None}
        args = (segmentation, labels, pixels, candidates, distances, centres)
        slots = LabelMaker(**options).make(*args, random_state=seed)
        sets = LabelMaker(**options, targets="set").make(*args, random_state=seed)
        taught = slots >= 0
        assert (taught == sets.any(axis=1)).all()
        assert sets[np.flatnonzero(taught), slots[taught]].all()
