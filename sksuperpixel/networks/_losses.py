"""The loss that networks are trained with."""

import torch
from torch import nn


class SetLoss(nn.Module):
    """Negative logarithm of the probability that a right candidate is chosen.

    A target is either the slot of the one right candidate, as for cross-entropy, or a row that
    tells how right each candidate is, from 0 to 1. For a set of right candidates, the row holds
    ones and zeros. The loss of a row t and probabilities p is -log(sum of t p).

    Examples
    --------
    >>> import torch
    >>> from sksuperpixel.networks import SetLoss
    >>> log_probabilities = torch.tensor([[0.5, 0.25, 0.25]]).log()
    >>> right = torch.tensor([[1.0, 1.0, 0.0]])
    >>> round(SetLoss()(log_probabilities, right).exp().item(), 3)
    1.333
    """

    def __init__(self):
        super().__init__()

    def forward(self, log_probabilities, targets):
        """Compute the mean loss.

        Parameters
        ----------
        log_probabilities : torch.Tensor of shape (n, Q)
            Logarithms of the candidates' probabilities.
        targets : torch.Tensor of shape (n,), int64, or of shape (n, Q), float32
            Slots, or how right each candidate is.

        Returns
        -------
        torch.Tensor
            The mean over the pixels, a tensor without axes.
        """
        if targets.ndim == 1:
            return nn.functional.nll_loss(log_probabilities, targets)
        # Candidates that are not right are masked, because an absent one has the probability 0,
        # and the gradient of an infinite logarithm would be NaN.
        logs = log_probabilities.masked_fill(targets == 0, 0.0) + targets.log()
        return -torch.logsumexp(logs, dim=1).mean()
