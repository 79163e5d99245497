"""Random images, masks and parameters, ordinary and extreme, and a check of label maps."""

import numpy as np
from fuzz.harness import Defect
from scipy import ndimage

# Values that a parameter may be set to by mistake.
STRANGE = [
    None,
    True,
    False,
    -1,
    0,
    1,
    2,
    3.5,
    -0.5,
    10**4,
    10**9,
    2**31,
    2**63,
    10**400,
    1e-320,
    1e30,
    1e300,
    float("nan"),
    float("inf"),
    float("-inf"),
    np.float64("nan"),
    np.float32("inf"),
    np.int64(-3),
    np.array(2),
    "",
    "lab",
    "seven",
    b"lab",
    "\0",
    (),
    [],
    [1, 2],
    [float("nan")] * 3,
    [1e39] * 3,
    (1, 1e6),
    (1e-300, 1),
    (0, 1),
    (1, None),
    np.ones((3, 3)),
    {},
    object(),
    int,
    len,
]


# The most frequent dtypes occur twice.
_DTYPES = ["u1", "u1", "f4", "f4", "f8", "f8", "?", "u2", "u4", "i1", "i2", "i4", "i8", "f2"]
_DTYPES += [">f4", ">u2", ">f8"]


def strange(rng):
    """Draw one of the strange values."""
    return STRANGE[rng.integers(len(STRANGE))]


def numpy_scalars(number):
    """List the NumPy scalars of all types that hold a number exactly, the smallest types first.

    Parameters
    ----------
    number : int or float

    Returns
    -------
    list of NumPy scalars
        Empty if no type holds the number, such as 10**400.
    """
    found = []
    for name in ("i1", "u1", "f2", "i2", "u2", "f4", "i4", "u4", "f8", "i8", "u8"):
        try:
            with np.errstate(all="ignore"):
                scalar = np.dtype(name).type(number)
        except (OverflowError, ValueError):
            continue
        if scalar.item() == number:
            found.append(scalar)
    return found


def as_numpy(rng, value):
    """Draw a NumPy scalar of the same value, or an array without axes that holds it.

    Anything but a number is returned as it is.
    """
    if not isinstance(value, (int, float)):
        return value
    scalars = [np.bool_(value)] if isinstance(value, bool) else numpy_scalars(value)
    scalar = choose(rng, scalars) if scalars else value
    return np.array(scalar) if rng.random() < 0.3 else scalar


def choose(rng, options):
    """Draw one of the options."""
    return options[rng.integers(len(options))]


def shape(rng, n_axes=None, most=2000):
    """Draw the shape of an image or volume, which is often very thin."""
    n_axes = n_axes or choose(rng, [2, 2, 2, 3])
    lengths = [int(choose(rng, [1, 2, 3, 5, 8, 16, 17, 30, 41])) for _ in range(n_axes)]
    if rng.random() < 0.1:
        lengths[rng.integers(n_axes)] = int(rng.integers(100, 400))
    while np.prod(lengths) > most:
        lengths[int(np.argmax(lengths))] //= 2
    return tuple(lengths)


def image(rng, of_shape, n_channels=None):
    """Draw an image of any dtype and memory layout: noise, plain areas, a gradient or a constant.

    Parameters
    ----------
    rng : Generator
    of_shape : tuple of int
    n_channels : int, default=None
        None for an image without an axis of channels.

    Returns
    -------
    ndarray
    """
    whole = of_shape if n_channels is None else (*of_shape, n_channels)
    kind = choose(rng, ["noise", "noise", "areas", "gradient", "constant", "two values"])
    if kind == "noise":
        values = rng.random(whole)
    elif kind == "areas":
        blocks = rng.random([-(-n // 4) for n in whole])
        values = blocks[np.ix_(*(np.arange(n) // 4 for n in whole))]
    elif kind == "gradient":
        values = sum(np.ogrid[tuple(slice(0, n) for n in whole)]) / sum(whole)
        values = np.broadcast_to(values, whole) * 1.0
    elif kind == "constant":
        values = np.full(whole, 0.5)
    else:
        values = (rng.random(whole) < 0.5).astype(float)
    dtype = np.dtype(choose(rng, _DTYPES))
    if dtype.kind == "b":
        values = values > 0.5
    elif dtype.kind in "iu":
        info = np.iinfo(dtype)
        low = info.min if dtype.kind == "i" and rng.random() < 0.3 else 0
        span = min(float(info.max) - low, choose(rng, [1, 255, 4095, 2.0**62]))
        values = low + np.floor(values * span)
    else:
        scale = float(choose(rng, [1, 1, 255, 1e-30, 1e-42, 1e4]))
        offset = float(choose(rng, [0, 0, 0, 0, 1e3, -50]))
        values = values * scale + offset
    array = values.astype(dtype)
    return layout(rng, array)


def layout(rng, array):
    """Return an equal array with another memory layout, perhaps a read-only one."""
    way = rng.integers(5)
    if way == 1:
        return np.asfortranarray(array)
    if way == 2:
        wide = np.repeat(array, 2, axis=0)
        return wide[::2]
    if way == 3:
        return np.ascontiguousarray(array[::-1])[::-1]
    if way == 4:
        array = array.copy()
        array.flags.writeable = False
    return array


def mask(rng, of_shape):
    """Draw a mask with at least one pixel, or None."""
    kind = choose(rng, [None, None, "all", "noise", "disc", "single"])
    if kind is None:
        return None
    if kind == "all":
        return np.ones(of_shape, bool)
    inside = np.zeros(of_shape, bool)
    if kind == "noise":
        inside = rng.random(of_shape) < choose(rng, [0.2, 0.6, 0.95])
    elif kind == "disc":
        squares = [(np.arange(n) - rng.uniform(0, n)) ** 2 / max(1, n / 2) ** 2 for n in of_shape]
        inside = sum(np.ix_(*squares)) < 1
    inside[tuple(rng.integers(0, of_shape))] = True
    return inside


def check_superpixels(superpixels, estimator, inside, of_shape):
    """Check what is true of every label map that an estimator returns.

    Parameters
    ----------
    superpixels : ndarray
    estimator : SLIC or TrainableSLIC
    inside : ndarray of bool, or None
        The mask.
    of_shape : tuple of int
        Shape of the image.

    Raises
    ------
    Defect
    """
    first = int(estimator.start_label)
    if superpixels.dtype != np.int32 or superpixels.shape != of_shape:
        raise Defect(f"found {superpixels.dtype} of shape {superpixels.shape}, not {of_shape}")
    inside = np.ones(of_shape, bool) if inside is None else inside
    if (superpixels[~inside] != first - 1).any():
        raise Defect("labels outside the mask")
    labels = superpixels[inside]
    present, where = np.unique(labels, return_index=True)
    if not np.array_equal(present, np.arange(first, first + len(present))):
        raise Defect(f"labels are not {first}, {first + 1}, ...: {present[:4]} .. {present[-1]}")
    if not getattr(estimator, "enforce_connectivity", True):
        return
    if (np.diff(where) <= 0).any():
        raise Defect("labels are not in the order of their first pixels")
    parts = [ndimage.label(superpixels == label)[1] for label in present]
    if max(parts) > 1:
        raise Defect("a superpixel is not connected")
    is_exact = estimator.n_segments is not None and estimator.oversegmentation > 1
    if is_exact and len(present) != estimator.n_segments:
        raise Defect(f"{len(present)} superpixels, not n_segments={estimator.n_segments}")
