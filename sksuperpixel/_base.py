"""What all estimators that cut images into superpixels share."""

from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import partial
from numbers import Integral, Real

import numpy as np
from joblib import cpu_count, effective_n_jobs
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._clustering.planes import Planes, channels_first, largest_magnitude
from sksuperpixel._clustering.settings import Settings
from sksuperpixel._clustering.superpixels import superpixels
from sksuperpixel._clustering.threads import ONE_THREAD, Threads, run_in_order
from sksuperpixel._documentation import DocumentedOnline
from sksuperpixel._images.errors import about_image
from sksuperpixel._images.images import check_finite
from sksuperpixel._images.parameters import check_constraints, check_spacing
from sksuperpixel._images.reader import ImageReader
from sksuperpixel._images.transformer import features_of, fit_copy
from sksuperpixel.features import features_of_name
from sksuperpixel.metrics import achievable_segmentation_accuracy

# The constraints of the parameters that both estimators have. The upper limits are far above
# anything useful. They keep numbers finite, and the time for an image bounded.
SHARED_CONSTRAINTS = {
    "superpixel_size": [Interval(Real, 1, 2**31 - 1, closed="both")],
    "n_segments": [Interval(Integral, 1, 2**31 - 1, closed="both"), None],
    "compactness": [Interval(Real, 0, 1e37, closed="both")],
    "max_iter": [Interval(Integral, 1, 10_000, closed="both")],
    "features": [StrOptions({"lab", "passthrough"}), HasMethods(["fit", "transform"])],
    "channel_weights": ["array-like", None],
    "channel_axis": [Integral, None],
    "spacing": ["array-like", None],
    "min_size_factor": [Interval(Real, 0, 1, closed="both")],
    "oversegmentation": [Interval(Real, 1, 1e6, closed="both")],
    "edge_channel": [Integral, None],
    "refine_iter": [Interval(Integral, 0, 10_000, closed="both")],
    "start_label": [Interval(Integral, 0, 2**30, closed="both")],
    "n_jobs": [Integral, None],
}

# More threads would only wait for each other, whatever `n_jobs` says.
_THREADS_PER_CORE = 4


class SuperpixelTransformer(
    DocumentedOnline,
    CallbackSupportMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    """Base class of the estimators whose ``transform`` returns superpixels.

    A subclass has the parameters of `SHARED_CONSTRAINTS`. Its ``fit`` sets `features_` and
    `n_channels_in_`, and it implements ``_distance(n_features)``, which returns the distance by
    which pixels choose their clusters.
    """

    def _check_params(self):
        """Check the parameters; also before `transform`, because they may be set after `fit`.

        Raises
        ------
        ValueError
            If a parameter is not as expected.
        """
        check_constraints(self)

    def _fit_features(self, reader, y):
        """Check the first image and the segmentations, and fit the feature transformer.

        Parameters
        ----------
        reader : ImageReader
        y : sequence or None

        Returns
        -------
        transformer or None
            None for the images' own channels.
        """
        if y is not None:
            reader.check_segmentations(y)
        check_spacing(self.spacing, len(reader.first.shape))
        if not isinstance(self.features, str):
            return fit_copy(self.features, reader, y)
        if self.features == "passthrough":
            return None
        return fit_copy(features_of_name(self.features, self.channel_axis), reader, y)

    def transform(self, X, masks=None):
        """Cut each image into superpixels.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W), (H, W, C), (D, H, W) or (D, H, W, C)
            Images, whose sizes may differ. A NumPy masked array is an image with a mask.
        masks : sequence of ndarray of shape (H, W) or (D, H, W), bool, or None, default=None
            Where superpixels are wanted, one mask (or None) per image. Pixels outside are ignored
            and may be NaN.

        Returns
        -------
        list of ndarray of shape (H, W) or (D, H, W), int32
            Superpixels, labelled `start_label`, `start_label` + 1, ... in the raster order of
            their first pixels, or of their clusters' seeds if superpixels need not be connected.
            Pixels outside the mask are `start_label` - 1.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        ValueError
            If a parameter, an image or a mask is not as expected. An error about an image names
            its index.
        """
        # Callbacks keep their state on the estimator while it works. Working on a copy lets
        # several threads share this estimator.
        return copy(self)._transform(X, self._reader(X, masks))

    def _reader(self, X, masks):
        """Check the parameters, and read images with as many channels as those fitted."""
        check_is_fitted(self)
        self._check_params()
        return ImageReader(X, self.channel_axis, masks, self.n_channels_in_)

    @with_callbacks
    def _transform(self, X, reader):
        settings = Settings.of(self)

        def cut(threads, index):
            with about_image(index):
                image = reader[index]
                planes = self._planes(image)
                distance = self._distance(len(planes.features))
                labels = superpixels(planes, distance, settings, threads)
                if self.start_label:
                    labels += np.int32(self.start_label)
                return labels.reshape(image.shape)

        progress = self._init_callback_context(task_name="transform", max_subtasks=len(X))
        progress.call_on_fit_task_begin(estimator=self, X=X)
        label_maps = []
        for label_map in self._map_images(cut, len(X)):
            image_done = progress.subcontext(task_name="image")
            image_done.call_on_fit_task_begin(estimator=self)
            label_maps.append(label_map)
            image_done.call_on_fit_task_end(estimator=self)
        progress.call_on_fit_task_end(estimator=self, X=X)
        return label_maps

    def predict(self, X, masks=None):
        """Cut each image into superpixels, in the form that scikit-learn's tools expect.

        Parameters
        ----------
        X : sequence of ndarray
            Images, see :meth:`transform`.
        masks : sequence of ndarray, bool, or None, default=None
            Where superpixels are wanted, one mask (or None) per image.

        Returns
        -------
        ndarray of shape (n,), object
            The superpixels of each image, as :meth:`transform` returns them.
        """
        label_maps = self.transform(X, masks=masks)
        # Filled one by one, because NumPy would stack label maps of equal shape.
        predicted = np.empty(len(label_maps), object)
        for index, label_map in enumerate(label_maps):
            predicted[index] = label_map
        return predicted

    def fit_transform(self, X, y=None, masks=None):
        """Fit, then cut each image into superpixels.

        Parameters
        ----------
        X : sequence of ndarray
            Images, see :meth:`transform`.
        y : sequence of ndarray, default=None
            Segmentations, one per image.
        masks : sequence of ndarray, bool, or None, default=None
            Where superpixels are wanted, one mask (or None) per image.

        Returns
        -------
        list of ndarray, int32
            The superpixels of each image.
        """
        return self.fit(X, y, masks=masks).transform(X, masks=masks)

    def score(self, X, y, masks=None, sample_weight=None):
        """Score superpixels by the segmentation accuracy they allow; larger is better.

        Parameters
        ----------
        X : sequence of ndarray
            Images, see :meth:`transform`.
        y : sequence of ndarray of shape (H, W) or (A, H, W)
            Segmentations, one per image.
        masks : sequence of ndarray, bool, or None, default=None
            Where superpixels are wanted, one mask (or None) per image. Pixels outside do not
            count.
        sample_weight : array-like of shape (n,), default=None
            Weights of the images in the mean. If None, all images have the same weight.

        Returns
        -------
        float
            Mean achievable segmentation accuracy, in [0, 1].
        """
        reader = self._reader(X, masks)
        reader.check_segmentations(y)
        # Numbered from 0, because the metric leaves out negative labels.
        numbered = copy(self).set_params(start_label=0)
        of_annotators = achievable_segmentation_accuracy(
            y, numbered._transform(X, reader), average=None
        )
        of_images = [scores.mean() for scores in of_annotators]
        return float(np.average(of_images, weights=sample_weight))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.no_validation = True
        return tags

    def _map_images(self, function, n_images):
        """Yield ``function(threads, index)`` for each image, in order."""
        n_threads = effective_n_jobs(self.n_jobs)
        if n_threads > 1:
            n_threads = min(n_threads, _THREADS_PER_CORE * cpu_count())
        if n_threads == 1:
            yield from (function(ONE_THREAD, i) for i in range(n_images))
            return
        with ThreadPoolExecutor(n_threads) as pool:
            if n_images < n_threads:
                threads = Threads(pool, n_threads)
                yield from (function(threads, i) for i in range(n_images))
                return
            yield from run_in_order(pool, partial(function, ONE_THREAD), range(n_images))

    def _channels_looked_at(self, n_features):
        """Tell which features have a weight above 0: ndarray of shape (C,), bool."""
        return np.ones(n_features, bool)

    def _planes(self, image):
        """Compute the features of one image, as the kernels need them.

        Parameters
        ----------
        image : CheckedImage

        Returns
        -------
        Planes
        """
        own = self.features_ is None
        values = image.pixels if own else features_of(self.features_, image)
        with np.errstate(over="ignore"):
            planes = channels_first(values, image.mask)
        # Checked after the conversion, because float64 values may be too large for float32.
        seen = self._channels_looked_at(len(planes))
        what = "" if own else "in the features "
        if not np.isfinite(largest_magnitude(planes)):
            check_finite(np.moveaxis(planes[seen], 0, -1), image.mask, what)
        _check_not_all_lost(values, planes, image.mask, seen, what)
        # An image is a volume of one plane.
        volume = (1,) * (3 - len(image.shape)) + image.shape
        mask = None if image.mask is None else image.mask.reshape(volume)
        spacing = check_spacing(self.spacing, len(image.shape))
        return Planes(planes.reshape(-1, *volume), mask, spacing)


def _check_not_all_lost(values, planes, mask, seen, what):
    """Raise ValueError if float32 cannot tell any of the values from 0.

    Parameters
    ----------
    values : ndarray of shape (..., C)
    planes : ndarray of shape (C, ...), float32
        The same values.
    mask : ndarray of shape (...), bool, or None
    seen : ndarray of shape (C,), bool
        The channels that count.
    what : str
        What to call the values in the error, if they are not the image itself.
    """
    if values.dtype != np.float64:
        return
    smallest = np.finfo(np.float32).tiny
    largest = 0.0
    everywhere = ... if mask is None else mask
    for channel in np.flatnonzero(seen):
        if (np.abs(planes[channel][everywhere]) >= smallest).any():
            return
        largest = max(largest, np.abs(values[..., channel][everywhere]).max())
    if largest > 0:
        raise ValueError(
            f"found values {what}of at most {largest:.3g}, expected some of at least "
            f"{smallest:.3g}, because distances are computed in float32"
        )
