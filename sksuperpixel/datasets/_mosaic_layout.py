"""The layout of a mosaic: cells with irregular borders, and a picture for each cell."""

import numpy as np
from scipy import ndimage

_N_TRIALS = 100


def _wobble(shape, size, wobble, rng):
    """Draw a smooth random displacement (2, H, W) of about `wobble` times `size` pixels."""
    field = np.zeros((2, *shape))
    for smoothness, weight in ((0.25 * size, 1.0), (0.07 * size, 0.3)):
        noise = rng.normal(size=(2, *shape))
        noise = ndimage.gaussian_filter(noise, (0, smoothness, smoothness))
        field += wobble * size * weight * noise / noise.std()
    return field


def _keep_one_region(labels, n_segments):
    """Keep the largest 4-connected region of each segment; give the others to neighbours."""
    kept = np.zeros(labels.shape, dtype=np.int32)
    for segment in range(n_segments):
        regions, n_regions = ndimage.label(labels == segment)
        if n_regions:
            largest = np.bincount(regions.ravel())[1:].argmax() + 1
            kept[regions == largest] = segment + 1
    if (kept == 0).any():
        from skimage.segmentation import watershed

        kept = watershed(np.zeros(labels.shape, dtype=np.uint8), kept, connectivity=1)
    return kept.astype(np.int32) - 1


def _draw_segmentation(shape, n_segments, wobble, rng):
    """Draw cells with irregular borders; return None if one of them is too small."""
    size = np.sqrt(shape[0] * shape[1] / n_segments)
    rows, columns = np.indices(shape) + _wobble(shape, size, wobble, rng)
    centers = np.empty((n_segments, 2))
    for k in range(n_segments):
        # Taking the candidate farthest from the other centers makes cells of similar size.
        candidates = rng.uniform(size=(5, 2)) * shape
        if k:
            gaps = np.linalg.norm(candidates[:, np.newaxis] - centers[:k], axis=2).min(axis=1)
            centers[k] = candidates[gaps.argmax()]
        else:
            centers[k] = candidates[0]
    nearest = np.full(shape, np.inf)
    labels = np.zeros(shape, dtype=np.int32)
    for k, (row, column) in enumerate(centers):
        distance = (rows - row) ** 2 + (columns - column) ** 2
        closer = distance < nearest
        nearest[closer] = distance[closer]
        labels[closer] = k
    labels = _keep_one_region(labels, n_segments)
    areas = np.bincount(labels.ravel(), minlength=n_segments)
    return labels if areas.min() >= labels.size / n_segments / 5 else None


def _adjacency(labels, n_segments):
    """Return which segments touch, as a bool array (n_segments, n_segments)."""
    adjacent = np.zeros((n_segments, n_segments), dtype=bool)
    adjacent[labels[1:], labels[:-1]] = True
    adjacent[labels[:, 1:], labels[:, :-1]] = True
    np.fill_diagonal(adjacent, False)
    return adjacent | adjacent.T


def _draw_sources(adjacent, n_sources, rng):
    """Draw a source for each segment, different from those of its neighbours.

    Return None if a segment is left without a possible source.
    """
    chosen = np.full(len(adjacent), -1)
    for _ in range(len(adjacent)):
        free = np.ones((len(adjacent), n_sources), dtype=bool)
        for segment, source in enumerate(chosen):
            if source >= 0:
                free[adjacent[segment], source] = False
        # Starting with the segment that has the fewest sources left avoids most dead ends.
        n_free = np.where(chosen < 0, free.sum(axis=1), n_sources + 1)
        segment = n_free.argmin()
        if n_free[segment] == 0:
            return None
        chosen[segment] = rng.choice(np.flatnonzero(free[segment]))
    return chosen


def draw_layout(shape, n_segments, n_sources, n_textures, wobble, rng):
    """Draw the segments of a mosaic and choose the picture that each one shows.

    Parameters
    ----------
    shape : tuple of int (height, width)
    n_segments : int
    n_sources : int
        The number of pictures.
    n_textures : int or None
        The number of pictures that may be used; None for all.
    wobble : float
        See `make_texture_mosaics`.
    rng : RandomState

    Returns
    -------
    labels : int32 array (H, W)
        Segments 0..n_segments-1, each one 4-connected region.
    chosen : int array (n_segments,)
        The picture of each segment, 0..n_sources-1. Neighbours have different pictures.

    Raises
    ------
    ValueError
        If no layout is found in a fixed number of trials.
    """
    for _ in range(_N_TRIALS):
        labels = _draw_segmentation(shape, n_segments, wobble, rng)
        if labels is None:
            continue
        used = rng.permutation(n_sources)[:n_textures]
        chosen = _draw_sources(_adjacency(labels, n_segments), len(used), rng)
        if chosen is not None:
            return labels, used[chosen]
    raise ValueError(
        f"found no mosaic of {n_segments} segments from "
        f"{min(n_textures or n_sources, n_sources)} pictures in {_N_TRIALS} trials for "
        f"image_shape={shape}; expected fewer or larger segments, less wobble or more pictures"
    )
