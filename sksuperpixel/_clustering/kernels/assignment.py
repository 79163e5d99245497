"""Assign pixels to clusters, and move the clusters."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import kernel


@kernel
def _window(seed, offset, half, start, stop):
    """Find the pixels of [start, stop) that are at most `half` from a cluster along one axis."""
    first = seed + int(np.ceil(offset - half))
    last = seed + int(np.floor(offset + half))
    return max(first, start), min(last + 1, stop)


@kernel
def assign(
    features,  # IN (C, D, H, W) float32
    seeds,  # IN (K, 3) int32
    offsets,  # IN (K, 3) float32: where a cluster lies, relative to its seed
    means,  # IN (K, C) float32
    half,  # IN (3,) float32: half of the window, in pixels
    scale,  # IN (K, 3) float32: weight of a distance in pixels, in units of the features
    gain,  # IN (K,) float32: factor of the whole squared distance
    rows,  # IN (z start, z stop, y start, y stop): the part of the image to do
    nearest,  # OUT (D, H, W) float32: squared distance to the cluster chosen
    labels,  # OUT (D, H, W) int32: that cluster, -1 where no window reaches
):
    """Assign each pixel to the nearest cluster whose window reaches it; ties: the lower."""
    n_channels, _, _, width = features.shape
    z_start, z_stop, y_start, y_stop = rows
    for z in range(z_start, z_stop):
        for y in range(y_start, y_stop):
            for x in range(width):
                nearest[z, y, x] = np.inf
                labels[z, y, x] = -1
    along_x = np.empty(2 * int(half[2]) + 2, np.float32)
    distance = np.empty_like(along_x)
    for k in range(seeds.shape[0]):
        z0, z1 = _window(seeds[k, 0], offsets[k, 0], half[0], z_start, z_stop)
        y0, y1 = _window(seeds[k, 1], offsets[k, 1], half[1], y_start, y_stop)
        x0, x1 = _window(seeds[k, 2], offsets[k, 2], half[2], 0, width)
        if z0 >= z1 or y0 >= y1 or x0 >= x1:
            continue
        factor = gain[k]
        # Unsigned indices cannot count from the end, which saves a check at each pixel. In
        # narrow windows such checks would take much of the time.
        left, n = np.uint64(x0), np.uint64(x1 - x0)
        for i in range(n):
            step = scale[k, 2] * (np.float32(x0 + np.int64(i) - seeds[k, 2]) - offsets[k, 2])
            along_x[i] = step * step
        for z in range(np.uint64(z0), np.uint64(z1)):
            step_z = scale[k, 0] * (np.float32(np.int64(z) - seeds[k, 0]) - offsets[k, 0])
            for y in range(np.uint64(y0), np.uint64(y1)):
                step_y = scale[k, 1] * (np.float32(np.int64(y) - seeds[k, 1]) - offsets[k, 1])
                across = step_z * step_z + step_y * step_y
                if n_channels == 3:
                    # Three channels are the usual case, for which one loop does everything.
                    m0, m1, m2 = means[k, 0], means[k, 1], means[k, 2]
                    for i in range(n):
                        x = left + i
                        d0 = features[0, z, y, x] - m0
                        d1 = features[1, z, y, x] - m1
                        d2 = features[2, z, y, x] - m2
                        d = factor * ((((across + along_x[i]) + d0 * d0) + d1 * d1) + d2 * d2)
                        closer = d < nearest[z, y, x]
                        nearest[z, y, x] = d if closer else nearest[z, y, x]
                        labels[z, y, x] = k if closer else labels[z, y, x]
                    continue
                for i in range(n):
                    distance[i] = across + along_x[i]
                # Three channels at a time, so that `distance` is read and written less often.
                # The sums are the same, in the same order, as with one channel at a time.
                c = 0
                while c + 3 <= n_channels:
                    f0 = features[c, z, y, x0:x1]
                    f1 = features[c + 1, z, y, x0:x1]
                    f2 = features[c + 2, z, y, x0:x1]
                    m0, m1, m2 = means[k, c], means[k, c + 1], means[k, c + 2]
                    for i in range(n):
                        d0, d1, d2 = f0[i] - m0, f1[i] - m1, f2[i] - m2
                        distance[i] = ((distance[i] + d0 * d0) + d1 * d1) + d2 * d2
                    c += 3
                while c < n_channels:
                    f0 = features[c, z, y, x0:x1]
                    m0 = means[k, c]
                    for i in range(n):
                        d0 = f0[i] - m0
                        distance[i] += d0 * d0
                    c += 1
                for i in range(n):
                    x = left + i
                    d = factor * distance[i]
                    closer = d < nearest[z, y, x]
                    nearest[z, y, x] = d if closer else nearest[z, y, x]
                    labels[z, y, x] = k if closer else labels[z, y, x]


@kernel
def accumulate(
    features,  # IN (C, D, H, W) float32
    labels,  # IN (D, H, W) int32: negative where a pixel has no label
    labels_start,  # IN: the first label to sum
    labels_stop,  # IN: one after the last label to sum
    sums,  # OUT (K, 7 + 5 m >= 4 + C) float64: number of pixels, planes, rows, columns, features
):
    """Count the pixels of each label and sum their positions and features.

    The pixels of a label are added in raster order, whichever thread sums the label. Several
    channels are summed at once. Each addition to a sum waits for the one before it, so several
    sums take little longer than one. The last channel is repeated to fill the last columns.
    """
    n_channels, depth, height, width = features.shape
    last = n_channels - 1
    for k in range(labels_start, labels_stop):
        for c in range(sums.shape[1]):
            sums[k, c] = 0.0
    for z in range(depth):
        for y in range(height):
            row = labels[z, y]
            plane_number, row_number = float(z), float(y)
            f0, f1 = features[0, z, y], features[min(1, last), z, y]
            f2 = features[min(2, last), z, y]
            for x in range(width):
                if row[x] >= labels_start and row[x] < labels_stop:
                    # An unsigned index cannot count from the end, which saves a check.
                    k = np.uint64(row[x])
                    sums[k, 0] += 1.0
                    sums[k, 1] += plane_number
                    sums[k, 2] += row_number
                    sums[k, 3] += float(x)
                    sums[k, 4] += f0[x]
                    sums[k, 5] += f1[x]
                    sums[k, 6] += f2[x]
            for c in range(3, n_channels, 5):
                f0, f1 = features[c, z, y], features[min(c + 1, last), z, y]
                f2, f3 = features[min(c + 2, last), z, y], features[min(c + 3, last), z, y]
                f4 = features[min(c + 4, last), z, y]
                # A slice of these channels' columns, so that the compiler knows their order.
                columns = sums[:, 4 + c : 9 + c]
                for x in range(width):
                    if row[x] >= labels_start and row[x] < labels_stop:
                        k = np.uint64(row[x])
                        columns[k, 0] += f0[x]
                        columns[k, 1] += f1[x]
                        columns[k, 2] += f2[x]
                        columns[k, 3] += f3[x]
                        columns[k, 4] += f4[x]


@kernel
def move_clusters(
    sums,  # IN (K, ...) float64: as from `accumulate`
    seeds,  # IN (K, 3) int32
    offsets,  # OUT (K, 3) float32
    means,  # OUT (K, C) float32
):
    """Move each cluster to the mean of its pixels. Clusters without pixels do not move."""
    for k in range(len(seeds)):
        n = sums[k, 0]
        if n == 0.0:
            continue
        # The seed is subtracted before dividing: whole numbers are exact, wherever it lies.
        for axis in range(3):
            offsets[k, axis] = (sums[k, 1 + axis] - n * seeds[k, axis]) / n
        for c in range(means.shape[1]):
            means[k, c] = sums[k, 4 + c] / n


@kernel
def largest_feature_distance(
    features,  # IN (C, D, H, W) float32
    labels,  # IN (D, H, W) int32
    means,  # IN (K, C) float32
    largest,  # IN and OUT (K,) float32: squared distance
):
    """Raise `largest` to the largest squared feature distance of a pixel to its cluster."""
    n_channels, depth, height, width = features.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                k = labels[z, y, x]
                if k < 0:
                    continue
                distance = np.float32(0.0)
                for c in range(n_channels):
                    d = features[c, z, y, x] - means[k, c]
                    distance += d * d
                largest[k] = max(largest[k], distance)
