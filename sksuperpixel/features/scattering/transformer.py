"""The transformer: its parameters, and the steps from an image to features."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._clustering.planes import centred_if_coarse
from sksuperpixel._documentation import with_parameters_of
from sksuperpixel._images.data_range import check_colours, scaled_to_unit
from sksuperpixel._images.parameters import check_data_range
from sksuperpixel._images.transformer import ImageTransformerMixin
from sksuperpixel._torch import one_torch_thread, require
from sksuperpixel.features._lab import LabFeatures, check_colour_channels, lab_planes
from sksuperpixel.features.scattering.maps import (
    ScatteringMap,
    count_maps,
    list_maps,
    select_maps,
)
from sksuperpixel.features.scattering.transform import (
    bytes_of_filters,
    enlarge,
    scatter,
    values_around_pixels,
)

# The transform squares values in float32, which cannot hold the squares of larger numbers.
_LARGEST = 1e15
# Limits of the memory for filters, in bytes, and of the number of maps of an image.
_MOST_FILTER_BYTES = 4 * 2**30
_MOST_MAPS = 100_000


class _Settings(NamedTuple):
    """The settings at `fit`, which count for a fitted transformer even after `set_params`."""

    J: int
    L: int
    max_order: int
    channels: str
    upsample: str
    data_range: float | tuple | None
    selected: tuple


@with_parameters_of(LabFeatures)
class ScatteringFeatures(ImageTransformerMixin, BaseEstimator):
    r"""Texture by scale and angle: the scattering transform of each channel.

    The scattering transform [1]_ [2]_ filters an image by wavelets of several scales and angles,
    takes absolute values and averages these over about :math:`2^J` pixels. Maps of order 0 are
    blurred channels. Maps of order 1 tell how much the image changes at each scale and in each
    direction; maps of order 2 tell how that amount of change itself changes. Different textures
    have different maps, and nothing has to be learned. kymatio [3]_ computes the transform. It
    must be installed together with torch.

    Parameters
    ----------
    J : int, default=2
        Number of scales. Wavelets have the scales 0 to ``J - 1``, and averages are taken over
        about ``2**J`` pixels. Filters must not need more than 4 GiB. Therefore `J` is at most 7
        with ``L=8``, and at most 9 with ``L=1``.
    L : int, default=8
        Number of angles between 0 and 180 degrees. At most 128, for which `J` is at most 2. All
        channels of an image together have at most 100,000 maps.
    max_order : {1, 2}, default=2
        Maximum number of wavelets that a channel is filtered with.
    channels : {"all", "lightness"}, default="all"
        What is transformed: every channel of the image, or only its lightness (L of CIELAB
        divided by 100). Only grey and RGB images have a lightness.
    select : array-like of str or callable, default=None
        Which maps are features: either their names, in the order of the features, or a function
        that tells whether a map is a feature. The function is called with a record of each map,
        whose attributes are the columns of :meth:`feature_table`. None for all maps.
    upsample : {"bilinear", "nearest"}, default="bilinear"
        How maps, which have one value per ``2**J`` x ``2**J`` pixels, are enlarged to the size
        of the image.
    data_range : float or pair of float, default=None
        The values that are scaled to 0 and 1: the largest possible value, such as 4095 for 12
        bits, or the smallest and the largest one. If None, unsigned integers are scaled by the
        largest value of their type, and floats are not scaled.
    device : str or torch.device, default="cpu"
        Torch device to compute on: "cpu", "cuda" or "cuda:1". It can also be set after fitting.
        Features are always NumPy arrays.
    memory
        As in `LabFeatures`.
    channel_axis : int or None, default=-1
        Which axis of an image holds its channels; None for grey images without such an axis.

    Attributes
    ----------
    n_channels_in_ : int
        Number of channels of the images fitted.

    See Also
    --------
    ChannelUnion : Puts several transformers' features side by side.
    LabFeatures : Colour in CIELAB.

    Notes
    -----
    With the wavelets :math:`\psi_{j,\theta}`, which are Morlet wavelets with a wavelength of about
    :math:`\frac{8}{3} 2^j` pixels, and the Gaussian :math:`\phi_J`, the maps of a channel x are

    .. math::

        S_0 x = x \star \phi_J, \quad
        S_1 x = |x \star \psi_{j_1,\theta_1}| \star \phi_J, \quad
        S_2 x = ||x \star \psi_{j_1,\theta_1}| \star \psi_{j_2,\theta_2}| \star \phi_J,
        \quad j_1 < j_2 < J,

    There are :math:`1 + J L + L^2 J (J - 1) / 2` maps per channel: 81 with the defaults, so 243
    for an RGB image. For an RGB image of 481 x 321 pixels, they take 150 MB.

    *Scale.* For an image in [0, 1], maps of order 1 and 2 are about 0.01 and 0.001 on average. To
    matter in a distance together with CIELAB, they need weights of a few hundred: see
    ``transformer_weights`` of :class:`ChannelUnion`.

    *Alignment.* kymatio computes each map at every ``2**J``-th pixel of an axis. Here these are
    the pixels ``2**(J - 1)``, ``2**(J - 1) + 2**J``, ..., and positions just outside the image.
    "bilinear" interpolates between these positions, so that maps are not shifted. "nearest" gives
    all pixels of a block of ``2**J`` x ``2**J`` pixels the same value, although it was computed
    half a pixel after the middle of the block.

    *Borders.* Images are mirrored at their borders, edge pixels included, as far as the filters
    reach. Therefore images can have any size, and opposite borders do not influence each other.
    Large images are cut into overlapping windows, which limits memory and changes maps by about
    1e-5.

    *Filters* are not stored in the transformer. The process keeps those of the last few sizes of
    windows.

    References
    ----------
    .. [1] S. Mallat. "Group invariant scattering". Communications on Pure and Applied
       Mathematics 65(10), 2012.
    .. [2] J. Bruna, S. Mallat. "Invariant scattering convolution networks". IEEE TPAMI 35(8),
       2013.
    .. [3] M. Andreux et al. "Kymatio: scattering transforms in Python". Journal of Machine
       Learning Research 21(60), 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.features import ScatteringFeatures
    >>> stripes = np.zeros((24, 30), np.uint8)
    >>> stripes[:, ::3] = 255
    >>> scattering = ScatteringFeatures(max_order=1, select=lambda m: m.order == 1)
    >>> features = scattering.fit_transform([stripes])
    >>> features[0].shape
    (24, 30, 16)
    >>> strongest = features[0][12, 15].argmax()
    >>> print(scattering.get_feature_names_out()[strongest])
    grey_order1_j0_theta7
    >>> float(scattering.feature_table()["angle1"][strongest])
    0.0
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **ImageTransformerMixin._parameter_constraints,
        "J": [Interval(Integral, 1, 10, closed="both")],
        "L": [Interval(Integral, 1, 128, closed="both")],
        "max_order": [Interval(Integral, 1, 2, closed="both")],
        "channels": [StrOptions({"all", "lightness"})],
        "select": ["array-like", callable, None],
        "upsample": [StrOptions({"bilinear", "nearest"})],
        "data_range": [Real, tuple, list, None],
        "device": "no_validation",  # only torch knows its devices
    }

    def __init__(
        self,
        *,
        J=2,
        L=8,
        max_order=2,
        channels="all",
        select=None,
        upsample="bilinear",
        data_range=None,
        device="cpu",
        memory=None,
        channel_axis=-1,
    ):
        self.J = J
        self.L = L
        self.max_order = max_order
        self.channels = channels
        self.select = select
        self.upsample = upsample
        self.data_range = data_range
        self.device = device
        self.memory = memory
        self.channel_axis = channel_axis

    def fit(self, X, y=None, masks=None):
        """Check the images and select the maps.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W) or (H, W, C)
            Images.
        y : None
            Ignored; accepted because scikit-learn passes it.
        masks : sequence of ndarray of shape (H, W), bool, or None, default=None
            Where the images count, one mask (or None) per image.

        Returns
        -------
        self : ScatteringFeatures
            The fitted transformer.

        Raises
        ------
        ImportError
            If torch or kymatio is missing.
        ValueError
            If a parameter or an image is not as expected; the error names the image's index. Also
            if the filters for `J` and `L` would need more than 4 GiB, or if all channels together
            would have more than 100,000 maps.
        TypeError
            If the images are not a sequence of arrays of numbers.
        """
        self._check_params()
        first = self._reader(X, masks).first
        n_maps = self._count_all_maps(first.n_channels)
        if n_maps > _MOST_MAPS:
            raise ValueError(
                f"J, L: found J={self.J} and L={self.L}, with which the image has {n_maps} maps; "
                f"expected at most {_MOST_MAPS}"
            )
        maps = list_maps(self.J, self.L, self.max_order, self.channels, first.n_channels)
        settings = _Settings(
            int(self.J),
            int(self.L),
            int(self.max_order),
            self.channels,
            self.upsample,
            self.data_range,
            select_maps(self.select, maps),
        )
        # At once, so that Ctrl-C cannot come in between.
        vars(self).update(_settings=settings, n_channels_in_=first.n_channels)
        return self

    def _check_params(self):
        super()._check_params()
        _torch_device(self.device)
        check_data_range(self.data_range)
        n_bytes = bytes_of_filters(int(self.J), int(self.L))
        if n_bytes > _MOST_FILTER_BYTES:
            raise ValueError(
                f"J, L: found J={self.J} and L={self.L}, whose filters would need "
                f"{n_bytes / 2**30:.0f} GiB; expected at most {_MOST_FILTER_BYTES / 2**30:.0f} GiB"
            )

    def _count_all_maps(self, n_channels):
        """Count the maps among which `select` selects."""
        n_scattered = 1 if self.channels == "lightness" else n_channels
        return n_scattered * count_maps(self.J, self.L, self.max_order)

    def _check_first(self, image):
        _check_flat(image.pixels)
        if self.channels == "lightness":
            check_colour_channels(image)

    def _image_features(self, image):
        _check_flat(image)
        device = _torch_device(self.device)
        J, L, max_order, channels, upsample, data_range, selected = self._settings
        shape = image.shape[:-1]
        rows, columns = (values_around_pixels(size, J, upsample) for size in shape)
        channel_of, map_of = np.divmod(selected, count_maps(J, L, max_order))
        planes = np.empty((len(selected), *shape), np.float32)
        scaled = _scaled(image, channels, data_range)
        for channel in np.unique(channel_of):
            plane = np.ascontiguousarray(scaled[..., channel])
            places = np.flatnonzero(channel_of == channel)
            # Maps of order 2 take most of the time, so they are computed only if one is selected.
            order = 2 if (map_of[places] >= count_maps(J, L, 1)).any() else 1
            with one_torch_thread():
                coarse = scatter(plane, J, L, order, device)
            for place in places:
                enlarge(coarse[map_of[place]], rows, columns, planes[place])
        return np.moveaxis(planes, 0, -1)

    def _cache_key(self):
        # The settings contain the selected maps, because `select` may be a function.
        return f"{type(self).__module__}.{type(self).__qualname__}", self._settings

    def _maps(self):
        check_is_fitted(self)
        settings = self._settings
        maps = list_maps(
            settings.J, settings.L, settings.max_order, settings.channels, self.n_channels_in_
        )
        return [maps[i] for i in settings.selected]

    def get_feature_names_out(self, input_features=None):
        """Name the features by channel, order, and scale and angle of each wavelet.

        The channels of an image with three channels are R, G and B; a single channel is grey;
        otherwise they are c0, c1, ... Lightness is L.

        Parameters
        ----------
        input_features : None
            Ignored; accepted because scikit-learn passes it.

        Returns
        -------
        ndarray of shape (M,), object
            Names such as ``R_order0``, ``R_order1_j0_theta3`` and
            ``R_order2_j0_theta3_j1_theta5``, in the order of the features.
        """
        return np.array([each.name for each in self._maps()], dtype=object)

    def feature_table(self):
        """Tabulate what each feature measures.

        Returns
        -------
        pandas.DataFrame
            One row per feature, in their order. The columns are name, channel and order; the
            scale j1, the number theta1 of the angle and the angle itself, angle1, of the first
            wavelet; and j2, theta2 and angle2 of the second wavelet. Values are missing if a map
            does not come from that wavelet. An angle is the direction of greatest change in
            degrees: 0 along a row (vertical stripes), 90 along a column, 45 towards the lower
            right.
        """
        import pandas as pd

        table = pd.DataFrame(self._maps(), columns=ScatteringMap._fields)
        integers = dict.fromkeys(("j1", "theta1", "j2", "theta2"), "Int64")
        return table.astype({**integers, "angle1": "float64", "angle2": "float64"})


def _check_flat(image):
    if image.ndim != 3:
        raise ValueError(
            f"found a volume of shape {image.shape}, channels last, expected an image (H, W) or "
            "(H, W, C), because the scattering transform has two dimensions"
        )


def _scaled(image, channels, data_range):
    """Return the channels to transform, (H, W, C) float32, scaled if their range is known."""
    if channels == "lightness":
        return lab_planes(check_colours(image, data_range))[0, ..., np.newaxis] / np.float32(100)
    scaled = centred_if_coarse(scaled_to_unit(image, data_range))
    largest = float(np.abs(scaled).max())
    if largest > _LARGEST:
        raise ValueError(
            f"found values up to {largest:g}, expected at most {_LARGEST:g}, because the "
            "scattering transform squares them in float32"
        )
    return scaled.astype(np.float32)


def _torch_device(device):
    require("ScatteringFeatures", "torch", "kymatio")
    import torch

    try:
        found = torch.device(device)
    except (RuntimeError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"device: found {device!r}, expected a device of torch, such as 'cpu' or 'cuda'"
        ) from error
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device: found {device!r}, expected one that torch can use; it finds "
            f"{torch.cuda.device_count()} CUDA devices here"
        )
    return found
