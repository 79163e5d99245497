"""Make the superpixels of several methods equally compact, to compare the methods."""

from sksuperpixel._clustering.compactness_search import search_compactness
from sksuperpixel.metrics import SCORERS


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
    before = estimator.get_params()[parameter]

    def measure(value):
        # Not the metric itself: the scorer knows what is outside masks, whatever its label.
        estimator.set_params(**{parameter: value})
        return SCORERS["compactness"](estimator, X, masks=masks)

    try:
        value, reached = search_compactness(
            measure, wanted, start=max(before, 0.1), tol=tol, max_iter=max(1, max_iter)
        )
    except Exception:
        estimator.set_params(**{parameter: before})
        raise
    estimator.set_params(**{parameter: value})
    return float(reached)
