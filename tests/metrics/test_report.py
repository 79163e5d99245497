"""The report has what the functions give, computed once."""

import numpy as np
import pandas as pd
import pytest
from metrics_reference import GROUND_TRUTH, SEGMENTATION, SHAPE, SUPERPIXELS, random_images, score

from sksuperpixel import LazySequence, metrics
from sksuperpixel.metrics import explained_variation, n_superpixels, superpixel_report


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
            expected = score(metric, y_true[i], y_pred[i], ignore_label=0, **tolerance)
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


@pytest.mark.parametrize("by", ["masks", "images"])
def test_masks_hold_for_all_columns(by):
    y_true, y_pred = random_images()
    rng = np.random.default_rng(1)
    images = [rng.random((*pred.shape, 3)) for pred in y_pred]
    masks = [rng.random(pred.shape) < 0.7 for pred in y_pred]
    negative = [np.where(mask, pred, -1) for mask, pred in zip(masks, y_pred, strict=True)]
    expected = superpixel_report(y_true, negative, images=images)
    options = {"masks": masks, "images": images}
    if by == "images":
        channels = [np.repeat(mask[..., np.newaxis], 3, axis=-1) for mask in masks]
        pairs = zip(images, channels, strict=True)
        options = {"images": [np.ma.array(image, mask=~mask) for image, mask in pairs]}
    pd.testing.assert_frame_equal(superpixel_report(y_true, y_pred, **options), expected)


def test_wrong_lengths():
    with pytest.raises(ValueError, match=r"^index: found length 2, expected 1, one entry per im"):
        superpixel_report(SEGMENTATION, SUPERPIXELS, index=["a", "b"])
    with pytest.raises(ValueError, match=r"^images: found length 2, expected 1, one entry per im"):
        superpixel_report([SEGMENTATION], [SUPERPIXELS], images=[SEGMENTATION, SEGMENTATION])
    with pytest.raises(ValueError, match=r"^image 0: found an image of shape \(2, 3\), expected"):
        superpixel_report([SEGMENTATION], [SUPERPIXELS], images=[np.zeros((2, 3))])
