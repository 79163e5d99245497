"""What networks that learn features share: their files, parts of images, and the training."""

import io
import math
import os
import pickle
from dataclasses import asdict, dataclass

import numpy as np
import torch

from sksuperpixel._files.writing import write_atomically
from sksuperpixel._torch import seeded_torch

# Interpolation ------------------------------------------------------------------------------


def interpolate(array, positions, axis):
    """Interpolate linearly along one axis; beyond its ends, the last value goes on.

    Parameters
    ----------
    array : ndarray, float32
    positions : ndarray of shape (n,)
        In steps of the array.
    axis : int

    Returns
    -------
    ndarray, float32
        n long along the axis.
    """
    last = array.shape[axis] - 1
    positions = np.clip(positions, 0, last)
    low = np.minimum(positions.astype(np.intp), max(last - 1, 0))
    high = np.minimum(low + 1, last)
    shape = [1] * array.ndim
    shape[axis] = -1
    share = (positions - low).astype(np.float32).reshape(shape)
    below, above = array.take(low, axis), array.take(high, axis)
    above -= below
    above *= share
    above += below
    return above


# Training -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Training:
    """How to train; what a checkpoint must have in common with the training it resumes.

    `about` is what matters beside: of the network and its loss, as JSON could hold it.
    """

    max_epochs: int
    batch_size: int
    crop_shape: tuple
    scale_range: tuple
    learning_rate: float
    weight_decay: float
    weights: str | None
    n_images: int
    about: tuple
    seed: int


def draw_crop(image, labels, shape, scale_range, rng):
    """Draw a part of an image, scaled and perhaps mirrored.

    Parameters
    ----------
    image : ndarray of shape (H, W, 3), float32
    labels : ndarray of shape (H, W), int
    shape : tuple of 2 int
        Of the part.
    scale_range : tuple of 2 float
        Least and most pixels of the part in a pixel of the image.
    rng : Generator

    Returns
    -------
    image : ndarray of shape (3, *shape), float32
    labels : ndarray of shape `shape`, int64
        -1 where the part leaves the image.
    """
    scale = np.exp(rng.uniform(*np.log(scale_range)))
    labels = labels.astype(np.int64)
    for axis, (length, wanted) in enumerate(zip(labels.shape, shape, strict=True)):
        # A part larger than the image has it anywhere inside.
        start = rng.uniform() * (length - wanted / scale)
        positions = start + (np.arange(wanted) + 0.5) / scale - 0.5
        if axis == 1 and rng.uniform() < 0.5:
            positions = positions[::-1]
        image = interpolate(image, positions, axis)
        nearest = np.rint(positions).astype(np.intp)
        labels = labels.take(np.clip(nearest, 0, length - 1), axis)
        outside = (nearest < 0) | (nearest >= length)
        labels[(slice(None),) * axis + (outside,)] = -1
    return np.ascontiguousarray(np.moveaxis(image, -1, 0)), labels


def train_network(network, read, batch_loss, training, device, checkpoint=None, epoch_done=None):
    """Train a network in place.

    Each epoch draws one part of every image, with random numbers that depend on the seed and
    the epoch alone, so that a training that was cut short goes on as if it had not been.

    Parameters
    ----------
    network : torch.nn.Module
    read : callable
        ``read(index, rng)`` gives an image (H, W, 3), float32, and its labels (H, W), -1 where
        there is none.
    batch_loss : callable
        ``batch_loss(network, images, labels, rng)`` gives the loss of a batch, a tensor, or None
        where it has none.
    training : Training
    device : torch.device
    checkpoint : path-like, default=None
        Where to keep the state after each epoch, and to take it from.
    epoch_done : callable, default=None
        ``epoch_done(network, losses)`` after each epoch; if it gives True, training ends.

    Returns
    -------
    list of float
        Mean loss of each epoch.
    """
    network.to(device)
    optimizer = torch.optim.Adam(
        network.parameters(), training.learning_rate, weight_decay=training.weight_decay
    )
    losses = []
    if checkpoint is not None and os.path.exists(checkpoint):
        state = _read_checkpoint(checkpoint, training)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        losses = state["losses"]
    with seeded_torch(training.seed):
        for epoch in range(len(losses), training.max_epochs):
            losses.append(
                _train_epoch(network, optimizer, read, batch_loss, training, device, epoch)
            )
            if checkpoint is not None:
                buffer = io.BytesIO()
                state = {
                    "training": asdict(training),
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "losses": losses,
                }
                torch.save(state, buffer)
                write_atomically(checkpoint, buffer.getvalue())
            if epoch_done is not None and epoch_done(network, losses):
                break
    network.eval()
    return losses


def _train_epoch(network, optimizer, read, batch_loss, training, device, epoch):
    rng = np.random.default_rng([training.seed, epoch])
    torch.manual_seed(int(rng.integers(2**31)))
    network.train()
    order = rng.permutation(training.n_images)
    starts = range(0, len(order), training.batch_size)
    losses = []
    for number, start in enumerate(starts):
        parts = [
            draw_crop(*read(int(index), rng), training.crop_shape, training.scale_range, rng)
            for index in order[start : start + training.batch_size]
        ]
        images, labels = (torch.from_numpy(np.stack(each)) for each in zip(*parts, strict=True))
        done = (epoch * len(starts) + number + 0.5) / (training.max_epochs * len(starts))
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate * _learning_rate_share(done)
        loss = batch_loss(network, images.to(device), labels, rng)
        if loss is None:
            continue
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses)) if losses else float("nan")


def _learning_rate_share(done, warm_up=0.1):
    """Up linearly in the first tenth of the training, then down along a cosine."""
    if done < warm_up:
        return done / warm_up
    return 0.5 + 0.5 * math.cos(math.pi * (done - warm_up) / (1 - warm_up))


def _read_checkpoint(path, training):
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = state["training"]
        state["network"], state["optimizer"], state["losses"]
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
    return state
