"""Parameters whose right values depend on the images."""

import numpy as np
import pytest

from sksuperpixel._images.parameters import (
    check_channel_weights,
    check_data_range,
    check_spacing,
)


def test_channel_weights():
    assert check_channel_weights(None, 3) is None
    found = check_channel_weights((1, 0, 2), 3)
    assert found.dtype == np.float64
    assert found.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("spacing", "n_axes", "expected"),
    [
        (None, 2, (1, 1, 1)),
        (None, 3, (1, 1, 1)),
        ((2, 1), 2, (1, 2, 1)),
        ([2, 3], 2, (1, 1, 1.5)),
        (np.array([5.0, 1.0, 0.5]), 3, (10, 2, 1)),
        ((np.float32(0.5), 1), 2, (1, 1, 2)),
    ],
)
def test_spacing(spacing, n_axes, expected):
    found = check_spacing(spacing, n_axes)
    assert found == expected
    assert all(type(s) is float for s in found)


@pytest.mark.parametrize("spacing", [(1, 2), (1, 2, 0), (1, 2, "3"), [(1, 2, 3)] * 3])
def test_wrong_spacing(spacing):
    with pytest.raises(ValueError, match=r"spacing: found .* expected 3 positive numbers"):
        check_spacing(spacing, 3)


@pytest.mark.parametrize(
    ("data_range", "expected"),
    [
        (None, None),
        (4095, (0, 4095)),
        (np.float32(2.5), (0, 2.5)),
        ((-1000, 3000), (-1000, 3000)),
        ([0.0, 1e-3], (0, 1e-3)),
    ],
)
def test_data_range(data_range, expected):
    assert check_data_range(data_range) == expected


@pytest.mark.parametrize(
    "data_range", [0, -1, np.nan, np.inf, (1, 1), (2, 1), (0, np.inf), (0, 1, 2), "ab", (0, "1")]
)
def test_wrong_data_range(data_range):
    with pytest.raises(ValueError, match=r"data_range: found .* expected None, the largest"):
        check_data_range(data_range)
