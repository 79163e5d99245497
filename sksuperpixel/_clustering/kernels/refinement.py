"""Move single pixels across the borders of regions."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import inlined, kernel


@kernel
def mark_borders(
    labels,  # IN (D + 2, H + 2, W + 2) int32: regions, in a frame of -1
    marks,  # OUT (D + 2, H + 2, W + 2) uint8: 1 where a pixel touches another region, else 0
    marked_rows,  # OUT (D + 2, H + 2) uint8: 1
):
    """Mark the pixels that touch another region."""
    depth, height, width = labels.shape
    for z in range(depth):
        for y in range(height):
            marked_rows[z, y] = 1
            for x in range(width):
                marks[z, y, x] = 0
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            here, row = labels[z, y], marks[z, y]
            above, below = labels[z, y - 1], labels[z, y + 1]
            front, behind = labels[z - 1, y], labels[z + 1, y]
            for x in range(1, width - 1):
                a = here[x]
                differs = (_other(a, here[x - 1])) | (_other(a, here[x + 1]))
                differs |= (_other(a, above[x])) | (_other(a, below[x]))
                differs |= (_other(a, front[x])) | (_other(a, behind[x]))
                row[x] = differs


@inlined
def _other(a, b):
    """Tell whether b is a region other than region a."""
    return (a != b) & (a >= 0) & (b >= 0)


@kernel
def move_marked_pixels(
    features,  # IN (C, N) float32
    scale,  # IN (3,) float64: weight of a distance of one pixel along each axis
    faces,  # IN (3,) float64: cost of a pixel face of border across each axis
    means,  # IN (K, 3 + C) float64: centre and mean features of each region
    movable,  # IN (256,) bool: see `movable_by_neighbours`
    backward,  # IN: whether the pixels are visited in reverse order
    block,  # IN: number of rows of a block
    blocks,  # IN (start, stop): the blocks to do, of which every other one is done
    marks,  # IN and OUT (D + 2, H + 2, W + 2) uint8: see `mark_borders`
    marked_rows,  # IN and OUT (D + 2, H + 2) uint8: 1 for each row with a mark
    labels,  # IN and OUT (D + 2, H + 2, W + 2) int32: connected regions, in a frame of -1
    moved,  # OUT (N, 2) int64: the pixels that moved and their old regions, from a block's start
    n_moved,  # OUT (blocks,) int64: how many pixels of each block moved
):
    """Move each marked pixel to the touching region where it costs least.

    The pixels of a block are visited in raster order, or in reverse. A visit removes the mark. If
    a pixel moves, the eight pixels around it are marked, and in a volume those before and behind
    it. They are visited in this pass if their turn is still to come, or else in the next.
    Blocks between which there is another one do not see each other, so that threads can do them
    at the same time.

    Regions stay connected: a pixel moves only if the pixels of its region around it are
    connected without it. If it costs the same in its own region, it stays. If several other
    regions cost the same, the first one counts, in the order of the axes and for each axis
    before, then after.
    """
    depth, height, width = labels.shape
    flat_labels, flat_marks = labels.reshape(-1), marks.reshape(-1)
    plane = height * width
    around = np.empty((3, 3, 3), np.bool_)
    queue = np.empty((27, 3), np.int64)
    columns = np.empty(width, np.int64)
    is_volume = depth > 3
    n_rows = (depth - 2) * (height - 2)
    for number in range(blocks[0], blocks[1], 2):
        first_row, stop_row = number * block, min((number + 1) * block, n_rows)
        n = np.int64(0)
        for row in range(first_row, stop_row):
            if backward:
                row = stop_row - 1 - (row - first_row)
            z, y = row // (height - 2), row % (height - 2)
            if marked_rows[z + 1, y + 1] == 0:
                continue
            marked_rows[z + 1, y + 1] = 0
            n_marked = _list_marks(marks[z + 1, y + 1], columns)
            start = (z + 1) * plane + (y + 1) * width + 1
            first = row * (width - 2)
            i, beside = np.int64(0), np.int64(-1)
            while (i < n_marked) | (beside >= 0):
                if beside >= 0:
                    x, beside = beside, np.int64(-1)
                else:
                    x = columns[n_marked - 1 - i if backward else i]
                    i += 1
                p, q = start + x, first + x
                flat_marks[p] = 0
                a = flat_labels[p]
                if is_volume:
                    b = _best_in_volume(
                        features, scale, faces, means, flat_labels, plane, width, p, z, y, x, q
                    )
                    if b == a or not _can_go(labels, a, z + 1, y + 1, x + 1, around, queue):
                        continue
                else:
                    b = _best_in_plane(
                        features, scale, faces, means, flat_labels, width, p, y, x, q
                    )
                    if b == a or not movable[_neighbours(flat_labels, a, p, width)]:
                        continue
                flat_labels[p] = b
                moved[first_row * (width - 2) + n, 0] = q
                moved[first_row * (width - 2) + n, 1] = a
                n += 1
                _mark_around(flat_labels, flat_marks, marked_rows, plane, width, p, z, y)
                after = x - 1 if backward else x + 1
                is_listed = False
                if i < n_marked:
                    is_listed = columns[n_marked - 1 - i if backward else i] == after
                if (flat_labels[start + after] >= 0) & (not is_listed):
                    beside = after
        n_moved[number] = n


@inlined
def _list_marks(marks, columns):
    """List the marked columns of a row; return how many there are."""
    n_marked = np.int64(0)
    for x in range(len(marks) - 2):
        # Written always, and counted if it is marked: without a branch that the processor would
        # often guess wrong.
        columns[n_marked] = x
        n_marked += marks[x + 1]
        marks[x + 1] = 0
    return n_marked


@inlined
def _mark_around(labels, marks, marked_rows, plane, width, p, z, y):
    """Mark the pixels around one that moved."""
    for j in (p - width, p, p + width):
        for k in (j - 1, j, j + 1):
            marks[k] = labels[k] >= 0
    marks[p] = 0
    for j in range(3):
        marked_rows[z + 1, y + j] = 1
    if len(marked_rows) > 3:
        for j in (-1, 1):
            k = p + j * plane
            marks[k] = labels[k] >= 0
            marked_rows[z + 1 + j, y + 1] = 1


@kernel
def add_moves(
    features,  # IN (C, N) float32
    block_size,  # IN: number of pixels of a block
    moved,  # IN (N, 2) int64: see `move_marked_pixels`
    n_moved,  # IN (blocks,) int64
    labels,  # IN (D + 2, H + 2, W + 2) int32
    sums,  # IN and OUT (K, 4 + C) float64: each region's pixels, positions and features
):
    """Change the sums of regions by the pixels that moved; return how many there are."""
    height, width = labels.shape[1] - 2, labels.shape[2] - 2
    total = np.int64(0)
    for number in range(len(n_moved)):
        total += n_moved[number]
        for i in range(number * block_size, number * block_size + n_moved[number]):
            q, a = moved[i, 0], moved[i, 1]
            row, x = q // width, q % width
            z, y = row // height, row % height
            b = np.int64(labels[z + 1, y + 1, x + 1])
            _add_pixel(features, sums, a, -1.0, z, y, x, q)
            _add_pixel(features, sums, b, 1.0, z, y, x, q)
    return total


@inlined
def _best_in_plane(features, scale, faces, means, labels, width, p, y, x, q):
    """Find the region among a pixel's own and those it touches where it costs least."""
    a = labels[p]
    up, down, left, right = labels[p - width], labels[p + width], labels[p - 1], labels[p + 1]
    # Most pixels touch one other region. Finding it without branches is faster, because the
    # processor could not predict them.
    other = a
    for b in (right, left, down, up):
        other = b if (b != a) & (b >= 0) else other
    is_only = True
    for b in (right, left, down, up):
        is_only &= (b == a) | (b == other) | (b < 0)
    own = _cost_in_plane(features, scale, means, a, y, x, q)
    cost = _cost_in_plane(features, scale, means, other, y, x, q) - own
    cost += _cost_of_faces(faces[1], other, a, up, down)
    cost += _cost_of_faces(faces[2], other, a, left, right)
    best, least = other if cost < 0 else a, min(cost, 0.0)
    if is_only:
        return best
    for b in (up, down, left, right):
        if (b >= 0) & (b != a) & (b != other):
            cost = _cost_in_plane(features, scale, means, b, y, x, q) - own
            cost += _cost_of_faces(faces[1], b, a, up, down)
            cost += _cost_of_faces(faces[2], b, a, left, right)
            if cost < least:
                best, least = b, cost
    return best


@inlined
def _best_in_volume(features, scale, faces, means, labels, plane, width, p, z, y, x, q):
    """Find the region among a pixel's own and those it touches where it costs least."""
    a = labels[p]
    front, behind = labels[p - plane], labels[p + plane]
    up, down, left, right = labels[p - width], labels[p + width], labels[p - 1], labels[p + 1]
    own = _cost_in_plane(features, scale, means, a, y, x, q)
    own += ((z - means[a, 0]) * scale[0]) ** 2
    best, least = a, 0.0
    for b in (front, behind, up, down, left, right):
        if (b >= 0) & (b != a) & (b != best):
            cost = _cost_in_plane(features, scale, means, b, y, x, q)
            cost += ((z - means[b, 0]) * scale[0]) ** 2 - own
            cost += _cost_of_faces(faces[0], b, a, front, behind)
            cost += _cost_of_faces(faces[1], b, a, up, down)
            cost += _cost_of_faces(faces[2], b, a, left, right)
            if cost < least:
                best, least = b, cost
    return best


@inlined
def _cost_of_faces(face, b, a, before, after):
    """Cost of the border across one axis around a pixel in region b, less that in region a."""
    n_faces = np.int64(before == a) + np.int64(after == a)
    return face * (n_faces - np.int64(before == b) - np.int64(after == b))


@inlined
def _cost_in_plane(features, scale, means, k, y, x, q):
    """Squared distance of a pixel to a region's centre, within its plane, and to its mean."""
    dy, dx = (y - means[k, 1]) * scale[1], (x - means[k, 2]) * scale[2]
    cost = dy * dy + dx * dx
    if features.shape[0] == 3:
        # Three channels are the usual case.
        d0, d1 = features[0, q] - means[k, 3], features[1, q] - means[k, 4]
        d2 = features[2, q] - means[k, 5]
        return ((cost + d0 * d0) + d1 * d1) + d2 * d2
    for c in range(features.shape[0]):
        step = features[c, q] - means[k, 3 + c]
        cost += step * step
    return cost


@inlined
def _add_pixel(features, sums, k, sign, z, y, x, q):
    """Add a pixel to a region's sums, or take it away."""
    sums[k, 0] += sign
    sums[k, 1] += sign * z
    sums[k, 2] += sign * y
    sums[k, 3] += sign * x
    for c in range(features.shape[0]):
        sums[k, 4 + c] += sign * features[c, q]


@inlined
def _neighbours(labels, a, p, width):
    """Tell which of the eight pixels around a pixel are in region a, as the bits of a number."""
    up, down = p - width, p + width
    bits = np.int64(labels[up - 1] == a)
    bits += 2 * (labels[up] == a)
    bits += 4 * (labels[up + 1] == a)
    bits += 8 * (labels[p + 1] == a)
    bits += 16 * (labels[down + 1] == a)
    bits += 32 * (labels[down] == a)
    bits += 64 * (labels[down - 1] == a)
    bits += 128 * (labels[p - 1] == a)
    return bits


@kernel
def movable_by_neighbours(
    movable,  # OUT (256,) bool
):
    """Tabulate whether a region certainly stays connected without one of its pixels.

    The bits of the index tell which of the eight pixels around it are in the region, clockwise
    from the upper left. They must form one part through faces, as far as they touch the pixel.
    """
    for bits in range(256):
        n_beside, n_parts = 0, 0
        for side in range(1, 8, 2):
            if (bits >> side) & 1:
                n_beside += 1
                # A part ends where the corner after this pixel, or the pixel after the corner,
                # is not in the region.
                corner, after = (side + 1) % 8, (side + 2) % 8
                if not ((bits >> corner) & 1 and (bits >> after) & 1):
                    n_parts += 1
        # Without an end, all pixels around are in the region.
        movable[bits] = n_beside > 0 and n_parts <= 1


@kernel
def _can_go(regions, a, z, y, x, around, queue):
    """Tell whether region a certainly stays connected without one of its pixels, in a volume.

    It does if the region's pixels that touch this one are connected with each other within the
    3 x 3 x 3 pixels around it.
    """
    n_beside, n = 0, 0
    for i in range(3):
        for j in range(3):
            for k in range(3):
                off = abs(i - 1) + abs(j - 1) + abs(k - 1)
                around[i, j, k] = off > 0 and regions[z + i - 1, y + j - 1, x + k - 1] == a
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
