"""SLIC that learns from segmentations which cluster a pixel belongs to."""

from numbers import Integral, Real

from sklearn.base import BaseEstimator, clone
from sklearn.callback import with_callbacks
from sklearn.utils import check_random_state, estimator_html_repr
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._base import SHARED_CONSTRAINTS, SuperpixelTransformer
from sksuperpixel._clustering.distance import NetworkDistance
from sksuperpixel._documentation import with_parameters_of
from sksuperpixel._images.reader import ImageReader
from sksuperpixel._learning.label_maker import LabelMaker
from sksuperpixel._learning.learning import LearningMixin
from sksuperpixel._learning.mining import MiningMixin
from sksuperpixel._learning.parameters import (
    check_label_maker,
    check_n_candidates,
    check_pair_features,
)
from sksuperpixel._learning.printing import with_short_networks
from sksuperpixel._learning.progress import fit_progress
from sksuperpixel._slic import SLIC
from sksuperpixel._torch import require
from sksuperpixel.features._names import features_of_name
from sksuperpixel.models._mixin import ModelFilesMixin


@with_parameters_of(SLIC)
class TrainableSLIC(LearningMixin, MiningMixin, ModelFilesMixin, SuperpixelTransformer):
    """Superpixels whose assignment of pixels to clusters is learned from segmentations.

    SLIC assigns each pixel to the cluster that is nearest by a distance set by hand. Here a small
    network chooses among the clusters near the pixel. It learns from segmentations which of
    these clusters lie in the pixel's own segment.

    Parameters
    ----------
    superpixel_size, n_segments, compactness
        As in `SLIC`.
    compactness_spread : float, default=2.0
        The compactness for each training image is drawn at random and differs from
        `compactness` by at most this factor. With about 2, a fitted model can later be made
        more or less compact, for example by `match_compactness`. With 1 the network learns from
        one compactness only. At most 1e6.
    n_candidates : int, default=7
        Q, the number of spatially nearest clusters that a pixel can go to. At most 100.
    max_iter
        As in `SLIC`.
    features : "lab", "scattering", "passthrough" or transformer, default="lab"
        What pixels are compared by: CIELAB colour ("lab"), slightly smoothed colour together with
        90 scattering maps of texture ("scattering"), the images' own channels ("passthrough"), or
        the results of a transformer of images into arrays (H, W, C).
    pair_features : sequence of callable, default=()
        Functions whose values the network sees for each pixel and candidate, besides the
        differences of their features. Each ``function(features, pixels, ends)`` returns an
        array (n, Q), one number for each pixel and candidate. Its arguments, which it must not
        change, are the features (C, D, H, W) of the image, the pixels (n, 3), and as `ends`
        (n, Q, 3) the pixels nearest to the centres of the candidates. Where a candidate is
        absent, `ends` is negative and the returned number is ignored. `PathFeature` makes such
        functions.
    channel_weights : array-like of shape (C,), default=None
        Weights of the features' squared differences in the initial distance, at most 1e30. This
        distance makes the first clusters and compares candidates for the label maker. The
        learned distance starts from it, and leaves out features of weight 0. If None, the
        initial weights are learned: first all features count the same, whatever their scales,
        and then the weights are those of the best distance of one layer.
    label_maker : LabelMaker, default=None
        Decides which candidates are right. None for ``LabelMaker()``.
    classifier : skorch.NeuralNetClassifier, default=None
        Chooses among the candidates. It is a network that turns the rows described in
        `sksuperpixel.networks` into log-probabilities, with a criterion for log-probabilities.
        None for ``make_distance_net(n_layers=3)``.
    n_pixels_per_image : int, default=1000
        Mean number of pixels to learn from in each image. They are drawn from those that the
        label maker keeps. Images with more of those teach more, but at most three times as much
        as the mean. None for all pixels that the label maker keeps. Weights of a distance of one
        layer are computed from up to three times as many, if there are few images.
    n_rounds : int, default=1
        Number of rounds of learning, at most 1000. The first round learns from the clusters of
        the initial distance, each later round from those of the model so far.
    oversegmentation, edge_channel, refine_iter, min_size_factor, channel_axis, spacing
        As in `SLIC`.
    start_label, n_jobs
        As in `SLIC`.
    device : str, default="cpu"
        Torch device that the network runs on.
    random_state : int, RandomState instance or None, default=None
        Seed for drawing pixels and annotators, initialising the network and shuffling batches.
    warm_start : bool, default=False
        Whether `fit` starts from the network that was fitted before. For a distance of one
        layer, whose weights are computed, that network makes the clusters to learn from.

    Attributes
    ----------
    classifier_ : skorch.NeuralNetClassifier
        The fitted network.
    features_ : transformer or None
        The fitted transformer; None for ``features="passthrough"``.
    pair_features_ : tuple of callable
        The pair features that the network was trained with.
    n_channels_in_ : int
        Number of channels of the images fitted.
    n_features_ : int
        C, the number of their features.
    n_pixels_ : int
        Number of pixels learned from in the last round.

    See Also
    --------
    SLIC : The algorithm with a distance set by hand.
    LabelMaker : Decides which candidates are right.

    Notes
    -----
    If there are at least two images, fifteen percent of them (at least one) are held out. The
    classifiers of `sksuperpixel.networks` stop training when the loss on these no longer
    improves. Whole images are held out, because pixels of one image are too alike.

    The scales of features do not matter. Distances of one layer have weights that can be
    computed, with those of useless features set to 0. Other networks are trained by gradient
    descent and start from such weights.

    After training, the networks of `sksuperpixel.networks` are adjusted so that on the training
    images superpixels are about as compact as those of `SLIC` on photographs, with the same
    values of `compactness` and `superpixel_size`.

    Examples
    --------
    >>> from sksuperpixel import TrainableSLIC
    >>> from sksuperpixel.datasets import make_texture_mosaics
    >>> from sksuperpixel.networks import make_distance_net
    >>> mosaics = make_texture_mosaics(n_images=4, image_shape=(64, 64), random_state=0)
    >>> slic = TrainableSLIC(
    ...     classifier=make_distance_net(1, max_epochs=3), n_pixels_per_image=200, random_state=0
    ... ).fit(mosaics.images, mosaics.segmentations)
    >>> slic.transform(mosaics.images[:1])[0].shape
    (64, 64)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **SHARED_CONSTRAINTS,
        "features": [
            StrOptions({"lab", "scattering", "passthrough"}),
            HasMethods(["fit", "transform"]),
        ],
        "compactness_spread": [Interval(Real, 1, 1e6, closed="both")],
        "n_candidates": [Interval(Integral, 1, 100, closed="both")],
        "pair_features": [tuple, list],
        "label_maker": [LabelMaker, None],
        "classifier": [HasMethods(["fit", "predict_proba"]), None],
        "n_pixels_per_image": [Interval(Integral, 1, None, closed="left"), None],
        "n_rounds": [Interval(Integral, 1, 1000, closed="both")],
        "device": [str],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
    }

    def __init__(
        self,
        superpixel_size=16,
        *,
        n_segments=None,
        compactness=10.0,
        compactness_spread=2.0,
        n_candidates=7,
        max_iter=5,
        features="lab",
        pair_features=(),
        channel_weights=None,
        label_maker=None,
        classifier=None,
        n_pixels_per_image=1000,
        n_rounds=1,
        oversegmentation=6.0,
        edge_channel=None,
        refine_iter=20,
        min_size_factor=0.25,
        channel_axis=-1,
        spacing=None,
        start_label=0,
        n_jobs=None,
        device="cpu",
        random_state=None,
        warm_start=False,
    ):
        self.superpixel_size = superpixel_size
        self.n_segments = n_segments
        self.compactness = compactness
        self.compactness_spread = compactness_spread
        self.n_candidates = n_candidates
        self.max_iter = max_iter
        self.features = features
        self.pair_features = pair_features
        self.channel_weights = channel_weights
        self.label_maker = label_maker
        self.classifier = classifier
        self.n_pixels_per_image = n_pixels_per_image
        self.n_rounds = n_rounds
        self.oversegmentation = oversegmentation
        self.edge_channel = edge_channel
        self.refine_iter = refine_iter
        self.min_size_factor = min_size_factor
        self.channel_axis = channel_axis
        self.spacing = spacing
        self.start_label = start_label
        self.n_jobs = n_jobs
        self.device = device
        self.random_state = random_state
        self.warm_start = warm_start

    @with_callbacks
    def fit(self, X, y, masks=None):
        """Learn from segmentations.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W), (H, W, C), (D, H, W) or (D, H, W, C)
            Images, whose sizes may differ. A NumPy masked array is an image with a mask.
        y : sequence of ndarray of shape (H, W) or (A, H, W)
            Segmentations, one per image, by one annotator or by A of them.
        masks : sequence of ndarray of shape (H, W) or (D, H, W), bool, or None, default=None
            Where to learn, one mask (or None) per image. Pixels outside are ignored.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, an image or a segmentation is not as expected, or if there is no
            pixel to learn from.
        TypeError
            If the images are not a sequence of arrays of numbers.
        ImportError
            If torch or skorch is not installed.
        """
        require("TrainableSLIC", "torch", "skorch")
        from sksuperpixel._learning.pixel_classifier import check_net

        self._check_params()
        label_maker = check_label_maker(self.label_maker, self.n_candidates)
        net = check_net(self.classifier, label_maker)
        if y is None:
            raise ValueError("y: found None, expected one segmentation for each image")
        # A copy is fitted, so that this estimator stays as it was if anything fails.
        learner = clone(self)
        learner.pair_features_ = tuple(self.pair_features)
        reader = ImageReader(X, self.channel_axis, masks)
        learner.features_ = learner._fit_features(reader, y)
        learner.n_channels_in_ = reader.n_channels = reader.first.n_channels
        if self.warm_start and hasattr(self, "classifier_"):
            learner.classifier_ = self.classifier_
        rng = check_random_state(self.random_state)
        n_passes = self.n_rounds + learner._learns_weights(net)
        with fit_progress(self, X, y, n_passes) as one_pass:
            learner._learn(reader, y, label_maker, net, rng, one_pass)
        # All at once, so that Ctrl-C cannot come in between.
        vars(self).update(
            {name: value for name, value in vars(learner).items() if name.endswith("_")}
        )
        return self

    def _check_params(self):
        super()._check_params()
        check_pair_features(self.pair_features)

    def _planes(self, image):
        if self.pair_features_ and self.features_ is None:
            # Pair features may look outside the mask, on the line from a pixel to a cluster.
            image = image._replace(pixels=image.filled().pixels)
        return super()._planes(image)

    def _distance(self, n_features):
        from sksuperpixel._learning.learned_distance import learned_distance

        if n_features != self.n_features_:
            raise ValueError(
                f"found {n_features} features, expected {self.n_features_}, as in the images "
                "learned from"
            )
        check_n_candidates(self.n_candidates, self.classifier_.module_)
        return learned_distance(
            self.classifier_,
            n_features,
            self.channel_weights,
            self.n_candidates,
            self.pair_features_,
        )

    def to_slic(self):
        """Make the plain `SLIC` that is equivalent to a learned distance of one layer.

        Returns
        -------
        SLIC
            It has the learned weights and the fitted features, and is ready to transform.
            Calling its `fit` would fit the features again.

        Raises
        ------
        ValueError
            If the network is not a distance of one layer, or if it sees pair features as well.
        """
        check_is_fitted(self, "classifier_")
        distance = self._distance(self.n_features_)
        if isinstance(distance, NetworkDistance):
            raise ValueError(
                f"classifier: found a {type(self.classifier_.module_).__name__} that differs from "
                "SLIC's distance, expected a DistanceNetwork of one layer, and no pair_features"
            )
        names = SLIC().get_params(deep=False)
        shared = {name: value for name, value in self.get_params(False).items() if name in names}
        if self.features == "scattering":
            shared["features"] = features_of_name("scattering", self.channel_axis)
        slic = SLIC(**{**shared, "channel_weights": distance.weights})
        slic.features_, slic.n_channels_in_ = self.features_, self.n_channels_in_
        return slic

    def __repr__(self, N_CHAR_MAX=700):
        return BaseEstimator.__repr__(with_short_networks(self), N_CHAR_MAX)

    def _html_repr(self):
        return estimator_html_repr(with_short_networks(self))
