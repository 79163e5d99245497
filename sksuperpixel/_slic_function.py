"""The function `slic`: one image in, one label map out, called like scikit-image's."""

from numbers import Integral, Real
from warnings import warn

import numpy as np
from scipy import ndimage

from sksuperpixel._images.images import check_finite
from sksuperpixel._images.masks import fill_outside
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
        the number is approximate. A number that is not whole is rounded.
    compactness : float, default=10.0
        Weight of distance in space against distance in colour. A difference in colour of this
        size counts as much as a distance of one superpixel's width. Larger values make
        superpixels squarer. In CIELAB, lightness goes from 0 to 100. Images that are not
        converted lie in [0, 1] and need much smaller values, such as 0.1. With `slic_zero`
        every superpixel starts from this value.
    max_num_iter : int, default=10
        Number of iterations of the clustering.
    sigma : float or sequence of float, default=0
        Standard deviation of the Gaussian that smooths the colours; 0 for no smoothing. One
        number holds for all axes, in the unit of `spacing`. A sequence has one number per axis,
        in pixels. At most 1000 pixels.
    spacing : sequence of float, default=None
        Size of a pixel along each axis except that of the channels; None for 1 along each axis.
        Distances in space are multiplied by it, so doubling the spacing has the same effect as
        doubling `compactness`.
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
    n_segments, compactness, max_num_iter, min_size_factor = (
        # As a calculation with NumPy leaves them.
        each.item() if isinstance(each, np.ndarray) and each.ndim == 0 else each
        for each in (n_segments, compactness, max_num_iter, min_size_factor)
    )
    for name, flag in (
        ("convert2lab", convert2lab),
        ("enforce_connectivity", enforce_connectivity),
        ("slic_zero", slic_zero),
    ):
        if not (flag is None or isinstance(flag, (Integral, np.bool_))):
            raise ValueError(f"{name}: found {flag!r}, expected True or False")
    n_segments = _check_numbers(n_segments, compactness, max_num_iter, min_size_factor, slic_zero)
    if not isinstance(start_label, Integral) or start_label not in (0, 1):
        raise ValueError(f"start_label: found {start_label!r}, expected 0 or 1")
    if not (channel_axis is None or isinstance(channel_axis, Integral)):
        raise ValueError(f"channel_axis: found {channel_axis!r}, expected an axis or None")
    image, mask = _checked_image(image, mask, channel_axis)
    spacing = _checked_spacing(spacing, mask.ndim)
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
            compactness=compactness * _scale_of_distances(spacing),
            max_iter=max_num_iter,
            features="passthrough",
            spacing=spacing,
            min_size_factor=min(min_size_factor, 1),
            enforce_connectivity=bool(enforce_connectivity),
            adaptive_compactness=bool(slic_zero),
        )
        regions = _regions(_features(image, mask, in_lab, sigma), mask, estimator)
    superpixels[box] = regions + int(start_label)
    return superpixels


def _check_numbers(n_segments, compactness, max_num_iter, min_size_factor, slic_zero):
    """Check the parameters that are single numbers, and round the number of segments."""
    for name, value, kind, least, most in (
        ("n_segments", n_segments, Real, 1, 2**31 - 1),
        ("compactness", compactness, Real, 0, 1e20),
        ("max_num_iter", max_num_iter, Integral, 1, 10_000),
        ("min_size_factor", min_size_factor, Real, 0, 1e30),
    ):
        if not isinstance(value, kind) or not least <= value <= most:
            whole = "whole number" if kind is Integral else "number"
            raise ValueError(
                f"{name}: found {value!r}, expected a {whole} from {least} to {most:g}"
            )
    if slic_zero and compactness == 0:
        raise ValueError("compactness: found 0, expected more than 0 with slic_zero")
    return round(float(n_segments))


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
    return image.shape[-1] == 3 and (convert2lab is None or bool(convert2lab))


def _checked_spacing(spacing, n_axes):
    if spacing is None:
        return (1.0,) * n_axes
    if np.ndim(spacing) == 0:
        raise TypeError(f"spacing: found {spacing!r}, expected None or one number per axis")
    return _per_axis("spacing", spacing, n_axes, np.nextafter(0, 1), 1e300)


def _checked_sigma(sigma, spacing):
    if isinstance(sigma, (Real, np.ndarray)) and np.ndim(sigma) == 0:
        (sigma,) = _floats("sigma", [sigma])
        sigma = [sigma / step for step in spacing]
    return _per_axis("sigma", sigma, len(spacing), 0, _LARGEST_SIGMA)


def _floats(name, numbers):
    """Turn a sequence of numbers into a tuple of floats."""
    try:
        return tuple(float(number) for number in numbers)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name}: found {numbers!r}, expected numbers") from error


def _per_axis(name, numbers, n_axes, least, most):
    """Check a parameter that has one number from `least` to `most` per axis."""
    numbers = _floats(name, numbers)
    if n_axes == 2 and len(numbers) == 3:
        # As scikit-image does: an image is a volume of one plane.
        warn(
            f"Input image is 2D: {name} number of elements must be 2; the first of 3 is ignored.",
            FutureWarning,
            stacklevel=4,
        )
        numbers = numbers[1:]
    if len(numbers) != n_axes or not all(least <= number <= most for number in numbers):
        raise ValueError(
            f"{name}: found {numbers}, expected {n_axes} finite numbers, one for each axis of the "
            f"image, {'above' if least else 'of at least'} 0 and at most {most:g}"
        )
    return numbers


def _scale_of_distances(spacing):
    """Compute the factor from the estimator's distances in space to scikit-image's.

    Both divide a distance by the grid's step. The estimator measures the distance and the step
    in the unit of the spacing, but scikit-image measures the step in pixels.
    """
    return float(np.prod(spacing) ** (1 / len(spacing)))


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
