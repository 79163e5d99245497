"""The network that learns the distance between a pixel and a cluster."""

import math

import numpy as np
import torch
from torch import nn

from sksuperpixel.networks._rows import split_finite_rows

# What a weight of 0 is stored as. Its logarithm is so low that no training reaches it.
_NO_WEIGHT = 1e-40


class DistanceNetwork(nn.Module):
    r"""Learn the distance between a pixel and a cluster.

    The nearer a candidate is by the learned distance, the more probable it is. With one layer,
    the distance is a weighted sum of squares: SLIC's own distance with learned weights. With
    three layers, a small network corrects that sum. Before training, both equal SLIC's distance.
    The same distance is used for all candidates, so their number may differ between training and
    prediction.

    Parameters
    ----------
    n_features : int
        M, the number of features.
    n_layers : {1, 3}, default=3
        Number of layers.
    n_hidden : int, default=32
        Width of the two hidden layers, if there are three layers.
    channel_weights : array-like of shape (M,), default=None
        Weights of the features' squared differences before training. Features of weight 0 are
        left out, also of the hidden layers. If None, all weights are 1.
    scales : array-like of shape (1 + M,), default=None
        Typical sizes of the distance in space and of the features' differences, by which the
        inputs of the hidden layers are divided. If None, all are 1.
    temperature : float, default=10.0
        Squared distance that changes the odds of a candidate by a factor of e. This is the value
        before training, which also learns the temperature.

    Raises
    ------
    ValueError
        If `n_layers` is neither 1 nor 3.

    Notes
    -----
    .. math:: D^2 = d^2 + \sum_c w_c (f_{c,k} - f_{c,i})^2 + g(d, |f_k - f_i|),
              \quad p_q \propto e^{-D_q^2 / T}

    where :math:`d = \sigma \lVert p_k - p_i \rVert / S`. With three layers, :math:`g` is a network
    whose last layer starts at zero; with one layer, it is 0. The weights :math:`w_c` and the
    temperature T are exponentials of the parameters that are trained, so they stay positive.

    Examples
    --------
    >>> import torch
    >>> from sksuperpixel.networks import DistanceNetwork
    >>> network = DistanceNetwork(n_features=1, n_layers=1, temperature=1.0)
    >>> # One feature and two candidates, with the distances 1, 2 and the differences 2, 1.
    >>> row = torch.tensor([[0.0, 1.0, 2.0, 2.0, 1.0]])
    >>> network.distances(row).tolist()  # 1 + 4 and 4 + 1
    [[5.0, 5.0]]
    """

    def __init__(
        self,
        n_features,
        n_layers=3,
        n_hidden=32,
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
        # The logarithm of a weight of 0 would be infinite.
        log_weights = np.log(np.maximum(weights.astype(np.float64), _NO_WEIGHT))
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
        """Weights of the features' squared differences: ndarray of shape (M,), float32."""
        return self._weights().detach().cpu().numpy()

    def _used(self):
        """Tell which features are not left out: bool tensor of shape (M,)."""
        return self.log_weights.detach() > math.log(_NO_WEIGHT) + 10

    def _weights(self):
        return torch.where(self._used(), self.log_weights.exp(), 0.0)

    def scale_space(self, factor):
        """Make distances in space count as if they were larger by a factor, in place.

        Candidates keep their probabilities if their distances in space are divided by the factor
        at the same time.

        Parameters
        ----------
        factor : float
            Positive.
        """
        with torch.no_grad():
            # All squared distances are divided by the square of the factor. Then the distance in
            # space counts as before, and what is compared with it changes.
            self.log_weights[self._used()] -= 2 * math.log(factor)
            self.log_temperature -= 2 * math.log(factor)
            self.scales[0] /= factor

    def arrays(self):
        """Return the arrays from which a kernel computes the distance without torch.

        Returns
        -------
        dict of str to ndarray, float32
            ``channel_weights`` of shape (M,); ``inverse_scales`` of shape (1 + M,), which is one
            over the scales; ``first`` of shape (2 + M, n_hidden) and ``second`` of shape
            (1 + n_hidden, n_hidden), the two hidden layers with their biases in the last row;
            and ``last`` of shape (n_hidden,), the last layer multiplied by the temperature. With
            one layer, n_hidden is 0 in these shapes.
        """
        temperature = self.log_temperature.exp()
        tensors = {
            "channel_weights": self._weights(),
            "inverse_scales": 1 / self.scales,
            "first": torch.empty(2 + self.n_features, 0),
            "second": torch.empty(1, 0),
            "last": torch.empty(0),
        }
        if self.n_layers == 3:
            first, second = self.hidden[0], self.hidden[2]
            tensors |= {
                "first": torch.vstack(
                    [first.weight[:, :1].T, (first.weight[:, 1:] * self._used()).T, first.bias]
                ),
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
            One row per pixel, as described in `sksuperpixel.networks`.

        Returns
        -------
        torch.Tensor of shape (n, Q)
            Infinity for absent candidates.
        """
        total, absent = self._finite_distances(rows)
        return total.masked_fill(absent, torch.inf)

    def _finite_distances(self, rows):
        """Compute distances that are finite even for absent candidates, and find the latter."""
        _, space, differences, absent = split_finite_rows(rows, self.n_features)
        total = space**2 + differences**2 @ self._weights()
        if self.n_layers == 3:
            # Squares as inputs would spread over twice as many orders of magnitude.
            sizes = differences.abs() * self._used()
            inputs = torch.cat([space[..., None], sizes], dim=-1) / self.scales
            correction = self.last(self.hidden(inputs))[..., 0]
            total = total + self.log_temperature.exp() * correction
        return total, absent

    def forward(self, X):
        """Compute the candidates' log-probabilities.

        Parameters
        ----------
        X : torch.Tensor of shape (n, M + Q + Q M), float32
            One row per pixel, as described in `sksuperpixel.networks`.

        Returns
        -------
        torch.Tensor of shape (n, Q)
            Minus infinity for absent candidates.
        """
        total, absent = self._finite_distances(X)
        # Masked after the division, because dividing infinity would make the temperature's
        # gradient NaN.
        logits = (-total / self.log_temperature.exp()).masked_fill(absent, -torch.inf)
        return torch.log_softmax(logits, dim=1)
