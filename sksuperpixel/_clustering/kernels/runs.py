"""Runs: neighbouring pixels of a row that have the same label.

Label maps have about a tenth as many runs as pixels, so what can be done run by run is fast. Rows
are numbered through all planes. The runs of row r are `rows[r]` to `rows[r + 1]` - 1, and run i
holds the pixels `starts[i]` to `starts[i + 1]` - 1, which are numbered in raster order.
"""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import inlined, kernel

# Number of labels that are written at once.
AT_ONCE = 16


@kernel
def count_runs(
    labels,  # IN (rows, W) int32
    rows,  # OUT (rows + 1,) int64
):
    """Find out at which number the runs of each row start; return how many runs there are."""
    n = np.int64(0)
    for r in range(labels.shape[0]):
        rows[r] = n
        row = labels[r]
        changes = np.int32(1)
        for x in range(1, len(row)):
            changes += row[x] != row[x - 1]
        n += changes
    rows[len(rows) - 1] = n
    return n


@kernel
def find_runs(
    labels,  # IN (rows, W) int32
    starts,  # OUT (n + 1,) int64
    values,  # OUT (n + 1,) int32: the label of each run; the last one has no meaning
):
    """List the runs of a label map."""
    width = labels.shape[1]
    n = np.int64(0)
    for r in range(labels.shape[0]):
        row = labels[r]
        starts[n], values[n] = r * width, row[0]
        n += 1
        for x in range(1, width):
            # Written always, and counted if it is a start: without a branch that the processor
            # would often guess wrong.
            starts[n], values[n] = r * width + x, row[x]
            n += row[x] != row[x - 1]
    starts[n] = labels.size


@kernel
def write_runs(
    starts,  # IN (n + 1,) int64
    values,  # IN (n,) int32
    labels,  # OUT (N + AT_ONCE,) int32: the last ones have no meaning
):
    """Write the label map of runs."""
    for i in range(len(values)):
        k = values[i]
        # Whole vectors, of which the next runs overwrite what is too much: most runs are shorter.
        for p in range(starts[i], starts[i + 1], AT_ONCE):
            for j in range(AT_ONCE):
                labels[p + j] = k


@kernel
def sum_runs(
    features,  # IN (C, N) float32
    width,  # IN: number of pixels of a row
    height,  # IN: number of rows of a plane
    rows,  # IN (rows + 1,) int64
    starts,  # IN (n + 1,) int64
    values,  # IN (n,) int32: negative where pixels have no label
    first,  # IN: the first label to sum
    stop,  # IN: one after the last label to sum
    sums,  # OUT (K, 4 + C) float64: number of pixels; planes, rows, columns; features
):
    """Count the pixels of each label and sum their positions and features.

    The pixels of each run are summed first, and then the runs of each label in raster order.
    Threads do different labels, so that sums do not depend on the number of threads.
    """
    n_channels = features.shape[0]
    for k in range(first, stop):
        for c in range(sums.shape[1]):
            sums[k, c] = 0.0
    for r in range(len(rows) - 1):
        z, y, left = float(r // height), float(r % height), r * width
        for i in range(rows[r], rows[r + 1]):
            k = values[i]
            if (k < first) | (k >= stop):
                continue
            length = float(starts[i + 1] - starts[i])
            middle = 0.5 * float(starts[i] + starts[i + 1] - 1 - 2 * left)
            sums[k, 0] += length
            sums[k, 1] += length * z
            sums[k, 2] += length * y
            sums[k, 3] += length * middle
    # Each addition waits for the one before it, so three sums at once take little longer than one.
    c = 0
    while c < n_channels:
        at_once = min(3, n_channels - c)
        f0 = features[c]
        f1, f2 = features[min(c + 1, n_channels - 1)], features[min(c + 2, n_channels - 1)]
        for i in range(len(values)):
            k = values[i]
            if (k < first) | (k >= stop):
                continue
            s0, s1, s2 = 0.0, 0.0, 0.0
            for p in range(np.uint64(starts[i]), np.uint64(starts[i + 1])):
                s0 += f0[p]
                s1 += f1[p]
                s2 += f2[p]
            sums[k, 4 + c] += s0
            if at_once > 1:
                sums[k, 5 + c] += s1
            if at_once > 2:
                sums[k, 6 + c] += s2
        c += 3


@kernel
def unite_runs(
    width,  # IN: number of pixels of a row
    height,  # IN: number of rows of a plane
    rows,  # IN (rows + 1,) int64
    starts,  # IN (n + 1,) int64
    values,  # IN and OUT (n,) int32: labels, then connected regions; negative where there is none
):
    """Find the connected regions of each label; return how many there are.

    They are connected through faces: 4 neighbours in a plane, 6 in a volume. They are numbered
    by their first pixels.
    """
    n_runs = len(values)
    parents = np.arange(n_runs).astype(np.int32)
    for r in range(len(rows) - 1):
        if r % height > 0:
            _unite_rows(r - 1, r, width, rows, starts, values, parents)
        if r >= height:
            _unite_rows(r - height, r, width, rows, starts, values, parents)
    n = np.int32(0)
    for i in range(n_runs):
        if values[i] < 0:
            values[i] = -1
        elif parents[i] == i:
            values[i] = n
            n += 1
        else:
            # The root is the lowest run of its region, so that its number is known by now.
            values[i] = values[find(parents, i)]
    return n


@inlined
def _unite_rows(before, after, width, rows, starts, values, parents):
    """Unite the runs of two rows that touch and have the same label."""
    i, j = rows[before], rows[after]
    shift = (after - before) * width
    while (i < rows[before + 1]) & (j < rows[after + 1]):
        if (values[i] == values[j]) & (values[i] >= 0):
            a, b = find(parents, i), find(parents, j)
            parents[max(a, b)] = min(a, b)
        ahead = starts[i + 1] + shift - starts[j + 1]
        i += ahead <= 0
        j += ahead >= 0


@inlined
def find(parents, a):
    """Find the root of `a` in a forest, and shorten the path to it."""
    a = np.int64(a)
    while parents[a] != a:
        parents[a] = parents[parents[a]]
        a = np.int64(parents[a])
    return a


@kernel
def touching_small(
    width,  # IN: number of pixels of a row
    height,  # IN: number of rows of a plane
    rows,  # IN (rows + 1,) int64
    starts,  # IN (n + 1,) int64
    values,  # IN (n,) int32: regions; negative where there is none
    small,  # IN (K,) bool
    pairs,  # OUT (5 n + 1, 2) int32: two regions that touch, of which one is small; some repeat
):
    """List the pairs of regions that touch if one of them is small; return how many there are."""
    n = np.int64(0)
    for r in range(len(rows) - 1):
        for i in range(rows[r] + 1, rows[r + 1]):
            # Written always, and counted if it is wanted: without a branch that the processor
            # would often guess wrong.
            a, b = values[i - 1], values[i]
            pairs[n, 0], pairs[n, 1] = a, b
            n += (a >= 0) & (b >= 0) & (small[a] | small[b])
        # The row above in the same plane, and the same row of the plane before.
        for axis in range(2):
            step = np.int64(1) if axis == 0 else height
            if (r % height if axis == 0 else r // height) == 0:
                continue
            i, j, shift = rows[r - step], rows[r], step * width
            while (i < rows[r - step + 1]) & (j < rows[r + 1]):
                ahead = starts[i + 1] + shift - starts[j + 1]
                a, b = values[i], values[j]
                pairs[n, 0], pairs[n, 1] = a, b
                n += (a != b) & (a >= 0) & (b >= 0) & (small[a] | small[b])
                i += ahead <= 0
                j += ahead >= 0
    return n


@kernel
def touching_regions(
    width,  # IN: number of pixels of a row
    height,  # IN: number of rows of a plane
    rows,  # IN (rows + 1,) int64
    starts,  # IN (n + 1,) int64
    values,  # IN (n,) int32: regions; negative where there is none
    edges,  # IN (N,) float32: strength of the edge at each pixel; or none
    first,  # OUT (K,) int32: the last pair found of each lower region, or -1
    following,  # OUT (m,) int32: the pair of the same lower region found before, or -1
    pairs,  # OUT (m, 2) int32: lower region, higher region, each pair once
    faces,  # OUT (m,) int32: how many pixel faces they share
    strengths,  # OUT (m,) float64: the sum over these faces of the mean of their two pixels' edges
):
    """List the regions that touch; return how many pairs there are, -1 if more than m."""
    first[:] = -1
    n = np.int64(0)
    for r in range(len(rows) - 1):
        for i in range(rows[r] + 1, rows[r + 1]):
            a, b = values[i - 1], values[i]
            if (a != b) & (a >= 0) & (b >= 0):
                e = _pair(a, b, first, following, pairs, faces, strengths, n)
                if e < 0:
                    return -1
                n = max(n, e + 1)
                faces[e] += 1
                if len(edges) > 0:
                    p = starts[i]
                    strengths[e] += 0.5 * (edges[p - 1] + edges[p])
        # The row above in the same plane, and the same row of the plane before.
        for axis in range(2):
            step = np.int64(1) if axis == 0 else height
            if (r % height if axis == 0 else r // height) == 0:
                continue
            i, j, shift = rows[r - step], rows[r], step * width
            while (i < rows[r - step + 1]) & (j < rows[r + 1]):
                ahead = starts[i + 1] + shift - starts[j + 1]
                a, b = values[i], values[j]
                if (a != b) & (a >= 0) & (b >= 0):
                    e = _pair(a, b, first, following, pairs, faces, strengths, n)
                    if e < 0:
                        return -1
                    n = max(n, e + 1)
                    start = max(starts[i] + shift, starts[j])
                    stop = min(starts[i + 1] + shift, starts[j + 1])
                    faces[e] += stop - start
                    if len(edges) > 0:
                        for p in range(start, stop):
                            strengths[e] += 0.5 * (edges[p - shift] + edges[p])
                i += ahead <= 0
                j += ahead >= 0
    return n


@inlined
def _pair(a, b, first, following, pairs, faces, strengths, n):
    """Find the number of a pair, or make it pair n; return -1 if there is no room."""
    low, high = min(a, b), max(a, b)
    e = np.int64(first[low])
    while e >= 0:
        if pairs[e, 1] == high:
            return e
        e = np.int64(following[e])
    if n >= len(pairs):
        return np.int64(-1)
    following[n], first[low] = first[low], n
    pairs[n, 0], pairs[n, 1], faces[n], strengths[n] = low, high, 0, 0.0
    return n


@kernel
def renumber_runs(
    values,  # IN and OUT (n,) int32: negative where there is no label
    numbers,  # IN (K,) int32
):
    """Replace the label of each run by its number."""
    for i in range(len(values)):
        if values[i] >= 0:
            values[i] = numbers[values[i]]


@kernel
def number_by_first_pixel(
    values,  # IN (n,) int32: negative where there is no label
    numbers,  # OUT (K,) int32: for each label that there is
):
    """Give labels new numbers, in the raster order of their first pixels."""
    n = np.int32(0)
    for k in range(len(numbers)):
        numbers[k] = -1
    for i in range(len(values)):
        k = values[i]
        if k >= 0 and numbers[k] < 0:
            numbers[k] = n
            n += 1
