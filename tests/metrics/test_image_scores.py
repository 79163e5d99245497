"""All metrics against their definitions, and what they take: many images, annotators, masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from metrics_reference import (
    EXACT,
    GROUND_TRUTH,
    SEGMENTATION,
    SHAPE,
    SLOW,
    SUPERPIXELS,
    as_dict,
    cases,
    random_images,
    score,
    valid_pixels,
)
from numpy.testing import assert_allclose

from sksuperpixel import LazySequence
from sksuperpixel.metrics import (
    achievable_iou,
    achievable_segmentation_accuracy,
    boundary_precision,
    boundary_recall,
    compactness,
    explained_variation,
    global_regularity,
    mean_distance_to_edge,
    n_superpixels,
    superpixel_report,
    undersegmentation_error,
)

METRICS = {**GROUND_TRUTH, **SHAPE}


@settings(max_examples=200, deadline=None)
@given(cases())
def test_metrics_agree_with_brute_force(case):
    y_true, y_pred, ignore_label = case
    annotators = [
        (as_dict(segmentation, valid), as_dict(y_pred, valid))
        for segmentation, valid in valid_pixels(*case)
    ]
    for metric, options in METRICS.items():
        if metric is global_regularity and y_pred.ndim == 3:
            continue
        expected = [SLOW[metric](true, pred, y_pred.shape) for true, pred in annotators]
        options = {"ignore_label": ignore_label, **options}
        scores = score(metric, y_true, y_pred, average=None, **options)
        assert_allclose(scores, expected, err_msg=metric.__name__, **EXACT)
        assert_allclose(score(metric, y_true, y_pred, **options), np.mean(expected), **EXACT)
    labels = set().union(*(set(pred.values()) for _, pred in annotators))
    assert n_superpixels(y_pred, y_true=y_true, ignore_label=ignore_label) == len(labels)


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
    for metric, options in METRICS.items():
        options = {"ignore_label": ignore_label, **options}
        expected = score(metric, y_true, y_pred, **options)
        assert_allclose(score(metric, renamed_true, renamed_pred, **options), expected, **EXACT)


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
    assert_allclose(compactness(SUPERPIXELS), np.pi / 4, **EXACT)
    assert global_regularity(SUPERPIXELS) == 1.0
    assert n_superpixels(SUPERPIXELS) == 2


def test_void_pixels_are_left_out():
    # Without column 3 there is one segment and no true edge; superpixel 1 is a column of two.
    void = {"ignore_label": 1}
    assert boundary_recall(SEGMENTATION, SUPERPIXELS, **void) == 1.0
    assert boundary_precision(SEGMENTATION, SUPERPIXELS, **void) == 0.0
    assert undersegmentation_error(SEGMENTATION, SUPERPIXELS, **void) == 0.0
    assert achievable_iou(SEGMENTATION, SUPERPIXELS, **void) == 1.0
    # 4/6 of pi/4 and 2/6 of 4 pi 2 / 6^2
    expected = 4 / 6 * np.pi / 4 + 2 / 6 * 8 * np.pi / 36
    assert_allclose(compactness(SUPERPIXELS, y_true=SEGMENTATION, **void), expected, **EXACT)
    # A negative superpixel label leaves the pixels out the same way.
    outside = np.where(SEGMENTATION == 1, -3, SUPERPIXELS)
    assert_allclose(compactness(outside), expected, **EXACT)


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


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("sequence", [list, tuple, lambda items: LazySequence(np.copy, items)])
def test_a_sequence_is_averaged_over_annotators_then_images(metric, sequence):
    y_true, y_pred = random_images()
    single = [score(metric, true, pred) for true, pred in zip(y_true, y_pred, strict=True)]
    assert all(isinstance(score, float) for score in single)
    assert_allclose(score(metric, sequence(y_true), sequence(y_pred)), np.mean(single), **EXACT)

    scores = score(metric, sequence(y_true), sequence(y_pred), average=None)
    assert [score.shape for score in scores] == [(1,), (2,), (3,)]
    assert_allclose([score.mean() for score in scores], single, **EXACT)
    by_annotator = [score(metric, true, y_pred[2]) for true in y_true[2]]
    assert_allclose(score(metric, y_true[2], y_pred[2], average=None), by_annotator, **EXACT)


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
    for metric, options in METRICS.items():
        expected = score(metric, y_true[0], y_pred[0], ignore_label=2, **options)
        labels = (7 * y_pred[0] + 1).astype(dtype)
        found = score(metric, y_true[0].astype(dtype), labels, ignore_label=2, **options)
        assert found == expected
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
    assert global_regularity(sparse) == 1.0


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
    assert n_superpixels(superpixels) == len(np.unique(superpixels))
    valid = np.ones(superpixels.shape, dtype=bool)
    true, pred = as_dict(segmentation, valid), as_dict(superpixels, valid)
    for metric, options in METRICS.items():
        expected = SLOW[metric](true, pred, superpixels.shape)
        assert_allclose(score(metric, segmentation, superpixels, **options), expected, **EXACT)


# Masks -------------------------------------------------------------------------------------


def blocks_and_masks():
    """Make segments and superpixels that are blocks, and masks that leave out some of them."""
    y_true, y_pred, masks = [], [], []
    for i in range(3):
        shape = (12, 12 + 6 * i)
        row, col = np.indices(shape)
        segments = row // 6 * 10 + col // 4
        y_true.append(np.stack([segments, segments // 10][: i + 1]))
        y_pred.append(row // 3 * 10 + (col + row // 3) // 3)
        masks.append((row + col > 5) & (col > 2) & ((row - 8) ** 2 + (col - 9) ** 2 > 4))
    return y_true, y_pred, masks


@pytest.mark.parametrize("metric", [*METRICS, n_superpixels])
@pytest.mark.parametrize("ignore_label", [None, 2])
def test_a_mask_leaves_out_what_negative_labels_do(metric, ignore_label):
    y_true, y_pred, masks = blocks_and_masks()
    options = {"ignore_label": ignore_label, **METRICS.get(metric, {})}
    if "tolerance" in options:
        options["tolerance"] = 0
    negative = [np.where(mask, pred, -1) for mask, pred in zip(masks, y_pred, strict=True)]
    expected = score(metric, y_true, negative, **options)
    assert expected != score(metric, y_true, y_pred, **options)
    assert score(metric, y_true, y_pred, masks=masks, **options) == expected
    # Masks of 0 and 1, as a tuple, and masked arrays.
    integers = tuple(mask.astype(np.uint8) for mask in masks)
    assert score(metric, y_true, y_pred, masks=integers, **options) == expected
    masked = [np.ma.array(p, mask=~mask) for p, mask in zip(y_pred, masks, strict=True)]
    assert score(metric, y_true, masked, **options) == expected
    # One image, and one of several images without a mask.
    expected = score(metric, y_true[1], negative[1], **options)
    assert score(metric, y_true[1], y_pred[1], masks=masks[1], **options) == expected
    expected = score(metric, y_true, [y_pred[0], *negative[1:]], **options)
    assert score(metric, y_true, y_pred, masks=[None, *masks[1:]], **options) == expected


@pytest.mark.parametrize("metric", METRICS)
def test_masked_segmentations_are_void_where_they_are_masked(metric):
    y_true, y_pred = random_images()
    options = METRICS[metric]
    # Each annotator has a mask of their own.
    masks = [np.random.default_rng(i).random(each.shape) < 0.3 for i, each in enumerate(y_true)]
    void = [np.where(mask, -9, each) for mask, each in zip(masks, y_true, strict=True)]
    masked = [np.ma.array(each, mask=mask) for each, mask in zip(y_true, masks, strict=True)]
    expected = score(metric, void, y_pred, ignore_label=-9, average=None, **options)
    scores = score(metric, masked, y_pred, average=None, **options)
    for found, wanted in zip(scores, expected, strict=True):
        assert found.tolist() == wanted.tolist()
    # Annotators as a list of masked arrays, and one annotator without a mask.
    apart = [*masked[2][:2], y_true[2][2]]
    scores = score(metric, apart, y_pred[2], average=None, **options)
    assert scores[:2].tolist() == expected[2][:2].tolist()
    assert scores[2] == score(metric, y_true[2][2], y_pred[2], **options)


def test_masks_and_negative_labels_and_void_pixels_add_up():
    segmentation = np.array([[0, 0, 9, 1, 1, 1]])
    superpixels = np.array([[0, 1, 2, 3, 4, -1]])
    mask = np.array([[False, True, True, True, True, True]])
    masked = np.ma.array(superpixels, mask=[[0, 0, 0, 1, 0, 0]])
    # What is left are superpixels 1 and 4.
    assert n_superpixels(masked, y_true=segmentation, ignore_label=9, masks=mask) == 2


def test_a_stacked_array_of_masks():
    rng = np.random.default_rng(0)
    y_pred = list(rng.integers(4, size=(3, 5, 6)))
    masks = rng.random((3, 5, 6)) < 0.7
    assert compactness(y_pred, masks=masks) == compactness(y_pred, masks=list(masks))
