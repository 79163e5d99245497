import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sksuperpixel.features.learned.network import new_maps_network  # noqa: E402
from sksuperpixel.features.learned.training import ClusterLoss, _edge_loss  # noqa: E402


def slow_loss(features, segmentation, loss, size, found, temperature):
    """The loss of an image, by loops over all there is, in float64."""
    labels, pixels = found[0].reshape(segmentation.shape), found[1]
    compactness = loss.compactness
    positions = np.argwhere(np.ones(segmentation.shape, bool)).reshape(*segmentation.shape, 2)
    clusters = [k for k in range(labels.max() + 1) if (labels == k).any()]
    centres = {k: positions[labels == k].mean(axis=0) for k in clusters}
    means = {k: features[:, labels == k].mean(axis=1) for k in clusters}
    total = 0.0
    for pixel in pixels:
        row, column = divmod(int(pixel), segmentation.shape[1])
        away = {k: np.hypot(*(centres[k] - (row, column))) for k in clusters}
        nearest = sorted(clusters, key=lambda k: away[k])[: loss.n_candidates]
        logits = np.array(
            [
                -(
                    ((features[:, row, column] - means[k]) ** 2).sum()
                    + (compactness / size * away[k]) ** 2
                )
                / temperature
                for k in nearest
            ]
        )
        chances = np.exp(logits - logits.max())
        chances /= chances.sum()
        valid = segmentation >= 0
        shares = np.array(
            [
                (segmentation[(labels == k) & valid] == segmentation[row, column]).sum()
                / max(1, ((labels == k) & valid).sum())
                for k in nearest
            ]
        )
        total -= np.log(chances @ np.maximum(shares, 1e-3))
    return total / len(pixels)


@pytest.mark.parametrize("void", [False, True])
def test_loss_equals_a_slow_reference(void):
    rng = np.random.default_rng(0)
    segmentation = np.zeros((24, 30), np.int64)
    segmentation[:, 13:] = 1
    segmentation[11:, 20:] = 2
    if void:
        segmentation[:5] = -1
    features = rng.normal(0, 2, (4, 24, 30)).astype(np.float32)
    features[0] += 6 * segmentation
    loss = ClusterLoss((6.0, 6.0), 10.0, 5, 400, "float32")
    tensor = torch.from_numpy(features).requires_grad_()
    # The same random numbers: what is drawn, then what it is computed from.
    value = loss._of_image(tensor, segmentation, torch.tensor(15.0), np.random.default_rng(1))
    draws = np.random.default_rng(1)
    draws.uniform()
    found = loss._draw_pixels(tensor, segmentation, 6.0, draws)
    assert (segmentation.ravel()[found[1]] >= 0).all()
    expected = slow_loss(features.astype(np.float64), segmentation, loss, 6.0, found, 15.0)
    assert value.item() == pytest.approx(found[-1] * expected, rel=1e-4)
    value.backward()
    # Not only the pixels that teach: all pixels of their clusters, too.
    taught = np.zeros(segmentation.size, bool)
    taught[found[1]] = True
    assert (tensor.grad.abs().sum(0).numpy().ravel()[~taught] > 0).any()


def test_pixels_are_drawn_that_have_several_segments_around_them():
    segmentation = np.zeros((40, 60), np.int64)
    segmentation[:, 30:] = 1
    loss = ClusterLoss((8.0, 8.0), 10.0, 9, 10**6, "float32")
    features = torch.zeros(1, 40, 60)
    found = loss._draw_pixels(features, segmentation, 8.0, np.random.default_rng(0))
    columns = found[1] % 60
    # Flat features: clusters are the grid's cells, and nine of them reach 12 pixels.
    assert 12 <= 30 - columns.min() <= 20
    assert found[-1] == pytest.approx(len(found[1]) / segmentation.size)
    one_segment = np.zeros((40, 60), np.int64)
    assert loss._draw_pixels(features, one_segment, 8.0, np.random.default_rng(0)) is None


def test_edge_loss_equals_reference():
    rng = np.random.default_rng(0)
    labels = rng.integers(-1, 3, (2, 7, 9)).repeat(2, axis=2)
    logits = rng.normal(0, 2, labels.shape)
    losses = []
    for pixel in np.ndindex(labels.shape):
        if labels[pixel] < 0:
            continue
        image, row, column = pixel
        beside = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        around = [labels[image, r, c] for r, c in beside if 0 <= r < 7 and 0 <= c < 18]
        edge = any(each not in (-1, labels[pixel]) for each in around)
        probability = 1 / (1 + np.exp(-logits[pixel]))
        losses.append(-np.log(probability if edge else 1 - probability))
    found = _edge_loss(torch.from_numpy(logits), labels)
    assert found.item() == pytest.approx(np.mean(losses), rel=1e-6)


def test_a_batch_without_pixels_to_learn_from_has_no_loss():
    loss = ClusterLoss((6.0, 8.0), 10.0, 5, 400, "float32")
    network = new_maps_network(2, 4, 0)
    images = torch.rand(2, 3, 32, 32) * 100
    labels = torch.zeros(2, 32, 32, dtype=torch.int64)
    assert loss(network, images, labels, np.random.default_rng(0)) is None
    labels[0, :, 16:] = 1
    one = loss(network, images, labels, np.random.default_rng(0))
    assert torch.isfinite(one)
    # An image without such pixels counts in the mean.
    alone = loss(network, images[:1], labels[:1], np.random.default_rng(0))
    edges = [0.5 * _edge_loss(network(images[:n])[1], labels[:n].numpy()) for n in (1, 2)]
    torch.testing.assert_close(one - edges[1], (alone - edges[0]) / 2, rtol=1e-3, atol=1e-4)


def test_two_threads_give_the_same_gradients_each_time():
    segmentation = np.zeros((96, 96), np.int64)
    segmentation[:, 40:] = 1
    segmentation[50:, 20:] = 2
    features = torch.randn(8, 96, 96, generator=torch.Generator().manual_seed(0))
    loss = ClusterLoss((4.0, 5.0), 10.0, 9, 6000, "float32")
    gradients = []
    torch.set_num_threads(2)
    try:
        for _ in range(8):
            tensor = features.clone().requires_grad_()
            rng = np.random.default_rng(0)
            loss._of_image(tensor, segmentation, torch.tensor(15.0), rng).backward()
            gradients.append(tensor.grad)
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(each, gradients[0]) for each in gradients[1:])
