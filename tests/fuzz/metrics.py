"""Score label maps, segmentations and images of every kind: right scores, or one clear error.

Scores of small label maps equal those of slow and simple references to 1e-9. Scores of larger ones
are in their ranges, and do not depend on the memory layout of an array, on the numbers of the
labels, or on other images in the batch. Wrong input raises a ValueError or TypeError that says
which image is wrong.
"""

import metrics_reference as slow
import numpy as np
from fuzz import inputs
from fuzz.harness import Defect

from sksuperpixel import metrics

LIMIT_S, LIMIT_MB = 5, 200
_WITH_TRUTH = [
    metrics.boundary_recall,
    metrics.boundary_precision,
    metrics.mean_distance_to_edge,
    metrics.undersegmentation_error,
    metrics.achievable_segmentation_accuracy,
    metrics.achievable_iou,
]
_SHAPES = [metrics.compactness, metrics.global_regularity]


def prepare(folder):
    """Nothing is shared."""


def case(rng, shared):
    """Score a valid batch or a wrong one."""
    way = rng.integers(4)
    if way == 0:
        return _small(rng)
    if way == 1:
        return _variation(rng)
    if way == 2:
        return _large(rng)
    return _wrong(rng)


def _label_map(rng, shape, n_labels):
    """Draw labels of some integer type, with gaps between them."""
    dtype = np.dtype(inputs.choose(rng, ["i4", "i8", "u1", "u2", "u4", "u8", "i2", ">i4"]))
    most = int(min(np.iinfo(dtype).max, inputs.choose(rng, [n_labels, 1000, 2**62])))
    names = np.unique(rng.integers(0, most, n_labels, endpoint=True))
    blocks = rng.integers(0, len(names), [-(-n // 2) for n in shape])
    codes = blocks[np.ix_(*(np.arange(n) // 2 for n in shape))]
    labels = names[codes].astype(dtype)
    if dtype.kind == "i" and rng.random() < 0.3:
        outside = rng.random(shape) < 0.2
        outside.flat[0] = False
        labels[outside] = inputs.choose(rng, [-1, np.iinfo(dtype).min])
    return inputs.layout(rng, labels)


def _truth(rng, shape):
    n_annotators = int(rng.integers(1, 4))
    names = inputs.choose(rng, [[0, 1, 2], [-7, 0, 90_000], [255, 1, 3], [-(2**63), 2**63 - 1, 0]])
    y = np.array(names)[rng.integers(0, 3, (n_annotators, *shape))]
    return y if n_annotators > 1 else y[0]


def _small(rng):
    """Compare a score with its slow reference."""
    shape = tuple(int(n) for n in rng.integers(1, 7, inputs.choose(rng, [2, 2, 3])))
    y_true, y_pred = _truth(rng, shape), _label_map(rng, shape, 5)
    ignore = inputs.choose(rng, [None, None, 0, 7])
    mask = inputs.mask(rng, shape)
    annotators = y_true if y_true.ndim > len(shape) else y_true[None]
    as_signed = y_pred.astype(np.int64) if y_pred.dtype != np.uint64 else y_pred
    counts = [
        (as_signed >= 0)
        & (True if mask is None else mask)
        & (True if ignore is None else each != ignore)
        for each in annotators
    ]
    masks = None if mask is None else mask
    metric = inputs.choose(rng, _WITH_TRUTH)
    options = {"tolerance": 1} if "boundary_" in metric.__name__ else {}
    try:
        found = metric(y_true, y_pred, ignore_label=ignore, masks=masks, **options)
    except ValueError as error:
        if all(each.any() for each in counts):
            raise
        return _named(error, "to score, expected at least one")
    if not all(each.any() for each in counts):
        raise Defect("scored an image without a pixel that counts")
    expected = np.mean(
        [
            slow.SLOW[metric](slow.as_dict(each, valid), slow.as_dict(y_pred, valid), shape)
            for each, valid in zip(annotators, counts, strict=True)
        ]
    )
    if not np.isclose(found, expected, rtol=1e-9, atol=1e-9):
        raise Defect(f"{metric.__name__}: {found}, not {expected}")
    return "equals the reference"


def _variation(rng):
    """Compute the explained variation of an image of any range."""
    shape = inputs.shape(rng, 2, most=400)
    image = inputs.image(rng, shape, inputs.choose(rng, [None, 3]))
    if rng.random() < 0.3:
        image = np.asarray(image, np.float64)
        image = image / max(np.abs(image).max(), 1) * inputs.choose(rng, [1e300, 1e-300, 1e150])
    y_pred = _label_map(rng, shape, 9)
    found = metrics.explained_variation(image, y_pred)
    if not -1e-9 <= found <= 1 + 1e-9:
        raise Defect(f"explained_variation: {found}")
    return "explained variation"


def _large(rng):
    """Score a larger label map in several forms, which must all have the same score."""
    shape = inputs.shape(rng, 2)
    y_true, y_pred = _truth(rng, shape), _label_map(rng, shape, 60)
    metric = inputs.choose(rng, _WITH_TRUTH + _SHAPES)
    one = _score(metric, y_true, y_pred)
    limit = np.inf if metric is metrics.mean_distance_to_edge else 1
    if not -1e-12 <= one <= limit + 1e-12:
        raise Defect(f"{metric.__name__}: {one}")
    codes = np.unique(y_pred[y_pred >= 0], return_inverse=True)[1]
    renamed = np.full(shape, -1)
    renamed[y_pred >= 0] = rng.permutation(codes.max() + 1)[codes]
    axes = (*range(y_true.ndim - 2), -1, -2)
    for what, other in (
        ("other names", _score(metric, y_true, renamed)),
        ("transposed", _score(metric, y_true.transpose(axes), y_pred.T)),
        ("in a batch", _score(metric, [y_true, y_true], [y_pred, y_pred])),
        ("another layout", _score(metric, y_true, inputs.layout(rng, y_pred.copy()))),
    ):
        if not np.isclose(one, other, rtol=1e-9, atol=1e-12):
            raise Defect(f"{metric.__name__}, {what}: {other}, not {one}")
    return "scored"


def _score(metric, y_true, y_pred):
    return metric(y_pred) if metric in _SHAPES else metric(y_true, y_pred)


def _wrong(rng):
    """Score a batch whose second label map or segmentation is wrong."""
    shape = inputs.shape(rng, 2, most=300)
    y_true, y_pred = _truth(rng, shape), _label_map(rng, shape, 9)
    other = tuple(n + 1 for n in shape)
    wrong = inputs.choose(
        rng,
        [
            np.zeros(other, int),
            y_pred.astype(np.float64),
            y_pred.astype(complex),
            np.zeros((0, 4), int),
            np.zeros((2, 2, 2, 2, 2), int),
            np.array("labels"),
            None,
            "labels",
            7,
            [[1, 2], [3]],
            np.full(shape, -1),
            y_pred.astype(object),
        ],
    )
    metric = inputs.choose(rng, _WITH_TRUTH + _SHAPES)
    pair = [y_true, y_true], [y_pred, wrong]
    if metric not in _SHAPES and rng.random() < 0.5:
        pair = [y_true, wrong], [y_pred, y_pred]
    try:
        found = _score(metric, *pair)
    except (ValueError, TypeError) as error:
        return _named(error, "image 1")
    # Without ground truth, a label map of any shape can be scored.
    if metric in _SHAPES and np.shape(wrong) == other:
        return "scored"
    # A segmentation may have any labels, and -1 is one of them.
    is_truth = pair[0][1] is wrong
    if is_truth and isinstance(wrong, np.ndarray) and wrong.dtype == int and wrong.shape == shape:
        return "scored"
    raise Defect(f"{metric.__name__} scored {type(wrong).__name__} {np.shape(wrong)}: {found}")


def _named(error, what):
    if what not in str(error):
        raise Defect(f"the error does not say {what!r}: {str(error)[:90]}") from error
    return f"refused: {what}"
