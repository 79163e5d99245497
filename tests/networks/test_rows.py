import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sksuperpixel.networks._rows import split_finite_rows, split_rows  # noqa: E402


def test_rows_are_split_into_what_they_were_made_of(make_rows):
    rows, distances, differences = make_rows(5, 3, 4)
    features, found_distances, found_differences = split_rows(rows, 3)
    np.testing.assert_array_equal(features, rows[:, :3])
    np.testing.assert_allclose(found_distances, distances, rtol=1e-6)
    np.testing.assert_allclose(found_differences, differences, rtol=1e-6)


def test_absent_candidates_become_zeros_and_the_others_stay(make_rows):
    rows, distances, differences = make_rows(5, 3, 4)
    # A row has 3 features and 4 distances, followed by 3 differences for each candidate.
    rows[0, 3 + 2] = torch.inf
    rows[0, 3 + 4 + 2 * 3 : 3 + 4 + 3 * 3] = torch.nan
    expected_distances, expected_differences = distances.copy(), differences.copy()
    expected_distances[0, 2] = 0
    expected_differences[0, 2] = 0
    _, found_distances, found_differences, absent = split_finite_rows(rows, 3)
    np.testing.assert_allclose(found_distances, expected_distances, rtol=1e-6)
    np.testing.assert_allclose(found_differences, expected_differences, rtol=1e-6)
    assert absent.nonzero().tolist() == [[0, 2]]


@pytest.mark.parametrize("width", [3, 10, 18])
def test_width_that_fits_no_number_of_candidates_is_an_error(width):
    with pytest.raises(ValueError, match=f"X: found {width} columns, expected M"):
        split_rows(torch.zeros(1, width), 3)
