"""Make the superpixels of several methods equally compact, to compare the methods."""

import math

from sksuperpixel.metrics import SCORERS

# How much the compactness of superpixels typically grows when the parameter grows by a factor of
# e. The search starts with this slope.
_SLOPE = 0.15
# Beyond these logarithms of the parameter, superpixels no longer change.
_LEAST, _MOST = math.log(1e-3), math.log(1e5)


def match_compactness(
    estimator, X, wanted, *, parameter="compactness", tol=0.002, max_iter=10, masks=None
):
    """Make the superpixels of a fitted estimator as compact as wanted.

    With any method, less compact superpixels follow borders better. Methods should therefore be
    compared when their superpixels are equally compact, not when their parameters are equal.
    This function sets the parameter that weighs space against the features when images are
    segmented. It leaves the fitted model as it is: the network of a `TrainableSLIC`, which
    learned with another compactness, is not fitted again.

    Parameters
    ----------
    estimator : estimator
        Fitted estimator whose ``transform`` returns superpixels: `SLIC`, `TrainableSLIC`, or a
        pipeline that ends with one of them. Its parameter is changed.
    X : sequence of ndarray
        Images to segment, as ``transform`` takes them. No ground truth is used, so they may be
        the images that methods are compared on, or a sample of them.
    wanted : float
        Wanted mean :func:`sksuperpixel.metrics.compactness` of the superpixels, in (0, 1).
    parameter : str, default="compactness"
        Name of the parameter to change. For a step of a pipeline, ``"slic__compactness"``.
    tol : float, default=0.002
        Largest accepted difference from `wanted`.
    max_iter : int, default=10
        Maximum number of times that the images are segmented. If `tol` is not reached by then,
        the parameter that came nearest is kept.
    masks : sequence of ndarray of shape (H, W) or (D, H, W), bool, or None, default=None
        Where superpixels are wanted, one mask (or None) per image.

    Returns
    -------
    float
        The mean compactness reached.

    Raises
    ------
    ValueError
        If `wanted` is not between 0 and 1, or if the estimator has no such parameter.

    Examples
    --------
    >>> from skimage.data import astronaut
    >>> from sksuperpixel import SLIC, match_compactness
    >>> images = [astronaut()[:128, :128]]
    >>> slic = SLIC().fit(images)
    >>> round(match_compactness(slic, images, 0.4), 2)
    0.4
    >>> slic.compactness < 10
    True
    """
    if not 0 < wanted < 1:
        raise ValueError(f"wanted: found {wanted}, expected a compactness between 0 and 1")
    if parameter not in estimator.get_params():
        raise ValueError(
            f"parameter: found {parameter!r}, expected a parameter of the estimator; for a step "
            "of a pipeline, a name such as 'slic__compactness'"
        )
    tried = []  # pairs of the logarithm of the parameter and the compactness that it leads to
    before = estimator.get_params()[parameter]
    value = math.log(max(before, 0.1))
    for _ in range(max(1, max_iter)):
        estimator.set_params(**{parameter: math.exp(value)})
        try:
            # Not the metric itself: the scorer knows what is outside masks, whatever its label.
            tried.append((value, SCORERS["compactness"](estimator, X, masks=masks)))
        except Exception:
            estimator.set_params(**{parameter: before})
            raise
        if abs(tried[-1][1] - wanted) <= tol:
            break
        value = min(max(_next_guess(tried, wanted), _LEAST), _MOST)
        if value in [each for each, _ in tried]:
            break  # tried before: `wanted` is out of reach
    value, reached = min(tried, key=lambda pair: abs(pair[1] - wanted))
    estimator.set_params(**{parameter: math.exp(value)})
    return float(reached)


def _next_guess(tried, wanted):
    """Interpolate between the nearest trials on both sides, or extrapolate from the nearest."""
    below = max((pair for pair in tried if pair[1] <= wanted), default=None, key=lambda p: p[1])
    above = min((pair for pair in tried if pair[1] > wanted), default=None, key=lambda p: p[1])
    if below is None or above is None:
        value, reached = below or above
        # Steps grow, because the slope is almost 0 at either end.
        return value + (wanted - reached) / _SLOPE * 1.5 ** (len(tried) - 1)
    share = (wanted - below[1]) / (above[1] - below[1])
    # Stay away from both trials, because the curve between them is not straight.
    share = min(max(share, 0.1), 0.9)
    return below[0] + share * (above[0] - below[0])
