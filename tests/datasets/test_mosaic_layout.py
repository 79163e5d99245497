import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from sksuperpixel.datasets._mosaic_layout import draw_layout


def layout(shape=(60, 80), n_segments=6, n_sources=5, n_textures=None, wobble=0.1, seed=0):
    rng = np.random.RandomState(seed)
    return draw_layout(shape, n_segments, n_sources, n_textures, wobble, rng)


def touching(labels):
    """Return the pairs of segments that are neighbours."""
    pairs = np.concatenate(
        [
            np.stack([labels[1:].ravel(), labels[:-1].ravel()], axis=1),
            np.stack([labels[:, 1:].ravel(), labels[:, :-1].ravel()], axis=1),
        ]
    )
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def border_length(labels):
    return (labels[1:] != labels[:-1]).sum() + (labels[:, 1:] != labels[:, :-1]).sum()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("wobble", [0, 0.1, 0.4])
@pytest.mark.parametrize("n_segments", [1, 6, 20])
def test_segments(n_segments, wobble, seed):
    labels, _ = layout(n_segments=n_segments, wobble=wobble, seed=seed)
    assert labels.shape == (60, 80)
    assert labels.dtype == np.int32
    assert_array_equal(np.unique(labels), np.arange(n_segments))
    for segment in range(n_segments):
        assert ndimage.label(labels == segment)[1] == 1
    assert np.bincount(labels.ravel()).min() >= 60 * 80 / n_segments / 5


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("n_textures", [None, 3, 4, 9])
def test_neighbours_have_different_pictures(n_textures, seed):
    labels, chosen = layout(n_segments=8, n_textures=n_textures, seed=seed)
    assert chosen.shape == (8,)
    assert set(chosen) <= set(range(5))
    assert len(set(chosen)) <= (n_textures or 5)
    for one, other in touching(labels):
        assert chosen[one] != chosen[other]


def test_all_pictures_are_drawn_in_the_long_run():
    drawn = {source for seed in range(20) for source in layout(n_textures=3, seed=seed)[1]}
    assert drawn == set(range(5))


def test_wobble_makes_borders_longer():
    lengths = [
        np.mean([border_length(layout(wobble=wobble, seed=seed)[0]) for seed in range(10)])
        for wobble in (0, 0.1, 0.2)
    ]
    assert lengths[0] < lengths[1] < lengths[2]


def test_the_generator_decides():
    assert_array_equal(layout(seed=3)[0], layout(seed=3)[0])
    assert_array_equal(layout(seed=3)[1], layout(seed=3)[1])
    assert (layout(seed=3)[0] != layout(seed=4)[0]).any()


@pytest.mark.parametrize(
    "impossible",
    [
        {"n_textures": 1},
        {"n_sources": 1},
        {"shape": (8, 8), "n_segments": 65},
    ],
)
def test_impossible_layouts(impossible):
    with pytest.raises(ValueError, match=r"found no mosaic of \d+ segments from \d pictures in"):
        layout(**impossible)
