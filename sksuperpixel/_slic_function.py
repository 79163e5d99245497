"""The function `slic`: one image in, one label map out, called as scikit-image's is."""

from numbers import Integral, Real
from warnings import warn

import numpy as np
from scipy import ndimage

from sksuperpixel._slic import SLIC
from sksuperpixel.features import LabFeatures

# The estimator cuts an image into several times `n_segments` regions, then merges them. Where few
# segments are asked for, such regions are so large that they straddle straight borders in small
# images, so at least this many are made.
_FIRST_REGIONS = 300
# Merging gives compact superpixels, but never squares. Where compactness is more than this many
# times the contrast, scikit-image's superpixels are more compact than merged ones. Then the cells
# of the grid are taken as they are if their number is right. If not, there are a few more at
# first, and only those are merged.
_SQUARE_FROM = 5
_OF_SQUARES = (1, 1.1)


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
    """Cut one image into superpixels, exactly as many as asked for.

    The parameters are those of :func:`skimage.segmentation.slic`, with the same names, order,
    defaults and meaning, so that it is enough to change the import. Like that function, and
    unlike the estimators of this library, it rescales the image to its own range and converts
    three channels to CIELAB. The superpixels themselves are those of
    :class:`~sksuperpixel.SLIC` with `n_segments`: their number is exact, and each is one
    connected region.

    Parameters
    ----------
    image : array-like of shape (H, W), (D, H, W), (H, W, C) or (D, H, W, C)
        An image, or a volume, of real numbers of any range. A numpy masked array is an image
        with a mask: a pixel that is masked in any channel is outside.
    n_segments : int, default=100
        Number of superpixels. It is exact, with three exceptions: there is one superpixel per
        pixel where there are no more pixels than that; one per part of the mask where the mask
        has more unconnected parts than that; and ``enforce_connectivity=False`` makes the
        number approximate. A number that is not whole is rounded.
    compactness : float, default=10.0
        Weight of distance in space beside distance in colour: so large a difference in colour
        counts as much as a distance of one superpixel's width. The larger it is, the squarer
        are the superpixels. Colours are in CIELAB, where lightness goes from 0 to 100, or in
        [0, 1] where the image is not converted: such images need a much smaller value, such as
        0.1. With `slic_zero` it is the value that every superpixel starts from.
    max_num_iter : int, default=10
        Number of iterations of the clustering.
    sigma : float or sequence of float, default=0
        Standard deviation of the Gaussian by which the colours are smoothed; 0 for none. One
        number is in the unit of `spacing`, the same along all axes; a sequence holds one number
        per axis, in pixels.
    spacing : sequence of float, default=None
        Size of a pixel along each axis, channels left out; None for 1 along each. Distances in
        space are multiplied by it, so twice the spacing has the effect of twice the
        `compactness`.
    convert2lab : bool, default=None
        Whether to convert the image from RGB to CIELAB. None converts images that have an axis
        of 3 channels. Images without an axis of channels are never converted.
    enforce_connectivity : bool, default=True
        Whether each superpixel has to be one connected region. If not, superpixels are the
        clusters as the last iteration leaves them, and their number is about `n_segments`.
    min_size_factor : float, default=0.5
        The image is first cut finer than `n_segments`; this is the share of a cell of that cut
        that a connected region needs to be kept at first. Smaller ones join a neighbour before
        superpixels are merged down to the number. Values above 1 count as 1.
    max_size_factor : float, default=3
        Accepted, so that existing calls work, but without effect: superpixels are merged down
        to an exact number, and large uniform parts of the image may become large superpixels.
        Raise `compactness` for sizes that are more alike.
    slic_zero : bool, default=False
        Whether every superpixel adapts its compactness to its own contrast (SLICO [2]_).
    start_label : {0, 1}, default=1
        Label of the first superpixel. Pixels outside the mask have the label below it.
    mask : array-like of shape (H, W) or (D, H, W), default=None
        Superpixels cover the pixels where this is not zero. Pixels outside count for nothing,
        in smoothing neither, and may be NaN.
    channel_axis : int or None, default=-1
        Which axis of the image holds its channels; None for images (H, W) and volumes
        (D, H, W) without such an axis.

    Returns
    -------
    ndarray of shape (H, W) or (D, H, W), int
        Superpixels, labelled from `start_label` on in the raster order of their first pixels
        (of their clusters' first positions if not `enforce_connectivity`);
        ``start_label - 1`` outside the mask.

    Warns
    -----
    FutureWarning
        If `sigma` or `spacing` of an image that is no volume has three numbers. The first is
        left out.

    Raises
    ------
    TypeError
        If the image does not hold real numbers, or `spacing` is no sequence.
    ValueError
        If the image or its mask has the wrong shape or is empty, if the image is NaN or
        infinite inside the mask, if it has two axes and `channel_axis` is not None, if
        `convert2lab` is True and there are not 3 channels, or if another parameter is out of
        its range.

    See Also
    --------
    SLIC : The estimator, for many images and any features.
    TrainableSLIC : The same with a distance that is learned from segmentations.

    Notes
    -----
    The image is mapped to [0, 1] from its least and largest value in the mask, over all
    channels at once. Colours are smoothed after the conversion to CIELAB, mirrored at the
    borders of the image; outside a mask they continue the nearest colours inside.

    As many threads run as :func:`joblib.parallel_backend` sets, else one. The result does not
    depend on it.

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

    A grey image, and only where it is bright:

    >>> image = coins()
    >>> superpixels = slic(image, 200, 0.1, mask=image > 100, channel_axis=None)
    >>> superpixels.max().item(), superpixels[image <= 100].max().item()
    (200, 0)
    """
    n_segments = _check_numbers(n_segments, compactness, max_num_iter, min_size_factor, slic_zero)
    if start_label not in (0, 1):
        raise ValueError(f"start_label: found {start_label!r}, expected 0 or 1")
    image, mask = _checked_image(image, mask, channel_axis)
    spacing = _checked_spacing(spacing, mask.ndim)
    sigma = _checked_sigma(sigma, spacing)
    in_lab = _is_in_lab(image, convert2lab, channel_axis)

    # Cut out first, so that it makes no difference how much there is around the mask.
    box = ndimage.find_objects(mask.astype(np.int8))[0]
    superpixels = np.full(mask.shape, start_label - 1, np.intp)
    image, mask = image[box], mask[box]
    n_pixels = np.count_nonzero(mask)
    if n_segments >= n_pixels:
        regions = np.where(mask, np.cumsum(mask).reshape(mask.shape) - 1, -1)
    else:
        if enforce_connectivity:
            # Every part of the mask needs a superpixel.
            n_segments = max(n_segments, ndimage.label(mask)[1])
        features = _features(image, mask, in_lab, sigma, spacing)
        compactness = compactness * _scale_of_distances(spacing)
        estimator = SLIC(
            n_segments=n_segments,
            compactness=compactness,
            max_iter=max_num_iter,
            features="passthrough",
            spacing=spacing,
            min_size_factor=min(min_size_factor, 1),
            enforce_connectivity=bool(enforce_connectivity),
            adaptive_compactness=bool(slic_zero),
        )
        if enforce_connectivity and compactness > _SQUARE_FROM * _contrast(features[mask]):
            choices = _OF_SQUARES
        else:
            choices = [max(estimator.oversegmentation, _FIRST_REGIONS / n_segments)]
        for oversegmentation in choices:
            estimator.set_params(oversegmentation=oversegmentation)
            regions = estimator.fit([features]).transform([features], masks=[mask])[0]
            if regions.max() + 1 == n_segments:
                break
    superpixels[box] = regions + int(start_label)
    return superpixels


def _check_numbers(n_segments, compactness, max_num_iter, min_size_factor, slic_zero):
    """Check the parameters that are one number, and give the whole number of segments."""
    for name, value, kind, least in (
        ("n_segments", n_segments, Real, 1),
        ("compactness", compactness, Real, 0),
        ("max_num_iter", max_num_iter, Integral, 1),
        ("min_size_factor", min_size_factor, Real, 0),
    ):
        if not isinstance(value, kind) or not least <= value < np.inf:
            whole = "whole number" if kind is Integral else "number"
            raise ValueError(f"{name}: found {value!r}, expected a {whole} of at least {least}")
    if slic_zero and compactness == 0:
        raise ValueError("compactness: found 0, expected more than 0 with slic_zero")
    return round(float(n_segments))


def _checked_image(image, mask, channel_axis):
    """Check the image and its mask, and move the channels last.

    Returns
    -------
    image : ndarray of shape (..., C)
    mask : ndarray of shape (...), bool
        All True where there is none.
    """
    hidden = np.ma.getmaskarray(image)
    image = np.asarray(image)
    if image.dtype.kind not in "buif":
        raise TypeError(f"image: found dtype {image.dtype}, expected real numbers")
    if channel_axis is None:
        if image.ndim not in (2, 3):
            raise ValueError(
                f"image: found shape {image.shape}, expected (H, W) or (D, H, W) with "
                "channel_axis=None"
            )
        image, hidden = image[..., np.newaxis], hidden[..., np.newaxis]
    else:
        if image.ndim not in (3, 4) or not -image.ndim <= channel_axis < image.ndim:
            raise ValueError(
                f"image: found shape {image.shape}, but channel_axis={channel_axis} indicates "
                "multichannel images of 3 or 4 axes; expected channel_axis=None for a grey image"
            )
        image, hidden = (np.moveaxis(each, channel_axis, -1) for each in (image, hidden))
    shape = image.shape[:-1]
    mask = np.ones(shape, bool) if mask is None else np.asarray(mask).astype(bool)
    if mask.shape != shape:
        raise ValueError(f"mask: found shape {mask.shape}, expected the image's, {shape}")
    mask &= ~hidden.any(axis=-1)
    if image.size == 0 or not mask.any():
        raise ValueError(f"image: found shape {image.shape} and no pixel inside the mask")
    bad = ~np.isfinite(image).all(axis=-1) & mask
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"image: found NaN or infinity at {np.count_nonzero(bad)} pixels inside the mask, "
            f"the first at {where}; expected finite numbers"
        )
    return image, mask


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
    return _per_axis("spacing", spacing, n_axes, np.nextafter(0, 1))


def _checked_sigma(sigma, spacing):
    if np.ndim(sigma) > 0:
        return _per_axis("sigma", sigma, len(spacing), 0)
    return _per_axis("sigma", [sigma / step for step in spacing], len(spacing), 0)


def _per_axis(name, numbers, n_axes, least):
    """Check a parameter that has one number of at least `least` per axis."""
    numbers = tuple(float(number) for number in numbers)
    if n_axes == 2 and len(numbers) == 3:
        # As scikit-image does: an image is a volume of one plane.
        warn(
            f"Input image is 2D: {name} number of elements must be 2; the first of 3 is ignored.",
            FutureWarning,
            stacklevel=4,
        )
        numbers = numbers[1:]
    if len(numbers) != n_axes or not all(least <= number < np.inf for number in numbers):
        raise ValueError(
            f"{name}: found {numbers}, expected {n_axes} finite numbers, one for each axis of the "
            f"image, {'above' if least else 'of at least'} 0"
        )
    return numbers


def _scale_of_distances(spacing):
    """Tell by how much a distance over the grid's step is smaller in SLIC than here.

    Here, as in scikit-image, a distance is multiplied by the spacing, the step is a number of
    pixels. In SLIC both are in units of the finest axis.
    """
    return float(np.prod(spacing) ** (1 / len(spacing)))


def _contrast(values):
    """Give the standard deviation of values of shape (n, C), over all channels together."""
    return float(np.sqrt(values.var(axis=0, dtype=np.float64).sum()))


def _features(image, mask, in_lab, sigma, spacing):
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
            _continued(features, mask, spacing), (*sigma, 0), mode="reflect"
        )
    return features


def _continued(features, mask, spacing):
    """Give the pixels outside the mask the features of the nearest ones inside."""
    if mask.all():
        return features
    nearest = ndimage.distance_transform_edt(
        ~mask, sampling=spacing, return_distances=False, return_indices=True
    )
    return features[tuple(nearest)]
