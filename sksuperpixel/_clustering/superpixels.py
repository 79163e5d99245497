"""The whole algorithm: from the features of one image to its superpixels."""

import math
from dataclasses import replace

import numpy as np

from sksuperpixel._clustering.connectivity import merge_small_regions, without_gaps
from sksuperpixel._clustering.grid import Grid
from sksuperpixel._clustering.merging import merge_to_number
from sksuperpixel._clustering.refinement import refine_borders
from sksuperpixel._clustering.regions import Regions
from sksuperpixel._clustering.threads import ONE_THREAD

# Each step of merging divides the number of regions by `_STEP`. Between the steps, a few passes
# over the borders refine the regions, which makes the next merges better.
_STEP = 2
_PASSES_BETWEEN = 5
# Dividing the cost of a merge by a power of the border's length makes superpixels more compact.
# Scaling the compactness by this factor offsets that. It was chosen on BSDS500's validation
# images.
_MERGE_COMPACTNESS = 0.6


def superpixels(image, distance, settings, threads=ONE_THREAD):
    """Cut one image into superpixels.

    Parameters
    ----------
    image : Planes
    distance : WeightedDistance or NetworkDistance
    settings : Settings
    threads : Threads, default=ONE_THREAD

    Returns
    -------
    ndarray of shape (D, H, W), int32
        0 .. K - 1 in the raster order of the superpixels' first pixels, or of their clusters if
        superpixels need not be connected; -1 outside the mask.

    Raises
    ------
    ValueError
        If more superpixels are asked for than there are pixels, or fewer than the mask has
        separate parts; or if there is no such edge map, or it is not in [0, 1].
    """
    check_number_of_pixels(image, settings.n_segments)
    check_edge_channel(settings.edge_channel, len(image.features))
    image, settings = distance.prepare(image, settings)
    if not settings.enforce_connectivity:
        labels, _ = distance.cluster(image, start_grid(image, settings), settings, threads)
        return without_gaps(labels)
    if not settings.merges_to_number:
        grid = start_grid(image, settings)
        return _regions_on_grid(image, distance, grid, settings, threads).label_map()
    edges = edge_map_of(image, settings.edge_channel)
    regions = _enough_regions(image, distance, settings, threads)
    _merge_and_refine(image, regions, edges, settings, threads)
    if len(regions) > settings.n_segments:
        raise ValueError(
            f"found a mask of {len(regions)} parts that do not touch, expected at most "
            f"n_segments={settings.n_segments}: each part needs a superpixel"
        )
    return regions.label_map()


def start_grid(image, settings):
    """Make the grid of seeds, with step `superpixel_size` or about `n_segments` cells."""
    if settings.n_segments is None:
        return Grid(image.shape, float(settings.superpixel_size), image.spacing)
    return Grid.with_cells(image.shape, image.n_pixels / settings.n_segments, image.spacing)


def learning_grid(image, settings):
    """Make the grid from whose clusters a distance should learn.

    With a number of superpixels, images are cut finer first, and then superpixels are merged by
    the same distance. So the distance learns from superpixels of a size in between.
    """
    if settings.merges_to_number:
        n_cells = round(math.sqrt(settings.oversegmentation) * settings.n_segments)
        settings = replace(settings, n_segments=min(n_cells, image.n_pixels))
    return start_grid(image, settings)


def check_number_of_pixels(image, n_segments):
    """Raise ValueError if more superpixels are asked for than there are pixels."""
    if n_segments is not None and n_segments > image.n_pixels:
        where = "" if image.mask is None else " in its mask"
        raise ValueError(
            f"found {image.n_pixels} pixels{where}, expected at least n_segments={n_segments}"
        )


def check_edge_channel(channel, n_features):
    """Raise ValueError if there is no such feature."""
    if channel is not None and not -n_features <= channel < n_features:
        raise ValueError(f"edge_channel: found {channel}, expected one of {n_features} features")


def edge_map_of(image, channel):
    """Take the edge map from an image's features, if there is one.

    Parameters
    ----------
    image : Planes
    channel : int or None

    Returns
    -------
    ndarray of shape (D, H, W), float32, or None

    Raises
    ------
    ValueError
        If its values inside the mask are not in [0, 1].
    """
    if channel is None:
        return None
    edges = image.features[int(channel)]
    inside = edges if image.mask is None else edges[image.mask]
    if not (inside.min() >= 0 and inside.max() <= 1):
        raise ValueError(
            f"found edges from {inside.min():g} to {inside.max():g}, expected them in [0, 1]"
        )
    return edges


def _regions_on_grid(image, distance, grid, settings, threads):
    """Cluster pixels, split the clusters into connected regions, and merge small ones."""
    labels, _ = distance.cluster(image, grid, settings, threads)
    regions = Regions.of(labels, image.weighted, threads)
    merge_small_regions(regions, settings.min_size_factor * grid.cell_volume)
    return regions


def _enough_regions(image, distance, settings, threads):
    """Cut an image into about `oversegmentation` times `n_segments` regions, never fewer."""
    finer = settings.oversegmentation
    while True:
        each = image.n_pixels / (settings.n_segments * finer)
        if each < 1:
            return Regions.of(_single_pixels(image), image.weighted, threads)
        grid = Grid.with_cells(image.shape, each, image.spacing)
        regions = _regions_on_grid(image, distance, grid, settings, threads)
        if len(regions) >= settings.n_segments:
            return regions
        finer *= 2


def _single_pixels(image):
    """Label each pixel on its own."""
    labels = np.full(image.shape, -1, np.int32)
    inside = np.ones(image.shape, bool) if image.mask is None else image.mask
    labels[inside] = np.arange(image.n_pixels)
    return labels


def _merge_and_refine(image, regions, edges, settings, threads):
    """Merge the cheapest pairs of regions in steps, and refine borders in between, in place.

    In the end, there are `n_segments` regions, or as many as the mask has separate parts where
    these are more.
    """
    target = Grid.with_cells(image.shape, image.n_pixels / settings.n_segments, image.spacing)
    scale = target.scale(_MERGE_COMPACTNESS * settings.compactness)
    if settings.refine_iter == 0:
        # Without refinement, there is no reason to merge in steps.
        merge_to_number(regions, settings.n_segments, scale, edges)
        return
    done = False
    while not done:
        n_wanted = max(settings.n_segments, len(regions) // _STEP)
        merge_to_number(regions, n_wanted, scale, edges)
        # The separate parts of a mask may leave more regions than wanted.
        done = n_wanted == settings.n_segments or len(regions) > n_wanted
        grid = Grid.with_cells(image.shape, image.n_pixels / len(regions), image.spacing)
        n_passes = settings.refine_iter if done else min(settings.refine_iter, _PASSES_BETWEEN)
        refine_borders(image.weighted, regions, grid, settings.compactness, n_passes, threads)
