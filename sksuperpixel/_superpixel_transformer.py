"""What estimators that turn images into superpixels share: checks, features, threads, progress."""

from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import partial
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._base import LazySequence, fitted_copy
from sksuperpixel._clusters import ONE_THREAD, Grid, Threads, channels_first
from sksuperpixel._validation import (
    check_finite,
    check_image,
    check_images,
    check_mask,
    check_masks,
    check_segmentations,
    check_spacing,
)
from sksuperpixel.features import LabFeatures


class Planes(NamedTuple):
    """One image as the kernels want it.

    Attributes
    ----------
    features : ndarray of shape (C, D, H, W), float32
    mask : ndarray of shape (D, H, W), bool, or None
    spacing : tuple of 3 float
    shape : tuple of int
        (H, W) or (D, H, W).
    index : int
        Where the image is in its sequence, for errors.
    """

    features: np.ndarray
    mask: np.ndarray | None
    spacing: tuple
    shape: tuple
    index: int

    @property
    def n_pixels(self):
        """Number of pixels, of the mask's where there is one."""
        return int(np.prod(self.shape) if self.mask is None else np.count_nonzero(self.mask))


def image_grid(image, superpixel_size, n_segments=None):
    """Make the grid of seeds of one image: of a size, or of about a number of cells.

    Raises
    ------
    ValueError
        If there are more segments than pixels.
    """
    shape = image.features.shape[1:]
    if n_segments is None:
        return Grid(shape, float(superpixel_size), image.spacing)
    if n_segments > image.n_pixels:
        raise ValueError(
            f"image {image.index}: n_segments={n_segments}, but there are only {image.n_pixels} "
            f"pixels{'' if image.mask is None else ' in its mask'}"
        )
    return Grid.with_cells(shape, image.n_pixels / n_segments, image.spacing)


def check_number(n_regions, n_segments, index):
    """Raise ValueError where a mask's parts are more than the superpixels wanted."""
    if n_regions > n_segments:
        raise ValueError(
            f"image {index}: n_segments={n_segments}, but its mask has {n_regions} parts that do "
            "not touch, each of which needs a superpixel"
        )


class SuperpixelTransformer(
    CallbackSupportMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Base of the estimators whose ``transform`` gives superpixels.

    A subclass has parameters `features`, `channel_axis`, `spacing` and `n_jobs`; its ``fit``
    sets what ``_fit_features`` gives; and it implements ``_segment(image, threads)``: regions
    (D, H, W) of one image given as `Planes`.
    """

    def _fit_features(self, X, y, masks=None):
        """Check images and segmentations, and fit the features' transformer.

        Masks are for a transformer that learns, whose ``fit`` knows them.

        Returns
        -------
        features : transformer or None
        n_channels : int
            Of the first image.
        """
        check_images(X, self.channel_axis)
        first = check_image(X[0], 0, self.channel_axis)
        if y is not None:
            check_segmentations(y, X, self.channel_axis)
        check_spacing(self.spacing, first.ndim - 1)
        if not isinstance(self.features, str):
            return fitted_copy(self.features, X, y, masks), first.shape[-1]
        if self.features == "passthrough":
            return None, first.shape[-1]
        return LabFeatures(channel_axis=self.channel_axis).fit(X), first.shape[-1]

    def transform(self, X, masks=None):
        """Segment each image.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W), (H, W, C), (D, H, W) or (D, H, W, C)
            Images; their sizes may differ.
        masks : sequence of ndarray of shape (H, W) or (D, H, W), bool, or None, default=None
            Where superpixels are wanted, one mask (or None) an image. Pixels outside count for
            nothing and may be NaN.

        Returns
        -------
        list of ndarray of shape (H, W) or (D, H, W), int32
            Superpixels, labelled 0 .. K - 1 in the raster order of their first pixels (of
            their clusters' seeds where regions need not be connected); -1 outside the mask.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        ValueError
            If an image or a mask is not as expected; its index is named.
        """
        # Callbacks keep their state on the estimator meanwhile: on a copy, so that threads can
        # share this one.
        return copy(self)._transform(X, masks)

    @with_callbacks
    def _transform(self, X, masks):
        check_is_fitted(self)
        check_images(X, self.channel_axis)
        masks = check_masks(masks, len(X))
        segment = partial(self._superpixels_at, self._planes(X, masks))
        progress = self._init_callback_context(task_name="transform", max_subtasks=len(X))
        progress.call_on_fit_task_begin(estimator=self, X=X)
        superpixels = []
        for result in self._map_images(segment, len(X)):
            image_done = progress.subcontext(task_name="image")
            image_done.call_on_fit_task_begin(estimator=self)
            superpixels.append(result)
            image_done.call_on_fit_task_end(estimator=self)
        progress.call_on_fit_task_end(estimator=self, X=X)
        return superpixels

    def predict(self, X, masks=None):
        """Segment each image: another name of `transform`, for scorers.

        Parameters
        ----------
        X : sequence of ndarray
            Images.
        masks : sequence of ndarray, bool, or None, default=None
            Where superpixels are wanted.

        Returns
        -------
        list of ndarray, int32
            Superpixels of each image.
        """
        return self.transform(X, masks=masks)

    def fit_transform(self, X, y=None, masks=None):
        """Fit, then segment each image.

        Parameters
        ----------
        X : sequence of ndarray
            Images.
        y : sequence of ndarray, default=None
            Segmentations, one an image.
        masks : sequence of ndarray, bool, or None, default=None
            Where superpixels are wanted.

        Returns
        -------
        list of ndarray, int32
            Superpixels of each image.
        """
        return self.fit(X, y).transform(X, masks=masks)

    def score(self, X, y):
        """Score superpixels by the segmentation accuracy they allow; larger is better.

        Parameters
        ----------
        X : sequence of ndarray
            Images.
        y : sequence of ndarray of shape (H, W) or (A, H, W)
            Segmentations, one an image.

        Returns
        -------
        float
            Mean achievable segmentation accuracy, in [0, 1].
        """
        from sksuperpixel.metrics import achievable_segmentation_accuracy

        check_segmentations(y, check_images(X, self.channel_axis), self.channel_axis)
        return achievable_segmentation_accuracy(y, self.transform(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.no_validation = True
        return tags

    def _map_images(self, function, n_images):
        """Yield ``function(threads, index)`` for each image, in order."""
        n_threads = effective_n_jobs(self.n_jobs)
        if n_threads == 1:
            yield from (function(ONE_THREAD, i) for i in range(n_images))
            return
        with ThreadPoolExecutor(n_threads) as pool:
            if n_images < n_threads:
                threads = Threads(pool, n_threads)
                yield from (function(threads, i) for i in range(n_images))
                return
            waiting = [pool.submit(function, ONE_THREAD, i) for i in range(n_images)]
            try:
                yield from (each.result() for each in waiting)
            finally:
                for each in waiting:
                    each.cancel()

    def _image_at(self, images, masks, checked, index):
        """Check one image and its mask, for the features' transformer.

        What was checked, the image's shape and mask, is left in `checked`, so that a lazy
        image is read once.
        """
        original = images[index]
        image = check_image(original, index, self.channel_axis, self.n_channels_in_)
        mask = check_mask(masks[index], image.shape[:-1], index)
        check_finite(image, index, mask)
        checked[index] = image.shape[:-1], mask
        if mask is not None:
            # Features may not depend on what lies outside, which may be anything.
            image = np.where(mask[..., np.newaxis], image, image.dtype.type(0))
        if self.features_ is None:
            return image
        # A transformer gets images as the caller lays them out.
        if self.channel_axis is None or np.ndim(original) == 2:
            return image[..., 0]
        return np.moveaxis(image, -1, self.channel_axis)

    def _planes(self, X, masks):
        """Give each image as the kernels want it, computed when asked for.

        Returns
        -------
        LazySequence of `Planes`
        """
        checked = {}
        images = LazySequence(partial(self._image_at, X, masks, checked), range(len(X)))
        features = images if self.features_ is None else self.features_.transform(images)
        return LazySequence(partial(self._planes_at, images, features, checked), range(len(X)))

    def _planes_at(self, images, features, checked, index):
        values = np.asarray(features[index])
        if index not in checked:
            images[index]
        shape, mask = checked.pop(index)
        if values.shape[:-1] != shape:
            raise ValueError(
                f"image {index}: found features of shape {values.shape}, expected {(*shape, 'C')}"
            )
        with np.errstate(over="ignore"):
            planes = channels_first(values)
        # Only now: float64 may be too large for float32.
        check_finite(np.moveaxis(planes, 0, -1), index, mask, what="features of image")
        # An image is a volume of one plane.
        volume = (1,) * (3 - len(shape)) + shape
        if mask is not None:
            mask = mask.reshape(volume)
        spacing = check_spacing(self.spacing, len(shape))
        return Planes(planes.reshape(-1, *volume), mask, spacing, shape, index)

    def _superpixels_at(self, planes, threads, index):
        image = planes[index]
        return self._segment(image, threads).reshape(image.shape)
