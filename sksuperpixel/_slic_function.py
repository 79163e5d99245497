"""The function `slic`: one image in, one label map out, called like scikit-image's."""

import math
import sys
from numbers import Integral, Real
from warnings import warn

import numpy as np
from scipy import ndimage

from sksuperpixel._base import SHARED_CONSTRAINTS
from sksuperpixel._images.images import check_finite
from sksuperpixel._images.masks import fill_outside
from sksuperpixel._images.parameters import as_floats, check_spacing, shown
from sksuperpixel._images.pictures import is_picture, picture_in_layout
from sksuperpixel._images.reader import read_image
from sksuperpixel._slic import SLIC
from sksuperpixel.features import LabFeatures

# The estimator cuts an image into a multiple of `n_segments` regions, then merges them. With few
# segments these regions would be large and cross straight borders, so there are at least this
# many.
_FIRST_REGIONS = 300
# A high compactness asks for squares, but merged regions are never as compact as squares. If the
# compactness is more than this many times the contrast, scikit-image's superpixels are more
# compact than merged ones. In that case the cells of the grid are kept if their number is right.
# If not, the image is cut into slightly more cells, and only a few of them are merged.
_SQUARE_FROM = 5
_OF_SQUARES = (1, 1.1)
# The time for smoothing grows with the standard deviation of the Gaussian, in pixels.
_LARGEST_SIGMA = 1000
# The square of a much smaller weight of distances in space is 0 in float32.
_SMALLEST_WEIGHT = 1e-19


def slic(
    image,
    n_segments=100,
    compactness=10.0,
    max_num_iter=10,
    sigma=0,
    spacing=None,
    convert2lab=None,
    enforce_connectivity=True,
    min_size_factor=0.5,
    max_size_factor=3,
    slic_zero=False,
    start_label=1,
    mask=None,
    *,
    channel_axis=-1,
):
    """Cut one image into an exact number of superpixels.

    The parameters are those of :func:`skimage.segmentation.slic`, with the same names, order,
    defaults and meaning, so that it is enough to change the import. Like that function, and
    unlike the estimators of this library, it rescales the image to its own range and converts
    three channels to CIELAB. The superpixels are those of SLIC [1]_ as the estimator
    :class:`~sksuperpixel.SLIC` with `n_segments` finds them: their number is exact, and each is
    one connected region.

    Parameters
    ----------
    image : array-like of shape (H, W), (D, H, W), (H, W, C) or (D, H, W, C)
        An image, or a volume, of real numbers of any range. A numpy masked array is an image
        with a mask: a pixel that is masked in any channel is outside.
    n_segments : int, default=100
        Exact number of superpixels. There are fewer only where the image or its mask has fewer
        pixels: then each pixel is a superpixel. There are more only where the mask has more
        unconnected parts: then each part is a superpixel. With ``enforce_connectivity=False``
        the number is approximate. A number that is not whole is rounded. At most ``2**31 - 1``.
    compactness : float, default=10.0
        Weight of distance in space against distance in colour. A difference in colour of this
        size counts as much as a distance of one superpixel's width. Larger values make
        superpixels squarer. In CIELAB, lightness goes from 0 to 100. Images that are not
        converted lie in [0, 1] and need much smaller values, such as 0.1. With `slic_zero`
        every superpixel starts from this value. At most 1e37.
    max_num_iter : int, default=10
        Number of iterations of the clustering, at most 10,000.
    sigma : float or sequence of float, default=0
        Standard deviation of the Gaussian that smooths the colours; 0 for no smoothing. One
        number holds for all axes, in the unit of `spacing`. A sequence has one number per axis,
        in pixels. At most 1000 pixels.
    spacing : sequence of float, default=None
        Size of a pixel along each axis except that of the channels; None for 1 along each axis.
        Distances in space are multiplied by it, so doubling the spacing has the same effect as
        doubling `compactness`. The largest number is at most a million times the smallest.
        Unless `compactness` is 0, its product with the geometric mean of these numbers must be
        from 1e-19 to 1e37.
    convert2lab : bool, default=None
        Whether to convert the image from RGB to CIELAB. None converts images of 3 channels.
        Images without an axis of channels are never converted.
    enforce_connectivity : bool, default=True
        Whether each superpixel is one connected region. If False, the superpixels are the
        clusters after the last iteration, and their number is only about `n_segments`.
    min_size_factor : float, default=0.5
        The image is first cut into more regions than `n_segments`, which are then merged.
        Before that, regions smaller than this fraction of their mean size join a neighbour. Values
        above 1 count as 1.
    max_size_factor : float, default=3
        Accepted so that existing calls work, but without effect. Splitting large superpixels
        would change their number, which is exact. Raise `compactness` for more equal sizes.
    slic_zero : bool, default=False
        Whether every superpixel adapts its compactness to its own contrast (SLICO [2]_).
    start_label : {0, 1}, default=1
        Label of the first superpixel. Pixels outside the mask have the label below it.
    mask : array-like of shape (H, W) or (D, H, W), default=None
        Superpixels are made where the mask is not zero. Pixels outside have no effect on the
        result, not even through smoothing, and may be NaN.
    channel_axis : int or None, default=-1
        Which axis of the image holds its channels; None for images (H, W) and volumes
        (D, H, W) without such an axis.

    Returns
    -------
    ndarray of shape (H, W) or (D, H, W), int
        Superpixels, labelled from `start_label` on in the raster order of their first pixels,
        or of their clusters' seeds with ``enforce_connectivity=False``. Pixels outside the mask
        are ``start_label - 1``.

    Raises
    ------
    TypeError
        If the image does not hold real numbers, or `spacing` is not a sequence.
    ValueError
        If the image or the mask has the wrong shape or the mask is empty, if the image is NaN
        or infinite inside the mask, if the image has two axes and `channel_axis` is not None,
        if `convert2lab` is True and the image does not have 3 channels, or if a parameter is
        out of its range.

    Warns
    -----
    FutureWarning
        If `sigma` or `spacing` has three numbers, but the image is not a volume. The first number
        is ignored.

    See Also
    --------
    SLIC : The estimator, for many images and any features.
    TrainableSLIC : The estimator with a distance learned from segmentations.

    Notes
    -----
    The image is rescaled so that its smallest value inside the mask becomes 0 and its largest 1,
    over all channels together. The colours are smoothed after the conversion to CIELAB. For
    smoothing, the image is mirrored at its border and at the border of the mask.

    The distance in colour and space is that of :class:`~sksuperpixel.SLIC` and of scikit-image,
    so `compactness` has the same meaning in all three. This function differs from the estimator
    in two ways. If `n_segments` is small, the image is first cut into at least 300 regions. If
    `compactness` is more than five times the contrast of the image (the standard deviation of
    its colours), superpixels are nearly the cells of a regular grid: the grid has few more cells
    than wanted, and only the surplus is merged.

    The number of threads is that of the :func:`joblib.parallel_backend` context, or one outside
    such a context. The result does not depend on it.

    References
    ----------
    .. [1] R. Achanta, A. Shaji, K. Smith, A. Lucchi, P. Fua, S. Süsstrunk. "SLIC superpixels
       compared to state-of-the-art superpixel methods". IEEE TPAMI 34(11), 2012.
    .. [2] R. Achanta et al. "SLICO: zero parameter version of SLIC", EPFL, 2012.
       https://www.epfl.ch/labs/ivrl/research/slic-superpixels/

    Examples
    --------
    >>> from skimage.data import astronaut, coins
    >>> from sksuperpixel import slic
    >>> superpixels = slic(astronaut(), n_segments=250, compactness=20)
    >>> superpixels.shape, superpixels.min().item(), superpixels.max().item()
    ((512, 512), 1, 250)

    A grey image has no axis of channels. Pixels outside a mask are 0:

    >>> image = coins()
    >>> mask = image > 100
    >>> superpixels = slic(image, 1000, 0.1, mask=mask, channel_axis=None)
    >>> superpixels[mask].min().item(), superpixels.max().item(), superpixels[~mask].max().item()
    (1, 1000, 0)
    """
    n_segments = round(_number("n_segments", n_segments, *_limits("n_segments")))
    compactness = _number("compactness", compactness, *_limits("compactness"))
    max_num_iter = _number("max_num_iter", max_num_iter, *_limits("max_iter"), whole=True)
    min_size_factor = _number("min_size_factor", min_size_factor, 0, math.inf)
    start_label = _number("start_label", start_label, 0, 1, whole=True)
    convert2lab = _flag("convert2lab", convert2lab, or_none=True)
    enforce_connectivity = _flag("enforce_connectivity", enforce_connectivity)
    slic_zero = _flag("slic_zero", slic_zero)
    if slic_zero and compactness == 0:
        raise ValueError("compactness: found 0, expected more than 0 with slic_zero")
    channel_axis = _unwrapped(channel_axis)
    if not (channel_axis is None or isinstance(channel_axis, Integral)):
        raise ValueError(f"channel_axis: found {shown(channel_axis)}, expected an axis or None")
    image, mask = _checked_image(image, mask, channel_axis)
    spacing = _checked_spacing(spacing, mask.ndim)
    weight = _weight_of_space(compactness, spacing)
    sigma = _checked_sigma(sigma, spacing)
    in_lab = _is_in_lab(image, convert2lab, channel_axis)

    # Cropped first, so that the size of the surroundings of the mask makes no difference.
    box = ndimage.find_objects(mask.astype(np.int8))[0]
    superpixels = np.full(mask.shape, start_label - 1, np.intp)
    image, mask = image[box], mask[box]
    n_pixels = np.count_nonzero(mask)
    if n_segments >= n_pixels:
        regions = np.where(mask, np.cumsum(mask).reshape(mask.shape) - 1, -1)
    else:
        estimator = SLIC(
            n_segments=n_segments,
            compactness=weight,
            max_iter=max_num_iter,
            features="passthrough",
            spacing=spacing,
            min_size_factor=min(min_size_factor, 1),
            enforce_connectivity=enforce_connectivity,
            adaptive_compactness=slic_zero,
        )
        regions = _regions(_features(image, mask, in_lab, sigma), mask, estimator)
    superpixels[box] = regions + start_label
    return superpixels


def _unwrapped(value):
    """Turn a NumPy scalar or an array without axes, as calculations leave them, into its item."""
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return value.item()
    return value


def _limits(name):
    """Return the least and the largest value of a number that the estimators also have."""
    interval = SHARED_CONSTRAINTS[name][0]
    return interval.left, interval.right


def _number(name, value, least, most, whole=False):
    """Check a parameter that is a single number, and return it as an int or a float."""
    value = _unwrapped(value)
    is_right = isinstance(value, Real) and least <= value <= most
    if not is_right or (whole and value != int(value)):
        kind = "whole number" if whole else "number"
        raise ValueError(f"{name}: found {shown(value)}, expected a {kind} from {least} to {most}")
    # A huge int is not a float.
    return int(value) if whole else float(min(value, sys.float_info.max))


def _flag(name, value, or_none=False):
    """Check a parameter that is True or False, and return it as a bool."""
    value = _unwrapped(value)
    if or_none and value is None:
        return None
    if not isinstance(value, Integral) or value not in (0, 1):
        expected = "True, False or None" if or_none else "True or False"
        raise ValueError(f"{name}: found {shown(value)}, expected {expected}")
    return bool(value)


def _checked_image(image, mask, channel_axis):
    """Check the image and its mask, and move the channels last.

    Returns
    -------
    image : ndarray of shape (..., C)
    mask : ndarray of shape (...), bool
        All True if there is no mask.
    """
    if is_picture(image):
        image = picture_in_layout(image, channel_axis)
    if channel_axis is not None and np.ndim(image) == 2:
        # As in scikit-image. Estimators take such an image for a grey one.
        raise ValueError(
            f"image: found shape {np.shape(image)}, but channel_axis={channel_axis} indicates "
            "multichannel images of 3 or 4 axes; expected channel_axis=None for a grey image"
        )
    if mask is not None:
        mask = np.asarray(mask).astype(bool)
    image, mask, *_ = read_image(image, mask, channel_axis)
    check_finite(image, mask)
    return image, np.ones(image.shape[:-1], bool) if mask is None else mask


def _is_in_lab(image, convert2lab, channel_axis):
    """Tell whether the image is to be converted to CIELAB."""
    if channel_axis is None:
        return False
    if convert2lab and image.shape[-1] != 3:
        raise ValueError(
            f"convert2lab: found an image of {image.shape[-1]} channels, expected the 3 of RGB"
        )
    return image.shape[-1] == 3 and convert2lab in (None, True)


def _checked_spacing(spacing, n_axes):
    if spacing is None:
        return (1.0,) * n_axes
    expected = "one number per axis"
    sizes = as_floats("spacing", spacing, expected)
    if sizes.ndim == 0:
        raise TypeError(f"spacing: found {shown(spacing)}, expected None or {expected}")
    sizes = _per_axis("spacing", sizes, n_axes)
    check_spacing(sizes, n_axes)
    return sizes


def _checked_sigma(sigma, spacing):
    n_axes = len(spacing)
    numbers = as_floats("sigma", sigma, "one number, or one for each axis of the image")
    if numbers.ndim == 0:
        numbers = np.array([numbers.item() / size for size in spacing])
    numbers = _per_axis("sigma", numbers, n_axes)
    if np.shape(numbers) != (n_axes,) or not all(0 <= each <= _LARGEST_SIGMA for each in numbers):
        raise ValueError(
            f"sigma: found {shown(numbers)} pixels, expected {n_axes} numbers, one for each axis "
            f"of the image, from 0 to {_LARGEST_SIGMA}"
        )
    return numbers


def _per_axis(name, numbers, n_axes):
    """Turn an array of one number per axis into a tuple."""
    numbers = tuple(numbers.tolist())
    if n_axes == 2 and len(numbers) == 3:
        # As scikit-image does: an image is a volume of one plane.
        warn(
            f"Input image is 2D: {name} number of elements must be 2; the first of 3 is ignored.",
            FutureWarning,
            stacklevel=4,
        )
        numbers = numbers[1:]
    return numbers


def _weight_of_space(compactness, spacing):
    """Compute the estimator's compactness from scikit-image's.

    Both divide a distance in space by the grid's step. The estimator measures the distance and
    the step in the unit of the spacing, but scikit-image measures the step in pixels.
    """
    # Of the ratios to the first one, because the product of all may overflow or vanish.
    first = spacing[0]
    scale = first * math.prod(each / first for each in spacing) ** (1 / len(spacing))
    weight = compactness * scale
    most = _limits("compactness")[1]
    if weight > most or weight < min(compactness, _SMALLEST_WEIGHT):
        raise ValueError(
            f"compactness, spacing: found {compactness:g} and {spacing}, expected compactness "
            f"times the geometric mean of spacing to be from {_SMALLEST_WEIGHT:g} to {most:g}, "
            f"not {weight:.3g}"
        )
    return weight


def _features(image, mask, in_lab, sigma):
    """Rescale, convert and smooth what is in the mask."""
    values = image[mask].astype(np.float64)
    values -= values.min()
    values /= values.max() or 1.0
    features = np.zeros(image.shape, np.float32)
    features[mask] = values
    if in_lab:
        features = LabFeatures().fit_transform([features])[0]
    if any(sigma):
        features = ndimage.gaussian_filter(
            fill_outside(features, mask), (*sigma, 0), mode="reflect"
        )
    return features


def _contrast(values):
    """Compute the standard deviation of values of shape (n, C), over all channels together."""
    return float(np.sqrt(values.var(axis=0, dtype=np.float64).sum()))


def _regions(features, mask, estimator):
    """Segment one image. `n_segments` and `oversegmentation` of the estimator are changed."""
    if estimator.enforce_connectivity:
        # Every part of the mask needs a superpixel.
        estimator.n_segments = max(estimator.n_segments, ndimage.label(mask)[1])
    is_square = estimator.compactness > _SQUARE_FROM * _contrast(features[mask])
    if is_square and estimator.enforce_connectivity:
        oversegmentations = _OF_SQUARES
    else:
        finest = _FIRST_REGIONS / estimator.n_segments
        oversegmentations = [max(estimator.oversegmentation, finest)]
    masks = None if mask.all() else [mask]
    for oversegmentation in oversegmentations:
        estimator.set_params(oversegmentation=oversegmentation)
        regions = estimator.fit([features]).transform([features], masks=masks)[0]
        if regions.max() + 1 == estimator.n_segments:
            break
    return regions
