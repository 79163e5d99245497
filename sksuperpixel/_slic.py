"""SLIC over any features, as a scikit-learn estimator."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from sksuperpixel._clusters import ONE_THREAD, Grid, weigh
from sksuperpixel._connectivity import (
    connected_regions,
    merge_small_regions,
    merge_to_number,
    without_gaps,
)
from sksuperpixel._iterations import cluster_pixels
from sksuperpixel._refinement import refine_borders
from sksuperpixel._superpixel_transformer import (
    SuperpixelTransformer,
    check_number,
    image_grid,
)
from sksuperpixel._validation import check_channel_weights

# Regions are merged to a number in steps, with this many times fewer regions each, and their
# borders are refined by some passes in between: where they lie shows better which to merge.
_STEP = 2
_PASSES_BETWEEN = 2
# With the border in the cost of a merge, this share of the compactness gives superpixels as
# compact as the whole of it would without; chosen on BSDS500's validation images, too.
_MERGE_COMPACTNESS = 0.6


def slic_regions(
    features, grid, *, min_size_factor, threads=ONE_THREAD, cluster=cluster_pixels, **options
):
    """Cluster pixels, then make each superpixel one connected region that is not too small.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    grid : Grid
    min_size_factor : float
        Regions smaller than this share of a grid cell join a neighbour.
    threads : Threads, default=ONE_THREAD
    cluster : callable, default=cluster_pixels
        Gives labels and clusters.
    **options : dict
        Of `cluster`.

    Returns
    -------
    regions : ndarray of shape (D, H, W), int32
        0 .. K - 1 by first pixel in raster order; -1 outside the mask.
    n_regions : int
        K.
    """
    labels, _ = cluster(features, grid, threads=threads, **options)
    regions, n_regions = connected_regions(labels)
    min_count = min_size_factor * grid.cell_volume
    return regions, merge_small_regions(features, regions, n_regions, min_count, threads)


def exact_regions(
    features,
    n_segments,
    oversegmentation,
    spacing,
    *,
    compactness,
    refine_iter,
    edges=None,
    **options,
):
    """Find more regions than asked, then merge the cheapest pairs down to exactly the number.

    Borders are refined on the way.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
    n_segments : int
        At most the number of pixels.
    oversegmentation : float
        About how many times as many regions to start from.
    spacing : tuple of 3 float
    compactness : float
    refine_iter : int
        Most passes over the borders in the end; fewer in between; 0 for none at all.
    edges : ndarray of shape (D, H, W), float32, default=None
        Edge map, in [0, 1], for merging.
    **options : dict
        Of `slic_regions`.

    Returns
    -------
    regions : ndarray of shape (D, H, W), int32
    n_regions : int
        `n_segments`, or the number of parts of the mask where that is larger.
    """
    shape, mask = features.shape[1:], options.get("mask")
    n_pixels = np.prod(shape) if mask is None else np.count_nonzero(mask)
    target = Grid.with_cells(shape, n_pixels / n_segments, spacing)
    finer = oversegmentation
    n_regions = 0
    while n_regions < n_segments:
        grid = Grid.with_cells(shape, n_pixels / (n_segments * finer), spacing)
        if grid.cell_volume < 1:
            # Nothing is finer than one region a pixel.
            regions = np.full(shape, -1, np.int32)
            regions[slice(None) if mask is None else mask] = np.arange(n_pixels).reshape(
                shape if mask is None else -1
            )
            n_regions = int(n_pixels)
        else:
            regions, n_regions = slic_regions(features, grid, compactness=compactness, **options)
        finer *= 2
    threads = options.get("threads", ONE_THREAD)
    scale = target.scale(_MERGE_COMPACTNESS * compactness)

    def merge(n_regions, n_wanted):
        return merge_to_number(features, regions, n_regions, n_wanted, scale, edges, threads)

    if refine_iter == 0:
        return regions, merge(n_regions, n_segments)
    while True:
        wanted = max(n_segments, n_regions // _STEP)
        n_regions = merge(n_regions, wanted)
        # Parts of a mask that do not touch may leave more regions than wanted.
        done = wanted == n_segments or n_regions > wanted
        grid = Grid.with_cells(shape, n_pixels / n_regions, spacing)
        passes = refine_iter if done else min(refine_iter, _PASSES_BETWEEN)
        refine_borders(features, regions, n_regions, grid, compactness, passes, threads)
        if done:
            return connected_regions(regions)


def check_edge_channel(channel, n_features):
    """Raise ValueError if there is no such feature."""
    if channel is not None and not -n_features <= channel < n_features:
        raise ValueError(f"edge_channel: found {channel}, expected one of {n_features} features")


def edge_plane(image, channel):
    """Take the edge map from an image's features.

    Parameters
    ----------
    image : Planes
    channel : int or None

    Returns
    -------
    ndarray of shape (D, H, W), float32, or None

    Raises
    ------
    ValueError
        If there is no such channel, or it is not in [0, 1] where superpixels are wanted.
    """
    if channel is None:
        return None
    check_edge_channel(channel, len(image.features))
    edges = image.features[channel]
    inside = edges if image.mask is None else edges[image.mask]
    if inside.min() < 0 or inside.max() > 1:
        raise ValueError(
            f"image {image.index}: found edges from {inside.min():g} to {inside.max():g}, "
            "expected them in [0, 1]"
        )
    return edges


def numbered_regions(features, image, n_segments, oversegmentation, **options):
    """Find exactly a number of regions of an image.

    Parameters
    ----------
    features : ndarray of shape (C, D, H, W), float32
        What is compared: the image's features, weighted.
    image : Planes
    n_segments : int
    oversegmentation : float
    **options : dict
        Of `exact_regions`.

    Returns
    -------
    ndarray of shape (D, H, W), int32

    Raises
    ------
    ValueError
        If its mask has more parts than that.
    """
    regions, n_regions = exact_regions(
        features, n_segments, oversegmentation, image.spacing, **options
    )
    check_number(n_regions, n_segments, image.index)
    return regions


class SLIC(SuperpixelTransformer):
    r"""Superpixels by simple linear iterative clustering, over any features of the pixels.

    Clusters start on a regular grid. Each pixel goes to the cluster that is nearest in features
    and space among those nearby, each cluster moves to the mean of its pixels, and so on
    [1]_. Then every superpixel is made one connected region that is not too small.

    With `superpixel_size` this is the plain, local algorithm: a pixel's superpixel depends on
    its surroundings alone. With `n_segments` the image is first cut finer and then the cheapest
    pairs of adjacent regions are merged, down to exactly the number, which follows objects
    better at the same number of superpixels.

    Parameters
    ----------
    superpixel_size : float, default=16
        Step S of the grid, in pixels: about one superpixel for S x S pixels (S x S x S in a
        volume). Not used where `n_segments` is given.
    n_segments : int, default=None
        Exact number of superpixels of each image. None to follow `superpixel_size`.
    compactness : float, default=10.0
        Weight of distance in space, in units of the features: so much difference in features
        counts as much as a distance of one grid step.
    max_iter : int, default=5
        Number of iterations.
    channel_weights : array-like of shape (C,), default=None
        Weights of the features' squared differences; None for 1 each.
    features : "lab", "passthrough" or transformer, default="lab"
        What pixels are compared by: CIELAB colour, the images' own channels, or what a
        transformer of images into arrays (H, W, C) gives.
    channel_axis : int or None, default=-1
        Which axis of an image holds its channels. None for images (H, W) and volumes (D, H, W)
        without such an axis. An image with two axes is always a grey one.
    spacing : sequence of float, default=None
        Size of a pixel along each axis of the images, channels left out, in any unit; None
        where pixels are square. S is in pixels of the finest axis.
    min_size_factor : float, default=0.25
        Connected regions with fewer pixels than this share of a grid cell are merged into the
        neighbour where that costs least.
    enforce_connectivity : bool, default=True
        Whether to make each superpixel one connected region. If not, superpixels are the
        clusters, and `n_segments` is only approximate.
    oversegmentation : float, default=6.0
        How many times finer than `n_segments` to cut before merging. 1 switches merging off:
        the number is then approximate.
    edge_channel : int, default=None
        Which of the features, counted from the end where negative, is an edge map, in [0, 1].
        With `n_segments`, regions with weak edges between them are merged first. The distance
        takes it for a feature like any other: beside colours it hardly counts. Not used where
        ``oversegmentation=1`` switches merging off, nor is `refine_iter`.
    refine_iter : int, default=5
        With `n_segments`: most passes over the borders of superpixels after merging, in which
        pixels change sides where that makes superpixels more alike inside, or borders shorter.
        0 for none.
    adaptive_compactness : bool, default=False
        Whether every cluster adapts its compactness to its own contrast (SLICO [2]_), so that
        textured and smooth parts get superpixels of like shape. `compactness` is then where it
        starts from.
    n_jobs : int, default=None
        Number of threads, shared by the images or, where there are fewer images, by the parts
        of each. None is 1 unless in a :obj:`joblib.parallel_backend` context, -1 all cores. The
        result does not depend on it.

    Attributes
    ----------
    features_ : transformer or None
        The fitted transformer; None for ``features="passthrough"``.
    n_channels_in_ : int
        Number of channels of the images fitted.

    See Also
    --------
    LabFeatures : The default features.
    ChannelUnion : Puts several features side by side.
    sksuperpixel.metrics.superpixel_report : Scores superpixels.

    Notes
    -----
    The squared distance of pixel i to cluster k is

    .. math:: D^2 = \sum_c w_c (f_{c,k} - f_{c,i})^2
              + \frac{\sigma^2}{S^2} \lVert p_k - p_i \rVert^2

    with the compactness :math:`\sigma`, over pixels at most S from the cluster along each axis.
    Equal distances go to the cluster that comes first in raster order, so the result is the
    same on any number of threads. Merging minimises the increase of the same sum of squares
    (Ward), weighted by the length of the border between the two regions. Refining lowers

    .. math:: E = \sum_i \Bigl( \sum_c w_c (f_{c,i} - \bar f_c)^2
              + \frac{(\sigma / 4)^2}{S^2} \lVert p_i - \bar p \rVert^2 \Bigr)
              + 0.3 \, \sigma^2 \, L

    with the means of the superpixel of pixel i and the length L of all borders in pixels, by
    moving single pixels, as in [3]_, while every superpixel stays connected. With an edge map,
    what a merge costs is multiplied by 2/5 plus the mean strength of the edges that go.

    Progress bars of scikit-learn's callbacks show the images of `transform`; for a search, set
    them on the search.

    References
    ----------
    .. [1] R. Achanta, A. Shaji, K. Smith, A. Lucchi, P. Fua, S. Süsstrunk. "SLIC superpixels
       compared to state-of-the-art superpixel methods". IEEE TPAMI 34(11), 2012.
    .. [2] R. Achanta et al. "SLICO: zero parameter version of SLIC", EPFL, 2012.
       https://www.epfl.ch/labs/ivrl/research/slic-superpixels/
    .. [3] J. Yao, M. Boben, S. Fidler, R. Urtasun. "Real-time coarse-to-fine topologically
       preserving segmentation". CVPR 2015.

    Examples
    --------
    >>> from skimage.data import astronaut
    >>> from sksuperpixel import SLIC
    >>> superpixels = SLIC(n_segments=300).fit_transform([astronaut()])
    >>> superpixels[0].shape, superpixels[0].min().item(), superpixels[0].max().item()
    ((512, 512), 0, 299)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "superpixel_size": [Interval(Real, 1, None, closed="left")],
        "n_segments": [Interval(Integral, 1, None, closed="left"), None],
        "compactness": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "channel_weights": ["array-like", None],
        "features": [StrOptions({"lab", "passthrough"}), HasMethods(["fit", "transform"])],
        "channel_axis": [Integral, None],
        "spacing": ["array-like", None],
        "min_size_factor": [Interval(Real, 0, 1, closed="both")],
        "enforce_connectivity": ["boolean"],
        "oversegmentation": [Interval(Real, 1, None, closed="left")],
        "edge_channel": [Integral, None],
        "refine_iter": [Interval(Integral, 0, None, closed="left")],
        "adaptive_compactness": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        superpixel_size=16,
        *,
        n_segments=None,
        compactness=10.0,
        max_iter=5,
        channel_weights=None,
        features="lab",
        channel_axis=-1,
        spacing=None,
        min_size_factor=0.25,
        enforce_connectivity=True,
        oversegmentation=6.0,
        edge_channel=None,
        refine_iter=5,
        adaptive_compactness=False,
        n_jobs=None,
    ):
        self.superpixel_size = superpixel_size
        self.n_segments = n_segments
        self.compactness = compactness
        self.max_iter = max_iter
        self.channel_weights = channel_weights
        self.features = features
        self.channel_axis = channel_axis
        self.spacing = spacing
        self.min_size_factor = min_size_factor
        self.enforce_connectivity = enforce_connectivity
        self.oversegmentation = oversegmentation
        self.edge_channel = edge_channel
        self.refine_iter = refine_iter
        self.adaptive_compactness = adaptive_compactness
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Check the parameters and fit the features' transformer.

        SLIC itself learns nothing: every image is segmented on its own.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W), (H, W, C), (D, H, W) or (D, H, W, C)
            Images; their sizes may differ.
        y : sequence of ndarray of shape (H, W) or (A, H, W), default=None
            Segmentations, one an image, for a transformer that learns from them.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, the images or the segmentations are not as expected.
        TypeError
            If the images are no sequence of arrays of numbers.
        """
        if self.adaptive_compactness and self.compactness == 0:
            raise ValueError("compactness: found 0, expected more with adaptive_compactness")
        features, n_channels = self._fit_features(X, y)
        if isinstance(self.features, str):
            n_features = n_channels if features is None else 3
            check_channel_weights(self.channel_weights, n_features)
        self.features_ = features
        self.n_channels_in_ = n_channels
        return self

    def _segment(self, image, threads):
        """Choose between the three ways to an image's regions."""
        features = image.features
        features = weigh(features, check_channel_weights(self.channel_weights, len(features)))
        options = {
            "compactness": float(self.compactness),
            "adaptive": self.adaptive_compactness,
            "max_iter": self.max_iter,
            "mask": image.mask,
            "threads": threads,
        }
        grid = image_grid(image, self.superpixel_size, self.n_segments)
        if not self.enforce_connectivity:
            labels, _ = cluster_pixels(features, grid, **options)
            without_gaps(labels)
            return labels
        options["min_size_factor"] = self.min_size_factor
        if self.n_segments is None or self.oversegmentation == 1:
            return slic_regions(features, grid, **options)[0]
        options["refine_iter"] = self.refine_iter
        options["edges"] = edge_plane(image, self.edge_channel)
        return numbered_regions(features, image, self.n_segments, self.oversegmentation, **options)
