"""SLIC that learns from segmentations which cluster a pixel belongs to."""

from copy import copy
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.callback import with_callbacks
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._base import SHARED_CONSTRAINTS, SuperpixelTransformer
from sksuperpixel._clustering.distance import NetworkDistance, WeightedDistance
from sksuperpixel._clustering.settings import Settings
from sksuperpixel._clustering.superpixels import check_edge_channel
from sksuperpixel._images.errors import about_image
from sksuperpixel._images.parameters import check_channel_weights
from sksuperpixel._images.reader import ImageReader
from sksuperpixel._images.segmentations import check_segmentation
from sksuperpixel._learning.label_maker import LabelMaker
from sksuperpixel._learning.rounds import (
    Teacher,
    check_drawn,
    check_label_maker,
    draw_validation_images,
)
from sksuperpixel._learning.training_pixels import join_pixels
from sksuperpixel._slic import SLIC


class TrainableSLIC(SuperpixelTransformer):
    """Superpixels whose assignment of pixels to clusters is learned from segmentations.

    SLIC gives each pixel to the cluster that is nearest by a distance set by hand. Here a
    small network chooses among the pixel's nearest clusters, taught by segmentations: by which
    of these clusters lie in the pixel's own segment.

    Parameters
    ----------
    superpixel_size : float, default=16
        Step S of the grid, in pixels. Not used where `n_segments` is given.
    n_segments : int, default=None
        Exact number of superpixels of each image. None to follow `superpixel_size`.
    compactness : float, default=10.0
        Weight of distance in space, in units of the features.
    compactness_spread : float, default=1.0
        Each image is learned from at a compactness of its own, at most by this factor larger or
        smaller than `compactness`. With 2 or so, the fitted model can be made more or less
        compact, as by `match_compactness`; with 1 a network knows one compactness only.
    n_candidates : int, default=7
        Q: how many clusters, the nearest in space, a pixel can go to.
    max_iter : int, default=5
        Number of iterations.
    features : "lab", "passthrough" or transformer, default="lab"
        What pixels are compared by, see `SLIC`.
    pair_features : sequence of callable, default=()
        What else a network sees of a pixel and a candidate, beside the differences of their
        features: each ``function(features, pixels, ends)`` gives one number for each pixel and
        candidate, (n, Q), of the features (C, D, H, W) of the image, the pixels (n, 3) and the
        pixels (n, Q, 3) nearest to the candidates' centres; negative ones where there is no
        candidate, whose numbers do not matter. It must leave what it is given as it is.
        `PathFeature` makes such functions.
    channel_weights : array-like of shape (C,), default=None
        Weights of the features' squared differences in the distance to start from: clusters
        are first made and labelled by it, and a learned distance starts there. None for 1 each.
    label_maker : LabelMaker, default=None
        Which candidates are right. None for ``LabelMaker()``.
    classifier : skorch.NeuralNetClassifier, default=None
        What chooses among candidates: a network on rows as `sksuperpixel.networks` describes,
        that gives log-probabilities, with a criterion for them. None for
        ``make_distance_net(n_layers=3)``.
    n_pixels_per_image : int, default=1000
        Most pixels of each image to learn from, of those that the label maker keeps; None for
        all of these.
    n_rounds : int, default=1
        How often to learn: first at SLIC's clusters, then at those of the model so far.
    oversegmentation : float, default=6.0
        How many times finer than `n_segments` to cut before merging, see `SLIC`.
    edge_channel : int, default=None
        Which of the features is an edge map, in [0, 1], see `SLIC`; for `LearnedFeatures` with
        ``edges=True`` it is -1.
    refine_iter : int, default=5
        Most passes over the borders after merging, see `SLIC`: by the weighted features.
    channel_axis : int or None, default=-1
        Which axis of an image holds its channels.
    spacing : sequence of float, default=None
        Size of a pixel along each axis of the images.
    min_size_factor : float, default=0.25
        Regions with fewer pixels than this share of a grid cell join a neighbour.
    device : str, default="cpu"
        Where the network runs.
    n_jobs : int, default=None
        Number of threads, shared by the images.
    random_state : int, RandomState instance or None, default=None
        Draws pixels and annotators, initialises and shuffles.
    warm_start : bool, default=False
        Whether `fit` goes on from the network fitted before.

    Attributes
    ----------
    classifier_ : skorch.NeuralNetClassifier
        The fitted network.
    features_ : transformer or None
        The fitted transformer; None for ``features="passthrough"``.
    pair_features_ : tuple of callable
        The pair features that the network has learned with.
    n_channels_in_ : int
        Number of channels of the images fitted.
    n_features_ : int
        C, the number of their features.
    n_pixels_ : int
        Number of pixels learned from, in the last round.

    See Also
    --------
    SLIC : The algorithm with a distance set by hand.
    LabelMaker : What is right.

    Notes
    -----
    Fifteen percent of the images, at least one where there are two, are kept to stop training
    early: pixels of one image are too alike to be split.

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
        "compactness_spread": [Interval(Real, 1, None, closed="left")],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "pair_features": [tuple, list],
        "label_maker": [LabelMaker, None],
        "classifier": [HasMethods(["fit", "predict_proba"]), None],
        "n_pixels_per_image": [Interval(Integral, 1, None, closed="left"), None],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
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
        compactness_spread=1.0,
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
        refine_iter=5,
        channel_axis=-1,
        spacing=None,
        min_size_factor=0.25,
        start_label=0,
        device="cpu",
        n_jobs=None,
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
        self.channel_axis = channel_axis
        self.spacing = spacing
        self.min_size_factor = min_size_factor
        self.start_label = start_label
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.warm_start = warm_start

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, masks=None):
        """Learn from segmentations.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W), (H, W, C), (D, H, W) or (D, H, W, C)
            Images, whose sizes may differ. A NumPy masked array is an image with a mask.
        y : sequence of ndarray of shape (H, W) or (A, H, W)
            Segmentations, one per image, by one annotator or by A of them.
        masks : sequence of ndarray of shape (H, W) or (D, H, W), bool, or None, default=None
            Where to learn, one mask (or None) per image.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, an image or a segmentation is not as expected, or if no pixel
            teaches anything.
        TypeError
            If the images are not a sequence of arrays of numbers.
        """
        from sksuperpixel._learning.pixel_classifier import check_net

        self._check_pair_features()
        label_maker = check_label_maker(self.label_maker, self.n_candidates)
        net = check_net(self.classifier, sets=label_maker.targets == "set")
        if y is None:
            raise ValueError("y: found None, expected one segmentation for each image")
        # Fitted on a copy: whatever fails, this estimator stays as it was.
        learner = clone(self)
        learner.pair_features_ = tuple(self.pair_features)
        reader = ImageReader(X, self.channel_axis, masks)
        learner.features_ = learner._fit_features(reader, y)
        learner.n_channels_in_ = reader.first.n_channels
        if self.warm_start and hasattr(self, "classifier_"):
            learner.classifier_ = self.classifier_
        rng = check_random_state(self.random_state)
        progress = self._init_callback_context(max_subtasks=self.n_rounds)
        progress.call_on_fit_task_begin(estimator=self, X=X, y=y)
        for number in range(self.n_rounds):
            task = progress.subcontext(task_name="round", max_subtasks=len(X))
            task.call_on_fit_task_begin(estimator=self)
            teacher = partial(learner._teacher, label_maker, learned=number > 0)
            learner._learn(reader, y, teacher, clone(net), rng, partial(_report_image, task, self))
            task.call_on_fit_task_end(estimator=self)
        progress.call_on_fit_task_end(estimator=self, X=X, y=y)
        for name in _FITTED:
            setattr(self, name, getattr(learner, name))
        return self

    def _learn(self, reader, y, teacher_of, net, rng, report):
        """Gather pixels of all images, and fit the network to them."""
        from sksuperpixel._learning.pixel_classifier import fit_net

        # A network that is not trained has nothing to learn: one image tells its size.
        trains = net.max_epochs > 0
        seeds = rng.randint(2**31 - 1, size=len(reader) + 2)

        def draw(threads, index):
            with about_image(index):
                image = reader[index]
                segmentation = check_segmentation(y[index], image.shape)
                planes = self._planes(image)
                rng = np.random.RandomState(seeds[index])
                teacher = teacher_of(len(planes.features)).varied(self.compactness_spread, rng)
                segmentation = segmentation.reshape(-1, *planes.shape)
                return teacher.draw(planes, segmentation, rng)[0]

        n_images = len(reader) if trains else 1
        drawn = map(report, self._map_images(draw, n_images))
        pixels, sizes, n_clusters = join_pixels(drawn)
        self.n_pixels_ = len(pixels)
        self.n_features_ = pixels.values.shape[1]
        teacher = teacher_of(self.n_features_)
        if trains:
            check_drawn(pixels, n_clusters, teacher)
        check_edge_channel(self.edge_channel, self.n_features_)
        self.classifier_ = fit_net(
            net,
            pixels,
            np.repeat(draw_validation_images(sizes, seeds[-2]), sizes),
            channel_weights=self.channel_weights,
            sets=teacher.label_maker.targets == "set",
            seed=int(seeds[-1]),
            device=self.device,
            start=self.classifier_.module_ if hasattr(self, "classifier_") else None,
        )

    def _teacher(self, label_maker, n_features, *, learned):
        """Give what draws pixels at the clusters of SLIC's distance, or of the learned one."""
        start = WeightedDistance(check_channel_weights(self.channel_weights, n_features))
        return Teacher(
            label_maker,
            Settings.of(self),
            self.n_candidates,
            self.n_pixels_per_image,
            start,
            self._distance(n_features) if learned else start,
            self.pair_features_,
        )

    def mine(self, image, segmentation, mask=None, *, learned=False):
        """Show what one image teaches: which pixels, and the right candidates of each.

        This shows what a label maker does before anything is fitted, or what a fitted model
        still gets wrong.

        Parameters
        ----------
        image : ndarray of shape (H, W), (H, W, C), (D, H, W) or (D, H, W, C)
            An image.
        segmentation : ndarray of shape (H, W) or (A, H, W), int
            Its ground truth, by one annotator or by A of them.
        mask : ndarray of shape (H, W), bool, default=None
            Where superpixels are wanted.
        learned : bool, default=False
            Whether to take the clusters of the fitted model. Otherwise they are those of SLIC's
            distance with `channel_weights`.

        Returns
        -------
        :class:`~sklearn.utils.Bunch`
            With the following attributes, for an image of 2 axes (a volume has 3):

            clusters : ndarray of shape (H, W), int32
                Cluster of each pixel after `max_iter` iterations; -1 outside the mask.
            centres : ndarray of shape (K, 2), float64
                Row and column of each cluster.
            pixels : ndarray of shape (n, 2), int32
                Row and column of each pixel that teaches, all of them, in raster order.
            candidates : ndarray of shape (n, Q), int32
                The clusters it can go to, nearest first; -1 where there are fewer than Q.
            targets : ndarray of shape (n, Q), bool
                Which of them are right: one, or any number with ``targets="set"`` of the label
                maker.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `learned` is true but `fit` was not called.
        ValueError
            If a parameter, the image or the segmentation is not as expected.
        TypeError
            If the image is not an array of numbers.

        Examples
        --------
        >>> import numpy as np
        >>> from sksuperpixel import LabelMaker, TrainableSLIC
        >>> segmentation = np.zeros((32, 32), int)
        >>> segmentation[:, 13:] = 1
        >>> slic = TrainableSLIC(8, label_maker=LabelMaker(min_segments=2), random_state=0)
        >>> mined = slic.mine(1.0 * segmentation[:, :, np.newaxis], segmentation)
        >>> mined.pixels.shape[1], mined.targets.shape[1]
        (2, 7)
        """
        self._validate_params()
        label_maker = check_label_maker(self.label_maker, self.n_candidates)
        if learned:
            check_is_fitted(self, "classifier_")
        miner = copy(self)
        # All pixels that teach; and what a network would see of them is not shown.
        miner.n_pixels_per_image, pair_features = None, ()
        n_channels = getattr(self, "n_channels_in_", None)
        reader = ImageReader([image], self.channel_axis, [mask], n_channels)
        if not hasattr(self, "features_"):
            miner.features_ = miner._fit_features(reader, [segmentation])
        if learned:
            pair_features = self.pair_features_
        miner.pair_features_ = pair_features
        with about_image(0):
            segmentation = check_segmentation(segmentation, reader.first.shape)
            planes = miner._planes(reader.first)
            teacher = miner._teacher(label_maker, len(planes.features), learned=learned)
            drawn, labels, centres = teacher.draw(
                planes,
                segmentation.reshape(-1, *planes.shape),
                check_random_state(self.random_state),
            )
        n_axes = len(reader.first.shape)
        return Bunch(
            clusters=labels.reshape(reader.first.shape),
            centres=centres[:, -n_axes:],
            pixels=drawn.positions[:, -n_axes:],
            candidates=drawn.candidates,
            targets=drawn.right_candidates(sets=label_maker.targets == "set"),
        )

    def _check_pair_features(self):
        for number, function in enumerate(self.pair_features):
            if not callable(function):
                raise TypeError(
                    f"pair_features[{number}]: found {function!r}, expected a function of "
                    "features, pixels and ends"
                )

    def _is_linear(self):
        """Tell whether the learned distance is SLIC's, with other weights."""
        one_layer = getattr(self.classifier_.module_, "n_layers", None) == 1
        return one_layer and not self.pair_features_

    def _learned_weights(self, n_features):
        """Give the weights of the learned distance; `channel_weights` where there is none."""
        weights = getattr(self.classifier_.module_, "channel_weights", None)
        weights = self.channel_weights if weights is None else weights[:n_features]
        return check_channel_weights(weights, n_features)

    def _distance(self, n_features):
        if n_features != self.n_features_:
            raise ValueError(
                f"found {n_features} features, expected {self.n_features_}, as in the images "
                "learned from"
            )
        weights = self._learned_weights(n_features)
        if self._is_linear():
            return WeightedDistance(weights)
        from sksuperpixel._learning.pixel_classifier import network_of

        network = network_of(self.classifier_)
        return NetworkDistance(network, self.n_candidates, weights, self.pair_features_)

    def to_slic(self):
        """Give the plain `SLIC` of a one-layer distance.

        Returns
        -------
        SLIC
            With the learned weights and the fitted features, ready to transform. Its `fit`
            would fit the features anew.

        Raises
        ------
        ValueError
            If the network is not a distance of one layer, or if it sees pair features as well.
        """
        check_is_fitted(self, "classifier_")
        if not self._is_linear():
            raise ValueError(
                "to_slic: expected a DistanceNetwork of one layer as classifier, and no "
                "pair_features"
            )
        names = SLIC().get_params(deep=False)
        shared = {name: value for name, value in self.get_params(False).items() if name in names}
        slic = SLIC(**{**shared, "channel_weights": self._learned_weights(self.n_features_)})
        slic.features_, slic.n_channels_in_ = self.features_, self.n_channels_in_
        return slic

    def save(self, path):
        """Write the fitted model to a file: safetensors, described in JSON.

        Parameters that depend on the machine (`device`, `n_jobs`, and `memory` and `checkpoint`
        of transformers) are not written.

        Parameters
        ----------
        path : str or path-like
            The file, which is replaced if there is one.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        ValueError
            If the network, the features' transformer or a pair feature is not one of this
            library. Such a model can be pickled.
        """
        from sksuperpixel.models._files import save_model

        check_is_fitted(self, "classifier_")
        save_model(path, self)

    @classmethod
    def load(cls, path, device="cpu"):
        """Read a model that `save` wrote. Nothing in the file is run.

        Parameters
        ----------
        path : str or path-like
            The file.
        device : str, default="cpu"
            Where the networks are to run.

        Returns
        -------
        TrainableSLIC
            Fitted. Its `classifier` is a network of the same kind, to be trained for as many
            epochs, with the other settings of `sksuperpixel.networks`.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is not whole, not a model, of another version, or if its tensors do not fit.
        """
        from sksuperpixel.models._files import load_model

        return load_model(path, cls, device)

    @classmethod
    def from_pretrained(cls, name="bsds500", device="cpu"):
        """Give a fitted model that comes with the library.

        Parameters
        ----------
        name : {"bsds500"}, default="bsds500"
            Which one. ``"bsds500"`` is for photographs and superpixels from 8 to 32 pixels
            across. It learned from the segmentations of BSDS500 [1]_. Its card,
            ``sksuperpixel/models/bsds500.md``, says from what and how it learned, and how good
            it is.
        device : str, default="cpu"
            Where its networks are to run.

        Returns
        -------
        TrainableSLIC
            Fitted. Set `n_segments` or `superpixel_size` to what you want. Its `fit` goes on
            from this model: its features learn from your images, too. With
            ``features__train=False`` they stay as they are.

        Raises
        ------
        ValueError
            If there is no model of this name.

        References
        ----------
        .. [1] P. Arbelaez, M. Maire, C. Fowlkes, J. Malik. "Contour detection and hierarchical
           image segmentation". IEEE TPAMI 33(5), 2011.

        Examples
        --------
        >>> from skimage.data import astronaut
        >>> from sksuperpixel import TrainableSLIC
        >>> slic = TrainableSLIC.from_pretrained("bsds500").set_params(n_segments=300)
        >>> slic.transform([astronaut()])[0].max().item()
        299
        """
        from sksuperpixel.models._shipped import SHIPPED

        if name not in SHIPPED:
            raise ValueError(
                f"name: found {name!r}, expected one of {sorted(SHIPPED)}; files that `save` "
                "wrote are read by `load`"
            )
        return cls.load(SHIPPED[name], device)


def _report_image(task, estimator, result):
    """Tell callbacks that an image is done, and hand on its result."""
    image_done = task.subcontext(task_name="image")
    image_done.call_on_fit_task_begin(estimator=estimator)
    image_done.call_on_fit_task_end(estimator=estimator)
    return result


_FITTED = (
    "features_",
    "pair_features_",
    "classifier_",
    "n_channels_in_",
    "n_features_",
    "n_pixels_",
)
