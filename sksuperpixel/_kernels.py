"""The loops over pixels: arrays in, arrays changed, no checks, no objects.

Every kernel sees planar arrays: features (C, D, H, W), label maps (D, H, W), with D = 1 for an
image. They release the interpreter's lock and are written for one thread: callers share rows or
clusters among threads, and no result depends on how. No kernel of SLIC allows the compiler to
reorder floating-point sums, so that a slow reference written in NumPy gives the same bits. Those
of networks do, for their weights were found in sums of another order anyway.

Positions of clusters are kept relative to their seeds, which are whole pixels. All arithmetic
on them is then the same wherever in an image a seed lies, and a tile of an image gives what the
whole image gives.

Whole numbers are handed to helpers as int64, also constants: each other type, and each literal,
would compile the helper once more.
"""

import numpy as np
from numba import njit

kernel = njit(cache=True, nogil=True, error_model="numpy")
network_kernel = njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"}
)


@kernel
def _window(seed, offset, half, start, stop):
    """Pixels of [start, stop) at most `half` from a cluster, along one axis."""
    first = seed + int(np.ceil(offset - half))
    last = seed + int(np.floor(offset + half))
    return max(first, start), min(last + 1, stop)


@kernel
def assign(
    features,  # IN (C, D, H, W) float32
    seeds,  # IN (K, 3) int32
    offsets,  # IN (K, 3) float32: where a cluster lies, from its seed
    means,  # IN (K, C) float32
    half,  # IN (3,) float32: half of the window, in pixels
    scale,  # IN (K, 3) float32: of a distance in pixels, to weigh it against the features
    gain,  # IN (K,) float32: of the whole squared distance
    rows,  # IN (z start, z stop, y start, y stop): the part of the image to do
    nearest,  # OUT (D, H, W) float32: squared distance to the cluster chosen
    labels,  # OUT (D, H, W) int32: that cluster, -1 where no window reaches
):
    """Give each pixel the nearest of the clusters whose windows reach it; ties: the lower."""
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
        # Unsigned indices spare the checks whether they count from the end: windows are so
        # narrow that these would show.
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
                    # Colours are the usual case: one loop for all of it.
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
                # Three channels at a time: fewer trips of `distance` through memory, and
                # the same sums in the same order as one at a time.
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
    labels,  # IN (D, H, W) int32: negative where a pixel belongs to nothing
    labels_start,  # IN: the labels to do are
    labels_stop,  # IN: labels_start <= label < labels_stop
    sums,  # OUT (K, 7 + 5 m >= 4 + C) float64: number of pixels, planes, rows, columns, features
):
    """Count the pixels of each label and sum their positions and features.

    Each label's pixels are added in raster order, whoever does which labels. Several channels
    are added at once: a sum waits for the one before it, so that several cost little more than
    one. The last channel fills the columns of the last few up.
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
                    # An unsigned index spares the check whether it counts from the end.
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
                # Columns of these channels: a slice, for the compiler to know their order.
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
    """Put each cluster at the mean of its pixels; one without pixels stays where it is."""
    for k in range(len(seeds)):
        n = sums[k, 0]
        if n == 0.0:
            continue
        # From the seeds before dividing: whole numbers are exact wherever the seeds lie.
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


@kernel
def seeds_in_mask(
    mask,  # IN (D, H, W) bool
    edges_z,  # IN (cells + 1,) int32: where the grid's cells begin and end
    edges_y,  # IN
    edges_x,  # IN
    seeds,  # IN and OUT (cells, 3) int32: moved to the nearest pixel of the mask in their cell
    found,  # OUT (cells,) bool: whether there is one
):
    """Move each cell's seed to the pixel of the mask nearest to it within the cell."""
    k = 0
    for cell_z in range(len(edges_z) - 1):
        for cell_y in range(len(edges_y) - 1):
            for cell_x in range(len(edges_x) - 1):
                sz, sy, sx = seeds[k, 0], seeds[k, 1], seeds[k, 2]
                nearest = np.int64(-1)
                for z in range(edges_z[cell_z], edges_z[cell_z + 1]):
                    for y in range(edges_y[cell_y], edges_y[cell_y + 1]):
                        for x in range(edges_x[cell_x], edges_x[cell_x + 1]):
                            if not mask[z, y, x]:
                                continue
                            d = (z - sz) ** 2 + (y - sy) ** 2 + (x - sx) ** 2
                            if nearest < 0 or d < nearest:
                                nearest = d
                                seeds[k, 0], seeds[k, 1], seeds[k, 2] = z, y, x
                found[k] = nearest >= 0
                k += 1


@kernel
def nearest_candidates(
    pixels,  # IN (n, 3) int32
    seeds,  # IN (K, 3) int32
    offsets,  # IN (K, 3) float32
    spacing,  # IN (3,) float32: size of a pixel along each axis
    bin_size,  # IN (3,) float64: in pixels
    bin_start,  # IN (bins + 1,) int32: the clusters of bin b are
    bin_clusters,  # IN (K,) int32: bin_clusters[bin_start[b] : bin_start[b + 1]]
    bins,  # IN (3,) int32: number of bins along each axis
    candidates,  # OUT (n, Q) int32: nearest first, -1 where there are fewer than Q clusters
    distances,  # OUT (n, Q) float32: in units of `spacing`, infinity where absent
):
    """Find the spatially nearest clusters of each pixel; ties: the lower cluster first."""
    n_candidates = candidates.shape[1]
    home = np.empty(3, np.int64)
    low = np.empty(3, np.int64)
    high = np.empty(3, np.int64)
    for p in range(pixels.shape[0]):
        # The lists hold squared distances until the pixel is done.
        for q in range(n_candidates):
            candidates[p, q] = -1
            distances[p, q] = np.inf
        for axis in range(3):
            b = int(pixels[p, axis] / bin_size[axis])
            home[axis] = min(max(b, 0), bins[axis] - 1)
        ring = 0
        while True:
            whole = True
            reach = np.inf  # no cluster outside the rings so far is nearer than this
            for axis in range(3):
                low[axis] = max(home[axis] - ring, 0)
                high[axis] = min(home[axis] + ring, bins[axis] - 1)
                if low[axis] > 0:
                    whole = False
                    gap = pixels[p, axis] - low[axis] * bin_size[axis]
                    reach = min(reach, gap * spacing[axis])
                if high[axis] < bins[axis] - 1:
                    whole = False
                    gap = (high[axis] + 1) * bin_size[axis] - pixels[p, axis]
                    reach = min(reach, gap * spacing[axis])
            for bz in range(low[0], high[0] + 1):
                for by in range(low[1], high[1] + 1):
                    for bx in range(low[2], high[2] + 1):
                        ring_of_bin = max(abs(bz - home[0]), abs(by - home[1]), abs(bx - home[2]))
                        if ring_of_bin != ring:
                            continue
                        b = (bz * bins[1] + by) * bins[2] + bx
                        for i in range(bin_start[b], bin_start[b + 1]):
                            k = bin_clusters[i]
                            d = np.float32(0.0)
                            for axis in range(3):
                                step = np.float32(pixels[p, axis] - seeds[k, axis])
                                step = spacing[axis] * (step - offsets[k, axis])
                                d += step * step
                            if d <= distances[p, n_candidates - 1]:
                                _insert(candidates, distances, p, k, d)
            # The margin leaves out no tie to rounding.
            if whole or distances[p, n_candidates - 1] < reach * reach * 0.9999:
                break
            ring += 1
        for q in range(n_candidates):
            distances[p, q] = np.sqrt(distances[p, q])


@kernel
def _insert(candidates, distances, p, k, d):
    """Keep the nearest of pixel `p` sorted; equal distances: the lower cluster first."""
    q = distances.shape[1] - 1
    if d > distances[p, q] or (d == distances[p, q] and k > candidates[p, q]):
        return
    while q > 0 and (
        d < distances[p, q - 1] or (d == distances[p, q - 1] and k < candidates[p, q - 1])
    ):
        candidates[p, q] = candidates[p, q - 1]
        distances[p, q] = distances[p, q - 1]
        q -= 1
    candidates[p, q] = k
    distances[p, q] = d


@kernel
def find(parents, a):
    """Root of `a` in a forest; shortens the path on the way."""
    a = np.int64(a)
    while parents[a] != a:
        parents[a] = parents[parents[a]]
        a = np.int64(parents[a])
    return a


@kernel
def _unite(parents, a, b):
    """Join two trees under the lower root, which is returned."""
    a, b = find(parents, a), find(parents, b)
    if a < b:
        parents[b] = a
        return a
    parents[a] = b
    return b


@kernel
def number_roots(parents):
    """Give trees the numbers 0, 1, ... by their lowest members; return how many there are.

    Every root must be its tree's lowest member. `parents` becomes each member's number.
    """
    n = 0
    for a in range(len(parents)):
        if parents[a] == a:
            parents[a] = n
            n += 1
        else:
            parents[a] = parents[parents[a]]
    return n


@kernel
def _join(parents, root, k, row, numbers, start, stop):
    """Unite a run with the runs of label k in a neighbouring row; return the root of all."""
    before = np.int64(-1)
    for x in range(start, stop):
        if row[x] == k and numbers[x] != before:
            before = np.int64(numbers[x])
            root = _unite(parents, root, before)
    return root


@kernel
def connected_components(
    labels,  # IN (D, H, W) int32: negative where a pixel belongs to nothing
    components,  # OUT (D, H, W) int32: numbered by their first pixels; -1 where labels are
):
    """Split each label into its 4-connected (6-connected) parts; return how many there are."""
    depth, height, width = labels.shape
    n_runs = depth * height
    for z in range(depth):
        for y in range(height):
            row = labels[z, y]
            for x in range(width - 1):
                n_runs += row[x] != row[x + 1]
    parents = np.empty(n_runs, np.int32)
    n = 0
    for z in range(depth):
        for y in range(height):
            row, numbers = labels[z, y], components[z, y]
            stop = np.int64(0)
            while stop < width:
                start, k = stop, row[stop]
                stop += 1
                while stop < width and row[stop] == k:
                    stop += 1
                if k < 0:
                    for x in range(start, stop):
                        numbers[x] = -1
                    continue
                # A run joins the runs of its label that it touches: above, and in the slice
                # before.
                parents[n] = n
                root = np.int64(n)
                if y > 0:
                    root = _join(
                        parents, root, k, labels[z, y - 1], components[z, y - 1], start, stop
                    )
                if z > 0:
                    root = _join(
                        parents, root, k, labels[z - 1, y], components[z - 1, y], start, stop
                    )
                if root == n:
                    n += 1
                for x in range(start, stop):
                    numbers[x] = root
    parents = parents[:n]
    n_components = number_roots(parents)
    relabel(components, parents)
    return n_components


@kernel
def relabel(labels, numbers):
    """Replace each label that is not negative by its number, in place."""
    depth, height, width = labels.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                k = labels[z, y, x]
                if k >= 0:
                    labels[z, y, x] = numbers[k]


@kernel
def borders(
    regions,  # IN (D, H, W) int32: negative where a pixel belongs to nothing
    wanted,  # IN (K,) bool: pairs of regions neither of which is wanted are left out
    table,  # OUT (power of two > n,) int32: a hash table of the entries
    pairs,  # OUT (n, 2) int32: lower region, higher region, each pair once
    faces,  # OUT (n,) int32: how many pixel faces they share
):
    """List the regions that touch; return how many pairs there are, -1 if more than n."""
    depth, height, width = regions.shape
    for i in range(len(table)):
        table[i] = -1
    n = np.int64(0)
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                a = regions[z, y, x]
                if a < 0 or not wanted[a]:
                    continue
                if x + 1 < width:
                    n = _touch(a, regions[z, y, x + 1], table, pairs, faces, n)
                if y + 1 < height:
                    n = _touch(a, regions[z, y + 1, x], table, pairs, faces, n)
                if z + 1 < depth:
                    n = _touch(a, regions[z + 1, y, x], table, pairs, faces, n)
                # The faces behind are those of the pixels there where these are wanted.
                if x > 0:
                    b = regions[z, y, x - 1]
                    if b >= 0 and not wanted[b]:
                        n = _touch(a, b, table, pairs, faces, n)
                if y > 0:
                    b = regions[z, y - 1, x]
                    if b >= 0 and not wanted[b]:
                        n = _touch(a, b, table, pairs, faces, n)
                if z > 0:
                    b = regions[z - 1, y, x]
                    if b >= 0 and not wanted[b]:
                        n = _touch(a, b, table, pairs, faces, n)
                if n > len(pairs):
                    return -1
    return n


@kernel
def _touch(a, b, table, pairs, faces, n):
    """Count a face between two regions; return how many pairs there are, listed or not."""
    if b < 0 or a == b:
        return n
    low, high = min(a, b), max(a, b)
    # Multiplying by odd numbers spreads neighbours over the table.
    key = np.uint64(low) * np.uint64(0x9E3779B97F4A7C15)
    key += np.uint64(high) * np.uint64(0xC2B2AE3D27D4EB4F)
    mask = np.uint64(len(table) - 1)
    slot = (key >> np.uint64(32)) & mask
    while table[slot] >= 0:
        entry = table[slot]
        if pairs[entry, 0] == low and pairs[entry, 1] == high:
            faces[entry] += 1
            return n
        slot = (slot + np.uint64(1)) & mask
    if n >= len(pairs):
        return len(pairs) + 1
    table[slot] = n
    pairs[n, 0], pairs[n, 1], faces[n] = low, high, 1
    return n + 1


@kernel
def _means(counts, sums):
    means = np.empty_like(sums)
    for a in range(sums.shape[0]):
        for c in range(sums.shape[1]):
            means[a, c] = sums[a, c] / counts[a]
    return means


@kernel
def _increase(a, b, counts, means):
    """Increase of the sum of squares when two regions become one (Ward)."""
    distance = 0.0
    for c in range(means.shape[1]):
        step = means[a, c] - means[b, c]
        distance += step * step
    return distance * (counts[a] * counts[b]) / (counts[a] + counts[b])


@kernel
def _absorb(a, b, counts, sums, means, parents):
    """Make region b part of region a."""
    parents[b] = a
    counts[a] += counts[b]
    for c in range(sums.shape[1]):
        sums[a, c] += sums[b, c]
        means[a, c] = sums[a, c] / counts[a]


@kernel
def merge_small(
    min_count,  # IN: a region with fewer pixels is small
    pairs,  # IN (n, 2) int32: the regions that touch; overwritten
    counts,  # IN and OUT (K,) float64: a root has the count of its tree
    sums,  # IN and OUT (K, C) float64: a root has the sum of its tree
    parents,  # IN and OUT (K,) int32: the forest of merged regions
):
    """Merge each small region into the neighbour of least Ward increase; ties: the lower.

    All small regions choose at once, by the means before any of them is merged; then what
    is still small chooses again. So what happens to a region depends on its surroundings
    alone, not on the order of regions. A small region without a neighbour stays.
    """
    n_regions, n_pairs = len(counts), len(pairs)
    choice = np.empty(n_regions, np.int32)
    cost = np.empty(n_regions, np.float64)
    means = _means(counts, sums)
    while n_pairs > 0:
        for a in range(n_regions):
            choice[a] = -1
        kept = 0
        for e in range(n_pairs):
            a, b = find(parents, pairs[e, 0]), find(parents, pairs[e, 1])
            if a == b or (counts[a] >= min_count and counts[b] >= min_count):
                continue
            pairs[kept, 0], pairs[kept, 1] = a, b
            kept += 1
            increase = _increase(a, b, counts, means)
            for _ in range(2):
                a, b = b, a
                if counts[a] < min_count and (
                    choice[a] < 0 or increase < cost[a] or (increase == cost[a] and b < choice[a])
                ):
                    choice[a] = b
                    cost[a] = increase
        n_pairs = kept
        for a in range(n_regions):
            if choice[a] >= 0:
                low, high = find(parents, a), find(parents, choice[a])
                if low != high:
                    _absorb(min(low, high), max(low, high), counts, sums, means, parents)


@kernel
def _less(heap_cost, heap_pair, i, j):
    """Order of the heap: by cost; ties: by the lower regions."""
    if heap_cost[i] != heap_cost[j]:
        return heap_cost[i] < heap_cost[j]
    if heap_pair[i, 0] != heap_pair[j, 0]:
        return heap_pair[i, 0] < heap_pair[j, 0]
    return heap_pair[i, 1] < heap_pair[j, 1]


@kernel
def _swap(heap_cost, heap_pair, i, j):
    heap_cost[i], heap_cost[j] = heap_cost[j], heap_cost[i]
    for c in range(3):
        heap_pair[i, c], heap_pair[j, c] = heap_pair[j, c], heap_pair[i, c]


@kernel
def _sift_down(heap_cost, heap_pair, size, i):
    while True:
        least = i
        for child in range(2 * i + 1, min(2 * i + 3, size)):
            if _less(heap_cost, heap_pair, child, least):
                least = child
        if least == i:
            return
        _swap(heap_cost, heap_pair, i, least)
        i = least


@kernel
def _sift_up(heap_cost, heap_pair, i):
    while i > 0 and _less(heap_cost, heap_pair, i, (i - 1) // 2):
        _swap(heap_cost, heap_pair, i, (i - 1) // 2)
        i = (i - 1) // 2


@kernel
def _push(heap_cost, heap_pair, size, cost, a, b, stamp):
    heap_cost[size] = cost
    heap_pair[size, 0], heap_pair[size, 1], heap_pair[size, 2] = min(a, b), max(a, b), stamp
    _sift_up(heap_cost, heap_pair, size)


@kernel
def strengths_at_borders(
    regions,  # IN (D, H, W) int32: negative where a pixel belongs to nothing
    edges,  # IN (D, H, W) float32: strength of the edge at each pixel
    pairs,  # IN (n, 2) int32: lower region, higher region, in the order of both
    starts,  # IN (K + 1,): where the pairs of each lower region start
    strengths,  # CHANGED (n,) float64: for each face, the mean of its two pixels is added
):
    """Sum edge strengths at the faces that regions share."""
    depth, height, width = regions.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                a = regions[z, y, x]
                if a < 0:
                    continue
                for axis in range(3):
                    zz, yy, xx = z + (axis == 0), y + (axis == 1), x + (axis == 2)
                    if zz >= depth or yy >= height or xx >= width:
                        continue
                    b = regions[zz, yy, xx]
                    if b < 0 or b == a:
                        continue
                    low, high = min(a, b), max(a, b)
                    # By bisection: one region may touch thousands.
                    e, stop = starts[low], starts[low + 1] - 1
                    while e < stop:
                        middle = (e + stop) // 2
                        if pairs[middle, 1] < high:
                            e = middle + 1
                        else:
                            stop = middle
                    strengths[e] += 0.5 * (edges[z, y, x] + edges[zz, yy, xx])


@kernel
def merge_cheapest(
    n_wanted,  # IN: how many regions to leave
    border_power,  # IN: see below
    offset,  # IN: see below
    pairs,  # IN (n, 2) int32: the regions that touch, each pair once
    faces,  # IN (n,) int32: how many faces they share
    strengths,  # IN (n,) float64: sum of the edge strengths at these faces
    counts,  # IN and OUT (K,) float64: a root has the count of its tree
    sums,  # IN and OUT (K, C) float64: features and weighted positions
    parents,  # IN and OUT (K,) int32: the forest of merged regions
):
    """Merge touching regions, the cheapest pair first; return how many regions are left.

    A pair costs Ward's increase over its shared faces to the power `border_power`, times
    `offset` plus the mean edge strength at these faces. A heap holds the pairs. A merge makes
    the entries of its two regions stale (the third number of an entry is the sum of its
    regions' versions, which only grow) and adds new ones for the neighbours of what it made.
    """
    n_regions, n_pairs = len(counts), len(pairs)
    means = _means(counts, sums)
    # Each region's neighbours: a linked list of half-edges, so that two are joined at once.
    neighbour = np.empty(2 * n_pairs, np.int32)
    shared = np.empty(2 * n_pairs, np.int64)
    strength = np.empty(2 * n_pairs, np.float64)
    following = np.empty(2 * n_pairs, np.int64)
    first = np.empty(n_regions, np.int64)
    last = np.empty(n_regions, np.int64)
    version = np.empty(n_regions, np.int32)
    seen_by = np.empty(n_regions, np.int32)
    seen_at = np.empty(n_regions, np.int64)
    for a in range(n_regions):
        first[a], version[a], seen_by[a] = -1, 0, -1
    capacity = 4 * n_pairs
    heap_cost = np.empty(capacity, np.float64)
    heap_pair = np.empty((capacity, 3), np.int32)
    size = np.int64(0)
    for e in range(n_pairs):
        for side in range(2):
            a, h = pairs[e, side], 2 * e + side
            neighbour[h], shared[h], following[h] = pairs[e, 1 - side], faces[e], -1
            strength[h] = strengths[e]
            if first[a] < 0:
                first[a] = h
            else:
                following[last[a]] = h
            last[a] = h
        a, b = np.int64(pairs[e, 0]), np.int64(pairs[e, 1])
        cost = _increase(a, b, counts, means) / faces[e] ** border_power
        cost *= offset + strengths[e] / faces[e]
        _push(heap_cost, heap_pair, size, cost, a, b, np.int64(0))
        size += 1
    n_left = n_regions
    while n_left > n_wanted and size > 0:
        a, b, stamp = np.int64(heap_pair[0, 0]), np.int64(heap_pair[0, 1]), heap_pair[0, 2]
        size -= 1
        _swap(heap_cost, heap_pair, np.int64(0), size)
        _sift_down(heap_cost, heap_pair, size, np.int64(0))
        if parents[a] != a or parents[b] != b or version[a] + version[b] != stamp:
            continue
        # a < b: the lower region is the root
        _absorb(a, b, counts, sums, means, parents)
        version[a] = max(version[a], version[b]) + 1
        following[last[a]] = first[b]
        last[a] = last[b]
        n_left -= 1
        # Leave out of the list what is inside now, and what is listed twice.
        before, h, degree = np.int64(-1), first[a], 0
        while h >= 0:
            other = find(parents, neighbour[h])
            after = following[h]
            if other != a and seen_by[other] != b:
                seen_by[other], seen_at[other] = b, h
                neighbour[h] = other
                before = h
                degree += 1
            else:
                if other != a:
                    shared[seen_at[other]] += shared[h]
                    strength[seen_at[other]] += strength[h]
                if before >= 0:
                    following[before] = after
                else:
                    first[a] = after
            h = after
        last[a] = before
        if size + degree > capacity:
            capacity = 2 * (size + degree)
            old_cost, old_pair = heap_cost, heap_pair
            heap_cost = np.empty(capacity, np.float64)
            heap_pair = np.empty((capacity, 3), np.int32)
            for i in range(size):
                heap_cost[i] = old_cost[i]
                for c in range(3):
                    heap_pair[i, c] = old_pair[i, c]
        h = first[a]
        while h >= 0:
            other = np.int64(neighbour[h])
            cost = _increase(a, other, counts, means) / shared[h] ** border_power
            cost *= offset + strength[h] / shared[h]
            stamp = np.int64(version[a] + version[other])
            _push(heap_cost, heap_pair, size, cost, a, other, stamp)
            size += 1
            h = following[h]
    return n_left


@kernel
def move_border_pixels(
    features,  # IN (C, D, H, W) float32
    scale,  # IN (3,) float64: weight of a distance of one pixel along each axis
    faces,  # IN (3,) float64: cost of a pixel face of border across each axis
    means,  # IN (K, 3 + C) float64: centre and mean features of each region
    iteration,  # IN: 0, 1, ...: in odd ones, the last pixel is the first
    changed,  # IN and OUT (K,) int64: the last iteration in which a region changed, or -1
    sums,  # IN and OUT (K, 4 + C) float64: each region's pixels, positions and features
    regions,  # IN and OUT (D, H, W) int32: connected regions; negative outside a mask
):
    """Give each pixel on a border to the touching region where it costs least, if less.

    A region stays connected: a pixel goes only if its region's pixels around it touch without
    it. Ties: the pixel stays, else the neighbour before it along the first axis, and so on.
    Where no region around has changed since the last iteration looked, nothing has.
    Returns how many pixels changed sides.
    """
    depth, height, width = regions.shape
    around = np.empty((3, 3, 3), np.bool_)
    queue = np.empty((27, 3), np.int64)
    beside = np.empty(6, np.int32)
    backward = iteration % 2 == 1
    n_moved = 0
    for row in range(depth * height):
        if backward:
            row = depth * height - 1 - row
        z, y = row // height, row % height
        here = regions[z, y]
        # Outside the image, the row itself: it is no border to it.
        front = regions[z - 1, y] if z > 0 else here
        behind = regions[z + 1, y] if z + 1 < depth else here
        above = regions[z, y - 1] if y > 0 else here
        below = regions[z, y + 1] if y + 1 < height else here
        for i in range(width):
            x = width - 1 - i if backward else i
            a = here[x]
            left, right = here[max(x - 1, 0)], here[min(x + 1, width - 1)]
            inside = (left == a) & (right == a) & (above[x] == a) & (below[x] == a)
            if (inside & (front[x] == a) & (behind[x] == a)) or a < 0:
                continue
            beside[0] = front[x] if z > 0 else -1
            beside[1] = behind[x] if z + 1 < depth else -1
            beside[2] = above[x] if y > 0 else -1
            beside[3] = below[x] if y + 1 < height else -1
            beside[4] = left if x > 0 else -1
            beside[5] = right if x + 1 < width else -1
            last = changed[a]
            for side in range(6):
                if beside[side] >= 0:
                    last = max(last, changed[beside[side]])
            if last < iteration - 1:
                continue
            best, least, own = a, 0.0, -1.0
            for side in range(6):
                b = beside[side]
                if b < 0 or b in (a, best):
                    continue
                if own < 0:
                    own = _cost_in_region(features, scale, means, a, z, y, x)
                    own += _cost_of_faces(faces, beside, a)
                cost = _cost_in_region(features, scale, means, b, z, y, x)
                cost += _cost_of_faces(faces, beside, b)
                if cost - own < least:
                    best, least = b, cost - own
            if best != a and _can_go(regions, a, z, y, x, around, queue):
                here[x] = best
                changed[a], changed[best] = iteration, iteration
                _add_pixel(features, sums, a, -1.0, z, y, x)
                _add_pixel(features, sums, best, 1.0, z, y, x)
                n_moved += 1
    return n_moved


@kernel
def _add_pixel(features, sums, k, sign, z, y, x):
    """Add a pixel to a region's sums, or take it away."""
    sums[k, 0] += sign
    sums[k, 1] += sign * z
    sums[k, 2] += sign * y
    sums[k, 3] += sign * x
    for c in range(features.shape[0]):
        sums[k, 4 + c] += sign * features[c, z, y, x]


@kernel
def _cost_in_region(features, scale, means, k, z, y, x):
    """Squared distance of a pixel to a region's centre and mean."""
    dz, dy = (z - means[k, 0]) * scale[0], (y - means[k, 1]) * scale[1]
    dx = (x - means[k, 2]) * scale[2]
    cost = dz * dz + dy * dy + dx * dx
    for c in range(features.shape[0]):
        step = features[c, z, y, x] - means[k, 3 + c]
        cost += step * step
    return cost


@kernel
def _cost_of_faces(faces, beside, k):
    """Cost of the border around a pixel if it is of region k; images' and masks' ends are free."""
    cost = 0.0
    for side in range(6):
        if beside[side] >= 0 and beside[side] != k:
            cost += faces[side // 2]
    return cost


@kernel
def _can_go(regions, a, z, y, x, around, queue):
    """Tell whether the pixels of region a beside one of its pixels touch without it.

    They have to within the 3 x 3 x 3 pixels around: enough for the region to stay connected.
    """
    depth, height, width = regions.shape
    n_beside, n = 0, 0
    for i in range(3):
        for j in range(3):
            for k in range(3):
                zz, yy, xx = z + i - 1, y + j - 1, x + k - 1
                off = abs(i - 1) + abs(j - 1) + abs(k - 1)
                around[i, j, k] = (
                    off > 0
                    and 0 <= zz < depth
                    and 0 <= yy < height
                    and 0 <= xx < width
                    and regions[zz, yy, xx] == a
                )
                if off == 1 and around[i, j, k]:
                    n_beside += 1
                    if n == 0:
                        queue[0, 0], queue[0, 1], queue[0, 2] = i, j, k
                        n = 1
    if n_beside <= 1:
        return n_beside == 1
    around[queue[0, 0], queue[0, 1], queue[0, 2]] = False
    n_reached, first = 1, 0
    while first < n:
        i, j, k = queue[first]
        first += 1
        for axis in range(3):
            for step in (-1, 1):
                ii = i + step * (axis == 0)
                jj = j + step * (axis == 1)
                kk = k + step * (axis == 2)
                if not (0 <= ii < 3 and 0 <= jj < 3 and 0 <= kk < 3) or not around[ii, jj, kk]:
                    continue
                around[ii, jj, kk] = False
                if abs(ii - 1) + abs(jj - 1) + abs(kk - 1) == 1:
                    n_reached += 1
                queue[n, 0], queue[n, 1], queue[n, 2] = ii, jj, kk
                n += 1
    return n_reached == n_beside


@kernel
def linear_from_codes(
    codes,  # IN (n, 3) unsigned integers
    table,  # IN (number of codes,) float32: linear light of each code
    linear,  # OUT (3, n) float32
):
    """Undo the gamma of integer sRGB values."""
    for i in range(codes.shape[0]):
        for c in range(3):
            linear[c, i] = table[codes[i, c]]


@kernel
def linear_from_floats(
    values,  # IN (n, 3) float32 in [0, 1]
    table,  # IN (m + 2,) float32: linear light of 0, 1/m, ..., 1, and 1 again
    linear,  # OUT (3, n) float32
):
    """Undo the gamma of sRGB values, interpolating in a table."""
    m = np.float32(len(table) - 2)
    for i in range(values.shape[0]):
        for c in range(3):
            position = values[i, c] * m
            j = int(position)
            fraction = position - np.float32(j)
            linear[c, i] = table[j] + fraction * (table[j + 1] - table[j])


@kernel
def lab_from_linear(
    planes,  # IN and OUT (3, n) float32: linear RGB, then L, a, b
    matrix,  # IN (3, 3) float32: from linear RGB to XYZ over the white point
):
    """Convert linear RGB to CIELAB in place."""
    n = planes.shape[1]
    chunk = 512
    ratio = np.empty((3, chunk), np.float32)
    cube_root = np.empty((3, chunk), np.float32)
    ratio_bits, root_bits = ratio.view(np.int32), cube_root.view(np.int32)
    two, third = np.float32(2.0), np.int32(3)
    for start in range(0, n, chunk):
        length = min(chunk, n - start)
        r = planes[0, start : start + length]
        g = planes[1, start : start + length]
        b = planes[2, start : start + length]
        for c in range(3):
            out = ratio[c]
            m0, m1, m2 = matrix[c, 0], matrix[c, 1], matrix[c, 2]
            for i in range(length):
                out[i] = m0 * r[i] + m1 * g[i] + m2 * b[i]
            # Dividing the bits of a float by three divides its exponent by three: a cube
            # root to 4 %, which two of Halley's steps take to the last bits.
            bits, guess = ratio_bits[c], root_bits[c]
            for i in range(length):
                guess[i] = bits[i] // third + np.int32(709921077)
            root = cube_root[c]
            for i in range(length):
                t, y = out[i], root[i]
                for _ in range(2):
                    y3 = y * y * y
                    y = y * ((y3 + two * t) / (two * y3 + t))
                linear = np.float32(7.787) * t + np.float32(16.0 / 116.0)
                root[i] = y if t > np.float32(0.008856) else linear
        fx, fy, fz = cube_root[0], cube_root[1], cube_root[2]
        for i in range(length):
            r[i] = np.float32(116.0) * fy[i] - np.float32(16.0)
            g[i] = np.float32(500.0) * (fx[i] - fy[i])
            b[i] = np.float32(200.0) * (fy[i] - fz[i])


@kernel
def to_planes(
    pixels,  # IN (n, C) any numbers
    planes,  # OUT (C, n) float32
):
    """Move the channels of pixels apart, in blocks that the processor's cache holds."""
    n_pixels, n_channels = pixels.shape
    for start in range(0, n_pixels, 64):
        stop = min(start + 64, n_pixels)
        for c in range(n_channels):
            for i in range(start, stop):
                planes[c, i] = pixels[i, c]


@kernel
def to_pixels(
    planes,  # IN (C, n) float32
    factors,  # IN (C,) float32
    start,  # IN: the pixels to do are
    stop,  # IN: start <= pixel < stop
    pixels,  # OUT (n, C) float32
):
    """Put the channels of pixels together, each times its factor, in blocks for the cache."""
    for block in range(start, stop, 64):
        for c in range(len(planes)):
            factor = factors[c]
            for i in range(block, min(block + 64, stop)):
                pixels[i, c] = planes[c, i] * factor


@kernel
def along_lines(
    features,  # IN (C, D, H, W) float32
    pixels,  # IN (n, 3) int32: where lines start
    ends,  # IN (n, Q, 3) int32: where they end; a negative number: there is no line
    statistic,  # IN: 0 sum, 1 maximum, 2 variation, 3 deviation
    along,  # OUT (n, Q) float32: infinity where there is no line
):
    """Compute a statistic of the features of the pixels on straight lines, both ends included.

    Lines go from pixel to pixel through faces, so that none slips through an edge diagonally.
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
                # The axis whose next step is due first: its middle lies at (done + 1/2) / steps
                # of the way, compared without dividing.
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


@kernel
def fill_rows(
    values,  # IN (n, C) float32: features of pixels
    means,  # IN (K, C) float32
    candidates,  # IN (n, Q) int32: -1 where absent
    distances,  # IN (n, Q) float32: infinity where absent
    pairs,  # IN (n, Q, P) float32: what else is known of a pixel and a candidate
    rows,  # OUT (n, M + Q + Q M) float32, with M = C + P
):
    """Lay out what a classifier sees of pixels: features, distances, differences.

    To a classifier, pair features are differences of P more features, which are 0.
    """
    n_features, n_candidates = means.shape[1], candidates.shape[1]
    n_channels = n_features + pairs.shape[2]
    for p in range(len(values)):
        for c in range(n_channels):
            rows[p, c] = values[p, c] if c < n_features else 0.0
        for q in range(n_candidates):
            k = candidates[p, q]
            rows[p, n_channels + q] = distances[p, q]
            start = n_channels + n_candidates + q * n_channels
            for c in range(n_features):
                rows[p, start + c] = values[p, c] - means[k, c] if k >= 0 else 0.0
            for c in range(n_features, n_channels):
                rows[p, start + c] = pairs[p, q, c - n_features] if k >= 0 else 0.0


@kernel
def nearest_by_network(
    values,  # IN (n, C) float32: the pixels' features over their scales
    means,  # IN (K, C) float32: the clusters', over the same scales
    candidates,  # IN (n, Q) int32: -1 where absent, after those that are not
    distances,  # IN (n, Q) float32
    pairs,  # IN (n, Q, P) float32: pair features over their scales
    start,  # IN: the pixels to do are
    stop,  # IN: start <= pixel < stop
    channel_weights,  # IN (C + P,) float32: of the squares of what is over its scale
    space_scale,  # IN float32: one over the scale of distances
    first,  # IN (2 + C + P, h) float32: the bias last
    second,  # IN (h + 1, h) float32: the bias last
    last,  # IN (h,) float32; h may be 0
    chosen,  # OUT (n,) int32: the candidate of least distance; ties: the first
):
    """Give pixels the nearest candidate by the distance of a network of one or three layers."""
    n_hidden, n_candidates = len(last), candidates.shape[1]
    n_features = means.shape[1]
    n_channels = n_features + pairs.shape[2]
    n_at_once = 32
    # Zeros fill up what `_inner_products` takes at once.
    padded = 32 * ((n_channels + 31) // 32)
    matrix = np.zeros((4 * ((n_hidden + 3) // 4), padded), np.float32)
    for c in range(n_channels):
        for j in range(n_hidden):
            matrix[j, c] = first[c + 1, j]
    n_rows = n_at_once * n_candidates  # of a pixel and a candidate
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
    """Sum weighted squares of the differences of a pixel to a cluster; keep their sizes."""
    total = np.float32(0.0)
    for c in range(len(values)):
        difference = values[c] - mean[c]
        total += weights[c] * difference * difference
        sizes[c] = abs(difference)
    return total


@network_kernel
def _inner_products(
    a,  # IN (4 l, m) float32: m is a multiple of what processors add at once, 32 at most
    b,  # IN (r, m) float32
    n,  # IN: rows of `b` to do
    products,  # OUT (4 l, r) float32
):
    """Multiply rows with rows, four by two at once: so few loads feed many sums."""
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
            # The second of the last pair may be the first once more.
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
    second,  # IN (h + 1, h) float32: the bias last
    last,  # IN (h,) float32
    n,  # IN: rows to do
    hidden,  # IN (h or more, r) float32: what channels add to the first layer; CHANGED
    totals,  # CHANGED (r,) float32: what the last layer gives is added
):
    """Go through a network from its first layer on, row beside row."""
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
