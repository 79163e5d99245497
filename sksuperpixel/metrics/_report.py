"""All metrics at once, in a table."""

from operator import methodcaller

import numpy as np

from sksuperpixel.metrics._checks import (
    check_ignore_label,
    check_length,
    check_tolerance,
    is_batch,
    split_images,
)
from sksuperpixel.metrics._docs import share_docs
from sksuperpixel.metrics._image_scores import count_superpixels, overlaps
from sksuperpixel.metrics._variation import variation_of


@share_docs()
def superpixel_report(
    y_true, y_pred, *, images=None, ignore_label=None, tolerance=2, index=None, masks=None
):
    """Compute all metrics at once, with one row per image.

    Parameters
    ----------
    y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays, or None
        The segmentation of one image, or those of its A annotators. The shape for a volume is
        (D, H, W) or (A, D, H, W). If `y_pred` is a sequence, one such array per image. Masked
        pixels of NumPy masked arrays are left out. If None, the metrics that need ground truth
        are left out.

    %(y_pred)s

    images : array of shape (H, W) or (H, W, C), or sequence of such arrays, default=None
        The images, for `explained_variation`. Masked pixels of NumPy masked arrays are left out
        of all metrics.

    %(ignore_label)s

    tolerance : int, default=2
        The largest distance between edges that `boundary_recall` and `boundary_precision` accept,
        in pixels along each axis.

    index : sequence, default=None
        Names of the images; None for 0, 1, ...

    %(masks)s

    Returns
    -------
    pandas.DataFrame
        One row per image, averaged over annotators, and one column per metric with the name of
        its function. All columns are floats except `n_superpixels`, which is int.
        `global_regularity` is NaN for volumes.

    Raises
    ------
    ValueError
        If a parameter, a shape or the number of images is wrong, if a pixel that counts is NaN or
        infinite in `images`, or if no pixel is left to score. The message contains the index of
        the image.
    TypeError
        If labels are not integers, or an image does not hold real numbers.

    Notes
    -----
    The metrics share their work: edges, distances and the table of overlaps are computed once.
    `explained_variation` ignores the segmentations and therefore does not leave out void pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.metrics import superpixel_report
    >>> segmentation = np.repeat([[0, 0, 0, 1]], 2, axis=0)
    >>> superpixels = np.repeat([[0, 0, 1, 1]], 2, axis=0)
    >>> report = superpixel_report([segmentation], [superpixels], index=["my image"])
    >>> report[["undersegmentation_error", "achievable_iou", "n_superpixels"]]
              undersegmentation_error  achievable_iou  n_superpixels
    my image                      0.5          0.5625              2
    """
    import pandas as pd

    check_tolerance(tolerance)
    check_ignore_label(ignore_label)
    if index is not None:
        check_length("index", index, len(y_pred) if is_batch(y_pred) else 1)
    measures = {} if y_true is None else _measures_against_segments(tolerance)
    measures["compactness"] = methodcaller("compactness")
    rows = []
    for image in split_images(y_pred, y_true=y_true, masks=masks, images=images):
        pairs = overlaps(image, ignore_label)
        row = {name: np.mean([of(pair) for pair in pairs]) for name, of in measures.items()}
        row["global_regularity"] = (
            np.mean([pair.global_regularity() for pair in pairs])
            if image.label_map.ndim == 2
            else np.nan
        )
        if images is not None:
            row["explained_variation"] = variation_of(image)
        row["n_superpixels"] = count_superpixels(pairs)
        rows.append(row)
    return pd.DataFrame(rows, index=index)


def _measures_against_segments(tolerance):
    """Return the measures of an `Overlap` that need ground truth, in the order of columns."""
    return {
        "boundary_recall": methodcaller("boundary_recall", tolerance),
        "boundary_precision": methodcaller("boundary_precision", tolerance),
        "mean_distance_to_edge": methodcaller("mean_distance_to_edge"),
        "undersegmentation_error": methodcaller("undersegmentation_error"),
        "achievable_segmentation_accuracy": methodcaller("achievable_segmentation_accuracy"),
        "achievable_iou": methodcaller("achievable_iou"),
    }
