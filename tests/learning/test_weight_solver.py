"""The solver for the best weights of a distance of one layer."""

import numpy as np
import pytest
from scipy.optimize import minimize

from sksuperpixel._learning import weight_solver
from sksuperpixel._learning.training_pixels import TrainingPixels
from sksuperpixel._learning.weight_solver import solve_weights


def make_pixels(n=400, n_features=4, n_candidates=3, seed=0, shares=False):
    """Pixels of which the first two features tell the right candidate, but not reliably."""
    rng = np.random.default_rng(seed)
    n_clusters = 50
    means = rng.normal(size=(n_clusters, n_features))
    candidates = np.array([rng.permutation(n_clusters)[:n_candidates] for _ in range(n)])
    right = rng.integers(n_candidates, size=n)
    values = rng.normal(size=(n, n_features))
    own = means[candidates[np.arange(n), right]]
    values[:, :2] = own[:, :2] + rng.normal(0, 0.7, (n, 2))
    targets = np.eye(n_candidates)[right]
    if shares:
        targets = np.maximum(targets * rng.uniform(0.3, 1, (n, 1)), 1e-3)
    return TrainingPixels(
        values=values.astype(np.float32),
        candidates=candidates.astype(np.int32),
        distances=rng.uniform(0.2, 2, (n, n_candidates)).astype(np.float32),
        pairs=np.zeros((n, n_candidates, 0), np.float32),
        targets=targets.astype(np.float32),
        means=means.astype(np.float32),
    )


def squares_of(pixels):
    """Squared distances in space and squared differences, one pixel and candidate at a time."""
    n, n_candidates = pixels.candidates.shape
    squares = np.full((n, n_candidates, 1 + pixels.n_features), np.inf)
    for i in range(n):
        for q, cluster in enumerate(pixels.candidates[i]):
            if cluster >= 0:
                difference = pixels.values[i] - pixels.means[cluster]
                terms = [[pixels.distances[i, q]], difference, pixels.pairs[i, q]]
                squares[i, q] = np.concatenate(terms).astype(np.float64) ** 2
    return squares


def loss_of(theta, squares, targets):
    """The loss with parameters in units of the means, with the penalty."""
    present = np.isfinite(squares[..., 0])
    # As in the solver, absent candidates count in the means, as zeros.
    finite = np.where(present[..., np.newaxis], squares, 0)
    costs = finite @ (theta / finite.mean(axis=(0, 1)))
    likely = np.where(present, np.exp(-(costs - costs.min(axis=1, keepdims=True))), 0)
    likely /= likely.sum(axis=1, keepdims=True)
    loss = -np.log((likely * targets).sum(axis=1)).mean()
    return loss + weight_solver._SPARSITY * theta[1:].sum()


def theta_of(weights, temperature, squares):
    """The solver's parameters: what each term is multiplied by, in units of the means."""
    finite = np.where(np.isfinite(squares), squares, 0)
    return np.append(1.0, weights) / temperature * finite.mean(axis=(0, 1))


@pytest.mark.parametrize("shares", [False, True])
def test_no_other_weights_are_better(shares):
    pixels = make_pixels(shares=shares)
    squares = squares_of(pixels)
    found = theta_of(*solve_weights(pixels, 0), squares)
    slow = minimize(
        loss_of,
        np.ones(5),
        (squares, pixels.targets),
        bounds=[(1e-4, None)] + 4 * [(0, None)],
        method="L-BFGS-B",
    )
    assert loss_of(found, squares, pixels.targets) < slow.fun + 1e-4
    np.testing.assert_allclose(found, slow.x, rtol=0.05, atol=0.01)


def test_features_that_do_not_help_have_no_weight():
    weights, _ = solve_weights(make_pixels(), 0)
    assert (weights[:2] > 0).all()
    assert (weights[2:] == 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_scales_do_not_matter(seed):
    pixels = make_pixels(seed=seed)
    weights, temperature = solve_weights(pixels, 0)
    scales = (10 ** np.random.default_rng(seed).uniform(-3, 3, 4)).astype(np.float32)
    pixels.values, pixels.means = pixels.values * scales, pixels.means * scales
    scaled, other_temperature = solve_weights(pixels, 0)
    np.testing.assert_allclose(scaled * scales.astype(np.float64) ** 2, weights, rtol=0.02)
    assert other_temperature == pytest.approx(temperature, rel=0.02)


def test_absent_candidates_do_not_matter():
    pixels = make_pixels()
    more = make_pixels()
    nobody = np.full((len(pixels), 1), -1, np.int32)
    more.candidates = np.hstack([pixels.candidates, nobody])
    more.distances = np.hstack([pixels.distances, np.full(nobody.shape, np.inf, np.float32)])
    more.targets = np.hstack([pixels.targets, np.zeros(nobody.shape, np.float32)])
    more.pairs = np.zeros((*more.candidates.shape, 0), np.float32)
    squares = squares_of(more)
    expected = theta_of(*solve_weights(pixels, 0), squares)
    found = theta_of(*solve_weights(more, 0), squares)
    # The units are smaller by a quarter, and with them the penalty is larger.
    np.testing.assert_allclose(found, expected, rtol=0.2, atol=0.01)


def test_pair_features_have_weights_after_those_of_features():
    pixels = make_pixels(n_features=3)
    pixels.pairs = (1.5 - pixels.targets[..., np.newaxis]).astype(np.float32)
    weights, _ = solve_weights(pixels, 0)
    assert weights.shape == (4,)
    assert weights[3] > 0
    without, _ = solve_weights(pixels.without_pairs(), 0)
    assert without.shape == (3,)


def test_one_useless_feature_leaves_space():
    pixels = make_pixels(n_features=2)
    pixels.values[:], pixels.means[:] = 3.0, 3.0
    weights, temperature = solve_weights(pixels, 0)
    assert (weights == 0).all()
    assert np.isfinite(temperature)


def test_too_many_pixels_are_a_sample_that_the_seed_draws(monkeypatch):
    pixels = make_pixels()
    everything, _ = solve_weights(pixels, 0)
    monkeypatch.setattr(weight_solver, "_MOST_NUMBERS", 200 * 3 * 5)
    found = [solve_weights(pixels, seed)[0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()
    ratios = [each[0] / each[1] for each in (found[0], everything)]
    assert ratios[0] == pytest.approx(ratios[1], rel=0.5)


def test_without_space_weights_are_those_of_the_loss():
    pixels = make_pixels()
    pixels.distances[:] = 0
    weights, temperature = solve_weights(pixels, 0)
    assert temperature == 1
    assert 1e-3 < weights[:2].min() <= weights[:2].max() < 1e3
