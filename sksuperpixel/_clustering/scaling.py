"""Features whose squares would leave the range of float32."""

from dataclasses import replace

import numpy as np

# Numbers from 2^-24 to 2^24 are left as they are. Their squares, the squares of their differences
# and sums of many squares are float32 numbers, too.
_LARGEST_EXPONENT = 24


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
    """
    inside = {} if image.mask is None else {"where": image.mask, "initial": 0}
    features = image.weighted
    largest = max(features.max(**inside), -features.min(**inside), settings.compactness)
    exponent = int(np.frexp(largest)[1])
    if abs(exponent) <= _LARGEST_EXPONENT or largest == 0:
        return image, settings
    # By ldexp, because the factor itself may be too large for float32.
    weighted = np.ldexp(features, -exponent)
    compactness = float(np.ldexp(settings.compactness, -exponent))
    return image._replace(weighted=weighted), replace(settings, compactness=compactness)
