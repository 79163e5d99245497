"""The grid's cells: as many as fit, and as large as they are."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from sksuperpixel._clustering.grid import Grid

SHAPES = st.one_of(
    st.tuples(st.just(1), st.integers(1, 200), st.integers(1, 200)),
    st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40)),
)
SPACINGS = st.tuples(*[st.sampled_from([1.0, 1.5, 2.0, 5.0, 36.76, 100.0])] * 3)


@given(SHAPES, SPACINGS, st.floats(1, 300))
def test_the_volume_of_a_cell_counts_pixels_that_exist(shape, spacing, size):
    volume = Grid(shape, size, spacing).cell_volume
    assert volume == pytest.approx(reference.cell_volume(shape, size, spacing))
    assert volume <= np.prod(shape)


@given(SHAPES, SPACINGS, st.floats(0, 1))
def test_cells_have_the_number_of_pixels_asked_for(shape, spacing, share):
    n_pixels = max(1.0, share * np.prod(shape))
    grid = Grid.with_cells(shape, n_pixels, spacing)
    assert grid.cell_volume == pytest.approx(n_pixels)
    step = reference.grid_step(shape, n_pixels, spacing)
    assert Grid(shape, step, spacing).cell_volume == pytest.approx(n_pixels)


@given(SHAPES, SPACINGS, st.floats(1, 60))
def test_no_two_seeds_are_on_one_pixel(shape, spacing, size):
    seeds = Grid(shape, size, spacing).seeds()
    assert len(np.unique(seeds, axis=0)) == len(seeds)


@given(SHAPES, SPACINGS, st.floats(1, 60), st.integers(0, 2**32 - 1))
def test_seeds_in_a_mask(shape, spacing, size, seed):
    grid = Grid(shape, size, spacing)
    everywhere = grid.seeds(mask=np.ones(shape, bool))
    np.testing.assert_array_equal(everywhere, grid.seeds())
    mask = np.random.default_rng(seed).random(shape) < 0.5
    seeds = grid.seeds(mask=mask)
    assert mask[tuple(seeds.T)].all()
    assert len(np.unique(seeds, axis=0)) == len(seeds)


def test_an_ordinary_cell_is_a_square_or_a_cube():
    assert Grid((1, 481, 321), 16.0).cell_volume == 256
    assert Grid((20, 48, 32), 8.0).cell_volume == 512
    assert Grid((20, 48, 32), 8.0, (2.0, 1.0, 1.0)).cell_volume == 256
    assert Grid.with_cells((1, 481, 321), 256.0).size == 16
    assert Grid.with_cells((20, 48, 32), 512.0).size == pytest.approx(8)


@pytest.mark.parametrize(
    ("shape", "n_pixels", "spacing"),
    [
        ((200, 16, 16), 400, (100.0, 1, 1)),
        ((5, 2, 2), 12.0, (36.76, 1, 1)),
        ((2, 142, 6), 1.0, (1, 2849.18, 101539.0)),
    ],
)
def test_cells_along_very_unequal_axes(shape, n_pixels, spacing):
    assert Grid.with_cells(shape, n_pixels, spacing).cell_volume == pytest.approx(n_pixels)


def test_one_pixel():
    grid = Grid.with_cells((1, 1, 1), 1.0)
    assert grid.n_cells == (1, 1, 1)
    assert grid.cell_volume == 1


@given(SHAPES, SPACINGS, st.floats(1, 60))
def test_each_cell_has_a_seed_inside(shape, spacing, size):
    grid = Grid(shape, size, spacing)
    seeds = grid.seeds()
    assert len(seeds) == np.prod(grid.n_cells)
    np.testing.assert_array_equal(seeds, reference.seeds(shape, size, spacing))
