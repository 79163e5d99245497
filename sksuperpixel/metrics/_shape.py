"""Metrics that look only at the superpixels: their shapes and their number."""

from operator import methodcaller

import numpy as np

from sksuperpixel.metrics._checks import check_ignore_label, split_images
from sksuperpixel.metrics._docs import share_docs
from sksuperpixel.metrics._image_scores import count_superpixels, overlaps, score


@share_docs(
    meaning="The score, at most pi / 4 (a square), or pi / 6 in a volume; higher is rounder."
)
def compactness(y_pred, *, y_true=None, ignore_label=None, average="mean", masks=None):
    r"""Measure how much the superpixels resemble discs, or balls in a volume.

    Parameters
    ----------
    %(y_pred)s

    %(y_true_optional)s

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
    global_regularity : A measure for which a disc and a square are equally regular.

    Notes
    -----
    This is the mean isoperimetric quotient of the superpixels s, weighted by their areas A [1]_,

    .. math:: \sum_s \frac{A_s}{N} \frac{4 \pi A_s}{P_s^2}

    where the perimeter P is the number of pixel edges between the superpixel and anything else,
    including the image's border and pixels that are left out. In a volume, with V voxels and B
    voxel faces on the boundary, the quotient is :math:`36 \pi V^2 / B^3`.

    References
    ----------
    .. [1] A. Schick, M. Fischer, R. Stiefelhagen, "Measuring and evaluating the compactness of
       superpixels", International Conference on Pattern Recognition, 2012.

    Examples
    --------
    Two squares of 2 x 2 pixels, with a quotient of 4 pi 4 / 8^2 each:

    >>> import numpy as np
    >>> from sksuperpixel.metrics import compactness
    >>> round(compactness(np.array([[0, 0, 1, 1], [0, 0, 1, 1]])), 4)
    0.7854
    """
    return score(
        methodcaller("compactness"),
        y_pred,
        y_true=y_true,
        ignore_label=ignore_label,
        average=average,
        masks=masks,
    )


@share_docs(meaning="The score, at most 1 (equal squares); higher is more regular.")
def global_regularity(y_pred, *, y_true=None, ignore_label=None, average="mean", masks=None):
    r"""Measure how convex, balanced, smooth and similar to each other the superpixels are.

    Parameters
    ----------
    y_pred : array of int, shape (H, W), or sequence of such arrays
        The superpixels of one image, or of each image of a sequence. Pixels with a negative
        label and masked pixels of NumPy masked arrays are left out. The measure is not defined
        for volumes.

    %(y_true_optional)s

    %(ignore_label)s

    %(average)s

    %(masks)s

    Returns
    -------
    %(scores)s

    Raises
    ------
    ValueError
        If a label map is a volume, if a parameter, a shape or the number of images is wrong, or
        if no pixel is left to score. The message contains the index of the image.
    TypeError
        If labels are not integers.

    See Also
    --------
    compactness : How round superpixels are.

    Notes
    -----
    The measure is the product of two factors [1]_. The *shape regularity criteria* [2]_ compare
    the perimeter P and the area of each superpixel s with those of its convex hull H, and compare
    the superpixel's extents along the two axes:

    .. math:: SRC = \sum_s \frac{|s|}{N} \cdot \frac{P_H / |H|}{P_s / |s|} \cdot
        \sqrt{\frac{\min(\sigma_x, \sigma_y)}{\max(\sigma_x, \sigma_y)}}

    The *smooth matching factor* compares each superpixel with the average shape. All superpixels
    are moved so that their barycentres are at the origin. S is the fraction of the N pixels that
    then lie at each place, and s / \|s\| is this fraction for one superpixel:

    .. math:: SMF = 1 - \sum_s \frac{|s|}{N} \frac{1}{2}
        \left\| S - \frac{s}{|s|} \right\|_1

    The formulas leave the discretisation open. Here it is as follows:

    - the hull is that of the pixel centres, and \|H\| counts the pixels whose centres it
      contains, so a superpixel that is a discretised convex shape is its own hull;
    - perimeters follow from Crofton's formula with the four directions of the grid, which counts
      how often the lines through the pixels enter or leave s: lines along rows and columns and,
      with weight :math:`1 / \sqrt 2`, along both diagonals; each line that meets H crosses it
      twice;
    - :math:`P_H / P_s` is at most 1, which matters only for superpixels in several pieces;
    - variances include 1 / 12, the variance of coordinates within a pixel, so that the root is
      :math:`\sqrt{a / b}` for a rectangle of a x b pixels, even for a single row;
    - barycentres are rounded to whole pixels, halves upwards.

    Another definition of the perimeter or of the hull changes the measure by some per cent, so
    compare only figures that were computed in the same way.

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
    >>> global_regularity(np.array([[0, 0, 1, 1], [0, 0, 1, 1]]))
    1.0
    """
    return score(
        methodcaller("global_regularity"),
        y_pred,
        y_true=y_true,
        ignore_label=ignore_label,
        average=average,
        masks=masks,
        volumes=False,
    )


@share_docs()
def n_superpixels(y_pred, *, y_true=None, ignore_label=None, masks=None):
    """Count the superpixels.

    Parameters
    ----------
    %(y_pred)s

    %(y_true_optional)s

    %(ignore_label)s

    %(masks)s

    Returns
    -------
    float
        The number of superpixels, averaged over images. For one image it is a whole number. A
        superpixel counts if at least one of its pixels is not void for at least one annotator.

    Raises
    ------
    %(errors)s

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.metrics import n_superpixels
    >>> n_superpixels(np.array([[1, 1, 7], [1, 1, -1]]))
    2.0
    """
    check_ignore_label(ignore_label)
    images = split_images(y_pred, y_true=y_true, masks=masks)
    return float(np.mean([count_superpixels(overlaps(each, ignore_label)) for each in images]))
