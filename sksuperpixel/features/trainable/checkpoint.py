"""Files with the state of a training, from which the training can be resumed."""

import io
import os
import pickle
from dataclasses import asdict

import torch

from sksuperpixel._files.writing import write_atomically


def write_checkpoint(path, training, network, optimizer, losses):
    """Write the state after an epoch, completely or not at all.

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
        The training, which must be the one that the state belongs to.
    network : torch.nn.Module
        The network, whose state is replaced.
    optimizer : torch.optim.Optimizer
        The optimizer, whose state is replaced.

    Returns
    -------
    list of float
        Mean loss of each epoch so far; empty if there is no such file.

    Raises
    ------
    ValueError
        If the file cannot be read, or belongs to another training.
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
                f"checkpoint: {path} belongs to a training with {name}={found.get(name)}, "
                f"expected {name}={expected}; remove it to start again, or give another path"
            )
    network.load_state_dict(parts[0])
    optimizer.load_state_dict(parts[1])
    return parts[2]
