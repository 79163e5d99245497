"""The scattering transform: texture by scale and angle, from kymatio."""

import threading
from functools import lru_cache
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._images.data_range import check_colours, scaled_to_unit
from sksuperpixel._images.parameters import check_data_range
from sksuperpixel._images.transformer import ImageTransformerMixin
from sksuperpixel._torch import one_torch_thread, require
from sksuperpixel.features._lab import LabFeatures, lab_planes

# An image is transformed in windows. Their lengths are multiples of 64 pixels, so that images of
# many sizes share few filter banks, and at most 640, so that no bank is large; beyond that, and
# beyond four times the halo, an image is cut in several windows.
_LENGTH_STEP = 64
_LONGEST = 640
# Banks kept for the next image: at most about 30 MB each with J=2, L=8.
_N_BANKS = 8
# Where filters are taken to end, in standard deviations of their Gaussians. What lies farther
# away changes the maps of an image in [0, 1] by about 1e-5.
_REACH = 4
# Squares of larger numbers do not fit float32.
_LARGEST = 1e15

_building = threading.Lock()


class ScatteringMap(NamedTuple):
    """What one map of the scattering transform measures.

    Attributes
    ----------
    name : str
        Its name among the features.
    channel : str
        The image's channel.
    order : int
        How many wavelets it went through: 0, 1 or 2.
    j1, theta1 : int or None
        Scale and angle of the first wavelet, as kymatio counts them.
    angle1 : float or None
        Direction of greatest change in degrees, from 0 (along a row: vertical stripes) by 90
        (along a column: horizontal stripes) to below 180; 45 is towards the lower right.
    j2, theta2, angle2 : int, int and float, or None
        The same of the second wavelet.
    """

    name: str
    channel: str
    order: int
    j1: int | None = None
    theta1: int | None = None
    angle1: float | None = None
    j2: int | None = None
    theta2: int | None = None
    angle2: float | None = None


class _Settings(NamedTuple):
    """What a fitted transformer's features depend on, whatever its parameters are set to."""

    J: int
    L: int
    max_order: int
    channels: str
    upsample: str
    selected: tuple


class ScatteringFeatures(ImageTransformerMixin, BaseEstimator):
    r"""Texture by scale and angle: the scattering transform of each channel.

    The scattering transform [1]_ [2]_ takes an image through wavelets of several scales and
    angles, forgets the phase and averages what is left over about :math:`2^J` pixels. The maps
    of order 0 are blurred channels, those of order 1 tell how much the image changes in each
    direction and at each scale, those of order 2 how that itself changes. It needs no training;
    textures that differ get different maps. It is computed by kymatio [3]_, which has to be
    installed, with torch.

    Parameters
    ----------
    J : int, default=2
        Largest scale: averages are over about ``2**J`` pixels, wavelets have the scales 0 to
        ``J - 1``.
    L : int, default=8
        Number of angles between 0 and 180 degrees.
    max_order : {1, 2}, default=2
        Up to how many wavelets a map goes through.
    channels : {"all", "lightness"}, default="all"
        The transform of every channel of the image, or only of its lightness: L of CIELAB over
        100, for grey and RGB images.
    select : array-like of str, int or bool, or callable, default=None
        Which maps are kept, by name, by index or by a mask; the order of names and of indices is
        that of the features. A callable gets a record of each map, with the columns of
        :meth:`feature_table` as attributes, and tells whether it is kept. None keeps all.
    upsample : {"bilinear", "nearest"}, default="bilinear"
        How the maps, of which there is one value for ``2**J`` x ``2**J`` pixels, are brought to
        the size of the image.
    data_range : float or pair of float, default=None
        Values that are scaled to 0 and 1: the largest possible value, such as 4095 for 12 bits,
        or the smallest and the largest one. None for all of an unsigned integer type; floats are
        taken as they are then.
    device : str or torch.device, default="cpu"
        Where to compute: "cpu", "cuda" or "cuda:1". It can be set after fitting, too. Features
        come back as NumPy arrays in any case.
    memory : str, pathlib.Path, joblib.Memory or None, default=None
        Where to keep each image's features, so that they are computed once only.
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
    With wavelets :math:`\psi_{j,\theta}` (Morlet wavelets about
    :math:`\frac{8}{3} 2^j` pixels long) and the Gaussian :math:`\phi_J`, a channel x has the
    maps

    .. math::

        S_0 x = x \star \phi_J, \quad
        S_1 x = |x \star \psi_{j_1,\theta_1}| \star \phi_J, \quad
        S_2 x = ||x \star \psi_{j_1,\theta_1}| \star \psi_{j_2,\theta_2}| \star \phi_J,
        \quad j_1 < j_2 < J,

    which are :math:`1 + J L + L^2 J (J - 1) / 2` maps: 81 with the defaults, 243 for an RGB
    image. In float32, these of an image of 481 x 321 pixels take 150 MB.

    Integers (bool, uint8, uint16, ...) are divided by the largest of their type; floats are
    taken as they are. As maps of order 1 and 2 are small (for an image in [0, 1], means are about
    0.01 and 0.001), a distance that also has CIELAB in it needs a weight of a few hundred for
    them, such as ``transformer_weights`` of :class:`ChannelUnion`.

    *Alignment.* kymatio computes each map at every ``2**J``-th pixel. Here these are the pixels
    ``2**(J - 1)``, ``2**(J - 1) + 2**J``, ... of each axis, and values just outside the image:
    half a pixel below and to the right of the middle of each block of ``2**J`` x ``2**J`` pixels,
    which is no pixel. "bilinear" interpolates between these very places, so that maps are not
    shifted; "nearest" gives every pixel of a block the block's value.

    *Borders.* Images are mirrored at their borders, edge pixels included, as far as the filters
    reach. So every size is possible, and opposite borders do not touch. Large images are cut in
    overlapping windows, which bounds memory and changes maps by about 1e-5.

    Filters are not a part of the transformer: the process keeps those of the sizes of window
    last used.

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
        "J": [Interval(Integral, 1, None, closed="left")],
        "L": [Interval(Integral, 1, None, closed="left")],
        "max_order": [Interval(Integral, 1, 2, closed="both")],
        "channels": [StrOptions({"all", "lightness"})],
        "select": ["array-like", callable, None],
        "upsample": [StrOptions({"bilinear", "nearest"})],
        "data_range": [Real, tuple, list, None],
        "device": "no_validation",  # torch tells
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
            Not used; for scikit-learn.
        masks : sequence of ndarray of shape (H, W), bool, or None, default=None
            Where the images count, one mask (or None) per image.

        Returns
        -------
        self : object
            Fitted transformer.

        Raises
        ------
        ImportError
            If torch or kymatio is missing.
        ValueError
            If a parameter or an image is not as expected; the error names the image's index.
        TypeError
            If the images are not a sequence of arrays of numbers.
        """
        self._validate_params()
        _torch_device(self.device)
        check_data_range(self.data_range)
        first = self._reader(X, masks).first
        selected = _select(
            self.select,
            _all_maps(self.J, self.L, self.max_order, self.channels, first.n_channels),
        )
        self.n_channels_in_ = first.n_channels
        self._settings = _Settings(
            int(self.J), int(self.L), int(self.max_order), self.channels, self.upsample, selected
        )
        return self

    def _check_first(self, image):
        _check_flat(image.pixels)
        if self.channels == "lightness":
            LabFeatures()._check_first(image)

    def _image_features(self, image):
        _check_flat(image)
        device = _torch_device(self.device)
        J, L, max_order, channels, upsample, selected = self._settings
        shape = image.shape[:-1]
        rows, columns = (_between(size, J, upsample) for size in shape)
        n_maps = _n_maps(J, L, max_order)
        channel_of, map_of = np.divmod(selected, n_maps)
        planes = np.empty((len(selected), *shape), np.float32)
        for channel in np.unique(channel_of):
            plane = _plane(image, channels, channel, self.data_range)
            places = np.flatnonzero(channel_of == channel)
            # Order 2 is most of the work, so it is left out where nobody wants it.
            order = 2 if (map_of[places] >= _n_maps(J, L, 1)).any() else 1
            with one_torch_thread():
                coarse = _scatter(plane, J, L, order, device)
            for place in places:
                _enlarge(coarse[map_of[place]], rows, columns, planes[place])
        return np.moveaxis(planes, 0, -1)

    def _cache_key(self):
        # Not `select`: the maps it came to, for it may be a function.
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        return name, self._settings, self.data_range

    def _maps(self):
        check_is_fitted(self)
        J, L, max_order, channels, _, selected = self._settings
        maps = _all_maps(J, L, max_order, channels, self.n_channels_in_)
        return [maps[i] for i in selected]

    def get_feature_names_out(self, input_features=None):
        """Name the features: channel, order, and scale and angle of each wavelet.

        Channels are R, G, B where an image has three, grey where it has one, else c0, c1, ...;
        L is lightness.

        Parameters
        ----------
        input_features : None
            Not used; for scikit-learn.

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
            One row a feature, in their order. Columns: name, channel, order; scale j1, angle
            index theta1 and angle1 in degrees of the first wavelet; j2, theta2 and angle2 of the
            second; missing values where a map did not go through it. An angle is the direction
            of greatest change: 0 along a row (vertical stripes), 90 along a column, 45 towards
            the lower right.
        """
        import pandas as pd

        table = pd.DataFrame(self._maps(), columns=ScatteringMap._fields)
        integers = dict.fromkeys(("j1", "theta1", "j2", "theta2"), "Int64")
        return table.astype({**integers, "angle1": "float64", "angle2": "float64"})


# Maps ---------------------------------------------------------------------------------------


def _n_maps(J, L, max_order):
    return 1 + J * L + (L * L * J * (J - 1) // 2 if max_order == 2 else 0)


def _all_maps(J, L, max_order, channels, n_channels):
    """List the maps of all channels in kymatio's order."""
    if channels == "lightness":
        names = ["L"]
    else:
        names = {1: ["grey"], 3: ["R", "G", "B"]}.get(
            n_channels, [f"c{i}" for i in range(n_channels)]
        )
    # kymatio's angles go from rows to columns, and its first is not 0.
    angles = [(90 - (int(L - L / 2 - 1) - theta) * 180 / L) % 180 for theta in range(L)]
    wavelets = [(j, theta, angles[theta]) for j in range(J) for theta in range(L)]
    maps = []
    for channel in names:
        maps.append(ScatteringMap(f"{channel}_order0", channel, 0))
        for j, theta, angle in wavelets:
            name = f"{channel}_order1_j{j}_theta{theta}"
            maps.append(ScatteringMap(name, channel, 1, j, theta, angle))
        for first in wavelets if max_order == 2 else []:
            for second in wavelets:
                if second[0] > first[0]:
                    name = (
                        f"{channel}_order2_j{first[0]}_theta{first[1]}"
                        f"_j{second[0]}_theta{second[1]}"
                    )
                    maps.append(ScatteringMap(name, channel, 2, *first, *second))
    return maps


def _select(select, maps):
    """Give the indices of the maps that `select` means, as a tuple of int."""
    if select is None:
        return tuple(range(len(maps)))
    if callable(select):
        selected = [i for i, each in enumerate(maps) if select(each)]
    else:
        try:
            keys = np.asarray(select)
        except ValueError:
            keys = np.array(None)
        if keys.ndim != 1 or not (keys.dtype.kind in "UObiu" or keys.size == 0):
            raise ValueError(
                f"select: found {select!r}, expected names, indices or a mask of maps in one list"
            )
        if keys.dtype.kind == "b":
            if len(keys) != len(maps):
                raise ValueError(
                    f"select: found a mask of {len(keys)} entries, expected {len(maps)}: one for "
                    "each map"
                )
            selected = np.flatnonzero(keys)
        elif keys.dtype.kind in "iu":
            outside = keys[(keys < 0) | (keys >= len(maps))]
            if outside.size:
                raise ValueError(
                    f"select: found index {outside[0]}, expected 0 to {len(maps) - 1}, for there "
                    f"are {len(maps)} maps"
                )
            selected = keys
        else:
            positions = {each.name: i for i, each in enumerate(maps)}
            unknown = [key for key in keys.tolist() if key not in positions]
            if unknown:
                raise ValueError(
                    f"select: found {unknown[0]!r}, expected names of maps, from "
                    f"{maps[0].name!r} to {maps[-1].name!r}; select=None and "
                    "get_feature_names_out() show all"
                )
            selected = [positions[key] for key in keys]
    selected = tuple(int(i) for i in selected)
    if not selected:
        raise ValueError(f"select: found no map, expected at least one of the {len(maps)}")
    if len(set(selected)) < len(selected):
        twice = next(i for i in selected if selected.count(i) > 1)
        raise ValueError(f"select: found {maps[twice].name!r} twice, expected each map once")
    return selected


# Images -------------------------------------------------------------------------------------


def _check_flat(image):
    if image.ndim != 3:
        raise ValueError(
            f"found a volume of shape {image.shape}, channels last, expected an image (H, W) or "
            "(H, W, C): scattering is of two dimensions"
        )


def _plane(image, channels, channel, data_range):
    """Give one channel as float32, scaled."""
    if channels == "lightness":
        return lab_planes(check_colours(image, data_range))[0] / np.float32(100)
    plane = scaled_to_unit(image[..., channel], data_range)
    largest = float(np.abs(plane).max())
    if largest > _LARGEST:
        raise ValueError(
            f"found values up to {largest:g}, expected at most {_LARGEST:g}: scattering squares "
            "them in float32"
        )
    return plane.astype(np.float32)


def _torch_device(device):
    require("ScatteringFeatures", "torch", "kymatio")
    import torch

    try:
        found = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device: found {device!r}, expected a device of torch, such as 'cpu' or 'cuda'"
        ) from error
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device: found {device!r}, expected one that torch can use; it has "
            f"{torch.cuda.device_count()} CUDA devices here"
        )
    return found


# The transform ------------------------------------------------------------------------------


def _halo(J, L):
    """Tell how far the filters reach, in whole steps of 2^J pixels."""
    # kymatio's wavelets have the standard deviation 0.8 * 2^j along the waves and L / 4 times
    # that across; two wavelets follow each other, then the average.
    wavelets = 0.8 * max(1, L / 4) * (2 ** (J - 1) + (2 ** (J - 2) if J > 1 else 0))
    average = 0.8 * 2 ** (J - 1)
    step = 2**J
    return -(-int(np.ceil(_REACH * (wavelets + average))) // step) * step


def _windows(size, J, halo):
    """Cut one axis in windows.

    Values are wanted at the pixels ``2**(J - 1) + 2**J * (m - 1)`` for m = 0, 1, ...: the first
    before the image's first pixel, the last not before its last pixel.

    Returns
    -------
    n_values, n_windows, n_values_a_window, length : int
        `length` in pixels, halo on both sides included.
    """
    step = 2**J
    n_values = -(-(size - 1 - step // 2) // step) + 2
    grid = max(_LENGTH_STEP, step)
    longest = -(-max(_LONGEST, 4 * halo) // grid) * grid
    n_windows = -(-n_values // ((longest - 2 * halo - 1) // step + 1))
    each = -(-n_values // n_windows)
    length = -(-((each - 1) * step + 1 + 2 * halo) // grid) * grid
    return n_values, n_windows, each, length


def _scatter(plane, J, L, max_order, device):
    """Give all maps of one channel, with values where `_windows` says: (M, rows, columns)."""
    # kymatio's function rather than its class ScatteringTorch2D, which is bound to one shape
    # and to slow filters. Not from kymatio.torch: with SciPy 1.17, importing that fails.
    import torch
    from kymatio.scattering2d.backend.torch_backend import backend
    from kymatio.scattering2d.core.scattering2d import scattering2d

    step = 2**J
    halo = _halo(J, L)
    axes = [_windows(size, J, halo) for size in plane.shape]
    before = halo + step // 2
    padded = np.pad(
        plane,
        [
            (before, max(0, (n_windows - 1) * each * step + length - before - size))
            for size, (_, n_windows, each, length) in zip(plane.shape, axes, strict=True)
        ],
        mode="symmetric",
    )
    (n_rows, n_down, rows, height), (n_columns, n_across, columns, width) = axes
    bank = _filter_bank(height, width, J, L, device)
    inside = slice(halo // step, halo // step + rows), slice(halo // step, halo // step + columns)
    coarse = np.empty(
        (_n_maps(J, L, max_order), n_down * rows, n_across * columns), dtype=np.float32
    )
    with torch.inference_mode():
        for i in range(0, n_down * rows, rows):
            for j in range(0, n_across * columns, columns):
                window = padded[i * step : i * step + height, j * step : j * step + width]
                maps = scattering2d(
                    torch.from_numpy(np.ascontiguousarray(window)[None]).to(device),
                    lambda x: x[..., None],  # padded already
                    lambda x: x[..., 0],
                    backend,
                    J,
                    L,
                    bank["phi"],
                    bank["psi"],
                    max_order,
                )
                coarse[:, i : i + rows, j : j + columns] = maps[0][:, *inside].cpu().numpy()
    return coarse[:, :n_rows, :n_columns]


def _between(size, J, upsample):
    """Tell between which two of an axis' values each pixel lies, and the second's weight."""
    step = 2**J
    pixels = np.arange(size)
    if upsample == "nearest":
        # The first value is of a block before the image.
        return pixels // step + 1, None, None
    first, part = np.divmod(pixels + step // 2, step)
    # Where a pixel is at the last value, there is no second.
    second = np.where(part > 0, first + 1, first)
    return first, second, (part / step).astype(np.float32)


def _enlarge(coarse, rows, columns, plane):
    """Bring a map to the size of the image.

    Parameters
    ----------
    coarse : ndarray (IN)
    rows, columns : tuple of ndarray (IN)
        From `_between`.
    plane : ndarray of shape (H, W) (OUT)
    """
    first, second, weight = columns
    if weight is None:
        plane[...] = coarse[:, first][rows[0]]
        return
    # Not torch's interpolation, whose last digits depend on how many maps there are.
    wide = coarse[:, first] * (1 - weight) + coarse[:, second] * weight
    first, second, weight = rows
    np.multiply(wide[first], (1 - weight)[:, None], out=plane)
    plane += wide[second] * weight[:, None]


# Filters ------------------------------------------------------------------------------------


def _filter_bank(height, width, J, L, device):
    """Give the filters of windows of that size, as tensors; the last few are kept."""
    # One at a time: threads that want the same bank would all build it.
    with _building:
        return _build_filter_bank(height, width, J, L, device)


@lru_cache(maxsize=_N_BANKS)
def _build_filter_bank(height, width, J, L, device):
    import torch

    filters = _filters(height, width, J, L)
    for each in [filters["phi"], *filters["psi"]]:
        each["levels"] = [torch.from_numpy(a)[..., None].to(device) for a in each["levels"]]
    return filters


def _filters(height, width, J, L):
    """Compute what kymatio's `filter_bank` does, about a hundred times faster.

    kymatio evaluates every filter on the whole image 25 times, and folds its spectrum in Python
    loops. Here a filter is evaluated by the same functions where it is not 0, and folded by
    NumPy.
    """
    from kymatio.scattering2d.filter_bank import gabor_2d, morlet_2d
    from scipy.fft import fft2

    slant = 4 / L
    widest = 0.8 * 2 ** (J - 1) * max(1, L / 4)
    # 6.5 standard deviations to either side: what is left out is below 1e-9.
    support = 2 ** int(np.ceil(np.log2(13 * widest)))
    small = min(support, height), min(support, width)

    def spectrum(filter_):
        # Filters are centred on pixel (0, 0) and wrap around.
        rows, columns = ((np.arange(n) + n // 2) % n - n // 2 for n in small)
        whole = np.zeros((height, width), filter_.dtype)
        whole[np.ix_(rows, columns)] = filter_
        return np.ascontiguousarray(fft2(whole).real)

    psi = []
    for j in range(J):
        for theta in range(L):
            angle = (int(L - L / 2 - 1) - theta) * np.pi / L
            wavelet = spectrum(morlet_2d(*small, 0.8 * 2**j, angle, 0.75 * np.pi / 2**j, slant))
            levels = [_fold(wavelet, level) for level in range(min(j + 1, max(J - 1, 1)))]
            psi.append({"levels": levels, "j": j, "theta": theta})
    average = spectrum(gabor_2d(*small, 0.8 * 2 ** (J - 1), 0, 0))
    return {"psi": psi, "phi": {"levels": [_fold(average, level) for level in range(J)], "j": J}}


def _fold(spectrum, level):
    """Cut a spectrum to its low frequencies, for images of which every 2^level-th pixel is left.

    kymatio's `periodize_filter_fft` without its loops.
    """
    factor = 2**level
    height, width = spectrum.shape
    kept = spectrum.copy()
    for axis, size in enumerate(spectrum.shape):
        start = int(size / factor / 2)
        middle = slice(start, start + int(size * (1 - 1 / factor)))
        kept[(slice(None),) * axis + (middle,)] = 0
    return kept.reshape(factor, height // factor, factor, width // factor).sum((0, 2))
