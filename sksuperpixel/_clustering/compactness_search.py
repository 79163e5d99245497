"""Find the compactness parameter with which superpixels are as compact as wanted."""

import math

# How much the compactness of superpixels typically grows when the parameter grows by a factor of
# e. The search starts with this slope.
_SLOPE = 0.15
# Beyond these parameters, superpixels no longer change.
_LIMITS = (1e-3, 1e5)


def search_compactness(measure, wanted, *, start, tol, max_iter=10, limits=_LIMITS):
    """Find the parameter for which a measured compactness is as wanted.

    Parameters
    ----------
    measure : callable
        ``measure(parameter)`` returns the compactness of superpixels made with a parameter. It
        grows with the parameter.
    wanted : float
        Wanted compactness, in (0, 1).
    start : float
        The first parameter to try.
    tol : float
        Largest accepted difference from `wanted`.
    max_iter : int, default=10
        Maximum number of measurements. If `tol` is not reached by then, the parameter that came
        nearest is returned; of those that came equally near, up to `tol`, the one nearest to
        `start`.
    limits : pair of float, default=(1e-3, 1e5)
        The least and the largest parameter to try.

    Returns
    -------
    parameter, reached : float
        The parameter, and the compactness measured with it.
    """
    tried = []  # pairs of the logarithm of the parameter and the compactness that it leads to
    value = math.log(start)
    least, most = map(math.log, limits)
    for _ in range(max_iter):
        tried.append((value, measure(math.exp(value))))
        if abs(tried[-1][1] - wanted) <= tol:
            break
        value = min(max(_next_guess(tried, wanted), least), most)
        if value in [each for each, _ in tried]:
            break  # tried before: `wanted` is out of reach
    value, reached = _best(tried, wanted, tol)
    return math.exp(value), reached


def _best(tried, wanted, tol):
    """Choose the trial that came nearest.

    If `wanted` is out of reach, many trials may be equally near. Noise must not decide between
    parameters that are orders of magnitude apart, so then the one nearest to the start is taken.
    """
    start = tried[0][0]
    errors = [abs(each - wanted) for _, each in tried]
    if min(errors) <= tol:
        return tried[errors.index(min(errors))]
    near = [pair for pair, error in zip(tried, errors, strict=True) if error <= min(errors) + tol]
    return min(near, key=lambda pair: abs(pair[0] - start))


def _next_guess(tried, wanted):
    """Interpolate between the nearest trials on both sides, or extrapolate from the nearest."""
    # Where the curve is flat, several trials are equally compact. Of those on each side, the one
    # nearest to the other side is taken.
    below = max((pair for pair in tried if pair[1] <= wanted), default=None)
    above = min((pair for pair in tried if pair[1] > wanted), default=None)
    if below is None or above is None:
        value, reached = below or above
        # Steps grow, because the slope is almost 0 at either end.
        return value + (wanted - reached) / _SLOPE * 1.5 ** (len(tried) - 1)
    share = (wanted - below[1]) / (above[1] - below[1])
    # Stay away from both trials, because the curve between them is not straight.
    share = min(max(share, 0.1), 0.9)
    return below[0] + share * (above[0] - below[0])
