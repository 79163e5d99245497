import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sksuperpixel.networks import DistanceNetwork  # noqa: E402
from sksuperpixel.networks._rows import split_rows  # noqa: E402


@pytest.mark.parametrize("n_layers", [1, 3])
def test_distance_starts_as_slics(n_layers, make_rows):
    rows, distances, differences = make_rows(50, 3, 7)
    network = DistanceNetwork(3, n_layers=n_layers, channel_weights=[1, 2, 0.5])
    np.testing.assert_allclose(network.channel_weights, [1, 2, 0.5], rtol=1e-6)
    expected = distances**2 + (differences**2 * [1, 2, 0.5]).sum(axis=2)
    np.testing.assert_allclose(network.distances(rows).detach(), expected, rtol=1e-5)
    log_probabilities = network(rows).detach()
    np.testing.assert_allclose(log_probabilities.exp().sum(axis=1), 1, rtol=1e-5)
    assert (log_probabilities.argmax(1).numpy() == expected.argmin(axis=1)).all()


@pytest.mark.parametrize("n_layers", [1, 3])
def test_features_of_weight_zero_are_left_out(n_layers, make_rows):
    network = DistanceNetwork(2, n_layers, channel_weights=[0, 1])
    if n_layers == 3:
        torch.nn.init.ones_(network.last.weight)
    assert network.channel_weights.tolist() == [0, 1]
    rows, *_ = make_rows(9, 2, 3)
    expected = network(rows)
    expected[:, 0].sum().backward()
    assert network.log_weights.grad[0] == 0
    assert network.log_weights.grad[1] != 0
    # Nothing that this feature does matters, however large it is.
    rows[:, 2 + 3 :: 2] *= 1e3
    torch.testing.assert_close(network(rows), expected)
    arrays = network.arrays()
    assert arrays["channel_weights"].tolist() == [0, 1]
    assert (arrays["first"][1] == 0).all()


@pytest.mark.parametrize("n_layers", [1, 3])
def test_distances_in_space_can_be_scaled(n_layers, make_rows):
    torch.manual_seed(0)
    network = DistanceNetwork(2, n_layers, channel_weights=[0.5, 2], scales=[3, 1, 1])
    if n_layers == 3:
        torch.nn.init.normal_(network.last.weight)
    rows, *_ = make_rows(9, 2, 3)
    expected = network(rows).detach()
    network.scale_space(4.0)
    rows[:, 2:5] /= 4
    torch.testing.assert_close(network(rows).detach(), expected)
    np.testing.assert_allclose(network.channel_weights, [0.5 / 16, 2 / 16], rtol=1e-6)


def test_temperature_scales_log_odds(make_rows):
    rows, *_ = make_rows(4, 2, 3)
    hot, cold = (DistanceNetwork(2, 1, temperature=t)(rows).detach() for t in (20.0, 10.0))
    torch.testing.assert_close(2 * (hot[:, 0] - hot[:, 1]), cold[:, 0] - cold[:, 1])


@pytest.mark.parametrize("n_layers", [1, 3])
def test_absent_candidates_have_no_probability_and_no_influence(n_layers, make_rows):
    network = DistanceNetwork(3, n_layers)
    rows, *_ = make_rows(6, 3, 4)
    rows[:, 3 + 3] = torch.inf  # distance of the last candidate
    first = network(rows).detach()
    assert (first[:, 3].exp() == 0).all()
    assert (network.distances(rows)[:, 3] == torch.inf).all()
    rows[:, 3 + 4 + 9 :] = 1e6  # its differences
    torch.testing.assert_close(network(rows).detach(), first)
    network(rows)[:, 0].sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_candidates_share_the_distance(make_rows):
    rows, *_ = make_rows(8, 2, 3)
    network = DistanceNetwork(2, 3)
    torch.nn.init.normal_(network.last.weight)
    one = network.distances(rows)
    order = [2, 0, 1]
    features, distances, differences = split_rows(rows, 2)
    shuffled = torch.cat(
        [features, distances[:, order], differences[:, order].reshape(8, -1)], dim=1
    )
    torch.testing.assert_close(network.distances(shuffled), one[:, order])


@pytest.mark.parametrize("n_layers", [1, 3])
def test_arrays_give_the_distance_without_torch(n_layers, make_rows):
    rows, distances, differences = make_rows(20, 2, 3)
    network = DistanceNetwork(2, n_layers, n_hidden=5, scales=[2, 3, 4])
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    arrays = network.arrays()
    inputs = np.concatenate([distances[..., None], np.abs(differences)], axis=2)
    hidden = inputs * arrays["inverse_scales"]
    for name in ("first", "second"):
        layer = arrays[name]
        if n_layers == 1:
            assert layer.shape[1] == 0
        hidden = np.maximum(hidden @ layer[:-1] + layer[-1], 0) if n_layers == 3 else hidden
    expected = distances**2 + differences**2 @ arrays["channel_weights"]
    if n_layers == 3:
        expected += hidden @ arrays["last"]
    np.testing.assert_allclose(network.distances(rows).detach(), expected, rtol=1e-4)


def test_wrong_depth_is_an_error():
    with pytest.raises(ValueError, match="n_layers: found 2, expected 1 or 3"):
        DistanceNetwork(3, n_layers=2)
