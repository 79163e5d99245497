"""An image as the kernels see it."""

from typing import NamedTuple

import numpy as np

from sksuperpixel._clustering.kernels import layout

# If neighbouring float32 numbers are farther apart than this fraction of a channel's range, the
# channel is centred before it is converted.
_LARGEST_STEP = 1e-4


class Planes(NamedTuple):
    """One image as the kernels see it: a volume, which has one plane if the image is flat.

    Attributes
    ----------
    features : ndarray of shape (C, D, H, W), float32
    mask : ndarray of shape (D, H, W), bool, or None
        Where superpixels are wanted; None for everywhere.
    spacing : tuple of 3 float
        Size of a pixel along each axis.
    weighted : ndarray of shape (c, D, H, W), float32, or None
        The features times the weights of a distance, see `weighted_by`.
    """

    features: np.ndarray
    mask: np.ndarray | None = None
    spacing: tuple = (1.0, 1.0, 1.0)
    weighted: np.ndarray | None = None

    def weighted_by(self, distance):
        """Add weighted features, whose plain squared differences are those of the distance.

        Parameters
        ----------
        distance : WeightedDistance or NetworkDistance

        Returns
        -------
        Planes
        """
        return self._replace(weighted=distance.weigh(self.features))

    @property
    def shape(self):
        """Planes, rows and columns."""
        return self.features.shape[1:]

    @property
    def n_pixels(self):
        """Number of pixels, or of those inside the mask."""
        return int(np.prod(self.shape) if self.mask is None else np.count_nonzero(self.mask))


def channels_first(values, mask=None):
    """Lay out features as the kernels need them, without a copy if they already are.

    Small changes on a large offset would be lost in float32. Channels with such values are
    centred first, which changes nothing else, because only differences of features matter.

    Parameters
    ----------
    values : ndarray of shape (..., C)
        Features of any numeric type.
    mask : ndarray of shape (...), bool, default=None
        The pixels that count.

    Returns
    -------
    ndarray of shape (C, ...), float32
        Contiguous.
    """
    values = centred_if_coarse(values, mask)
    planes = np.moveaxis(values, -1, 0)
    if planes.dtype == np.float32 and planes.flags.c_contiguous:
        return planes
    known = values.dtype.isnative and values.dtype.char in "?bBhHiIlLqQfd"
    if not (known and values.flags.c_contiguous):
        return np.ascontiguousarray(planes, dtype=np.float32)
    copy = np.empty(planes.shape, np.float32)
    pixels = values.reshape(-1, values.shape[-1])
    layout.to_planes(pixels, copy.reshape(len(copy), -1))
    return copy


def largest_magnitude(planes):
    """Find the largest absolute value.

    Parameters
    ----------
    planes : ndarray, float32
        Contiguous.

    Returns
    -------
    float
        Infinity or NaN if there is one.
    """
    bits = layout.largest_bits(planes.reshape(-1).view(np.int32))
    return float(np.int32(bits).view(np.float32))


def centred_if_coarse(values, mask=None):
    """Subtract the middle of the range from channels that float32 is too coarse for.

    Parameters
    ----------
    values : ndarray of shape (..., C)
        Any numbers.
    mask : ndarray of shape (...), bool, default=None
        The pixels that count.

    Returns
    -------
    ndarray of shape (..., C)
        The values themselves where float32 is fine enough.
    """
    if values.dtype.kind not in "fiu" or values.dtype.itemsize <= 2 or values.dtype == np.float32:
        return values
    inside = values.reshape(-1, values.shape[-1]) if mask is None else values[mask]
    low, high = inside.min(axis=0), inside.max(axis=0)
    # Numbers that are not finite are found later, with a better message.
    with np.errstate(all="ignore"):
        largest = np.maximum(np.abs(low.astype(np.float64)), np.abs(high.astype(np.float64)))
        if values.dtype.kind != "f":
            # As int64, differences of whole numbers are exact, and right also after wrapping.
            low, high = low.astype(np.int64), high.astype(np.int64)
        span = high - low
        coarse = np.finfo(np.float32).eps * largest > _LARGEST_STEP * span
    coarse &= (span > 0) & np.isfinite(largest)
    if not coarse.any():
        return values
    centred = values.astype(np.float64)
    middle = low + span // 2
    for channel in np.flatnonzero(coarse):
        centred[..., channel] = values[..., channel].astype(middle.dtype) - middle[channel]
    return centred
