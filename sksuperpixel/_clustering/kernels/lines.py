"""Follow straight lines from pixels to clusters."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import kernel


@kernel
def along_lines(
    features,  # IN (C, D, H, W) float32
    pixels,  # IN (n, 3) int32: where lines start
    ends,  # IN (n, Q, 3) int32: where they end; negative if there is no line
    statistic,  # IN: 0 sum, 1 maximum, 2 variation, 3 deviation
    along,  # OUT (n, Q) float32: infinity where there is no line
):
    """Compute a statistic of the features of the pixels on straight lines, both ends included.

    Successive pixels of a line share a face, so that no line slips diagonally through an edge.
    """
    at, sign = np.empty(3, np.int64), np.empty(3, np.int64)
    steps, done = np.empty(3, np.int64), np.empty(3, np.int64)
    n_channels = features.shape[0]
    before = np.empty(n_channels, np.float32)
    for p in range(len(pixels)):
        for q in range(ends.shape[1]):
            if ends[p, q, 0] < 0 or ends[p, q, 1] < 0 or ends[p, q, 2] < 0:
                along[p, q] = np.inf
                continue
            for axis in range(3):
                way = ends[p, q, axis] - pixels[p, axis]
                at[axis], sign[axis] = pixels[p, axis], 1 if way > 0 else -1
                steps[axis], done[axis] = abs(way), 0
            n_steps = steps[0] + steps[1] + steps[2]
            total = np.float32(0.0)
            for c in range(n_channels):
                before[c] = features[c, at[0], at[1], at[2]]
                if statistic < 2:
                    total += before[c]
            for _ in range(n_steps):
                # Find the axis whose next step is due first. The middle of that step lies at
                # (done + 1/2) / steps of the way; the comparison avoids the division.
                due = -1
                for axis in range(3):
                    if done[axis] < steps[axis] and (
                        due < 0
                        or (2 * done[axis] + 1) * steps[due] < (2 * done[due] + 1) * steps[axis]
                    ):
                        due = axis
                done[due] += 1
                at[due] += sign[due]
                here, square = np.float32(0.0), np.float32(0.0)
                for c in range(n_channels):
                    value = features[c, at[0], at[1], at[2]]
                    here += value
                    square += (value - before[c]) * (value - before[c])
                    if statistic == 2:
                        before[c] = value
                if statistic == 0:
                    total += here
                elif statistic == 1:
                    total = max(total, here)
                elif statistic == 2:
                    total += np.sqrt(square)
                else:
                    total += square
            if statistic == 3:
                total = np.sqrt(total / np.float32(n_steps + 1))
            along[p, q] = total
