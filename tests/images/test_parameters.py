"""Parameters whose right values depend on the images."""

from fractions import Fraction

import numpy as np
import pytest

from sksuperpixel._images.parameters import (
    check_channel_weights,
    check_data_range,
    check_spacing,
)


class ArrayLike:
    """What NumPy can turn into an array, and nothing else."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)


def test_channel_weights():
    assert check_channel_weights(None, 3) is None
    found = check_channel_weights((1, 0, 2), 3)
    assert found.dtype == np.float64
    assert found.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, np.nan, -2], r"found nan at index 1, expected numbers from 0 to 1e\+30$"),
        ([1, 2, -2], "found -2.0 at index 2"),
        ([1, 1e31, 2], r"found 1e\+31 at index 1"),
        ([1, 1j, 2], r"found \[1, 1j, 2\], expected numbers from 0 to 1e\+30$"),
        (np.array([1, 1j, 2]), "found array"),
        ([1, "1", 2], r"found \[1, '1', 2\], expected numbers"),
        ([1, None, 2], r"found \[1, None, 2\], expected numbers"),
        ([1, [1, 2], 2], r"found \[1, \[1, 2\], 2\], expected numbers"),
        (np.ones((3, 1)), r"found shape \(3, 1\), expected \(3,\): one weight"),
    ],
)
def test_wrong_channel_weights(weights, message):
    with pytest.raises(ValueError, match=f"channel_weights: {message}"):
        check_channel_weights(weights, 3)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 10**400, 2], r"found \[1, 1000+ \.\.\. 000+, 2\], expected numbers"),
        ([1, 10**5000, 2], "found a huge list, expected numbers"),
    ],
)
def test_errors_are_short(value, expected):
    with pytest.raises(ValueError, match=expected) as raised:
        check_channel_weights(value, 3)
    assert len(str(raised.value)) < 180


def test_long_doubles_beyond_floats():
    with pytest.raises(ValueError, match="found inf at index 0"):
        check_channel_weights(np.array(["1e400"]).astype(np.longdouble) * 10, 1)


@pytest.mark.parametrize(
    ("spacing", "n_axes", "expected"),
    [
        (None, 2, (1, 1, 1)),
        (None, 3, (1, 1, 1)),
        ((2, 1), 2, (1, 2, 1)),
        ([2, 3], 2, (1, 1, 1.5)),
        (np.array([5.0, 1.0, 0.5]), 3, (10, 2, 1)),
        ((np.float32(0.5), 1), 2, (1, 1, 2)),
        (range(1, 3), 2, (1, 1, 2)),
        ([1, Fraction(1, 2)], 2, (1, 2, 1)),
        (ArrayLike([1.0, 2.0]), 2, (1, 1, 2)),
        ((5e-324, 5e-324), 2, (1, 1, 1)),
    ],
)
def test_spacing(spacing, n_axes, expected):
    found = check_spacing(spacing, n_axes)
    assert found == expected
    assert all(type(s) is float for s in found)


@pytest.mark.parametrize("container", ["pandas.Series", "torch.tensor"])
def test_spacing_in_containers_of_other_libraries(container):
    module, name = container.split(".")
    library = pytest.importorskip(module)
    assert check_spacing(getattr(library, name)([1.0, 2.0]), 2) == (1, 1, 2)


def test_tensors_that_cannot_be_arrays():
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"spacing: found tensor.* expected 2 positive numbers"):
        check_spacing(torch.ones(2, requires_grad=True), 2)


@pytest.mark.parametrize(
    "spacing",
    [
        (1, 2),
        (1, 2, 0),
        (1, 2, np.nan),
        (1, 2, 10**400),
        (1, 2, "3"),
        "123",
        (1, 2, 3j),
        np.array([1, 2, 3 + 0j]),
        (1, 2, None),
        [(1, 2, 3)] * 3,
        [[1], [1, 2], [3]],
        2.0,
        np.array(2.0),
        {1.0, 2.0, 3.0},
        np.array([1, 2, 3], "m8[s]"),
    ],
)
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
    "data_range",
    [
        0,
        -1,
        np.nan,
        np.inf,
        (1, 1),
        (2, 1),
        (0, np.inf),
        (0, 1, 2),
        "ab",
        (0, "1"),
        (0, 1j),
        10**400,
    ],
)
def test_wrong_data_range(data_range):
    with pytest.raises(ValueError, match=r"data_range: found .* expected None, the largest"):
        check_data_range(data_range)


def test_text_in_a_long_list_takes_no_memory():
    """NumPy would make an array of 100,000 texts, each as long as the longest one."""
    weights = [1] * 100_000 + ["x" * 1_000_000]
    with pytest.raises(ValueError, match=r"channel_weights: found \[1, 1, .*expected numbers"):
        check_channel_weights(weights, 3)
