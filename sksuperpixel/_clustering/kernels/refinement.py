"""Move single pixels across the borders of regions."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import kernel


@kernel
def move_border_pixels(
    features,  # IN (C, D, H, W) float32
    scale,  # IN (3,) float64: weight of a distance of one pixel along each axis
    faces,  # IN (3,) float64: cost of a pixel face of border across each axis
    means,  # IN (K, 3 + C) float64: centre and mean features of each region
    iteration,  # IN: 0, 1, ...; odd ones visit the pixels in reverse order
    changed,  # IN and OUT (K,) int64: the last iteration in which a region changed, or -1
    sums,  # IN and OUT (K, 4 + C) float64: each region's pixels, positions and features
    regions,  # IN and OUT (D, H, W) int32: connected regions; negative outside a mask
):
    """Move each border pixel to the touching region where it costs least; count the moves.

    Regions stay connected: a pixel moves only if the pixels of its region around it are
    connected without it. If it costs the same in its own region, it stays. If several other
    regions cost the same, the first one counts, in the order of the axes and for each axis
    before, then after. Borders between regions that have not changed since the last iteration
    are skipped.
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
        # Where the image ends, the row itself stands in for its neighbour, so there is no border.
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
    """Cost of the border around a pixel if it is in region k. The end of the image is free."""
    cost = 0.0
    for side in range(6):
        if beside[side] >= 0 and beside[side] != k:
            cost += faces[side // 2]
    return cost


@kernel
def _can_go(regions, a, z, y, x, around, queue):
    """Tell whether region a certainly stays connected without one of its pixels.

    It does if the region's pixels that touch this one are connected with each other within the
    3 x 3 x 3 pixels around it.
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
