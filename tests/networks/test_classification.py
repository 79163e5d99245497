import pytest

torch = pytest.importorskip("torch")

from sksuperpixel.networks import ClassificationNetwork  # noqa: E402


def test_layers_are_the_published_ones():
    network = ClassificationNetwork(n_features=9, n_candidates=7)
    widths = [m.out_features for m in network.classify if hasattr(m, "out_features")]
    assert widths == [120, 105, 15, 7]
    for reduction in (network.reduce_features, network.reduce_differences):
        assert [m.out_features for m in reduction if hasattr(m, "out_features")] == [100, 15]


def test_probabilities_sum_to_one(make_rows):
    rows, *_ = make_rows(6, 3, 4)
    probabilities = ClassificationNetwork(3, 4).eval()(rows).exp()
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(6))


def test_absent_candidates_have_no_probability_and_no_influence(make_rows):
    network = ClassificationNetwork(3, 4).eval()
    rows, *_ = make_rows(6, 3, 4)
    rows[:, 3 + 3] = torch.inf  # distance of the last candidate
    first = network(rows).detach()
    assert (first[:, 3].exp() == 0).all()
    rows[:, 3 + 4 + 9 :] = 1e6  # its differences
    torch.testing.assert_close(network(rows).detach(), first)
    network(rows)[:, 0].sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_distances_in_space_can_be_scaled(make_rows):
    torch.manual_seed(0)
    network = ClassificationNetwork(3, 4, channel_weights=[1, 2, 4])
    rows, *_ = make_rows(60, 3, 4)
    network.train()(rows)
    network.eval()
    expected = network(rows).detach()
    network.scale_space(2.0)
    rows[:, 3:7] /= 2
    torch.testing.assert_close(network(rows).detach(), expected, rtol=1e-4, atol=1e-5)
    assert network.channel_weights.tolist() == [0.25, 0.5, 1]


@pytest.mark.parametrize("factor", [0.1, 30.0])
def test_variances_of_small_distances_stay_positive(make_rows, factor):
    """Model files hold no negative variance."""
    network = ClassificationNetwork(3, 4).eval()
    network.normalise_distances.running_var[:] = torch.tensor([0, 1e-6, 1e-3, 1])
    rows, *_ = make_rows(60, 3, 4)
    rows[:, 3:7] *= 1e-3
    with torch.no_grad():
        expected = network(rows)
        network.scale_space(factor)
        assert (network.normalise_distances.running_var >= 0).all()
        rows[:, 3:7] /= factor
        torch.testing.assert_close(network(rows), expected, rtol=1e-4, atol=1e-5)


def test_another_number_of_candidates_is_an_error():
    network = ClassificationNetwork(n_features=9, n_candidates=7)
    with pytest.raises(ValueError, match="rows of 5 candidates, expected 7"):
        network(torch.zeros(2, 9 + 5 + 45))
