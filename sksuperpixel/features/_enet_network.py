"""ENet, a small network for semantic segmentation: its layers, weights and loss."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sksuperpixel._files.tensors import check_tensors
from sksuperpixel._torch import seeded_torch
from sksuperpixel.features._weights import read_weights

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
    tensors = read_weights(path)
    last = tensors.get("fullconv.weight")
    stored_classes = last.shape[1] if last is not None and last.ndim == 4 else 1
    with torch.device("meta"):
        check_tensors(tensors, ENet(stored_classes), path)
    if n_classes in (None, stored_classes):
        n_classes = stored_classes
    else:
        tensors = {name: each for name, each in tensors.items() if "fullconv" not in name}
    network = new_network(n_classes, 0 if seed is None else seed)
    network.load_state_dict(tensors, strict=False)
    return network


def new_network(n_classes, seed):
    """Make a network with random weights, leaving torch's own generator alone."""
    with seeded_torch(seed):
        return ENet(n_classes).eval()


def class_weights(counts):
    """Weigh classes as the paper does: ``1 / ln(1.02 + share of the pixels)``."""
    return tuple((1 / np.log(1.02 + counts / counts.sum())).tolist())


class ClassLoss:
    """The cross-entropy of the classes, weighted.

    Parameters
    ----------
    weights : tuple of float
        Of the classes.
    device : torch.device
    """

    def __init__(self, weights, device):
        self.weights = torch.tensor(weights, dtype=torch.float32, device=device)

    def __call__(self, network, images, labels, rng):
        """Compute the loss of a batch; None where no pixel has a label."""
        if (labels < 0).all():
            return None
        scores = network(images)
        return functional.cross_entropy(
            scores, labels.to(scores.device), self.weights, ignore_index=-1
        )
