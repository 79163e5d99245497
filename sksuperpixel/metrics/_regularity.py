"""How regular the shapes of superpixels are: isoperimetric quotient and global regularity.

All functions take `codes`, an array of the image's shape in which superpixels are numbered from 0
without gaps, and pixels that do not count are -1. Each function treats all superpixels at once.
"""

import numpy as np


def n_crossings(codes, sizes, step):
    """Count how often the grid lines along `step` enter or leave each superpixel.

    Parameters
    ----------
    codes : ndarray of intp, shape (H, W) or (D, H, W)
        The superpixels.

    sizes : ndarray of intp, shape (n_superpixels,)
        Number of pixels of each superpixel.

    step : tuple of int
        The step from a pixel to the next one on its line. Each entry is -1, 0 or 1, and the
        first that is not 0 is 1.

    Returns
    -------
    ndarray of intp, shape (n_superpixels,)
        Twice the number of runs of pixels, because each run has two ends. An end at the image's
        border counts, too.
    """
    # A line leaves a superpixel at each pixel whose next one is not in the same superpixel. It
    # enters a superpixel as often as it leaves it.
    pixels = tuple(slice(max(-s, 0), min(-s, 0) or None) for s in step)
    following = tuple(slice(max(s, 0), min(s, 0) or None) for s in step)
    same = codes[pixels][(codes[pixels] == codes[following]) & (codes[pixels] >= 0)]
    return 2 * (sizes - np.bincount(same, minlength=len(sizes)))


def isoperimetric_quotients(codes, sizes):
    """Compare each superpixel with a disc, or a ball, whose boundary is equally long or large.

    Parameters
    ----------
    codes : ndarray of intp, shape (H, W) or (D, H, W)
        The superpixels.

    sizes : ndarray of intp, shape (n_superpixels,)
        Number of pixels of each superpixel.

    Returns
    -------
    ndarray of float64, shape (n_superpixels,)
        4 pi A / P^2 in an image, with P counted in pixel edges; 36 pi V^2 / B^3 in a volume, with
        B counted in voxel faces.
    """
    steps = np.eye(codes.ndim, dtype=int)
    boundary = sum(n_crossings(codes, sizes, tuple(step)) for step in steps).astype(float)
    if codes.ndim == 2:
        return 4 * np.pi * sizes / boundary**2
    return 36 * np.pi * sizes.astype(float) ** 2 / boundary**3


def global_regularity(codes, sizes):
    """Compute the global regularity of the superpixels of an image.

    Parameters
    ----------
    codes : ndarray of intp, shape (H, W)
        The superpixels.

    sizes : ndarray of intp, shape (n_superpixels,)
        Number of pixels of each superpixel.

    Returns
    -------
    float
        Shape regularity times consistency. The formulas are in
        `sksuperpixel.metrics.global_regularity`.
    """
    # A stable sort keeps the pixels of a superpixel in scanning order. NumPy sorts 16-bit numbers
    # in linear time.
    flat = codes.ravel()
    keys = flat.astype(np.uint16) if len(sizes) < 2**16 - 1 else flat
    order = np.argsort(keys, kind="stable")
    order = order[flat[order] >= 0]
    row, col = np.divmod(order, codes.shape[1])
    code = flat[order]

    convexity = _convexity(codes, sizes, code, row, col)
    balance = _balance(sizes, code, row, col)
    shape_regularity = sizes @ (convexity * balance) / len(code)
    return float(shape_regularity * _consistency(sizes, code, row, col))


def _balance(sizes, code, row, col):
    """Compute the root of the smaller over the larger standard deviation of coordinates."""
    variances = []
    for coordinate in (row, col):
        mean = np.bincount(code, weights=coordinate) / sizes
        deviation = coordinate - mean[code]
        # 1 / 12 is the variance within a pixel. With it, the balance of a rectangle a x b is
        # sqrt(a / b).
        variances.append(np.bincount(code, weights=deviation**2) / sizes + 1 / 12)
    return (np.minimum(*variances) / np.maximum(*variances)) ** 0.25


def _consistency(sizes, code, row, col):
    """Compute how well superpixels match their average shape when laid upon one another."""
    offsets = []
    for coordinate in (row, col):
        total = np.bincount(code, weights=coordinate).astype(np.int64)
        centre = (2 * total + sizes) // (2 * sizes)  # rounded, halves up
        offset = coordinate - centre[code]
        offsets.append(offset - offset.min())
    cells = offsets[0] * (int(offsets[1].max()) + 1) + offsets[1]
    average = np.bincount(cells) / len(code)
    # Half the L1 distance of two distributions is 1 minus the sum of their minima. A superpixel's
    # distribution is 1 / size on its pixels and 0 elsewhere, so only these add to the sum.
    return np.minimum(1.0, sizes[code] * average[cells]).mean()


def _convexity(codes, sizes, code, row, col):
    """Divide the ratio of perimeter to area of the convex hull by that of the superpixel."""
    # In each row, only the first and the last pixel of a superpixel matter for its hull.
    runs = np.flatnonzero((np.diff(code, prepend=-1) != 0) | (np.diff(row, prepend=-1) != 0))
    row, left, right = row[runs], col[runs], col[np.append(runs[1:], len(col)) - 1]
    code = code[runs]

    starts = np.flatnonzero(np.diff(code, prepend=-1))
    extents = {
        (1, 0): (left, right),
        (0, 1): (row, row),
        (1, 1): (left - row, right - row),
        (1, -1): (left + row, right + row),
    }
    perimeter = hull_perimeter = 0.0
    for step, (low, high) in extents.items():
        n_lines = np.maximum.reduceat(high, starts) - np.minimum.reduceat(low, starts) + 1
        spacing = 1 / np.hypot(*step)
        perimeter = perimeter + spacing * n_crossings(codes, sizes, step)
        hull_perimeter = hull_perimeter + spacing * 2 * n_lines

    solidity = sizes / _hull_sizes(code, row, left, right)
    # Only a superpixel in several pieces can have a shorter perimeter than its hull.
    return solidity * np.minimum(1.0, hull_perimeter / perimeter)


def _hull_sizes(code, row, left, right):
    """Count the pixels whose centre is in the convex hull of the superpixel's pixel centres.

    Parameters
    ----------
    code, row, left, right : ndarray of int, shape (n_runs,)
        The first and the last column of each superpixel in each of its rows, ordered by
        superpixel, then by row.

    Returns
    -------
    ndarray of int, shape (n_superpixels,)
        No less than the superpixels' sizes.
    """
    # By Pick's theorem, a polygon with n lattice points, b of them on its boundary, satisfies
    # 2 n = 2 area + b + 2. This holds even for a line, whose boundary runs along it twice.
    first = np.flatnonzero(np.diff(code, prepend=-1))
    last = np.append(first[1:], len(code)) - 1
    twice = (right - left)[first] + (right - left)[last] + 2
    for sign, side in ((-1, left), (1, right)):
        group, y, x = _lower_chain(code, row, -sign * side)
        x = -sign * x
        inner = np.flatnonzero(group[1:] == group[:-1])
        dy, dx = np.diff(y)[inner], np.diff(x)[inner]
        terms = sign * dy * (x[:-1] + x[1:])[inner] + np.gcd(dy, dx)
        twice = twice + np.bincount(group[inner], weights=terms, minlength=len(twice)).astype(int)
    return twice // 2


def _lower_chain(group, x, y):
    """Find the corners of the lower convex hull of each group's points, which ascend in x."""
    # A point that is not below the line between its two neighbours is not a corner, whether or
    # not the neighbours are corners. All such points are removed at once, until none is left.
    while True:
        ahead, behind = x[2:] - x[1:-1], x[1:-1] - x[:-2]
        below = (y[1:-1] - y[:-2]) * ahead < (y[2:] - y[1:-1]) * behind
        ends = (group[1:-1] != group[:-2]) | (group[1:-1] != group[2:])
        keep = np.ones(len(group), dtype=bool)
        keep[1:-1] = below | ends
        if keep.all():
            return group, x, y
        group, x, y = group[keep], x[keep], y[keep]
