"""Metrics of how well superpixel edges follow the edges of segments."""

from operator import methodcaller

from sksuperpixel.metrics._checks import check_given, check_tolerance
from sksuperpixel.metrics._docs import share_docs
from sksuperpixel.metrics._image_scores import score


@share_docs(meaning="The score, at most 1; higher is better.")
def boundary_recall(y_true, y_pred, *, tolerance=2, ignore_label=None, average="mean", masks=None):
    r"""Compute the fraction of the true edge pixels that have a superpixel edge nearby.

    Parameters
    ----------
    %(y_true)s

    %(y_pred)s

    tolerance : int, default=2
        The largest distance to a superpixel edge, in pixels along each axis.

    %(ignore_label)s

    %(average)s

    %(masks)s

    Returns
    -------
    %(scores)s

    Raises
    ------
    %(errors)s

    See Also
    --------
    boundary_precision : The fraction of superpixel edges that are near a true edge.
    mean_distance_to_edge : The distance to the nearest superpixel edge.

    Notes
    -----
    A true edge pixel is one whose next neighbour along some axis (to the right, below) is in
    another segment, so an edge is one pixel wide. Superpixel edges are the pixels on *both*
    sides of such a change. A pair of pixels makes no edge if one of them is left out. With the
    tolerance t, the score is [1]_

    .. math:: \frac{|\{p \in E_{true} : \min_{q \in E} \|p - q\|_\infty \le t\}|}
        {|E_{true}|}

    and 1 if there is no true edge. Published figures differ in the neighbourhood and in the
    width of edges, so compare only figures that were computed in the same way.

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
    check_given(y_true)
    check_tolerance(tolerance)
    return score(
        methodcaller("boundary_recall", tolerance),
        y_pred,
        y_true=y_true,
        ignore_label=ignore_label,
        average=average,
        masks=masks,
    )


@share_docs(meaning="The score, at most 1; higher is better.")
def boundary_precision(
    y_true, y_pred, *, tolerance=2, ignore_label=None, average="mean", masks=None
):
    r"""Compute the fraction of the superpixel edge pixels that have a true edge nearby.

    Parameters
    ----------
    %(y_true)s

    %(y_pred)s

    tolerance : int, default=2
        The largest distance to a true edge, in pixels along each axis.

    %(ignore_label)s

    %(average)s

    %(masks)s

    Returns
    -------
    %(scores)s

    Raises
    ------
    %(errors)s

    See Also
    --------
    boundary_recall : The fraction of true edges that are near a superpixel edge.

    Notes
    -----
    Edges are those of `boundary_recall`; those of superpixels are two pixels wide:

    .. math:: \frac{|\{p \in E : \min_{q \in E_{true}} \|p - q\|_\infty \le t\}|}{|E|}

    and 1 if there is no superpixel edge. There are more superpixels than objects, so a low
    precision is not a fault in itself [1]_. The score is meant to compare label maps with the
    same number of superpixels.

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
    check_given(y_true)
    check_tolerance(tolerance)
    return score(
        methodcaller("boundary_precision", tolerance),
        y_pred,
        y_true=y_true,
        ignore_label=ignore_label,
        average=average,
        masks=masks,
    )


@share_docs(meaning="The distance in pixels; lower is better.")
def mean_distance_to_edge(y_true, y_pred, *, ignore_label=None, average="mean", masks=None):
    r"""Compute the mean distance from true edge pixels to the nearest superpixel edge.

    Parameters
    ----------
    %(y_true)s

    %(y_pred)s

    %(ignore_label)s

    %(average)s

    %(masks)s

    Returns
    -------
    %(scores)s

    Raises
    ------
    %(errors)s

    See Also
    --------
    boundary_recall : The fraction of true edges that are near a superpixel edge.

    Notes
    -----
    With the edges of `boundary_recall` [1]_,

    .. math:: \frac{1}{|E_{true}|} \sum_{p \in E_{true}} \min_{q \in E} \|p - q\|_2

    It is 0 if there is no true edge. If there is no superpixel edge, it is the length of the
    image's diagonal, that is, the largest distance between two pixels.

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
    check_given(y_true)
    return score(
        methodcaller("mean_distance_to_edge"),
        y_pred,
        y_true=y_true,
        ignore_label=ignore_label,
        average=average,
        masks=masks,
    )
