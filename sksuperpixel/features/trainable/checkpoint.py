"""The state of a training in a file, from which the training can go on."""

import io
import os
import pickle
from dataclasses import asdict

import torch

from sksuperpixel._files.writing import write_atomically


def write_checkpoint(path, training, network, optimizer, losses):
    """Write the state after an epoch, whole or not at all.

    Parameters
    ----------
    path : path-like
    training : Training
    network : torch.nn.Module
    optimizer : torch.optim.Optimizer
    losses : list of float
        Mean loss of each epoch so far.
    """
    buffer = io.BytesIO()
    state = {
        "training": asdict(training),
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "losses": losses,
    }
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def read_checkpoint(path, training, network, optimizer):
    """Restore the state that `write_checkpoint` wrote, if there is one.

    Parameters
    ----------
    path : path-like
    training : Training
        It must be the training that the state is of.
    network : torch.nn.Module
        Changed.
    optimizer : torch.optim.Optimizer
        Changed.

    Returns
    -------
    list of float
        Mean loss of each epoch so far; empty if there is no such file.

    Raises
    ------
    ValueError
        If the file cannot be read, or is of another training.
    """
    if not os.path.exists(path):
        return []
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = state["training"]
        parts = state["network"], state["optimizer"], state["losses"]
    except (OSError, EOFError, KeyError, RuntimeError, TypeError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"checkpoint: {path} could not be read: {error}; remove it to start again"
        ) from error
    for name, expected in asdict(training).items():
        if found.get(name) != expected:
            raise ValueError(
                f"checkpoint: {path} is of a training with {name}={found.get(name)}, expected "
                f"{name}={expected}; remove it to start again, or give another path"
            )
    network.load_state_dict(parts[0])
    optimizer.load_state_dict(parts[1])
    return parts[2]
