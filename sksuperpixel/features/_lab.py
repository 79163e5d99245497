"""CIELAB, the colour space that SLIC was made for."""

from functools import lru_cache
from numbers import Real

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from sksuperpixel._images.data_range import check_colours
from sksuperpixel._images.parameters import check_data_range
from sksuperpixel._images.transformer import ImageTransformerMixin
from sksuperpixel.features import _lab_kernels as kernels

# From linear sRGB (IEC 61966-2-1) to XYZ under D65, divided by the white point of the 2 degree
# observer.
_MATRIX = (
    np.array(
        [
            [0.412453, 0.357580, 0.180423],
            [0.212671, 0.715160, 0.072169],
            [0.019334, 0.119193, 0.950227],
        ]
    )
    / np.array([[0.95047], [1.0], [1.08883]])
).astype(np.float32)


def _linear_light(srgb):
    """Undo sRGB's gamma for values in [0, 1]."""
    return np.where(srgb > 0.04045, ((srgb + 0.055) / 1.055) ** 2.4, srgb / 12.92)


# With this many steps, interpolating between them changes L, a and b by less than 1e-4.
_STEPS = 8192


@lru_cache
def _table_of_floats():
    """Tabulate the linear light of 0, 1 / _STEPS, ..., 1, and of 1 again."""
    values = np.append(np.arange(_STEPS + 1), _STEPS) / _STEPS
    return _linear_light(values).astype(np.float32)


@lru_cache
def _table_of_codes(dtype):
    """Tabulate the linear light of each number of an unsigned integer type."""
    largest = np.iinfo(dtype).max
    return _linear_light(np.arange(largest + 1) / largest).astype(np.float32)


class LabFeatures(ImageTransformerMixin, BaseEstimator):
    """Colour in CIELAB: lightness L, a from green to red, and b from blue to yellow.

    Distances in CIELAB are roughly the differences that people see, which is why SLIC compares
    colours there [1]_. The values equal those of :func:`skimage.color.rgb2lab` (illuminant D65,
    2 degree observer) to 1e-3, but they are computed in float32 and many times faster.

    Parameters
    ----------
    sigma : float, default=0.0
        Standard deviation in pixels of the Gaussian that smooths the colours; 0 for no smoothing.
        With a small value such as 0.7, superpixels follow noise less and borders better. At most
        1000.
    data_range : float or pair of float, default=None
        The values of black and white: the largest possible value, such as 4095 for 12 bits, or
        the smallest and the largest one. If None, they are the ends of the type for uint8 and
        uint16, and 0 and 1 for floats.
    channel_axis : int or None, default=-1
        Which axis of an image holds its channels; None for grey images (or volumes) without
        such an axis.
    memory : str, pathlib.Path, joblib.Memory or None, default=None
        Where to cache the features of each image, so that they are computed only once.

    Attributes
    ----------
    n_channels_in_ : int
        Number of channels of the images fitted: 1 or 3.

    See Also
    --------
    ChannelUnion : Puts several transformers' features side by side.

    Notes
    -----
    Images are sRGB, scaled to [0, 1] by `data_range`. A grey image has three equal components,
    so that a and b are almost 0. Linear RGB is converted to XYZ by the matrix of IEC 61966-2-1.
    With f the cube root, which is replaced by a line near 0, ``L = 116 f(Y) - 16``,
    ``a = 500 (f(X) - f(Y))`` and ``b = 200 (f(Y) - f(Z))``. For smoothing, images are mirrored at
    their borders.

    References
    ----------
    .. [1] R. Achanta, A. Shaji, K. Smith, A. Lucchi, P. Fua, S. Süsstrunk. "SLIC superpixels
       compared to state-of-the-art superpixel methods". IEEE TPAMI 34(11), 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.features import LabFeatures
    >>> red = np.zeros((4, 6, 3), np.uint8)
    >>> red[..., 0] = 255
    >>> features = LabFeatures().fit_transform([red])
    >>> features[0].shape
    (4, 6, 3)
    >>> features[0][0, 0].astype(float).round(1).tolist()
    [53.2, 80.1, 67.2]
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **ImageTransformerMixin._parameter_constraints,
        "sigma": [Interval(Real, 0, 1000, closed="both")],
        "data_range": [Real, tuple, list, None],
    }

    def __init__(self, *, sigma=0.0, data_range=None, channel_axis=-1, memory=None):
        self.sigma = sigma
        self.data_range = data_range
        self.channel_axis = channel_axis
        self.memory = memory

    def _check_params(self):
        super()._check_params()
        check_data_range(self.data_range)

    def _check_first(self, image):
        check_colour_channels(image)

    @property
    def _looks_around(self):
        return self.sigma > 0

    def _image_features(self, image):
        planes = lab_planes(check_colours(image, self.data_range))
        if self.sigma > 0:
            for plane in planes:
                gaussian_filter(plane, self.sigma, output=plane)
        return np.moveaxis(planes, 0, -1)

    def get_feature_names_out(self, input_features=None):
        """Name the features.

        Parameters
        ----------
        input_features : None
            Ignored; accepted because scikit-learn passes it.

        Returns
        -------
        ndarray of shape (3,), object
            L, a and b.
        """
        return np.array(["L", "a", "b"], dtype=object)


def check_colour_channels(image):
    """Check that an image has colours: grey levels, or red, green and blue.

    Parameters
    ----------
    image : CheckedImage

    Raises
    ------
    ValueError
        If it has another number of channels.
    """
    if image.n_channels not in (1, 3):
        hint = "use features that take any channels, or set channel_axis if they are elsewhere"
        if image.n_channels in (2, 4):
            hint = "drop alpha, or use features that take any channels"
        raise ValueError(
            f"found {image.n_channels} channels, expected 1 (grey) or 3 (RGB); {hint}"
        )


def lab_planes(image):
    """Convert sRGB to CIELAB.

    Parameters
    ----------
    image : ndarray of shape (..., 1) or (..., 3)
        uint8, uint16, or floats in [0, 1], as `check_colours` returns them.

    Returns
    -------
    ndarray of shape (3, ...), float32
        L, a and b.
    """
    pixels = np.broadcast_to(image, (*image.shape[:-1], 3)).reshape(-1, 3)
    planes = np.empty((3, len(pixels)), np.float32)
    if pixels.dtype.kind == "f":
        values = np.ascontiguousarray(pixels, dtype=np.float32)
        kernels.linear_from_floats(values, _table_of_floats(), planes)
    else:
        table = _table_of_codes(pixels.dtype)
        kernels.linear_from_codes(np.ascontiguousarray(pixels), table, planes)
    kernels.lab_from_linear(planes, _MATRIX)
    return planes.reshape(3, *image.shape[:-1])
