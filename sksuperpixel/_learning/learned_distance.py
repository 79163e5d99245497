"""The distance by which a trained classifier assigns pixels."""

import numpy as np
import torch

from sksuperpixel._clustering.candidates import classifier_rows, values_at
from sksuperpixel._clustering.distance import NetworkDistance, WeightedDistance
from sksuperpixel._clustering.network_assignment import KernelNetwork
from sksuperpixel._images.parameters import check_channel_weights
from sksuperpixel._torch import one_torch_thread
from sksuperpixel.networks import DistanceNetwork

# Size in bytes of the rows that a network gets at a time. They should fit into the processor's
# cache.
_ROWS_BYTES = 2**20


def learned_distance(net, n_features, channel_weights, n_candidates, pair_features):
    """Make the distance by which a trained classifier assigns pixels.

    Parameters
    ----------
    net : NeuralNetClassifier
        Initialised.
    n_features : int
        C.
    channel_weights : array-like of shape (C,), or None
        Weights for merging and refining, if the network has none of its own.
    n_candidates : int
        Q.
    pair_features : tuple of callable
        What the network sees of a pixel and a candidate besides their differences.

    Returns
    -------
    WeightedDistance or NetworkDistance
        A `WeightedDistance` if the network is SLIC's distance with other weights.
    """
    learned = getattr(net.module_, "channel_weights", None)
    weights = check_channel_weights(channel_weights, n_features)
    if learned is not None:
        weights = check_channel_weights(learned[:n_features], n_features)
    one_layer = getattr(net.module_, "n_layers", None) == 1
    if one_layer and not pair_features:
        return WeightedDistance(weights)
    return NetworkDistance(network_of(net), n_candidates, weights, pair_features)


def network_of(net):
    """Make the `network` that `cluster_by_network` needs.

    Parameters
    ----------
    net : NeuralNetClassifier
        Initialised.

    Returns
    -------
    KernelNetwork or TorchNetwork
        A `KernelNetwork` if the kernel can compute the network.
    """
    if type(net.module_) is DistanceNetwork:
        return KernelNetwork(net.module_.arrays())
    return TorchNetwork(net)


class TorchNetwork:
    """Any network, computed by torch.

    Parameters
    ----------
    net : NeuralNetClassifier
        Initialised.
    """

    def __init__(self, net):
        self.net = net

    def on_image(self, features, pixels, threads):
        """Prepare the pixels of one image, see `cluster_by_network`."""

        def choose(means, candidates, distances, pairs):
            n_channels, n_candidates = len(features) + pairs.shape[2], candidates.shape[1]
            row_bytes = 4 * (n_channels + n_candidates * (1 + n_channels))
            step = max(256, _ROWS_BYTES // row_bytes)
            chosen = np.empty(len(pixels), np.int32)
            with one_torch_thread():
                for start in range(0, len(pixels), step):
                    some = slice(start, start + step)
                    rows = classifier_rows(
                        values_at(features, pixels[some]),
                        means,
                        candidates[some],
                        distances[some],
                        pairs[some],
                    )
                    slots = self._slots(rows, candidates[some])
                    chosen[some] = candidates[some][np.arange(len(slots)), slots]
            return chosen

        return choose

    def _slots(self, rows, candidates):
        """Find the slots of the candidates that the network finds most probable."""
        self.net.module_.eval()
        with torch.inference_mode():
            output = self.net.infer(torch.from_numpy(rows).to(self.net.device)).cpu().numpy()
        return np.where(candidates >= 0, output, -np.inf).argmax(axis=1)
