"""Scores of superpixels against ground truth, and of their shapes alone.

All metrics take label maps of anyone's making, one image or many, and segmentations by one or
several annotators. `superpixel_report` computes all of them at once; `SCORERS` has them for
`GridSearchCV`.
"""

import numpy as np
from sklearn.metrics import make_scorer

from ._contingency import densify
from ._image_scores import overlaps
from ._label_maps import (
    check_annotations,
    check_batch,
    check_ignore_label,
    check_image,
    check_tolerance,
    is_batch,
)

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


def boundary_recall(y_true, y_pred, *, tolerance=2, ignore_label=None, average="mean"):
    r"""Share of the true edge pixels that have a superpixel edge nearby.

    Parameters
    ----------
    y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays
        The segmentation of an image, or those of its A annotators; for a volume (D, H, W) or
        (A, D, H, W). One an image where `y_pred` is a sequence.

    y_pred : array of int, shape (H, W), or sequence of such arrays
        The superpixels of an image, or of each image; for a volume (D, H, W). One array is
        always one image, and its number of axes tells whether `y_true` has one of annotators.
        Pixels with a negative label are left out.

    tolerance : int, default=2
        How far the superpixel edge may be, in pixels along each axis.

    ignore_label : int, optional
        Label of void pixels in `y_true`, which are left out. It may differ between annotators
        where it is.

    average : {"mean", None}, default="mean"
        "mean" averages over annotators, then over images. None gives the annotators' scores.

    Returns
    -------
    float, or ndarray of float, shape (A,), or list of such arrays
        The score, at most 1, the higher the better. With ``average=None`` an array for one
        image, a list of arrays for several.

    Raises
    ------
    ValueError
        If labels are no integers, shapes or numbers of images do not fit, or no pixel is left
        to score.

    See Also
    --------
    boundary_precision : The converse.
    mean_distance_to_edge : How far the nearest superpixel edge is.

    Notes
    -----
    A true edge pixel is one whose next neighbour along some axis (to the right, below) is in
    another segment; so an edge is one pixel wide. Superpixel edges are the pixels on *both*
    sides of such a change. A pair of pixels one of which is left out makes no edge. With t the
    tolerance, the share is [1]_

    .. math:: \frac{|\{p \in E_{true} : \min_{q \in E} \|p - q\|_\infty \le t\}|}
        {|E_{true}|}

    and 1 if there is no true edge. Published figures differ in the neighbourhood and in the
    width of the edges; compare none that were not computed alike.

    References
    ----------
    .. [1] D. R. Martin, C. C. Fowlkes, J. Malik, "Learning to detect natural image boundaries
       using local brightness, color, and texture cues", IEEE Transactions on Pattern Analysis
       and Machine Intelligence 26(5), 530-549, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.metrics import boundary_recall
    >>> segmentation = np.repeat([[0, 0, 0, 1, 1, 1, 1, 2]], 2, axis=0)
    >>> superpixels = np.repeat([[0, 1, 1, 1, 1, 1, 1, 1]], 2, axis=0)
    >>> boundary_recall(segmentation, superpixels, tolerance=1)
    0.5
    """
    check_tolerance(tolerance)
    return _score("boundary_recall", y_true, y_pred, ignore_label, average, tolerance)


def boundary_precision(y_true, y_pred, *, tolerance=2, ignore_label=None, average="mean"):
    r"""Share of the superpixel edge pixels that have a true edge nearby.

    Parameters
    ----------
    y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays
        Segmentations, see `boundary_recall`.

    y_pred : array of int, shape (H, W), or sequence of such arrays
        Superpixels, see `boundary_recall`.

    tolerance : int, default=2
        How far the true edge may be, in pixels along each axis.

    ignore_label : int, optional
        Label of void pixels in `y_true`, which are left out.

    average : {"mean", None}, default="mean"
        "mean" averages over annotators, then over images. None gives the annotators' scores.

    Returns
    -------
    float, or ndarray of float, shape (A,), or list of such arrays
        The score, at most 1, see `boundary_recall`.

    Raises
    ------
    ValueError
        As `boundary_recall`.

    See Also
    --------
    boundary_recall : The converse.

    Notes
    -----
    Edges are those of `boundary_recall`, two pixels wide for the superpixels:

    .. math:: \frac{|\{p \in E : \min_{q \in E_{true}} \|p - q\|_\infty \le t\}|}{|E|}

    and 1 if there is no superpixel edge. Superpixels cut more than objects, so a low precision
    is no fault in itself [1]_; it compares label maps with the same number of superpixels.

    References
    ----------
    .. [1] D. Stutz, A. Hermans, B. Leibe, "Superpixels: an evaluation of the state-of-the-art",
       Computer Vision and Image Understanding 166, 1-27, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.metrics import boundary_precision
    >>> segmentation = np.repeat([[0, 0, 0, 1, 1, 1, 1, 1]], 2, axis=0)
    >>> superpixels = np.repeat([[0, 0, 0, 1, 1, 1, 2, 2]], 2, axis=0)
    >>> boundary_precision(segmentation, superpixels, tolerance=1)
    0.5
    """
    check_tolerance(tolerance)
    return _score("boundary_precision", y_true, y_pred, ignore_label, average, tolerance)


def mean_distance_to_edge(y_true, y_pred, *, ignore_label=None, average="mean"):
    r"""Mean distance from the true edge pixels to the nearest superpixel edge.

    Parameters
    ----------
    y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays
        Segmentations, see `boundary_recall`.

    y_pred : array of int, shape (H, W), or sequence of such arrays
        Superpixels, see `boundary_recall`.

    ignore_label : int, optional
        Label of void pixels in `y_true`, which are left out.

    average : {"mean", None}, default="mean"
        "mean" averages over annotators, then over images. None gives the annotators' scores.

    Returns
    -------
    float, or ndarray of float, shape (A,), or list of such arrays
        The distance in pixels, the lower the better.

    Raises
    ------
    ValueError
        As `boundary_recall`.

    Notes
    -----
    With the edges of `boundary_recall` [1]_,

    .. math:: \frac{1}{|E_{true}|} \sum_{p \in E_{true}} \min_{q \in E} \|p - q\|_2

    It is 0 if there is no true edge. If there is no superpixel edge, it is the length of the
    image's diagonal, which no distance between two pixels exceeds.

    References
    ----------
    .. [1] W. Benesova, M. Kottman, "Fast superpixel segmentation using morphological
       processing", International Conference on Machine Vision and Machine Learning, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.metrics import mean_distance_to_edge
    >>> segmentation = np.repeat([[0, 0, 0, 0, 0, 1]], 3, axis=0)
    >>> superpixels = np.repeat([[0, 0, 1, 1, 1, 1]], 3, axis=0)
    >>> mean_distance_to_edge(segmentation, superpixels)
    2.0
    """
    return _score("mean_distance_to_edge", y_true, y_pred, ignore_label, average)


def undersegmentation_error(y_true, y_pred, *, ignore_label=None, average="mean"):
    r"""Share of the pixels by which superpixels leak over segments.

    Parameters
    ----------
    y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays
        Segmentations, see `boundary_recall`.

    y_pred : array of int, shape (H, W), or sequence of such arrays
        Superpixels, see `boundary_recall`.

    ignore_label : int, optional
        Label of void pixels in `y_true`, which are left out.

    average : {"mean", None}, default="mean"
        "mean" averages over annotators, then over images. None gives the annotators' scores.

    Returns
    -------
    float, or ndarray of float, shape (A,), or list of such arrays
        The error, the lower the better.

    Raises
    ------
    ValueError
        As `boundary_recall`.

    Notes
    -----
    The variant of Neubert and Protzel [1]_, in which a superpixel of any size counts by the
    smaller of its two parts; s runs over superpixels, g over segments, N is the number of pixels:

    .. math:: \frac{1}{N} \sum_g \sum_{s : s \cap g \ne \emptyset}
        \min(|s \cap g|, |s \setminus g|)

    A pixel that leaks is counted on both sides, so a superpixel halved by two segments counts
    with all its pixels.

    References
    ----------
    .. [1] P. Neubert, P. Protzel, "Superpixel benchmark and comparison", Forum
       Bildverarbeitung, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.metrics import undersegmentation_error
    >>> segmentation = np.array([[0, 0, 0, 1], [0, 0, 0, 1]])
    >>> superpixels = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
    >>> undersegmentation_error(segmentation, superpixels)
    0.5
    """
    return _score("undersegmentation_error", y_true, y_pred, ignore_label, average)


def achievable_segmentation_accuracy(y_true, y_pred, *, ignore_label=None, average="mean"):
    r"""Accuracy of the best segmentation that can be made of the superpixels.

    Parameters
    ----------
    y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays
        Segmentations, see `boundary_recall`.

    y_pred : array of int, shape (H, W), or sequence of such arrays
        Superpixels, see `boundary_recall`.

    ignore_label : int, optional
        Label of void pixels in `y_true`, which are left out.

    average : {"mean", None}, default="mean"
        "mean" averages over annotators, then over images. None gives the annotators' scores.

    Returns
    -------
    float, or ndarray of float, shape (A,), or list of such arrays
        The accuracy, at most 1, the higher the better.

    Raises
    ------
    ValueError
        As `boundary_recall`.

    Notes
    -----
    Each superpixel s takes the segment g it overlaps most [1]_:

    .. math:: \frac{1}{N} \sum_s \max_g |s \cap g|

    References
    ----------
    .. [1] M.-Y. Liu, O. Tuzel, S. Ramalingam, R. Chellappa, "Entropy rate superpixel
       segmentation", IEEE Conference on Computer Vision and Pattern Recognition, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.metrics import achievable_segmentation_accuracy
    >>> segmentation = np.array([[0, 0, 0, 1], [0, 0, 0, 1]])
    >>> superpixels = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
    >>> achievable_segmentation_accuracy(segmentation, superpixels)
    0.75
    """
    return _score("achievable_segmentation_accuracy", y_true, y_pred, ignore_label, average)


def achievable_iou(y_true, y_pred, *, ignore_label=None, average="mean"):
    r"""Intersection over union of the best segmentation that can be made of the superpixels.

    Parameters
    ----------
    y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays
        Segmentations, see `boundary_recall`.

    y_pred : array of int, shape (H, W), or sequence of such arrays
        Superpixels, see `boundary_recall`.

    ignore_label : int, optional
        Label of void pixels in `y_true`, which are left out.

    average : {"mean", None}, default="mean"
        "mean" averages over annotators, then over images. None gives the annotators' scores.

    Returns
    -------
    float, or ndarray of float, shape (A,), or list of such arrays
        The score, at most 1, the higher the better.

    Raises
    ------
    ValueError
        As `boundary_recall`.

    See Also
    --------
    achievable_segmentation_accuracy : The same with plain accuracy.

    Notes
    -----
    Each superpixel takes the segment it overlaps most, as in the achievable segmentation
    accuracy [1]_, in a tie the one with the lower label. With :math:`\hat g` the union of the
    superpixels that take segment g,

    .. math:: \sum_g \frac{|g|}{N} \frac{|g \cap \hat g|}{|g \cup \hat g|}

    so a segment that no superpixel takes counts 0.

    References
    ----------
    .. [1] M.-Y. Liu, O. Tuzel, S. Ramalingam, R. Chellappa, "Entropy rate superpixel
       segmentation", IEEE Conference on Computer Vision and Pattern Recognition, 2011.

    Examples
    --------
    The second superpixel is a tie: segment 0 takes it all and segment 1 has nothing.

    >>> import numpy as np
    >>> from sksuperpixel.metrics import achievable_iou
    >>> segmentation = np.array([[0, 0, 0, 1], [0, 0, 0, 1]])
    >>> superpixels = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
    >>> achievable_iou(segmentation, superpixels)
    0.5625
    """
    return _score("achievable_iou", y_true, y_pred, ignore_label, average)


def compactness(y_true, y_pred, *, ignore_label=None, average="mean"):
    r"""Tell how much the superpixels resemble discs, or balls in a volume.

    Parameters
    ----------
    y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays, or None
        Segmentations, see `boundary_recall`. Only their void pixels matter.

    y_pred : array of int, shape (H, W), or sequence of such arrays
        Superpixels, see `boundary_recall`.

    ignore_label : int, optional
        Label of void pixels in `y_true`, which are left out.

    average : {"mean", None}, default="mean"
        "mean" averages over annotators, then over images. None gives the annotators' scores.

    Returns
    -------
    float, or ndarray of float, shape (A,), or list of such arrays
        The score, at most pi / 4 (of a square), pi / 6 in a volume; the higher the rounder.

    Raises
    ------
    ValueError
        As `boundary_recall`.

    See Also
    --------
    global_regularity : A measure that takes a disc and a square for equally regular.

    Notes
    -----
    The isoperimetric quotients of the superpixels s, weighted by their areas A [1]_,

    .. math:: \sum_s \frac{A_s}{N} \frac{4 \pi A_s}{P_s^2}

    where the perimeter P is the number of pixel edges between the superpixel and anything else:
    the image's border and pixels left out, too. In a volume, with V voxels and B voxel faces on
    the boundary, the quotient is :math:`36 \pi V^2 / B^3`.

    References
    ----------
    .. [1] A. Schick, M. Fischer, R. Stiefelhagen, "Measuring and evaluating the compactness of
       superpixels", International Conference on Pattern Recognition, 2012.

    Examples
    --------
    Two squares of side 2, each 4 pi 4 / 8^2:

    >>> import numpy as np
    >>> from sksuperpixel.metrics import compactness
    >>> round(compactness(None, np.array([[0, 0, 1, 1], [0, 0, 1, 1]])), 4)
    0.7854
    """
    return _score("compactness", y_true, y_pred, ignore_label, average)


def global_regularity(y_true, y_pred, *, ignore_label=None, average="mean"):
    r"""Tell how regular the superpixels are: convex, balanced, smooth and alike.

    Parameters
    ----------
    y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays, or None
        Segmentations, see `boundary_recall`. Only their void pixels matter.

    y_pred : array of int, shape (H, W), or sequence of such arrays
        Superpixels of images, see `boundary_recall`. The measure is not defined for volumes.

    ignore_label : int, optional
        Label of void pixels in `y_true`, which are left out.

    average : {"mean", None}, default="mean"
        "mean" averages over annotators, then over images. None gives the annotators' scores.

    Returns
    -------
    float, or ndarray of float, shape (A,), or list of such arrays
        The score, at most 1, which squares of one size have; the higher the more regular.

    Raises
    ------
    ValueError
        As `boundary_recall`, and if a label map is a volume.

    See Also
    --------
    compactness : How round superpixels are.

    Notes
    -----
    The product of two factors [1]_. The *shape regularity criteria* [2]_ compare each superpixel
    s with its convex hull H, by perimeter P and area, and its extents along the two axes:

    .. math:: SRC = \sum_s \frac{|s|}{N} \cdot \frac{P_H / |H|}{P_s / |s|} \cdot
        \sqrt{\frac{\min(\sigma_x, \sigma_y)}{\max(\sigma_x, \sigma_y)}}

    The *smooth matching factor* compares it with the average shape. Each superpixel is moved so
    that its barycentre is at the origin; S is the share of the N pixels that come to lie at a
    place, s / \|s\| the same of one superpixel:

    .. math:: SMF = 1 - \sum_s \frac{|s|}{N} \frac{1}{2}
        \left\| S - \frac{s}{|s|} \right\|_1

    The formulas leave the discretisation open. Here

    - the hull is that of the pixel centres, and \|H\| counts the pixels whose centre is in it:
      superpixels that are discretised convex shapes are their own hulls;
    - perimeters follow from Crofton's formula with the grid's four directions: how often the
      lines through the pixels enter or leave s, along rows and columns and, with weight
      :math:`1 / \sqrt 2`, along both diagonals; each line that meets H crosses it twice;
    - :math:`P_H / P_s` is at most 1, which matters only to superpixels in several pieces;
    - the variances include the 1 / 12 of the coordinates within a pixel, so that a rectangle of
      a x b pixels, even one row of them, has :math:`\sqrt{a / b}`;
    - barycentres are rounded to pixels, halves up.

    Another perimeter or another hull moves the measure by some per cent: compare no figures that
    were not computed alike.

    References
    ----------
    .. [1] R. Giraud, V.-T. Ta, N. Papadakis, "Evaluation framework of superpixel methods with a
       global regularity measure", Journal of Electronic Imaging 26(6), 061603, 2017.
    .. [2] R. Giraud, V.-T. Ta, N. Papadakis, "Robust shape regularity criteria for superpixel
       evaluation", IEEE International Conference on Image Processing, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.metrics import global_regularity
    >>> global_regularity(None, np.array([[0, 0, 1, 1], [0, 0, 1, 1]]))
    1.0
    """
    return _score("global_regularity", y_true, y_pred, ignore_label, average)


def n_superpixels(y_true, y_pred, *, ignore_label=None):
    """Count the superpixels.

    Parameters
    ----------
    y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays, or None
        Segmentations, see `boundary_recall`. Only their void pixels matter.

    y_pred : array of int, shape (H, W), or sequence of such arrays
        Superpixels, see `boundary_recall`.

    ignore_label : int, optional
        Label of void pixels in `y_true`.

    Returns
    -------
    float
        The number of superpixels, averaged over images. It is a whole number an image: a
        superpixel counts if it has a pixel that is void to not all of the annotators.

    Raises
    ------
    ValueError
        As `boundary_recall`.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.metrics import n_superpixels
    >>> n_superpixels(None, np.array([[1, 1, 7], [1, 1, -1]]))
    2.0
    """
    check_ignore_label(ignore_label)
    images = check_batch(y_pred, y_true=y_true)
    return float(np.mean([_count(_pairs(*each, y_true, ignore_label)) for each in images]))


def explained_variation(image, y_pred):
    r"""Share of an image's variation that the mean values of the superpixels keep.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, C), or sequence of such arrays
        The image, or the images where `y_pred` is a sequence; for a volume (D, H, W) or
        (D, H, W, C). Any real numbers; the channels count by their variances.

    y_pred : array of int, shape (H, W), or sequence of such arrays
        Superpixels, see `boundary_recall`.

    Returns
    -------
    float
        The share, from 0 to 1, the higher the better; averaged over images.

    Raises
    ------
    ValueError
        If labels are no integers, images no finite numbers, shapes or numbers of images do not
        fit, or no pixel is left to score.

    Notes
    -----
    With the values x of the pixels, their mean in each superpixel and that in the image [1]_,

    .. math:: \frac{\sum_i \|\mu_{s(i)} - \mu\|^2}{\sum_i \|x_i - \mu\|^2}

    and 1 for a constant image.

    References
    ----------
    .. [1] A. P. Moore, S. J. D. Prince, J. Warrell, U. Mohammed, G. Jones, "Superpixel
       lattices", IEEE Conference on Computer Vision and Pattern Recognition, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.metrics import explained_variation
    >>> image = np.array([[0, 0, 4, 8], [0, 0, 4, 8]])
    >>> superpixels = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
    >>> round(explained_variation(image, superpixels), 4)
    0.8182
    """
    images = check_batch(y_pred, image=image)
    return float(np.mean([_explained_variation(*each) for each in images]))


def superpixel_report(y_true, y_pred, *, images=None, ignore_label=None, tolerance=2, index=None):
    """Compute all metrics at once, one row an image.

    Parameters
    ----------
    y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays, or None
        Segmentations, see `boundary_recall`. None leaves out the metrics that need them.

    y_pred : array of int, shape (H, W), or sequence of such arrays
        Superpixels, see `boundary_recall`.

    images : array of shape (H, W) or (H, W, C), or sequence of such arrays, optional
        The images, for `explained_variation`.

    ignore_label : int, optional
        Label of void pixels in `y_true`, which are left out.

    tolerance : int, default=2
        How far edges may be from each other, see `boundary_recall`.

    index : sequence, optional
        Names of the images. Default: 0, 1, ...

    Returns
    -------
    pandas.DataFrame
        A row an image, averaged over annotators, and a column a metric, named as its function.
        All are floats but `n_superpixels`, which is int. `global_regularity` is NaN for volumes.

    Raises
    ------
    ValueError
        As `boundary_recall` and `explained_variation`, and if `index` has another length than
        there are images.

    Notes
    -----
    The metrics share their work: edges, distances and the table of overlaps are computed once.
    `explained_variation` knows no annotators and leaves out no void pixels.

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
    n_images = len(y_pred) if is_batch(y_pred) else 1
    if index is not None and len(index) != n_images:
        raise ValueError(
            f"index has length {len(index)}; expected {n_images}, one an image of y_pred."
        )
    names = _SCORES if y_true is not None else _SHAPE_SCORES
    rows = []
    for label_map, name_pred, segmentation, image in check_batch(
        y_pred, y_true=y_true, images=images
    ):
        pairs = _pairs(label_map, name_pred, segmentation, y_true, ignore_label)
        row = {}
        for name in names:
            defined = name != "global_regularity" or label_map.ndim == 2
            scores = [_SCORES[name](pair, tolerance) for pair in pairs] if defined else np.nan
            row[name] = np.mean(scores)
        if images is not None:
            row["explained_variation"] = _explained_variation(label_map, name_pred, image)
        row["n_superpixels"] = _count(pairs)
        rows.append(row)
    return pd.DataFrame(rows, index=index)


def get_scorers(*, tolerance=2, ignore_label=None):
    """Make scorers of all metrics, for `GridSearchCV` and `cross_validate`.

    Parameters
    ----------
    tolerance : int, default=2
        How far edges may be from each other, see `boundary_recall`.

    ignore_label : int, optional
        Label of void pixels in the segmentations, which are left out.

    Returns
    -------
    dict of str to callable
        ``scorer(estimator, images, segmentations)``, the higher the better: errors and
        distances are negated and named "neg_...", as in scikit-learn. The scorer of
        "explained_variation" needs no segmentations.

    Raises
    ------
    ValueError
        If `tolerance` or `ignore_label` is not what it must be.

    Notes
    -----
    A scorer compares what the estimator's ``predict`` gives for the images with their
    segmentations. Both are one an image: a stacked array is split along its first axis. With
    ``scoring=get_scorers()`` the metrics that need segmentations share one call of ``predict``.

    Examples
    --------
    >>> from sksuperpixel.metrics import get_scorers
    >>> sorted(get_scorers(ignore_label=11))[:3]
    ['achievable_iou', 'achievable_segmentation_accuracy', 'boundary_precision']
    """
    check_tolerance(tolerance)
    check_ignore_label(ignore_label)
    scorers = {}
    for metric in (
        boundary_recall,
        boundary_precision,
        mean_distance_to_edge,
        undersegmentation_error,
        achievable_segmentation_accuracy,
        achievable_iou,
        compactness,
        global_regularity,
        n_superpixels,
    ):
        settings = {"metric": metric, "ignore_label": ignore_label}
        if metric in (boundary_recall, boundary_precision):
            settings["tolerance"] = tolerance
        lower_is_better = metric in (mean_distance_to_edge, undersegmentation_error)
        name = f"neg_{metric.__name__}" if lower_is_better else metric.__name__
        scorers[name] = make_scorer(
            _score_images, greater_is_better=not lower_is_better, **settings
        )
    scorers["explained_variation"] = _score_explained_variation
    return scorers


# What one annotator's view of an image scores: the columns of a report.
_SCORES = {
    "boundary_recall": lambda pair, tolerance: pair.boundary_recall(tolerance),
    "boundary_precision": lambda pair, tolerance: pair.boundary_precision(tolerance),
    "mean_distance_to_edge": lambda pair, _: pair.mean_distance_to_edge(),
    "undersegmentation_error": lambda pair, _: pair.contingency.undersegmentation_error(),
    "achievable_segmentation_accuracy": (
        lambda pair, _: pair.contingency.achievable_segmentation_accuracy()
    ),
    "achievable_iou": lambda pair, _: pair.contingency.achievable_iou(),
    "compactness": lambda pair, _: pair.superpixels.compactness,
    "global_regularity": lambda pair, _: pair.superpixels.global_regularity,
}
_SHAPE_SCORES = ("compactness", "global_regularity")


def _score(name, y_true, y_pred, ignore_label, average, tolerance=None):
    """Mean or annotators' scores of the metric `name`."""
    if average not in ("mean", None):
        raise ValueError(f"average is {average!r}; expected 'mean' or None.")
    if y_true is None and name not in _SHAPE_SCORES:
        raise ValueError(f"y_true is None; {name} needs segmentations.")
    check_ignore_label(ignore_label)
    scores = []
    for each in check_batch(y_pred, y_true=y_true):
        pairs = _pairs(*each, y_true, ignore_label)
        scores.append(np.array([_SCORES[name](pair, tolerance) for pair in pairs]))
    if average == "mean":
        return float(np.mean([of_image.mean() for of_image in scores]))
    return scores if is_batch(y_pred) else scores[0]


def _pairs(label_map, name_pred, segmentation, y_true, ignore_label):
    """Pair an image, as `check_batch` gives it, with its annotators: a list of `Overlap`."""
    annotations, name_true = segmentation
    if y_true is not None:
        annotations = check_annotations(annotations, label_map.shape, name_true, name_pred)
    return overlaps(label_map, annotations, ignore_label, name_pred, name_true)


def _explained_variation(label_map, name_pred, image):
    """Score an image as `check_batch` gives it."""
    image, name_image = image
    image = check_image(image, label_map.shape, name_image, name_pred)
    (pair,) = overlaps(label_map, None, None, name_pred)
    return pair.superpixels.explained_variation(image, name_image)


def _count(pairs):
    """Count the superpixels that have a valid pixel for some annotator."""
    superpixels = pairs[0].superpixels
    valid = np.logical_or.reduce([pair.superpixels.valid for pair in pairs])
    return densify(superpixels.label_map[valid])[1]


def _score_images(y_true, y_pred, *, metric, **settings):
    """Score predictions of a scikit-learn estimator: the first axis is always the images."""
    return metric(y_true, _as_images(y_pred), **settings)


def _score_explained_variation(estimator, X, y=None):
    """Score the predictions of `estimator` for the images X by `explained_variation`."""
    return explained_variation(X, _as_images(estimator.predict(X)))


def _as_images(label_maps):
    return list(label_maps) if isinstance(label_maps, np.ndarray) else label_maps


#: Scorers of all metrics with their default settings, see `get_scorers`.
SCORERS = get_scorers()
