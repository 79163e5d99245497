"""The whole algorithm gives what slow, obvious steps give, on any threads and in tiles."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from sksuperpixel._clustering import merging, refinement, superpixels
from sksuperpixel._clustering.assignment import cluster_pixels
from sksuperpixel._clustering.connectivity import merge_small_regions
from sksuperpixel._clustering.distance import WeightedDistance
from sksuperpixel._clustering.grid import Grid
from sksuperpixel._clustering.planes import Planes
from sksuperpixel._clustering.regions import Regions
from sksuperpixel._clustering.settings import Settings
from sksuperpixel._clustering.threads import ONE_THREAD, Threads

PLAIN = Settings(
    superpixel_size=9.0,
    n_segments=None,
    compactness=1.0,
    max_iter=5,
    min_size_factor=0.25,
    oversegmentation=6.0,
    edge_channel=None,
    refine_iter=5,
)


def reference_superpixels(image, settings):
    """All of SLIC in slow, obvious steps."""
    features, mask, spacing, _ = image
    shape = features.shape[1:]

    def regions_of(size):
        clusters = reference.slic_clusters(
            features,
            size,
            spacing,
            settings.compactness,
            settings.max_iter,
            mask,
            settings.adaptive_compactness,
        )
        min_count = settings.min_size_factor * reference.cell_volume(shape, size, spacing)
        return reference.merge_small(features, reference.components(clusters), min_count)

    n_pixels = int(np.prod(shape) if mask is None else mask.sum())
    n_segments = settings.n_segments
    if n_segments is None:
        return regions_of(settings.superpixel_size)
    finer, n_regions = settings.oversegmentation, 0
    while n_regions < n_segments:
        size = Grid.with_cells(shape, n_pixels / (n_segments * finer), spacing).size
        if n_pixels < n_segments * finer:
            single = np.arange(features[0].size).reshape(shape)
            regions = reference.by_first_pixel(
                np.where(mask, single, -1) if mask is not None else single
            )
        else:
            regions = regions_of(size)
        n_regions = regions.max() + 1
        finer *= 2
    step = np.array(spacing) / Grid.with_cells(shape, n_pixels / n_segments, spacing).size
    scale = (superpixels._MERGE_COMPACTNESS * settings.compactness * step).astype(np.float32)

    def merged(regions, n_wanted):
        return reference.merge_cheapest(features, regions, n_wanted, scale, merging._THICK)

    if settings.refine_iter == 0:
        return merged(regions, n_segments)
    faces = refinement._BORDER_COST * settings.compactness**2 * min(spacing) / np.array(spacing)
    done = False
    while not done:
        n_wanted = max(n_segments, (regions.max() + 1) // 2)
        regions = merged(regions, n_wanted)
        n_regions = regions.max() + 1
        # Parts of the mask cannot be merged.
        done = n_wanted == n_segments or n_regions > n_wanted
        step = np.array(spacing) / Grid.with_cells(shape, n_pixels / n_regions, spacing).size
        scale_there = (refinement._COMPACTNESS * settings.compactness * step).astype(np.float32)
        n_passes = settings.refine_iter
        if not done:
            n_passes = min(n_passes, superpixels._PASSES_BETWEEN)
        regions = reference.refined(
            features,
            regions,
            scale_there.astype(np.float64),
            faces,
            n_passes,
            refinement._ROWS_OF_BLOCK,
            refinement._PLANES_OF_BLOCK,
        )
    return reference.by_first_pixel(regions)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.one_of(
        st.tuples(st.just(1), st.integers(1, 14), st.integers(1, 14)),
        st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5)),
    ),
    st.one_of(st.sampled_from([1.0, 2.0, 3.3, 8.0]), st.floats(0, 1).map(lambda x: -x)),
    st.booleans(),
    st.booleans(),
)
def test_the_whole_equals_reference(seed, shape, size, masked, adaptive):
    rng = np.random.default_rng(seed)
    # Eighths: sums are exact in any order.
    span = rng.choice([2, 8, 20, 800])
    features = (rng.integers(0, span, (rng.integers(1, 5), *shape)) / 8).astype(np.float32)
    spacing = tuple(rng.choice([1.0, 1.5, 2.0], 3).tolist())
    if shape[0] == 1:
        spacing = (1.0, *spacing[1:])
    mask = None
    if masked:
        mask = rng.random(shape) < 0.8
        mask[tuple(rng.integers(0, shape))] = True
    image = Planes(features, mask, spacing)
    n_parts = 1 if mask is None else ndimage.label(mask)[1]
    asked = Settings(
        superpixel_size=size,
        n_segments=None if size > 0 else round(n_parts - size * (image.n_pixels - n_parts)),
        compactness=float(rng.choice([0.5, 2.0, 5.0, 10.0, 40.0])),
        max_iter=int(rng.integers(1, 5)),
        min_size_factor=float(rng.choice([0, 0.25, 1])),
        oversegmentation=float(rng.choice([1.5, 6.0])),
        edge_channel=None,
        refine_iter=int(rng.choice([0, 1, 3])),
        adaptive_compactness=adaptive,
    )
    found = superpixels.superpixels(image, WeightedDistance(), asked)
    np.testing.assert_array_equal(found, reference_superpixels(image, asked))


@pytest.mark.parametrize("n_segments", [None, 60])
@pytest.mark.parametrize("shape", [(1, 97, 131), (9, 30, 41)])
@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_labels_do_not_depend_on_threads(shape, n_threads, n_segments):
    features = np.random.default_rng(0).normal(size=(5, *shape)).astype(np.float32)
    asked = Settings(**{**vars(PLAIN), "n_segments": n_segments})
    alone = superpixels.superpixels(Planes(features), WeightedDistance(), asked)
    with ThreadPoolExecutor(n_threads) as pool:
        together = superpixels.superpixels(
            Planes(features), WeightedDistance(), asked, Threads(pool, n_threads)
        )
    np.testing.assert_array_equal(alone, together)


# Tiles --------------------------------------------------------------------------------------


def halo_of(size):
    """How far a pixel's region can see.

    In each iteration a cluster looks S far, and the clusters of pixels lie S away. Small regions
    and what they merge with add some windows.
    """
    return round(2 * size * 3 + 6 * size)


def regions_in_window(features, grid, mask, window=None):
    """Cut a window of an image into superpixels of a size, on the grid of the whole image."""
    labels, _ = cluster_pixels(
        features, grid, compactness=8.0, max_iter=3, mask=mask, window=window
    )
    regions = Regions.of(labels, features)
    merge_small_regions(regions, 0.25 * grid.cell_volume)
    return regions.label_map()


@pytest.mark.parametrize("masked", [False, True])
def test_tiles_with_a_halo_give_the_whole_image_s_regions(masked):
    shape, size, tile = (1, 400, 420), 6.0, 100
    features = smooth_features(np.random.default_rng(3), shape)
    grid = Grid(shape, size)
    mask = None
    if masked:
        mask = np.ones(shape, bool)
        mask[:, 60:90, 30:300] = False
        mask[:, 200:, 222] = False
    whole = regions_in_window(features, grid, mask)
    # The same steps are those of the whole algorithm.
    asked = Settings(**{**vars(PLAIN), "superpixel_size": size, "compactness": 8.0, "max_iter": 3})
    np.testing.assert_array_equal(
        whole, superpixels.superpixels(Planes(features, mask), WeightedDistance(), asked)
    )
    halo = halo_of(size)
    for y in range(0, shape[1], tile):
        for x in range(0, shape[2], tile):
            window = (
                slice(0, 1),
                slice(max(y - halo, 0), min(y + tile + halo, shape[1])),
                slice(max(x - halo, 0), min(x + tile + halo, shape[2])),
            )
            part = regions_in_window(
                np.ascontiguousarray(features[(slice(None), *window)]),
                grid,
                None if mask is None else np.ascontiguousarray(mask[window]),
                window,
            )
            inside = (
                slice(0, 1),
                slice(y - window[1].start, min(y + tile, shape[1]) - window[1].start),
                slice(x - window[2].start, min(x + tile, shape[2]) - window[2].start),
            )
            here = (slice(0, 1), slice(y, y + tile), slice(x, x + tile))
            np.testing.assert_array_equal(
                reference.by_first_pixel(part[inside]), reference.by_first_pixel(whole[here])
            )


def smooth_features(rng, shape):
    """Features with edges and noise, three channels."""
    planes = [
        ndimage.gaussian_filter(rng.normal(size=shape[1:]), 5) * 200 + rng.normal(size=shape[1:])
        for _ in range(3)
    ]
    return np.stack(planes).astype(np.float32)[:, np.newaxis]


# Errors -------------------------------------------------------------------------------------


def test_more_superpixels_than_pixels_is_an_error():
    features = np.zeros((1, 1, 4, 5), np.float32)
    asked = Settings(**{**vars(PLAIN), "n_segments": 21})
    with pytest.raises(ValueError, match=r"^found 20 pixels, expected at least n_segments=21$"):
        superpixels.superpixels(Planes(features), WeightedDistance(), asked)
    mask = np.indices((1, 4, 5))[2] < 2
    with pytest.raises(ValueError, match=r"^found 8 pixels in its mask, expected at least n_seg"):
        superpixels.superpixels(Planes(features, mask), WeightedDistance(), asked)


def test_fewer_superpixels_than_parts_of_the_mask_is_an_error():
    mask = np.indices((1, 4, 5))[2] % 2 == 0
    asked = Settings(**{**vars(PLAIN), "n_segments": 2})
    with pytest.raises(ValueError, match=r"^found a mask of 3 parts that do not touch, expected"):
        superpixels.superpixels(
            Planes(np.zeros((1, 1, 4, 5), np.float32), mask), WeightedDistance(), asked, ONE_THREAD
        )
