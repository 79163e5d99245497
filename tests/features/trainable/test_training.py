import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sksuperpixel.features.trainable.training import Training, train_network  # noqa: E402

SETTINGS = {
    "max_epochs": 20,
    "batch_size": 2,
    "crop_shape": (4, 4),
    "scale_range": (1.0, 1.0),
    "learning_rate": 0.1,
    "weight_decay": 0.0,
    "weights": None,
    "n_images": 4,
    "about": (),
    "seed": 0,
}
IMAGES = [np.full((6, 6, 3), value, np.float32) for value in (0, 1, 2, 3)]


def read(index, rng):
    return IMAGES[index], np.full((6, 6), index)


def squared_error(network, images, labels, rng):
    """The network is to give the label, which is the value of the image."""
    return ((network(images)[:, 0] - labels) ** 2).mean()


def train(batch_loss=squared_error, **params):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torch.nn.Conv2d(3, 1, 1)
    options = {name: params.pop(name) for name in ("checkpoint", "epoch_done") if name in params}
    training = Training(**(SETTINGS | params))
    losses = train_network(network, read, batch_loss, training, torch.device("cpu"), **options)
    return network, losses


def test_training_lowers_the_loss_and_ends_in_evaluation_mode():
    network, losses = train()
    assert len(losses) == 20
    assert losses[-1] < 0.1 * losses[0]
    assert not network.training


def test_each_epoch_sees_every_image_once():
    seen = []

    def watch(network, images, labels, rng):
        seen.append(sorted(labels[:, 0, 0].tolist()))
        assert images.shape == (len(labels), 3, 4, 4)
        return squared_error(network, images, labels, rng)

    train(watch, max_epochs=3, batch_size=3)
    assert [len(batch) for batch in seen] == [3, 1] * 3
    for epoch in range(3):
        assert sorted(seen[2 * epoch] + seen[2 * epoch + 1]) == [0, 1, 2, 3]


def test_the_learning_rate_rises_then_falls(monkeypatch):
    rates = []
    step = torch.optim.Adam.step

    def watch(self, *args, **kwargs):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", watch)
    train(max_epochs=50)
    assert len(rates) == 100
    done = (np.arange(100) + 0.5) / 100
    expected = np.where(done < 0.1, done / 0.1, 0.5 + 0.5 * np.cos(np.pi * (done - 0.1) / 0.9))
    np.testing.assert_allclose(rates, 0.1 * expected)


def test_batches_without_loss_are_left_out():
    _, losses = train(lambda *batch: None, max_epochs=2)
    assert np.isnan(losses).all()

    def only_of_small_labels(network, images, labels, rng):
        return None if labels.max() > 1 else squared_error(network, images, labels, rng)

    _, losses = train(only_of_small_labels, batch_size=1)
    assert np.isfinite(losses).all()


def test_epoch_done_can_end_it():
    seen = []

    def epoch_done(network, losses):
        seen.append(len(losses))
        return len(seen) == 3

    _, losses = train(epoch_done=epoch_done)
    assert seen == [1, 2, 3]
    assert len(losses) == 3


def test_going_on_equals_not_stopping(tmp_path):
    path = tmp_path / "checkpoint"
    expected, all_losses = train()
    for n_epochs in (2, 7):
        _, losses = train(
            checkpoint=path, epoch_done=lambda network, losses, n=n_epochs: len(losses) >= n
        )
        assert losses == all_losses[:n_epochs]
    network, losses = train(checkpoint=path)
    assert losses == all_losses
    assert torch.equal(network.weight, expected.weight)
