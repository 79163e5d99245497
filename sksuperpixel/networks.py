"""Networks that tell which of its candidate clusters a pixel belongs to.

They see flat rows, one a pixel: M pixel features, then Q distances in space, then Q x M
differences of the pixel's features to the clusters', nearest candidate first. Absent candidates
have infinite distance; their probability is 0.
"""

import math

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping
from torch import nn

__all__ = [
    "ClassificationNetwork",
    "DistanceNetwork",
    "SetLoss",
    "make_classification_net",
    "make_distance_net",
    "make_net_of",
]


def split_rows(rows, n_features):
    """Take rows of input apart.

    Parameters
    ----------
    rows : torch.Tensor of shape (n, M + Q + Q M), float32
    n_features : int
        M.

    Returns
    -------
    features : torch.Tensor of shape (n, M)
    distances : torch.Tensor of shape (n, Q)
    differences : torch.Tensor of shape (n, Q, M)

    Raises
    ------
    ValueError
        If no Q fits the width of the rows.
    """
    width = rows.shape[1] - n_features
    n_candidates, rest = divmod(width, 1 + n_features)
    if rest or n_candidates < 1:
        raise ValueError(
            f"X: found {rows.shape[1]} columns, expected M + Q + Q M of them, with M = "
            f"{n_features} features and Q candidates"
        )
    features = rows[:, :n_features]
    distances = rows[:, n_features : n_features + n_candidates]
    differences = rows[:, n_features + n_candidates :]
    return features, distances, differences.reshape(len(rows), n_candidates, n_features)


class DistanceNetwork(nn.Module):
    r"""Learn the distance of SLIC: one module gives each candidate's distance.

    Logits are negative distances over a temperature. With one layer the distance is a weighted
    sum of squares, SLIC's own with learned weights; with three layers a small network adds to
    such a sum what it does not tell. Both start as SLIC's distance. As candidates share the
    module, their number may be another at prediction.

    Parameters
    ----------
    n_features : int
        M.
    n_layers : {1, 3}, default=3
        Depth.
    n_hidden : int, default=16
        Width of the hidden layers of three.
    channel_weights : array-like of shape (M,), default=None
        Weights of the features' squared differences to start from; None for 1 each.
    scales : array-like of shape (1 + M,), default=None
        Typical sizes of the distance and of the differences, by which the hidden layers'
        inputs are divided; None for 1 each.
    temperature : float, default=10.0
        Squared distance that changes the odds by a factor of e, to start from; it is learned.

    Notes
    -----
    .. math:: D^2 = d^2 + \sum_c w_c (f_{c,k} - f_{c,i})^2 + g(d, |f_k - f_i|),
              \quad p_q \propto e^{-D_q^2 / T}

    with :math:`d = \sigma \lVert p_k - p_i \rVert / S`, and :math:`g` a network of three layers
    whose last starts at zero (0 with one layer). Weights and temperature are exponentials of
    the parameters, so they stay positive.

    Examples
    --------
    >>> import torch
    >>> from sksuperpixel.networks import DistanceNetwork
    >>> network = DistanceNetwork(n_features=1, n_layers=1, temperature=1.0)
    >>> # one feature, two candidates: distances 1 and 2, differences 2 and 1
    >>> row = torch.tensor([[0.0, 1.0, 2.0, 2.0, 1.0]])
    >>> network.distances(row).tolist()  # 1 + 4, 4 + 1
    [[5.0, 5.0]]
    """

    def __init__(
        self,
        n_features,
        n_layers=3,
        n_hidden=16,
        channel_weights=None,
        scales=None,
        temperature=10.0,
    ):
        super().__init__()
        if n_layers not in (1, 3):
            raise ValueError(f"n_layers: found {n_layers}, expected 1 or 3")
        self.n_features = n_features
        self.n_layers = n_layers
        self.n_hidden = n_hidden
        weights = np.ones(n_features) if channel_weights is None else np.asarray(channel_weights)
        # A weight of 0 could never grow again.
        log_weights = np.log(np.maximum(weights.astype(np.float64), 1e-6))
        self.log_weights = nn.Parameter(torch.tensor(log_weights, dtype=torch.float32))
        self.log_temperature = nn.Parameter(torch.tensor(float(np.log(temperature))))
        scales = np.ones(1 + n_features) if scales is None else np.asarray(scales)
        self.register_buffer("scales", torch.tensor(scales, dtype=torch.float32))
        if n_layers == 3:
            self.hidden = nn.Sequential(
                nn.Linear(1 + n_features, n_hidden),
                nn.ReLU(),
                nn.Linear(n_hidden, n_hidden),
                nn.ReLU(),
            )
            self.last = nn.Linear(n_hidden, 1, bias=False)
            nn.init.zeros_(self.last.weight)

    @property
    def channel_weights(self):
        """Weights w of the features' squared differences: ndarray of shape (M,), float32."""
        return self.log_weights.detach().exp().cpu().numpy()

    def arrays(self):
        """Give what the distance is computed from, for a kernel.

        Returns
        -------
        dict of str to ndarray, float32
            Weights of the channels, one over the scales, and the three layers: inputs by
            outputs, the bias below. The last is multiplied by the temperature. With one layer,
            hidden layers have no width.
        """
        temperature = self.log_temperature.exp()
        tensors = {
            "channel_weights": self.log_weights.exp(),
            "inverse_scales": 1 / self.scales,
            "first": torch.empty(2 + self.n_features, 0),
            "second": torch.empty(1, 0),
            "last": torch.empty(0),
        }
        if self.n_layers == 3:
            first, second = self.hidden[0], self.hidden[2]
            tensors |= {
                "first": torch.vstack([first.weight.T, first.bias]),
                "second": torch.vstack([second.weight.T, second.bias]),
                "last": temperature * self.last.weight[0],
            }
        return {
            name: np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype=np.float32)
            for name, tensor in tensors.items()
        }

    def distances(self, rows):
        """Compute the learned squared distances to the candidates.

        Parameters
        ----------
        rows : torch.Tensor of shape (n, M + Q + Q M), float32

        Returns
        -------
        torch.Tensor of shape (n, Q)
            Infinity for absent candidates.
        """
        total, absent = self._finite_distances(rows)
        return total.masked_fill(absent, torch.inf)

    def _finite_distances(self, rows):
        """Distances, any number where absent, and which are absent."""
        _, distances, differences = split_rows(rows, self.n_features)
        absent = torch.isinf(distances)
        space = torch.where(absent, 0.0, distances)
        differences = torch.where(absent[..., None], 0.0, differences)
        total = space**2 + differences**2 @ self.log_weights.exp()
        if self.n_layers == 3:
            # Squares spread over many orders of magnitude: their roots do over half as many.
            inputs = torch.cat([space[..., None], differences.abs()], dim=-1) / self.scales
            correction = self.last(self.hidden(inputs))[..., 0]
            total = total + self.log_temperature.exp() * correction
        return total, absent

    def forward(self, X):
        """Compute the candidates' log-probabilities.

        Parameters
        ----------
        X : torch.Tensor of shape (n, M + Q + Q M), float32

        Returns
        -------
        torch.Tensor of shape (n, Q)
            Minus infinity for absent candidates.
        """
        total, absent = self._finite_distances(X)
        # Masked after dividing: an infinite distance would have no gradient.
        logits = (-total / self.log_temperature.exp()).masked_fill(absent, -torch.inf)
        return torch.log_softmax(logits, dim=1)


class ClassificationNetwork(nn.Module):
    """Classify a pixel among a fixed number of candidates.

    The pixel's features and each candidate's differences are reduced to 15 numbers each (the
    reduction of the differences is shared by the candidates), then all of them and the
    distances are classified by fully connected layers.

    Parameters
    ----------
    n_features : int
        M.
    n_candidates : int, default=7
        Q.

    Examples
    --------
    >>> import torch
    >>> from sksuperpixel.networks import ClassificationNetwork
    >>> network = ClassificationNetwork(n_features=3, n_candidates=7).eval()
    >>> network(torch.zeros(2, 3 + 7 + 21)).shape
    torch.Size([2, 7])
    """

    def __init__(self, n_features, n_candidates=7):
        super().__init__()
        self.n_features = n_features
        self.n_candidates = n_candidates
        self.normalise_features = nn.BatchNorm1d(n_features)
        self.normalise_differences = nn.BatchNorm1d(n_features)
        self.normalise_distances = nn.BatchNorm1d(n_candidates)
        self.reduce_features = _reduction(n_features)
        self.reduce_differences = _reduction(n_features)
        n_inputs = 15 + n_candidates * (15 + 1)
        self.classify = nn.Sequential(
            nn.Linear(n_inputs, 120),
            nn.ReLU(),
            nn.Linear(120, 105),
            nn.ReLU(),
            nn.Linear(105, 15),
            nn.ReLU(),
            nn.Linear(15, n_candidates),
        )

    def forward(self, X):
        """Compute the candidates' log-probabilities.

        Parameters
        ----------
        X : torch.Tensor of shape (n, M + Q + Q M), float32

        Returns
        -------
        torch.Tensor of shape (n, Q)
            Minus infinity for absent candidates.

        Raises
        ------
        ValueError
            If the rows have another number of candidates.
        """
        features, distances, differences = split_rows(X, self.n_features)
        if distances.shape[1] != self.n_candidates:
            raise ValueError(
                f"X: found rows of {distances.shape[1]} candidates, expected {self.n_candidates}"
            )
        absent = torch.isinf(distances)
        distances = torch.where(absent, 0.0, distances)
        differences = torch.where(absent[..., None], 0.0, differences)
        reduced = self.reduce_features(self.normalise_features(features))
        flat = self.normalise_differences(differences.reshape(-1, self.n_features))
        each = self.reduce_differences(flat).reshape(len(X), -1)
        inputs = torch.cat([reduced, self.normalise_distances(distances), each], dim=1)
        return torch.log_softmax(self.classify(inputs).masked_fill(absent, -torch.inf), dim=1)


def _reduction(n_features):
    return nn.Sequential(nn.Linear(n_features, 100), nn.ReLU(), nn.Linear(100, 15), nn.ReLU())


class SetLoss(nn.Module):
    """Negative log of the probability that one of the right candidates is chosen.

    Targets are slots, as for cross-entropy, or sets: one bit a candidate, the lowest for the
    first. A pixel with one right candidate counts the same either way.

    Parameters
    ----------
    sets : bool, default=False
        Whether targets are sets.

    Examples
    --------
    >>> import torch
    >>> from sksuperpixel.networks import SetLoss
    >>> log_probabilities = torch.tensor([[0.5, 0.25, 0.25]]).log()
    >>> round(SetLoss(sets=True)(log_probabilities, torch.tensor([0b011])).exp().item(), 3)
    1.333
    """

    def __init__(self, sets=False):
        super().__init__()
        self.sets = sets

    def forward(self, log_probabilities, targets):
        """Compute the mean loss.

        Parameters
        ----------
        log_probabilities : torch.Tensor of shape (n, Q)
        targets : torch.Tensor of shape (n,), int64

        Returns
        -------
        torch.Tensor
            A number.
        """
        if not self.sets:
            return nn.functional.nll_loss(log_probabilities, targets)
        bits = torch.arange(log_probabilities.shape[1], device=targets.device)
        right = (targets[:, None] >> bits) & 1 == 1
        return -torch.logsumexp(log_probabilities.masked_fill(~right, -torch.inf), dim=1).mean()


def make_distance_net(
    n_layers=3,
    *,
    n_hidden=16,
    lr=0.03,
    max_epochs=30,
    patience=5,
    batch_size=512,
    sets=False,
    device="cpu",
    verbose=0,
    **params,
):
    """Build a skorch classifier that learns a distance.

    Parameters
    ----------
    n_layers : {1, 3}, default=3
        Depth of the `DistanceNetwork`.
    n_hidden : int, default=16
        Width of its hidden layers.
    lr : float, default=0.03
        Adam's learning rate at the start; it falls to 0 along a cosine over `max_epochs`.
    max_epochs : int, default=30
        Most epochs; with 0 the distance stays as it starts, the one that `LearnedFeatures` are
        learned with.
    patience : int, default=5
        Epochs without a better validation loss before training stops. The best epoch is kept.
    batch_size : int, default=512
        Pixels a step.
    sets : bool, default=False
        Whether targets are sets of right candidates, see `SetLoss`.
    device : str or torch.device, default="cpu"
        Where to train; `TrainableSLIC` sets its own.
    verbose : int, default=0
        Whether to print epochs.
    **params : dict
        Other parameters of :class:`skorch.NeuralNetClassifier`.

    Returns
    -------
    skorch.NeuralNetClassifier
        Not initialised; `TrainableSLIC` tells its module the number of features.

    Examples
    --------
    >>> from sksuperpixel.networks import make_distance_net
    >>> make_distance_net(n_layers=1).module.__name__
    'DistanceNetwork'
    """
    return _make_net(
        DistanceNetwork,
        {"n_features": 1, "n_layers": n_layers, "n_hidden": n_hidden},
        lr=lr,
        max_epochs=max_epochs,
        patience=patience,
        batch_size=batch_size,
        sets=sets,
        device=device,
        verbose=verbose,
        **params,
    )


def make_classification_net(
    n_candidates=7,
    *,
    lr=0.001,
    max_epochs=30,
    patience=5,
    batch_size=512,
    sets=False,
    device="cpu",
    verbose=0,
    **params,
):
    """Build a skorch classifier of a fixed number of candidates.

    Parameters
    ----------
    n_candidates : int, default=7
        Q of the `ClassificationNetwork`.
    lr : float, default=0.001
        Adam's learning rate at the start; it falls to 0 along a cosine over `max_epochs`.
    max_epochs : int, default=30
        Most epochs.
    patience : int, default=5
        Epochs without a better validation loss before training stops. The best epoch is kept.
    batch_size : int, default=512
        Pixels a step.
    sets : bool, default=False
        Whether targets are sets of right candidates, see `SetLoss`.
    device : str or torch.device, default="cpu"
        Where to train; `TrainableSLIC` sets its own.
    verbose : int, default=0
        Whether to print epochs.
    **params : dict
        Other parameters of :class:`skorch.NeuralNetClassifier`.

    Returns
    -------
    skorch.NeuralNetClassifier
        Not initialised; `TrainableSLIC` tells its module the number of features.

    Examples
    --------
    >>> from sksuperpixel.networks import make_classification_net
    >>> make_classification_net().module.__name__
    'ClassificationNetwork'
    """
    return _make_net(
        ClassificationNetwork,
        {"n_features": 1, "n_candidates": n_candidates},
        lr=lr,
        max_epochs=max_epochs,
        patience=patience,
        batch_size=batch_size,
        sets=sets,
        device=device,
        verbose=verbose,
        **params,
    )


def make_net_of(module, device="cpu"):
    """Wrap a trained network as the classifier it was.

    Parameters
    ----------
    module : DistanceNetwork or ClassificationNetwork
        With its weights.
    device : str or torch.device, default="cpu"
        Where it runs.

    Returns
    -------
    skorch.NeuralNetClassifier
        Initialised, with the same weights.

    Examples
    --------
    >>> from sksuperpixel.networks import DistanceNetwork, make_net_of
    >>> make_net_of(DistanceNetwork(3)).module_.n_features
    3
    """
    if isinstance(module, DistanceNetwork):
        net = make_distance_net(module.n_layers, n_hidden=module.n_hidden, device=device)
    else:
        net = make_classification_net(module.n_candidates, device=device)
    net.set_params(module__n_features=module.n_features)
    with torch.random.fork_rng(devices=[]):
        net.initialize()
    net.module_.load_state_dict(module.state_dict())
    return net


class CosineDecay(Callback):
    """Let the learning rate fall from the net's to 0, along half a cosine over its epochs."""

    def on_epoch_begin(self, net, **kwargs):
        """Set the learning rate of the epoch that begins."""
        done = (len(net.history) - 1) / net.max_epochs
        for group in net.optimizer_.param_groups:
            group["lr"] = net.lr * (0.5 + 0.5 * math.cos(math.pi * done))


def _make_net(module, module_params, *, patience, sets, **params):
    callbacks = [
        ("decay", CosineDecay()),
        ("early_stopping", EarlyStopping(patience=patience, load_best=True)),
    ]
    callbacks = params.pop("callbacks", callbacks)
    return NeuralNetClassifier(
        module,
        **{f"module__{name}": value for name, value in module_params.items()},
        criterion=SetLoss,
        criterion__sets=sets,
        optimizer=torch.optim.Adam,
        iterator_train__shuffle=True,
        predict_nonlinearity=torch.exp,
        callbacks=callbacks,
        # Of the defaults, accuracy means nothing for sets of right candidates.
        callbacks__valid_acc=None,
        **params,
    )
