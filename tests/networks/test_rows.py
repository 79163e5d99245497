import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sksuperpixel.networks._rows import split_rows  # noqa: E402


def test_rows_are_split_into_what_they_were_made_of(make_rows):
    rows, distances, differences = make_rows(5, 3, 4)
    features, found_distances, found_differences = split_rows(rows, 3)
    np.testing.assert_array_equal(features, rows[:, :3])
    np.testing.assert_allclose(found_distances, distances, rtol=1e-6)
    np.testing.assert_allclose(found_differences, differences, rtol=1e-6)


@pytest.mark.parametrize("width", [3, 10, 18])
def test_width_that_fits_no_number_of_candidates_is_an_error(width):
    with pytest.raises(ValueError, match=f"X: found {width} columns, expected M"):
        split_rows(torch.zeros(1, width), 3)
