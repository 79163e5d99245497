"""What users get wrong is an error in one grammar: what was found, and what was expected."""

import numpy as np
import pytest

from sksuperpixel.metrics import boundary_recall, compactness, n_superpixels, superpixel_report

GOOD = np.zeros((4, 6), dtype=int)
VOLUMES = np.zeros((2, 3, 4, 6), int)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        # One image: the parameter is named.
        (
            GOOD,
            GOOD * 1.0,
            TypeError,
            "y_pred: found superpixels of dtype float64, expected integers",
        ),
        (
            GOOD * 1.0,
            GOOD,
            TypeError,
            "y_true: found a segmentation of dtype float64, expected integers",
        ),
        (
            GOOD,
            VOLUMES,
            ValueError,
            r"y_pred: found superpixels of shape \(2, 3, 4, 6\), expected \(H, W\), or "
            r"\(D, H, W\) for a volume; pass several images as a list",
        ),
        (
            GOOD[:0],
            GOOD[:0],
            ValueError,
            r"y_pred: found superpixels of shape \(0, 6\), expected at least one pixel",
        ),
        (
            VOLUMES,
            GOOD,
            ValueError,
            r"y_true: found a segmentation of shape \(2, 3, 4, 6\), expected \(4, 6\) like the "
            r"image, or \(A, 4, 6\) for A annotators",
        ),
        (
            np.zeros((0, 4, 6), int),
            GOOD,
            ValueError,
            r"y_true: found a segmentation of shape \(0, 4, 6\), expected \(4, 6\) like .*",
        ),
        (
            [GOOD, GOOD[:3]],
            GOOD,
            ValueError,
            "y_true: found parts of unequal shapes, expected an array",
        ),
        (None, GOOD, ValueError, "y_true: found None, expected segmentations"),
        (
            GOOD,
            GOOD - 1,
            ValueError,
            "y_pred: found no pixel to score, expected at least one whose label is not negative "
            "and that no mask leaves out",
        ),
        (
            GOOD + 9,
            GOOD,
            ValueError,
            "y_true: found no pixel of annotator 0 to score, expected at least one in a "
            r"superpixel that is neither masked nor void \(ignore_label=9\)",
        ),
        # Several images: the image is named.
        (
            [GOOD, GOOD],
            [GOOD, GOOD * 1.0],
            TypeError,
            "image 1: found superpixels of dtype float64, expected integers",
        ),
        (
            [GOOD, GOOD],
            [GOOD, GOOD[0]],
            ValueError,
            r"image 1: found superpixels of shape \(6,\), expected \(H, W\), or \(D, H, W\) for a "
            "volume",
        ),
        (
            [GOOD, GOOD[:3]],
            [GOOD, GOOD],
            ValueError,
            r"image 1: found a segmentation of shape \(3, 6\), expected \(4, 6\) like "
            r"the image, or \(A, 4, 6\) for A annotators",
        ),
        (
            [GOOD, np.stack([GOOD, GOOD + 9])],
            [GOOD, GOOD],
            ValueError,
            "image 1: found no pixel of annotator 1 to score, .*",
        ),
        ([GOOD, GOOD], [GOOD, GOOD - 1], ValueError, "image 1: found no pixel to score, .*"),
        # The batch as a whole.
        (
            [GOOD],
            [GOOD, GOOD],
            ValueError,
            "y_true: found length 1, expected 2, one entry per image of y_pred",
        ),
        (
            iter([GOOD]),
            [GOOD],
            ValueError,
            "y_true: found list_iterator, expected a sequence of length 1, one entry per image of "
            "y_pred",
        ),
        ([], [], ValueError, "y_pred: found an empty sequence, expected at least one image"),
    ],
)
def test_wrong_label_maps(y_true, y_pred, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        boundary_recall(y_true, y_pred, ignore_label=9)


INSIDE = np.ones((4, 6), dtype=bool)


@pytest.mark.parametrize(
    ("y_pred", "masks", "message"),
    [
        (
            GOOD,
            INSIDE[:3],
            r"masks: found a mask of shape \(3, 6\), expected the image's, \(4, 6\)",
        ),
        (
            GOOD,
            INSIDE * 2,
            "masks: found a mask of dtype int64, expected bool, integers that are 0 "
            "or 1, or uint8 that is 0 or 255",
        ),
        (
            GOOD,
            INSIDE * 1.0,
            "masks: found a mask of dtype float64, expected bool, integers .*",
        ),
        (GOOD, [INSIDE, INSIDE[:3]], "masks: found parts of unequal shapes, expected an array"),
        (GOOD, ~INSIDE, "masks: found a mask with no pixel inside, expected at least one True"),
        (
            [GOOD, GOOD],
            [None, INSIDE[:3]],
            r"image 1: found a mask of shape \(3, 6\), expected the image's, \(4, 6\)",
        ),
        ([GOOD, GOOD], [INSIDE, INSIDE * 2], "image 1: found a mask of dtype int64, expected .*"),
        ([GOOD, GOOD], [INSIDE, ~INSIDE], "image 1: found a mask with no pixel inside, .*"),
        ([GOOD, GOOD - 1], [INSIDE, INSIDE], "image 1: found no pixel to score, .*"),
        (
            [GOOD, GOOD],
            [INSIDE],
            "masks: found length 1, expected 2, one entry per image of y_pred",
        ),
        # One mask for several images is as long as it has rows.
        ([GOOD, GOOD], INSIDE, "masks: found length 4, expected 2, one entry per image of .*"),
    ],
)
def test_wrong_masks(y_pred, masks, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        compactness(y_pred, masks=masks)
    with pytest.raises(ValueError, match=f"^{message}$"):
        superpixel_report(None, y_pred, masks=masks)


def test_all_pixels_are_masked():
    masked = np.ma.array(GOOD, mask=True)
    with pytest.raises(ValueError, match=r"^image 1: found no pixel to score"):
        compactness([GOOD, masked])
    with pytest.raises(ValueError, match=r"^y_true: found no pixel of annotator 1 to score"):
        boundary_recall([GOOD, masked], GOOD)


def test_wrong_settings():
    with pytest.raises(
        ValueError, match=r"^ignore_label: found 1\.5, expected an integer or None"
    ):
        n_superpixels(GOOD, ignore_label=1.5)
    with pytest.raises(ValueError, match=r"^average: found 'max', expected 'mean' or None$"):
        compactness(GOOD, average="max")


def test_an_entry_that_is_none():
    for y_true, y_pred in (([GOOD, None], [GOOD, GOOD]), ([GOOD, GOOD], [GOOD, None])):
        with pytest.raises((TypeError, ValueError), match="image 1: found .*, expected"):
            boundary_recall(y_true, y_pred)
