"""Scorers of all metrics, for model selection with scikit-learn."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.metrics._scorer import _BaseScorer
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest

from sksuperpixel._images.lazy_sequence import LazySequence
from sksuperpixel._images.pictures import is_picture
from sksuperpixel.metrics._boundary import (
    boundary_precision,
    boundary_recall,
    mean_distance_to_edge,
)
from sksuperpixel.metrics._checks import check_ignore_label, check_tolerance
from sksuperpixel.metrics._overlap import (
    achievable_iou,
    achievable_segmentation_accuracy,
    undersegmentation_error,
)
from sksuperpixel.metrics._shape import compactness, global_regularity, n_superpixels
from sksuperpixel.metrics._variation import explained_variation

_LOWER_IS_BETTER = (mean_distance_to_edge, undersegmentation_error)
_WITH_TOLERANCE = (boundary_recall, boundary_precision)


def get_scorers(*, tolerance=2, ignore_label=None):
    """Make scorers of all metrics, for `GridSearchCV` and `cross_validate`.

    Parameters
    ----------
    tolerance : int, default=2
        The largest distance between edges that `boundary_recall` and `boundary_precision` accept,
        in pixels along each axis.

    ignore_label : int, default=None
        The label of void pixels in the segmentations, which are left out.

    Returns
    -------
    dict of str to callable
        ``scorer(estimator, images, segmentations, masks=None)`` is higher for better superpixels.
        Errors and distances are negated and named "neg_...", as in scikit-learn. The scorers of
        `compactness`, `global_regularity`, `n_superpixels` and `explained_variation` do not need
        segmentations.

    Raises
    ------
    ValueError
        If `tolerance` or `ignore_label` is not as expected.

    Notes
    -----
    A scorer compares the results of the estimator's ``predict`` with the segmentations. There is
    one segmentation per image; a stacked array is split along its first axis. With
    ``scoring=get_scorers()``, all scorers share one call of ``predict``.

    If masks are given, the scorer calls ``predict(images, masks=masks)`` and leaves out what is
    outside the masks. With ``sklearn.set_config(enable_metadata_routing=True)``, scorers request
    `masks`, so that ``GridSearchCV(...).fit(images, segmentations, masks=masks)`` and
    ``cross_validate(..., params={"masks": masks})`` pass each fold's masks on. If an image is a
    NumPy masked array, its masked pixels are left out, too. Without metadata routing,
    ``cross_validate`` and searches hand masks to ``fit`` only: then let the images be masked
    arrays.

    Examples
    --------
    >>> from sksuperpixel.metrics import get_scorers
    >>> scorers = get_scorers(ignore_label=11)
    >>> sorted(scorers)[:3]
    ['achievable_iou', 'achievable_segmentation_accuracy', 'boundary_precision']
    >>> scorers["neg_undersegmentation_error"]
    SuperpixelScorer(undersegmentation_error, greater_is_better=False, ignore_label=11)
    """
    check_tolerance(tolerance)
    check_ignore_label(ignore_label)
    scorers = {}
    for metric in (
        boundary_recall,
        boundary_precision,
        mean_distance_to_edge,
        undersegmentation_error,
        achievable_segmentation_accuracy,
        achievable_iou,
        compactness,
        global_regularity,
        n_superpixels,
        explained_variation,
    ):
        settings = {} if metric is explained_variation else {"ignore_label": ignore_label}
        if metric in _WITH_TOLERANCE:
            settings["tolerance"] = tolerance
        name = f"neg_{metric.__name__}" if metric in _LOWER_IS_BETTER else metric.__name__
        scorers[name] = SuperpixelScorer(metric, **settings)
    return scorers


class SuperpixelScorer(_BaseScorer):
    """Score an estimator's superpixels by a metric; higher is better.

    It is a subclass of scikit-learn's own scorers, because only these share one call of
    ``predict``. Unlike them, it also passes masks to ``predict``.

    Parameters
    ----------
    metric : callable
        A metric of this package.

    **settings : object
        Further arguments of the metric.
    """

    def __init__(self, metric, **settings):
        sign = -1 if metric in _LOWER_IS_BETTER else 1
        super().__init__(metric, sign, settings, response_method="predict")

    def __repr__(self):
        parts = [self._score_func.__name__]
        if self._sign < 0:
            parts.append("greater_is_better=False")
        parts += [f"{name}={value!r}" for name, value in self._kwargs.items()]
        return f"SuperpixelScorer({', '.join(parts)})"

    def __call__(self, estimator, X, y_true=None, *, masks=None):
        """Score the superpixels of some images.

        Parameters
        ----------
        estimator : estimator
            Fitted, with a method ``predict(X)``; ``predict(X, masks=masks)`` if masks are given.

        X : sequence of ndarray of shape (H, W) or (H, W, C)
            Images. Masked pixels of NumPy masked arrays are left out.

        y_true : sequence of ndarray of int, shape (H, W) or (A, H, W), default=None
            Segmentations, one per image.

        masks : sequence of ndarray of bool, shape (H, W), default=None
            The pixels that count, one mask (or None) per image.

        Returns
        -------
        float
            The score; errors and distances are negated.
        """
        return self._score(_call_method, estimator, X, y_true, masks=masks)

    def _score(self, method_caller, estimator, X, y_true=None, *, masks=None):
        """Score; scikit-learn's `method_caller` caches results of calls for other scorers."""
        prediction = _Prediction(estimator, masks, method_caller)
        label_maps = method_caller(prediction, prediction.name, X)
        data = {"y_true": y_true}
        if self._score_func is explained_variation:
            images = partial(_channels_last, X, _channel_axis_of(estimator))
            data = {"image": LazySequence(images, range(len(X)))}
        return self._sign * self._score_func(
            y_pred=label_maps, masks=masks, **data, **self._kwargs
        )

    def _get_metadata_request(self):
        if hasattr(self, "_metadata_request"):  # after set_score_request
            return super()._get_metadata_request()
        request = MetadataRequest(owner=self)
        request.score.add_request(param="masks", alias=True)
        return request


class _Prediction(BaseEstimator):
    """Stands in for an estimator, so that several scorers share one call of ``predict``.

    scikit-learn's caller does not pass on masks, and its cache distinguishes results only by the
    name of the method. Therefore, this object has a method that knows the masks, and whose name
    is different for each sequence of masks.

    Parameters
    ----------
    estimator : estimator
        The estimator to score.

    masks : sequence or None
        One mask (or None) per image.

    method_caller : callable
        Calls ``predict`` without masks, so that scorers of other kinds share that call.
    """

    def __init__(self, estimator, masks, method_caller):
        self.estimator = estimator
        self.masks = masks
        self.method_caller = method_caller
        self.name = f"predict_with_masks_{id(masks)}"
        setattr(self, self.name, self._predict)

    def _predict(self, X):
        """Return a list of label maps, which are masked arrays if the images are."""
        masked = {}
        images = X
        lazy = isinstance(X, Sequence) and not isinstance(X, (list, tuple))
        if lazy:
            # A lazy sequence computes an image each time it is asked for. To avoid a second
            # pass, masks are noted while the estimator reads the images.
            images = LazySequence(partial(_read, X, masked), range(len(X)))
        if self.masks is None:
            label_maps = list(self.method_caller(self.estimator, "predict", images))
        elif isinstance(self.estimator, Pipeline) and not get_config()["enable_metadata_routing"]:
            raise ValueError(
                "masks: found masks for a Pipeline, which hands them to its last step alone; "
                "expected images that are masked arrays, or "
                "sklearn.set_config(enable_metadata_routing=True)"
            )
        else:
            label_maps = list(self.estimator.predict(images, masks=self.masks))
        if lazy or isinstance(X, (list, tuple, np.ndarray)):
            for i in range(len(X)):
                if i not in masked:
                    _read(X, masked, i)
        return [
            _leave_out(label_map, masked.get(i, np.ma.nomask), _channel_axis_of(self.estimator))
            for i, label_map in enumerate(label_maps)
        ]


def _channel_axis_of(estimator):
    """Tell on which axis an estimator, or the first step of a pipeline, expects channels."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[0][1]
    return getattr(estimator, "channel_axis", -1)


def _channels_last(images, channel_axis, index):
    """Return one image with its channels last."""
    image = images[index]
    if is_picture(image) or channel_axis is None or np.ndim(image) < 3:
        return image
    return np.moveaxis(image, channel_axis, -1)


def _call_method(estimator, method, X):
    return getattr(estimator, method)(X)


def _read(images, masked, index):
    """Return one image, and note which of its values are masked."""
    image = images[index]
    masked[index] = np.ma.getmask(image)
    return image


def _leave_out(label_map, masked, channel_axis):
    """Mask the pixels of a label map that are masked in any channel of its image."""
    if masked is np.ma.nomask:
        return label_map
    if masked.ndim > np.ndim(label_map):
        masked = masked.any(axis=-1 if channel_axis is None else channel_axis)
    return np.ma.array(label_map, mask=masked)


#: Scorers of all metrics with their default settings, see `get_scorers`.
SCORERS = get_scorers()
