"""Merge regions that touch: the small ones, or the cheapest pairs."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import kernel
from sksuperpixel._clustering.kernels.connectivity import find


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
    """Merge each small region into the neighbour with the least Ward increase; ties: the lower.

    All small regions choose at once, by the means before any of them is merged. Then those that
    are still small choose again. Therefore, what happens to a region depends only on its
    surroundings, and not on the order of regions. A small region with no neighbour is kept.
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
    """Compare two entries of the heap: by cost; ties: by the regions' numbers."""
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
    regions,  # IN (D, H, W) int32: negative where a pixel has no label
    edges,  # IN (D, H, W) float32: strength of the edge at each pixel
    pairs,  # IN (n, 2) int32: lower region, higher region; sorted by both
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
                    # By bisection, because one region may touch thousands of others.
                    e, stop = starts[low], starts[low + 1] - 1
                    while e < stop:
                        middle = (e + stop) // 2
                        if pairs[middle, 1] < high:
                            e = middle + 1
                        else:
                            stop = middle
                    strengths[e] += 0.5 * (edges[z, y, x] + edges[zz, yy, xx])


@kernel
def _thinness(a, b, counts, perimeters, thick):
    """Thickness of the thinner of two regions as a fraction of `thick`, at most 1."""
    thickness = min(2.0 * counts[a] / perimeters[a], 2.0 * counts[b] / perimeters[b])
    return min(thickness / thick, 1.0)


@kernel
def merge_cheapest(
    n_wanted,  # IN: number of regions to leave
    border_power,  # IN: see below
    offset,  # IN: see below
    thick,  # IN: see below
    pairs,  # IN (n, 2) int32: the regions that touch, each pair once
    faces,  # IN (n,) int32: how many faces they share
    strengths,  # IN (n,) float64: sum of the edge strengths at these faces
    counts,  # IN and OUT (K,) float64: a root has the count of its tree
    perimeters,  # IN and OUT (K,) float64: faces shared with other regions; likewise
    sums,  # IN and OUT (K, C) float64: features and weighted positions
    parents,  # IN and OUT (K,) int32: the forest of merged regions
):
    """Merge touching regions, the cheapest pair first; return how many regions are left.

    The cost of a pair is Ward's increase divided by the number of shared faces to the power
    `border_power`, times `offset` plus the mean edge strength at these faces, times the thickness
    of the thinner region as a fraction of `thick`, where that is below 1. A heap holds the pairs. After a merge, the entries of its two regions are out of date, and new entries are
    added for the neighbours of the merged region. The third number of an entry tells whether the
    entry is out of date: it is the sum of the versions of its two regions, which only grow.
    """
    n_regions, n_pairs = len(counts), len(pairs)
    means = _means(counts, sums)
    # The neighbours of a region form a linked list, because two of these can be joined in one
    # step.
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
        cost *= _thinness(a, b, counts, perimeters, thick)
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
        # Remove entries that now lie inside the region, and join entries of the same neighbour.
        perimeters[a] = 0.0
        before, h, degree = np.int64(-1), first[a], 0
        while h >= 0:
            other = find(parents, neighbour[h])
            after = following[h]
            if other != a:
                perimeters[a] += shared[h]
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
            cost *= _thinness(a, other, counts, perimeters, thick)
            stamp = np.int64(version[a] + version[other])
            _push(heap_cost, heap_pair, size, cost, a, other, stamp)
            size += 1
            h = following[h]
    return n_left
