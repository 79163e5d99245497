"""A pair feature that describes the line from a pixel to a cluster."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import StrOptions

from sksuperpixel._clustering.kernels.lines import along_lines
from sksuperpixel._documentation import DocumentedOnline
from sksuperpixel._images.parameters import as_floats, shown

# The numbers that stand for the statistics in the kernel.
_STATISTICS = {"sum": 0, "max": 1, "variation": 2, "deviation": 3}


class PathFeature(DocumentedOnline, BaseEstimator):
    r"""Statistic of the features on the straight line from a pixel to a cluster's centre.

    A pixel and a cluster may look alike and still belong to two objects, with a border or a
    third object between them. The difference of their features does not show that, but what
    lies on the line between them does.

    Parameters
    ----------
    statistic : {"sum", "max", "variation", "deviation"}, default="sum"
        What to compute from the features f at the pixels :math:`i_0, \ldots, i_n` of the line:

        - "sum", "max": the sum or the largest of the values :math:`\sum_c f_c(i_t)`. The sum of
          an edge map is the total strength of the edges that the line crosses.
        - "variation": :math:`\sum_t \lVert f(i_t) - f(i_{t-1}) \rVert`, how much the features
          change on the way, up and down.
        - "deviation": :math:`\sqrt{\mathrm{mean}_t \lVert f(i_t) - f(i_0) \rVert^2}`, how much
          the features on the way differ from those of the pixel.
    channels : sequence of int, default=None
        Indices of the features to use, each at most once. Negative numbers count from the end.
        None for all.

    See Also
    --------
    TrainableSLIC : Takes path features, and other functions like them, as `pair_features`.
    LearnedFeatures : With ``edges=True``, its last feature is an edge map.

    Notes
    -----
    Successive pixels of a line share a face, so no line slips diagonally through an edge. A line
    ends at the pixel nearest to the cluster's centre. The pixels at both ends count.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel import PathFeature
    >>> edges = np.zeros((1, 1, 3, 8), np.float32)  # one channel, one plane, 3 x 8 pixels
    >>> edges[..., 4] = 1
    >>> pixels = np.array([[0, 1, 1]])
    >>> ends = np.array([[[0, 1, 2], [0, 0, 6]]])  # the second line crosses the edge
    >>> PathFeature("sum")(edges, pixels, ends).tolist()
    [[0.0, 1.0]]
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "statistic": [StrOptions(set(_STATISTICS))],
        "channels": ["array-like", None],
    }

    def __init__(self, statistic="sum", channels=None):
        self.statistic = statistic
        self.channels = channels

    def __call__(self, features, pixels, ends):
        """Compute the statistic.

        Parameters
        ----------
        features : ndarray of shape (C, D, H, W), float32
            Features of one image. D is 1 for an image that is not a volume.
        pixels : ndarray of shape (n, 3), int
            Plane, row and column of each pixel.
        ends : ndarray of shape (n, Q, 3), int
            The pixels where the lines from each pixel end; negative where there is no line.

        Returns
        -------
        ndarray of shape (n, Q), float32
            Infinity where there is no line.

        Raises
        ------
        ValueError
            If a parameter or an array is not as expected, if there is no such channel, or if a
            line leaves the image.
        """
        self._validate_params()
        features = np.ascontiguousarray(features, np.float32)
        pixels, ends = (np.ascontiguousarray(each, np.int32) for each in (pixels, ends))
        _check_lines(features, pixels, ends)
        self._check_channels(len(features))
        if self.channels is not None:
            features = features[np.asarray(self.channels, np.intp)]
        along = np.empty(ends.shape[:2], np.float32)
        along_lines(features, pixels, ends, _STATISTICS[self.statistic], along)
        return along

    def _check_channels(self, n_features):
        """Raise ValueError if one of the channels does not exist."""
        if self.channels is None:
            return
        channels = as_floats("channels", self.channels, "whole numbers")
        if channels.ndim != 1 or not channels.size or (channels != np.rint(channels)).any():
            raise ValueError(f"channels: found {shown(self.channels)}, expected whole numbers")
        if channels.min() < -n_features or channels.max() >= n_features:
            raise ValueError(
                f"channels: found {shown(self.channels)}, expected indices of {n_features} "
                "features"
            )
        if len(np.unique(channels % n_features)) < len(channels):
            raise ValueError(
                f"channels: found {shown(self.channels)}, expected each channel at most once"
            )


def _check_lines(features, pixels, ends):
    """Check that lines start and end inside the image."""
    if features.ndim != 4 or pixels.shape != (len(ends), 3) or ends.shape[2:] != (3,):
        raise ValueError(
            f"found features of shape {features.shape}, pixels of shape {pixels.shape} and ends "
            f"of shape {ends.shape}, expected (C, D, H, W), (n, 3) and (n, Q, 3)"
        )
    shape = np.asarray(features.shape[1:])
    # A negative end means that there is no line.
    if (pixels < 0).any() or (pixels >= shape).any() or (ends >= shape).any():
        raise ValueError(
            f"found pixels or ends outside an image of shape {features.shape[1:]}, expected them "
            "inside, or negative ends"
        )
