"""Slow, obvious twins of the kernels: whole-image NumPy and plain Python."""

import itertools

import numpy as np
from scipy import ndimage


def cells(n, step, size):
    return min(max(1, int(n * step / size + 0.5)), n)


def cell_volume(shape, size, spacing):
    """Pixels in a cube of the grid's step: along each axis, at least one and at most all."""
    volume = 1.0
    for n, step in zip(shape, spacing, strict=True):
        volume *= min(max(size / step, 1.0), n)
    return volume


def grid_step(shape, n_pixels, spacing):
    """The smallest step whose cells have so many pixels, by bisection."""
    low, high = 0.0, 2.0 * max(n * step for n, step in zip(shape, spacing, strict=True))
    for _ in range(200):
        middle = (low + high) / 2
        if cell_volume(shape, middle, spacing) < n_pixels * (1 - 1e-13):
            low = middle
        else:
            high = middle
    return high


def seeds(shape, size, spacing, mask=None):
    axes = []
    for n, step in zip(shape, spacing, strict=True):
        k = cells(n, step, size)
        centres = [(2 * i + 1) * n // (2 * k) for i in range(k)]
        # A cell ends after its centre, even if rounding moved the centre into the next one.
        ends = [max((i + 1) * n // k, centres[i] + 1) for i in range(k)]
        axes.append(list(zip([0, *ends], centres, [*ends[:-1], n], strict=False)))
    found = []
    for cell in itertools.product(*axes):
        centre = tuple(c for _, c, _ in cell)
        if mask is not None:
            pixels = [
                p for p in itertools.product(*[range(lo, hi) for lo, _, hi in cell]) if mask[p]
            ]
            if not pixels:
                continue
            centre = min(
                pixels,
                key=lambda p: (sum((a - b) ** 2 for a, b in zip(p, centre, strict=True)), p),
            )
        found.append(centre)
    return np.array(found)


def assign(features, positions, means, half, scale, gain):
    """Positions are seed (whole) and offset (float32) of each cluster."""
    shape = features.shape[1:]
    grids = np.indices(shape)
    nearest = np.full(shape, np.inf, np.float32)
    labels = np.full(shape, -1)
    for k, (seed, offset) in enumerate(positions):
        window = np.ones(shape, bool)
        squares = []
        for axis in range(3):
            step = (grids[axis] - seed[axis]).astype(np.float32)
            low = np.ceil(np.float32(offset[axis] - half[axis]))
            high = np.floor(np.float32(offset[axis] + half[axis]))
            window &= (step >= low) & (step <= high)
            weighted = scale[k][axis] * (step - offset[axis])
            squares.append(weighted * weighted)
        distance = (squares[0] + squares[1]) + squares[2]
        for channel, mean in zip(features, means[k], strict=True):
            difference = channel - mean
            distance = distance + difference * difference
        distance = gain[k] * distance
        closer = window & (distance < nearest)
        nearest[closer] = distance[closer]
        labels[closer] = k
    return labels


def slic_clusters(features, size, spacing, compactness, max_iter, mask=None, adaptive=False):
    """SLIC's iterations; a float32 operation wherever the kernels have one."""
    shape = features.shape[1:]
    start = seeds(shape, size, spacing, mask)
    n = len(start)
    offsets = np.zeros((n, 3), np.float32)
    means = np.array([features[(slice(None), *s)] for s in start], np.float32)
    half = np.minimum(size / np.array(spacing), shape).astype(np.float32)
    step = np.array(spacing) / size
    scale = np.full((n, 1), compactness) * step
    gain = np.ones(n, np.float32)
    contrast = np.full(n, (0.1 * compactness) ** 2, np.float32)
    for iteration in range(max_iter):
        if iteration:
            for k in range(n):
                members = np.argwhere(labels == k)  # noqa: F821
                if len(members) == 0:
                    continue
                values = features[(slice(None), *members.T)]
                if adaptive:
                    distance = np.zeros(len(members), np.float32)
                    for channel, mean in zip(values, means[k], strict=True):
                        distance += (channel - mean) ** 2
                    contrast[k] = max(contrast[k], distance.max())
                offsets[k] = (members - start[k]).sum(axis=0) / len(members)
                means[k] = values.sum(axis=1, dtype=np.float64) / len(members)
            if adaptive:
                scale = np.sqrt(contrast).astype(np.float64)[:, None] * step
                gain = 1 / contrast
        positions = list(zip(start, offsets, strict=True))
        labels = assign(features, positions, means, half, scale.astype(np.float32), gain)
        if mask is not None:
            labels[~mask] = -1
    inside = np.ones(shape, bool) if mask is None else mask
    for pixel in np.argwhere((labels < 0) & inside):
        labels[tuple(pixel)] = candidates(pixel, start, offsets, 1, spacing)[0][0]
    return labels


def candidates(pixel, seeds, offsets, n_candidates, spacing):
    spacing = np.asarray(spacing, np.float32)
    found = []
    for k in range(len(seeds)):
        steps = spacing * ((pixel - seeds[k]).astype(np.float32) - offsets[k])
        square = np.float32(0)
        for step in steps:
            square = square + step * step
        found.append((square, k))
    found = sorted(found)[:n_candidates]
    return [k for _, k in found], [np.sqrt(square) for square, _ in found]


def by_first_pixel(labels):
    """Renumber in raster order of first pixels; negative stays -1."""
    result = np.full(labels.shape, -1)
    numbers = {}
    for pixel in np.ndindex(labels.shape):
        if labels[pixel] >= 0:
            result[pixel] = numbers.setdefault(labels[pixel], len(numbers))
    return result


def components(labels):
    result = np.full(labels.shape, -1)
    total = 0
    for k in np.unique(labels[labels >= 0]):
        parts, n = ndimage.label(labels == k)
        result[parts > 0] = total + parts[parts > 0]
        total += n
    return by_first_pixel(result)


def touching(regions):
    """Number of faces shared by each pair of regions, lower first."""
    pairs = {}
    for axis in range(regions.ndim):
        a = np.moveaxis(regions, axis, 0)[:-1].ravel()
        b = np.moveaxis(regions, axis, 0)[1:].ravel()
        for low, high in zip(np.minimum(a, b).tolist(), np.maximum(a, b).tolist(), strict=True):
            if low != high and low >= 0:
                pairs[low, high] = pairs.get((low, high), 0) + 1
    return pairs


def increase(values, regions, a, b, scale):
    """Increase of the sum of squares when two regions become one, with a factor per channel."""
    one, two = (values[:, regions == k].astype(np.float64) for k in (a, b))
    n, m = one.shape[1], two.shape[1]
    distance = 0.0
    for x, y, factor in zip(one, two, scale, strict=True):
        difference = x.sum() / n * factor - y.sum() / m * factor
        distance += difference * difference
    return distance * (n * m) / (n + m)


def merge_small(features, regions, min_count):
    regions = regions.copy()
    ones = len(features) * [1]
    while True:
        sizes = np.bincount(regions[regions >= 0])
        pairs = touching(regions)
        choices = {}
        for a in range(len(sizes)):
            if 0 < sizes[a] < min_count:
                around = [p[0] if p[1] == a else p[1] for p in pairs if a in p]
                if around:
                    costs = {
                        b: np.float32(increase(features, regions, min(a, b), max(a, b), ones))
                        for b in around
                    }
                    choices[a] = min(around, key=lambda b, costs=costs: (costs[b], b))
        if not choices:
            return by_first_pixel(regions)
        parents = list(range(len(sizes)))

        def root(a, parents=parents):
            while parents[a] != a:
                a = parents[a]
            return a

        for a, b in choices.items():
            low, high = sorted((root(a), root(b)))
            parents[high] = low
        regions = np.array([*map(root, range(len(sizes))), -1])[regions]


def merge_cheapest(features, regions, n_wanted, scale, thick, edges=None, offset=1.0):
    """Look at every pair before every merge."""
    regions = regions.copy()
    values = np.concatenate((np.indices(regions.shape), features))
    scale = [*np.asarray(scale, np.float64), *len(features) * [1.0]]
    while len(np.unique(regions[regions >= 0])) > n_wanted:
        pairs = touching(regions)
        if not pairs:
            break
        strengths = dict.fromkeys(pairs, 0.0) if edges is None else edge_strengths(regions, edges)
        thickness = thicknesses(regions, pairs)

        def cost(p, regions=regions, pairs=pairs, strengths=strengths, thickness=thickness):
            by_length = increase(values, regions, *p, scale) / np.sqrt(np.sqrt(pairs[p]))
            by_strength = by_length * (offset + strengths[p] / pairs[p])
            return by_strength * min(*(thickness[k] / thick for k in p), 1.0), p

        low, high = min(pairs, key=cost)
        regions[regions == high] = low
    return by_first_pixel(regions)


def thicknesses(regions, pairs):
    """Twice the area of each region over the number of faces that it shares with others."""
    faces = {}
    for p, shared in pairs.items():
        for k in p:
            faces[k] = faces.get(k, 0) + shared
    return {k: 2.0 * np.count_nonzero(regions == k) / n for k, n in faces.items()}


def refined(features, regions, scale, faces, n_iter, rows_of_block, planes_of_block):
    """Move one marked pixel after the other across borders, forwards and backwards in turn.

    Each pass goes through every other block of rows (planes) first, then through the others.
    """
    regions = regions.copy()
    pixels = list(np.ndindex(regions.shape))
    axis, n = (1, rows_of_block) if len(regions) == 1 else (0, planes_of_block)
    blocks = [[] for _ in range(0, regions.shape[axis], n)]
    for pixel in pixels:
        blocks[pixel[axis] // n].append(pixel)
    marked = {p for p in pixels if any(k != regions[p] for _, k in faces_around(regions, p))}
    marked = {p for p in marked if regions[p] >= 0}
    for iteration in range(n_iter):
        labels = np.unique(regions[regions >= 0])
        centres = {k: np.argwhere(regions == k).mean(axis=0) for k in labels}
        means = {k: features[:, regions == k].astype(np.float64).mean(axis=1) for k in labels}
        n_moved = 0
        way = -1 if iteration % 2 else 1
        for pixel in (p for block in blocks[::2] + blocks[1::2] for p in block[::way]):
            if pixel not in marked:
                continue
            marked.remove(pixel)
            around = faces_around(regions, pixel)
            own = regions[pixel]
            costs = {
                k: refining_cost(features, pixel, k, own, centres, means, scale, faces, around)
                for _, k in around
                if k != own
            }
            # The first of equals.
            best = min(costs, key=costs.get, default=None)
            if best is not None and costs[best] < 0 and is_dispensable(regions, pixel):
                regions[pixel] = best
                n_moved += 1
                marked |= {p for p in pixels_around(regions, pixel) if regions[p] >= 0}
        if n_moved == 0:
            break
    return regions


def pixels_around(regions, pixel):
    """Pixels that are marked when this one moves."""
    z, y, x = pixel
    found = [(z, y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    found += [(z - 1, y, x), (z + 1, y, x)]
    return [p for p in found if all(0 <= i < n for i, n in zip(p, regions.shape, strict=True))]


def faces_around(regions, pixel):
    """Axis and region of each pixel that shares a face, before and behind along each axis."""
    found = []
    for axis in range(regions.ndim):
        for step in (-1, 1):
            beside = tuple(p + step * (i == axis) for i, p in enumerate(pixel))
            inside = 0 <= beside[axis] < regions.shape[axis]
            if inside and regions[beside] >= 0:
                found.append((axis, regions[beside]))
    return found


def refining_cost(features, pixel, k, own, centres, means, scale, faces, around):
    """Cost of a pixel in region k, less that in its own region."""

    def inside(k):
        steps = [(pixel[i] - centres[k][i]) * scale[i] for i in range(3)]
        total = steps[1] * steps[1] + steps[2] * steps[2]
        for value, mean in zip(features[(slice(None), *pixel)], means[k], strict=True):
            total += (np.float64(value) - mean) ** 2
        return total + steps[0] * steps[0]

    cost = inside(k) - inside(own)
    for axis in range(3):
        of_axis = [region for i, region in around if i == axis]
        cost += faces[axis] * (of_axis.count(own) - of_axis.count(k))
    return cost


def is_dispensable(regions, pixel):
    """Whether what touches the pixel of its region is one part within 3 x 3 x 3 pixels."""
    padded = np.pad(regions, 1, constant_values=-1)
    around = padded[tuple(slice(p, p + 3) for p in pixel)] == regions[pixel]
    around[1, 1, 1] = False
    parts, _ = ndimage.label(around)
    beside = [parts[tuple(1 + s * (i == a) for i in range(3))] for a in range(3) for s in (-1, 1)]
    return len({part for part in beside if part > 0}) == 1


def line_pixels(start, end):
    """Pixels of a line through faces, by the times at which each axis takes its steps."""
    times = []
    for axis in range(3):
        n = abs(end[axis] - start[axis])
        times += [((2 * i + 1) / (2 * n), axis) for i in range(n)]
    at = list(start)
    yield tuple(at)
    for _, axis in sorted(times):
        at[axis] += 1 if end[axis] > start[axis] else -1
        yield tuple(at)


def edge_strengths(regions, edges):
    """Sum of the edge strengths at the faces of each pair of regions, lower first."""
    strengths = {}
    for pixel in np.ndindex(regions.shape):
        for axis, beside in enumerate(np.eye(3, dtype=int) + pixel):
            if beside[axis] < regions.shape[axis]:
                a, b = regions[pixel], regions[tuple(beside)]
                if a != b and min(a, b) >= 0:
                    mean = 0.5 * (edges[pixel] + edges[tuple(beside)])
                    pair = min(a, b), max(a, b)
                    strengths[pair] = strengths.get(pair, 0.0) + float(mean)
    return strengths
