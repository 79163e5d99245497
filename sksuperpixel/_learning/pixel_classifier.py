"""The classifier: a skorch network that is trained on pixels and chooses their clusters."""

import inspect

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping
from skorch.dataset import Dataset
from skorch.helper import predefined_split

from sksuperpixel._clustering.candidates import classifier_rows, values_at
from sksuperpixel._clustering.network_assignment import KernelNetwork
from sksuperpixel._torch import one_torch_thread, seeded_torch
from sksuperpixel.networks import (
    ClassificationNetwork,
    DistanceNetwork,
    SetLoss,
    make_distance_net,
)

# Rows at a time: what a network makes of them should stay in the processor's cache.
_ROWS_BYTES = 2**20


class PixelDataset(Dataset):
    """Some of the pixels to learn from; a batch's rows are computed when it is due.

    Parameters
    ----------
    pixels : TrainingPixels
    index : ndarray of shape (n,), int
        Which of them.
    """

    def __init__(self, pixels, index):
        super().__init__(index, pixels.targets[index], length=len(index))
        self.pixels = pixels
        self.index = index

    def __getitem__(self, i):
        return self.__getitems__([i])[0]

    def __getitems__(self, numbers):
        """Give (row, target) of each of some pixels."""
        index = self.index[np.asarray(numbers)]
        return list(zip(self.pixels.rows(index), self.pixels.targets[index], strict=True))


def check_net(net, sets=False):
    """Check what is given as classifier.

    Parameters
    ----------
    net : NeuralNetClassifier or None
    sets : bool, default=False
        Whether it has to learn sets of right candidates.

    Returns
    -------
    NeuralNetClassifier
        A copy, not initialised; a distance of three layers for None.

    Raises
    ------
    TypeError
        If it is something else, or made of a module's instance.
    ValueError
        If its criterion does not fit what the network gives or what is to be learned.
    """
    if net is None:
        return make_distance_net()
    if not isinstance(net, NeuralNetClassifier):
        raise TypeError(
            f"classifier: found {type(net).__name__}, expected a skorch.NeuralNetClassifier, as "
            "sksuperpixel.networks makes"
        )
    if not isinstance(net.module, type):
        raise TypeError(
            f"classifier: found an instance of {type(net.module).__name__} as its module, "
            "expected the class: fitting would change the instance"
        )
    ours = issubclass(net.module, (DistanceNetwork, ClassificationNetwork))
    if ours and net.criterion is torch.nn.NLLLoss:
        raise ValueError(
            "classifier: found the criterion NLLLoss, for which skorch takes logarithms; expected "
            f"SetLoss or CrossEntropyLoss: {net.module.__name__} gives log-probabilities"
        )
    if sets and not _learns_sets(net):
        raise ValueError(
            f"classifier: found the criterion {getattr(net.criterion, '__name__', net.criterion)}"
            ", expected SetLoss for a label maker with targets='set'"
        )
    return clone(net)


def _learns_sets(net):
    return isinstance(net.criterion, type) and issubclass(net.criterion, SetLoss)


def fit_net(net, pixels, validation, *, channel_weights, sets, seed, device, start=None):
    """Fit a classifier, deterministically, with some pixels held out to stop it.

    Parameters
    ----------
    net : NeuralNetClassifier
        Not initialised; changed.
    pixels : TrainingPixels
    validation : ndarray of shape (n,), bool
        Which pixels to hold out.
    channel_weights : array-like of shape (C,), or None
        Weights of features to start a distance from; None for what the net says.
    sets : bool
        Whether targets are sets of candidates, as bits.
    seed : int
    device : str
    start : torch.nn.Module, default=None
        Whose parameters to go on from.

    Returns
    -------
    NeuralNetClassifier
        `net`.

    Raises
    ------
    ValueError
        If the parameters of `start` do not fit, or training ends without finite numbers.
    """
    net.set_params(device=device)
    scales = pixels.typical_sizes()
    _tell_module(
        net,
        n_features=pixels.n_features,
        n_candidates=pixels.candidates.shape[1],
        channel_weights=_with_pairs(net, channel_weights, pixels, scales),
        scales=scales,
    )
    if _learns_sets(net):
        net.set_params(criterion__sets=sets)
    train = np.arange(len(pixels))
    if net.train_split is not None and validation.any():
        train = np.flatnonzero(~validation)
        held_out = PixelDataset(pixels, np.flatnonzero(validation))
        net.set_params(train_split=predefined_split(held_out))
    else:
        net.set_params(train_split=None, callbacks=_without_stopping(net.callbacks))
    batch_size = net.get_params(deep=False).get("iterator_train__batch_size", net.batch_size)
    if len(train) > 1 and len(train) % batch_size == 1:
        # Networks that normalise batches cannot do with one pixel.
        train = train[:-1]
    with one_torch_thread(), seeded_torch(seed):
        net.initialize()
        if start is not None:
            _go_on_from(net.module_, start)
        # Without epochs, it stays as it starts.
        if net.max_epochs > 0:
            net.partial_fit(PixelDataset(pixels, train), pixels.targets[train])
    if not all(torch.isfinite(each).all() for each in net.module_.state_dict().values()):
        raise ValueError(
            "classifier: found numbers that are not finite after training; expected a lower "
            "learning_rate, or features without such large values"
        )
    return net.set_params(train_split=None)


def _with_pairs(net, channel_weights, pixels, scales):
    """Add pair features' weights, which are in any units, to those a distance starts with."""
    n_pairs = pixels.pairs.shape[2]
    if n_pairs == 0:
        return channel_weights
    if channel_weights is None:
        channel_weights = net.get_params(deep=False).get("module__channel_weights")
    if channel_weights is None:
        channel_weights = np.ones(pixels.values.shape[1])
    if len(channel_weights) == pixels.n_features:
        return channel_weights
    # On average, a tenth of what distances in space count.
    return np.append(channel_weights, 0.1 * (scales[0] / scales[-n_pairs:]) ** 2)


def _tell_module(net, **known):
    """Set those of the module's parameters that it has and that are known."""
    names = set()
    for each in net.module.__mro__:
        if "__init__" in vars(each):
            parameters = inspect.signature(each.__init__).parameters.values()
            names.update(parameter.name for parameter in parameters)
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
                break  # nothing is passed on to its base
    net.set_params(
        **{
            f"module__{name}": value
            for name, value in known.items()
            if value is not None and name in names
        }
    )


def _without_stopping(callbacks):
    """Callbacks but for those that stop by a validation loss, where there is none."""
    if not isinstance(callbacks, list):
        return callbacks
    parts = [each[-1] if isinstance(each, tuple) else each for each in callbacks]
    return [
        each
        for each, part in zip(callbacks, parts, strict=True)
        if not (isinstance(part, EarlyStopping) or part is EarlyStopping)
    ]


def _go_on_from(module, start):
    """Set a module's parameters to those of another of its kind."""
    try:
        module.load_state_dict(start.state_dict())
    except RuntimeError as error:
        raise ValueError(
            "warm_start: the network fitted before is of another kind or size, or for another "
            f"number of features or candidates: {error}"
        ) from error


def network_of(net):
    """Give what chooses clusters in `sksuperpixel._clustering.network_assignment`.

    Parameters
    ----------
    net : NeuralNetClassifier
        Initialised.

    Returns
    -------
    KernelNetwork or TorchNetwork
        The kernel where it can compute the network.
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
