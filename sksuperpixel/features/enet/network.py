"""The network ENet: its layers, and reading its weights."""

from functools import lru_cache

import torch
from torch import nn
from torch.nn import functional

from sksuperpixel._files.errors import about_file
from sksuperpixel._files.tensors import check_tensors
from sksuperpixel._torch import seeded_torch
from sksuperpixel.features.trainable.tiles import find_halo
from sksuperpixel.features.trainable.weights import read_weights

# The blocks of the paper's sections 2 and 3: kind, and dilation or length of asymmetric kernels.
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
# All blocks between the initial one and the last convolution: name, kind, number of maps, and the
# dilation or length.
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
# Height and width of images must be multiples of this, the step of the coarsest layer.
STEP = 8


def _normed(n_maps, activate=True):
    """Make a batch norm and, to activate, a PReLU with one slope per map."""
    layers = [nn.BatchNorm2d(n_maps)]
    return [*layers, nn.PReLU(n_maps)] if activate else layers


class InitialBlock(nn.Module):
    """Thirteen maps by convolution, and three by pooling the image, at half the size."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 13, 3, stride=2, padding=1, bias=False)
        self.finish = nn.Sequential(*_normed(16))

    def forward(self, x):
        """Compute the maps (n, 16, H / 2, W / 2) of images (n, 3, H, W)."""
        maps = torch.cat([self.convolution(x), functional.max_pool2d(x, 2)], dim=1)
        return self.finish(maps)


class Bottleneck(nn.Module):
    """A residual block, which adds to its input what a branch of few maps computes from it.

    Parameters
    ----------
    n_in, n_out : int
        Number of maps.
    kind : {"regular", "dilated", "asymmetric", "down", "up"}
    size : int or None
        Dilation, or length of the asymmetric kernels.
    dropout : float
        Fraction of the maps that are dropped in training.
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
        """Compute the maps.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_in, h, w)
        positions : torch.Tensor, default=None
            The positions returned by the block whose pooling this one undoes; only for "up".

        Returns
        -------
        maps : torch.Tensor of shape (n, n_out, h', w')
        positions : torch.Tensor or None
            Positions of the maxima that a block of the kind "down" pooled.
        """
        branch = self.branch(x)
        found = None
        if self.kind == "down":
            x, found = functional.max_pool2d(x, 2, return_indices=True)
            # If the block has more maps than its input, zeros stand in for the missing ones.
            x = functional.pad(x, (0, 0, 0, 0, 0, branch.shape[1] - x.shape[1]))
        elif self.kind == "up":
            x = functional.max_unpool2d(self.skip(x), positions, 2)
        return self.activation(x + branch), found


class ENet(nn.Module):
    """The whole ENet of Paszke et al. (2016), encoder and decoder.

    Images are RGB in [0, 1], and their height and width are multiples of 8. The `mean` and `std`
    of each channel, by which images are normalised, belong to the weights.

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
            # torch allows no dots in the names of modules.
            self.blocks[name.replace(".", "_")] = Bottleneck(n_maps, n_out, kind, size, dropout)
            n_maps = n_out
        self.fullconv = nn.ConvTranspose2d(n_maps, n_classes, 2, stride=2)

    def forward(self, x, layer="fullconv"):
        """Compute the maps of a layer.

        Parameters
        ----------
        x : Tensor of shape (n, 3, H, W)
            Images.
        layer : str, default="fullconv"
            One of LAYERS. The layers after it are not computed.

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


def network_params(tensors):
    """Find the parameters of the network that has such tensors.

    If these are not the tensors of such a network, comparing them with those of the network found
    shows what is wrong.
    """
    last = tensors.get("fullconv.weight")
    fits = last is not None and last.ndim == 4 and last.numel() > 0
    return {"n_classes": last.shape[1] if fits else 1}


def load_weights(path, n_classes=None, seed=None):
    """Read a network from a safetensors file.

    Parameters
    ----------
    path : path-like
    n_classes : int, default=None
        Number of classes of the network. If the file has another number, the last layer is not
        read but initialised at random. None for the number of the file.
    seed : int, default=None
        Seed of that initialisation.

    Returns
    -------
    ENet
        In evaluation mode.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a safetensors file, or has other tensors; the error names the first wrong
        one.
    """
    tensors = read_weights(path)
    stored_classes = network_params(tensors)["n_classes"]
    with about_file(path), torch.device("meta"):
        check_tensors(tensors, ENet(stored_classes))
    if n_classes in (None, stored_classes):
        n_classes = stored_classes
    else:
        tensors = {name: each for name, each in tensors.items() if "fullconv" not in name}
    network = new_network(n_classes, 0 if seed is None else seed)
    network.load_state_dict(tensors, strict=False)
    return network


def new_network(n_classes, seed):
    """Make a network with random weights, without changing torch's own generator."""
    with seeded_torch(seed):
        return ENet(n_classes).eval()


@lru_cache
def halo(layer):
    """Find the width of the surroundings on which the samples of a layer depend.

    Parameters
    ----------
    layer : str
        One of LAYERS.

    Returns
    -------
    int
        Width in pixels: a multiple of `STEP`.
    """
    network = new_network(n_classes=1, seed=0)
    return find_halo(lambda x: network(x, layer), STEP)
