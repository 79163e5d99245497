"""Assign pixels to clusters, and move the clusters."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import inlined, kernel

# Windows are padded to multiples of this number of pixels, which is a vector of today's
# processors.
LANES = 16
# With at most this number of pixels, sums of numbers below 2 to the power of 24 fit into 32 bits.
LARGEST_PART = 64


@inlined
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
    clusters,  # IN (start, stop): no window of any other cluster reaches that part
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
    along_x = np.empty(2 * int(half[2]) + 2 + LANES, np.float32)
    distance = np.empty_like(along_x)
    for k in range(clusters[0], clusters[1]):
        z0, z1 = _window(seeds[k, 0], offsets[k, 0], half[0], z_start, z_stop)
        y0, y1 = _window(seeds[k, 1], offsets[k, 1], half[1], y_start, y_stop)
        x0, x1 = _window(seeds[k, 2], offsets[k, 2], half[2], 0, width)
        if z0 >= z1 or y0 >= y1 or x0 >= x1:
            continue
        factor = gain[k]
        begin, length = _padded(x0, x1, width)
        for i in range(length):
            x = begin + i
            step = scale[k, 2] * (np.float32(x - seeds[k, 2]) - offsets[k, 2])
            # Pixels beside the window are computed, too, and never are nearer.
            along_x[i] = step * step if x >= x0 and x < x1 else np.float32(np.inf)
        # Unsigned indices cannot count from the end, which saves a check at each pixel. In
        # narrow windows such checks would take much of the time.
        left, n = np.uint64(begin), np.uint64(length)
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
                # Six channels at a time, so that `distance` is read and written less often.
                # The sums are the same, in the same order, as with one channel at a time.
                c = np.uint64(0)
                while c + np.uint64(6) <= np.uint64(n_channels):
                    c1, c2, c3 = c + np.uint64(1), c + np.uint64(2), c + np.uint64(3)
                    c4, c5 = c + np.uint64(4), c + np.uint64(5)
                    m0, m1, m2 = means[k, c], means[k, c1], means[k, c2]
                    m3, m4, m5 = means[k, c3], means[k, c4], means[k, c5]
                    for i in range(n):
                        x = left + i
                        d0, d1 = features[c, z, y, x] - m0, features[c1, z, y, x] - m1
                        d2, d3 = features[c2, z, y, x] - m2, features[c3, z, y, x] - m3
                        d4, d5 = features[c4, z, y, x] - m4, features[c5, z, y, x] - m5
                        d = ((distance[i] + d0 * d0) + d1 * d1) + d2 * d2
                        distance[i] = ((d + d3 * d3) + d4 * d4) + d5 * d5
                    c += np.uint64(6)
                while c < np.uint64(n_channels):
                    m0 = means[k, c]
                    for i in range(n):
                        d0 = features[c, z, y, left + i] - m0
                        distance[i] += d0 * d0
                    c += np.uint64(1)
                for i in range(n):
                    x = left + i
                    d = factor * distance[i]
                    closer = d < nearest[z, y, x]
                    nearest[z, y, x] = d if closer else nearest[z, y, x]
                    labels[z, y, x] = k if closer else labels[z, y, x]


@inlined
def _padded(start, stop, width):
    """Pad pixels of a row to whole vectors, within the row; return the first, and how many.

    The compiler turns loops over whole vectors into few instructions. What is left over costs as
    much time as a vector for each pixel.
    """
    length = min((stop - start + LANES - 1) // LANES * LANES, width)
    return min(start, width - length), length


@kernel
def sum_windows(
    features,  # IN (C, D, H, W) float32
    labels,  # IN (D, H, W) int32: clusters; a cluster's pixels are in its window
    seeds,  # IN (K, 3) int32
    offsets,  # IN (K, 3) float32
    half,  # IN (3,) float32
    steps,  # IN float32: one over the step to which features are rounded; a power of two
    start,  # IN: the first cluster to sum
    stop,  # IN: one after the last cluster to sum
    sums,  # OUT (K, 4 + C) int64: number of pixels; planes, rows, columns; features, in steps
):
    """Count the pixels of each cluster and sum their positions and features.

    Sums of whole numbers do not depend on the order, so that the compiler may add many at once.
    """
    n_channels, depth, height, width = features.shape
    last = n_channels - 1
    for k in range(start, stop):
        for c in range(4 + n_channels):
            sums[k, c] = 0
        label = np.int32(k)
        z0, z1 = _window(seeds[k, 0], offsets[k, 0], half[0], 0, depth)
        y0, y1 = _window(seeds[k, 1], offsets[k, 1], half[1], 0, height)
        x0, x1 = _window(seeds[k, 2], offsets[k, 2], half[2], 0, width)
        x0, length = _padded(x0, x1, width)
        for z in range(np.uint64(z0), np.uint64(z1)):
            for y in range(np.uint64(y0), np.uint64(y1)):
                # A sum over a part of a row is a number of 32 bits. The conversions keep it one.
                for part in range(x0, x0 + length, LARGEST_PART):
                    left = np.uint64(part)
                    n = np.uint64(min(LARGEST_PART, x0 + length - part))
                    row = labels[z, y]
                    count, columns = np.int32(0), np.int32(0)
                    for i in range(n):
                        hit = row[left + i] == label
                        count = np.int32(count + (np.int32(1) if hit else np.int32(0)))
                        columns = np.int32(columns + (np.int32(i) if hit else np.int32(0)))
                    if count == 0:
                        continue
                    sums[k, 0] += count
                    sums[k, 1] += count * np.int64(z)
                    sums[k, 2] += count * np.int64(y)
                    sums[k, 3] += count * part + columns
                    for c in range(0, n_channels, 3):
                        f0, f1 = features[c, z, y], features[min(c + 1, last), z, y]
                        f2 = features[min(c + 2, last), z, y]
                        s0, s1, s2 = np.int32(0), np.int32(0), np.int32(0)
                        for i in range(n):
                            x = left + i
                            hit = row[x] == label
                            s0 = np.int32(s0 + (np.int32(f0[x] * steps) if hit else np.int32(0)))
                            s1 = np.int32(s1 + (np.int32(f1[x] * steps) if hit else np.int32(0)))
                            s2 = np.int32(s2 + (np.int32(f2[x] * steps) if hit else np.int32(0)))
                        sums[k, 4 + c] += s0
                        if c < last:
                            sums[k, 5 + c] += s1
                        if c + 1 < last:
                            sums[k, 6 + c] += s2


@kernel
def sum_changes(
    features,  # IN (C, D, H, W) float32
    before,  # IN (D, H, W) int32: clusters, as they were summed; negative where there is none
    labels,  # IN (D, H, W) int32: clusters, as they are now
    steps,  # IN float32: see `sum_windows`
    rows,  # IN (z start, z stop, y start, y stop): the part of the image to do
    sums,  # CHANGED (K, 4 + C) int64: see `sum_windows`
):
    """Change the sums of clusters by the pixels that went from one to another."""
    n_channels, _, _, width = features.shape
    z_start, z_stop, y_start, y_stop = rows
    columns = np.empty(width, np.int32)
    for z in range(z_start, z_stop):
        for y in range(y_start, y_stop):
            old, new = before[z, y], labels[z, y]
            n = np.int64(0)
            for x in range(width):
                # Written always, and counted if it changed: without a branch that the processor
                # would often guess wrong.
                columns[n] = x
                n += old[x] != new[x]
            for i in range(n):
                x = np.int64(columns[i])
                for k, sign in ((np.int64(old[x]), np.int64(-1)), (np.int64(new[x]), np.int64(1))):
                    if k < 0:
                        continue
                    sums[k, 0] += sign
                    sums[k, 1] += sign * z
                    sums[k, 2] += sign * y
                    sums[k, 3] += sign * x
                    for c in range(n_channels):
                        sums[k, 4 + c] += sign * np.int32(features[c, z, y, x] * steps)


@kernel
def move_clusters(
    sums,  # IN (K, 4 + C) float64 or int64: as from `sum_runs` or `sum_windows`
    steps,  # IN: how many steps of the sums of features are 1
    seeds,  # IN (K, 3) int32
    offsets,  # OUT (K, 3) float32
    means,  # OUT (K, C) float32
):
    """Move each cluster to the mean of its pixels. Clusters without pixels do not move."""
    for k in range(len(seeds)):
        n = float(sums[k, 0])
        if n == 0.0:
            continue
        # The seed is subtracted before dividing: whole numbers are exact, wherever it lies.
        for axis in range(3):
            offsets[k, axis] = (float(sums[k, 1 + axis]) - n * seeds[k, axis]) / n
        for c in range(means.shape[1]):
            means[k, c] = sums[k, 4 + c] / (n * steps)


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
