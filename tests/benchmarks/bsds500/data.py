"""The images and segmentations of BSDS500, at 256 x 256 or at full size, and published label maps.

A data set is a tuple of three lists of equal length: images, segmentations, names.
"""

import numpy as np
from joblib import Parallel, delayed
from PIL import Image
from results import VERSION, memory
from skimage.transform import resize

from sksuperpixel.datasets import load_bsds500

# The size to which the paper resizes all images.
SHAPE = (256, 256)


def shrink(image, segmentation, shape):
    """Resize an image bilinearly, and its segmentations to the nearest pixel."""
    small = np.round(255 * resize(image, shape, order=1, anti_aliasing=False)).astype(np.uint8)
    nearest = [
        resize(each, shape, order=0, anti_aliasing=False, preserve_range=True)
        for each in segmentation
    ]
    return small, np.stack(nearest).astype(np.int16)


def load_subset(root, subset, limit, shape, n_jobs, version=VERSION):
    """Load a subset resized to a shape, or at full size if the shape is None.

    `version` only makes cached results of older versions invalid.
    """
    data = load_bsds500(root, subset=subset)
    pairs = list(zip(data.images[:limit], data.segmentations[:limit], strict=True))
    if shape is not None:
        pairs = Parallel(n_jobs=n_jobs)(delayed(shrink)(*pair, shape) for pair in pairs)
    images, segmentations = (list(each) for each in zip(*pairs, strict=True))
    return images, segmentations, list(data.image_ids[:limit])


def load(arguments, subset, small=True):
    """Load a subset at 256 x 256, through the cache, or at full size."""
    if not small:
        return load_subset(arguments.data, subset, arguments.limit, None, arguments.n_jobs)
    read = memory(arguments.cache).cache(load_subset, ignore=["n_jobs"])
    return read(arguments.data, subset, arguments.limit, SHAPE, arguments.n_jobs)


def concatenate(first, second):
    """Join two data sets."""
    return tuple(a + b for a, b in zip(first, second, strict=True))


def take(data, indices):
    """Select the images of a data set that have these indices."""
    return tuple([each[i] for i in indices] for each in data)


def evenly_spaced(images, n_max):
    """Choose the indices of at most `n_max` images, at equal steps."""
    return range(0, len(images), -(-len(images) // n_max))


def published_folders(peers, method):
    """Map the numbers of superpixels asked for to a published method's folders of label maps.

    The dictionary is empty if there are none.
    """
    if peers is None or not (peers / method).is_dir():
        return {}
    folders = sorted((peers / method).glob("K*"), key=lambda each: int(each.name[1:]))
    return {int(each.name[1:]): each for each in folders}


def read_label_maps(folder, names):
    """Read the label maps of the images that have these names."""
    return [np.asarray(Image.open(folder / f"{name}.png")).astype(np.int32) for name in names]
