"""Mosaics of real textures: images whose segmentation is known exactly."""

from numbers import Integral, Real

import numpy as np
from scipy import ndimage
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ._mosaic_layout import draw_layout

# Functions of skimage.data whose pictures are part of scikit-image's wheels, so that nothing is
# downloaded.
_TEXTURES = ("brick", "grass", "gravel", "immunohistochemistry")
_PHOTOGRAPHS = (
    "astronaut",
    "camera",
    "chelsea",
    "coffee",
    "coins",
    "hubble_deep_field",
    "moon",
    "retina",
    "rocket",
)
_SOURCES = {
    "textures": _TEXTURES,
    "photographs": _PHOTOGRAPHS,
    "all": _TEXTURES + _PHOTOGRAPHS,
}

_MARGIN = 3  # pixels around a segment that its blurred border needs
_MIN_CONTRAST = 12.0  # standard deviation in grey levels; crops below it show no texture

_DESCR = """\
Mosaics of real textures
------------------------
{n} images of {height} x {width} pixels with {n_segments} segments each. Neighbouring segments are
crops of different pictures, chosen from these: {names}.
The borders are drawn at random, so they are known and the segmentation is exact.

Terms and source: the pictures come with scikit-image [1]_. The documentation of skimage.data
gives the terms of each picture (CC0 or public domain for most of them).

.. [1] S. van der Walt and others: scikit-image: image processing in Python. PeerJ 2:e453, 2014.
"""


def _load_source(name, split):
    """Return a picture of scikit-image, or its half for `split`, as uint8 (H, W, 3)."""
    import skimage.data

    picture = np.asarray(getattr(skimage.data, name)())
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, np.newaxis], 3, axis=2)
    if picture.shape[1] < picture.shape[0]:
        picture = picture.swapaxes(0, 1)
    half = picture.shape[1] // 2
    halves = {"all": slice(None), "train": slice(half), "test": slice(half, None)}
    return picture[:, halves[split]]


def _draw_patch(source, inside, scale_range, rng):
    """Draw a crop of a picture; rotate, flip and scale it to the shape of `inside`."""
    from PIL import Image

    shape = inside.shape
    for _ in range(8):
        scale = np.exp(rng.uniform(*np.log(scale_range)))
        n_turns, flip = rng.randint(4), rng.randint(2)
        turned = np.rot90(source, n_turns)[:, :: -1 if flip else 1]
        size = [max(1, round(scale * side)) for side in shape]
        missing = [max(0, s - t) for s, t in zip(size, turned.shape, strict=False)]
        if any(missing):
            turned = np.pad(turned, [(0, missing[0]), (0, missing[1]), (0, 0)], "symmetric")
        top, left = (rng.randint(t - s + 1) for s, t in zip(size, turned.shape, strict=False))
        crop = np.ascontiguousarray(turned[top : top + size[0], left : left + size[1]])
        picture = Image.fromarray(crop).resize(shape[::-1], Image.Resampling.BICUBIC)
        patch = np.asarray(picture, dtype=float)
        if patch[inside].mean(axis=1).std() >= _MIN_CONTRAST:
            break
    return patch


def _draw_look(patch, inside, common, jitter, rng):
    """Draw a change of brightness, colour and contrast of a patch, and apply it.

    `common` is the mean and the contrast that all patches of the image get before the change. If
    None, each patch keeps its own.
    """
    mean = patch[inside].mean(axis=0)
    contrast = max(patch[inside].mean(axis=1).std(), _MIN_CONTRAST)
    shift = 255 * jitter * (rng.normal() + 0.25 * rng.normal(size=3))
    gain = np.exp(2 * jitter * rng.normal())
    new_mean, new_contrast = (mean, contrast) if common is None else common
    return (patch - mean) * (gain * new_contrast / contrast) + new_mean + shift


def _paint(labels, sources, scale_range, common, jitter, rng):
    """Paint each segment with a crop of its source, and return the image, uint8 (H, W, 3)."""
    shape = labels.shape
    image = np.zeros((*shape, 3))
    total = np.zeros((*shape, 1))
    for segment, box in enumerate(ndimage.find_objects(labels + 1)):
        box = tuple(
            slice(max(0, s.start - _MARGIN), min(n, s.stop + _MARGIN))
            for s, n in zip(box, shape, strict=True)
        )
        inside = labels[box] == segment
        patch = _draw_patch(sources[segment], inside, scale_range, rng)
        patch = _draw_look(patch, inside, common, jitter, rng)
        # As in a camera's blur, pixels at a border show a little of the other side.
        weight = ndimage.gaussian_filter(inside.astype(float), 0.5, truncate=_MARGIN / 0.5)
        image[box] += weight[:, :, np.newaxis] * patch
        total[box] += weight[:, :, np.newaxis]
    return np.clip(np.rint(image / total), 0, 255).astype(np.uint8)


def _check_sources(sources):
    names = _SOURCES[sources] if isinstance(sources, str) else tuple(sources)
    unknown = [name for name in names if name not in _SOURCES["all"]]
    if unknown or not names or len(set(names)) != len(names):
        raise ValueError(
            f"sources: found {sources!r}, expected 'textures', 'photographs', 'all' or a list of "
            f"different names from {list(_SOURCES['all'])}"
        )
    return names


def _check_pair(name, pair, kind, low):
    values = tuple(pair)
    if len(values) != 2 or not all(isinstance(v, kind) and v >= low for v in values):
        kind_name = "integers" if kind is Integral else "numbers"
        raise ValueError(f"{name}: found {pair!r}, expected two {kind_name} of at least {low}")
    return values


@validate_params(
    {
        "n_images": [Interval(Integral, 1, None, closed="left")],
        "image_shape": [tuple, list],
        "n_segments": [Interval(Integral, 1, None, closed="left")],
        "n_textures": [Interval(Integral, 1, None, closed="left"), None],
        "sources": [StrOptions({"textures", "photographs", "all"}), list, tuple],
        "split": [StrOptions({"all", "train", "test"})],
        "equalize": ["boolean"],
        "jitter": [Interval(Real, 0, None, closed="left")],
        "scale_range": [tuple, list],
        "wobble": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_texture_mosaics(
    n_images=10,
    *,
    image_shape=(128, 128),
    n_segments=6,
    n_textures=None,
    sources="textures",
    split="all",
    equalize=True,
    jitter=0.03,
    scale_range=(1.5, 3.0),
    wobble=0.1,
    random_state=None,
):
    """Make mosaics of real textures, whose segmentation is known exactly.

    Cells with irregular borders are filled with crops of the pictures that come with
    scikit-image. Neighbouring cells show different pictures. With `equalize`, all segments of an
    image have nearly the same mean colour and contrast, so that they differ in texture but
    hardly in colour.

    Parameters
    ----------
    n_images : int, default=10
        The number of mosaics.
    image_shape : tuple of int (height, width), default=(128, 128)
        The size of each mosaic, in pixels.
    n_segments : int, default=6
        The number of segments in each image.
    n_textures : int, default=None
        The number of pictures that the segments of an image are drawn from. Each image draws its
        own choice from `sources`. If None, all of them. With fewer than four, some layouts have
        no solution and are drawn again.
    sources : {"textures", "photographs", "all"} or list of str, default="textures"
        The pictures, by their names in :mod:`skimage.data`: ``"textures"`` are brick, grass,
        gravel and immunohistochemistry; ``"photographs"`` are astronaut, camera, chelsea,
        coffee, coins, hubble_deep_field, moon, retina and rocket. Photographs have edges inside
        segments, which are not in the ground truth.
    split : {"all", "train", "test"}, default="all"
        Where the crops come from: the whole pictures, their left halves or their right halves
        (upper and lower, if a picture is higher than wide). Training and test crops have no pixel
        in common.
    equalize : bool, default=True
        If True, all segments of an image get the same mean colour and the same contrast. If
        False, they keep their own.
    jitter : float, default=0.03
        The strength of random changes to each segment, which are made after `equalize`. It is
        the standard deviation of the change in brightness, as a fraction of 255. In addition,
        each colour channel changes by a quarter as much, and the logarithm of the contrast by
        twice as much.
    scale_range : tuple of float (low, high), default=(1.5, 3.0)
        The number of pixels of a picture, along each axis, that become one pixel of the mosaic.
        It is drawn from this range for each segment. Larger values give finer textures.
    wobble : float, default=0.1
        How far borders deviate from straight lines, as a fraction of the size of a segment.
    random_state : int, RandomState instance or None, default=None
        Pass an int to get the same mosaics in each call.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the following attributes.

        images : uint8 array (n_images, H, W, 3)
        segmentations : int32 array (n_images, H, W)
            Segments 0..n_segments-1, each one 4-connected region.
        sources : list of lists of str
            For each image, the name of the picture that each segment shows.
        ignore_label : None
            No pixel is void.
        DESCR : str

    Raises
    ------
    ValueError
        If a parameter is out of its range, if the segments do not fit into the image, or if
        there are too few pictures for neighbours to differ.

    Notes
    -----
    Crops are rotated by multiples of 90 degrees, flipped and scaled. If a crop is larger than its
    picture, the picture is mirrored at its border. Borders are blurred as by a camera, with a
    Gaussian whose standard deviation is half a pixel. With the same `random_state`, a larger
    `n_images` adds new images after the same first ones.

    References
    ----------
    .. [1] S. van der Walt and others: scikit-image: image processing in Python. PeerJ 2:e453,
       2014.

    Examples
    --------
    >>> from sksuperpixel.datasets import make_texture_mosaics
    >>> data = make_texture_mosaics(3, n_segments=5, split="train", random_state=0)
    >>> data.images.shape, data.images.dtype
    ((3, 128, 128, 3), dtype('uint8'))
    >>> data.segmentations.shape, data.segmentations.max()
    ((3, 128, 128), np.int32(4))
    """
    shape = _check_pair("image_shape", image_shape, Integral, 8)
    low, high = _check_pair("scale_range", scale_range, Real, 0.1)
    if low > high:
        raise ValueError(f"scale_range: found {scale_range!r}, expected (low, high)")
    names = _check_sources(sources)
    rng = check_random_state(random_state)
    pictures = [_load_source(name, split) for name in names]

    images = np.empty((n_images, *shape, 3), dtype=np.uint8)
    segmentations = np.empty((n_images, *shape), dtype=np.int32)
    chosen_names = []
    for k in range(n_images):
        segmentations[k], chosen = draw_layout(
            shape, n_segments, len(names), n_textures, wobble, rng
        )
        common = None
        if equalize:
            mean = rng.uniform(90, 165) + 8 * rng.normal(size=3)
            common = mean, rng.uniform(25, 45)
        painted = [pictures[source] for source in chosen]
        images[k] = _paint(segmentations[k], painted, (low, high), common, jitter, rng)
        chosen_names.append([names[source] for source in chosen])
    return Bunch(
        images=images,
        segmentations=segmentations,
        sources=chosen_names,
        ignore_label=None,
        DESCR=_DESCR.format(
            n=n_images,
            height=shape[0],
            width=shape[1],
            n_segments=n_segments,
            names=", ".join(names),
        ),
    )
