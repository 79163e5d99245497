"""The network that classifies a pixel among a fixed number of candidates."""

import numpy as np
import torch
from torch import nn

from sksuperpixel.networks._rows import split_finite_rows


class ClassificationNetwork(nn.Module):
    """Classify a pixel among a fixed number of candidates.

    Two small networks reduce the pixel's features, and its differences to each candidate, to 15
    numbers each. The candidates share the second one. Fully connected layers then classify these
    numbers together with the distances in space.

    Parameters
    ----------
    n_features : int
        M, the number of features.
    n_candidates : int, default=7
        Q, the number of candidates.
    channel_weights : array-like of shape (M,), default=None
        Weights of the features' squared differences when regions are merged. The network itself
        does not use them. If None, all are 1.

    Examples
    --------
    >>> import torch
    >>> from sksuperpixel.networks import ClassificationNetwork
    >>> network = ClassificationNetwork(n_features=3, n_candidates=7).eval()
    >>> network(torch.zeros(2, 3 + 7 + 21)).shape
    torch.Size([2, 7])
    """

    def __init__(self, n_features, n_candidates=7, channel_weights=None):
        super().__init__()
        self.n_features = n_features
        self.n_candidates = n_candidates
        weights = np.ones(n_features) if channel_weights is None else np.asarray(channel_weights)
        self.register_buffer("merging_weights", torch.tensor(weights, dtype=torch.float32))
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

    @property
    def channel_weights(self):
        """Weights of the features' squared differences: ndarray of shape (M,), float32."""
        return self.merging_weights.cpu().numpy()

    def scale_space(self, factor):
        """Make distances in space count as if they were larger by a factor, in place.

        Candidates keep their probabilities if their distances in space are divided by the factor
        at the same time.

        Parameters
        ----------
        factor : float
            Positive.
        """
        norm = self.normalise_distances
        norm.running_mean /= factor
        # Batch normalisation adds a small constant to the variance.
        wanted = (norm.running_var + norm.eps) / factor**2
        norm.running_var.copy_((wanted - norm.eps).clamp(min=0))
        with torch.no_grad():
            # The constant alone may be too much. Then the weight makes up for it.
            norm.weight *= ((norm.running_var + norm.eps) / wanted).sqrt()
        self.merging_weights /= factor**2

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

        Raises
        ------
        ValueError
            If the rows have another number of candidates.
        """
        features, distances, differences, absent = split_finite_rows(X, self.n_features)
        if distances.shape[1] != self.n_candidates:
            raise ValueError(
                f"X: found rows of {distances.shape[1]} candidates, expected {self.n_candidates}"
            )
        reduced = self.reduce_features(self.normalise_features(features))
        flat = self.normalise_differences(differences.reshape(-1, self.n_features))
        each = self.reduce_differences(flat).reshape(len(X), -1)
        inputs = torch.cat([reduced, self.normalise_distances(distances), each], dim=1)
        return torch.log_softmax(self.classify(inputs).masked_fill(absent, -torch.inf), dim=1)


def _reduction(n_features):
    return nn.Sequential(nn.Linear(n_features, 100), nn.ReLU(), nn.Linear(100, 15), nn.ReLU())
