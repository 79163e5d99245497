from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from sksuperpixel.features.trainable.checkpoint import (  # noqa: E402
    read_checkpoint,
    write_checkpoint,
)
from sksuperpixel.features.trainable.training import Training  # noqa: E402

TRAINING = Training(
    max_epochs=5,
    batch_size=2,
    crop_shape=(16, 16),
    scale_range=(1.0, 2.0),
    learning_rate=0.1,
    weight_decay=0.0,
    weights=None,
    n_images=3,
    about=(("n_maps", 4), ("sizes", (6.0, 20.0))),
    seed=7,
)


def network_and_optimizer():
    network = torch.nn.Linear(2, 3)
    return network, torch.optim.Adam(network.parameters(), 0.1)


@pytest.fixture
def trained(tmp_path):
    network, optimizer = network_and_optimizer()
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    path = tmp_path / "checkpoint"
    write_checkpoint(path, TRAINING, network, optimizer, [3.0, 2.0])
    return path, network, optimizer


def test_the_state_comes_back(trained):
    path, network, optimizer = trained
    other, other_optimizer = network_and_optimizer()
    assert read_checkpoint(path, TRAINING, other, other_optimizer) == [3.0, 2.0]
    assert torch.equal(other.weight, network.weight)
    found, expected = (each.state_dict()["state"][0] for each in (other_optimizer, optimizer))
    assert torch.equal(found["exp_avg"], expected["exp_avg"])


def test_without_a_file_nothing_changes(tmp_path):
    network, optimizer = network_and_optimizer()
    before = network.weight.clone()
    assert read_checkpoint(tmp_path / "none", TRAINING, network, optimizer) == []
    assert torch.equal(network.weight, before)


@pytest.mark.parametrize(
    ("name", "value"), [("max_epochs", 6), ("seed", 8), ("weights", "file"), ("about", ())]
)
def test_another_training_is_an_error(trained, name, value):
    path, *state = trained
    message = f"belongs to a training with {name}=.*, expected {name}="
    with pytest.raises(ValueError, match=message):
        read_checkpoint(path, replace(TRAINING, **{name: value}), *state)


def test_damaged_files_are_an_error(trained):
    path, *state = trained
    whole = path.read_bytes()
    for content in (whole[:1000], b"", b"no checkpoint"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"checkpoint: .* could not be read"):
            read_checkpoint(path, TRAINING, *state)
    torch.save({"training": {}}, path)
    with pytest.raises(ValueError, match=r"checkpoint: .* could not be read"):
        read_checkpoint(path, TRAINING, *state)
