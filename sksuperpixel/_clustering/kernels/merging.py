"""Merge regions that touch: the small ones, or the cheapest pairs."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import inlined, kernel
from sksuperpixel._clustering.kernels.runs import find


@kernel
def number_roots(parents):
    """Renumber trees 0, 1, ... in the order of their lowest members.

    Every root must be the lowest member of its tree. Afterwards, `parents` holds the number of
    each member's tree.
    """
    n = 0
    for a in range(len(parents)):
        if parents[a] == a:
            parents[a] = n
            n += 1
        else:
            parents[a] = parents[parents[a]]


@inlined
def _set_mean(a, sums, scale, means):
    """Compute the mean of a region: its position, weighted by `scale`, and its features."""
    for axis in range(3):
        means[a, axis] = sums[a, 1 + axis] / sums[a, 0] * scale[axis]
    for c in range(3, means.shape[1]):
        means[a, c] = sums[a, 1 + c] / sums[a, 0]


@inlined
def _increase(a, b, sums, means, first):
    """Increase of the sum of squares when two regions become one (Ward), from a column on."""
    distance = 0.0
    for c in range(first, means.shape[1]):
        step = means[a, c] - means[b, c]
        distance += step * step
    return distance * (sums[a, 0] * sums[b, 0]) / (sums[a, 0] + sums[b, 0])


@inlined
def _absorb(a, b, sums, scale, means, parents):
    """Make region b part of region a."""
    parents[b] = a
    for c in range(sums.shape[1]):
        sums[a, c] += sums[b, c]
    _set_mean(a, sums, scale, means)


@kernel
def merge_small(
    min_count,  # IN: a region with fewer pixels is small
    pairs,  # IN (n, 2) int32: the regions that touch, maybe several times; overwritten
    sums,  # IN and OUT (K, 4 + C) float64: pixels, positions, features; a root has its tree's
    parents,  # OUT (K,) int32: the forest of merged regions
):
    """Merge each small region into the neighbour with the least Ward increase; ties: the lower.

    All small regions choose at once, by the means before any of them is merged. Then those that
    are still small choose again. Therefore, what happens to a region depends only on its
    surroundings, and not on the order of regions. A small region with no neighbour is kept.
    Increases are compared as float32.
    """
    n_regions, n_pairs = len(sums), len(pairs)
    means = np.empty((n_regions, sums.shape[1] - 1))
    scale = np.ones(3)
    # The best neighbour of each region: the bits of the increase, then those of the neighbour's
    # number. Numbers that are not negative have the order of their bits, so that one comparison
    # decides, without a branch that the processor would often guess wrong.
    nothing = np.int64(2**63 - 1)
    best = np.full(n_regions, nothing, np.int64)
    increase = np.empty(1, np.float32)
    bits = increase.view(np.int32)
    for a in range(n_regions):
        parents[a] = a
        _set_mean(a, sums, scale, means)
    while n_pairs > 0:
        for e in range(n_pairs):
            a, b = np.int64(pairs[e, 0]), np.int64(pairs[e, 1])
            increase[0] = _increase(a, b, sums, means, 3)  # without positions
            high = np.int64(bits[0]) << 32
            best[a] = min(best[a], high | b if sums[a, 0] < min_count else nothing)
            best[b] = min(best[b], high | a if sums[b, 0] < min_count else nothing)
        for a in range(n_regions):
            if best[a] != nothing:
                low, high = find(parents, a), find(parents, best[a] & (2**32 - 1))
                if low != high:
                    _absorb(min(low, high), max(low, high), sums, scale, means, parents)
                best[a] = nothing
        # Keep the pairs of which one is still small.
        kept = 0
        for e in range(n_pairs):
            a, b = find(parents, pairs[e, 0]), find(parents, pairs[e, 1])
            pairs[kept, 0], pairs[kept, 1] = a, b
            kept += (a != b) & ((sums[a, 0] < min_count) | (sums[b, 0] < min_count))
        n_pairs = kept


@inlined
def _cost(a, b, sums, means, thickness, faces, strength, offset):
    """Cost of merging two regions that share some faces."""
    # The fourth root, computed so that all machines agree on it.
    cost = _increase(a, b, sums, means, 0) / np.sqrt(np.sqrt(float(faces)))
    return cost * (offset + strength / faces) * min(thickness[a], thickness[b])


@inlined
def _thickness(a, sums, perimeters, thick):
    """Thickness of a region as a fraction of `thick`, at most 1."""
    return min(2.0 * sums[a, 0] / perimeters[a] / thick, 1.0)


@kernel
def merge_cheapest(
    n_wanted,  # IN: number of regions to leave
    offset,  # IN: see below
    thick,  # IN: see below
    pairs,  # IN (n, 2) int32: the regions that touch, each pair once; overwritten
    faces,  # IN (n,) int32: how many faces they share; overwritten
    strengths,  # IN (n,) float64: sum of the edge strengths at these faces; overwritten
    scale,  # IN (3,) float64: weight of a distance of one pixel along each axis
    sums,  # IN and OUT (K, 4 + C) float64: pixels, positions, features; a root has its tree's
    parents,  # OUT (K,) int32: the forest of merged regions
):
    """Merge touching regions, the cheapest pair first.

    The cost of a pair is Ward's increase divided by the fourth root of the number of faces that
    the regions share, times `offset` plus the mean edge strength at these faces, times the
    thickness of the thinner region as a fraction of `thick`, where that is below 1.

    A heap holds the regions, in the order of the cheapest pair of each. The pairs of a region
    form a list: pair e has the entries 2 e and 2 e + 1 in the lists of its two regions. After a
    merge, only the pairs of the merged region have new costs.
    """
    n_regions, n_pairs = len(sums), len(pairs)
    means = np.empty((n_regions, sums.shape[1] - 1))
    perimeters = np.zeros(n_regions)
    costs, thickness = np.empty(n_pairs), np.empty(n_regions)
    first = np.full(n_regions, -1, np.int32)
    following, before = np.empty(2 * n_pairs, np.int32), np.empty(2 * n_pairs, np.int32)
    cheapest = np.full(n_regions, -1, np.int32)
    entry_of = np.full(n_regions, -1, np.int32)
    for a in range(n_regions):
        parents[a] = a
        _set_mean(a, sums, scale, means)
    for e in range(n_pairs):
        perimeters[pairs[e, 0]] += faces[e]
        perimeters[pairs[e, 1]] += faces[e]
    for a in range(n_regions):
        thickness[a] = _thickness(a, sums, perimeters, thick)
    for e in range(n_pairs):
        a, b = np.int64(pairs[e, 0]), np.int64(pairs[e, 1])
        costs[e] = _cost(a, b, sums, means, thickness, faces[e], strengths[e], offset)
        _insert(2 * e, a, first, following, before)
        _insert(2 * e + 1, b, first, following, before)
        for k in (a, b):
            if _is_cheaper(e, cheapest[k], costs, pairs):
                cheapest[k] = e
    heap, places = np.arange(n_regions).astype(np.int32), np.arange(n_regions).astype(np.int32)
    keys, ranks = np.empty(n_regions), np.empty(n_regions, np.int64)
    for a in range(n_regions):
        _set_key(a, cheapest[a], costs, pairs, keys, ranks)
    size = np.int64(n_regions)
    for i in range(size // 2 - 1, -1, -1):
        _sift_down(i, size, heap, places, keys, ranks)
    while size > n_wanted and keys[heap[0]] < np.inf:
        merged = np.int64(cheapest[heap[0]])
        # The lower region is the root.
        a = np.int64(min(pairs[merged, 0], pairs[merged, 1]))
        b = np.int64(max(pairs[merged, 0], pairs[merged, 1]))
        _absorb(a, b, sums, scale, means, parents)
        for side in range(2):
            _remove(2 * merged + side, pairs[merged, side], first, following, before)
        perimeters[a] += perimeters[b] - 2.0 * faces[merged]
        thickness[a] = _thickness(a, sums, perimeters, thick)
        _join_lists(a, b, first, following, before, entry_of, pairs, faces, strengths, costs)
        # Take b from the heap: the last region takes its place.
        size -= 1
        last = np.int64(heap[size])
        _swap(np.int64(places[b]), size, heap, places)
        if last != b:
            _sift(last, size, heap, places, keys, ranks)
        cheapest[a] = -1
        h = first[a]
        while h >= 0:
            e, x = np.int64(h // 2), np.int64(pairs[h // 2, 1 - h % 2])
            costs[e] = _cost(a, x, sums, means, thickness, faces[e], strengths[e], offset)
            if _is_cheaper(e, cheapest[a], costs, pairs):
                cheapest[a] = e
            h = following[h]
        _set_key(a, cheapest[a], costs, pairs, keys, ranks)
        _sift(a, size, heap, places, keys, ranks)
        h = first[a]
        while h >= 0:
            e, x = np.int64(h // 2), np.int64(pairs[h // 2, 1 - h % 2])
            known = cheapest[x]
            if known == e or np.isnan(costs[known]):
                # The pair that was the cheapest has a new cost, or is gone.
                cheapest[x] = _find_cheapest(x, first, following, costs, pairs)
            elif _is_cheaper(e, known, costs, pairs):
                cheapest[x] = e
            if known == e or cheapest[x] != known:
                _set_key(x, cheapest[x], costs, pairs, keys, ranks)
                _sift(x, size, heap, places, keys, ranks)
            h = following[h]


@inlined
def _insert(h, a, first, following, before):
    """Put an entry at the start of the list of region a."""
    following[h], before[h] = first[a], -1
    if first[a] >= 0:
        before[first[a]] = h
    first[a] = h


@inlined
def _remove(h, a, first, following, before):
    """Take an entry out of the list of region a."""
    if before[h] >= 0:
        following[before[h]] = following[h]
    else:
        first[a] = following[h]
    if following[h] >= 0:
        before[following[h]] = before[h]


@inlined
def _join_lists(a, b, first, following, before, entry_of, pairs, faces, strengths, costs):
    """Give region a the pairs of region b. Two pairs with the same region become one."""
    h = first[a]
    while h >= 0:
        entry_of[pairs[h // 2, 1 - h % 2]] = h
        h = following[h]
    h = first[b]
    while h >= 0:
        after, e, x = following[h], h // 2, pairs[h // 2, 1 - h % 2]
        if entry_of[x] >= 0:
            same = entry_of[x] // 2
            faces[same] += faces[e]
            strengths[same] += strengths[e]
            _remove(h ^ 1, x, first, following, before)
            costs[e] = np.nan  # a pair that is gone
        else:
            pairs[e, h % 2] = a
            _insert(h, a, first, following, before)
        h = after
    h = first[a]
    while h >= 0:
        entry_of[pairs[h // 2, 1 - h % 2]] = -1
        h = following[h]


@inlined
def _find_cheapest(a, first, following, costs, pairs):
    """Find the cheapest pair of region a; -1 if it has none."""
    cheapest, h = np.int32(-1), first[a]
    while h >= 0:
        if _is_cheaper(h // 2, cheapest, costs, pairs):
            cheapest = np.int32(h // 2)
        h = following[h]
    return cheapest


@inlined
def _is_cheaper(e, other, costs, pairs):
    """Compare two pairs: by cost; ties: by the lower region, then by the higher. -1 is none."""
    if other < 0:
        return True
    if costs[e] != costs[other]:
        return costs[e] < costs[other]
    return _rank(e, pairs) < _rank(other, pairs)


@inlined
def _rank(e, pairs):
    """Make one number of a pair, in the order of the lower region and then of the higher."""
    a, b = np.int64(pairs[e, 0]), np.int64(pairs[e, 1])
    return (min(a, b) << 32) | max(a, b)


@inlined
def _set_key(a, e, costs, pairs, keys, ranks):
    """Set by what the heap orders region a: its cheapest pair, -1 if it has none."""
    keys[a] = costs[e] if e >= 0 else np.inf
    ranks[a] = _rank(e, pairs) if e >= 0 else np.int64(0)


@inlined
def _comes_before(a, b, keys, ranks):
    """Compare two regions in the order of the heap."""
    if keys[a] != keys[b]:
        return keys[a] < keys[b]
    return ranks[a] < ranks[b]


@inlined
def _swap(i, j, heap, places):
    heap[i], heap[j] = heap[j], heap[i]
    places[heap[i]], places[heap[j]] = i, j


@inlined
def _sift_down(i, size, heap, places, keys, ranks):
    """Move an entry of the heap down until those below come after it."""
    while True:
        least = i
        for child in range(2 * i + 1, min(2 * i + 3, size)):
            if _comes_before(heap[child], heap[least], keys, ranks):
                least = child
        if least == i:
            return
        _swap(i, least, heap, places)
        i = least


@inlined
def _sift(a, size, heap, places, keys, ranks):
    """Move a region whose key has changed to its place in the heap."""
    i = np.int64(places[a])
    while i > 0 and _comes_before(a, heap[(i - 1) // 2], keys, ranks):
        _swap(i, (i - 1) // 2, heap, places)
        i = (i - 1) // 2
    _sift_down(i, size, heap, places, keys, ranks)
