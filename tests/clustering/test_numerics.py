"""Numbers of every size: far from the origin, tied, tiny and large."""

import numpy as np
import pytest

from sksuperpixel import SLIC
from sksuperpixel._clustering.distance import NetworkDistance, WeightedDistance
from sksuperpixel._clustering.grid import Grid
from sksuperpixel._clustering.network_assignment import KernelNetwork
from sksuperpixel._clustering.planes import Planes
from sksuperpixel._clustering.settings import Settings
from sksuperpixel._clustering.superpixels import superpixels

STEP, PERIOD, LENGTH = 8, 40, 10_000


def settings(**changes):
    values = {
        "superpixel_size": STEP,
        "n_segments": None,
        "compactness": 10.0,
        "max_iter": 5,
        "min_size_factor": 0.25,
        "oversegmentation": 6.0,
        "edge_channel": None,
        "refine_iter": 5,
    }
    return Settings(**(values | changes))


def network_distance(n_channels):
    """SLIC's own distance, computed as that of a network."""
    layers = {
        "channel_weights": np.ones(n_channels, np.float32),
        "inverse_scales": np.ones(1 + n_channels, np.float32),
        "first": np.zeros((2 + n_channels, 0), np.float32),
        "second": np.zeros((1, 0), np.float32),
        "last": np.zeros(0, np.float32),
    }
    return NetworkDistance(KernelNetwork(layers), n_candidates=9)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("distance", [WeightedDistance(), network_distance(2)], ids=["w", "net"])
def test_the_same_pixels_are_cut_alike_ten_thousand_pixels_away(axis, distance):
    """Float32 cannot tell 9,999.5 from 9,999.5004, so coordinates must not enter as they are."""
    rng = np.random.default_rng(0)
    shape = [2, 24, 24]
    shape[1 + axis] = PERIOD
    times = [1, 1, 1]
    times[1 + axis] = LENGTH // PERIOD
    features = np.tile(rng.normal(0, 5, shape), times).astype(np.float32)[:, np.newaxis]
    regions = superpixels(Planes(features), distance, settings())[0]
    regions = regions if axis == 0 else regions.T

    def borders(start):
        part = regions[start : start + PERIOD + 1]
        return np.stack([part[1:, :-1] != part[:-1, :-1], part[:-1, 1:] != part[:-1, :-1]])

    expected = borders(PERIOD * 3)
    assert expected.any()
    for number in (100, LENGTH // PERIOD - 4):
        np.testing.assert_array_equal(borders(PERIOD * number), expected)


def test_a_large_image_and_a_part_of_it_far_from_its_corner():
    """The clustering of a window is that of the whole image, also at its far end."""
    rng = np.random.default_rng(1)
    features = rng.normal(0, 5, (1, 1, 96, LENGTH)).astype(np.float32)
    grid = Grid(features.shape[1:], STEP)
    distance, image = WeightedDistance(), Planes(features).weighted_by(WeightedDistance())
    labels, clusters = distance.cluster(image, grid, settings(max_iter=3))
    halo = 3 * 4 * STEP
    part = Planes(np.ascontiguousarray(features[..., -2 * halo :])).weighted_by(distance)
    own, own_clusters = distance.cluster(part, Grid(part.shape, STEP), settings(max_iter=3))
    centres = clusters.centres[labels[..., -halo:]] - [0, 0, LENGTH - 2 * halo]
    np.testing.assert_array_equal(centres, own_clusters.centres[own[..., -halo:]])


@pytest.mark.parametrize("n_segments", [None, 20])
def test_ties_go_to_the_first(n_segments):
    """On an image of one colour, all that decides are the rules for ties."""
    slic = SLIC(5, n_segments=n_segments, features="passthrough", compactness=0)
    image = np.zeros((31, 29, 1))
    once, again = (slic.set_params(n_jobs=n).fit_transform([image])[0] for n in (1, 3))
    np.testing.assert_array_equal(once, again)
    # The window of the first cluster reaches 5 pixels beyond its seed at (2, 2).
    assert n_segments or (once[:8, :8] == 0).all()
    assert n_segments in (None, once.max() + 1)


@pytest.mark.parametrize("scale", [2.0**-25, 1e-30, 1e-37, 1e18, 2.0**60])
@pytest.mark.parametrize("n_segments", [None, 9])
@pytest.mark.parametrize("adaptive", [False, True])
def test_tiny_and_large_features_are_cut_like_ordinary_ones(scale, n_segments, adaptive):
    """Squares of float32 below 1e-19 or above 1e19 are not float32 numbers themselves."""
    image = np.zeros((24, 24, 1))
    image[:, 13:] = 1
    # A power of two, so that the numbers differ in nothing else.
    scale = 2.0 ** round(np.log2(scale))
    params = {"n_segments": n_segments, "adaptive_compactness": adaptive}
    slic = SLIC(6, features="passthrough", compactness=0.125 * scale, **params)
    ordinary = SLIC(6, features="passthrough", compactness=0.125, **params)
    np.testing.assert_array_equal(
        slic.fit_transform([image * scale])[0], ordinary.fit_transform([image])[0]
    )


def test_numbers_that_float32_takes_for_zero_are_an_error():
    image = np.zeros((24, 24, 1))
    image[:, 13:] = 1e-60
    slic = SLIC(6, features="passthrough", compactness=1e-62).fit([image])
    with pytest.raises(ValueError, match="image 0: found values of at most 1e-60, expected"):
        slic.transform([image])
    slic.transform([np.zeros_like(image)])


@pytest.mark.parametrize(
    "params",
    [
        {"compactness": np.uint8(20)},
        {"compactness": np.int8(100)},
        {"compactness": np.float16(300)},
        {"n_segments": np.int8(100), "superpixel_size": np.uint8(9)},
        {"max_iter": np.uint8(3), "refine_iter": np.int8(2), "oversegmentation": np.float16(2)},
    ],
)
def test_numbers_of_numpy_are_like_those_of_python(params):
    """The square of an uint8 is an uint8, and wraps around."""
    image = np.random.default_rng(0).integers(0, 256, (60, 70, 3)).astype(np.uint8)
    params = {"n_segments": 40, **params}
    of_python = {
        name: getattr(value, "item", lambda v=value: v)() for name, value in params.items()
    }
    found, expected = (SLIC(**each).fit_transform([image])[0] for each in (params, of_python))
    np.testing.assert_array_equal(found, expected)


def test_what_lies_outside_a_mask_may_overflow():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (24, 24, 2)) * 2.0**-80
    mask = rng.random((24, 24)) < 0.7
    mask[0, 0] = True
    image[~mask] = 1e30
    slic = SLIC(6, features="passthrough", compactness=10 * 2.0**-80)
    ordinary = SLIC(6, features="passthrough", compactness=10)
    np.testing.assert_array_equal(
        slic.fit_transform([image], masks=[mask])[0],
        ordinary.fit_transform([np.where(mask[..., None], image * 2.0**80, 0)], masks=[mask])[0],
    )


def test_products_and_inputs_that_are_too_large_are_errors():
    image = np.random.default_rng(0).random((24, 24, 2))
    slic = SLIC(6, features="passthrough", channel_weights=[1e30, 1e30])
    with pytest.raises(ValueError, match="image 0: found features that are too large for float32"):
        slic.fit_transform([image * 1e30])
    planes = Planes(np.full((2, 1, 8, 8), 1e20, np.float32))
    with pytest.raises(ValueError, match=r"found features up to 1e\+20, expected at most 1e\+18"):
        superpixels(planes, network_distance(2), settings())


def test_lost_numbers_are_those_of_channels_that_count():
    image = np.ones((12, 12, 2))
    image[..., 0] = 1e-60 * np.arange(12)
    slic = SLIC(4, features="passthrough", channel_weights=[1, 0]).fit([image])
    with pytest.raises(ValueError, match=r"found values of at most 1\.1e-59, expected some"):
        slic.transform([image])
