"""Files with the state of a training, from which the training can be resumed.

A file holds tensors in safetensors format and a description in JSON. Reading it runs no code from
it, and changes nothing unless the whole file fits the training.
"""

import hashlib
import json
import os
from dataclasses import asdict

import torch

from sksuperpixel._files.errors import about_file
from sksuperpixel._files.tensors import check_like, read_tensors, to_bytes
from sksuperpixel._files.writing import write_atomically

FORMAT, VERSION = "sksuperpixel.checkpoint", 1
# Prefixes of the names of tensors.
_OF_NETWORK, _OF_OPTIMIZER = "network.", "optimizer."
# What Adam keeps of each parameter: how many steps it did, and means of the gradient and of its
# square.
_STEP, _MEAN, _MEAN_SQUARE = "step", "exp_avg", "exp_avg_sq"
# The end of the names of a network's counters, which are kept as floats like everything else.
_COUNT = ".count"
# What ends in one of these cannot be negative.
_NOT_NEGATIVE = (_STEP, _MEAN_SQUARE, _COUNT)
# More than the description of any training and the names of its tensors need, in bytes.
_LONGEST_HEADER = 2**20


def write_checkpoint(path, training, network, optimizer, losses):
    """Write the state after an epoch, completely or not at all.

    A state with numbers that are not finite is not written, because nothing can be learned from
    there.

    Parameters
    ----------
    path : path-like
    training : Training
    network : torch.nn.Module
    optimizer : torch.optim.Adam
    losses : list of float
        Mean loss of each epoch so far.
    """
    tensors = _state_of(network)
    for name, parameter in network.named_parameters():
        # Adam keeps nothing of a parameter that had no gradient yet.
        for part, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{_OF_OPTIMIZER}{name}.{part}"] = value
    if not all(each.isfinite().all() for each in tensors.values()):
        return
    tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
    description = {"format": FORMAT, "version": VERSION, "training": _as_json(training)}
    description["sha256"] = _digest(tensors, description["training"])
    write_atomically(path, to_bytes(tensors, {"sksuperpixel": json.dumps(description)}))


def read_checkpoint(path, training, network, optimizer):
    """Restore the state that `write_checkpoint` wrote, if there is one.

    Parameters
    ----------
    path : path-like
    training : Training
        The training, which must be the one that the state belongs to.
    network : torch.nn.Module
        The network, whose state is replaced.
    optimizer : torch.optim.Adam
        The optimizer, whose state is replaced.

    Returns
    -------
    list of float
        Mean loss of each epoch so far; empty if there is no such file.

    Raises
    ------
    ValueError
        If the file is damaged, is not a checkpoint, or belongs to another training. The network
        and the optimizer are as before.
    """
    if not os.path.exists(path):
        return []
    try:
        with about_file(path):
            _check_size(os.path.getsize(path), training, network)
        tensors, metadata = read_tensors(path)
        with about_file(path):
            losses = _check_state(tensors, metadata, training, network)
    except ValueError as error:
        raise ValueError(
            f"checkpoint: {error}; remove the file to start again, or give another path"
        ) from error
    state = network.state_dict()
    own = {name: tensors[_name_of(name, each)] for name, each in state.items()}
    network.load_state_dict(own)
    _restore_optimizer(optimizer, network, tensors)
    return losses.tolist()


def _restore_optimizer(optimizer, network, tensors):
    state = {**optimizer.state_dict(), "state": {}}
    for number, (name, parameter) in enumerate(network.named_parameters()):
        prefix = f"{_OF_OPTIMIZER}{name}."
        if prefix + _STEP in tensors:
            # With the parameter's layout in memory, as if the optimizer had made them.
            means = {
                part: torch.empty_like(parameter, requires_grad=False).copy_(
                    tensors[prefix + part]
                )
                for part in (_MEAN, _MEAN_SQUARE)
            }
            state["state"][number] = {_STEP: tensors[prefix + _STEP], **means}
    optimizer.load_state_dict(state)


def _name_of(name, tensor):
    """Name a tensor of a network in the file."""
    return f"{_OF_NETWORK}{name}{'' if tensor.is_floating_point() else _COUNT}"


def _state_of(network):
    """Collect all that a network consists of, by the names in the file."""
    return {
        _name_of(name, each): each if each.is_floating_point() else each.double()
        for name, each in network.state_dict().items()
    }


def _as_json(training):
    return json.loads(json.dumps(asdict(training)))


def _digest(tensors, training):
    """Hash a state, so that damage to its numbers is found, too."""
    digest = hashlib.sha256(json.dumps(training, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].cpu().numpy().tobytes())
    return digest.hexdigest()


def _check_size(found, training, network):
    """Check the size of a file in bytes, so that nothing larger is read."""
    # Adam has two tensors of the size of each parameter, besides the parameter itself.
    most = 3 * sum(each.nbytes for each in _state_of(network).values()) + 8 * training.max_epochs
    most += _LONGEST_HEADER
    if found > most:
        raise ValueError(f"found {found} bytes, expected at most {most} for this training")


def _check_state(tensors, metadata, training, network):
    """Check everything in a file, and return the losses, which are taken from the tensors."""
    description = _read_description(metadata)
    _check_training(description["training"], training)
    losses = tensors.pop("losses", torch.zeros(0))
    _check_losses(losses, training)
    expected = _state_of(network)
    for name, parameter in network.named_parameters():
        prefix = f"{_OF_OPTIMIZER}{name}."
        if any(prefix + part in tensors for part in (_STEP, _MEAN, _MEAN_SQUARE)):
            expected[prefix + _STEP] = torch.zeros(())
            expected[prefix + _MEAN] = expected[prefix + _MEAN_SQUARE] = parameter
    check_like(tensors, expected)
    digest = _digest({**tensors, "losses": losses}, description["training"])
    if digest != description.get("sha256"):
        raise ValueError("found other numbers than were written, expected the same")
    for name, tensor in tensors.items():
        if name.endswith(_NOT_NEGATIVE) and (tensor < 0).any():
            raise ValueError(f"tensor {name!r}: found negative numbers, expected none")
    return losses


def _read_description(metadata):
    try:
        description = json.loads(metadata.get("sksuperpixel", "{}"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"found a damaged description, expected JSON: {error}") from error
    if not isinstance(description, dict):
        description = {}
    found = tuple(f"{description.get(name)!r:.100}" for name in ("format", "version"))
    if found != (repr(FORMAT), repr(VERSION)):
        raise ValueError(
            f"found format {found[0]} of version {found[1]}, expected {FORMAT!r} of "
            f"version {VERSION}"
        )
    if not isinstance(description.get("training"), dict):
        raise ValueError("found no description of a training, expected one")
    return description


def _check_training(found, training):
    for name, expected in _as_json(training).items():
        if found.get(name) != expected:
            raise ValueError(
                f"found a checkpoint of a training with {name}={found.get(name)!r:.500}, "
                f"expected {name}={expected!r}"
            )


def _check_losses(losses, training):
    most = training.max_epochs
    if losses.dtype != torch.float64 or losses.ndim != 1 or not 1 <= len(losses) <= most:
        raise ValueError(
            f"found losses of shape {tuple(losses.shape)} and type {losses.dtype}, "
            f"expected float64 of 1 to {most} epochs"
        )
