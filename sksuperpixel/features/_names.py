"""Features that have a name, as the parameter `features` of estimators takes them."""

from sksuperpixel.features._channel_union import ChannelUnion
from sksuperpixel.features._lab import LabFeatures
from sksuperpixel.features.scattering.transformer import ScatteringFeatures

# Colours are smoothed a little, because noise in a pixel's colour says nothing about its segment.
# With less or more, BSDS500's validation images had a larger undersegmentation error.
_SMOOTHING = 0.7


def features_of_name(name, channel_axis=-1, data_range=None):
    """Make the transformer that a name of features stands for.

    Parameters
    ----------
    name : {"lab", "scattering"}
        ``"lab"``: colour in CIELAB. ``"scattering"``: slightly smoothed colour, and texture as the
        scattering transform of lightness describes it, at one and at two scales. These are 93
        features, of which a learned distance keeps those that help.
    channel_axis : int or None, default=-1
        Which axis of an image holds its channels; None for grey images without such an axis.
    data_range : float or pair of float, default=None
        Values of black and white, or only of white, see `LabFeatures`.

    Returns
    -------
    LabFeatures or ChannelUnion
        Not fitted.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> from sksuperpixel.features import features_of_name
    >>> features_of_name("lab")
    LabFeatures()
    """
    shared = {"channel_axis": channel_axis, "data_range": data_range}
    if name == "lab":
        return LabFeatures(**shared)
    if name != "scattering":
        raise ValueError(f"name: found {name!r}, expected 'lab' or 'scattering'")
    return ChannelUnion(
        [
            ("lab", LabFeatures(sigma=_SMOOTHING, **shared)),
            ("fine", ScatteringFeatures(J=1, channels="lightness", **shared)),
            ("coarse", ScatteringFeatures(J=2, channels="lightness", **shared)),
        ],
        channel_axis=channel_axis,
    )
