"""The network whose maps are the learned features."""

from functools import lru_cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sksuperpixel._files.errors import about_file
from sksuperpixel._files.tensors import check_tensors
from sksuperpixel._torch import seeded_torch
from sksuperpixel.features.trainable.tiles import find_halo
from sksuperpixel.features.trainable.weights import read_weights

# Height and width of images must be multiples of this, the step of the coarsest scale.
STEP = 8
# The network sees CIELAB minus this centre, divided by this spread, so about -1 to 1.
_CENTRE, _SPREAD = (50.0, 0.0, 0.0), (50.0, 30.0, 30.0)
# Maps are multiplied by this, so that they differ about as much as colours do.
_MAP_SCALE = 5.0
# Squared distance that changes the odds by a factor of e, before training.
_TEMPERATURE = 15.0
# Logarithm of the odds of an edge before training. It is low, because edges are rare.
_EDGE_LOGIT = -2.5
# Name of the weights of the first layer.
_FIRST = "down.0.0.0.weight"


class MapsNetwork(nn.Module):
    """A network that goes through four scales, from fine to coarse and back.

    Its features are the channels of CIELAB, each multiplied by a learned factor, and the maps. It
    also finds edges. All results have the size of the image.

    Parameters
    ----------
    n_maps : int
    width : int
        Number of maps in the layers of the finest scale. The coarser scales have 2, 3 and 4 times
        this number.
    """

    def __init__(self, n_maps, width):
        super().__init__()
        self.n_maps = n_maps
        self.width = width
        widths = [width, 2 * width, 3 * width, 4 * width]
        self.down = nn.ModuleList(
            nn.Sequential(_layer(n_in, n_out), _layer(n_out, n_out))
            for n_in, n_out in zip([3, *widths], widths, strict=False)
        )
        n_ups = [width + width // 2, *widths[1:3]]
        self.up = nn.ModuleList(
            _layer(below + beside, n_out)
            for below, beside, n_out in zip([*n_ups[1:], widths[3]], widths, n_ups, strict=False)
        )
        self.maps = nn.Conv2d(n_ups[0], n_maps, 1)
        nn.init.normal_(self.maps.weight, std=0.3)
        nn.init.zeros_(self.maps.bias)
        self.edges = nn.Conv2d(n_ups[0], 1, 1)
        nn.init.constant_(self.edges.bias, _EDGE_LOGIT)
        self.log_colour_scales = nn.Parameter(torch.zeros(3))
        self.log_temperature = nn.Parameter(torch.tensor(float(np.log(_TEMPERATURE))))
        for name, values in (("centre", _CENTRE), ("spread", _SPREAD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, lab):
        """Compute features.

        Parameters
        ----------
        lab : torch.Tensor of shape (n, 3, h, w)
            CIELAB; h and w are multiples of `STEP`.

        Returns
        -------
        features : torch.Tensor of shape (n, 3 + n_maps, h, w)
        edges : torch.Tensor of shape (n, h, w)
            Logarithm of the odds that a pixel lies next to a border between segments.
        """
        x = ((lab - self.centre) / self.spread).contiguous(memory_format=torch.channels_last)
        scales = []
        # Each result replaces x, so that maps are freed as soon as they are not needed any more.
        for i, (first, second) in enumerate(self.down):
            x = x if i == 0 else functional.max_pool2d(x, 2)
            for operation in (*first, *second):
                x = operation(x)
            scales.append(x)
        x = scales.pop()
        for layer in reversed(self.up):
            x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = torch.cat([x, scales.pop()], dim=1)
            for operation in layer:
                x = operation(x)
        colours = lab * self.log_colour_scales.exp().view(3, 1, 1)
        # In bfloat16, maps would be too coarse to compare pixels.
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            features = torch.cat([colours, _MAP_SCALE * self.maps(x)], dim=1)
            return features, self.edges(x)[:, 0]


def _layer(n_in, n_out):
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
    )


def new_maps_network(n_maps, width, seed):
    """Make a network with random weights, without changing torch's own generator."""
    with seeded_torch(seed):
        network = MapsNetwork(n_maps, width)
    # On a CPU, convolutions are twice as fast in this layout.
    return network.to(memory_format=torch.channels_last).eval()


@lru_cache
def halo():
    """Find the width of the surroundings on which the maps of a pixel depend.

    Returns
    -------
    int
        Width in pixels: a multiple of `STEP`. It is the same for all numbers of maps.
    """
    network = new_maps_network(n_maps=1, width=2, seed=0)
    return find_halo(lambda x: network(x)[0], STEP)


def network_params(tensors):
    """Find the parameters of the network that has such tensors.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor

    Returns
    -------
    dict of str to int
        If the tensors are not those of such a network, the smallest possible parameters.
        Comparing the tensors with those of that network then shows what is wrong.
    """
    params = {}
    for parameter, name, least in (("n_maps", "maps.weight", 1), ("width", _FIRST, 2)):
        tensor = tensors.get(name)
        fits = tensor is not None and tensor.ndim == 4 and tensor.numel() > 0
        params[parameter] = tensor.shape[0] if fits else least
    return params


def load_maps_network(path):
    """Read a network from a safetensors file.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    MapsNetwork
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
    params = network_params(tensors)
    with about_file(path), torch.device("meta"):
        check_tensors(tensors, MapsNetwork(**params))
    network = new_maps_network(**params, seed=0)
    network.load_state_dict(tensors, strict=False)
    return network
