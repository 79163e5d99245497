import inspect
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from skorch.callbacks import EarlyStopping  # noqa: E402

from sksuperpixel import TrainableSLIC  # noqa: E402
from sksuperpixel.networks import (  # noqa: E402
    ClassificationNetwork,
    DistanceNetwork,
    make_classification_net,
    make_distance_net,
    make_net_of,
)

FACTORIES = [make_distance_net, make_classification_net]


@pytest.mark.parametrize("n_layers", [1, 3])
def test_a_distance_net_learns_which_feature_matters(n_layers, make_rows):
    rows, distances, differences = make_rows(4000, 2, 4, seed=1)
    # The first feature is noise; the second alone matters.
    y = (0.01 * distances**2 + 4 * differences[..., 1] ** 2).argmin(axis=1)
    net = make_distance_net(n_layers, max_epochs=25, learning_rate=0.1)
    net.set_params(module__n_features=2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net.fit(rows.numpy(), y.astype(np.int64))
    assert (net.predict(rows.numpy()) == y).mean() > 0.95
    first, second = net.module_.channel_weights
    # With three layers the hidden ones share the work.
    assert second > (10 if n_layers == 1 else 1) * first


@pytest.mark.parametrize("make", FACTORIES)
def test_arguments_reach_skorch(make):
    net = make(learning_rate=0.5, max_epochs=3, patience=2, batch_size=7, verbose=1, device="meta")
    assert (net.lr, net.max_epochs, net.batch_size, net.verbose) == (0.5, 3, 7, 1)
    assert net.device == "meta"
    assert dict(net.callbacks)["early_stopping"].patience == 2
    with pytest.raises(TypeError, match="lr"):
        make(lr=0.5)


def test_the_learning_rate_falls_along_a_cosine(make_rows):
    rows, *_ = make_rows(64, 1, 3)
    seen = []

    class Watch(EarlyStopping):
        def on_epoch_end(self, net, **kwargs):
            seen.append(net.optimizer_.param_groups[0]["lr"])

    callbacks = [make_distance_net().callbacks[0], ("watch", Watch())]
    net = make_distance_net(1, learning_rate=0.2, max_epochs=4, callbacks=callbacks)
    net.fit(rows.numpy(), np.arange(64) % 3)
    expected = 0.1 + 0.1 * np.cos(np.pi * np.arange(4) / 4)
    np.testing.assert_allclose(seen, expected)


def test_parameters_that_trainable_slic_sets_are_no_arguments():
    for make in FACTORIES:
        names = set(inspect.signature(make).parameters)
        assert not names & {"sets", "device", "n_features", "n_candidates", "lr"}


@pytest.mark.parametrize("make", FACTORIES)
def test_nets_clone_and_pickle(make, make_rows):
    rows, *_ = make_rows(64, 3, 7)
    net = make(max_epochs=2).set_params(module__n_features=3)
    net = clone(net).fit(rows.numpy(), np.arange(64) % 7)
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(
        again.predict_proba(rows.numpy()), net.predict_proba(rows.numpy())
    )
    np.testing.assert_allclose(net.predict_proba(rows.numpy()).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("net", "text"),
    [
        (make_distance_net(), "make_distance_net()"),
        (make_distance_net(1), "make_distance_net(n_layers=1)"),
        (
            make_distance_net(n_hidden=4, learning_rate=0.1, patience=9),
            "make_distance_net(n_hidden=4, learning_rate=0.1, patience=9)",
        ),
        (make_classification_net(max_epochs=3), "make_classification_net(max_epochs=3)"),
        # What is no argument of the factory is not shown, but said to be there.
        (
            make_distance_net(1, module__channel_weights=np.ones(200)),
            "make_distance_net(n_layers=1, ...)",
        ),
        (make_distance_net(callbacks=None), "make_distance_net(patience=None)"),
        (make_distance_net().set_params(lr=1.0), "make_distance_net(learning_rate=1.0)"),
        (
            make_distance_net().set_params(module=torch.nn.Linear),
            "CandidateClassifier(module=Linear, ...)",
        ),
    ],
)
def test_nets_print_as_the_call_that_makes_them(net, text):
    assert str(net) == repr(net) == text
    assert repr(clone(net)) == text
    assert repr(pickle.loads(pickle.dumps(net))) == text


def test_initialised_nets_print_on_one_line():
    for module in (DistanceNetwork(3, 1), ClassificationNetwork(3)):
        text = repr(make_net_of(module))
        assert len(text) < 80
        assert "\n" not in text


@pytest.mark.parametrize(
    "module",
    [DistanceNetwork(3, 1), DistanceNetwork(2, 3, n_hidden=5), ClassificationNetwork(3, 4)],
)
def test_a_net_of_a_network_has_its_weights(module, make_rows):
    rows, *_ = make_rows(5, module.n_features, 4)
    state = torch.random.get_rng_state()
    net = make_net_of(module)
    assert torch.equal(torch.random.get_rng_state(), state)
    expected = module.eval()(rows).exp().detach()
    np.testing.assert_array_equal(net.predict_proba(rows.numpy()), expected)


def test_grid_search_reaches_their_parameters():
    slic = TrainableSLIC(classifier=make_distance_net())
    search = GridSearchCV(slic, {"classifier__module__n_hidden": [2], "classifier__lr": [0.5]})
    found = clone(search.estimator).set_params(classifier__module__n_hidden=2, classifier__lr=0.5)
    assert repr(found.classifier) == "make_distance_net(n_hidden=2, learning_rate=0.5)"
    assert repr(slic.classifier) == "make_distance_net()"


@pytest.mark.parametrize("make", [make_distance_net, make_classification_net])
def test_the_learning_rate_has_one_name(make):
    with pytest.raises(TypeError, match="lr: expected learning_rate"):
        make(lr=0.1)


def test_any_parameter_of_skorch_can_be_given():
    net = make_distance_net(criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.SGD)
    assert net.criterion is torch.nn.CrossEntropyLoss
    assert net.optimizer is torch.optim.SGD
