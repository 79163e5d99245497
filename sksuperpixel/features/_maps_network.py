"""A small network whose maps pixels are compared by, and the loss that teaches it."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sksuperpixel._clustering.assignment import cluster_pixels, update_clusters
from sksuperpixel._clustering.candidates import find_candidates
from sksuperpixel._clustering.grid import Grid
from sksuperpixel._files.tensors import check_tensors
from sksuperpixel._label_maps.overlaps import Contingency
from sksuperpixel._torch import seeded_torch
from sksuperpixel.features._weights import read_weights

# Images must be a multiple of the coarsest scale's step.
STEP = 8
# CIELAB is brought to about [-1, 1] for the network, and its maps to about as much as colours
# differ.
_CENTRE, _SPREAD = (50.0, 0.0, 0.0), (50.0, 30.0, 30.0)
_MAP_SCALE = 5.0
# Squared distance that changes the odds by a factor of e, to start from.
_TEMPERATURE = 15.0
# Borders are rare: the network begins with that.
_EDGE_LOGIT = -2.5
# How much finding edges counts beside the assignment of pixels.
_EDGE_WEIGHT = 0.5
# The tensor of the first layer.
_FIRST = "down.0.0.0.weight"
# Fewer pixels tell nothing of an image.
_FEWEST_PIXELS = 50


class MapsNetwork(nn.Module):
    """Four scales down and up again: CIELAB, weighted, maps, and edges at the image's own size.

    Parameters
    ----------
    n_maps : int
    width : int
        Number of maps of the finest scale's layers; 2, 3 and 4 times as many of the others'.
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
            Logarithm of the odds that a pixel is beside a border.
        """
        x = ((lab - self.centre) / self.spread).contiguous(memory_format=torch.channels_last)
        scales = []
        for i, layers in enumerate(self.down):
            x = layers(x if i == 0 else functional.max_pool2d(x, 2))
            scales.append(x)
        for layer, beside in zip(reversed(self.up), reversed(scales[:-1]), strict=True):
            x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = layer(torch.cat([x, beside], dim=1))
        colours = lab * self.log_colour_scales.exp().view(3, 1, 1)
        # Of lower precision, maps would be too coarse to compare.
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
    """Make a network with random weights, leaving torch's own generator alone."""
    with seeded_torch(seed):
        network = MapsNetwork(n_maps, width)
    # How the kernels of a CPU like images: twice as fast.
    return network.to(memory_format=torch.channels_last).eval()


def network_params(tensors):
    """Tell a network's parameters by its tensors; the least there can be if these are others."""
    params = {}
    for parameter, name, least in (("n_maps", "maps.weight", 1), ("width", _FIRST, 2)):
        tensor = tensors.get(name)
        params[parameter] = tensor.shape[0] if tensor is not None and tensor.ndim == 4 else least
    return params


def load_maps_network(path):
    """Read a network from a safetensors file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no safetensors file, or one with other tensors; the first wrong one is named.
    """
    tensors = read_weights(path)
    params = network_params(tensors)
    with torch.device("meta"):
        check_tensors(tensors, MapsNetwork(**params), path)
    network = new_maps_network(**params, seed=0)
    network.load_state_dict(tensors, strict=False)
    return network


class ClusterLoss:
    """How improbable it is that pixels go to clusters of their own segment, and edges.

    Clusters are those that SLIC's iterations make of the features so far; what a pixel is
    compared with, the mean features of its nearest clusters, is computed by torch, so that both
    the pixel's and the clusters' features are taught.

    Parameters
    ----------
    grid_steps : tuple of 2 float
        Least and largest step of the grid; one is drawn for each image.
    compactness : float
    n_candidates : int
        Q.
    n_pixels : int
        Most pixels of an image that teach, of those with more than one segment around them.
    precision : "float32" or "bfloat16"
        Of the network's layers.
    """

    def __init__(self, grid_steps, compactness, n_candidates, n_pixels, precision):
        self.grid_steps = grid_steps
        self.compactness = compactness
        self.n_candidates = n_candidates
        self.n_pixels = n_pixels
        self.precision = precision

    def __call__(self, network, images, labels, rng):
        """Compute the mean loss of a batch; None where no pixel teaches anything.

        Parameters
        ----------
        network : MapsNetwork
        images : torch.Tensor of shape (n, 3, h, w)
        labels : torch.Tensor of shape (n, h, w), int64
            Segments 0, 1, ..., on the CPU; -1 where there is none.
        rng : Generator

        Returns
        -------
        torch.Tensor or None
        """
        device = images.device
        with torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            features, edges = network(images)
        temperature = network.log_temperature.exp()
        losses = [
            self._of_image(each, segmentation.numpy(), temperature, rng)
            for each, segmentation in zip(features, labels, strict=True)
        ]
        losses = [loss for loss in losses if loss is not None]
        if not losses:
            return None
        return sum(losses) / len(images) + _EDGE_WEIGHT * _edge_loss(edges, labels.to(device))

    def _of_image(self, features, segmentation, temperature, rng):
        size = float(np.exp(rng.uniform(*np.log(self.grid_steps))))
        found = self._teaching_pixels(features, segmentation, size, rng)
        if found is None:
            return None
        labels, pixels, candidates, space, shares, taught = found
        device = features.device
        flat = features.flatten(1).T
        means = _cluster_means(flat, torch.from_numpy(labels).to(device))
        pixels = torch.from_numpy(pixels).to(device)
        present = torch.from_numpy(candidates >= 0).to(device)
        candidates = torch.from_numpy(np.maximum(candidates, 0)).to(device)
        # Unlike indexing, an embedding sums its gradients in the same order on any run.
        compared = functional.embedding(candidates, means)
        differences = flat.index_select(0, pixels)[:, None] - compared
        distances = (differences**2).sum(dim=2) + torch.from_numpy(space).to(device) ** 2
        logits = (-distances / temperature).masked_fill(~present, -torch.inf)
        # A cluster is right as far as its pixels are of the pixel's segment. None is wholly
        # wrong, or one mislabelled pixel would count for more than all others.
        right = torch.from_numpy(shares).to(device).clamp_min(1e-3).log()
        chosen = torch.logsumexp(torch.log_softmax(logits, dim=1) + right, dim=1)
        return -taught * chosen.mean()

    def _teaching_pixels(self, features, segmentation, size, rng):
        """Cluster one image, and draw pixels among whose candidates are right and wrong ones.

        Returns
        -------
        labels : ndarray of shape (h w,), int64
            Cluster of each pixel.
        pixels : ndarray of shape (n,), int
        candidates : ndarray of shape (n, Q), int64
            -1 where absent.
        space : ndarray of shape (n, Q), float32
            Distances in space, times compactness over grid step; 0 where absent.
        shares : ndarray of shape (n, Q), float32
            How much of each candidate is of the pixel's segment.
        taught : float
            The share of all pixels that teach.
        """
        planes = np.ascontiguousarray(features.detach().cpu().numpy())[:, np.newaxis]
        shape = planes.shape[1:]
        grid = Grid(shape, size)
        # At the clusters of any iteration, for SLIC compares with all of them.
        n_iter = int(rng.integers(1, 5))
        labels, clusters = cluster_pixels(
            planes, grid, compactness=self.compactness, max_iter=n_iter
        )
        update_clusters(planes, labels, clusters)
        segmentation = segmentation.ravel()
        share = Contingency.from_maps(labels.ravel(), segmentation, len(clusters)).shares()
        pixels = np.flatnonzero(segmentation >= 0)
        valid = len(pixels) / segmentation.size
        pixels = rng.permutation(pixels)[: 4 * self.n_pixels]
        where = np.stack(np.unravel_index(pixels, shape), axis=1).astype(np.int32)
        candidates, space = find_candidates(where, clusters, self.n_candidates)
        # A cluster without pixels has no features to compare with.
        empty = np.bincount(labels.ravel(), minlength=len(clusters)) == 0
        candidates[empty[candidates]] = -1
        present = candidates >= 0
        own = segmentation[pixels, np.newaxis]
        shares = np.where(present, share[np.maximum(candidates, 0), own], 0)
        worst = np.where(present, shares, 1).min(axis=1, initial=1)
        ambiguous = shares.max(axis=1, initial=0) - worst > 0.5
        if np.count_nonzero(ambiguous) < _FEWEST_PIXELS:
            return None
        chosen = np.flatnonzero(ambiguous)[: self.n_pixels]
        space = np.where(present, space, 0) * np.float32(self.compactness / size)
        return (
            labels.ravel().astype(np.int64),
            pixels[chosen],
            candidates[chosen].astype(np.int64),
            space[chosen].astype(np.float32),
            shares[chosen].astype(np.float32),
            valid * float(ambiguous.mean()),
        )


def _cluster_means(values, labels):
    """Mean of the values (n, C) of each cluster's pixels: (K, C), up to the last with pixels."""
    n_clusters = int(labels.max()) + 1
    sums = torch.zeros(n_clusters, values.shape[1], device=values.device)
    sums = sums.index_add(0, labels, values)
    counts = torch.bincount(labels, minlength=n_clusters)
    return sums / counts.clamp_min(1)[:, None]


def _edge_loss(logits, labels):
    """Cross-entropy of edges: the pixels beside another segment."""
    beside = torch.zeros_like(labels, dtype=torch.bool)
    for axis in (1, 2):
        n = labels.shape[axis] - 1
        one, other = (labels.narrow(axis, start, n) for start in (0, 1))
        differ = (one != other) & (one >= 0) & (other >= 0)
        for start in (0, 1):
            beside.narrow(axis, start, n).logical_or_(differ)
    valid = labels >= 0
    return functional.binary_cross_entropy_with_logits(logits[valid], beside[valid].float())
