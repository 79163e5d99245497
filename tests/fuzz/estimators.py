"""Images, masks and valid parameters of every kind: correct superpixels in bounded time.

Each label map must have the right dtype, shape and labels, its superpixels must be connected, and
their number must be exact where this is promised. The result must be the same on several threads,
with any memory layout, with a mask that is True everywhere in place of no mask, and with
parameters that are NumPy numbers of any type. The input must not change.
"""

import copy
import warnings

import numpy as np
from fuzz import inputs
from fuzz.harness import Defect
from scipy import ndimage

from sksuperpixel import SLIC, TrainableSLIC, slic
from sksuperpixel.networks import make_distance_net

# Images have at most 2,000 pixels, and are cut up to five times, in at most 50 iterations.
LIMIT_S, LIMIT_MB = 3, 300


def prepare(folder):
    """Compile the kernels, and make a network for each number of channels."""
    for mask in (None, [np.ones((9, 9), bool)]):
        for n_segments in (None, 4):
            SLIC(3, n_segments=n_segments).fit_transform([np.zeros((9, 9, 3))], masks=mask)
    y = [np.arange(81).reshape(9, 9) // 27]
    net = make_distance_net(3, max_epochs=0)
    return {
        n_channels: TrainableSLIC(3, features="passthrough", classifier=net, random_state=0).fit(
            [np.random.default_rng(0).random((9, 9, n_channels))], y
        )
        for n_channels in (1, 2, 3, 5)
    }


def case(rng, shared):
    """Cut one image with one set of parameters, in several ways."""
    # The library is right to warn about colours in an unusual range.
    warnings.filterwarnings("ignore", "image 0: found .* values up to")
    n_axes = inputs.choose(rng, [2, 2, 2, 3])
    shape = inputs.shape(rng, n_axes)
    n_channels = inputs.choose(rng, [None, 3, 3, 1, 2, 5] if n_axes == 2 else [None, 3, 1])
    image = inputs.image(rng, shape, n_channels)
    inside = inputs.mask(rng, shape)
    if rng.random() < 0.2:
        return _function(rng, image, inside, n_channels)
    estimator = _estimator(rng, shape, inside, n_channels)
    if rng.random() < 0.2:
        estimator = _with_network(rng, estimator, shared[n_channels or 1])
    kept = image.copy()
    try:
        superpixels = _cut(estimator, image, inside)
    except ValueError as error:
        return _refused(error, estimator, image, inside, shape)
    if not np.array_equal(kept, image):
        raise Defect("the image was changed")
    inputs.check_superpixels(superpixels, estimator, inside, shape)
    again = inputs.layout(rng, image.copy())
    for what, found in (
        ("two threads", _cut(estimator.set_params(n_jobs=2), image, inside)),
        ("another layout", _cut(estimator, again, inside)),
    ):
        if not np.array_equal(found, superpixels):
            raise Defect(f"{what}: another result")
    if inside is None or inside.all():
        other = np.ones(shape, bool) if inside is None else None
        if not np.array_equal(_cut(estimator, image, other), superpixels):
            raise Defect("a mask that is True everywhere: another result than without one")
    names = [*_WHOLE, *_REAL, *_ARRAYS]
    params = {name: value for name, value in estimator.get_params().items() if name in names}
    changed = _in_numpy(rng, params)
    if not np.array_equal(_cut(estimator.set_params(**changed), image, inside), superpixels):
        raise Defect(f"{changed}: another result than with Python's numbers")
    return "works"


def _cut(estimator, image, inside):
    masks = None if inside is None else [inside]
    if isinstance(estimator, TrainableSLIC):
        return estimator.transform([image], masks=masks)[0]
    return estimator.fit_transform([image], masks=masks)[0]


def _estimator(rng, shape, inside, n_channels):
    """Draw parameters that are all valid, many of them extreme."""
    n_pixels = int(np.prod(shape)) if inside is None else int(np.count_nonzero(inside))
    lab = n_channels in (None, 1, 3) and rng.random() < 0.5
    n_features = 3 if lab else n_channels or 1
    params = {
        "superpixel_size": inputs.choose(rng, [1, 1.5, 2, 3, 5.5, 8, 16, 100, 1e6]),
        "compactness": inputs.choose(rng, [0, 1e-30, 0.01, 1, 10, 10, 100, 1e4, 1e12]),
        "max_iter": inputs.choose(rng, [1, 2, 5, 10, 50]),
        "features": "lab" if lab else "passthrough",
        "channel_axis": None if n_channels is None else -1,
        "min_size_factor": inputs.choose(rng, [0, 0.25, 0.25, 0.5, 1]),
        "enforce_connectivity": rng.random() < 0.85,
        "start_label": inputs.choose(rng, [0, 0, 1, 2**30]),
    }
    if rng.random() < 0.5:
        params["n_segments"] = int(rng.integers(1, n_pixels + 1))
        params["oversegmentation"] = inputs.choose(rng, [1, 1.5, 2, 6, 6, 30, 1e6])
        params["refine_iter"] = inputs.choose(rng, [0, 1, 5, 5, 20])
    if rng.random() < 0.3:
        spans = [0.01, 0.5, 1, 1, 2, 30, 1e3, 1e6, 1e-6]
        params["spacing"] = [float(inputs.choose(rng, spans)) for _ in shape]
    if rng.random() < 0.3:
        weights = [0, 0.5, 1, 1, 1e-20, 1e6]
        params["channel_weights"] = [inputs.choose(rng, weights) for _ in range(n_features)]
    if params["compactness"] > 0 and rng.random() < 0.15:
        params["adaptive_compactness"] = True
    return SLIC(**params)


def _with_network(rng, slic, fitted):
    """Give a fitted network the parameters that it has in common with SLIC."""
    # The weights are those of the network, which was fitted with features="passthrough".
    own = ("channel_weights", "features")
    names = fitted.get_params(deep=False)
    shared = {
        name: value
        for name, value in slic.get_params(deep=False).items()
        if name in names and name not in own
    }
    n_candidates = int(inputs.choose(rng, [1, 2, 7, 30, 100]))
    return copy.copy(fitted).set_params(**shared, n_candidates=n_candidates)


# Parameters that are whole numbers, any numbers, and sequences of numbers.
_WHOLE = ("n_segments", "max_iter", "refine_iter", "start_label", "n_candidates", "max_num_iter")
_REAL = ("superpixel_size", "compactness", "oversegmentation", "min_size_factor", "sigma")
_ARRAYS = ("spacing", "channel_weights")


def _in_numpy(rng, params):
    """Turn one to all of the parameters into NumPy numbers of the same values."""
    names = [name for name, value in params.items() if value is not None]
    changed = {}
    for name in rng.permutation(names)[: rng.integers(1, len(names) + 1)]:
        value = params[name]
        if name in _ARRAYS:
            array = np.array(value)
            types = [kind for kind in ("u1", "f2", "f4", "f8") if _holds(kind, array)]
            changed[str(name)] = array.astype(inputs.choose(rng, types))
            continue
        scalars = inputs.numpy_scalars(value)
        if name in _WHOLE:
            scalars = [scalar for scalar in scalars if scalar.dtype.kind in "iu"]
        # Often the smallest type, because arithmetic with it overflows first.
        changed[str(name)] = inputs.choose(rng, scalars[: inputs.choose(rng, [1, 2, 12])])
    return changed


def _holds(kind, array):
    with np.errstate(all="ignore"):
        return np.array_equal(array.astype(kind).astype(np.float64), array)


def _reasons(estimator, image, inside, shape):
    """List why a valid estimator may refuse a valid image, by how the errors begin."""
    reasons = []
    inside = np.ones(shape, bool) if inside is None else inside
    values = image[inside]
    if estimator.spacing is not None and max(estimator.spacing) > 1e6 * min(estimator.spacing):
        reasons.append("spacing: found")
    n_parts = ndimage.label(inside)[1]
    if estimator.n_segments is not None and n_parts > estimator.n_segments:
        reasons.append(f"found a mask of {n_parts} parts that do not touch")
    # Only features "lab" need to know what is white.
    if estimator.features == "lab" and image.dtype.kind == "f":
        if values.min() < 0 or values.max() > 1:
            reasons.append("found values from")
    elif estimator.features == "lab" and image.dtype not in (np.uint8, np.uint16):
        reasons.append(f"found dtype {image.dtype.name}")
    if estimator.features == "passthrough" and 0 < np.abs(values).max() < np.finfo("f4").tiny:
        reasons.append("found values of at most")
    if isinstance(estimator, TrainableSLIC) and np.abs(values.astype(np.float64)).max() > 1e18:
        reasons.append("found features up to")
    return reasons


def _refused(error, estimator, image, inside, shape):
    reasons = _reasons(estimator, image, inside, shape)
    message = str(error).removeprefix("image 0: ")
    if not message.startswith(tuple(reasons)):
        raise Defect(f"refused, but not for one of {reasons}: {message[:150]}") from error
    return "refused"


def _function(rng, image, inside, n_channels):
    """Call the function `slic`, whose parameters are those of scikit-image."""
    options = {
        "n_segments": int(rng.integers(1, 300)),
        "compactness": float(inputs.choose(rng, [0.01, 0.1, 1, 10, 1000])),
        "sigma": float(inputs.choose(rng, [0, 0, 0.5, 2])),
        "max_num_iter": int(inputs.choose(rng, [1, 10])),
        "min_size_factor": float(inputs.choose(rng, [0, 0.5, 3])),
        "channel_axis": None if n_channels is None else -1,
        "mask": inside,
    }
    superpixels = slic(image, **options)
    numbers = {name: value for name, value in options.items() if name in (*_WHOLE, *_REAL)}
    changed = _in_numpy(rng, numbers)
    if not np.array_equal(slic(image, **(options | changed)), superpixels):
        raise Defect(f"slic, {changed}: another result than with Python's numbers")
    shape = image.shape if n_channels is None else image.shape[:-1]
    n_pixels = int(np.prod(shape)) if inside is None else int(np.count_nonzero(inside))
    n_parts = 1 if inside is None else ndimage.label(inside)[1]
    expected = max(min(options["n_segments"], n_pixels), n_parts)
    if superpixels.shape != shape or superpixels.max() != expected:
        raise Defect(f"slic: {superpixels.max()} superpixels, not {expected}")
    return "slic works"
