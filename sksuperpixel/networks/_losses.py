"""The loss that networks are trained with."""

import torch
from torch import nn


class SetLoss(nn.Module):
    """Negative logarithm of the probability that one of the right candidates is chosen.

    A target is either the slot of the one right candidate, as for cross-entropy, or the set of
    all right candidates. A set is an integer with one bit per candidate, of which the lowest
    stands for the first candidate. If only one candidate is right, both kinds of target give the
    same loss.

    Parameters
    ----------
    sets : bool, default=False
        Whether targets are sets. `TrainableSLIC` sets this to suit its label maker.

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
            Logarithms of the candidates' probabilities.
        targets : torch.Tensor of shape (n,), int64
            Slots, or sets of slots as bits.

        Returns
        -------
        torch.Tensor
            The mean over the pixels, a tensor without axes.
        """
        if not self.sets:
            return nn.functional.nll_loss(log_probabilities, targets)
        bits = torch.arange(log_probabilities.shape[1], device=targets.device)
        right = (targets[:, None] >> bits) & 1 == 1
        return -torch.logsumexp(log_probabilities.masked_fill(~right, -torch.inf), dim=1).mean()
