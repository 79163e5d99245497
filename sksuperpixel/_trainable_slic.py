"""SLIC that learns from segmentations which cluster a pixel belongs to."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.callback import with_callbacks
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._clusters import (
    assign_by_network,
    classifier_rows,
    row_distances,
    start_clusters,
    update_clusters,
)
from sksuperpixel._label_maker import LabelMaker
from sksuperpixel._model_files import (
    describe_features,
    load_model,
    plain,
    restore_features,
    save_model,
)
from sksuperpixel._slic import SLIC, cluster_pixels, exact_regions, slic_regions
from sksuperpixel._superpixel_transformer import (
    SuperpixelTransformer,
    check_number,
    image_grid,
)
from sksuperpixel._torch_threads import one_torch_thread
from sksuperpixel._validation import check_channel_weights, check_masks

# Pixels at a time: rows of many channels are long.
_ROWS_BYTES = 2**26


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
    n_candidates : int, default=7
        Q: how many clusters, the nearest in space, a pixel can go to.
    max_iter : int, default=5
        Number of iterations.
    features : "lab", "passthrough" or transformer, default="lab"
        What pixels are compared by, see `SLIC`.
    initial_weights : array-like of shape (M,), default=None
        Weights of the features' squared differences in the distance to start from: clusters
        are first made and labelled by it, and a learned distance starts there. None for 1 each.
    label_maker : LabelMaker, default=None
        Which candidates are right. None for ``LabelMaker()``.
    classifier : skorch.NeuralNetClassifier, default=None
        What chooses among candidates: a network on rows as `sksuperpixel.networks` describes.
        None for ``make_distance_net(n_layers=3)``.
    n_pixels_per_image : int, default=1000
        Most pixels of each image to learn from, of those that the label maker keeps.
    n_rounds : int, default=1
        How often to learn: first at SLIC's clusters, then at those of the model so far.
    oversegmentation : float, default=6.0
        How many times finer than `n_segments` to cut before merging, see `SLIC`.
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
    n_channels_in_ : int
        Number of channels of the images fitted.
    n_features_ : int
        M, the number of their features.
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
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "features": [StrOptions({"lab", "passthrough"}), HasMethods(["fit", "transform"])],
        "initial_weights": ["array-like", None],
        "label_maker": [LabelMaker, None],
        "classifier": [HasMethods(["fit", "predict_proba"]), None],
        "n_pixels_per_image": [Interval(Integral, 1, None, closed="left")],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "oversegmentation": [Interval(Real, 1, None, closed="left")],
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
        n_candidates=7,
        max_iter=5,
        features="lab",
        initial_weights=None,
        label_maker=None,
        classifier=None,
        n_pixels_per_image=1000,
        n_rounds=1,
        oversegmentation=6.0,
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
        self.n_candidates = n_candidates
        self.max_iter = max_iter
        self.features = features
        self.initial_weights = initial_weights
        self.label_maker = label_maker
        self.classifier = classifier
        self.n_pixels_per_image = n_pixels_per_image
        self.n_rounds = n_rounds
        self.oversegmentation = oversegmentation
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
        label_maker = LabelMaker() if self.label_maker is None else self.label_maker
        label_maker._validate_params()
        if label_maker.mining == "ambiguous" and label_maker.min_segments > self.n_candidates:
            raise ValueError(
                f"label_maker: found min_segments={label_maker.min_segments}, expected at most "
                f"n_candidates={self.n_candidates}: candidates lie in no more segments"
            )
        # Fitted on a copy: whatever fails, this estimator stays as it was.
        learner = clone(self)
        learner.label_maker = label_maker
        learner.features_, learner.n_channels_in_ = learner._fit_features(X, y)
        if self.warm_start and hasattr(self, "classifier_"):
            learner.classifier_ = self.classifier_
        rng = check_random_state(self.random_state)
        progress = self._init_callback_context(max_subtasks=self.n_rounds)
        progress.call_on_fit_task_begin(estimator=self, X=X, y=y)
        for number in range(self.n_rounds):
            task = progress.subcontext(task_name="round", max_subtasks=len(X))
            task.call_on_fit_task_begin(estimator=self)
            learner._learn(X, y, check_masks(masks, len(X)), number, rng, task, self)
            task.call_on_fit_task_end(estimator=self)
        progress.call_on_fit_task_end(estimator=self, X=X, y=y)
        for name in ("features_", "n_channels_in_", "n_features_", "n_pixels_", "classifier_"):
            setattr(self, name, getattr(learner, name))
        return self

    def _learn(self, X, y, masks, number, rng, progress, estimator):
        """Gather pixels of all images and fit the network to them."""
        seeds = rng.randint(2**31 - 1, size=len(X) + 2)
        planes = self._planes(X, masks)

        def gather(threads, index):
            return self._training_rows(planes[index], y[index], number, seeds[index], threads)

        gathered = []
        for rows in self._map_images(gather, len(X)):
            image_done = progress.subcontext(task_name="image")
            image_done.call_on_fit_task_begin(estimator=estimator)
            gathered.append(rows)
            image_done.call_on_fit_task_end(estimator=estimator)
        sizes = [len(targets) for _, targets in gathered]
        if sum(sizes) == 0:
            maker = self.label_maker
            raise ValueError(
                f"y: found no pixel to learn from in {len(X)} images with mining="
                f"{maker.mining!r} and X = min_segments={maker.min_segments}; expected images "
                "whose superpixels meet that many segments"
            )
        rows = np.concatenate([rows for rows, _ in gathered])
        targets = np.concatenate([targets for _, targets in gathered])
        validation = self._validation_images(sizes, seeds[-2])
        held_out = np.repeat(np.isin(np.arange(len(X)), validation), sizes)
        self.n_pixels_ = len(rows)
        self.classifier_ = self._fit_classifier(rows, targets, held_out, int(seeds[-1]))

    def _validation_images(self, sizes, seed):
        """Draw the images that tell when to stop."""
        useful = np.flatnonzero(sizes)
        if len(useful) < 2:
            return []
        n_validation = max(1, round(0.15 * len(useful)))
        return np.random.RandomState(seed).permutation(useful)[:n_validation]

    def _training_rows(self, image, segmentation, number, seed, threads):
        """Draw pixels of one image, with what the network sees of them and what is right."""
        rng = np.random.RandomState(seed)
        self.n_features_ = len(image.features)
        grid = image_grid(image, self.superpixel_size, self.n_segments)
        # At the clusters of any iteration, for the network is asked at all of them.
        n_iter = rng.randint(1, self.max_iter + 1)
        if number == 0:
            labels, _ = self._slic_clusters(image, grid, self.initial_weights, n_iter, threads)
        else:
            labels, _ = self._cluster(image, grid, n_iter, threads)
        clusters = start_clusters(image.features, grid.seeds(mask=image.mask))
        update_clusters(image.features, labels, clusters, threads)
        segmentation = np.asarray(segmentation)
        segmentation = segmentation.reshape(-1, *labels.shape)
        initial = check_channel_weights(self.initial_weights, self.n_features_)
        everywhere = np.argwhere(labels >= 0).astype(np.int32)
        order = rng.permutation(len(everywhere))
        centres = clusters.seeds + clusters.offsets
        kept_rows, kept_targets, n_kept = [], [], 0
        step = self._batch_size(image)
        for start in range(0, len(order), step):
            pixels = everywhere[order[start : start + step]]
            rows, candidates = classifier_rows(
                image.features, clusters, pixels, self.n_candidates, self.compactness, grid
            )
            distances = row_distances(rows, self.n_features_, initial)
            targets = self.label_maker.make(
                segmentation, labels, pixels, candidates, distances, centres, rng
            )
            if targets.ndim == 2:  # sets, as bits
                bits = targets @ (1 << np.arange(targets.shape[1], dtype=np.int64))
                targets = np.where(bits > 0, bits, -1)
            teaches = np.flatnonzero(targets >= 0)[: self.n_pixels_per_image - n_kept]
            kept_rows.append(rows[teaches])
            kept_targets.append(targets[teaches])
            n_kept += len(teaches)
            if n_kept == self.n_pixels_per_image:
                break
        return np.concatenate(kept_rows), np.concatenate(kept_targets)

    def _batch_size(self, image):
        width = self.n_candidates * (1 + len(image.features)) + len(image.features)
        return max(256, _ROWS_BYTES // (4 * width))

    def _weighted(self, features, weights):
        weights = check_channel_weights(weights, len(features))
        if weights is None:
            return features
        return features * np.sqrt(weights).astype(np.float32).reshape(-1, 1, 1, 1)

    def _fit_classifier(self, rows, targets, held_out, seed):
        """Fit the network, deterministically, with the images held out to stop it."""
        import torch
        from skorch.dataset import Dataset
        from skorch.helper import predefined_split

        from sksuperpixel.networks import make_distance_net

        net = make_distance_net() if self.classifier is None else self.classifier
        net = clone(net).set_params(device=self.device)
        given = net.get_params(deep=False)
        known = {
            "module__n_features": self.n_features_,
            "module__n_candidates": self.n_candidates,
            "module__initial_weights": self.initial_weights,
            "module__scales": _typical_sizes(rows, self.n_features_, self.n_candidates),
        }
        accepted = net.module.__init__.__code__.co_varnames
        net.set_params(**{name: value for name, value in known.items() if name[8:] in accepted})
        if self.label_maker.targets == "set" and "criterion__sets" in given:
            net.set_params(criterion__sets=True)
        if given["train_split"] is not None and held_out.any():
            split = predefined_split(Dataset(rows[held_out], targets[held_out]))
            net.set_params(train_split=split)
            rows, targets = rows[~held_out], targets[~held_out]
        elif given["train_split"] is not None:
            net.set_params(train_split=None, callbacks=None)
        with one_torch_thread(), torch.random.fork_rng():
            torch.manual_seed(seed)
            net.initialize()
            if hasattr(self, "classifier_"):
                net.module_.load_state_dict(self.classifier_.module_.state_dict())
            net.partial_fit(rows, targets)
        return net.set_params(train_split=None)

    def _channel_weights(self):
        """Weights of a learned distance; the initial ones where there is none."""
        return getattr(self.classifier_.module_, "channel_weights", self.initial_weights)

    def _is_linear(self):
        return getattr(self.classifier_.module_, "n_layers", None) == 1

    def _slic_clusters(self, image, grid, weights, n_iter, threads):
        """Iterate with SLIC's distance, weighted."""
        return cluster_pixels(
            self._weighted(image.features, weights),
            grid,
            compactness=self.compactness,
            max_iter=n_iter,
            mask=image.mask,
            threads=threads,
        )

    def _cluster(self, image, grid, n_iter, threads):
        """Iterate with the network in place of SLIC's distance."""
        if self._is_linear():
            return self._slic_clusters(image, grid, self._channel_weights(), n_iter, threads)
        features = image.features
        clusters = start_clusters(features, grid.seeds(mask=image.mask))
        labels = np.full(features.shape[1:], -1, np.int32)
        inside = np.ones(labels.shape, bool) if image.mask is None else image.mask
        pixels = np.argwhere(inside).astype(np.int32)
        step = self._batch_size(image)
        layers = self._layers()
        for iteration in range(n_iter):
            if iteration > 0:
                update_clusters(features, labels, clusters, threads)
            if layers is not None:
                assign_by_network(
                    features,
                    clusters,
                    pixels,
                    self.n_candidates,
                    self.compactness,
                    grid,
                    layers,
                    labels,
                    threads,
                )
                continue
            for start in range(0, len(pixels), step):
                some = pixels[start : start + step]
                rows, candidates = classifier_rows(
                    features, clusters, some, self.n_candidates, self.compactness, grid
                )
                slots = self._choose(rows, candidates)
                labels[tuple(some.T)] = candidates[np.arange(len(some)), slots]
        return labels, clusters

    def _layers(self):
        """Arrays of a distance of three layers, for a kernel; None for other networks."""
        from sksuperpixel.networks import DistanceNetwork

        module = self.classifier_.module_
        deep = type(module) is DistanceNetwork and module.n_layers == 3
        return module.arrays() if deep else None

    def _choose(self, rows, candidates):
        """Slots of the candidates that the network finds most probable."""
        import torch

        net = self.classifier_
        net.module_.eval()
        with torch.inference_mode():
            output = net.infer(torch.from_numpy(rows).to(net.device)).cpu().numpy()
        return np.where(candidates >= 0, output, -np.inf).argmax(axis=1)

    def _segment(self, image, threads):
        grid = image_grid(image, self.superpixel_size, self.n_segments)
        weighted = self._weighted(image.features, self._channel_weights())

        def cluster(_, grid, *, threads, **options):
            return self._cluster(image, grid, self.max_iter, threads)

        options = {
            "min_size_factor": self.min_size_factor,
            "threads": threads,
            "cluster": cluster,
            "mask": image.mask,
        }
        with one_torch_thread():
            if self.n_segments is None or self.oversegmentation == 1:
                return slic_regions(weighted, grid, **options)[0]
            regions, n_regions = exact_regions(
                weighted,
                self.n_segments,
                self.oversegmentation,
                image.spacing,
                compactness=self.compactness,
                **options,
            )
        check_number(n_regions, self.n_segments, image.index)
        return regions

    def to_slic(self):
        """Give the plain SLIC of a one-layer distance.

        Returns
        -------
        SLIC
            With the learned weights, not fitted.

        Raises
        ------
        ValueError
            If the network is not a distance of one layer.
        """
        check_is_fitted(self, "classifier_")
        if not self._is_linear():
            raise ValueError("to_slic: expected a DistanceNetwork of one layer as classifier")
        names = SLIC().get_params(deep=False)
        shared = {name: value for name, value in self.get_params(False).items() if name in names}
        return SLIC(**shared, channel_weights=self._channel_weights())

    def save(self, path):
        """Write the fitted model to a file: safetensors, described in JSON.

        Parameters
        ----------
        path : str or path-like
            The file, which is replaced if there is one.

        Raises
        ------
        ValueError
            If the network or the features' transformer is not one of this library: such a
            model can be pickled.
        """
        check_is_fitted(self, "classifier_")
        params = self.get_params(deep=False)
        random_state = params.pop("random_state")
        del params["classifier"]
        maker = params.pop("label_maker")
        save_model(
            path,
            self.classifier_.module_,
            {
                "params": {
                    **plain(params),
                    "features": describe_features(params["features"]),
                    "random_state": random_state if isinstance(random_state, int) else None,
                },
                "label_maker": None if maker is None else maker.get_params(),
                "learned": {name: int(getattr(self, name)) for name in _LEARNED_NUMBERS},
            },
        )

    @classmethod
    def load(cls, path):
        """Read a model that `save` wrote. Nothing in the file is run.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        TrainableSLIC
            Fitted.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is not whole, not of this kind, of a newer version, or its tensors do not
            fit.
        """
        from sksuperpixel.networks import make_net_of

        module, about = load_model(path)
        params = {**about["params"], "features": restore_features(about["params"]["features"])}
        maker = about["label_maker"]
        slic = cls(**params, label_maker=None if maker is None else LabelMaker(**maker))
        for name, value in about["learned"].items():
            setattr(slic, name, value)
        channels = (None if slic.channel_axis is None else (slic.n_channels_in_,)) or ()
        blank = np.zeros((1, 1, *channels), np.uint8)
        if channels:
            blank = np.moveaxis(blank, -1, slic.channel_axis)
        slic.features_, _ = slic._fit_features([blank], None)
        slic.classifier_ = make_net_of(module, device=slic.device)
        return slic


_LEARNED_NUMBERS = ("n_channels_in_", "n_features_", "n_pixels_")


def _typical_sizes(rows, n_features, n_candidates):
    """Root mean squares of distances and differences over rows: (1 + M,) float32."""
    stop = n_features + n_candidates
    space = np.ma.masked_invalid(rows[:, n_features:stop])
    differences = rows[:, stop:].reshape(len(rows), n_candidates, n_features)
    sizes = np.append(np.sqrt((space**2).mean()), np.sqrt((differences**2).mean(axis=(0, 1))))
    return np.maximum(sizes, 1e-6).astype(np.float32)
