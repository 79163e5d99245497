"""The metric that looks at the image itself: how much of its variation superpixels explain."""

import numpy as np

from sksuperpixel._images.images import check_finite
from sksuperpixel.metrics._checks import about, split_images
from sksuperpixel.metrics._docs import share_docs
from sksuperpixel.metrics._image_scores import overlaps


@share_docs()
def explained_variation(image, y_pred, *, masks=None):
    r"""Compute the fraction of an image's variation that the superpixels' means explain.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, C), or sequence of such arrays
        The image, or one image per label map if `y_pred` is a sequence. The shape for a volume
        is (D, H, W) or (D, H, W, C). Values can be any real numbers. Channels with a larger
        variance count more. Pixels of NumPy masked arrays are left out if they are masked in any
        channel.

    %(y_pred)s

    %(masks)s

    Returns
    -------
    float
        The fraction, from 0 to 1, averaged over images; higher is better.

    Raises
    ------
    ValueError
        If a shape or the number of images is wrong, if a pixel that counts is NaN or infinite,
        or if no pixel is left to score. The message contains the index of the image.
    TypeError
        If labels are not integers, or the image does not hold real numbers.

    Notes
    -----
    With the values x of the pixels, their mean :math:`\mu_s` in each superpixel s and their mean
    :math:`\mu` in the image, the score is [1]_

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
    images = split_images(y_pred, masks=masks, images=image, images_name="image")
    return float(np.mean([variation_of(each) for each in images]))


def variation_of(image):
    """Compute the explained variation of a `ScoredImage`, ignoring its segmentations."""
    (pair,) = overlaps(image._replace(segmentations=None), ignore_label=None)
    with about(image.index, "image"):
        check_finite(image.image, None if image.inside.all() else image.inside)
    return pair.superpixels.explained_variation(image.image)
