import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sksuperpixel.networks import SetLoss  # noqa: E402


def test_one_right_candidate_gives_cross_entropy():
    log_probabilities = torch.log_softmax(torch.randn(10, 5), dim=1)
    slots = torch.arange(10) % 5
    one = SetLoss()(log_probabilities, slots)
    rows = torch.nn.functional.one_hot(slots, 5).float()
    torch.testing.assert_close(SetLoss()(log_probabilities, rows), one)
    torch.testing.assert_close(one, torch.nn.functional.nll_loss(log_probabilities, slots))


def test_sets_and_shares_by_hand():
    log_probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]).log()
    loss = SetLoss()(log_probabilities, torch.tensor([[1.0, 0, 1], [0, 1, 1]]))
    assert loss.item() == pytest.approx(-(np.log(0.75) + np.log(0.9)) / 2)
    loss = SetLoss()(log_probabilities, torch.tensor([[0.5, 0, 1], [0.1, 0.1, 0.1]]))
    assert loss.item() == pytest.approx(-(np.log(0.5) + np.log(0.1)) / 2)


def test_absent_candidates_leave_gradients_finite():
    logits = torch.zeros(1, 3, requires_grad=True)
    absent = torch.tensor([[False, False, True]])
    log_probabilities = torch.log_softmax(logits.masked_fill(absent, -torch.inf), dim=1)
    SetLoss()(log_probabilities, torch.tensor([[1.0, 0.5, 0.0]])).backward()
    assert torch.isfinite(logits.grad).all()


def test_there_are_no_parameters():
    with pytest.raises(TypeError, match="sets"):
        SetLoss(sets=True)
