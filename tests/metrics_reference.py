"""Slow and obvious references of the metrics, and images to compare them on."""

import itertools

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sksuperpixel.metrics import (
    achievable_iou,
    achievable_segmentation_accuracy,
    boundary_precision,
    boundary_recall,
    compactness,
    global_regularity,
    mean_distance_to_edge,
    undersegmentation_error,
)

# The slow functions take dicts pixel -> label of the pixels that count, of one annotator.


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


SEGMENTATION = np.array([[0, 0, 0, 1], [0, 0, 0, 1]])


SUPERPIXELS = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])


def random_images(n_images=3, seed=0):
    rng = np.random.default_rng(seed)
    y_true, y_pred = [], []
    for i in range(n_images):
        shape = (5 + i, 6 + 2 * i)
        y_true.append(rng.integers(3, size=(i + 1, *shape)))
        y_pred.append(rng.integers(6, size=shape))
    return y_true, y_pred


def score(metric, y_true, y_pred, **options):
    """Call a metric, whether it needs ground truth or only looks at shapes."""
    if metric in GROUND_TRUTH:
        return metric(y_true, y_pred, **options)
    return metric(y_pred, y_true=y_true, **options)
