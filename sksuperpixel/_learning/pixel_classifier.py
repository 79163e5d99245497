"""Training of the classifier, a skorch network that chooses among clusters."""

import dis
import inspect
import traceback

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping
from skorch.dataset import Dataset
from skorch.helper import predefined_split

from sksuperpixel._learning.weight_solver import solve_weights
from sksuperpixel._torch import one_torch_thread, seeded_torch
from sksuperpixel.networks import (
    ClassificationNetwork,
    DistanceNetwork,
    SetLoss,
    make_distance_net,
)


class PixelDataset(Dataset):
    """Some of the training pixels, whose rows are computed when a batch is asked for.

    Parameters
    ----------
    pixels : TrainingPixels
    index : ndarray of shape (n,), int
        Indices of the pixels.
    slots : bool
        Whether each pixel has one right candidate. Targets are then slots, as other losses
        expect them, instead of rows.
    """

    def __init__(self, pixels, index, *, slots):
        targets = pixels.targets[index]
        targets = targets.argmax(axis=1) if slots else targets
        super().__init__(index, targets, length=len(index))
        self.pixels = pixels
        self.index = index
        self.targets = targets

    def __getitem__(self, i):
        return self.__getitems__([i])[0]

    def __getitems__(self, numbers):
        """Return the pair (row, target) of each of some pixels."""
        numbers = np.asarray(numbers)
        rows = self.pixels.rows(self.index[numbers])
        return list(zip(rows, self.targets[numbers], strict=True))


def check_net(net, label_maker):
    """Check the parameter `classifier`.

    Parameters
    ----------
    net : NeuralNetClassifier or None
    label_maker : LabelMaker
        Makes the targets.

    Returns
    -------
    NeuralNetClassifier
        A copy that is not initialised. For None, a distance network of three layers.

    Raises
    ------
    TypeError
        If it is not such a classifier, or if its module is an instance instead of a class.
    ValueError
        If its criterion fits neither the network's output nor the targets.
    """
    if net is None:
        return make_distance_net()
    if not isinstance(net, NeuralNetClassifier):
        raise TypeError(
            f"classifier: found {type(net).__name__}, expected a skorch.NeuralNetClassifier, "
            "such as sksuperpixel.networks makes"
        )
    if not isinstance(net.module, type):
        raise TypeError(
            f"classifier: found an instance of {type(net.module).__name__} as its module, "
            "expected the class, because fitting would change the instance"
        )
    ours = issubclass(net.module, (DistanceNetwork, ClassificationNetwork))
    if ours and net.criterion is torch.nn.NLLLoss:
        raise ValueError(
            "classifier: found the criterion NLLLoss, for which skorch takes logarithms; expected "
            f"SetLoss or CrossEntropyLoss, because {net.module.__name__} already returns "
            "log-probabilities"
        )
    takes_rows = isinstance(net.criterion, type) and issubclass(net.criterion, SetLoss)
    if label_maker.targets in ("set", "share") and not takes_rows:
        raise ValueError(
            f"classifier: found the criterion {getattr(net.criterion, '__name__', net.criterion)}"
            f", expected SetLoss for a label maker with targets={label_maker.targets!r}"
        )
    return clone(net)


def has_one_layer(net):
    """Tell whether a classifier is a distance of one layer, whose best weights can be computed.

    Parameters
    ----------
    net : NeuralNetClassifier

    Returns
    -------
    bool
    """
    n_layers = net.get_params(deep=False).get("module__n_layers", 3)
    return net.module is DistanceNetwork and n_layers == 1


def fit_net(
    net,
    pixels,
    validation,
    *,
    channel_weights,
    seed,
    device,
    temperature=None,
    fixes_weights=False,
    start=None,
):
    """Train a classifier, with some pixels held out to stop it early.

    The result depends on the arguments alone, not on the state of torch's generators.

    Parameters
    ----------
    net : NeuralNetClassifier
        A classifier that is not initialised. It is changed.
    pixels : TrainingPixels
    validation : ndarray of shape (n,), bool
        Which pixels to hold out.
    channel_weights : array-like of shape (C,), or None
        Initial weights of the features in a distance network; None for those of `net`.
    seed : int
    device : str
    temperature : float, default=None
        Initial temperature of a distance network.
    fixes_weights : bool, default=False
        Whether training leaves the initial weights of a distance network as they are.
    start : torch.nn.Module, default=None
        Network from whose parameters training starts.

    Returns
    -------
    NeuralNetClassifier
        `net`.

    Raises
    ------
    ValueError
        If the parameters of `start` do not fit, or if training leads to numbers that are not
        finite.
    """
    net.set_params(device=device)
    scales = pixels.typical_sizes()
    solves = has_one_layer(net) and net.max_epochs > 0
    if solves:
        channel_weights, temperature = solve_weights(pixels, seed)
    else:
        channel_weights = _with_pairs(net, channel_weights, pixels, scales)
    _tell_module(
        net,
        n_features=pixels.n_features,
        n_candidates=pixels.candidates.shape[1],
        channel_weights=channel_weights,
        temperature=temperature,
        scales=scales,
    )
    # Other losses take slots, which are all that a pixel with one right candidate needs.
    slots = bool((np.count_nonzero(pixels.targets, axis=1) == 1).all())
    train = _hold_out(net, pixels, validation, slots)
    with one_torch_thread(), seeded_torch(seed):
        net.initialize()
        if start is not None and not solves:
            _start_from(net.module_, start)
        if fixes_weights and isinstance(net.module_, DistanceNetwork):
            net.module_.log_weights.requires_grad_(False)
        # Without epochs, the network stays as it is.
        if net.max_epochs > 0 and not solves:
            examples = PixelDataset(pixels, train, slots=slots)
            _train(net, examples, examples.targets)
    if not all(torch.isfinite(each).all() for each in net.module_.state_dict().values()):
        raise ValueError(
            "classifier: found numbers that are not finite after training; expected a lower "
            "learning_rate, or features without such large values"
        )
    return net.set_params(train_split=None)


def _train(net, pixels, targets):
    """Do what skorch's `partial_fit` does, but let Ctrl-C come out.

    skorch ends the training instead, and its result is a network that seems to be trained.
    """
    net.notify("on_train_begin", X=pixels, y=targets)
    try:
        net.fit_loop(pixels, targets)
    except KeyboardInterrupt as error:
        if not _is_from_callback(error):
            raise
    net.notify("on_train_end", X=pixels, y=targets)


def _is_from_callback(error):
    """Tell whether a callback raised KeyboardInterrupt, which is how callbacks end a training."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    in_callback = any(isinstance(frame.f_locals.get("self"), Callback) for frame in frames)
    # Ctrl-C may come while a callback works, but not from a statement.
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    operation = last.tb_frame.f_code.co_code[last.tb_lasti]
    return in_callback and operation == dis.opmap["RAISE_VARARGS"]


def _hold_out(net, pixels, validation, slots):
    """Set the pixels for validation, and return the indices of those for training."""
    train = np.arange(len(pixels))
    if net.train_split is not None and validation.any():
        train = np.flatnonzero(~validation)
        held_out = PixelDataset(pixels, np.flatnonzero(validation), slots=slots)
        net.set_params(train_split=predefined_split(held_out))
    else:
        net.set_params(train_split=None, callbacks=_without_stopping(net.callbacks))
    batch_size = net.get_params(deep=False).get("iterator_train__batch_size", net.batch_size)
    if len(train) > 1 and len(train) % batch_size == 1:
        # Networks that normalise batches cannot be trained on a batch of one pixel.
        train = train[:-1]
    return train


def _with_pairs(net, channel_weights, pixels, scales):
    """Append weights for pair features to the initial weights of a distance network."""
    n_pairs = pixels.pairs.shape[2]
    if n_pairs == 0:
        return channel_weights
    if channel_weights is None:
        channel_weights = net.get_params(deep=False).get("module__channel_weights")
    if channel_weights is None:
        channel_weights = np.ones(pixels.values.shape[1])
    if len(channel_weights) == pixels.n_features:
        return channel_weights
    # Pair features may have any unit. This makes their squares count a tenth as much as those of
    # distances in space.
    return np.append(channel_weights, 0.1 * (scales[0] / scales[-n_pairs:]) ** 2)


def _tell_module(net, **known):
    """Set those of the known values for which the module has a parameter."""
    names = set()
    for each in net.module.__mro__:
        if "__init__" in vars(each):
            parameters = inspect.signature(each.__init__).parameters.values()
            names.update(parameter.name for parameter in parameters)
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
                break  # this class passes nothing on to its base class
    net.set_params(
        **{
            f"module__{name}": value
            for name, value in known.items()
            if value is not None and name in names
        }
    )


def _without_stopping(callbacks):
    """Leave out the callbacks that need a validation loss, for training without one."""
    if not isinstance(callbacks, list):
        return callbacks
    parts = [each[-1] if isinstance(each, tuple) else each for each in callbacks]
    return [
        each
        for each, part in zip(callbacks, parts, strict=True)
        if not (isinstance(part, EarlyStopping) or part is EarlyStopping)
    ]


def _start_from(module, start):
    """Set a module's parameters to those of another module of the same kind."""
    try:
        module.load_state_dict(start.state_dict())
    except RuntimeError as error:
        raise ValueError(
            "warm_start: found a network of another kind or size than the one fitted before, "
            f"expected the same kind, and as many features and candidates: {error}"
        ) from error
