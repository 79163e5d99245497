"""The loss that trains the network, from SLIC's assignment of pixels and from edges."""

import numpy as np
import torch
from torch.nn import functional

from sksuperpixel._clustering.assignment import cluster_pixels, update_clusters
from sksuperpixel._clustering.candidates import find_candidates
from sksuperpixel._clustering.grid import Grid
from sksuperpixel._label_maps.edges import two_sided_edges
from sksuperpixel._label_maps.overlaps import Contingency

# Weight of the loss of edges; that of the assignment of pixels has weight 1.
_EDGE_WEIGHT = 0.5
# Images with fewer pixels to learn from are left out.
_FEWEST_PIXELS = 50


class ClusterLoss:
    """The loss of assigning pixels to clusters of other segments, and of missing edges.

    SLIC's iterations find the clusters, from the current features. Torch then computes the mean
    features of the clusters that a pixel is compared with, so that gradients reach the features
    of the pixel and those of the clusters.

    Parameters
    ----------
    grid_steps : tuple of 2 float
        Smallest and largest step of the grid. A step is drawn for each image.
    compactness : float
    n_candidates : int
        Q.
    n_pixels : int
        Maximum number of pixels to learn from in an image.
    precision : "float32" or "bfloat16"
        Type of numbers in the layers of the network.
    """

    def __init__(self, grid_steps, compactness, n_candidates, n_pixels, precision):
        self.grid_steps = grid_steps
        self.compactness = compactness
        self.n_candidates = n_candidates
        self.n_pixels = n_pixels
        self.precision = precision

    def __call__(self, network, images, labels, rng):
        """Compute the mean loss of a batch.

        Parameters
        ----------
        network : MapsNetwork
        images : torch.Tensor of shape (n, 3, h, w)
        labels : torch.Tensor of shape (n, h, w), int64
            Segments 0, 1, ..., on the CPU; -1 where there is no label.
        rng : Generator

        Returns
        -------
        torch.Tensor or None
            None if there is no pixel to learn from.
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
        return sum(losses) / len(images) + _EDGE_WEIGHT * _edge_loss(edges, labels.numpy())

    def _of_image(self, features, segmentation, temperature, rng):
        size = float(np.exp(rng.uniform(*np.log(self.grid_steps))))
        found = self._draw_pixels(features, segmentation, size, rng)
        if found is None:
            return None
        labels, pixels, candidates, space, fractions, weight = found
        device = features.device
        flat = features.flatten(1).T
        means = _cluster_means(flat, torch.from_numpy(labels).to(device))
        pixels = torch.from_numpy(pixels).to(device)
        present = torch.from_numpy(candidates >= 0).to(device)
        candidates = torch.from_numpy(np.maximum(candidates, 0)).to(device)
        # Unlike indexing, an embedding adds up gradients in the same order each time.
        compared = functional.embedding(candidates, means)
        differences = flat.index_select(0, pixels)[:, None] - compared
        distances = (differences**2).sum(dim=2) + torch.from_numpy(space).to(device) ** 2
        logits = (-distances / temperature).masked_fill(~present, -torch.inf)
        # The fraction of a cluster that belongs to the pixel's segment tells how right the cluster
        # is. The lower bound keeps a mislabelled pixel, whose fractions are all about 0, from
        # dominating the loss.
        right = torch.from_numpy(fractions).to(device).clamp_min(1e-3).log()
        chosen = torch.logsumexp(torch.log_softmax(logits, dim=1) + right, dim=1)
        return -weight * chosen.mean()

    def _draw_pixels(self, features, segmentation, size, rng):
        """Cluster one image, and draw pixels that have both right and wrong candidates.

        Parameters
        ----------
        features : torch.Tensor of shape (M, h, w)
        segmentation : ndarray of shape (h, w), int
        size : float
            Step of the grid.
        rng : Generator

        Returns
        -------
        labels : ndarray of shape (h w,), int64
            Cluster of each pixel.
        pixels : ndarray of shape (n,), int
        candidates : ndarray of shape (n, Q), int64
            -1 where absent.
        space : ndarray of shape (n, Q), float32
            Distances in space, times compactness over grid step; 0 where absent.
        fractions : ndarray of shape (n, Q), float32
            Fraction of each candidate that belongs to the pixel's segment, from 0 to 1.
        weight : float
            Fraction of the image's pixels that have both right and wrong candidates.
        None
            Returned instead of all this if there are too few such pixels.
        """
        planes = np.ascontiguousarray(features.detach().cpu().numpy())[:, np.newaxis]
        shape = planes.shape[1:]
        grid = Grid(shape, size)
        # SLIC compares pixels with the clusters of every iteration, so one is drawn.
        n_iter = int(rng.integers(1, 5))
        labels, clusters = cluster_pixels(
            planes, grid, compactness=self.compactness, max_iter=n_iter
        )
        update_clusters(planes, labels, clusters)
        segmentation = segmentation.ravel()
        fraction = Contingency.from_maps(labels.ravel(), segmentation, len(clusters)).shares()
        pixels = np.flatnonzero(segmentation >= 0)
        labelled = len(pixels) / segmentation.size
        pixels = rng.permutation(pixels)[: 4 * self.n_pixels]
        where = np.stack(np.unravel_index(pixels, shape), axis=1).astype(np.int32)
        candidates, space = find_candidates(where, clusters, self.n_candidates)
        # A cluster without pixels has no mean features.
        empty = np.bincount(labels.ravel(), minlength=len(clusters)) == 0
        candidates[empty[candidates]] = -1
        present = candidates >= 0
        own = segmentation[pixels, np.newaxis]
        fractions = np.where(present, fraction[np.maximum(candidates, 0), own], 0)
        worst = np.where(present, fractions, 1).min(axis=1, initial=1)
        ambiguous = fractions.max(axis=1, initial=0) - worst > 0.5
        if np.count_nonzero(ambiguous) < _FEWEST_PIXELS:
            return None
        chosen = np.flatnonzero(ambiguous)[: self.n_pixels]
        space = np.where(present, space, 0) * np.float32(self.compactness / size)
        return (
            labels.ravel().astype(np.int64),
            pixels[chosen],
            candidates[chosen].astype(np.int64),
            space[chosen].astype(np.float32),
            fractions[chosen].astype(np.float32),
            labelled * float(ambiguous.mean()),
        )


def _cluster_means(values, labels):
    """Average the values (n, C) of the pixels of each cluster, from 0 to the largest label."""
    n_clusters = int(labels.max()) + 1
    sums = torch.zeros(n_clusters, values.shape[1], device=values.device)
    sums = sums.index_add(0, labels, values)
    counts = torch.bincount(labels, minlength=n_clusters)
    return sums / counts.clamp_min(1)[:, None]


def _edge_loss(logits, labels):
    """Compute the cross-entropy of edges, which are pixels next to another segment."""
    known = labels >= 0
    beside = np.stack(
        [two_sided_edges(each, inside) for each, inside in zip(labels, known, strict=True)]
    )
    of_known = logits[torch.from_numpy(known).to(logits.device)]
    truth = torch.from_numpy(beside[known]).to(logits.device, torch.float32)
    return functional.binary_cross_entropy_with_logits(of_known, truth)
