"""Split labels into connected regions, and list the regions that touch."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import kernel


@kernel
def find(parents, a):
    """Find the root of `a` in a forest, and shorten the path to it."""
    a = np.int64(a)
    while parents[a] != a:
        parents[a] = parents[parents[a]]
        a = np.int64(parents[a])
    return a


@kernel
def _unite(parents, a, b):
    """Join two trees under the lower root, and return it."""
    a, b = find(parents, a), find(parents, b)
    if a < b:
        parents[b] = a
        return a
    parents[a] = b
    return b


@kernel
def number_roots(parents):
    """Renumber trees 0, 1, ... in the order of their lowest members, and count them.

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
    return n


@kernel
def _unite_with_row(parents, root, k, row, numbers, start, stop):
    """Unite a run with the runs of label k in a neighbouring row; return the root of all."""
    before = np.int64(-1)
    for x in range(start, stop):
        if row[x] == k and numbers[x] != before:
            before = np.int64(numbers[x])
            root = _unite(parents, root, before)
    return root


@kernel
def connected_components(
    labels,  # IN (D, H, W) int32: negative where a pixel has no label
    components,  # OUT (D, H, W) int32: numbered by their first pixels; -1 where there is no label
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
                # A run joins the runs of its label that it touches in the row above and in the
                # plane before.
                parents[n] = n
                root = np.int64(n)
                if y > 0:
                    root = _unite_with_row(
                        parents, root, k, labels[z, y - 1], components[z, y - 1], start, stop
                    )
                if z > 0:
                    root = _unite_with_row(
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
    regions,  # IN (D, H, W) int32: negative where a pixel has no label
    wanted,  # IN (K,) bool: only pairs with at least one wanted region are listed
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
                # Faces to the pixels before were counted from there if their region is wanted.
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
    """Count a face between two regions; return how many pairs there are now."""
    if b < 0 or a == b:
        return n
    low, high = min(a, b), max(a, b)
    # Multiplying by large odd numbers spreads neighbouring pairs over the table.
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
