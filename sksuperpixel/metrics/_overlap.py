"""Metrics of how superpixels and segments overlap."""

from operator import methodcaller

from sksuperpixel.metrics._checks import check_given
from sksuperpixel.metrics._docs import share_docs
from sksuperpixel.metrics._image_scores import score


@share_docs(meaning="The error; lower is better.")
def undersegmentation_error(y_true, y_pred, *, ignore_label=None, average="mean", masks=None):
    r"""Measure how far superpixels leak across segments, as a fraction of the pixels.

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
    achievable_segmentation_accuracy : The accuracy that superpixels allow.

    Notes
    -----
    This is the variant of Neubert and Protzel [1]_: if a superpixel lies partly in a segment, the
    smaller of its two parts, inside and outside the segment, counts. With superpixels s,
    segments g and N pixels, it is

    .. math:: \frac{1}{N} \sum_g \sum_{s : s \cap g \ne \emptyset}
        \min(|s \cap g|, |s \setminus g|)

    A pixel that leaks is counted for both segments. If two equal halves of a superpixel lie in
    two segments, all of its pixels count.

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
    check_given(y_true)
    return score(
        methodcaller("undersegmentation_error"),
        y_pred,
        y_true=y_true,
        ignore_label=ignore_label,
        average=average,
        masks=masks,
    )


@share_docs(meaning="The accuracy, at most 1; higher is better.")
def achievable_segmentation_accuracy(
    y_true, y_pred, *, ignore_label=None, average="mean", masks=None
):
    r"""Compute the accuracy of the best segmentation that superpixels allow.

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
    achievable_iou : The same with intersection over union.

    Notes
    -----
    Each superpixel s takes the segment g that it overlaps most [1]_:

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
    check_given(y_true)
    return score(
        methodcaller("achievable_segmentation_accuracy"),
        y_pred,
        y_true=y_true,
        ignore_label=ignore_label,
        average=average,
        masks=masks,
    )


@share_docs(meaning="The score, at most 1; higher is better.")
def achievable_iou(y_true, y_pred, *, ignore_label=None, average="mean", masks=None):
    r"""Compute the intersection over union of the best segmentation that superpixels allow.

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
    achievable_segmentation_accuracy : The same with plain accuracy.

    Notes
    -----
    Each superpixel takes the segment that it overlaps most, as in the achievable segmentation
    accuracy [1]_. In a tie, it takes the one with the lower label. With the union
    :math:`\hat g` of the superpixels that take segment g, the score is

    .. math:: \sum_g \frac{|g|}{N} \frac{|g \cap \hat g|}{|g \cup \hat g|}

    A segment that no superpixel takes adds 0.

    References
    ----------
    .. [1] M.-Y. Liu, O. Tuzel, S. Ramalingam, R. Chellappa, "Entropy rate superpixel
       segmentation", IEEE Conference on Computer Vision and Pattern Recognition, 2011.

    Examples
    --------
    The second superpixel overlaps both segments equally. It takes segment 0, and no superpixel
    takes segment 1.

    >>> import numpy as np
    >>> from sksuperpixel.metrics import achievable_iou
    >>> segmentation = np.array([[0, 0, 0, 1], [0, 0, 0, 1]])
    >>> superpixels = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
    >>> achievable_iou(segmentation, superpixels)
    0.5625
    """
    check_given(y_true)
    return score(
        methodcaller("achievable_iou"),
        y_pred,
        y_true=y_true,
        ignore_label=ignore_label,
        average=average,
        masks=masks,
    )
