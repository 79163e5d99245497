"""The search for a parameter with which superpixels are as compact as wanted."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksuperpixel._clustering.compactness_search import search_compactness


def curve(least, most, middle, width):
    """Compactness grows from `least` to `most` with the logarithm of the parameter."""

    def measure(parameter):
        tried.append(parameter)
        return least + (most - least) / (1 + math.exp((middle - math.log(parameter)) / width))

    tried = []
    measure.tried = tried
    return measure


@given(
    st.floats(0.1, 0.3),
    st.floats(0.5, 0.9),
    st.floats(math.log(1), math.log(100)),
    st.floats(0.5, 2),
    st.floats(0.1, 0.9),
)
def test_what_is_within_reach_is_found(least, most, middle, width, share):
    wanted = least + share * (most - least)
    measure = curve(least, most, middle, width)
    found, reached = search_compactness(measure, wanted, start=10.0, tol=0.005, max_iter=30)
    assert abs(reached - wanted) <= 0.005
    assert reached == measure(found)


def test_few_measurements_suffice():
    measure = curve(0.15, 0.7, math.log(15), 1.0)
    search_compactness(measure, 0.34, start=10.0, tol=0.005)
    assert len(measure.tried) <= 5


def test_the_start_may_do():
    measure = curve(0.15, 0.7, math.log(10), 1.0)
    found, _ = search_compactness(measure, 0.425, start=10.0, tol=0.005)
    assert found == pytest.approx(10)
    assert len(measure.tried) == 1


@pytest.mark.parametrize("wanted", [0.01, 0.99])
def test_out_of_reach_the_nearest_is_taken(wanted):
    measure = curve(0.2, 0.6, math.log(10), 0.3)
    found, reached = search_compactness(measure, wanted, start=10.0, tol=0.005)
    assert abs(reached - (0.2 if wanted < 0.2 else 0.6)) < 0.01
    # On the plateau, the trial nearest to the start is as good as those far away.
    tried = list(measure.tried)
    plateau = [each for each in tried if abs(measure(each) - reached) < 0.005]
    assert abs(math.log(found / 10)) <= min(abs(math.log(each / 10)) for each in plateau) + 1e-9


def test_what_never_changes_stays_at_the_start():
    found, reached = search_compactness(lambda parameter: 0.5, 0.3, start=7.0, tol=0.005)
    assert found == pytest.approx(7)
    assert reached == 0.5


def test_limits_are_kept():
    measure = curve(0.2, 0.6, math.log(1e4), 0.3)
    found, _ = search_compactness(measure, 0.6, start=10.0, tol=0.005, limits=(2.0, 50.0))
    assert max(measure.tried) <= 50 * (1 + 1e-9)
    assert 2 <= found <= 50 * (1 + 1e-9)


@pytest.mark.parametrize("max_iter", [1, 3])
def test_the_number_of_measurements_is_kept(max_iter):
    measure = curve(0.2, 0.6, math.log(1000), 0.5)
    search_compactness(measure, 0.4, start=10.0, tol=1e-9, max_iter=max_iter)
    assert len(measure.tried) == max_iter
