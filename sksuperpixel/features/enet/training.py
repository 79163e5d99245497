"""The classes that ENet learns, their weights, and the loss."""

import numpy as np
import torch
from torch.nn import functional


def count_labels(segmentation, mask, n_classes, ignore_label):
    """Count the pixels of each class in one image, over all annotators.

    Parameters
    ----------
    segmentation : ndarray of shape (A, H, W), int
    mask : ndarray of shape (H, W), bool, or None
        Where labels count.
    n_classes : int or None
        Number of classes, if it is known.
    ignore_label : int or None
        Label of pixels that do not count.

    Returns
    -------
    ndarray of shape (n,), int
        n is one more than the largest label.

    Raises
    ------
    ValueError
        If a label is not a class.
    """
    labels = segmentation if mask is None else segmentation[:, mask]
    labels = labels[labels != ignore_label].astype(np.int64)
    if labels.size == 0:
        return np.zeros(0, np.int64)
    least, largest = labels.min(), labels.max()
    if least < 0 or (n_classes is not None and largest >= n_classes):
        found = least if least < 0 else largest
        classes = "labels from 0 on" if n_classes is None else f"labels 0 to {n_classes - 1}"
        raise ValueError(
            f"found the label {found} in its segmentation, expected {classes}, or "
            f"ignore_label={ignore_label}"
        )
    return np.bincount(labels)


def class_weights(counts):
    """Weigh classes as in the paper: ``1 / ln(1.02 + p)``, with p the fraction of their pixels.

    Parameters
    ----------
    counts : ndarray of shape (n_classes,), int
        Number of pixels of each class.

    Returns
    -------
    tuple of float
    """
    return tuple((1 / np.log(1.02 + counts / counts.sum())).tolist())


class ClassLoss:
    """The cross-entropy of the classes, weighted by class.

    Parameters
    ----------
    weights : tuple of float
        One per class.
    device : torch.device
    """

    def __init__(self, weights, device):
        self.weights = torch.tensor(weights, dtype=torch.float32, device=device)

    def __call__(self, network, images, labels, rng):
        """Compute the mean loss of a batch.

        Parameters
        ----------
        network : ENet
        images : torch.Tensor of shape (n, 3, h, w)
        labels : torch.Tensor of shape (n, h, w), int64
            -1 where there is no label.
        rng : Generator
            Not used.

        Returns
        -------
        torch.Tensor or None
            None if no pixel has a label.
        """
        if (labels < 0).all():
            return None
        scores = network(images)
        return functional.cross_entropy(
            scores, labels.to(scores.device), self.weights, ignore_index=-1
        )
