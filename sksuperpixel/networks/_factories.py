"""skorch classifiers around the networks, with settings that suit superpixels."""

import inspect
import math
import re

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping

from sksuperpixel.networks._classification import ClassificationNetwork
from sksuperpixel.networks._distance import DistanceNetwork
from sksuperpixel.networks._losses import SetLoss


def make_distance_net(
    n_layers=3,
    *,
    n_hidden=32,
    learning_rate=0.01,
    max_epochs=30,
    patience=5,
    batch_size=512,
    verbose=0,
    **params,
):
    """Make a skorch classifier that learns the distance between a pixel and a cluster.

    Three layers are trained by gradient descent. The weights of one layer have a single best
    value, which `TrainableSLIC` computes, so all other parameters only matter for three layers.

    Parameters
    ----------
    n_layers : {1, 3}, default=3
        Number of layers of the `DistanceNetwork`.
    n_hidden : int, default=32
        Width of the hidden layers.
    learning_rate : float, default=0.01
        Adam's learning rate in the first epoch; it falls to 0 along a cosine over `max_epochs`.
        skorch calls this parameter ``lr``, which is also its name in a grid search.
    max_epochs : int, default=30
        Maximum number of epochs. With 0, nothing is learned, and the distance remains that of
        SLIC, for which `LearnedFeatures` are made. This also holds for one layer.
    patience : int, default=5
        Training stops after this many epochs without a better validation loss, and the network
        of the best epoch is kept.
    batch_size : int, default=512
        Number of pixels in a training step.
    verbose : int, default=0
        Whether to print a line per epoch.
    **params : dict
        Other parameters of :class:`skorch.NeuralNetClassifier`.

    Returns
    -------
    skorch.NeuralNetClassifier
        Not initialised. `TrainableSLIC` sets its device and everything that depends on the
        images, such as the number of features.

    Examples
    --------
    >>> from sksuperpixel.networks import make_distance_net
    >>> make_distance_net(n_hidden=16)
    make_distance_net(n_hidden=16)
    """
    return _make_net(
        DistanceNetwork,
        {"n_layers": n_layers, "n_hidden": n_hidden},
        learning_rate=learning_rate,
        max_epochs=max_epochs,
        patience=patience,
        batch_size=batch_size,
        verbose=verbose,
        **params,
    )


def make_classification_net(
    *, learning_rate=0.001, max_epochs=30, patience=5, batch_size=512, verbose=0, **params
):
    """Make a skorch classifier that chooses among a fixed number of candidates.

    Parameters
    ----------
    learning_rate : float, default=0.001
        Adam's learning rate in the first epoch; it falls to 0 along a cosine over `max_epochs`.
        skorch calls this parameter ``lr``, which is also its name in a grid search.
    max_epochs : int, default=30
        Maximum number of epochs.
    patience : int, default=5
        Training stops after this many epochs without a better validation loss, and the network
        of the best epoch is kept.
    batch_size : int, default=512
        Number of pixels in a training step.
    verbose : int, default=0
        Whether to print a line per epoch.
    **params : dict
        Other parameters of :class:`skorch.NeuralNetClassifier`.

    Returns
    -------
    skorch.NeuralNetClassifier
        Not initialised. `TrainableSLIC` sets its device, and the numbers of features and
        candidates of its `ClassificationNetwork`.

    Examples
    --------
    >>> from sksuperpixel.networks import make_classification_net
    >>> make_classification_net(max_epochs=10)
    make_classification_net(max_epochs=10)
    """
    return _make_net(
        ClassificationNetwork,
        {},
        learning_rate=learning_rate,
        max_epochs=max_epochs,
        patience=patience,
        batch_size=batch_size,
        verbose=verbose,
        **params,
    )


def make_net_of(module, device="cpu"):
    """Make a skorch classifier from a trained network.

    Parameters
    ----------
    module : DistanceNetwork or ClassificationNetwork
        The trained network.
    device : str or torch.device, default="cpu"
        Torch device that the classifier runs on.

    Returns
    -------
    skorch.NeuralNetClassifier
        An initialised classifier with the weights of `module`.

    Examples
    --------
    >>> from sksuperpixel.networks import DistanceNetwork, make_net_of
    >>> make_net_of(DistanceNetwork(3)).module_.n_features
    3
    """
    if isinstance(module, DistanceNetwork):
        net = make_distance_net(module.n_layers, n_hidden=module.n_hidden, device=device)
    else:
        net = make_classification_net(module__n_candidates=module.n_candidates, device=device)
    net.set_params(module__n_features=module.n_features)
    with torch.random.fork_rng(devices=[]):
        net.initialize()
    net.module_.load_state_dict(module.state_dict())
    return net


class CosineDecay(Callback):
    """Lower the learning rate to 0 along half a cosine over the epochs."""

    def on_epoch_begin(self, net, **kwargs):
        """Set the learning rate of the epoch that begins."""
        done = (len(net.history) - 1) / net.max_epochs
        for group in net.optimizer_.param_groups:
            group["lr"] = net.lr * (0.5 + 0.5 * math.cos(math.pi * done))


class CandidateClassifier(NeuralNetClassifier):
    """A skorch classifier that is printed as the call that makes it.

    skorch would print the whole state, including the weights, on many lines.
    """

    def __repr__(self):
        factory = _FACTORIES.get(self.module)
        if factory is None:
            return f"{type(self).__name__}(module={getattr(self.module, '__name__', '...')}, ...)"
        default = factory()
        names = [
            name
            for name, parameter in inspect.signature(factory).parameters.items()
            if parameter.kind is not parameter.VAR_KEYWORD
        ]
        arguments = [
            f"{name}={self._argument(name)!r}"
            for name in names
            if self._argument(name) != default._argument(name)
        ]
        if self._other_params(names) != default._other_params(names):
            arguments.append("...")
        return f"{factory.__name__}({', '.join(arguments)})"

    def _argument(self, name):
        """Look up an argument of a factory. skorch knows most of them by other names."""
        if name == "patience":
            callbacks = dict(self.callbacks) if isinstance(self.callbacks, list) else {}
            return getattr(callbacks.get("early_stopping"), "patience", None)
        return getattr(self, _SKORCH_NAMES.get(name, name))

    def _other_params(self, names):
        """Return the parameters that are not arguments of the factory, as text to compare."""
        known = {"callbacks", *(_SKORCH_NAMES.get(name, name) for name in names)}
        return {
            # Addresses of objects are removed, because they differ between equal copies.
            name: re.sub(" at 0x[0-9a-f]+", "", repr(value))
            for name, value in self.get_params(deep=False).items()
            if not (name in known or name.startswith("_"))
        }


_FACTORIES = {
    DistanceNetwork: make_distance_net,
    ClassificationNetwork: make_classification_net,
}
_SKORCH_NAMES = {
    "learning_rate": "lr",
    "n_hidden": "module__n_hidden",
    "n_layers": "module__n_layers",
}


def _make_net(module, module_params, *, learning_rate, patience, **params):
    if "lr" in params:
        raise TypeError("lr: expected learning_rate, which becomes the lr of the net")
    callbacks = [
        ("decay", CosineDecay()),
        ("early_stopping", EarlyStopping(patience=patience, load_best=True)),
    ]
    defaults = {
        # A placeholder until the images are known.
        "module__n_features": 1,
        **{f"module__{name}": value for name, value in module_params.items()},
        "criterion": SetLoss,
        "optimizer": torch.optim.Adam,
        "iterator_train__shuffle": True,
        "predict_nonlinearity": torch.exp,
        # skorch would compute an accuracy, which has no meaning for sets of right candidates.
        "callbacks__valid_acc": None,
        "callbacks": callbacks,
    }
    return CandidateClassifier(module, lr=learning_rate, **{**defaults, **params})
