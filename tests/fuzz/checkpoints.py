"""Damaged, edited and swapped checkpoints: training resumes correctly, or raises one error.

The checkpoint of a short training is changed at random, and a new estimator is fitted with it.
Either training resumes, with the result of a training that was never interrupted, or one
ValueError names the file. After an error, the estimator and the file are unchanged. Only a
checkpoint that was written again with a valid checksum may lead to another result.
"""

import io
import json
import os

import numpy as np
import torch
from fuzz.harness import Defect
from safetensors import safe_open
from safetensors.torch import save_file

from sksuperpixel.features import LearnedFeatures

try:
    from sksuperpixel.features.trainable.checkpoint import _digest
except ImportError:  # checkpoints were made by torch.save before
    _digest = None

LIMIT_S = 20
LIMIT_MB = 300

SETTINGS = {
    "width": 2,
    "n_maps": 2,
    "max_epochs": 3,
    "batch_size": 2,
    "crop_size": 32,
    "superpixel_sizes": (4, 6),
    "random_state": 0,
}
# Parameters of other trainings, whose checkpoints must be refused.
OTHERS = (
    {"max_epochs": 2},
    {"n_maps": 3},
    {"width": 3},
    {"random_state": 1},
    {"learning_rate": 0.01},
    {"compactness": 5.0},
    {"scale_range": (1.0, 1.5)},
)


def prepare(folder):
    """Make the images, a checkpoint after each epoch, and checkpoints of other trainings."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    rows, columns = np.indices((32, 32))
    y = [(rows > cut).astype(int) + 2 * (columns > cut) for cut in (12, 20)]
    X = [(60 * each[..., None] + rng.integers(0, 60, (32, 32, 3))).astype(np.uint8) for each in y]
    shared = {"X": X, "y": y, "path": folder / "checkpoint"}
    shared["whole"] = [checkpoint_of(shared, n_epochs) for n_epochs in (1, 2, 3)]
    shared["others"] = [checkpoint_of(shared, 1, **params) for params in OTHERS]
    shared["expected"] = result_of(fit(shared))
    return shared


def fit(shared, transformer=None, **params):
    transformer = transformer or LearnedFeatures(**{**SETTINGS, **params})
    return transformer.fit(shared["X"], shared["y"])


def result_of(transformer):
    state = transformer.network_.state_dict()
    return [transformer.losses_, *(each.numpy() for each in state.values())]


class _Stop:
    """A callback that stops training after some epochs."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, metadata=None):
        return context.task_name == "epoch" and metadata["epoch"] == self.n_epochs - 1


def checkpoint_of(shared, n_epochs, **params):
    """Train for some epochs, and return the bytes of the checkpoint."""
    path = shared["path"]
    transformer = LearnedFeatures(**{**SETTINGS, **params}, checkpoint=path)
    fit(shared, transformer.set_callbacks(_Stop(n_epochs)))
    content = path.read_bytes()
    path.unlink()
    return content


def flip(rng, content):
    content = bytearray(content)
    for _ in range(int(rng.integers(1, 20))):
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    return bytes(content)


def cut_short(rng, content):
    return content[: rng.integers(len(content))]


def insert(rng, content):
    place = rng.integers(len(content) + 1)
    return content[:place] + rng.bytes(int(rng.integers(1, 2000))) + content[place:]


def overwrite(rng, content):
    place = rng.integers(len(content))
    return content[:place] + rng.bytes(int(rng.integers(1, 200))) + content[place + 200 :]


def swap_parts(rng, content):
    first, second = sorted(rng.integers(len(content), size=2))
    return content[second:] + content[first:second] + content[:first]


def anything(rng, content):
    return [b"", b"\0" * 5000, rng.bytes(3000), json.dumps({"losses": []}).encode(), b"{}"][
        rng.integers(5)
    ]


def edit(rng, path):
    """Change one entry of a checkpoint, and write it with the old or a new checksum."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        description = json.loads(file.metadata()["sksuperpixel"])
    name = sorted(tensors)[rng.integers(len(tensors))]
    tensor = tensors[name]
    kind = rng.integers(9)
    if kind == 0:
        del tensors[name]
    elif kind == 1:
        tensors[name] = torch.zeros([int(n) for n in rng.integers(0, 5, rng.integers(0, 5))])
    elif kind == 2:
        tensors[name] = torch.zeros(int(rng.choice([10**5, 3 * 10**7])))
    elif kind == 3:
        types = (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool)
        tensors[name] = tensor.to(types[rng.integers(len(types))])
    elif kind == 4:
        value = rng.choice([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e38, 1e-40])
        tensor.view(-1)[rng.integers(tensor.numel())] = value
    elif kind == 5:
        tensors["more"] = torch.ones(3)
    elif kind == 6:
        change_value(rng, description)
    elif kind == 7:
        change_value(rng, description["training"])
    else:
        n_losses = int(rng.integers(0, 6))
        tensors["losses"] = torch.full((n_losses,), float(rng.normal()), dtype=torch.float64)
    signs = rng.integers(2)
    if signs:
        description["sha256"] = digest(tensors, description)
    save_file(tensors, path, metadata={"sksuperpixel": json.dumps(description)})
    return ("signed" if signs else "unsigned"), int(kind)


def digest(tensors, description):
    try:
        return _digest(tensors, description["training"])
    except (KeyError, TypeError):  # NumPy does not have this dtype
        return ""


def change_value(rng, values):
    name = sorted(values)[rng.integers(len(values))]
    deep = []
    for _ in range(500):
        deep = [deep]
    others = [None, 0, -1, 10**400, float("nan"), "", "x" * 10**5, [], {}, True, deep]
    values[name] = others[rng.integers(len(others))]


def edit_pickled(rng, path):
    """Change one entry of a checkpoint that torch.save wrote."""
    state = torch.load(path, weights_only=True)
    where = state
    while isinstance(where, (dict, list)) and len(where) > 0:
        names = list(where) if isinstance(where, dict) else list(range(len(where)))
        name = names[rng.integers(len(names))]
        if rng.integers(3) == 0 or not isinstance(where[name], (dict, list)):
            break
        where = where[name]
    if isinstance(where, dict) and rng.integers(2):
        where.pop(name, None)
    else:
        others = [None, -1, 10**400, float("nan"), "x", [], {}, torch.zeros(3), b"x"]
        where[name] = others[rng.integers(len(others))]
    buffer = io.BytesIO()
    torch.save(state, buffer)
    path.write_bytes(buffer.getvalue())
    return "unsigned", -1


BYTES = (flip, cut_short, insert, overwrite, swap_parts, anything)


def case(rng, shared):
    """Resume a training from a file that was changed."""
    path = shared["path"]
    path.write_bytes(shared["whole"][rng.integers(3)])
    kind, signed = rng.integers(11), "unsigned"
    if kind == 10:
        name = "unchanged"
    elif kind == 0:
        name = "swapped"
        path.write_bytes(shared["others"][rng.integers(len(OTHERS))])
    elif kind == 1:
        name = "huge"
        os.truncate(path, int(10 ** rng.uniform(5, 12)))
    elif kind < 5:
        name = "edited"
        signed, _ = (edit if _digest else edit_pickled)(rng, path)
    else:
        change = BYTES[rng.integers(len(BYTES))]
        name = change.__name__
        path.write_bytes(change(rng, path.read_bytes()))
    if signed == "signed":
        name += " and signed"
    return f"{name}: {resume(shared, path, may_differ=signed == 'signed')}"


def resume(shared, path, may_differ):
    before = os.stat(path)
    transformer = LearnedFeatures(**SETTINGS, checkpoint=path)
    set_before = set(vars(transformer))
    try:
        fit(shared, transformer)
    except ValueError as error:
        message = str(error)
        if may_differ and message.startswith("learning_rate: found"):
            return "numbers too large"
        if str(path) not in message or len(message) > 2000:
            raise Defect(f"the error does not name the file: {message[:300]}") from error
        if set(vars(transformer)) != set_before:
            raise Defect("the estimator has changed") from error
        if (os.stat(path).st_mtime_ns, os.stat(path).st_size) != (
            before.st_mtime_ns,
            before.st_size,
        ):
            raise Defect("the file has changed") from error
        return "refused"
    same = all(
        np.array_equal(one, other, equal_nan=True)
        for one, other in zip(result_of(transformer), shared["expected"], strict=True)
    )
    if not same and not may_differ:
        raise Defect("resumed with another result")
    return "resumed"
