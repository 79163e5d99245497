"""The transform of one channel. It works in windows, then enlarges maps to the image's size."""

import numpy as np

from sksuperpixel.features.scattering.filters import filter_bank
from sksuperpixel.features.scattering.maps import count_maps

# An image is transformed in windows. Their lengths are multiples of 64 pixels, so that images of
# many sizes share few filter banks. So that no bank is large, windows are at most 640 pixels or
# four times the halo long, whichever is more, and larger images are cut into several windows.
_LENGTH_STEP = 64
_LONGEST = 640
# Filters are cut off at this many standard deviations of their Gaussians. Pixels farther away
# would change the maps of an image in [0, 1] by about 1e-5.
_REACH = 4


def halo_of_filters(J, L):
    """Compute how many pixels the filters reach, rounded up to a multiple of 2^J."""
    # The standard deviation of kymatio's wavelets is 0.8 * 2^j along their waves, and L / 4
    # times as much across them. A map comes from up to two wavelets and the average, one after
    # another.
    wavelets = 0.8 * max(1, L / 4) * (2 ** (J - 1) + (2 ** (J - 2) if J > 1 else 0))
    average = 0.8 * 2 ** (J - 1)
    step = 2**J
    return -(-int(np.ceil(_REACH * (wavelets + average))) // step) * step


def longest_window(J, halo):
    """Find the largest length of a window, in pixels."""
    grid = max(_LENGTH_STEP, 2**J)
    return -(-max(_LONGEST, 4 * halo) // grid) * grid


def bytes_of_filters(J, L):
    """Estimate how many bytes the filters of the largest windows take."""
    # Filters are float32. Together, the smaller versions of a filter are a third of its size.
    return longest_window(J, halo_of_filters(J, L)) ** 2 * (J * L + 1) * 4 * 4 // 3


def windows_of_axis(size, J, halo):
    """Plan the windows along one axis.

    A map has values at the pixels ``2**(J - 1) + 2**J * (m - 1)`` for m = 0, 1, ...: the first
    value is before the image's first pixel, the last one at its last pixel or beyond.

    Parameters
    ----------
    size : int
        Length of the axis in pixels.
    J : int
    halo : int
        How far the filters reach, in pixels.

    Returns
    -------
    n_values : int
        Number of values along the axis.
    n_windows : int
    n_values_per_window : int
        The last window may have values beyond `n_values`.
    length : int
        Length of each window in pixels, with the halo on both sides.
    """
    step = 2**J
    n_values = -(-(size - 1 - step // 2) // step) + 2
    grid = max(_LENGTH_STEP, step)
    longest = longest_window(J, halo)
    n_windows = -(-n_values // ((longest - 2 * halo - 1) // step + 1))
    each = -(-n_values // n_windows)
    length = -(-((each - 1) * step + 1 + 2 * halo) // grid) * grid
    return n_values, n_windows, each, length


def scatter(plane, J, L, max_order, device):
    """Compute the maps of one channel.

    Parameters
    ----------
    plane : ndarray of shape (H, W), float32
    J, L, max_order : int
    device : torch.device

    Returns
    -------
    ndarray of shape (M, rows, columns), float32
        Values at the positions that `windows_of_axis` describes.
    """
    # This function of kymatio works for all shapes. The filters of its class ScatteringTorch2D
    # are made for one shape and slow to compute, and importing kymatio.torch fails with SciPy
    # 1.17.
    import torch
    from kymatio.scattering2d.backend.torch_backend import backend
    from kymatio.scattering2d.core.scattering2d import scattering2d

    step = 2**J
    halo = halo_of_filters(J, L)
    axes = [windows_of_axis(size, J, halo) for size in plane.shape]
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
    bank = filter_bank(height, width, J, L, device)
    inside = slice(halo // step, halo // step + rows), slice(halo // step, halo // step + columns)
    coarse = np.empty(
        (count_maps(J, L, max_order), n_down * rows, n_across * columns), dtype=np.float32
    )
    with torch.inference_mode():
        for i in range(0, n_down * rows, rows):
            for j in range(0, n_across * columns, columns):
                window = padded[i * step : i * step + height, j * step : j * step + width]
                maps = scattering2d(
                    torch.from_numpy(np.ascontiguousarray(window)[None]).to(device),
                    lambda x: x[..., None],  # instead of padding, which is done already
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


def values_around_pixels(size, J, upsample):
    """Find the two values along an axis between which each pixel lies.

    Parameters
    ----------
    size : int
        Number of pixels along the axis.
    J : int
    upsample : {"bilinear", "nearest"}

    Returns
    -------
    first : ndarray of shape (size,), int
        The first value. With "nearest", the only one.
    second : ndarray of shape (size,), int, or None
    weight : ndarray of shape (size,), float32, or None
        Weight of the second value, from 0 to 1.
    """
    step = 2**J
    pixels = np.arange(size)
    if upsample == "nearest":
        # The first value belongs to a block of pixels before the image.
        return pixels // step + 1, None, None
    first, part = np.divmod(pixels + step // 2, step)
    # A pixel exactly at a value does not need a second one, which may not exist.
    second = np.where(part > 0, first + 1, first)
    return first, second, (part / step).astype(np.float32)


def enlarge(coarse, rows, columns, plane):
    """Enlarge a map to the size of the image.

    Parameters
    ----------
    coarse : ndarray (IN)
        One map of `scatter`.
    rows, columns : tuple (IN)
        What `values_around_pixels` returns for each axis.
    plane : ndarray of shape (H, W), float32 (OUT)
    """
    first, second, weight = columns
    if weight is None:
        plane[...] = coarse[:, first][rows[0]]
        return
    # Not by torch, because the last digits would then depend on the number of maps.
    wide = coarse[:, first] * (1 - weight) + coarse[:, second] * weight
    first, second, weight = rows
    np.multiply(wide[first], (1 - weight)[:, None], out=plane)
    plane += wide[second] * weight[:, None]
