"""Find the clusters near a pixel, and lay out what a classifier sees of them."""

import numpy as np

from sksuperpixel._clustering.kernels.compilation import kernel


@kernel
def nearest_candidates(
    pixels,  # IN (n, 3) int32
    seeds,  # IN (K, 3) int32
    offsets,  # IN (K, 3) float32
    spacing,  # IN (3,) float32: size of a pixel along each axis
    bin_size,  # IN (3,) float64: in pixels
    bin_start,  # IN (bins + 1,) int32: where the clusters of each bin start in bin_clusters
    bin_clusters,  # IN (K,) int32: the clusters, ordered by bin
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
            # The margin makes sure that rounding does not hide a tie.
            if whole or distances[p, n_candidates - 1] < reach * reach * 0.9999:
                break
            ring += 1
        for q in range(n_candidates):
            distances[p, q] = np.sqrt(distances[p, q])


@kernel
def _insert(candidates, distances, p, k, d):
    """Insert a cluster into the sorted candidates of pixel `p`; ties: the lower first."""
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
def fill_rows(
    values,  # IN (n, C) float32: features of pixels
    means,  # IN (K, C) float32
    candidates,  # IN (n, Q) int32: -1 where absent
    distances,  # IN (n, Q) float32: infinity where absent
    pairs,  # IN (n, Q, P) float32: pair features
    rows,  # OUT (n, M + Q + Q M) float32, with M = C + P
):
    """Lay out what a classifier sees of pixels: features, distances, differences.

    Pair features are laid out as differences of P additional features, whose values are 0.
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
