import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sksuperpixel.networks import SetLoss  # noqa: E402


def test_one_right_candidate_gives_cross_entropy():
    log_probabilities = torch.log_softmax(torch.randn(10, 5), dim=1)
    slots = torch.arange(10) % 5
    one = SetLoss()(log_probabilities, slots)
    torch.testing.assert_close(SetLoss(sets=True)(log_probabilities, 1 << slots), one)
    torch.testing.assert_close(one, torch.nn.functional.nll_loss(log_probabilities, slots))


def test_sets_by_hand():
    log_probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]).log()
    loss = SetLoss(sets=True)(log_probabilities, torch.tensor([0b101, 0b110]))
    assert loss.item() == pytest.approx(-(np.log(0.75) + np.log(0.9)) / 2)
