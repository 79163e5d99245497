"""Train a skorch classifier on pixels, and ask it."""

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNetClassifier
from skorch.dataset import Dataset
from skorch.helper import predefined_split

from sksuperpixel._torch_threads import one_torch_thread
from sksuperpixel.networks import make_distance_net

__all__ = ["check_net", "choose", "fit_net"]


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


def check_net(net):
    """Check what is given as classifier.

    Parameters
    ----------
    net : NeuralNetClassifier or None

    Returns
    -------
    NeuralNetClassifier
        A copy, not initialised; a distance of three layers for None.

    Raises
    ------
    TypeError
        If it is something else, or made of a module's instance.
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
    return clone(net)


def fit_net(net, pixels, validation, *, initial_weights, sets, seed, device, start=None):
    """Fit a classifier, deterministically, with some pixels held out to stop it.

    Parameters
    ----------
    net : NeuralNetClassifier
        Not initialised; changed.
    pixels : TrainingPixels
    validation : ndarray of shape (n,), bool
        Which pixels to hold out.
    initial_weights : array-like of shape (M,), or None
        Weights to start a distance from.
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
        If the parameters of `start` do not fit.
    """
    net.set_params(device=device)
    given = net.get_params(deep=False)
    known = {
        "module__n_features": pixels.values.shape[1],
        "module__n_candidates": pixels.candidates.shape[1],
        "module__initial_weights": initial_weights,
        "module__scales": pixels.typical_sizes(),
    }
    accepted = net.module.__init__.__code__.co_varnames
    net.set_params(**{name: value for name, value in known.items() if name[8:] in accepted})
    if sets and "criterion__sets" in given:
        net.set_params(criterion__sets=True)
    train = np.arange(len(pixels))
    if given["train_split"] is not None and validation.any():
        train = np.flatnonzero(~validation)
        split = predefined_split(PixelDataset(pixels, np.flatnonzero(validation)))
        net.set_params(train_split=split)
    elif given["train_split"] is not None:
        # Nothing tells when to stop.
        net.set_params(train_split=None, callbacks=None)
    with one_torch_thread(), torch.random.fork_rng():
        torch.manual_seed(seed)
        net.initialize()
        if start is not None:
            _go_on_from(net.module_, start)
        net.partial_fit(PixelDataset(pixels, train), pixels.targets[train])
    return net.set_params(train_split=None)


def _go_on_from(module, start):
    """Set a module's parameters to those of another of its kind."""
    try:
        module.load_state_dict(start.state_dict())
    except RuntimeError as error:
        raise ValueError(
            "warm_start: the network fitted before is of another kind or for another number of "
            f"features: {error}"
        ) from error


def choose(net, rows, candidates):
    """Find the candidates that a network finds most probable.

    Parameters
    ----------
    net : NeuralNetClassifier
        Initialised.
    rows : ndarray of shape (n, M + Q + Q M), float32
    candidates : ndarray of shape (n, Q), int32
        -1 where absent.

    Returns
    -------
    ndarray of shape (n,), int
        Slots.
    """
    net.module_.eval()
    with torch.inference_mode():
        output = net.infer(torch.from_numpy(rows).to(net.device)).cpu().numpy()
    return np.where(candidates >= 0, output, -np.inf).argmax(axis=1)
