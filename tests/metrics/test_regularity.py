"""Global regularity against its definition, and on shapes worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from metrics_reference import EXACT, as_dict, slow_global_regularity
from numpy.testing import assert_allclose

from sksuperpixel.metrics import global_regularity


@settings(max_examples=200, deadline=None)
@given(
    arrays(
        np.intp,
        array_shapes(min_dims=2, max_dims=2, max_side=8),
        elements=st.integers(0, 2),
        fill=st.nothing(),
    )
)
def test_global_regularity_agrees_with_brute_force(y_pred):
    expected = slow_global_regularity(as_dict(y_pred, y_pred >= 0))
    assert_allclose(global_regularity(y_pred), expected, **EXACT)


@pytest.mark.parametrize("shape", [(2, 8), (9, 1), (3, 3), (1, 1)])
def test_global_regularity_of_a_rectangle_is_its_balance(shape):
    # Convex and like itself; the deviations of a uniform distribution go as the sides.
    expected = np.sqrt(min(shape) / max(shape))
    assert_allclose(global_regularity(np.zeros(shape, int)), expected, **EXACT)


def test_global_regularity_of_different_shapes():
    # Both shapes are convex and balanced: SRC = 1. The barycentre (1/3, 1/3) is rounded to
    # (0, 0), so on average, by pixels, the origin has 2/4 and (0, 1), (1, 0) have 1/4. The
    # angle's half L1 distance is (1/6 + 1/12 + 1/12) / 2 = 1/6, the pixel's (1/2 + 1/2) / 2.
    # SMF = 1 - 3/4 1/6 - 1/4 1/2 = 3/4
    angle = np.array([[0, 0], [0, 1]])
    assert_allclose(global_regularity(angle), 0.75, **EXACT)


def test_global_regularity_of_a_ring():
    ring = np.zeros((3, 3), dtype=int)
    ring[1, 1] = -1
    # Rows are crossed 2 + 4 + 2 times, columns too, diagonals 2 + 2 + 4 + 2 + 2 times; the
    # hull has 3 rows and columns, 5 diagonals each way, and a ninth pixel.
    perimeter = 2 * 8 + 2 * 12 / np.sqrt(2)
    hull_perimeter = 2 * 6 + 2 * 10 / np.sqrt(2)
    assert_allclose(global_regularity(ring), 8 / 9 * hull_perimeter / perimeter, **EXACT)


def test_global_regularity_of_a_digital_disc_is_1():
    y, x = np.mgrid[-7:8, -7:8]
    disc = np.where(y**2 + x**2 <= 50, 0, -1)
    assert_allclose(global_regularity(disc), 1.0, **EXACT)


def test_global_regularity_of_more_superpixels_than_16_bits_tell():
    # Pairs of pixels, one below the other, have sqrt(1 / 2). Neighbours differ by 2^16.
    number = np.arange(2**17).reshape(256, 512)
    pairs = np.repeat(number // 2 + number % 2 * 2**16, 2, axis=0)
    assert_allclose(global_regularity(pairs), np.sqrt(0.5), **EXACT)
