"""The training of a network on parts of images."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from sksuperpixel._torch import seeded_torch
from sksuperpixel.features.trainable.checkpoint import read_checkpoint, write_checkpoint
from sksuperpixel.features.trainable.crops import draw_crop


@dataclass(frozen=True)
class Training:
    """How to train. It also tells whether a checkpoint belongs to the same training.

    Attributes
    ----------
    max_epochs, batch_size : int
    crop_shape : tuple of 2 int
        Shape of the parts of images.
    scale_range : tuple of 2 float
        See `draw_crop`.
    learning_rate, weight_decay : float
        Parameters of Adam.
    weights : str or None
        Weights that the network starts from.
    n_images : int
    about : tuple
        Everything else that the training depends on: numbers and texts, in tuples.
    seed : int
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


def train_network(network, read, batch_loss, training, device, checkpoint=None, epoch_done=None):
    """Train a network in place.

    Each epoch draws one part of every image. Its random numbers depend only on the seed and on
    the number of the epoch, so a resumed training has the same result as one that was never
    interrupted.

    Parameters
    ----------
    network : torch.nn.Module
    read : callable
        ``read(index, rng)`` returns an image of shape (H, W, 3), float32, and its labels of
        shape (H, W), which are -1 where there is no label.
    batch_loss : callable
        ``batch_loss(network, images, labels, rng)`` returns the loss of a batch as a tensor, or
        None if there is nothing to learn from in the batch.
    training : Training
    device : torch.device
    checkpoint : path-like, default=None
        File that the state is restored from, and to which each epoch writes it.
    epoch_done : callable, default=None
        ``epoch_done(network, losses)`` is called after each epoch. If it returns True, the
        training ends.

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
    if checkpoint is not None:
        losses = read_checkpoint(checkpoint, training, network, optimizer)
    with seeded_torch(training.seed):
        for epoch in range(len(losses), training.max_epochs):
            losses.append(
                _train_epoch(network, optimizer, read, batch_loss, training, device, epoch)
            )
            if checkpoint is not None:
                write_checkpoint(checkpoint, training, network, optimizer, losses)
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
            group["lr"] = training.learning_rate * _learning_rate_factor(done)
        loss = batch_loss(network, images.to(device), labels, rng)
        if loss is None:
            continue
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses)) if losses else float("nan")


def _learning_rate_factor(done, warm_up=0.1):
    """Rise linearly in the first tenth of the training, then fall along a cosine."""
    if done < warm_up:
        return done / warm_up
    return 0.5 + 0.5 * math.cos(math.pi * (done - warm_up) / (1 - warm_up))
