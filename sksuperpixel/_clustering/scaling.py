"""Features whose squares would leave the range of float32."""

from dataclasses import replace

import numpy as np

from sksuperpixel._clustering.planes import largest_magnitude

# Numbers from 2^-24 to 2^24 are left as they are. Their squares, the squares of their differences
# and sums of many squares are float32 numbers, too.
_LARGEST_EXPONENT = 24
# The largest number that a network may see. Its square is a float32 number.
_LARGEST_INPUT = 1e18
# Number of pixels inside a mask that are looked at before all of them are.
_SAMPLE = 256


def scaled_to_range(image, settings):
    """Scale features and compactness together, if their squares may be too large or too small.

    All distances change by the same factor, so the superpixels are those of the original numbers.
    The factor is a power of two, so that scaling is exact.

    Parameters
    ----------
    image : Planes
        With its weighted features.
    settings : Settings

    Returns
    -------
    image : Planes
    settings : Settings

    Raises
    ------
    ValueError
        If a feature times the root of its weight is too large for float32.
    """
    largest = max(_largest(image.weighted, image.mask), settings.compactness)
    if not np.isfinite(largest):
        raise ValueError(
            "found features that are too large for float32 once they are weighted, expected "
            "smaller features or channel_weights"
        )
    exponent = int(np.frexp(largest)[1])
    if abs(exponent) <= _LARGEST_EXPONENT or largest == 0:
        return image, settings
    # What lies outside a mask may overflow. By ldexp, because the factor may be too large itself.
    with np.errstate(over="ignore", invalid="ignore"):
        weighted = np.ldexp(image.weighted, -exponent)
    compactness = float(np.ldexp(settings.compactness, -exponent))
    return image._replace(weighted=weighted), replace(settings, compactness=compactness)


def check_input_of_network(image):
    """Check that a network can square the features of an image.

    Parameters
    ----------
    image : Planes

    Raises
    ------
    ValueError
        If they are too large.
    """
    largest = _largest(image.features, image.mask)
    if largest > _LARGEST_INPUT:
        raise ValueError(
            f"found features up to {largest:.3g}, expected at most {_LARGEST_INPUT:g}, because a "
            "network squares them in float32"
        )


def _largest(features, mask):
    """Find the largest absolute value inside the mask.

    With a mask, the result is only a value inside if that suffices to know that no scaling is
    needed, because reductions with a mask are slow.
    """
    largest = largest_magnitude(features)
    if mask is None:
        return largest
    inside = np.flatnonzero(mask)
    some = features.reshape(len(features), -1)[:, inside[:: -(-len(inside) // _SAMPLE)]]
    in_sample = float(np.abs(some).max())
    if in_sample >= 2.0**-_LARGEST_EXPONENT and largest <= 2.0 ** (_LARGEST_EXPONENT - 1):
        return in_sample
    return float(
        max(
            features.max(where=mask, initial=0),
            -features.min(where=mask, initial=0),
        )
    )
