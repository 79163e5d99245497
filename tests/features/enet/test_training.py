import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sksuperpixel.features.enet.network import new_network  # noqa: E402
from sksuperpixel.features.enet.training import (  # noqa: E402
    ClassLoss,
    class_weights,
    count_labels,
)


def test_weights_of_classes():
    # The paper bounds them by 1 and 50.
    rare, common = class_weights(np.array([0, 10**9]))
    assert rare == pytest.approx(50, rel=0.02)
    assert common == pytest.approx(1.42, rel=0.01)


def test_labels_are_counted_over_annotators_and_inside_the_mask():
    segmentation = np.array([[[0, 0, 2], [9, 2, 2]], [[1, 0, 2], [9, 9, 2]]], np.int16)
    mask = np.array([[True, True, True], [True, True, False]])
    assert count_labels(segmentation, None, None, 9).tolist() == [3, 1, 5]
    assert count_labels(segmentation, mask, 3, 9).tolist() == [3, 1, 3]
    assert count_labels(segmentation, None, 10, None).tolist() == [3, 1, 5, 0, 0, 0, 0, 0, 0, 3]
    assert count_labels(np.full((1, 2, 2), 9), None, None, 9).size == 0
    # Whatever is outside the mask or ignored
    segmentation[:, 1, 2] = -7
    assert count_labels(segmentation, mask, None, 9).tolist() == [3, 1, 3]


@pytest.mark.parametrize(
    ("labels", "n_classes", "message"),
    [
        (
            [-1, 0, 1],
            None,
            "found the label -1 in its segmentation, expected labels from 0 on, or",
        ),
        ([-1, 0, 1], 3, "found the label -1 in its segmentation, expected labels 0 to 2, or"),
        ([0, 3, 5], 3, "found the label 5 in its segmentation, expected labels 0 to 2, or"),
    ],
)
def test_labels_that_are_no_classes(labels, n_classes, message):
    with pytest.raises(ValueError, match=f"{message} ignore_label=255"):
        count_labels(np.array([[labels]]), None, n_classes, 255)


def test_the_loss_is_the_weighted_cross_entropy_of_labelled_pixels():
    network = new_network(3, seed=0)
    images = torch.rand(2, 3, 16, 24)
    labels = torch.randint(0, 3, (2, 16, 24))
    labels[:, :5] = -1
    weights = (1.0, 2.0, 4.0)
    loss = ClassLoss(weights, torch.device("cpu"))(network, images, labels, None)
    with torch.no_grad():
        log_p = torch.log_softmax(network(images), dim=1)
    total = 0.0
    norm = 0.0
    for n, row, column in zip(*np.nonzero(labels.numpy() >= 0), strict=True):
        label = labels[n, row, column]
        total -= weights[label] * log_p[n, label, row, column].item()
        norm += weights[label]
    assert loss.item() == pytest.approx(total / norm, rel=1e-4)


def test_a_batch_without_labels_has_no_loss():
    loss = ClassLoss((1.0, 1.0), torch.device("cpu"))
    assert loss(None, torch.rand(1, 3, 8, 8), torch.full((1, 8, 8), -1), None) is None
