import json
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from sksuperpixel.features.trainable.checkpoint import (  # noqa: E402
    _digest,
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


REFUSED = r"^checkpoint: .*checkpoint: .*found .*, expected .*; remove the file to start again"


def network_and_optimizer():
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    # Without gradients, so that the optimizer keeps nothing of it.
    network.register_parameter("unused", torch.nn.Parameter(torch.ones(4)))
    return network, torch.optim.Adam(network.parameters(), 0.1)


def step(network, optimizer):
    optimizer.zero_grad()
    network(torch.tensor([[1.0, 2], [3, 5]])).square().mean().backward()
    optimizer.step()


def state_of(network, optimizer):
    """Give everything that a training changes, as numbers that can be compared."""
    kept = [
        (number, name, value.tolist())
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    ]
    return [(name, each.tolist()) for name, each in network.state_dict().items()], kept


@pytest.fixture
def trained(tmp_path):
    network, optimizer = network_and_optimizer()
    step(network, optimizer)
    path = tmp_path / "checkpoint"
    write_checkpoint(path, TRAINING, network, optimizer, [3.0, float("nan")])
    return path, network, optimizer


def rewrite(path, change, sign=True):
    """Change what a file holds, by a function that gets its tensors and its description."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        description = json.loads(file.metadata()["sksuperpixel"])
    change(tensors, description)
    if sign:
        description["sha256"] = _digest(tensors, description["training"])
    save_file(tensors, path, metadata={"sksuperpixel": json.dumps(description)})


def assert_refused(path, message=""):
    """Check that a file is refused, and that nothing of it was taken."""
    state = network_and_optimizer()
    step(*state)
    before = state_of(*state)
    with pytest.raises(ValueError, match=REFUSED) as caught:
        read_checkpoint(path, TRAINING, *state)
    assert message in str(caught.value)
    assert state_of(*state) == before


def test_the_state_comes_back(trained):
    path, network, optimizer = trained
    for n_steps in (0, 1):
        other, other_optimizer = network_and_optimizer()
        for _ in range(n_steps):
            step(other, other_optimizer)
        losses = read_checkpoint(path, TRAINING, other, other_optimizer)
        assert losses == [3.0, pytest.approx(float("nan"), nan_ok=True)]
        assert state_of(other, other_optimizer) == state_of(network, optimizer)
        assert other[1].num_batches_tracked.dtype == torch.int64
    step(network, optimizer)
    step(other, other_optimizer)
    assert state_of(other, other_optimizer) == state_of(network, optimizer)


def test_without_a_file_nothing_changes(tmp_path):
    network, optimizer = network_and_optimizer()
    before = state_of(network, optimizer)
    assert read_checkpoint(tmp_path / "none", TRAINING, network, optimizer) == []
    assert state_of(network, optimizer) == before


def test_a_state_from_which_nothing_can_be_learned_is_not_written(trained):
    path, network, optimizer = trained
    before = path.read_bytes()
    with torch.no_grad():
        network[0].bias[1] = torch.nan
    write_checkpoint(path, TRAINING, network, optimizer, [3.0, 2.0, 1.0])
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "value"), [("max_epochs", 6), ("seed", 8), ("weights", "file"), ("about", ())]
)
def test_another_training_is_an_error(trained, name, value):
    path, *state = trained
    message = f"found a checkpoint of a training with {name}=.*, expected {name}="
    with pytest.raises(ValueError, match=message):
        read_checkpoint(path, replace(TRAINING, **{name: value}), *state)


def test_damaged_files_are_an_error(trained):
    path, *_ = trained
    whole = path.read_bytes()
    for content in (whole[:1000], whole[:-1], whole + b" ", b"", b"no checkpoint"):
        path.write_bytes(content)
        assert_refused(path)
    torch.save({"training": {}}, path)
    assert_refused(path)


def test_each_changed_bit_of_a_number_is_found(trained):
    path, *_ = trained
    whole = path.read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    for place in range(start, len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        assert_refused(path)


def test_a_file_that_is_too_large_is_not_read(trained, monkeypatch):
    path, *_ = trained
    with open(path, "r+b") as file:
        file.truncate(2**40)
    monkeypatch.setattr("sksuperpixel.features.trainable.checkpoint.read_tensors", None)
    assert_refused(path, "found 1099511627776 bytes, expected at most ")


WEIGHT, MEAN = "network.0.weight", "optimizer.0.weight.exp_avg"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, d: t.pop(WEIGHT), f"{WEIGHT!r}: found nothing, expected float32 of shape (3,"),
        (lambda t, d: t.pop(MEAN), f"{MEAN!r}: found nothing, expected float32 of shape (3, 2)"),
        (lambda t, d: t.update(more=torch.zeros(2)), "'more': found float32 of shape (2,), exp"),
        (lambda t, d: t.update({WEIGHT: torch.zeros(3, 3)}), "found float32 of shape (3, 3)"),
        (lambda t, d: t.update({MEAN: torch.zeros(())}), "found float32 of shape ()"),
        (lambda t, d: t.update({MEAN: t[MEAN].double()}), "found float64 of shape (3, 2)"),
        (lambda t, d: t[WEIGHT].fill_(torch.inf), "found NaN or infinity, expected finite"),
        (lambda t, d: t[MEAN + "_sq"].sub_(1), "found negative numbers, expected"),
        (lambda t, d: t["network.1.running_var"].sub_(9), "found negative numbers, expected"),
        (lambda t, d: t["optimizer.1.bias.step"].sub_(9), "found negative numbers, expected"),
        (lambda t, d: t.pop("losses"), "found losses of shape (0,) and type torch.float32"),
        (lambda t, d: t.update(losses=torch.zeros(6).double()), "expected float64 of 1 to 5 epo"),
        (lambda t, d: t.update(losses=torch.zeros(2)), "and type torch.float32, expected float64"),
        (lambda t, d: t.update(losses=torch.zeros(2, 1).double()), "losses of shape (2, 1)"),
        (lambda t, d: d.update(format="other"), "found format 'other' of version 1, expected"),
        (lambda t, d: d.update(version=True), "of version True, expected"),
        (lambda t, d: d.update(training=3), "found no description of a training, expected one"),
        (lambda t, d: d["training"].pop("seed"), "of a training with seed=None, expected seed=7"),
    ],
)
def test_a_state_that_does_not_fit_is_an_error(trained, change, message):
    path, *_ = trained
    rewrite(path, change, sign="training" not in message)
    assert_refused(path, message)


def test_a_file_that_was_written_again_is_read(trained):
    path, network, optimizer = trained
    rewrite(path, lambda tensors, description: None)
    state = network_and_optimizer()
    read_checkpoint(path, TRAINING, *state)
    assert state_of(*state) == state_of(network, optimizer)
    rewrite(path, lambda tensors, description: tensors[WEIGHT].mul_(2), sign=False)
    assert_refused(path, "found other numbers than were written, expected the same")
