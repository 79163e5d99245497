"""Training of the classifier: what may be given, and that it is trained as asked for."""

import signal

import numpy as np
import pytest
import torch
from mosaics import IMAGES, SEGMENTATIONS, learner
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping

from sksuperpixel import LabelMaker
from sksuperpixel._learning.pixel_classifier import PixelDataset, check_net, fit_net
from sksuperpixel._learning.training_pixels import TrainingPixels
from sksuperpixel.networks import (
    DistanceNetwork,
    SetLoss,
    make_classification_net,
    make_distance_net,
)


def make_pixels(n=600, n_candidates=3, seed=0):
    """Pixels whose right candidate is nearest in the second feature; the first is noise."""
    rng = np.random.default_rng(seed)
    means = rng.normal(0, 5, (40, 2)).astype(np.float32)
    candidates = rng.integers(0, 40, (n, n_candidates)).astype(np.int32)
    values = rng.normal(0, 5, (n, 2)).astype(np.float32)
    right = np.abs(values[:, 1:] - means[candidates, 1]).argmin(axis=1)
    targets = np.eye(n_candidates, dtype=np.float32)[right]
    return TrainingPixels(
        values,
        candidates,
        np.ones((n, n_candidates), np.float32),
        np.zeros((n, n_candidates, 0), np.float32),
        targets,
        means,
        None,
    )


def fit(net, pixels, n_held_out=100, **params):
    options = {
        "validation": np.arange(len(pixels)) < n_held_out,
        "channel_weights": None,
        "seed": 0,
        "device": "cpu",
        **params,
    }
    return fit_net(net, pixels, **options)


def parameters(net):
    return torch.cat([each.detach().ravel() for each in net.module_.parameters()])


@pytest.mark.parametrize("slots", [False, True])
def test_datasets_give_rows_and_targets(slots):
    pixels = make_pixels()
    dataset = PixelDataset(pixels, np.array([7, 3, 5]), slots=slots)
    expected = pixels.targets.argmax(axis=1) if slots else pixels.targets
    assert len(dataset) == 3
    rows, targets = zip(*dataset.__getitems__([2, 0]), strict=True)
    np.testing.assert_array_equal(rows, pixels.rows(np.array([5, 7])))
    np.testing.assert_array_equal(targets, expected[[5, 7]])
    row, target = dataset[1]
    np.testing.assert_array_equal(row, pixels.rows(np.array([3]))[0])
    np.testing.assert_array_equal(target, expected[3])


def test_what_tells_is_learned():
    net = fit(make_distance_net(1), make_pixels())
    noise, signal = net.module_.channel_weights
    assert signal > 0
    assert noise == 0
    net = fit(make_distance_net(3, max_epochs=20), make_pixels())
    losses = net.history[:, "valid_loss"]
    assert losses[-1] < 0.7 * losses[0]


def test_the_best_weights_stay_as_they_are():
    given = {"channel_weights": [0.25, 4.0], "temperature": 3.0, "fixes_weights": True}
    module = fit(make_distance_net(3, max_epochs=2), make_pixels(), **given).module_
    np.testing.assert_allclose(module.channel_weights, [0.25, 4.0], rtol=1e-6)
    assert module.last.weight.abs().max() > 0
    assert module.log_temperature.item() != pytest.approx(np.log(3.0), abs=1e-4)
    # Weights that a user gave are where learning starts.
    module = fit(make_distance_net(3, max_epochs=2), make_pixels(), channel_weights=[0.25, 4.0])
    assert (module.module_.channel_weights != [0.25, 4.0]).all()


def test_sizes_weights_and_scales_are_told_to_the_module():
    pixels = make_pixels()
    net = fit(make_distance_net(3, max_epochs=0), pixels, channel_weights=[0.25, 4.0])
    assert net.module_.n_features == 2
    np.testing.assert_allclose(net.module_.channel_weights, [0.25, 4.0])
    np.testing.assert_array_equal(net.module_.scales, pixels.typical_sizes())
    net = fit(make_classification_net(max_epochs=1), make_pixels(n_candidates=5))
    assert net.module_.n_candidates == 5


def test_the_seed_decides():
    pixels = make_pixels()
    before = torch.get_rng_state()
    found = [
        parameters(fit(make_distance_net(3, max_epochs=2), pixels, seed=seed))
        for seed in (0, 0, 1)
    ]
    assert found[0].equal(found[1])
    assert not found[0].equal(found[2])
    assert torch.get_rng_state().equal(before)


def test_pixels_held_out_are_not_trained_on():
    pixels, changed = make_pixels(), make_pixels()
    changed.targets[:100] = np.roll(changed.targets[:100], 1, axis=1)
    nets = [
        fit(make_distance_net(3, max_epochs=3, callbacks=[]), each) for each in (pixels, changed)
    ]
    assert parameters(nets[0]).equal(parameters(nets[1]))
    losses = [net.history[:, "valid_loss"] for net in nets]
    assert losses[0][-1] < losses[1][-1]


@pytest.mark.parametrize("n_held_out", [0, 100])
def test_no_validation_where_none_is_wanted(n_held_out):
    net = make_distance_net(3, max_epochs=12, patience=1, train_split=None)
    net = fit(net.set_params(lr=1e-9), make_pixels(), n_held_out)
    assert len(net.history) == 12
    assert "valid_loss" not in net.history[0]


def test_training_starts_from_another_network():
    pixels = make_pixels()
    first = fit(make_distance_net(3, max_epochs=2), pixels)
    again = fit(make_distance_net(3, max_epochs=0), pixels, seed=9, start=first.module_)
    assert parameters(again).equal(parameters(first))
    with pytest.raises(ValueError, match="warm_start: found a network of another kind or size"):
        fit(make_distance_net(1, max_epochs=0), pixels, start=first.module_)


class InterruptedNetwork(DistanceNetwork):
    """The user presses Ctrl-C while this network computes."""

    def forward(self, rows):
        signal.raise_signal(signal.SIGINT)
        return super().forward(rows)


class Interrupted(Callback):
    """The user presses Ctrl-C while this callback works."""

    def on_epoch_end(self, net, **kwargs):
        signal.raise_signal(signal.SIGINT)


class Stopping(Callback):
    """A callback that ends the training as skorch's own callbacks do."""

    def on_epoch_end(self, net, **kwargs):
        self.stop()

    def stop(self):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    "params",
    [{"module": InterruptedNetwork}, {"callbacks": [Interrupted()]}],
    ids=["network", "callback"],
)
@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_comes_out(params):
    state, n_threads = torch.get_rng_state(), torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt):
        fit(make_distance_net(3, max_epochs=3).set_params(**params), make_pixels())
    assert torch.get_rng_state().equal(state)
    assert torch.get_num_threads() == n_threads


def test_callbacks_can_end_the_training():
    net = make_distance_net(3, max_epochs=9).set_params(callbacks=[Stopping()])
    assert len(fit(net, make_pixels()).history) == 1


@pytest.mark.parametrize("n_pixels", [228, 229, 230])
def test_a_last_batch_of_one_pixel_is_left_out(n_pixels):
    seen = []

    class Counter(Callback):
        def on_batch_begin(self, net, batch=None, training=None, **kwargs):
            if training:
                seen.append(len(batch[1]))

    net = make_classification_net(max_epochs=1, batch_size=128)
    net.set_params(callbacks=[("counter", Counter())])
    fit(net, make_pixels(n_pixels))
    assert seen == ([128] if n_pixels == 229 else [n_pixels - 100] if n_pixels < 229 else [128, 2])


def test_training_that_diverges_is_an_error():
    with pytest.raises(ValueError, match="found numbers that are not finite after training"):
        fit(make_distance_net(3, max_epochs=3).set_params(lr=1e30), make_pixels())


@pytest.mark.parametrize("targets", ["slot", "set", "share"])
def test_one_loss_takes_all_targets(targets):
    net = NeuralNetClassifier(
        DistanceNetwork, criterion=SetLoss, module__n_features=1, max_epochs=2, verbose=0
    ).set_params(callbacks__valid_acc=None)
    slic = learner(classifier=net, label_maker=LabelMaker(targets=targets))
    slic.fit(IMAGES[:3], SEGMENTATIONS[:3])
    assert np.isfinite(slic.classifier_.history[:, "train_loss"]).all()


class EpochCounter(Callback):
    """A user's own callback."""

    def on_epoch_end(self, net, **kwargs):
        net.module_.n_epochs_seen = getattr(net.module_, "n_epochs_seen", 0) + 1


class OwnDistance(DistanceNetwork):
    """A user's own network, that hands on what it is told."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


@pytest.mark.parametrize("n_held_out", [0, 100])
def test_a_users_own_net_keeps_its_callbacks_and_settings(n_held_out):
    net = NeuralNetClassifier(
        OwnDistance,
        criterion=torch.nn.CrossEntropyLoss,
        module__n_features=1,
        module__channel_weights=[5.0, 6.0],
        lr=0.0,
        max_epochs=3,
        verbose=0,
        callbacks=[EpochCounter, ("stop", EarlyStopping(patience=9))],
    )
    module = fit(check_net(net, LabelMaker()), make_pixels(), n_held_out).module_
    assert module.n_epochs_seen == 3
    assert module.n_features == 2
    np.testing.assert_allclose(module.channel_weights, [5, 6], rtol=1e-5)


def test_the_net_that_is_given_is_copied():
    net = make_distance_net(1)
    assert check_net(net, LabelMaker()) is not net
    assert check_net(net, LabelMaker()).get_params()["module__n_layers"] == 1
    assert check_net(None, LabelMaker()).get_params()["module__n_layers"] == 3


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        (LogisticRegression(), "found LogisticRegression, expected a skorch.NeuralNetClassifier"),
        (
            NeuralNetClassifier(DistanceNetwork(3)),
            "found an instance of DistanceNetwork as its module, expected the class",
        ),
    ],
)
def test_classifiers_of_another_kind(classifier, message):
    with pytest.raises(TypeError, match=message):
        check_net(classifier, LabelMaker())


def test_criteria_that_do_not_fit_are_errors():
    net = NeuralNetClassifier(DistanceNetwork, module__n_features=1)
    with pytest.raises(ValueError, match="found the criterion NLLLoss, for which skorch takes"):
        check_net(net, LabelMaker())
    net.set_params(criterion=torch.nn.CrossEntropyLoss)
    check_net(net, LabelMaker())
    for targets in ("set", "share"):
        maker = LabelMaker(targets=targets)
        with pytest.raises(
            ValueError, match=f"found the criterion CrossEntropyLoss, expected SetLoss.*{targets}"
        ):
            check_net(net, maker)
        check_net(clone(net).set_params(criterion=SetLoss), maker)
