"""Choose the nearest candidate by the distance of a network."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import kernel, network_kernel


@kernel
def nearest_by_network(
    values,  # IN (n, C) float32: the pixels' features over their scales
    means,  # IN (K, C) float32: the clusters' mean features over the same scales
    candidates,  # IN (n, Q) int32: absent ones are -1 and come last
    distances,  # IN (n, Q) float32
    pairs,  # IN (n, Q, P) float32: pair features over their scales
    start,  # IN: the first pixel to assign
    stop,  # IN: one after the last pixel to assign
    channel_weights,  # IN (C + P,) float32: weights of the squared scaled differences
    space_scale,  # IN float32: one over the scale of distances
    first,  # IN (2 + C + P, h) float32: the last row is the bias
    second,  # IN (h + 1, h) float32: the last row is the bias
    last,  # IN (h,) float32; h may be 0
    chosen,  # OUT (n,) int32: the nearest candidate; ties: the first
):
    """Assign pixels to candidates by the distance of a network of one or three layers."""
    n_hidden, n_candidates = len(last), candidates.shape[1]
    n_features = means.shape[1]
    n_channels = n_features + pairs.shape[2]
    n_at_once = 32
    # Rows are padded with zeros to the multiple that `_inner_products` needs.
    padded = 32 * ((n_channels + 31) // 32)
    matrix = np.zeros((4 * ((n_hidden + 3) // 4), padded), np.float32)
    for c in range(n_channels):
        for j in range(n_hidden):
            matrix[j, c] = first[c + 1, j]
    n_rows = n_at_once * n_candidates  # one row per pixel and candidate
    sizes = np.zeros((n_rows, padded), np.float32)
    hidden = np.empty((len(matrix), n_rows), np.float32)
    space, totals = np.zeros(n_rows, np.float32), np.zeros(n_rows, np.float32)
    for block in range(start, stop, n_at_once):
        n_pixels = min(n_at_once, stop - block)
        for i in range(n_pixels):
            for q in range(n_candidates):
                row, k = i * n_candidates + q, candidates[block + i, q]
                if k < 0:
                    space[row], totals[row] = 0.0, np.inf
                    continue
                space[row] = distances[block + i, q]
                totals[row] = space[row] * space[row] + _sizes(
                    values[block + i], means[k], channel_weights, sizes[row]
                )
                for c in range(n_features, n_channels):
                    value = pairs[block + i, q, c - n_features]
                    totals[row] += channel_weights[c] * value * value
                    sizes[row, c] = abs(value)
        n_rows = n_pixels * n_candidates
        _inner_products(matrix, sizes, n_rows, hidden)
        _deep_layers(
            space,
            space_scale,
            first[0],
            first[n_channels + 1],
            second,
            last,
            n_rows,
            hidden,
            totals,
        )
        for i in range(n_pixels):
            row = i * n_candidates
            nearest = 0
            for q in range(1, n_candidates):
                if totals[row + q] < totals[row + nearest]:
                    nearest = q
            chosen[block + i] = candidates[block + i, nearest]


@network_kernel
def _sizes(
    values,  # IN (C,) float32
    mean,  # IN (C,) float32
    weights,  # IN (C,) float32
    sizes,  # OUT (at least C,) float32: absolute differences
):
    """Sum weighted squared differences of a pixel and a cluster; store absolute differences."""
    total = np.float32(0.0)
    for c in range(len(values)):
        difference = values[c] - mean[c]
        total += weights[c] * difference * difference
        sizes[c] = abs(difference)
    return total


@network_kernel
def _inner_products(
    a,  # IN (4 l, m) float32: m is a multiple of 32, so that processors can add many at once
    b,  # IN (r, m) float32
    n,  # IN: number of rows of `b` to multiply
    products,  # OUT (4 l, r) float32
):
    """Multiply rows by rows, four by two at once, so that few loads feed many sums."""
    zero = np.float32(0.0)
    for j in range(0, n, 2):
        b0, b1 = b[j], b[min(j + 1, n - 1)]
        for i in range(0, len(a), 4):
            a0, a1, a2, a3 = a[i], a[i + 1], a[i + 2], a[i + 3]
            s00, s01, s10, s11, s20, s21, s30, s31 = zero, zero, zero, zero, zero, zero, zero, zero
            for c in range(a.shape[1]):
                s00 += a0[c] * b0[c]
                s01 += a0[c] * b1[c]
                s10 += a1[c] * b0[c]
                s11 += a1[c] * b1[c]
                s20 += a2[c] * b0[c]
                s21 += a2[c] * b1[c]
                s30 += a3[c] * b0[c]
                s31 += a3[c] * b1[c]
            # If n is odd, both rows of the last pair are the same.
            k = min(j + 1, n - 1)
            products[i, j], products[i + 1, j] = s00, s10
            products[i + 2, j], products[i + 3, j] = s20, s30
            products[i, k], products[i + 1, k] = s01, s11
            products[i + 2, k], products[i + 3, k] = s21, s31


@network_kernel
def _deep_layers(
    space,  # IN (r,) float32
    space_scale,  # IN float32
    space_weights,  # IN (h,) float32
    bias,  # IN (h,) float32
    second,  # IN (h + 1, h) float32: the last row is the bias
    last,  # IN (h,) float32
    n,  # IN: number of rows to compute
    hidden,  # IN (h or more, r) float32: what channels add to the first layer; CHANGED
    totals,  # CHANGED (r,) float32: the output of the last layer is added
):
    """Compute the rest of a network from the inner products of its first layer."""
    n_hidden = len(last)
    zero = np.float32(0.0)
    for h in range(n_hidden):
        row, weight = hidden[h], space_scale * space_weights[h]
        for r in range(n):
            row[r] = max(row[r] + bias[h] + space[r] * weight, zero)
    output = np.empty(n, np.float32)
    for j in range(n_hidden):
        output[:] = second[n_hidden, j]
        for h in range(n_hidden):
            row, weight = hidden[h], second[h, j]
            for r in range(n):
                output[r] += row[r] * weight
        for r in range(n):
            totals[r] += max(output[r], zero) * last[j]
