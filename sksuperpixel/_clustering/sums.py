"""Sums over the pixels of each label."""

import numpy as np

from sksuperpixel._clustering.kernels import assignment
from sksuperpixel._clustering.threads import ONE_THREAD, split_range


def label_sums(features, labels, n_labels, threads=ONE_THREAD):
    """Count each label's pixels and sum their positions and features.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    labels : ndarray of shape (D, H, W), int32
        Below `n_labels`; negative where a pixel has no label.
    n_labels : int
        K.
    threads : Threads, default=ONE_THREAD

    Returns
    -------
    ndarray of shape (K, 7 + 5 m), float64
        Number of pixels; sums of planes, rows and columns; sums of features. Columns after the
        first 4 + C have no meaning.
    """
    sums = np.empty((n_labels, 7 + 5 * -(-max(len(features) - 3, 0) // 5)))

    def part(bounds):
        assignment.accumulate(features, labels, *bounds, sums)

    threads.run(part, split_range(n_labels, threads.n_threads))
    return sums
