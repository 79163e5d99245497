"""Change the input so that the superpixels must stay the same, or change in a known way.

No reference is needed: the two results are compared with each other.
"""

import numpy as np
from fuzz import inputs
from fuzz.harness import Defect

from sksuperpixel import SLIC
from sksuperpixel._clustering.grid import Grid

LIMIT_S, LIMIT_MB = 5, 200


def prepare(folder):
    """Compile the kernels."""
    SLIC(3, n_segments=None, features="passthrough").fit_transform([np.eye(9)[..., None]])


def case(rng, shared):
    """Draw an image and parameters, and apply one relation."""
    relation = _RELATIONS[rng.integers(len(_RELATIONS))]
    return relation(rng)


def _draw(rng, whole=False):
    """Draw an image of several channels, a mask and an estimator."""
    shape = inputs.shape(rng, 2)
    image = rng.integers(0, 256, (*shape, 3)).astype(np.float64)
    if rng.random() < 0.5:
        blocks = rng.integers(0, 256, (-(-shape[0] // 5), -(-shape[1] // 5), 3))
        image = image / 16 + blocks[np.ix_(np.arange(shape[0]) // 5, np.arange(shape[1]) // 5)]
    inside = None if whole else inputs.mask(rng, shape)
    n_pixels = int(np.prod(shape)) if inside is None else int(np.count_nonzero(inside))
    slic = SLIC(
        superpixel_size=inputs.choose(rng, [1.5, 3, 5, 8, 13]),
        n_segments=inputs.choose(rng, [None, None, int(rng.integers(1, n_pixels + 1))]),
        compactness=float(inputs.choose(rng, [1, 16, 64, 256])),
        features="passthrough",
        refine_iter=inputs.choose(rng, [0, 5]),
    )
    return image, inside, slic


def _cut(slic, image, inside):
    """Cut one image; return None if its mask has more parts than superpixels are wanted."""
    try:
        return slic.fit_transform([image], masks=None if inside is None else [inside])[0]
    except ValueError as error:
        if "parts that do not touch" not in str(error):
            raise
        return None


def _same(one, other, what):
    if (one is None) != (other is None) or (one is not None and not np.array_equal(one, other)):
        raise Defect(f"{what}: another result")
    return what


def _constant_channel(rng):
    """A constant channel has no effect."""
    image, inside, slic = _draw(rng)
    constant = np.full((*image.shape[:2], 1), rng.normal(0, 1000))
    return _same(
        _cut(slic, image, inside),
        _cut(slic, np.concatenate([image, constant], axis=-1), inside),
        "constant channel",
    )


def _weight_zero(rng):
    """A channel of weight 0 is ignored, even if it is not finite."""
    image, inside, slic = _draw(rng)
    other = rng.normal(size=(*image.shape[:2], 1))
    other[rng.random(other.shape) < 0.1] = np.nan
    weighted = SLIC(**{**slic.get_params(), "channel_weights": [1, 1, 1, 0]})
    return _same(
        _cut(slic, image, inside),
        _cut(weighted, np.concatenate([image, other], axis=-1), inside),
        "channel of weight 0",
    )


def _scaled(rng):
    """Multiplying features and compactness by a power of two has no effect.

    If the features in the mask are beyond 2^24 or below 2^-24, the library scales them itself.
    """
    image, inside, slic = _draw(rng)
    exponent = int(inputs.choose(rng, [rng.integers(-30, 31), rng.integers(-100, 101)]))
    slic.set_params(
        adaptive_compactness=rng.random() < 0.2,
        # Keeps the larger compactness at or below 2^8 times 2^58, which is still valid.
        compactness=slic.compactness * 2.0 ** min(0, 58 - exponent),
    )
    factor = 2.0**exponent
    other = SLIC(**{**slic.get_params(), "compactness": slic.compactness * factor})
    images = [each.astype(inputs.choose(rng, ["f4", "f8"])) for each in (image, image * factor)]
    if inside is not None:
        for each in images:
            each[~inside] = inputs.choose(rng, [1e30, -1e30, 1e-30, np.inf, np.nan, 0, 7])
    return _same(_cut(slic, images[0], inside), _cut(other, images[1], inside), "scaled")


def _weights_for_scale(rng):
    """A weight of 4 has the same effect as multiplying the feature by 2."""
    image, inside, slic = _draw(rng)
    other = SLIC(**{**slic.get_params(), "channel_weights": [4, 1, 0.25]})
    return _same(
        _cut(slic, image * [2, 1, 0.5], inside), _cut(other, image, inside), "weight for scale"
    )


def _shifted(rng):
    """Only differences count, so adding a constant to whole numbers has no effect."""
    image, inside, slic = _draw(rng)
    image = np.floor(image)
    return _same(_cut(slic, image, inside), _cut(slic, image + 512, inside), "shifted")


def _mask_everywhere(rng):
    """A mask that is True everywhere is no mask."""
    image, _, slic = _draw(rng, whole=True)
    everywhere = np.ones(image.shape[:2], bool)
    return _same(_cut(slic, image, None), _cut(slic, image, everywhere), "mask everywhere")


def _outside(rng):
    """What lies outside a mask has no effect."""
    image, inside, slic = _draw(rng)
    if inside is None:
        inside = rng.random(image.shape[:2]) < 0.7
        inside[0, 0] = True
        slic.set_params(n_segments=None)
    other = image.copy()
    other[~inside] = inputs.choose(rng, [np.nan, np.inf, -1e300, 0])
    return _same(_cut(slic, image, inside), _cut(slic, other, inside), "outside of a mask")


def _masked_array(rng):
    """A masked array is an image with a mask."""
    image, inside, slic = _draw(rng)
    if inside is None:
        return "masked array"
    masked = np.ma.masked_array(image, np.broadcast_to(~inside[..., None], image.shape))
    return _same(_cut(slic, image, inside), _cut(slic, masked, None), "masked array")


def _volume_of_one_plane(rng):
    """An image is a volume of one plane."""
    image, inside, slic = _draw(rng)
    planes = None if inside is None else inside[None]
    found = _cut(slic, image[None], planes)
    return _same(_cut(slic, image, inside), None if found is None else found[0], "one plane")


def _spacing(rng):
    """Only the ratio of the spacings counts."""
    image, inside, slic = _draw(rng)
    factor = float(inputs.choose(rng, [0.25, 2, 1024]))
    ratio = [1.0, float(inputs.choose(rng, [1, 2, 0.5, 8]))]
    one = SLIC(**{**slic.get_params(), "spacing": ratio})
    other = SLIC(**{**slic.get_params(), "spacing": [each * factor for each in ratio]})
    return _same(_cut(one, image, inside), _cut(other, image, inside), "spacing")


def _names_of_threads(rng):
    """The number of threads and the other images have no effect on an image's superpixels."""
    image, inside, slic = _draw(rng)
    alone = _cut(slic, image, inside)
    if alone is None:
        return "threads"
    images = [image[::-1], image, image[:, ::-1]]
    masks = None if inside is None else [inside[::-1], inside, inside[:, ::-1]]
    together = slic.set_params(n_jobs=int(rng.integers(2, 5))).fit(images)
    return _same(alone, together.transform(images, masks=masks)[1], "threads and neighbours")


def _turned(rng):
    """Grids of odd cells are symmetric, so flips and transposes commute with the clustering.

    Ties are broken by raster order, which is not symmetric, so the noise has no ties.
    """
    step = int(inputs.choose(rng, [3, 5, 7]))
    shape = tuple(int(n) * step for n in rng.integers(1, 6, size=2))
    image = rng.integers(0, 2**20, (*shape, 2)).astype(np.float64)
    slic = SLIC(
        step,
        compactness=2.0**18,
        features="passthrough",
        enforce_connectivity=False,
        max_iter=int(rng.integers(1, 4)),
    )
    turn = inputs.choose(
        rng, [lambda a: a[::-1], lambda a: a[:, ::-1], lambda a: a.swapaxes(0, 1)]
    )
    one, other = turn(_cut(slic, image, None)), _cut(slic, turn(image), None)
    # The labels are other numbers, in another order.
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    if not pairs.shape[1] == len(np.unique(one)) == len(np.unique(other)):
        raise Defect("flipped or transposed: another result")
    return "turned"


def _tile(rng):
    """The seeds in a tile are those that the whole image has there."""
    shape = tuple(int(n) for n in rng.integers(1, 60, size=3))
    size, spacing = float(rng.uniform(1, 20)), tuple(rng.choice([1.0, 2.0, 0.5], 3))
    grid = Grid(shape, size, spacing)
    start = [int(rng.integers(0, n)) for n in shape]
    stop = [int(rng.integers(a + 1, n + 1)) for a, n in zip(start, shape, strict=True)]
    seeds = grid.seeds()
    inside = ((seeds >= start) & (seeds < stop)).all(axis=1)
    if not inside.any():
        return "tile without seeds"
    window = [slice(a, b) for a, b in zip(start, stop, strict=True)]
    found = grid.seeds(window)
    return _same(seeds[inside] - start, found, "seeds of a tile")


_RELATIONS = [
    _constant_channel,
    _weight_zero,
    _scaled,
    _weights_for_scale,
    _shifted,
    _mask_everywhere,
    _outside,
    _masked_array,
    _volume_of_one_plane,
    _spacing,
    _names_of_threads,
    _turned,
    _tile,
]
