"""The kernels give what slow, obvious references give, to the last label."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from sksuperpixel import _clusters, _connectivity, _iterations, _refinement, _slic
from sksuperpixel._clusters import Clusters, Grid, Threads


@st.composite
def problems(draw, largest=60, channels=9):
    """Random features with many ties: eighths, so that sums are exact in any order."""
    if draw(st.booleans()):
        shape = (1, draw(st.integers(1, largest)), draw(st.integers(1, largest)))
    else:
        side = st.integers(1, max(2, round((largest**2) ** (1 / 3))))
        shape = (draw(side), draw(side), draw(side))
    n_channels = draw(st.integers(1, channels))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    span = draw(st.sampled_from([2, 20, 800]))
    features = (rng.integers(0, span, (n_channels, *shape)) / 8).astype(np.float32)
    mask = None
    if draw(st.booleans()):
        mask = rng.random(shape) < draw(st.sampled_from([0.3, 0.7, 0.95]))
        mask[tuple(rng.integers(0, shape))] = True
    spacing = draw(st.sampled_from([(1.0, 1.0, 1.0), (1.0, 1.0, 2.0), (2.5, 1.0, 1.0)]))
    return features, mask, spacing, rng


@settings(max_examples=60, deadline=None)
@given(
    problems(),
    st.sampled_from([1.0, 2.0, 3.7, 8.0, 16.0, 90.0]),
    st.sampled_from([0.0, 0.5, 10.0, 40.0]),
    st.integers(1, 4),
    st.booleans(),
)
def test_clusters_equal_reference(problem, size, compactness, max_iter, adaptive):
    features, mask, spacing, _ = problem
    adaptive = adaptive and compactness > 0
    grid = Grid(features.shape[1:], size, spacing)
    labels, _ = _iterations.cluster_pixels(
        features,
        grid,
        compactness=compactness,
        max_iter=max_iter,
        mask=mask,
        adaptive=adaptive,
    )
    expected = reference.slic_clusters(
        features, size, spacing, compactness, max_iter, mask, adaptive
    )
    np.testing.assert_array_equal(labels, expected)


@settings(max_examples=100, deadline=None)
@given(problems(largest=40), st.integers(1, 6))
def test_connected_components_equal_reference(problem, n_labels):
    features, mask, _, rng = problem
    labels = rng.integers(0, n_labels, features.shape[1:]).astype(np.int32)
    if mask is not None:
        labels[~mask] = -1
    regions, n_regions = _connectivity.connected_regions(labels)
    expected = reference.components(labels)
    np.testing.assert_array_equal(regions, expected)
    assert n_regions == expected.max(initial=-1) + 1


@settings(max_examples=60, deadline=None)
@given(problems(largest=14, channels=4), st.integers(2, 5), st.integers(1, 30))
def test_merge_small_equals_reference(problem, n_labels, min_count):
    features, mask, _, rng = problem
    labels = rng.integers(0, n_labels, features.shape[1:]).astype(np.int32)
    if mask is not None:
        labels[~mask] = -1
    regions, n_regions = _connectivity.connected_regions(labels)
    expected = reference.merge_small(features, regions, min_count)
    n_left = _connectivity.merge_small_regions(features, regions, n_regions, min_count)
    np.testing.assert_array_equal(regions, expected)
    assert n_left == expected.max() + 1


@settings(max_examples=60, deadline=None)
@given(problems(largest=10, channels=3), st.integers(2, 5), st.integers(1, 20), st.booleans())
def test_merge_cheapest_equals_reference(problem, n_labels, n_wanted, with_edges):
    features, mask, _, rng = problem
    labels = rng.integers(0, n_labels, features.shape[1:]).astype(np.int32)
    if mask is not None:
        labels[~mask] = -1
    regions, n_regions = _connectivity.connected_regions(labels)
    scale = np.array([0.5, 0.25, 0.25])
    edges, offset = None, 1.0
    if with_edges:
        edges = (rng.integers(0, 9, labels.shape) / 8).astype(np.float32)
        offset = _connectivity._EDGE_OFFSET
    expected = reference.merge_cheapest(
        features, regions, n_wanted, scale, _connectivity._BORDER_POWER, edges, offset
    )
    n_left = _connectivity.merge_to_number(features, regions, n_regions, n_wanted, scale, edges)
    np.testing.assert_array_equal(regions, expected)
    assert n_left == expected.max() + 1


@settings(max_examples=60, deadline=None)
@given(
    problems(largest=14, channels=4),
    st.integers(2, 5),
    st.sampled_from([0.0, 0.5, 3.0, 40.0]),
    st.integers(1, 3),
)
def test_refining_equals_reference(problem, n_labels, compactness, n_iter):
    features, mask, spacing, rng = problem
    labels = rng.integers(0, n_labels, features.shape[1:]).astype(np.int32)
    # Regions of more than some pixels.
    labels = labels.repeat(3, axis=1).repeat(3, axis=2)[:, : labels.shape[1], : labels.shape[2]]
    if mask is not None:
        labels[~mask] = -1
    regions, n_regions = _connectivity.connected_regions(np.ascontiguousarray(labels))
    grid = Grid(features.shape[1:], 4.0, spacing)
    scale = grid.scale(_refinement._COMPACTNESS * compactness).astype(np.float64)
    faces = _refinement._BORDER_COST * compactness**2 * min(spacing) / np.array(spacing)
    expected = reference.refined(features, regions, scale, faces, n_iter)
    _refinement.refine_borders(features, regions, n_regions, grid, compactness, n_iter)
    np.testing.assert_array_equal(regions, expected)
    # Connected as before, and none is lost.
    assert _connectivity.connected_regions(regions)[1] == n_regions


@settings(max_examples=60, deadline=None)
@given(problems(largest=30), st.integers(1, 40), st.integers(1, 12))
def test_candidates_equal_reference(problem, n_clusters, n_candidates):
    features, _, spacing, rng = problem
    shape = features.shape[1:]
    seeds = rng.integers(0, shape, (n_clusters, 3)).astype(np.int32)
    offsets = (rng.integers(-8, 9, (n_clusters, 3)) / 4).astype(np.float32)
    clusters = Clusters(seeds, offsets, np.zeros((n_clusters, 1), np.float32))
    pixels = rng.integers(0, shape, (20, 3)).astype(np.int32)
    found, distances = _clusters.find_candidates(pixels, clusters, n_candidates, spacing)
    for i, pixel in enumerate(pixels):
        expected, far = reference.candidates(pixel, seeds, offsets, n_candidates, spacing)
        n = len(expected)
        assert found[i, :n].tolist() == expected
        np.testing.assert_array_equal(distances[i, :n], far)
        assert (found[i, n:] == -1).all()
        assert np.isinf(distances[i, n:]).all()


@pytest.mark.parametrize("shape", [(1, 97, 131), (9, 30, 41)])
@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_labels_do_not_depend_on_threads(shape, n_threads):
    from concurrent.futures import ThreadPoolExecutor

    features = np.random.default_rng(0).normal(size=(5, *shape)).astype(np.float32)
    options = {"compactness": 1.0, "min_size_factor": 0.25}
    alone = _slic.slic_regions(features, Grid(shape, 9.0), **options)
    with ThreadPoolExecutor(n_threads) as pool:
        together = _slic.slic_regions(
            features, Grid(shape, 9.0), threads=Threads(pool, n_threads), **options
        )
    np.testing.assert_array_equal(alone[0], together[0])


def canonical(regions):
    return reference.by_first_pixel(regions)


def halo_of(size):
    """How far a pixel's region can see.

    Each iteration a cluster looks S far and the pixels' clusters lie S away; small regions
    and what they merge with add some windows.
    """
    return round(2 * size * 3 + 6 * size)


@pytest.mark.parametrize("masked", [False, True])
def test_tiles_with_a_halo_give_the_whole_image_s_regions(masked):
    shape, size, tile = (1, 400, 420), 6.0, 100
    rng = np.random.default_rng(3)
    features = smooth_features(rng, shape)
    grid = Grid(shape, size)
    options = {"compactness": 8.0, "max_iter": 3, "min_size_factor": 0.25}
    mask = None
    if masked:
        mask = np.ones(shape, bool)
        mask[:, 60:90, 30:300] = False
        mask[:, 200:, 222] = False
    whole, _ = _slic.slic_regions(features, grid, mask=mask, **options)
    halo = halo_of(size)
    for y in range(0, shape[1], tile):
        for x in range(0, shape[2], tile):
            window = (
                slice(0, 1),
                slice(max(y - halo, 0), min(y + tile + halo, shape[1])),
                slice(max(x - halo, 0), min(x + tile + halo, shape[2])),
            )
            part, _ = _slic.slic_regions(
                np.ascontiguousarray(features[(slice(None), *window)]),
                grid,
                window=window,
                mask=None if mask is None else np.ascontiguousarray(mask[window]),
                **options,
            )
            inside = (
                slice(0, 1),
                slice(y - window[1].start, min(y + tile, shape[1]) - window[1].start),
                slice(x - window[2].start, min(x + tile, shape[2]) - window[2].start),
            )
            here = (slice(0, 1), slice(y, y + tile), slice(x, x + tile))
            np.testing.assert_array_equal(canonical(part[inside]), canonical(whole[here]))


def smooth_features(rng, shape):
    """Features with edges and noise, three channels."""
    from scipy import ndimage

    planes = [
        ndimage.gaussian_filter(rng.normal(size=shape[1:]), 5) * 200 + rng.normal(size=shape[1:])
        for _ in range(3)
    ]
    return np.stack(planes).astype(np.float32)[:, np.newaxis]
