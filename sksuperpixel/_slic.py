"""SLIC over any features, as a scikit-learn estimator."""

from sksuperpixel._base import SHARED_CONSTRAINTS, SuperpixelTransformer
from sksuperpixel._clustering.distance import WeightedDistance
from sksuperpixel._clustering.superpixels import check_edge_channel
from sksuperpixel._images.parameters import check_channel_weights
from sksuperpixel._images.reader import ImageReader


class SLIC(SuperpixelTransformer):
    r"""Superpixels by simple linear iterative clustering, over any features of the pixels.

    Clusters start on a regular grid. Each pixel goes to the cluster that is nearest in features
    and space among those nearby, each cluster moves to the mean of its pixels, and both steps
    are repeated [1]_. Finally, every superpixel is made one connected region, and regions that
    are too small are merged into a neighbour.

    With `superpixel_size` this is the plain, local algorithm: a pixel's superpixel depends on
    its surroundings alone. With `n_segments` the image is first cut into more regions than
    wanted. Then adjacent regions are merged, the cheapest pair first, until exactly `n_segments`
    are left. At the same number of superpixels, these follow objects better than those of the
    plain algorithm.

    Parameters
    ----------
    superpixel_size : float, default=16
        Step S of the grid, in pixels. There is about one superpixel per S x S pixels
        (S x S x S in a volume). Ignored if `n_segments` is given.
    n_segments : int, default=None
        Exact number of superpixels in each image. If None, `superpixel_size` decides.
    compactness : float, default=10.0
        Weight of distance in space, in units of the features: a difference of this size in the
        features counts as much as a distance of one grid step. At most 1e37.
    adaptive_compactness : bool, default=False
        Whether every cluster adapts its compactness to its own contrast (SLICO [2]_), so that
        textured and smooth parts get superpixels of similar shape. Every cluster starts with
        `compactness`.
    max_iter : int, default=5
        Number of iterations, at most 10,000.
    features : "lab", "passthrough" or transformer, default="lab"
        What pixels are compared by: CIELAB colour ("lab"), the images' own channels
        ("passthrough"), or the results of a transformer of images into arrays (H, W, C).
    channel_weights : array-like of shape (C,), default=None
        Weights of the features' squared differences, at most 1e30. If None, every weight is 1.
    enforce_connectivity : bool, default=True
        Whether to make each superpixel one connected region. If False, the superpixels are the
        clusters, and `n_segments` is only approximate.
    oversegmentation : float, default=6.0
        Used with `n_segments`: the image is first cut into about `oversegmentation` times
        `n_segments` regions, which are then merged. With 1 nothing is merged, and the number of
        superpixels is only approximate. At most 1e6. This parameter and the next three control
        how regions are merged into superpixels.
    edge_channel : int, default=None
        Index of the feature that is an edge map with values in [0, 1]. Negative numbers count
        from the end: use -1 for ``LearnedFeatures(edges=True)``. With `n_segments`, regions with
        weak edges between them are merged first. The distance treats the edge map like any other
        feature, but next to colours, which vary much more, it hardly counts. With
        ``oversegmentation=1``, neither this parameter nor `refine_iter` has an effect.
    refine_iter : int, default=20
        Used with `n_segments`: maximum number of passes over the borders of superpixels after
        merging. In each pass, pixels move to the superpixel across the border where that makes
        superpixels more uniform or borders shorter. At most 10,000; 0 for no refinement.
    min_size_factor : float, default=0.25
        Connected regions with fewer pixels than this fraction of a grid cell are merged into the
        neighbour for which that costs least.
    channel_axis : int or None, default=-1
        Which axis of an image holds its channels. None for images (H, W) and volumes (D, H, W)
        without such an axis. An image with two axes is always a grey one.
    spacing : sequence of float, default=None
        Size of a pixel along each axis of the images except the channel axis, in any unit. None
        if pixels are square. S is measured in pixels along the axis with the smallest spacing.
        The largest spacing is at most a million times the smallest.
    start_label : int, default=0
        Label of the first superpixel. With 1, pixels outside a mask are 0, as
        :func:`skimage.measure.regionprops` expects.
    n_jobs : int, default=None
        Number of threads. They work on different images or, if there are fewer images than
        threads, on parts of one image. None means 1 unless in a :obj:`joblib.parallel_backend`
        context; -1 means all cores. At most four threads per core are used. The result does not
        depend on the number.

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
    A pixel that is equally near to several clusters goes to the one that comes first in raster
    order, so the result is the same on any number of threads.

    The cost of merging two regions is the increase of the same sum of squares (Ward's
    criterion, with :math:`0.6 \, \sigma` in place of :math:`\sigma`), divided by the fourth root
    of the length of the border between them. With an edge map, the cost is multiplied by 2/5
    plus the mean edge strength along that border. Refinement lowers

    .. math:: E = \sum_i \Bigl( \sum_c w_c (f_{c,i} - \bar f_c)^2
              + \frac{(\sigma / 4)^2}{S^2} \lVert p_i - \bar p \rVert^2 \Bigr)
              + 0.3 \, \sigma^2 \, L

    where :math:`\bar f` and :math:`\bar p` are the means of the superpixel of pixel i, and L is
    the length of all borders in pixels. It moves single pixels, as in [3]_, and keeps every
    superpixel connected.

    scikit-learn's progress bars show how many images `transform` has done. In a search, set the
    progress bar on the search.

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
        **SHARED_CONSTRAINTS,
        "enforce_connectivity": ["boolean"],
        "adaptive_compactness": ["boolean"],
    }

    def __init__(
        self,
        superpixel_size=16,
        *,
        n_segments=None,
        compactness=10.0,
        adaptive_compactness=False,
        max_iter=5,
        features="lab",
        channel_weights=None,
        enforce_connectivity=True,
        oversegmentation=6.0,
        edge_channel=None,
        refine_iter=20,
        min_size_factor=0.25,
        channel_axis=-1,
        spacing=None,
        start_label=0,
        n_jobs=None,
    ):
        self.superpixel_size = superpixel_size
        self.n_segments = n_segments
        self.compactness = compactness
        self.adaptive_compactness = adaptive_compactness
        self.max_iter = max_iter
        self.features = features
        self.channel_weights = channel_weights
        self.enforce_connectivity = enforce_connectivity
        self.oversegmentation = oversegmentation
        self.edge_channel = edge_channel
        self.refine_iter = refine_iter
        self.min_size_factor = min_size_factor
        self.channel_axis = channel_axis
        self.spacing = spacing
        self.start_label = start_label
        self.n_jobs = n_jobs

    def fit(self, X, y=None, masks=None):
        """Check the parameters and fit the feature transformer.

        SLIC itself learns nothing: every image is segmented on its own.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W), (H, W, C), (D, H, W) or (D, H, W, C)
            Images, whose sizes may differ. A NumPy masked array is an image with a mask.
        y : sequence of ndarray of shape (H, W) or (A, H, W), default=None
            Segmentations, one per image, for a transformer that learns from them.
        masks : sequence of ndarray of shape (H, W) or (D, H, W), bool, or None, default=None
            Where the images count, one mask (or None) per image. Only feature transformers that
            learn need them.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, the images or the segmentations are not as expected.
        TypeError
            If the images are not a sequence of arrays of numbers.
        """
        self._check_params()
        reader = ImageReader(X, self.channel_axis, masks)
        n_channels = reader.first.n_channels
        features = self._fit_features(reader, y)
        if isinstance(self.features, str):
            n_features = n_channels if features is None else 3
            self._distance(n_features)
            check_edge_channel(self.edge_channel, n_features)
        # At once, so that Ctrl-C cannot come in between.
        vars(self).update(features_=features, n_channels_in_=n_channels)
        return self

    def _check_params(self):
        super()._check_params()
        if self.adaptive_compactness and self.compactness == 0:
            raise ValueError(
                "compactness: found 0, expected more than 0 with adaptive_compactness"
            )

    def _channels_looked_at(self, n_features):
        weights = self._distance(n_features).weights
        return super()._channels_looked_at(n_features) if weights is None else weights > 0

    def _distance(self, n_features):
        return WeightedDistance(check_channel_weights(self.channel_weights, n_features))
