"""Pair features: numbers that functions compute for a pixel and each of its candidates."""

import numpy as np


def line_ends(candidates, centres, shape):
    """Find the pixels nearest to candidates' centres.

    Parameters
    ----------
    candidates : ndarray of shape (n, Q), int32
        -1 where absent.
    centres : ndarray of shape (K, 3), float32
    shape : tuple of 3 int
        Shape of the image.

    Returns
    -------
    ndarray of shape (n, Q, 3), int32
        -1 where absent.
    """
    nearest = np.clip(np.rint(centres), 0, np.asarray(shape) - 1).astype(np.int32)
    ends = nearest[candidates]
    ends[candidates < 0] = -1
    return ends


def pair_values(pair_features, features, pixels, candidates, centres):
    """Compute the pair features of some pixels and each of their candidates.

    Parameters
    ----------
    pair_features : sequence of callable
    features : ndarray of shape (C, D, H, W), float32
    pixels : ndarray of shape (n, 3), int32
    candidates : ndarray of shape (n, Q), int32
        -1 where absent.
    centres : ndarray of shape (K, 3), float32

    Returns
    -------
    ndarray of shape (n, Q, P), float32
        0 where absent.

    Raises
    ------
    ValueError
        If a function does not return one finite number for each pixel and candidate.
    """
    values = np.zeros((*candidates.shape, len(pair_features)), np.float32)
    if not pair_features:
        return values
    present = candidates >= 0
    ends = line_ends(candidates, centres, features.shape[1:])
    for number, function in enumerate(pair_features):
        found = np.asarray(function(features, pixels, ends))
        name = f"pair_features[{number}]"
        if found.shape != candidates.shape or found.dtype.kind not in "biuf":
            raise ValueError(
                f"{name}: found an array of shape {found.shape} of {found.dtype}, expected "
                f"{candidates.shape}, one real number for each pixel and candidate"
            )
        with np.errstate(over="ignore"):
            found = found.astype(np.float32)
        if not np.isfinite(found[present]).all():
            raise ValueError(
                f"{name}: found NaN or infinity, or numbers beyond float32, expected finite "
                "numbers where there is a candidate"
            )
        np.copyto(values[..., number], found, where=present)
    return values
