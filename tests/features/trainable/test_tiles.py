"""Tiles, and that features do not depend on them."""

import subprocess
import sys
from copy import deepcopy

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from torch import nn  # noqa: E402

from sksuperpixel import SLIC  # noqa: E402
from sksuperpixel.features import ENetFeatures, LearnedFeatures  # noqa: E402
from sksuperpixel.features.enet import network as enet  # noqa: E402
from sksuperpixel.features.learned import network as learned  # noqa: E402
from sksuperpixel.features.trainable import tiles  # noqa: E402
from sksuperpixel.features.trainable.tiles import cut_into_tiles, find_halo  # noqa: E402

SOME_LAYERS = ["initial", "bottleneck1.1", "bottleneck2.2", "bottleneck2.8", "fullconv"]


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles that are hardly larger than their halos."""
    monkeypatch.setattr(tiles, "MOST_PIXELS", 64 * 64)
    monkeypatch.setattr(tiles, "_FEWEST_HALOS", 2.5)


def no_halo():
    raise AssertionError("asked for the halo of one tile")


def picture(*shape, seed=0):
    """A smooth image with some noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((-(-shape[0] // 8), -(-shape[1] // 8), 3)).repeat(8, 0).repeat(8, 1)
    image = 200 * coarse[: shape[0], : shape[1]] + rng.normal(0, 10, (*shape, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


# Tiles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("halo", [8, 24, 48])
@pytest.mark.parametrize("shape", [(1, 1), (70, 1), (130, 131), (64, 700), (901, 333), (3, 9000)])
def test_tiles_put_together_the_image(monkeypatch, shape, halo):
    monkeypatch.setattr(tiles, "MOST_PIXELS", 64 * 64)
    covered = np.zeros(shape, int)
    parts = cut_into_tiles(shape, 8, lambda: halo)
    for tile in parts:
        covered[tile.place] += 1
        for seen, inside, place in zip(tile[:2], tile.inside, tile.place, strict=True):
            np.testing.assert_array_equal(seen[inside], np.arange(place.start, place.stop))
    np.testing.assert_array_equal(covered, 1)
    assert len({(len(tile.rows), len(tile.columns)) for tile in parts}) == 1
    assert len(parts[0].rows) * len(parts[0].columns) <= max(64**2, 36 * halo**2)


@pytest.mark.parametrize("shape", [(130, 131), (64, 700), (901, 333)])
def test_tiles_see_their_halo_on_the_same_grid(monkeypatch, shape):
    monkeypatch.setattr(tiles, "MOST_PIXELS", 64 * 64)
    halo = 24
    parts = cut_into_tiles(shape, 8, lambda: halo)
    assert len(parts) > 1
    mirrored = [np.pad(np.arange(n), (8, 8 + -n % 8), mode="symmetric") for n in shape]
    for tile in parts:
        for axis, seen in enumerate(tile[:2]):
            inside, place, whole = tile.inside[axis], tile.place[axis], mirrored[axis]
            first = place.start + 8 - inside.start
            assert first % 8 == 0
            np.testing.assert_array_equal(seen, whole[first : first + len(seen)])
            assert first == 0 or inside.start >= halo
            assert first + len(seen) == len(whole) or len(seen) - inside.stop >= halo


def test_small_images_are_one_tile():
    (tile,) = cut_into_tiles((321, 481), 8, no_halo)
    assert tile.inside == (slice(8, 329), slice(8, 489))
    assert tile.place == (slice(0, 321), slice(0, 481))


@pytest.mark.parametrize("shape", [(3000, 4000), (200, 100_000), (100_000, 200), (8, 1_000_000)])
def test_pixels_of_a_tile_are_limited(shape):
    tile, *others = cut_into_tiles(shape, 8, lambda: 48)
    n_pixels = len(tile.rows) * len(tile.columns)
    assert n_pixels <= tiles.MOST_PIXELS
    # Tiles are not needlessly small, and do not overlap much.
    assert (1 + len(others)) * n_pixels < 1.7 * np.prod(shape) or min(shape) < 48


# Halos --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "halo"),
    [
        ([nn.Conv2d(3, 2, 1)], 8),
        ([nn.Conv2d(3, 2, 3, padding=1)], 8),
        ([nn.Conv2d(3, 2, 17, padding=8)], 8),
        ([nn.Conv2d(3, 2, 19, padding=9)], 16),
        ([nn.Conv2d(3, 2, (1, 19), padding=(0, 9))], 16),
        ([nn.Conv2d(3, 2, 3, padding=90, dilation=90)], 96),
        ([nn.MaxPool2d(8), nn.Conv2d(3, 2, 3, padding=1)], 8),
    ],
)
def test_halo_of_layers(layers, halo):
    assert find_halo(nn.Sequential(*layers), 8) == halo


def spreading(network):
    """A copy with equal, positive weights, through which everything that is reached gets > 0."""
    network = deepcopy(network)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
    return network


def reached(compute, black, n_around=80):
    """How far, in pixels, a block of 8 x 8 pixels has an effect, in blocks of 8."""
    x = black.view(1, 3, 1, 1).repeat(1, 1, 8, 8 * (2 * n_around + 1))
    changed = x.clone()
    changed[..., 8 * n_around : 8 * n_around + 8] += 1
    with torch.inference_mode():
        differs = (compute(x) != compute(changed)).any(dim=1).any(dim=1)
    blocks = differs.view(2 * n_around + 1, -1).any(dim=1).nonzero() - n_around
    return 8 * int(blocks.abs().max())


def test_halo_of_learned_features():
    network = spreading(learned.new_maps_network(1, 2, seed=0))
    found = reached(lambda x: network(x)[0], network.centre)
    assert learned.halo() == found == 48


@pytest.mark.parametrize("layer", SOME_LAYERS)
def test_halo_of_enet(layer):
    network = spreading(enet.new_network(1, seed=0))
    found = reached(lambda x: network(x, layer), network.mean)
    assert enet.halo(layer) == max(found, 8)


@pytest.mark.parametrize("layer", [None, *SOME_LAYERS])
def test_what_lies_beyond_the_halo_has_no_effect(layer):
    if layer is None:
        network, halo = learned.load_maps_network(LearnedFeatures._shipped["bsds500"]), 48
        compute = lambda x: torch.cat([network(x)[0], network(x)[1][:, None]], dim=1)  # noqa: E731
    else:
        network, halo = enet.load_weights(ENetFeatures._shipped["camvid"]), enet.halo(layer)
        compute = lambda x: network(x, layer)  # noqa: E731
    rng = np.random.default_rng(0)
    width = 2 * halo + 80
    image = torch.from_numpy(rng.random((1, 3, 16, width), np.float32))
    own = slice(halo + 32, halo + 48)

    def maps_with_noise(distance):
        noisy = torch.from_numpy(rng.random((1, 3, 16, width), np.float32))
        near = slice(own.start - distance, own.stop + distance)
        noisy[..., near] = image[..., near]
        with torch.inference_mode():
            maps = compute(noisy)
        step = width // maps.shape[-1]
        return maps[..., own.start // step : own.stop // step]

    with torch.inference_mode():
        expected = maps_with_noise(halo + 32)
    torch.testing.assert_close(maps_with_noise(halo), expected, rtol=1e-6, atol=1e-6)
    # The halo is not much wider than it needs to be. Pixels that are farther away than half of
    # it have an effect, though a small one.
    assert not maps_with_noise(halo // 2 // 8 * 8 if halo > 8 else 0).equal(expected)


# Features -----------------------------------------------------------------------------------


def features_of(transformer, image, **params):
    return transformer.transform([image], **params)[0]


@pytest.mark.parametrize(
    "transformer",
    [
        LearnedFeatures(weights="bsds500", train=False),
        LearnedFeatures(weights="bsds500", train=False, mirror=True, edges=True),
        ENetFeatures(),
        ENetFeatures("bottleneck1.2"),
        ENetFeatures("bottleneck2.1"),
    ],
)
def test_features_do_not_depend_on_tiles(request, transformer):
    image = picture(142, 230)
    mask = np.zeros(image.shape[:2], bool)
    mask[20:110, 30:210] = True
    transformer.fit([image])
    expected = features_of(transformer, image)
    expected_inside = features_of(transformer, image, masks=[mask])
    request.getfixturevalue("small_tiles")
    found = features_of(transformer, image)
    found_inside = features_of(transformer, image, masks=[mask])
    # The shape of so small a tile has an effect on how convolutions are rounded.
    rounding = 1e-6 * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding)
    np.testing.assert_allclose(found_inside, expected_inside, rtol=0, atol=rounding)


@pytest.mark.parametrize("transformer", [LearnedFeatures(width=4, train=False), ENetFeatures()])
def test_planes_of_a_volume_are_images(transformer, small_tiles):
    volume = np.stack([picture(150, 160, seed=i) for i in range(3)])
    transformer.set_params(random_state=0).fit([volume])
    for plane, image in zip(features_of(transformer, volume), volume, strict=True):
        np.testing.assert_array_equal(plane, features_of(transformer, image))


def test_superpixels_do_not_depend_on_tiles(request):
    images = [picture(142, 230, seed=i) for i in range(3)]
    slic = SLIC(10, features=LearnedFeatures(weights="bsds500", train=False)).fit(images)
    expected = slic.transform(images)
    request.getfixturevalue("small_tiles")
    for found, each in zip(slic.transform(images), expected, strict=True):
        np.testing.assert_array_equal(found, each)


MEASURE = """
import sys
from pathlib import Path
import numpy as np
from sksuperpixel.features import ENetFeatures, LearnedFeatures

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))

image = np.random.default_rng(0).integers(0, 256, (1200, 1200, 3), np.uint8)
transformer = {}.fit([image[:64, :64]])
transformer.transform([image[:64, :64]])[0]
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
features = transformer.transform([image])[0]
print((status("VmHWM") - before - features.nbytes) / 1200**2)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("transformer", ["LearnedFeatures(train=False)", "ENetFeatures()"])
def test_memory_is_bounded(transformer):
    run = subprocess.run(
        [sys.executable, "-c", MEASURE.format(transformer)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert float(run.stdout) < 200
