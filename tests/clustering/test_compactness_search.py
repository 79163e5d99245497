"""The search for a compactness with curves of many kinds: steep, flat, stepped and noisy."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksuperpixel._clustering.compactness_search import _LIMITS, search_compactness


class Curve:
    """A measurement that grows with the logarithm of the parameter, and remembers what it was."""

    def __init__(self, places, values, noise=0.0):
        self.places, self.values, self.noise = places, values, noise
        self.tried, self.measured = [], []

    @property
    def limits(self):
        """The parameters between which the curve rises."""
        return tuple(np.exp(self.places[[0, -1]]).tolist())

    def __call__(self, parameter):
        value = float(np.interp(math.log(parameter), self.places, self.values))
        rng = np.random.default_rng(len(self.tried))
        self.tried.append(parameter)
        self.measured.append(value + self.noise * rng.uniform(-1, 1))
        return self.measured[-1]


@st.composite
def curves(draw):
    """Straight pieces that rise. Their slopes differ by a factor of up to a hundred."""
    start = draw(st.floats(math.log(0.01), math.log(10)))
    steps = draw(st.lists(st.floats(0.2, 1.5), min_size=2, max_size=6))
    slopes = draw(st.lists(st.floats(0.005, 0.5), min_size=len(steps), max_size=len(steps)))
    places = np.append(start, start + np.cumsum(steps))
    values = np.append(0, np.cumsum(np.multiply(steps, slopes)))
    return Curve(places, 0.05 + values / max(1, values[-1] / 0.9))


@st.composite
def starts(draw, curve):
    """A parameter at which the curve rises."""
    share = draw(st.floats(0.02, 0.98))
    return float(np.exp(curve.places[0] + share * (curve.places[-1] - curve.places[0])))


@given(st.data(), curves(), st.floats(0, 1))
def test_what_is_within_reach_is_found(data, curve, share):
    start = data.draw(starts(curve))
    low, high = curve.values[[0, -1]]
    wanted = low + share * (high - low)
    found, reached = search_compactness(
        curve, wanted, start=start, tol=0.005, max_iter=40, limits=curve.limits
    )
    assert abs(reached - wanted) <= 0.005
    assert found in curve.tried
    assert reached == curve.measured[curve.tried.index(found)]
    # It stops as soon as this is reached.
    assert found == curve.tried[-1]
    assert curve.tried[0] == pytest.approx(start)


@given(st.floats(0.05, 0.3), st.floats(0.2, 0.7), st.floats(0.5, 200))
def test_a_straight_curve_needs_few_measurements(slope, wanted, start):
    places = np.log([1e-8, 10, 1e10])
    curve = Curve(places, 0.45 + slope * (places - places[1]))
    search_compactness(curve, wanted, start=start, tol=0.005)
    assert len(curve.tried) <= 7


@given(curves(), st.sampled_from(["above", "below"]), st.floats(0.02, 0.2), st.floats(0.1, 200))
def test_out_of_reach_the_nearest_to_the_start_is_taken(curve, side, beyond, start):
    low, high = curve.values[[0, -1]]
    wanted = high + beyond if side == "above" else low - beyond
    found, reached = search_compactness(curve, wanted, start=start, tol=0.005, max_iter=40)
    errors = np.abs(np.array(curve.measured) - wanted)
    assert abs(reached - wanted) <= errors.min() + 0.005
    assert abs(reached - (high if side == "above" else low)) <= 0.005
    near = [p for p, e in zip(curve.tried, errors, strict=True) if e <= errors.min() + 0.005]
    assert abs(math.log(found / start)) <= min(abs(math.log(p / start)) for p in near) + 1e-9


@given(curves(), st.floats(0.01, 0.99), st.floats(0.1, 200), st.integers(1, 12))
def test_there_are_not_too_many_measurements(curve, wanted, start, max_iter):
    search_compactness(curve, wanted, start=start, tol=1e-12, max_iter=max_iter)
    assert 1 <= len(curve.tried) <= max_iter
    # Nothing is measured twice.
    assert len(set(curve.tried)) == len(curve.tried)


@given(curves(), st.floats(0.01, 0.99), st.floats(0.5, 50), st.floats(1, 100), st.floats(1, 100))
def test_limits_are_kept(curve, wanted, start, below, above):
    limits = start / below, start * above
    found, _ = search_compactness(curve, wanted, start=start, tol=0.005, limits=limits)
    for parameter in (found, *curve.tried):
        assert limits[0] * (1 - 1e-9) <= parameter <= limits[1] * (1 + 1e-9)


@pytest.mark.parametrize("wanted", [0.001, 0.999])
def test_without_limits_the_usual_ones_hold(wanted):
    curve = Curve(np.log([1e-9, 1e9]), np.array([0.3, 0.7]))
    search_compactness(curve, wanted, start=10.0, tol=0.005, max_iter=50)
    assert min(curve.tried) >= _LIMITS[0] * (1 - 1e-9)
    assert max(curve.tried) <= _LIMITS[1] * (1 + 1e-9)
    # Both limits lead to more than is asked for, or less, so the search ends there.
    assert len(curve.tried) < 20


def test_limits_may_leave_no_choice():
    curve = Curve(np.log([1, 100]), np.array([0.2, 0.6]))
    found, _ = search_compactness(curve, 0.5, start=3.0, tol=0.001, limits=(3.0, 3.0))
    assert found == pytest.approx(3)
    assert len(curve.tried) == 1


@pytest.mark.parametrize("start", [0.5, 3.0, 10.0, 40.0, 300.0])
@pytest.mark.parametrize("wanted", [0.25, 0.3, 0.45, 0.6, 0.65])
def test_noise_below_the_tolerance_does_not_matter(wanted, start):
    places = np.linspace(math.log(0.1), math.log(2000), 50)
    values = 0.2 + 0.5 / (1 + np.exp(math.log(15) - places))
    curve = Curve(places, values, noise=0.002)
    _, reached = search_compactness(curve, wanted, start=start, tol=0.005)
    assert abs(reached - wanted) <= 0.005


@given(st.floats(0.1, 0.9), st.floats(0.05, 0.3), st.floats(1, 100), st.integers(1, 20))
def test_noise_alone_leaves_the_start(value, noise, start, max_iter):
    # If features say nothing, superpixels are about equally compact with any parameter.
    curve = Curve(np.log([1e-9, 1e9]), np.array([value, value]), noise=0.002)
    found, _ = search_compactness(curve, value - noise, start=start, tol=0.005, max_iter=max_iter)
    assert found == pytest.approx(start)


@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_with_much_noise_the_best_trial_is_taken(noise):
    curve = Curve(np.log([0.1, 1000]), np.array([0.2, 0.7]), noise=noise)
    found, reached = search_compactness(curve, 0.5, start=10.0, tol=1e-6)
    errors = np.abs(np.array(curve.measured) - 0.5)
    assert abs(reached - 0.5) <= errors.min() + 1e-6
    assert reached == curve.measured[curve.tried.index(found)]


def test_a_step_is_approached_from_both_sides():
    # No parameter leads to what is wanted, but the step is found.
    tried = []

    def measure(parameter):
        tried.append(parameter)
        return 0.2 if parameter < 42 else 0.6

    found, reached = search_compactness(measure, 0.45, start=10.0, tol=0.005, max_iter=30)
    assert reached == 0.6
    (around,) = [pair for pair in pairwise(sorted(tried)) if pair[0] < 42 <= pair[1]]
    assert around[1] < 1.05 * around[0]
    assert found == around[1]


@pytest.mark.parametrize(("start", "wanted"), [(1.0, 0.3), (500.0, 0.6)])
def test_a_search_that_starts_where_nothing_changes_ends_where_something_does(start, wanted):
    # The curve is flat up to 40 and from 80 on.
    curve = Curve(np.log([40, 80]), np.array([0.2, 0.7]))
    _, reached = search_compactness(curve, wanted, start=start, tol=0.005, max_iter=20)
    assert reached == pytest.approx(wanted, abs=0.005)
