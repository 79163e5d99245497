"""The networks: worked examples, masked candidates, gradients, initialisation, skorch."""

import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sklearn.base import clone  # noqa: E402

from sksuperpixel.networks import (  # noqa: E402
    ClassificationNetwork,
    DistanceNetwork,
    SetLoss,
    make_classification_net,
    make_distance_net,
    split_rows,
)


def rows_of(n, n_features, n_candidates, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, n_features))
    distances = rng.uniform(0, 10, (n, n_candidates))
    differences = rng.normal(0, 5, (n, n_candidates, n_features))
    flat = np.hstack([features, distances, differences.reshape(n, -1)]).astype(np.float32)
    return torch.tensor(flat), distances, differences


def test_rows_come_apart_as_they_were_put_together():
    rows, distances, differences = rows_of(5, 3, 4)
    _, found_distances, found_differences = split_rows(rows, 3)
    np.testing.assert_allclose(found_distances, distances, rtol=1e-6)
    np.testing.assert_allclose(found_differences, differences, rtol=1e-6)


@pytest.mark.parametrize("width", [3, 10, 18])
def test_width_that_fits_no_number_of_candidates_is_an_error(width):
    with pytest.raises(ValueError, match=f"X: found {width} columns, expected M"):
        split_rows(torch.zeros(1, width), 3)


@pytest.mark.parametrize("n_layers", [1, 3])
def test_distance_starts_as_slics(n_layers):
    rows, distances, differences = rows_of(50, 3, 7)
    network = DistanceNetwork(3, n_layers=n_layers, initial_weights=[1, 2, 0.5])
    expected = distances**2 + (differences**2 * [1, 2, 0.5]).sum(axis=2)
    np.testing.assert_allclose(network.distances(rows).detach(), expected, rtol=1e-5)
    log_probabilities = network(rows).detach()
    np.testing.assert_allclose(log_probabilities.exp().sum(axis=1), 1, rtol=1e-5)
    assert (log_probabilities.argmax(1).numpy() == expected.argmin(axis=1)).all()


def test_temperature_scales_log_odds():
    rows, *_ = rows_of(4, 2, 3)
    hot, cold = (DistanceNetwork(2, 1, temperature=t)(rows).detach() for t in (20.0, 10.0))
    torch.testing.assert_close(2 * (hot[:, 0] - hot[:, 1]), cold[:, 0] - cold[:, 1])


@pytest.mark.parametrize(
    "network", [DistanceNetwork(3, 1), DistanceNetwork(3, 3), ClassificationNetwork(3, 4).eval()]
)
def test_absent_candidates_have_no_probability_and_no_influence(network):
    rows, *_ = rows_of(6, 3, 4)
    rows[:, 3 + 3] = torch.inf  # distance of the last candidate
    first = network(rows).detach()
    assert (first[:, 3].exp() == 0).all()
    rows[:, 3 + 4 + 9 :] = 1e6  # its differences
    torch.testing.assert_close(network(rows).detach(), first)
    network.zero_grad()
    network(rows)[:, 0].sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_candidates_share_the_distance():
    rows, *_ = rows_of(8, 2, 3)
    network = DistanceNetwork(2, 3)
    torch.nn.init.normal_(network.last.weight)
    one = network.distances(rows)
    order = [2, 0, 1]
    features, distances, differences = split_rows(rows, 2)
    shuffled = torch.cat(
        [features, distances[:, order], differences[:, order].reshape(8, -1)], dim=1
    )
    torch.testing.assert_close(network.distances(shuffled), one[:, order])


def test_classification_network_has_the_published_layers():
    network = ClassificationNetwork(n_features=9, n_candidates=7)
    shapes = [tuple(m.weight.shape) for m in network.classify if hasattr(m, "weight")]
    assert [shape[0] for shape in shapes] == [120, 105, 15, 7]
    assert [m.out_features for m in network.reduce_features if hasattr(m, "out_features")] == [
        100,
        15,
    ]
    with pytest.raises(ValueError, match="rows of 5 candidates, expected 7"):
        network(torch.zeros(2, 9 + 5 + 45))


def test_wrong_depth_is_an_error():
    with pytest.raises(ValueError, match="n_layers: found 2, expected 1 or 3"):
        DistanceNetwork(3, n_layers=2)


def test_set_loss_of_one_right_candidate_is_cross_entropy():
    log_probabilities = torch.log_softmax(torch.randn(10, 5), dim=1)
    slots = torch.arange(10) % 5
    one = SetLoss()(log_probabilities, slots)
    torch.testing.assert_close(SetLoss(sets=True)(log_probabilities, 1 << slots), one)
    torch.testing.assert_close(one, torch.nn.functional.nll_loss(log_probabilities, slots))


def test_set_loss_by_hand():
    log_probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]).log()
    loss = SetLoss(sets=True)(log_probabilities, torch.tensor([0b101, 0b110]))
    assert loss.item() == pytest.approx(-(np.log(0.75) + np.log(0.9)) / 2)


@pytest.mark.parametrize("n_layers", [1, 3])
def test_a_distance_net_learns_which_feature_matters(n_layers):
    rows, distances, differences = rows_of(4000, 2, 4, seed=1)
    # The first feature is noise, the second all that matters.
    y = (0.01 * distances**2 + 4 * differences[..., 1] ** 2).argmin(axis=1)
    net = make_distance_net(n_layers, max_epochs=40, lr=0.1).set_params(module__n_features=2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net.fit(rows.numpy(), y.astype(np.int64))
    assert (net.predict(rows.numpy()) == y).mean() > 0.95
    first, second = net.module_.channel_weights
    # With three layers the hidden ones share the work.
    assert second > (10 if n_layers == 1 else 1) * first


@pytest.mark.parametrize("make", [make_distance_net, make_classification_net])
def test_nets_clone_and_pickle(make):
    rows, *_ = rows_of(64, 3, 7)
    net = make(max_epochs=2).set_params(module__n_features=3)
    net = clone(net).fit(rows.numpy(), np.arange(64) % 7)
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(
        again.predict_proba(rows.numpy()), net.predict_proba(rows.numpy())
    )
    np.testing.assert_allclose(net.predict_proba(rows.numpy()).sum(axis=1), 1, rtol=1e-5)
