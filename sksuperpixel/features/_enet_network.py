"""ENet, a small network for semantic segmentation: its layers, weights and training."""

import io
import math
import os
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn
from torch.nn import functional

from sksuperpixel._torch_threads import seeded_torch

# The paper's blocks between the initial one and the last, full convolution: name, kind, number of
# maps out, and the kernel size or dilation where the kind has one.
_SECTION = [
    ("regular", None),
    ("dilated", 2),
    ("asymmetric", 5),
    ("dilated", 4),
    ("regular", None),
    ("dilated", 8),
    ("asymmetric", 5),
    ("dilated", 16),
]
BLOCKS = (
    [("bottleneck1.0", "down", 64, None)]
    + [(f"bottleneck1.{i}", "regular", 64, None) for i in range(1, 5)]
    + [("bottleneck2.0", "down", 128, None)]
    + [(f"bottleneck2.{i}", kind, 128, size) for i, (kind, size) in enumerate(_SECTION, 1)]
    + [(f"bottleneck3.{i}", kind, 128, size) for i, (kind, size) in enumerate(_SECTION, 1)]
    + [("bottleneck4.0", "up", 64, None)]
    + [(f"bottleneck4.{i}", "regular", 64, None) for i in range(1, 3)]
    + [("bottleneck5.0", "up", 16, None), ("bottleneck5.1", "regular", 16, None)]
)
LAYERS = ("initial", *(name for name, *_ in BLOCKS), "fullconv")
# Images must be a multiple of the coarsest layer's step.
STEP = 8


def _normed(n_maps, activate=True):
    """Batch norm, then PReLU with one slope a map."""
    layers = [nn.BatchNorm2d(n_maps)]
    return [*layers, nn.PReLU(n_maps)] if activate else layers


class InitialBlock(nn.Module):
    """Thirteen maps by convolution beside the three of the image by pooling, at half the size."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 13, 3, stride=2, padding=1, bias=False)
        self.finish = nn.Sequential(*_normed(16))

    def forward(self, x):
        maps = torch.cat([self.convolution(x), functional.max_pool2d(x, 2)], dim=1)
        return self.finish(maps)


class Bottleneck(nn.Module):
    """A residual block: what comes in, plus what few maps in between make of it.

    Parameters
    ----------
    n_in, n_out : int
        Number of maps.
    kind : {"regular", "dilated", "asymmetric", "down", "up"}
    size : int or None
        Dilation, or length of the asymmetric kernels.
    dropout : float
        Share of the maps that are dropped in training.
    """

    def __init__(self, n_in, n_out, kind, size, dropout):
        super().__init__()
        self.kind = kind
        inner = n_out // 4
        if kind == "down":
            first = nn.Conv2d(n_in, inner, 2, stride=2, bias=False)
        else:
            first = nn.Conv2d(n_in, inner, 1, bias=False)
        if kind == "asymmetric":
            middle = [
                nn.Conv2d(inner, inner, (size, 1), padding=(size // 2, 0), bias=False),
                nn.Conv2d(inner, inner, (1, size), padding=(0, size // 2)),
            ]
        elif kind == "up":
            middle = [nn.ConvTranspose2d(inner, inner, 3, stride=2, padding=1, output_padding=1)]
        else:
            dilation = size if kind == "dilated" else 1
            middle = [nn.Conv2d(inner, inner, 3, padding=dilation, dilation=dilation)]
        self.branch = nn.Sequential(
            first,
            *_normed(inner),
            *middle,
            *_normed(inner),
            nn.Conv2d(inner, n_out, 1, bias=False),
            *_normed(n_out, activate=False),
            nn.Dropout2d(dropout),
        )
        if kind == "up":
            self.skip = nn.Sequential(
                nn.Conv2d(n_in, n_out, 1, bias=False), *_normed(n_out, activate=False)
            )
        self.activation = nn.PReLU(n_out)

    def forward(self, x, positions=None):
        """Give the maps and, from a block that pools, where each maximum was.

        `positions` is what the block gave that this one undoes.
        """
        branch = self.branch(x)
        found = None
        if self.kind == "down":
            x, found = functional.max_pool2d(x, 2, return_indices=True)
            # New maps start from nothing.
            x = functional.pad(x, (0, 0, 0, 0, 0, branch.shape[1] - x.shape[1]))
        elif self.kind == "up":
            x = functional.max_unpool2d(self.skip(x), positions, 2)
        return self.activation(x + branch), found


class ENet(nn.Module):
    """ENet of Paszke et al. (2016), whole.

    Images are RGB in [0, 1], sides a multiple of 8; what they are normalised by, the `mean` and
    `std` of each channel, is part of the weights.

    Parameters
    ----------
    n_classes : int
        Number of maps of the last layer.
    """

    def __init__(self, n_classes):
        super().__init__()
        self.n_classes = n_classes
        self.register_buffer("mean", torch.full((3,), 0.5))
        self.register_buffer("std", torch.full((3,), 0.25))
        self.initial = InitialBlock()
        self.blocks = nn.ModuleDict()
        n_maps = 16
        for name, kind, n_out, size in BLOCKS:
            dropout = 0.01 if name < "bottleneck2" else 0.1
            # A module's name has no dots.
            self.blocks[name.replace(".", "_")] = Bottleneck(n_maps, n_out, kind, size, dropout)
            n_maps = n_out
        self.fullconv = nn.ConvTranspose2d(n_maps, n_classes, 2, stride=2)

    def forward(self, x, layer="fullconv"):
        """Give the maps of a layer.

        Parameters
        ----------
        x : Tensor of shape (n, 3, H, W)
            Images.
        layer : str, default="fullconv"
            One of LAYERS; those after it are not computed.

        Returns
        -------
        Tensor of shape (n, M, H / step, W / step)
        """
        x = (x - self.mean.view(-1, 1, 1)) / self.std.view(-1, 1, 1)
        x = self.initial(x)
        pooled = []
        for (name, kind, *_), block in zip(
            [("initial", None), *BLOCKS], [None, *self.blocks.values()], strict=True
        ):
            if block is not None:
                x, positions = block(x, pooled.pop() if kind == "up" else None)
                if kind == "down":
                    pooled.append(positions)
            if name == layer:
                return x
        return self.fullconv(x)


# Weights ------------------------------------------------------------------------------------


def save_weights(network, path):
    """Write a network's weights as a safetensors file, at once or not at all."""
    tensors = {name: each.cpu().contiguous() for name, each in _stored_tensors(network).items()}
    _replace(path, save(tensors, metadata={"format": "ENet"}))


def load_weights(path, n_classes=None, seed=None):
    """Read a network from a safetensors file.

    Parameters
    ----------
    path : path-like
    n_classes : int, default=None
        Number of classes wanted. Where the file has another one, its last layer is left out
        and initialised at random. None to take the file's.
    seed : int, default=None
        Of that initialisation.

    Returns
    -------
    ENet
        In evaluation mode.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no safetensors file, or one with other tensors; the first wrong one is named.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"weights: found no file {path}, expected a safetensors file")
    try:
        tensors = load(path.read_bytes())
    except SafetensorError as error:
        raise ValueError(
            f"weights: {path} could not be read as a safetensors file (is it cut short?): {error}"
        ) from error
    last = tensors.get("fullconv.weight")
    stored_classes = last.shape[1] if last is not None and last.ndim == 4 else 1
    with torch.device("meta"):
        expected = _stored_tensors(ENet(stored_classes))
    for name in sorted(expected.keys() | tensors.keys()):
        found, right = _describe(tensors.get(name)), _describe(expected.get(name))
        if found != right:
            raise ValueError(f"weights: {path}, tensor {name}: found {found}, expected {right}")
        if not tensors[name].isfinite().all():
            raise ValueError(
                f"weights: {path}, tensor {name}: found NaN or infinity, expected finite numbers"
            )
    if n_classes in (None, stored_classes):
        n_classes = stored_classes
    else:
        tensors = {name: each for name, each in tensors.items() if "fullconv" not in name}
    network = new_network(n_classes, 0 if seed is None else seed)
    network.load_state_dict(tensors, strict=False)
    return network


def _stored_tensors(network):
    """Give the tensors that make the network, without batch norm's counters."""
    state = network.state_dict()
    return {name: each for name, each in state.items() if each.is_floating_point()}


def _describe(tensor):
    if tensor is None:
        return "nothing"
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"


def new_network(n_classes, seed):
    """Make a network with random weights, leaving torch's own generator alone."""
    with seeded_torch(seed):
        return ENet(n_classes).eval()


def _replace(path, content):
    """Write a file so that, whenever this is killed, the old one or the new one is there."""
    path = Path(path)
    part = path.with_name(path.name + ".part")
    with open(part, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


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
    """How to train; what a checkpoint must have in common with the training it resumes."""

    max_epochs: int
    batch_size: int
    crop_shape: tuple
    scale_range: tuple
    learning_rate: float
    weight_decay: float
    weights: str | None
    n_images: int
    class_weights: tuple
    seed: int


def class_weights(counts):
    """Weigh classes as the paper does: ``1 / ln(1.02 + share of the pixels)``."""
    return tuple((1 / np.log(1.02 + counts / counts.sum())).tolist())


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


def train_network(network, read, training, device, checkpoint=None, epoch_done=None):
    """Train a network in place.

    Each epoch draws one part of every image, with random numbers that depend on the seed and
    the epoch alone, so that a training that was cut short goes on as if it had not been.

    Parameters
    ----------
    network : ENet
    read : callable
        ``read(index, rng)`` gives an image (H, W, 3), float32 in [0, 1], and its labels (H, W),
        -1 where there is none.
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
            losses.append(_train_epoch(network, optimizer, read, training, device, epoch))
            if checkpoint is not None:
                buffer = io.BytesIO()
                state = {
                    "training": asdict(training),
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "losses": losses,
                }
                torch.save(state, buffer)
                _replace(checkpoint, buffer.getvalue())
            if epoch_done is not None and epoch_done(network, losses):
                break
    network.eval()
    return losses


def _train_epoch(network, optimizer, read, training, device, epoch):
    rng = np.random.default_rng([training.seed, epoch])
    torch.manual_seed(int(rng.integers(2**31)))
    network.train()
    weights = torch.tensor(training.class_weights, dtype=torch.float32, device=device)
    order = rng.permutation(training.n_images)
    starts = range(0, len(order), training.batch_size)
    losses = []
    for number, start in enumerate(starts):
        parts = [
            draw_crop(*read(int(index), rng), training.crop_shape, training.scale_range, rng)
            for index in order[start : start + training.batch_size]
        ]
        images, labels = (torch.from_numpy(np.stack(each)) for each in zip(*parts, strict=True))
        if (labels < 0).all():
            continue
        done = (epoch * len(starts) + number + 0.5) / (training.max_epochs * len(starts))
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate * _learning_rate_share(done)
        scores = network(images.to(device))
        loss = functional.cross_entropy(scores, labels.to(device), weights, ignore_index=-1)
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
