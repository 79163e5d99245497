"""Scores of superpixels against ground truth, and of their shapes alone.

All metrics take label maps from any source, for one image or many, and segmentations by one or
several annotators. `superpixel_report` computes all metrics at once. `SCORERS` contains scorers of
all metrics for `GridSearchCV`.
"""

from sksuperpixel.metrics._boundary import (
    boundary_precision,
    boundary_recall,
    mean_distance_to_edge,
)
from sksuperpixel.metrics._overlap import (
    achievable_iou,
    achievable_segmentation_accuracy,
    undersegmentation_error,
)
from sksuperpixel.metrics._report import superpixel_report
from sksuperpixel.metrics._scorers import SCORERS, get_scorers
from sksuperpixel.metrics._shape import compactness, global_regularity, n_superpixels
from sksuperpixel.metrics._variation import explained_variation

__all__ = [
    "SCORERS",
    "achievable_iou",
    "achievable_segmentation_accuracy",
    "boundary_precision",
    "boundary_recall",
    "compactness",
    "explained_variation",
    "get_scorers",
    "global_regularity",
    "mean_distance_to_edge",
    "n_superpixels",
    "superpixel_report",
    "undersegmentation_error",
]
