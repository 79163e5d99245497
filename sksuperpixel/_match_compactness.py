"""Make superpixels of several methods comparable: equally compact."""

import math

from sksuperpixel.metrics import compactness

# How much more compact superpixels get where the parameter grows by a factor of e: typical, to
# start from.
_SLOPE = 0.15
# Logarithms of the parameter beyond which nothing changes any more.
_LEAST, _MOST = math.log(1e-3), math.log(1e5)


def match_compactness(
    estimator, X, wanted, *, parameter="compactness", tol=0.002, max_iter=10, masks=None
):
    """Set how compact a fitted estimator's superpixels are.

    Less compact superpixels follow borders better whatever the method, so methods are compared
    at equal compactness of their superpixels, not at equal parameters. The parameter weighs
    space against the features when images are segmented, and this sets it after fitting. (While
    `TrainableSLIC` is fitted, it also scales what the network sees.)

    Parameters
    ----------
    estimator : estimator
        Fitted, with ``transform`` giving superpixels: `SLIC`, `TrainableSLIC`, or a pipeline
        that ends with one. Its parameter is changed.
    X : sequence of ndarray
        Images to segment for it, as ``transform`` takes them. No ground truth is looked at, so
        they may be those to compare methods on; a sample of them will do.
    wanted : float
        Mean :func:`sksuperpixel.metrics.compactness` of their superpixels, in (0, 1).
    parameter : str, default="compactness"
        Name of the parameter: of the step of a pipeline, ``"slic__compactness"``.
    tol : float, default=0.002
        How near to `wanted` is near enough.
    max_iter : int, default=10
        Most times to segment the images. The nearest that was found is taken then.
    masks : sequence of ndarray of shape (H, W), bool, or None, default=None
        Where superpixels are wanted.

    Returns
    -------
    float
        Mean compactness reached.

    Raises
    ------
    ValueError
        If `wanted` is not between 0 and 1, or the estimator has no such parameter.

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
            f"parameter: found {parameter!r}, which the estimator does not have; in a pipeline it "
            "is that of a step, such as 'slic__compactness'"
        )
    options = {} if masks is None else {"masks": masks}
    tried = []  # pairs of the parameter's logarithm and the compactness it gives
    value = math.log(max(estimator.get_params()[parameter], 0.1))
    for _ in range(max(1, max_iter)):
        estimator.set_params(**{parameter: math.exp(value)})
        tried.append((value, compactness(estimator.transform(X, **options))))
        if abs(tried[-1][1] - wanted) <= tol:
            break
        value = min(max(_next_guess(tried, wanted), _LEAST), _MOST)
        if value in [each for each, _ in tried]:
            break  # out of reach
    value, reached = min(tried, key=lambda pair: abs(pair[1] - wanted))
    estimator.set_params(**{parameter: math.exp(value)})
    return float(reached)


def _next_guess(tried, wanted):
    """Interpolate between the nearest on both sides, or go on from the nearest."""
    below = max((pair for pair in tried if pair[1] <= wanted), default=None, key=lambda p: p[1])
    above = min((pair for pair in tried if pair[1] > wanted), default=None, key=lambda p: p[1])
    if below is None or above is None:
        value, reached = below or above
        # Farther each time: at either end the slope is almost 0.
        return value + (wanted - reached) / _SLOPE * 1.5 ** (len(tried) - 1)
    share = (wanted - below[1]) / (above[1] - below[1])
    # Not too near to either end: what is between them is not straight.
    share = min(max(share, 0.1), 0.9)
    return below[0] + share * (above[0] - below[0])
