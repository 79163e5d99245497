"""What all transformers of images into features share."""

import inspect
import os
import zlib
from functools import lru_cache, partial
from numbers import Integral

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted, check_memory

from sksuperpixel._documentation import DocumentedOnline
from sksuperpixel._images.errors import about_image, warn_about_image
from sksuperpixel._images.images import check_finite
from sksuperpixel._images.lazy_sequence import LazySequence
from sksuperpixel._images.masks import fill_outside, replace_outside
from sksuperpixel._images.parameters import check_constraints
from sksuperpixel._images.reader import ImageReader


def takes_masks(method):
    """Tell whether a method has a parameter `masks`."""
    return _has_masks(getattr(method, "__func__", method))


@lru_cache(maxsize=256)
def _has_masks(function):
    return "masks" in inspect.signature(function).parameters


def fit_copy(transformer, reader, y):
    """Fit a copy of a transformer to images that have been checked.

    Transformers that do not take masks get images that are filled outside their masks.

    Parameters
    ----------
    transformer : transformer
    reader : ImageReader
    y : sequence or None
        Segmentations.

    Returns
    -------
    transformer
    """
    transformer = clone(transformer)
    if takes_masks(transformer.fit):
        return transformer.fit(reader.given(), y, masks=reader.masks)
    return transformer.fit(reader.filled(), y)


def features_of(transformer, image, what="features"):
    """Compute the features of one image.

    Parameters
    ----------
    transformer : transformer
        A fitted transformer.
    image : CheckedImage
    what : str, default="features"
        What to call the features in an error.

    Returns
    -------
    ndarray of shape (..., M)

    Raises
    ------
    ValueError
        If the features do not have the image's shape.
    """
    if takes_masks(transformer.transform):
        features = transformer.transform([image.as_given()], masks=[image.mask])
    else:
        features = transformer.transform([image.filled().as_given()])
    values = np.asarray(features[0])
    if values.shape[:-1] != image.shape:
        expected = ", ".join(map(str, image.shape))
        raise ValueError(f"found {what} of shape {values.shape}, expected ({expected}, C)")
    return values


def _compute(transformer, key, image):
    """Compute one image's features and their checksum; `key` tells what they depend on."""
    features = transformer._image_features(image)
    return features, _checksum(features)


def _checksum(features):
    about = f"{features.shape} {features.dtype.str}".encode()
    return zlib.crc32(np.ascontiguousarray(features), zlib.crc32(about))


def _is_whole(found):
    """Tell whether what a cache gave is what `_compute` returned."""
    return (
        isinstance(found, tuple)
        and len(found) == 2
        and isinstance(found[0], np.ndarray)
        and found[0].dtype.kind == "f"
        and isinstance(found[1], int)
        and found[1] == _checksum(found[0])
    )


class ImageTransformerMixin(DocumentedOnline, TransformerMixin, auto_wrap_output_keys=None):
    """Mixin for transformers that turn images into features.

    A subclass has the parameters `channel_axis` and `memory` and implements
    ``_image_features(image)``: a float32 array (H, W, M) (or (D, H, W, M)) from one checked
    image whose channels are last and which is filled outside its mask. It may override
    ``_check_params()`` and ``_check_first(image)``, and add to ``_parameter_constraints``.
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "channel_axis": [Integral, None],
        "memory": [str, os.PathLike, HasMethods("cache"), None],
    }

    def __init_subclass__(cls, auto_wrap_output_keys=None, **kwargs):
        # Passed on, because scikit-learn must not make a table of image features, and the setting
        # is not inherited.
        super().__init_subclass__(auto_wrap_output_keys=auto_wrap_output_keys, **kwargs)

    def fit(self, X, y=None, masks=None):
        """Check the images and learn how many channels they have.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W) or (H, W, C)
            Images.
        y : sequence of ndarray of shape (H, W) or (A, H, W), default=None
            Segmentations, for transformers that learn from them.
        masks : sequence of ndarray of shape (H, W), bool, or None, default=None
            Where the images count, one mask (or None) per image.

        Returns
        -------
        self : object
            Fitted transformer.

        Raises
        ------
        ValueError
            If a parameter or an image is not as expected; the error names the image's index.
        TypeError
            If the images are not a sequence of arrays of numbers.
        """
        self._check_params()
        self.n_channels_in_ = self._reader(X, masks).first.n_channels
        return self

    def _check_params(self):
        """Check the parameters; also before `transform`, because they may be set after `fit`.

        Raises
        ------
        ValueError
            If a parameter is not as expected.
        """
        check_constraints(self)

    def _reader(self, X, masks):
        """Make a reader of the images to fit, and check the first one."""
        reader = ImageReader(X, self.channel_axis, masks)
        with about_image(0):
            self._check_first(reader.first)
        return reader

    def _check_first(self, image):
        """Raise ValueError if the transformer cannot work with such images."""

    @property
    def _looks_around(self):
        """Whether the features of a pixel depend on other pixels."""
        return True

    def transform(self, X, masks=None):
        """Compute the images' features, each when it is asked for.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W) or (H, W, C)
            Images.
        masks : sequence of ndarray of shape (H, W), bool, or None, default=None
            Where the images count, one mask (or None) per image. Near the border of a mask,
            features see the image mirrored there instead of what lies outside.

        Returns
        -------
        LazySequence of ndarray of shape (H, W, M), float32
            Indexing it computes one image's features, and raises errors about that image. The
            features of a NumPy masked array are a masked array; `np.ma.stack` keeps their
            masks, `np.stack` does not.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        ValueError
            If a parameter is not as expected.
        """
        check_is_fitted(self)
        self._check_params()
        reader = ImageReader(X, self.channel_axis, masks, self.n_channels_in_)
        return LazySequence(partial(self._features_at, reader), range(len(X)))

    def fit_transform(self, X, y=None, masks=None):
        """Fit, then compute the images' features.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W) or (H, W, C)
            Images.
        y : sequence of ndarray of shape (H, W) or (A, H, W), default=None
            Segmentations, for transformers that learn from them.
        masks : sequence of ndarray of shape (H, W), bool, or None, default=None
            Where the images count, one mask (or None) per image.

        Returns
        -------
        LazySequence of ndarray of shape (H, W, M), float32
            See :meth:`transform`.
        """
        return self.fit(X, y, masks=masks).transform(X, masks=masks)

    def _features_at(self, reader, index):
        with about_image(index):
            image = reader[index]
            check_finite(image.pixels, image.mask)
            fill = fill_outside if self._looks_around else replace_outside
            pixels = fill(image.pixels, image.mask)
            return image.masked_alike(self._cached_features(pixels))

    def _cached_features(self, pixels):
        """Compute the features of an image, or take them from the cache."""
        memory = self.memory
        if memory is None:
            return self._image_features(pixels)
        memory = check_memory(os.fspath(memory) if isinstance(memory, os.PathLike) else memory)
        cached = memory.cache(_compute, ignore=["transformer"])
        arguments = self, self._cache_key(), pixels
        # A cache that cannot read its file computes the features again, but it does not notice
        # numbers that have changed there.
        found = cached(*arguments)
        if not _is_whole(found):
            if hasattr(cached, "call_and_shelve"):
                cached.call_and_shelve(*arguments).clear()
            warn_about_image("found damaged features in the cache; they were computed again")
            found = _compute(*arguments)
        return found[0]

    def _cache_key(self):
        """Return what the features of an image depend on, besides the image."""
        params = self.get_params()
        for name in ("memory", "device", "n_jobs"):
            params.pop(name, None)
        learned = {name: value for name, value in vars(self).items() if name.endswith("_")}
        return f"{type(self).__module__}.{type(self).__qualname__}", params, learned

    def __sklearn_is_fitted__(self):
        return hasattr(self, "n_channels_in_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.no_validation = True
        return tags
