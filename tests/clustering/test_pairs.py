"""Pair features: what functions are given, and what they may give."""

import numpy as np
import pytest

from sksuperpixel._clustering.pairs import line_ends, pair_values

FEATURES = np.zeros((2, 1, 4, 5), np.float32)
PIXELS = np.array([[0, 0, 0], [0, 3, 4]], np.int32)
CANDIDATES = np.array([[1, 0], [0, -1]], np.int32)
CENTRES = np.array([[0, 0.4, 0.6], [0, 3.2, 9.0]])


def test_lines_end_at_the_pixels_nearest_to_the_centres():
    ends = line_ends(CANDIDATES, CENTRES, (1, 4, 5))
    assert ends.tolist() == [[[0, 3, 4], [0, 0, 1]], [[0, 0, 1], [-1, -1, -1]]]


def test_functions_get_the_features_the_pixels_and_the_ends():
    def columns(features, pixels, ends):
        assert features is FEATURES
        np.testing.assert_array_equal(pixels, PIXELS)
        return ends[..., 2]

    def ones(features, pixels, ends):
        return np.ones(ends.shape[:2], bool)

    values = pair_values((columns, ones), FEATURES, PIXELS, CANDIDATES, CENTRES)
    assert values.dtype == np.float32
    # 0 where there is no candidate, whatever the function gives there.
    assert values.tolist() == [[[4, 1], [1, 1]], [[1, 1], [0, 0]]]


def test_numbers_of_absent_candidates_do_not_matter():
    def at_absent(value):
        return lambda features, pixels, ends: np.where(ends[..., 0] < 0, value, 3.0)

    expected = pair_values((at_absent(0.0),), FEATURES, PIXELS, CANDIDATES, CENTRES)
    for value in (np.nan, np.inf, 1e300):
        found = pair_values((at_absent(value),), FEATURES, PIXELS, CANDIDATES, CENTRES)
        np.testing.assert_array_equal(found, expected)


def test_no_functions():
    assert pair_values((), FEATURES, PIXELS, CANDIDATES, CENTRES).shape == (2, 2, 0)


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (lambda f, p, e: np.zeros(len(p)), r"found an array of shape \(2,\) of float64, expected"),
        (lambda f, p, e: np.full(e.shape[:2], 1j), "of complex128, expected"),
        (lambda f, p, e: np.full(e.shape[:2], "1"), "of <U1, expected"),
        (lambda f, p, e: np.full(e.shape[:2], 1e300), "numbers beyond float32"),
        (lambda f, p, e: np.full(e.shape[:2], np.nan), "found NaN or infinity"),
        (lambda f, p, e: None, r"found an array of shape \(\) of object"),
    ],
)
def test_bad_functions_are_named(function, match):
    with pytest.raises(ValueError, match=rf"^pair_features\[1\]: .*{match}"):
        pair_values((lambda f, p, e: e[..., 0], function), FEATURES, PIXELS, CANDIDATES, CENTRES)
