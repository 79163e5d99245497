"""The best weights of a distance of one layer.

With one layer, the logarithms of the candidates' probabilities are linear in the weights. For
targets with one right candidate, the loss is then convex: this is the conditional logit model. A
solver for bounded parameters finds its minimum without a learning rate, whatever the scales of
the features, and sets the weights of useless features to exactly 0.
"""

import numpy as np
import torch
from scipy.optimize import minimize

from sksuperpixel._torch import one_torch_thread
from sksuperpixel.networks._rows import split_finite_rows

# The weight of the sum of all terms of the squared distance, each in units of its mean, in the
# loss. It makes weights sparse. It was chosen on BSDS500's validation images among 0, 1e-4, 1e-3,
# 3e-3, 1e-2 and 3e-2: up to 1e-2, superpixels are equally good, with ever fewer features.
_SPARSITY = 1e-2
# The weight of distances in space is at least this fraction of its first value.
_LEAST_SPACE = 1e-4
_MAX_ITER = 200
# At most this number of squared differences are in memory, which are 512 MiB.
_MOST_NUMBERS = 2**27
_N_AT_ONCE = 4096


def solve_weights(pixels, seed):
    r"""Find the weights of features that make right candidates the most probable.

    Parameters
    ----------
    pixels : TrainingPixels
    seed : int
        Seed for drawing pixels, if they are too many.

    Returns
    -------
    weights : ndarray of shape (M,), float64
        Weights of the squared differences of features and pair features, relative to those of
        distances in space. Many are 0.
    temperature : float
        Squared distance that changes the odds of a candidate by a factor of e.

    Notes
    -----
    The probability of candidate q of a pixel is proportional to :math:`\exp(-\sum_c \theta_c
    x_{qc})`, where x are squared distances in space and squared differences of features. The
    loss is that of `SetLoss` plus a penalty on the sum of :math:`\theta_c \bar x_c`.
    """
    squares, means, targets, absent = _squares(pixels, seed)
    units = torch.from_numpy(means).to(torch.float32)

    def loss(parameters):
        theta = torch.tensor(parameters, dtype=torch.float32, requires_grad=True)
        logits = -(squares @ (theta / units)).view(targets.shape)
        logs = torch.log_softmax(logits.masked_fill(absent, -torch.inf), dim=1)
        value = -torch.logsumexp(logs + targets, dim=1).mean() + _SPARSITY * theta[1:].sum()
        value.backward()
        return value.item(), theta.grad.numpy().astype(np.float64)

    # At first, all features together count as much as the distance in space.
    start = np.full(len(means), 1 / max(len(means) - 1, 1))
    start[0] = 1.0
    bounds = [(_LEAST_SPACE, None)] + [(0, None)] * (len(means) - 1)
    with one_torch_thread():
        found = minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": _MAX_ITER, "maxcor": 20},
        )
    theta = found.x / means
    if not squares[:, 0].any():
        return theta[1:], 1.0  # a compactness of 0, with which any scale of the weights will do
    return theta[1:] / theta[0], float(1 / theta[0])


def _squares(pixels, seed):
    """Square the differences between pixels and candidates.

    Returns
    -------
    squares : torch.Tensor of shape (n Q, 1 + M)
        Squared distances in space, then squared differences of features.
    means : ndarray of shape (1 + M,), float64
        Their means, which are positive.
    targets : torch.Tensor of shape (n, Q)
        Logarithms of the targets.
    absent : torch.Tensor of shape (n, Q), bool
    """
    n_candidates, n_features = pixels.candidates.shape[1], pixels.n_features
    most = max(1, _MOST_NUMBERS // (n_candidates * (1 + n_features)))
    chosen = np.arange(len(pixels))
    if len(chosen) > most:
        chosen = np.sort(np.random.RandomState(seed).permutation(chosen)[:most])
    values = torch.empty(len(chosen), n_candidates, 1 + n_features)
    absent = torch.empty(len(chosen), n_candidates, dtype=torch.bool)
    sums = torch.zeros(1 + n_features, dtype=torch.float64)
    for start in range(0, len(chosen), _N_AT_ONCE):
        some = slice(start, start + _N_AT_ONCE)
        rows = torch.from_numpy(pixels.rows(chosen[some]))
        _, space, differences, absent[some] = split_finite_rows(rows, n_features)
        values[some, :, 0] = space**2
        values[some, :, 1:] = differences**2
        # Sums of all at once would take a copy in double precision.
        sums += values[some].sum(dim=(0, 1), dtype=torch.float64)
    means = np.maximum(sums.numpy() / (len(chosen) * n_candidates), 1e-30)
    targets = torch.from_numpy(pixels.targets[chosen]).log()
    return values.view(-1, 1 + n_features), means, targets, absent
