"""SLIC that learns from segmentations which cluster a pixel belongs to."""

from numbers import Integral, Real
from pathlib import Path

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.callback import with_callbacks
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._clusters import weigh
from sksuperpixel._iterations import cluster_pixels
from sksuperpixel._label_maker import LabelMaker
from sksuperpixel._model_files import (
    describe_features,
    describe_pairs,
    load_model,
    plain,
    restore_features,
    save_model,
)
from sksuperpixel._network_clusters import cluster_by_network
from sksuperpixel._pair_features import PathFeature
from sksuperpixel._slic import (
    SLIC,
    check_edge_channel,
    edge_plane,
    numbered_regions,
    slic_regions,
)
from sksuperpixel._superpixel_transformer import (
    SuperpixelTransformer,
    image_grid,
)
from sksuperpixel._torch_threads import one_torch_thread
from sksuperpixel._training_pixels import draw_pixels, join
from sksuperpixel._validation import (
    check_channel_weights,
    check_images,
    check_masks,
    check_segmentation,
)


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
    initial_weights : array-like of shape (C,), default=None
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
        "superpixel_size": [Interval(Real, 1, None, closed="left")],
        "n_segments": [Interval(Integral, 1, None, closed="left"), None],
        "compactness": [Interval(Real, 0, None, closed="left")],
        "compactness_spread": [Interval(Real, 1, None, closed="left")],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "features": [StrOptions({"lab", "passthrough"}), HasMethods(["fit", "transform"])],
        "pair_features": [tuple, list],
        "initial_weights": ["array-like", None],
        "label_maker": [LabelMaker, None],
        "classifier": [HasMethods(["fit", "predict_proba"]), None],
        "n_pixels_per_image": [Interval(Integral, 1, None, closed="left"), None],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "oversegmentation": [Interval(Real, 1, None, closed="left")],
        "edge_channel": [Integral, None],
        "refine_iter": [Interval(Integral, 0, None, closed="left")],
        "channel_axis": [Integral, None],
        "spacing": ["array-like", None],
        "min_size_factor": [Interval(Real, 0, 1, closed="both")],
        "device": [str],
        "n_jobs": [Integral, None],
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
        initial_weights=None,
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
        self.initial_weights = initial_weights
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
            Images; their sizes may differ.
        y : sequence of ndarray of shape (H, W) or (A, H, W)
            Segmentations, one an image, of one annotator or A.
        masks : sequence of ndarray of shape (H, W), bool, or None, default=None
            Where superpixels are wanted.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, an image or a segmentation is not as expected, or no pixel teaches
            anything.
        TypeError
            If the images are no sequence of arrays of numbers.
        """
        from sksuperpixel._pixel_classifier import check_net

        self._check_pair_features()
        label_maker = self._checked_label_maker()
        net = check_net(self.classifier, sets=label_maker.targets == "set")
        # Fitted on a copy: whatever fails, this estimator stays as it was.
        learner = clone(self)
        learner.label_maker = label_maker
        learner.pair_features_ = tuple(self.pair_features)
        if y is None:
            raise ValueError("y: found None, expected one segmentation for each image")
        # Before features are trained, which may take long.
        check_images(X, self.channel_axis)
        masks = check_masks(masks, len(X))
        learner.features_, learner.n_channels_in_ = learner._fit_features(X, y, masks)
        if self.warm_start and hasattr(self, "classifier_"):
            learner.classifier_ = self.classifier_
        rng = check_random_state(self.random_state)
        progress = self._init_callback_context(max_subtasks=self.n_rounds)
        progress.call_on_fit_task_begin(estimator=self, X=X, y=y)
        for number in range(self.n_rounds):
            task = progress.subcontext(task_name="round", max_subtasks=len(X))
            task.call_on_fit_task_begin(estimator=self)
            learner._learn(X, y, masks, number, clone(net), rng, task, self)
            task.call_on_fit_task_end(estimator=self)
        progress.call_on_fit_task_end(estimator=self, X=X, y=y)
        for name in _FITTED:
            setattr(self, name, getattr(learner, name))
        return self

    def fit_transform(self, X, y=None, masks=None):
        """Fit, then segment each image.

        Parameters
        ----------
        X : sequence of ndarray
            Images.
        y : sequence of ndarray
            Segmentations, one an image.
        masks : sequence of ndarray, bool, or None, default=None
            Where superpixels are wanted, and where to learn.

        Returns
        -------
        list of ndarray, int32
            Superpixels of each image.
        """
        return self.fit(X, y, masks=masks).transform(X, masks=masks)

    def _learn(self, X, y, masks, number, net, rng, progress, estimator):
        """Gather pixels of all images and fit the network to them."""
        from sksuperpixel._pixel_classifier import fit_net

        # A network that is not trained has nothing to learn: one image tells its size.
        trains = net.max_epochs > 0
        n_images = len(X) if trains else 1
        seeds = rng.randint(2**31 - 1, size=len(X) + 2)
        planes = self._planes(X, masks)

        def draw(threads, index):
            rng = np.random.RandomState(seeds[index])
            # At the clusters of any iteration, for the network is asked at all of them.
            n_iter = rng.randint(1, self.max_iter + 1)
            compactness = self.compactness
            if self.compactness_spread > 1:
                compactness *= self.compactness_spread ** rng.uniform(-1, 1)
            return self._draw(
                planes[index],
                y[index],
                number > 0,
                n_iter,
                compactness,
                self.n_pixels_per_image,
                rng,
            )

        def parts():
            for part, _, _ in self._map_images(draw, n_images):
                image_done = progress.subcontext(task_name="image")
                image_done.call_on_fit_task_begin(estimator=estimator)
                yield part
                image_done.call_on_fit_task_end(estimator=estimator)

        pixels, sizes, n_clusters = join(parts())
        if trains:
            self._check_drawn(pixels, n_clusters)
        validation = np.isin(np.arange(n_images), self._validation_images(sizes, seeds[-2]))
        self.n_pixels_ = len(pixels)
        self.n_features_ = pixels.values.shape[1]
        check_edge_channel(self.edge_channel, self.n_features_)
        self.classifier_ = fit_net(
            net,
            pixels,
            np.repeat(validation, sizes),
            initial_weights=self.initial_weights,
            sets=self.label_maker.targets == "set",
            seed=int(seeds[-1]),
            device=self.device,
            start=self.classifier_.module_ if hasattr(self, "classifier_") else None,
        )

    def _check_drawn(self, pixels, n_clusters):
        """Check that there are clusters enough to choose from, and pixels to learn from."""
        n_images = len(n_clusters)
        # With a number of segments, clusters are finer than this in the end.
        if max(n_clusters) < self.n_candidates and self.n_segments is None:
            raise ValueError(
                f"n_candidates: found {self.n_candidates}, expected at most {max(n_clusters)}, "
                f"the most clusters that one of the {n_images} images has"
            )
        if len(pixels) == 0:
            raise ValueError(self._nothing_to_learn(n_images))

    def _nothing_to_learn(self, n_images):
        maker = self.label_maker
        if maker.mining == "ambiguous":
            reason = (
                f"X = min_segments={maker.min_segments}; expected pixels among whose candidates "
                "are that many segments"
            )
        else:
            reason = "expected pixels with a right candidate" + (
                " that is not SLIC's" if maker.mining == "mistakes" else ""
            )
        return (
            f"y: found no pixel to learn from in {n_images} images with mining={maker.mining!r} "
            f"and {reason}"
        )

    def _validation_images(self, sizes, seed):
        """Draw the images that tell when to stop."""
        useful = np.flatnonzero(sizes)
        if len(useful) < 2:
            return []
        n_validation = max(1, round(0.15 * len(useful)))
        return np.random.RandomState(seed).permutation(useful)[:n_validation]

    def _draw(self, image, segmentation, learned, n_iter, compactness, n_pixels, rng):
        """Draw pixels of one image, see `draw_pixels`, at SLIC's clusters or the model's."""
        grid = image_grid(image, self.superpixel_size, self.n_segments)
        weights = check_channel_weights(
            self.initial_weights, len(image.features), "initial_weights"
        )
        weighted = weigh(image.features, weights)
        segmentation = check_segmentation(segmentation, image.shape, image.index)
        options = {"compactness": compactness, "max_iter": n_iter, "mask": image.mask}
        if learned:
            labels, clusters = self._cluster(image, grid, **options)
        else:
            labels, clusters = cluster_pixels(weighted, grid, **options)
        drawn, centres = draw_pixels(
            image.features,
            weighted,
            labels,
            clusters.seeds,
            segmentation.reshape(-1, *labels.shape),
            self.label_maker,
            grid,
            n_candidates=self.n_candidates,
            compactness=compactness,
            n_pixels=n_pixels,
            pair_features=self.pair_features_,
            index=image.index,
            rng=rng,
        )
        return drawn, labels, centres

    def mine(self, image, segmentation, mask=None, *, learned=False):
        """Show what one image teaches: which pixels, and the right candidates of each.

        For a look at a label maker before anything is fitted, or at what a fitted model still
        gets wrong.

        Parameters
        ----------
        image : ndarray of shape (H, W), (H, W, C), (D, H, W) or (D, H, W, C)
            An image.
        segmentation : ndarray of shape (H, W) or (A, H, W), int
            Its ground truth, of one annotator or A.
        mask : ndarray of shape (H, W), bool, default=None
            Where superpixels are wanted.
        learned : bool, default=False
            Whether at the clusters of the fitted model. If not, at those of SLIC's distance with
            `initial_weights`.

        Returns
        -------
        :class:`~sklearn.utils.Bunch`
            With the following attributes, for an image of 2 axes (a volume has 3):

            clusters : ndarray of shape (H, W), int32
                Cluster of each pixel after `max_iter` iterations; -1 outside the mask.
            centres : ndarray of shape (K, 2), float32
                Row and column of each cluster.
            pixels : ndarray of shape (n, 2), int32
                Row and column of each pixel that teaches, all of them, in raster order.
            candidates : ndarray of shape (n, Q), int32
                The clusters it can go to, nearest first; -1 where there are fewer than Q.
            targets : ndarray of shape (n, Q), bool
                Which of them are right: one, or with ``targets="set"`` of the label maker any
                number.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `learned`, but `fit` was not called.
        ValueError
            If a parameter, the image or the segmentation is not as expected.
        TypeError
            If the image is no array of numbers.

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
        miner = clone(self)
        miner.label_maker = self._checked_label_maker()
        # What a network would see is not shown.
        miner.pair_features_ = ()
        if learned:
            check_is_fitted(self, "classifier_")
            miner.classifier_, miner.pair_features_ = self.classifier_, self.pair_features_
        if hasattr(self, "features_"):
            miner.features_, miner.n_channels_in_ = self.features_, self.n_channels_in_
        else:
            miner.features_, miner.n_channels_in_ = miner._fit_features([image], [segmentation])
        planes = miner._planes([image], check_masks(None if mask is None else [mask], 1))[0]
        rng = check_random_state(self.random_state)
        drawn, labels, centres = miner._draw(
            planes, segmentation, learned, self.max_iter, self.compactness, None, rng
        )
        n_axes = len(planes.shape)
        if miner.label_maker.targets == "set":
            slots = np.arange(self.n_candidates)
            targets = (drawn.targets[:, np.newaxis] >> slots) & 1 == 1
        else:
            targets = drawn.targets[:, np.newaxis] == np.arange(self.n_candidates)
        return Bunch(
            clusters=labels.reshape(planes.shape),
            centres=centres[:, -n_axes:],
            pixels=drawn.positions[:, -n_axes:],
            candidates=drawn.candidates,
            targets=targets,
        )

    def _check_pair_features(self):
        for number, function in enumerate(self.pair_features):
            if not callable(function):
                raise TypeError(
                    f"pair_features[{number}]: found {function!r}, expected a function of "
                    "features, pixels and ends"
                )

    def _checked_label_maker(self):
        maker = LabelMaker() if self.label_maker is None else self.label_maker
        maker._validate_params()
        if maker.mining == "ambiguous" and maker.min_segments > self.n_candidates:
            raise ValueError(
                f"label_maker: found min_segments={maker.min_segments}, expected at most "
                f"n_candidates={self.n_candidates}: candidates lie in no more segments"
            )
        if maker.targets == "set" and self.n_candidates > _MOST_BITS:
            raise ValueError(
                f"n_candidates: found {self.n_candidates}, expected at most {_MOST_BITS} for a "
                "label maker with targets='set'"
            )
        return maker

    def _is_linear(self):
        """Tell whether the distance is SLIC's, with other weights."""
        one_layer = getattr(self.classifier_.module_, "n_layers", None) == 1
        return one_layer and not self.pair_features_

    def _learned_weights(self, n_features):
        """Weights of a learned distance; the initial ones where there is none."""
        weights = getattr(self.classifier_.module_, "channel_weights", None)
        weights = self.initial_weights if weights is None else weights[:n_features]
        return check_channel_weights(weights, n_features)

    def _cluster(self, image, grid, **options):
        """Iterate with the learned distance."""
        if self._is_linear():
            weighted = weigh(image.features, self._learned_weights(len(image.features)))
            return cluster_pixels(weighted, grid, **options)
        return self._cluster_by_network(image, grid, **options)

    def _cluster_by_network(self, image, grid, **options):
        with one_torch_thread():
            return cluster_by_network(
                image.features,
                grid,
                self.classifier_,
                n_candidates=self.n_candidates,
                pair_features=self.pair_features_,
                index=image.index,
                **options,
            )

    def _segment(self, image, threads):
        self._check_n_features(image)
        grid = image_grid(image, self.superpixel_size, self.n_segments)
        weighted = weigh(image.features, self._learned_weights(len(image.features)))
        options = {
            "compactness": self.compactness,
            "max_iter": self.max_iter,
            "mask": image.mask,
            "min_size_factor": self.min_size_factor,
            "threads": threads,
        }
        if not self._is_linear():
            # Whatever is done with the weighted features, the network sees all as they are.
            def cluster(_, grid, **options):
                return self._cluster_by_network(image, grid, **options)

            options["cluster"] = cluster
        if self.n_segments is None or self.oversegmentation == 1:
            return slic_regions(weighted, grid, **options)[0]
        options["refine_iter"] = self.refine_iter
        options["edges"] = edge_plane(image, self.edge_channel)
        return numbered_regions(weighted, image, self.n_segments, self.oversegmentation, **options)

    def _check_n_features(self, image):
        n_features = len(image.features)
        if n_features != self.n_features_:
            raise ValueError(
                f"image {image.index}: found {n_features} features, expected {self.n_features_}, "
                "as many as were learned from"
            )

    def to_slic(self):
        """Give the plain SLIC of a one-layer distance.

        Returns
        -------
        SLIC
            With the learned weights and the fitted features, ready to transform. Its `fit`
            would fit the features anew.

        Raises
        ------
        ValueError
            If the network is not a distance of one layer, or sees pair features, too.
        """
        check_is_fitted(self, "classifier_")
        if not self._is_linear():
            raise ValueError(
                "to_slic: expected a DistanceNetwork of one layer as classifier, and no "
                "pair_features"
            )
        names = SLIC().get_params(deep=False)
        shared = {name: value for name, value in self.get_params(False).items() if name in names}
        slic = SLIC(**shared, channel_weights=self._learned_weights(self.n_features_))
        slic.features_, slic.n_channels_in_ = self.features_, self.n_channels_in_
        return slic

    def save(self, path):
        """Write the fitted model to a file: safetensors, described in JSON.

        Parameters
        ----------
        path : str or path-like
            The file, which is replaced if there is one.

        Raises
        ------
        ValueError
            If the network, the features' transformer or a pair feature is not one of this
            library: such a model can be pickled.
        """
        check_is_fitted(self, "classifier_")
        params = self.get_params(deep=False)
        del params["classifier"]
        maker = params.pop("label_maker")
        params["features"], tensors = describe_features(params["features"], self.features_)
        params["pair_features"] = describe_pairs(self.pair_features_)
        save_model(
            path,
            self.classifier_.module_,
            {
                "params": plain(params),
                "label_maker": None if maker is None else plain(maker.get_params()),
                "training": {"max_epochs": int(self.classifier_.max_epochs)},
                "learned": {name: int(getattr(self, name)) for name in _LEARNED_NUMBERS},
            },
            tensors,
        )

    @classmethod
    def from_pretrained(cls, name="bsds500", device=None):
        """Give a fitted model that comes with this.

        Parameters
        ----------
        name : {"bsds500"}, default="bsds500"
            Which one. ``"bsds500"``: for photographs, of superpixels from 8 to 32 pixels
            across. It learned from the segmentations of BSDS500 [1]_; its card,
            ``sksuperpixel/models/bsds500.md``, tells from what, how, and how good it is.
        device : str, default=None
            Where its networks are to run; None for the CPU.

        Returns
        -------
        TrainableSLIC
            Fitted. Set `n_segments`, or `superpixel_size`, to what you want. Its `fit` goes on
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
        if name not in _SHIPPED:
            raise ValueError(
                f"name: found {name!r}, expected one of {sorted(_SHIPPED)}; files that `save` "
                "wrote are read by `load`"
            )
        return cls.load(_SHIPPED[name], device)

    @classmethod
    def load(cls, path, device=None):
        """Read a model that `save` wrote. Nothing in the file is run.

        Parameters
        ----------
        path : str or path-like
            The file.
        device : str, default=None
            Where the network is to run; None for where it ran.

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
            If it is not whole, not of this kind, of a newer version, or its tensors do not
            fit.
        """
        from sksuperpixel.networks import make_net_of

        module, about, tensors = load_model(path)
        params, maker = about["params"], about["label_maker"]
        if about["version"] == 1:
            params["refine_iter"] = 0
        n_channels = about["learned"]["n_channels_in_"]
        axis = params["channel_axis"]
        blank = np.zeros((8, 8), np.uint8)
        if axis is not None:
            # Only of a volume can this be the fourth axis.
            shape = (8, 8, 8) if axis in (3, -4) else (8, 8)
            blank = np.moveaxis(np.zeros((*shape, n_channels), np.uint8), -1, axis)
        if device is not None:
            params["device"] = device
        params["features"], fitted = restore_features(
            params["features"], tensors, blank, axis, path, device
        )
        pairs = tuple(PathFeature(**each) for each in params.get("pair_features", ()))
        params["pair_features"] = pairs
        slic = cls(**params, label_maker=None if maker is None else LabelMaker(**maker))
        for name, value in about["learned"].items():
            setattr(slic, name, value)
        slic.features_, slic.pair_features_ = fitted, pairs
        slic.classifier_ = make_net_of(module, device=slic.device)
        slic.classifier_.set_params(**about.get("training", {}))
        slic.classifier = clone(slic.classifier_)
        return slic


# Models that come with this, by name.
_SHIPPED = {"bsds500": Path(__file__).parent / "models" / "bsds500.safetensors"}
# Sets of candidates are bits of an int64.
_MOST_BITS = 63
_LEARNED_NUMBERS = ("n_channels_in_", "n_features_", "n_pixels_")
_FITTED = ("features_", "pair_features_", "classifier_", *_LEARNED_NUMBERS)
