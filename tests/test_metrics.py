import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV, cross_validate

from sksuperpixel import LazySequence, metrics
from sksuperpixel.metrics import (
    SCORERS,
    achievable_iou,
    achievable_segmentation_accuracy,
    boundary_precision,
    boundary_recall,
    compactness,
    explained_variation,
    get_scorers,
    global_regularity,
    mean_distance_to_edge,
    n_superpixels,
    superpixel_report,
    undersegmentation_error,
)

# The metrics that take `average=`, with the settings the tests give them.
GROUND_TRUTH = {
    boundary_recall: {"tolerance": 1},
    boundary_precision: {"tolerance": 1},
    mean_distance_to_edge: {},
    undersegmentation_error: {},
    achievable_segmentation_accuracy: {},
    achievable_iou: {},
}
SHAPE = {compactness: {}, global_regularity: {}}
EXACT = {"rtol": 1e-12, "atol": 1e-12}

# Slow and obvious references ---------------------------------------------------------------
# All take dicts pixel -> label of the pixels that count, of one annotator.


def neighbours(pixel, reach=(1,)):
    """Direct neighbours of a pixel in the directions `reach`."""
    for axis, sign in itertools.product(range(len(pixel)), reach):
        yield tuple(p + sign * (a == axis) for a, p in enumerate(pixel))


def edges_of(labels, reach):
    return [
        p
        for p in labels
        if any(labels.get(q, labels[p]) != labels[p] for q in neighbours(p, reach))
    ]


def regions_of(labels):
    regions = {}
    for pixel, label in labels.items():
        regions.setdefault(label, set()).add(pixel)
    return regions


def chebyshev(p, q):
    return max(abs(a - b) for a, b in zip(p, q, strict=True))


def euclidean(p, q):
    return sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) ** 0.5


def slow_boundary_recall(true, pred, tolerance):
    true_edges, edges = edges_of(true, [1]), edges_of(pred, [1, -1])
    hits = [any(chebyshev(p, q) <= tolerance for q in edges) for p in true_edges]
    return sum(hits) / len(hits) if hits else 1.0


def slow_boundary_precision(true, pred, tolerance):
    true_edges, edges = edges_of(true, [1]), edges_of(pred, [1, -1])
    hits = [any(chebyshev(p, q) <= tolerance for q in true_edges) for p in edges]
    return sum(hits) / len(hits) if hits else 1.0


def slow_mean_distance_to_edge(true, pred, shape):
    true_edges, edges = edges_of(true, [1]), edges_of(pred, [1, -1])
    farthest = sum((n - 1) ** 2 for n in shape) ** 0.5
    distances = [min((euclidean(p, q) for q in edges), default=farthest) for p in true_edges]
    return sum(distances) / len(distances) if distances else 0.0


def slow_undersegmentation_error(true, pred):
    error = 0
    for segment in regions_of(true).values():
        for superpixel in regions_of(pred).values():
            if superpixel & segment:
                error += min(len(superpixel & segment), len(superpixel - segment))
    return error / len(true)


def slow_assignment(true, pred):
    """Each pixel's segment when each superpixel takes its majority segment."""
    best = {}
    for superpixel in regions_of(pred).values():
        segments = [true[p] for p in superpixel]
        majority = min(set(segments), key=lambda label: (-segments.count(label), label))
        best.update(dict.fromkeys(superpixel, majority))
    return best


def slow_achievable_segmentation_accuracy(true, pred):
    best = slow_assignment(true, pred)
    return sum(best[p] == true[p] for p in true) / len(true)


def slow_achievable_iou(true, pred):
    taken = regions_of(slow_assignment(true, pred))
    score = 0
    for label, segment in regions_of(true).items():
        covered = taken.get(label, set())
        score += len(segment) / len(true) * len(segment & covered) / len(segment | covered)
    return score


def slow_compactness(pred):
    score = 0
    for region in regions_of(pred).values():
        boundary = sum(q not in region for p in region for q in neighbours(p, [1, -1]))
        if len(next(iter(region))) == 2:
            quotient = 4 * np.pi * len(region) / boundary**2
        else:
            quotient = 36 * np.pi * len(region) ** 2 / boundary**3
        score += len(region) / len(pred) * quotient
    return score


def slow_global_regularity(pred):
    regions = regions_of(pred).values()
    src = sum(len(r) / len(pred) * slow_shape_regularity(r) for r in regions)

    moved = []
    for region in regions:
        # whole numbers: a mean of floats can miss a half
        centre = [
            (2 * sum(axis) + len(region)) // (2 * len(region))
            for axis in zip(*region, strict=True)
        ]
        moved.append({(p[0] - centre[0], p[1] - centre[1]) for p in region})
    places = set().union(*moved)
    average = {q: sum(q in shape for shape in moved) / len(pred) for q in places}
    smf = 1 - sum(
        len(s) / len(pred) * sum(abs(average[q] - (q in s) / len(s)) for q in places) / 2
        for s in moved
    )
    return src * smf


def slow_shape_regularity(region):
    # A pixel is in the convex hull unless some half-plane parts it from the region, and the
    # hull's sides have directions of at most its extent.
    rows, cols = np.array(sorted(region)).T
    extent = max(np.ptp(rows), np.ptp(cols), 1)
    normals = list(itertools.product(range(-extent, extent + 1), repeat=2))
    reach = {n: max(n[0] * r + n[1] * c for r, c in region) for n in normals}
    box = itertools.product(range(rows.min(), rows.max() + 1), range(cols.min(), cols.max() + 1))
    hull = [(r, c) for r, c in box if all(n[0] * r + n[1] * c <= reach[n] for n in normals)]

    perimeter = hull_perimeter = 0
    for dy, dx in [(0, 1), (1, 0), (1, 1), (1, -1)]:
        weight = 1 / (dy**2 + dx**2) ** 0.5
        for sign in (1, -1):
            outside = [(r + sign * dy, c + sign * dx) not in region for r, c in region]
            perimeter += weight * sum(outside)
        across = rows * dx - cols * dy
        hull_perimeter += weight * 2 * (np.ptp(across) + 1)
    convexity = len(region) / len(hull) * min(1, hull_perimeter / perimeter)

    spread = sorted(np.sqrt(np.var(axis) + 1 / 12) for axis in (rows, cols))
    return convexity * np.sqrt(spread[0] / spread[1])


def slow_explained_variation(image, pred):
    values = {p: np.atleast_1d(image[p]).astype(float) for p in pred}
    mean = sum(values.values()) / len(pred)
    total = sum(np.sum((v - mean) ** 2) for v in values.values())
    between = 0
    for region in regions_of(pred).values():
        own = sum(values[p] for p in region) / len(region)
        between += len(region) * np.sum((own - mean) ** 2)
    return between / total


def as_dict(label_map, valid):
    return {tuple(p): int(label_map[tuple(p)]) for p in np.argwhere(valid).tolist()}


SLOW = {
    boundary_recall: lambda true, pred, shape: slow_boundary_recall(true, pred, 1),
    boundary_precision: lambda true, pred, shape: slow_boundary_precision(true, pred, 1),
    mean_distance_to_edge: slow_mean_distance_to_edge,
    undersegmentation_error: lambda true, pred, shape: slow_undersegmentation_error(true, pred),
    achievable_segmentation_accuracy: (
        lambda true, pred, shape: slow_achievable_segmentation_accuracy(true, pred)
    ),
    achievable_iou: lambda true, pred, shape: slow_achievable_iou(true, pred),
    compactness: lambda true, pred, shape: slow_compactness(pred),
    global_regularity: lambda true, pred, shape: slow_global_regularity(pred),
}


@st.composite
def cases(draw, min_dims=2, max_dims=3):
    """Segmentations of one image, its superpixels, and a label to ignore."""
    shape = draw(array_shapes(min_dims=min_dims, max_dims=max_dims, max_side=5))
    n_annotators = draw(st.integers(1, 3))
    # Labels are few, so that regions have some size, but far apart and not in order.
    names = draw(st.permutations([-7, 0, 3, 90_000]))
    y_true = np.array(names)[
        draw(
            arrays(np.intp, (n_annotators, *shape), elements=st.integers(0, 3), fill=st.nothing())
        )
    ]
    names = draw(st.permutations([0, 1, 12, 70_000, 5]))
    y_pred = np.array([*names, -1])[
        draw(arrays(np.intp, shape, elements=st.integers(0, 5), fill=st.nothing()))
    ]
    ignore_label = draw(st.sampled_from([None, -7, 3]))
    valid = (y_true != ignore_label if ignore_label is not None else True) & (y_pred >= 0)
    assume(np.broadcast_to(valid, y_true.shape).reshape(n_annotators, -1).any(axis=1).all())
    return y_true, y_pred, ignore_label


def valid_pixels(y_true, y_pred, ignore_label):
    for segmentation in y_true:
        valid = y_pred >= 0
        yield (
            segmentation,
            valid if ignore_label is None else valid & (segmentation != ignore_label),
        )


@settings(max_examples=200, deadline=None)
@given(cases())
def test_metrics_agree_with_brute_force(case):
    y_true, y_pred, ignore_label = case
    annotators = [
        (as_dict(segmentation, valid), as_dict(y_pred, valid))
        for segmentation, valid in valid_pixels(*case)
    ]
    for metric, options in {**GROUND_TRUTH, **SHAPE}.items():
        if metric is global_regularity and y_pred.ndim == 3:
            continue
        expected = [SLOW[metric](true, pred, y_pred.shape) for true, pred in annotators]
        options = {"ignore_label": ignore_label, **options}
        scores = metric(y_true, y_pred, average=None, **options)
        assert_allclose(scores, expected, err_msg=metric.__name__, **EXACT)
        assert_allclose(metric(y_true, y_pred, **options), np.mean(expected), **EXACT)
    labels = set().union(*(set(pred.values()) for _, pred in annotators))
    assert n_superpixels(y_true, y_pred, ignore_label=ignore_label) == len(labels)


@settings(max_examples=200, deadline=None)
@given(
    arrays(
        np.intp,
        array_shapes(min_dims=2, max_dims=2, max_side=8),
        elements=st.integers(0, 2),
        fill=st.nothing(),
    )
)
def test_global_regularity_agrees_with_brute_force(y_pred):
    expected = slow_global_regularity(as_dict(y_pred, y_pred >= 0))
    assert_allclose(global_regularity(None, y_pred), expected, **EXACT)


@settings(deadline=None)
@given(st.data(), cases(), st.sampled_from([(), (1,), (3,)]))
def test_explained_variation_agrees_with_brute_force(data, case, channels):
    _, y_pred, _ = case
    values = st.floats(-8, 8, width=16)
    image = data.draw(
        arrays(np.float32, y_pred.shape + channels, elements=values, fill=st.nothing())
    )
    valid = y_pred >= 0
    assume(np.ptp(image[valid].reshape(valid.sum(), -1), axis=0).max() > 0.1)
    expected = slow_explained_variation(image, as_dict(y_pred, valid))
    assert_allclose(explained_variation(image, y_pred), expected, **EXACT)


@settings(max_examples=50, deadline=None)
@given(cases(max_dims=2))
def test_renaming_labels_changes_nothing(case):
    y_true, y_pred, ignore_label = case
    # Order is kept in the segments: ties go to the lower one.
    renamed_true = (
        np.where(y_true == ignore_label, ignore_label, 2 * y_true + 10**6)
        if (ignore_label is not None)
        else 2 * y_true + 10**6
    )
    renamed_pred = np.where(y_pred < 0, -5, 80_000 - y_pred).astype(np.int32)
    for metric, options in {**GROUND_TRUTH, **SHAPE}.items():
        options = {"ignore_label": ignore_label, **options}
        expected = metric(y_true, y_pred, **options)
        assert_allclose(metric(renamed_true, renamed_pred, **options), expected, **EXACT)


# Worked examples ---------------------------------------------------------------------------

SEGMENTATION = np.array([[0, 0, 0, 1], [0, 0, 0, 1]])
SUPERPIXELS = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])


def test_two_squares_on_two_segments():
    # True edges: column 2. Superpixel edges: columns 1 and 2.
    assert boundary_recall(SEGMENTATION, SUPERPIXELS, tolerance=0) == 1.0
    assert boundary_precision(SEGMENTATION, SUPERPIXELS, tolerance=0) == 0.5
    assert boundary_precision(SEGMENTATION, SUPERPIXELS, tolerance=1) == 1.0
    assert mean_distance_to_edge(SEGMENTATION, SUPERPIXELS) == 0.0
    # Superpixel 1 has two pixels in either segment: min(2, 2) + min(2, 2) = 4 of 8.
    assert undersegmentation_error(SEGMENTATION, SUPERPIXELS) == 0.5
    # 4 + 2 of 8 pixels are right.
    assert achievable_segmentation_accuracy(SEGMENTATION, SUPERPIXELS) == 0.75
    # The tie goes to segment 0, which covers all: 6/8 of the area at IoU 6/8, the rest at 0.
    assert achievable_iou(SEGMENTATION, SUPERPIXELS) == 0.5625
    # Each has 4 pi 4 / 8^2.
    assert_allclose(compactness(SEGMENTATION, SUPERPIXELS), np.pi / 4, **EXACT)
    assert global_regularity(SEGMENTATION, SUPERPIXELS) == 1.0
    assert n_superpixels(SEGMENTATION, SUPERPIXELS) == 2


def test_void_pixels_are_left_out():
    # Without column 3 there is one segment and no true edge; superpixel 1 is a column of two.
    void = {"ignore_label": 1}
    assert boundary_recall(SEGMENTATION, SUPERPIXELS, **void) == 1.0
    assert boundary_precision(SEGMENTATION, SUPERPIXELS, **void) == 0.0
    assert undersegmentation_error(SEGMENTATION, SUPERPIXELS, **void) == 0.0
    assert achievable_iou(SEGMENTATION, SUPERPIXELS, **void) == 1.0
    # 4/6 of pi/4 and 2/6 of 4 pi 2 / 6^2
    expected = 4 / 6 * np.pi / 4 + 2 / 6 * 8 * np.pi / 36
    assert_allclose(compactness(SEGMENTATION, SUPERPIXELS, **void), expected, **EXACT)
    # A negative superpixel label leaves the pixels out the same way.
    outside = np.where(SEGMENTATION == 1, -3, SUPERPIXELS)
    assert_allclose(compactness(SEGMENTATION, outside), expected, **EXACT)
    assert_allclose(compactness(None, outside), expected, **EXACT)


def test_void_may_differ_between_annotators():
    y_true = np.stack([SEGMENTATION, np.full((2, 4), 1)])
    y_true[1, :, :2] = 2
    # The second annotator says 2 2 1 1. Without 2, only superpixel 1 is left.
    assert n_superpixels(y_true, SUPERPIXELS, ignore_label=2) == 2
    assert_array_equal(
        boundary_precision(y_true, SUPERPIXELS, tolerance=0, ignore_label=2, average=None),
        [0.5, 1.0],
    )
    # Void to both: superpixel 0 is gone.
    y_true[0, :, :2] = 2
    assert n_superpixels(y_true, SUPERPIXELS, ignore_label=2) == 1


def test_true_edges_are_one_sided_and_superpixel_edges_two_sided():
    segmentation = np.array([[0, 0, 0, 1, 1, 1]])
    # The true edge is column 2 only; superpixel edges are columns 3, 4 and 1, 2.
    assert mean_distance_to_edge(segmentation, np.array([[0, 0, 0, 0, 1, 1]])) == 1.0
    assert mean_distance_to_edge(segmentation, np.array([[0, 0, 1, 1, 1, 1]])) == 0.0


def test_recall_measures_boxes_and_distance_is_euclidean():
    segmentation = np.zeros((4, 4), dtype=int)
    segmentation[3, 3] = 1
    superpixels = np.zeros((4, 4), dtype=int)
    superpixels[0, 0] = 1
    # True edges (2, 3) and (3, 2); superpixel edges (0, 0), (0, 1), (1, 0). From (2, 3) to
    # (0, 1) it is 2 along each axis.
    assert boundary_recall(segmentation, superpixels, tolerance=2) == 1.0
    assert boundary_recall(segmentation, superpixels, tolerance=1) == 0.0
    assert_allclose(mean_distance_to_edge(segmentation, superpixels), np.sqrt(8), **EXACT)


def test_a_neighbour_left_out_makes_no_edge():
    segmentation = np.array([[0, 0, 9, 1, 1]])
    assert boundary_recall(segmentation, np.zeros((1, 5), int), ignore_label=9) == 1.0
    assert boundary_recall(segmentation, np.zeros((1, 5), int)) == 0.0


def test_iou_weighs_segments_by_area():
    segmentation = np.array([[0, 0, 0, 0, 0, 1, 1, 2]])
    superpixels = np.array([[4, 4, 4, 4, 5, 5, 5, 5]])
    # Superpixel 5 takes segment 1 (2 pixels of 4). IoU: 4/5, 2/4, 0; areas 5/8, 2/8, 1/8.
    expected = 5 / 8 * 4 / 5 + 2 / 8 * 2 / 4
    assert_allclose(achievable_iou(segmentation, superpixels), expected, **EXACT)


def test_a_cube_has_compactness_pi_by_6():
    assert_allclose(compactness(None, np.zeros((2, 2, 2), int)), np.pi / 6, **EXACT)
    # Two blocks of 1 x 2 x 2: 36 pi 4^2 / 16^3
    halves = np.array([[[0, 0], [0, 0]], [[1, 1], [1, 1]]])
    assert_allclose(compactness(None, halves), 36 * np.pi * 16 / 16**3, **EXACT)


@pytest.mark.parametrize("shape", [(2, 8), (9, 1), (3, 3), (1, 1)])
def test_global_regularity_of_a_rectangle_is_its_balance(shape):
    # Convex and like itself; the deviations of a uniform distribution go as the sides.
    expected = np.sqrt(min(shape) / max(shape))
    assert_allclose(global_regularity(None, np.zeros(shape, int)), expected, **EXACT)


def test_global_regularity_of_different_shapes():
    # Both shapes are convex and balanced: SRC = 1. The barycentre (1/3, 1/3) is rounded to
    # (0, 0), so on average, by pixels, the origin has 2/4 and (0, 1), (1, 0) have 1/4. The
    # angle's half L1 distance is (1/6 + 1/12 + 1/12) / 2 = 1/6, the pixel's (1/2 + 1/2) / 2.
    # SMF = 1 - 3/4 1/6 - 1/4 1/2 = 3/4
    angle = np.array([[0, 0], [0, 1]])
    assert_allclose(global_regularity(None, angle), 0.75, **EXACT)


def test_global_regularity_of_a_ring():
    ring = np.zeros((3, 3), dtype=int)
    ring[1, 1] = -1
    # Rows are crossed 2 + 4 + 2 times, columns too, diagonals 2 + 2 + 4 + 2 + 2 times; the
    # hull has 3 rows and columns, 5 diagonals each way, and a ninth pixel.
    perimeter = 2 * 8 + 2 * 12 / np.sqrt(2)
    hull_perimeter = 2 * 6 + 2 * 10 / np.sqrt(2)
    assert_allclose(global_regularity(None, ring), 8 / 9 * hull_perimeter / perimeter, **EXACT)


def test_global_regularity_of_a_digital_disc_is_1():
    y, x = np.mgrid[-7:8, -7:8]
    disc = np.where(y**2 + x**2 <= 50, 0, -1)
    assert_allclose(global_regularity(None, disc), 1.0, **EXACT)


def test_global_regularity_of_more_superpixels_than_16_bits_tell():
    # Pairs of pixels, one below the other, have sqrt(1 / 2). Neighbours differ by 2^16.
    number = np.arange(2**17).reshape(256, 512)
    pairs = np.repeat(number // 2 + number % 2 * 2**16, 2, axis=0)
    assert_allclose(global_regularity(None, pairs), np.sqrt(0.5), **EXACT)


def test_explained_variation_by_hand():
    # Mean 3; total 4 * 9 + 2 * 1 + 2 * 25 = 88. Means 0 and 6: 8 * 9 = 72.
    image = np.array([[0, 0, 4, 8], [0, 0, 4, 8]])
    assert_allclose(explained_variation(image, SUPERPIXELS), 72 / 88, **EXACT)
    # A second channel that superpixels do not explain adds 8 * 1 to the total.
    channels = np.stack([image, [[1, -1, 1, -1], [1, -1, 1, -1]]], axis=-1)
    assert_allclose(explained_variation(channels, SUPERPIXELS), 72 / 96, **EXACT)
    # Left out: 0 and 4 are explained in full.
    outside = np.where(image == 8, -1, SUPERPIXELS)
    assert explained_variation(image, outside) == 1.0


def test_explained_variation_of_uint8_does_not_overflow():
    image = np.array([[0, 0, 200, 250]], dtype=np.uint8)
    expected = explained_variation(image.astype(float), SUPERPIXELS[:1])
    assert explained_variation(image, SUPERPIXELS[:1]) == expected


# Perfect and degenerate --------------------------------------------------------------------


def test_perfect_superpixels():
    rng = np.random.default_rng(0)
    segmentation = rng.integers(4, size=(9, 7))
    perfect = {
        boundary_recall: 1.0,
        boundary_precision: 1.0,
        mean_distance_to_edge: 0.0,
        undersegmentation_error: 0.0,
        achievable_segmentation_accuracy: 1.0,
        achievable_iou: 1.0,
    }
    for metric, expected in perfect.items():
        assert metric(segmentation, segmentation + 1) == expected
    assert explained_variation(segmentation * 0.1, segmentation) == 1.0


def test_no_true_edge():
    one_segment = np.zeros((3, 5), dtype=int)
    superpixels = np.arange(15).reshape(3, 5)
    assert boundary_recall(one_segment, superpixels) == 1.0
    assert boundary_precision(one_segment, superpixels) == 0.0
    assert mean_distance_to_edge(one_segment, superpixels) == 0.0


def test_no_superpixel_edge():
    segmentation = np.arange(20).reshape(4, 5)
    one_superpixel = np.zeros((4, 5), dtype=int)
    assert boundary_recall(segmentation, one_superpixel) == 0.0
    assert boundary_precision(segmentation, one_superpixel) == 1.0
    # the diagonal of 4 x 5 pixels is 3 by 4
    assert mean_distance_to_edge(segmentation, one_superpixel) == 5.0


def test_no_edge_at_all():
    single = np.zeros((1, 1), dtype=int)
    assert boundary_recall(single, single) == 1.0
    assert boundary_precision(single, single) == 1.0
    assert mean_distance_to_edge(single, single) == 0.0


@pytest.mark.parametrize("value", [0, 0.1, 255])
def test_a_constant_image_is_explained(value):
    assert explained_variation(np.full((3, 4, 3), value), np.zeros((3, 4), int)) == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_one_superpixel_explains_nothing(seed):
    image = np.random.default_rng(seed).normal(size=(5, 6, 3))
    share = explained_variation(image, np.zeros((5, 6), int))
    assert share >= 0
    assert_allclose(share, 0, atol=1e-15)


# What is taken -----------------------------------------------------------------------------


def random_images(n_images=3, seed=0):
    rng = np.random.default_rng(seed)
    y_true, y_pred = [], []
    for i in range(n_images):
        shape = (5 + i, 6 + 2 * i)
        y_true.append(rng.integers(3, size=(i + 1, *shape)))
        y_pred.append(rng.integers(6, size=shape))
    return y_true, y_pred


@pytest.mark.parametrize("metric", [*GROUND_TRUTH, *SHAPE])
@pytest.mark.parametrize("sequence", [list, tuple, lambda items: LazySequence(np.copy, items)])
def test_a_sequence_is_averaged_over_annotators_then_images(metric, sequence):
    y_true, y_pred = random_images()
    single = [metric(true, pred) for true, pred in zip(y_true, y_pred, strict=True)]
    assert all(isinstance(score, float) for score in single)
    assert_allclose(metric(sequence(y_true), sequence(y_pred)), np.mean(single), **EXACT)

    scores = metric(sequence(y_true), sequence(y_pred), average=None)
    assert [score.shape for score in scores] == [(1,), (2,), (3,)]
    assert_allclose([score.mean() for score in scores], single, **EXACT)
    by_annotator = [metric(true, y_pred[2]) for true in y_true[2]]
    assert_allclose(metric(y_true[2], y_pred[2], average=None), by_annotator, **EXACT)


def test_annotators_of_a_volume_and_volumes_of_one_annotator():
    rng = np.random.default_rng(0)
    volume = rng.integers(4, size=(3, 4, 5))
    annotators = rng.integers(3, size=(2, 3, 4, 5))
    scores = undersegmentation_error(annotators, volume, average=None)
    assert_allclose(scores, [undersegmentation_error(a, volume) for a in annotators], **EXACT)
    # One array is one image: three maps are a volume, unless they come as a list.
    as_volume = undersegmentation_error(annotators[0], volume)
    as_images = undersegmentation_error(annotators[0], list(volume))
    assert_allclose(
        as_images,
        np.mean(
            [undersegmentation_error(a, p) for a, p in zip(annotators[0], volume, strict=True)]
        ),
        **EXACT,
    )
    assert as_volume != as_images


def test_an_object_array_is_a_sequence():
    y_true, y_pred = random_images()
    objects = np.empty(3, dtype=object)
    objects[:] = y_pred
    assert undersegmentation_error(y_true, objects) == undersegmentation_error(y_true, y_pred)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.uint64])
def test_labels_of_any_integer_type(dtype):
    # scikit-image counts from 1, others leave gaps
    y_true, y_pred = random_images(1)
    for metric, options in {**GROUND_TRUTH, **SHAPE}.items():
        expected = metric(y_true[0], y_pred[0], ignore_label=2, **options)
        labels = (7 * y_pred[0] + 1).astype(dtype)
        score = metric(y_true[0].astype(dtype), labels, ignore_label=2, **options)
        assert score == expected
    # A label the type cannot hold ignores nothing.
    expected = undersegmentation_error(y_true, y_pred)
    unsigned = [y_true[0].astype(np.uint8)]
    assert undersegmentation_error(unsigned, y_pred, ignore_label=-1) == expected


def test_boolean_segmentation():
    expected = achievable_iou(SEGMENTATION, SUPERPIXELS)
    assert achievable_iou(SEGMENTATION == 1, SUPERPIXELS) == expected
    assert achievable_iou(SEGMENTATION == 1, SUPERPIXELS, ignore_label=1) == 1.0


def test_huge_sparse_labels():
    sparse = SUPERPIXELS * (2**62) + 17
    assert undersegmentation_error(SEGMENTATION, sparse) == 0.5
    assert global_regularity(None, sparse) == 1.0


def test_inputs_are_not_changed():
    y_true, y_pred = random_images(1)
    image = np.random.default_rng(0).random(y_pred[0].shape)
    for array in (y_true[0], y_pred[0], image):
        array.flags.writeable = False
    superpixel_report(y_true, y_pred, images=[image])


def test_scikit_image_superpixels():
    from skimage.data import coffee
    from skimage.segmentation import slic

    image = coffee()[::8, ::8]
    superpixels = slic(image, n_segments=60, start_label=1)
    segmentation = (image.mean(axis=-1) > 128).astype(np.uint8)
    assert n_superpixels(segmentation, superpixels) == len(np.unique(superpixels))
    valid = np.ones(superpixels.shape, dtype=bool)
    true, pred = as_dict(segmentation, valid), as_dict(superpixels, valid)
    for metric, options in {**GROUND_TRUTH, **SHAPE}.items():
        expected = SLOW[metric](true, pred, superpixels.shape)
        assert_allclose(metric(segmentation, superpixels, **options), expected, **EXACT)


# Errors ------------------------------------------------------------------------------------

GOOD = np.zeros((4, 6), dtype=int)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([GOOD, GOOD], [GOOD, GOOD * 1.0], r"y_pred\[1\] has dtype float64; expected integer lab"),
        (GOOD * 1.0, GOOD, r"y_true has dtype float64; expected integer labels"),
        (
            [GOOD, GOOD],
            [GOOD, GOOD[0]],
            r"y_pred\[1\] has shape \(6,\); expected \(H, W\), or \(D",
        ),
        (GOOD, np.zeros((2, 3, 4, 6), int), r"y_pred has shape \(2, 3, 4, 6\).*as a list\."),
        (GOOD[:0], GOOD[:0], r"y_pred has shape \(0, 6\); expected at least one pixel"),
        (
            [GOOD, GOOD[:3]],
            [GOOD, GOOD],
            r"y_true\[1\] has shape \(3, 6\); expected \(4, 6\), the shape of y_pred\[1\], "
            r"or \(n_annotators, 4, 6\)\.",
        ),
        (np.zeros((2, 3, 4, 6), int), GOOD, r"y_true has shape \(2, 3, 4, 6\); expected \(4, 6\)"),
        (np.zeros((0, 4, 6), int), GOOD, r"y_true has shape \(0, 4, 6\); expected at least 1 ann"),
        ([GOOD], [GOOD, GOOD], r"y_true has length 1; expected 2, one an image of y_pred"),
        (iter([GOOD]), [GOOD], r"y_true is a list_iterator; expected a sequence of 1, one an im"),
        ([], [], r"y_pred holds no image; expected at least one"),
        (None, GOOD, r"y_true is None; boundary_recall needs segmentations"),
        ([GOOD, GOOD[:3]], GOOD, r"y_true cannot be made one array: its parts differ in shape"),
        (
            [GOOD, np.stack([GOOD, GOOD + 9])],
            [GOOD, GOOD],
            r"y_true\[1\], annotator 1: no pixel is left to score; each is ignore_label=9 or has "
            r"a negative label in y_pred\[1\]",
        ),
        (GOOD, GOOD - 1, r"y_true, annotator 0: no pixel is left to score"),
    ],
)
def test_wrong_label_maps(y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        boundary_recall(y_true, y_pred, ignore_label=9)


def test_all_negative_without_ground_truth():
    with pytest.raises(ValueError, match=r"y_pred\[1\] is negative everywhere; no pixel is left"):
        compactness(None, [GOOD, GOOD - 1])


def test_global_regularity_of_a_volume():
    volume = np.zeros((2, 3, 4), int)
    with pytest.raises(
        ValueError, match=r"y_pred\[1\] has shape \(2, 3, 4\); expected \(H, W\), as"
    ):
        global_regularity(None, [GOOD, volume])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (
            np.zeros((6, 4)),
            r"image\[0\] has shape \(6, 4\); expected \(4, 6\), the shape of y_pred\[0",
        ),
        (np.zeros((4, 6, 0)), r"image\[0\] has shape \(4, 6, 0\).* or \(4, 6, n_channels\)\."),
        (GOOD * 1j, r"image\[0\] has dtype complex128; expected an image of real numbers"),
        (np.full((4, 6), np.nan), r"image\[0\] has values that are NaN or infinite"),
    ],
)
def test_wrong_images(image, message):
    with pytest.raises(ValueError, match=message):
        explained_variation([image], [GOOD])


def test_nan_outside_the_mask_does_not_matter():
    image = np.array([[0.0, 1.0, np.nan]])
    assert explained_variation(image, np.array([[0, 1, -1]])) == 1.0


@pytest.mark.parametrize("tolerance", [-1, 1.5, True, None])
def test_wrong_tolerance(tolerance):
    message = f"tolerance is {tolerance}; expected an integer of at least 0"
    for function in (boundary_recall, boundary_precision, superpixel_report):
        with pytest.raises(ValueError, match=message):
            function(GOOD, GOOD, tolerance=tolerance)
    with pytest.raises(ValueError, match=message):
        get_scorers(tolerance=tolerance)


def test_wrong_settings():
    with pytest.raises(ValueError, match=r"ignore_label is 1\.5; expected an integer or None"):
        n_superpixels(GOOD, GOOD, ignore_label=1.5)
    with pytest.raises(ValueError, match="average is 'max'; expected 'mean' or None"):
        compactness(GOOD, GOOD, average="max")
    with pytest.raises(ValueError, match="index has length 2; expected 1, one an image of y_pred"):
        superpixel_report(GOOD, GOOD, index=["a", "b"])
    with pytest.raises(ValueError, match=r"images has length 2; expected 1, one an image of y_p"):
        superpixel_report([GOOD], [GOOD], images=[GOOD, GOOD])


# Report ------------------------------------------------------------------------------------


def test_report_has_what_the_functions_give():
    y_true, y_pred = random_images()
    images = [np.random.default_rng(1).random((*pred.shape, 3)) for pred in y_pred]
    options = {"ignore_label": 0, "tolerance": 1}
    report = superpixel_report(y_true, y_pred, images=images, index=list("abc"), **options)
    assert report.index.tolist() == ["a", "b", "c"]
    assert set(report.columns) == set(metrics.__all__) - {
        "SCORERS",
        "get_scorers",
        "superpixel_report",
    }
    assert report.dtypes.drop("n_superpixels").unique().tolist() == [np.dtype(float)]
    assert report["n_superpixels"].dtype.kind == "i"
    for i in range(3):
        for metric in (*GROUND_TRUTH, *SHAPE, n_superpixels):
            tolerance = {"tolerance": 1} if GROUND_TRUTH.get(metric) else {}
            expected = metric(y_true[i], y_pred[i], ignore_label=0, **tolerance)
            assert report.iloc[i][metric.__name__] == expected
        expected = explained_variation(images[i], y_pred[i])
        assert report.iloc[i]["explained_variation"] == expected


def test_report_of_one_image():
    report = superpixel_report(SEGMENTATION, SUPERPIXELS)
    assert isinstance(report, pd.DataFrame)
    assert report.index.tolist() == [0]
    assert "explained_variation" not in report
    assert report.loc[0, "achievable_iou"] == 0.5625


def test_report_without_ground_truth():
    report = superpixel_report(None, [SUPERPIXELS])
    assert report.columns.tolist() == ["compactness", "global_regularity", "n_superpixels"]


def test_report_of_a_volume():
    volume = np.arange(24).reshape(2, 3, 4) // 4
    report = superpixel_report([volume], [volume])
    assert np.isnan(report.loc[0, "global_regularity"])
    assert report.drop(columns="global_regularity").notna().all(axis=None)


def test_report_asks_for_each_label_map_once():
    asked = []

    def compute(i):
        asked.append(i)
        return SUPERPIXELS

    superpixel_report(None, LazySequence(compute, [0, 1]), images=[SUPERPIXELS, SUPERPIXELS])
    assert asked == [0, 1]


# Scorers -----------------------------------------------------------------------------------


class Columns(BaseEstimator):
    """Superpixels that are vertical stripes."""

    def __init__(self, width=1, stacked=False):
        self.width = width
        self.stacked = stacked

    def fit(self, X, y=None):
        self.n_images_ = len(X)
        return self

    def predict(self, X):
        maps = [np.broadcast_to(np.arange(x.shape[1]) // self.width, x.shape[:2]) for x in X]
        return np.stack(maps) if self.stacked else maps


def stripes(widths=(6, 6, 9, 6), n_annotators=(1, 2, 3, 1)):
    """Images with segments of three columns, which differ in size, and annotators."""
    images, segmentations = [], []
    for width, n in zip(widths, n_annotators, strict=True):
        segmentation = np.broadcast_to(np.arange(width) // 3, (n, 4, width))
        images.append(np.repeat(segmentation[0, ..., np.newaxis], 3, axis=-1) * 20.0)
        segmentations.append(segmentation)
    return images, segmentations


def test_scorers_negate_errors_and_only_those():
    assert set(SCORERS) == {
        "boundary_recall",
        "boundary_precision",
        "neg_mean_distance_to_edge",
        "neg_undersegmentation_error",
        "achievable_segmentation_accuracy",
        "achievable_iou",
        "compactness",
        "global_regularity",
        "n_superpixels",
        "explained_variation",
    }
    images, segmentations = stripes()
    estimator = Columns(width=5).fit(images)
    superpixels = estimator.predict(images)
    for name, scorer in SCORERS.items():
        metric = getattr(metrics, name.removeprefix("neg_"))
        sign = -1 if name.startswith("neg_") else 1
        data = images if name == "explained_variation" else segmentations
        score = scorer(estimator, images, segmentations)
        assert score == sign * metric(data, superpixels), name
        assert score != 0, name


@pytest.mark.parametrize("name", SCORERS)
def test_scorers_can_be_pickled(name):
    images, segmentations = stripes()
    estimator = Columns(width=2)
    copy = pickle.loads(pickle.dumps(SCORERS[name]))
    expected = SCORERS[name](estimator, images, segmentations)
    assert copy(estimator, images, segmentations) == expected


@pytest.mark.parametrize("refit", ["achievable_iou", "neg_undersegmentation_error"])
def test_grid_search_over_images_of_different_sizes(refit):
    images, segmentations = stripes()
    search = GridSearchCV(
        Columns(), {"width": [2, 3, 5]}, scoring=SCORERS, refit=refit, cv=2, error_score="raise"
    )
    search.fit(images, segmentations)
    assert search.best_params_ == {"width": 3}
    assert np.isfinite(search.cv_results_["mean_test_explained_variation"]).all()
    assert search.score(images, segmentations) == (1 if refit == "achievable_iou" else 0)


def test_scorers_take_stacked_arrays_as_images():
    images, segmentations = stripes(widths=(6, 6, 6, 6), n_annotators=(2, 2, 2, 2))
    expected = cross_validate(
        Columns(2), images, segmentations, scoring=SCORERS, cv=2, error_score="raise"
    )
    stacked = cross_validate(
        Columns(2, stacked=True),
        np.stack(images),
        np.stack(segmentations),
        scoring=SCORERS,
        cv=2,
        error_score="raise",
    )
    for name in SCORERS:
        assert_array_equal(stacked[f"test_{name}"], expected[f"test_{name}"])


def test_explained_variation_scores_without_segmentations():
    images, _ = stripes()
    search = GridSearchCV(
        Columns(),
        {"width": [2, 3]},
        scoring=SCORERS["explained_variation"],
        cv=2,
        error_score="raise",
    )
    assert search.fit(images).best_params_ == {"width": 3}


@pytest.mark.parametrize(
    ("setting", "affected"),
    [
        ({"tolerance": 0}, {"boundary_recall", "boundary_precision"}),
        (
            {"ignore_label": 0},
            {
                "neg_mean_distance_to_edge",
                "neg_undersegmentation_error",
                "achievable_segmentation_accuracy",
                "achievable_iou",
                "compactness",
                "global_regularity",
            },
        ),
    ],
)
def test_scorers_have_settings(setting, affected):
    # 4 segments of 3 columns, superpixels of 5, 5 and 2. All edges are within 2 of each other,
    # with or without segment 0, and the first superpixel has some columns left.
    images, segmentations = stripes(widths=(12, 12), n_annotators=(1, 2))
    estimator = Columns(width=5)
    for name, scorer in get_scorers(**setting).items():
        score = scorer(estimator, images, segmentations)
        changed = score != SCORERS[name](estimator, images, segmentations)
        assert changed == (name in affected), name
        if changed:
            metric = getattr(metrics, name.removeprefix("neg_"))
            assert abs(score) == metric(segmentations, estimator.predict(images), **setting)
