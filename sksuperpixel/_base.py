"""What image transformers share: the lazy sequence, caching, tags."""

import os
from collections.abc import Sequence
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted, check_memory, has_fit_parameter

from sksuperpixel._validation import check_image, check_images


class LazySequence(Sequence):
    """A sequence whose items are computed when they are asked for.

    Features of a data set can be far larger than memory, so image transformers return this
    instead of an array: indexing computes one item, slicing or indexing with an array gives a
    smaller lazy sequence, and nothing is kept. ``np.stack(sequence)`` gives the whole array
    where the items have one shape.

    Parameters
    ----------
    function : callable
        ``function(item)`` computes one item of the sequence.
    items : sequence
        What `function` is called with.

    Attributes
    ----------
    shape : tuple of one int
        The number of items. With it, scikit-learn's splitters index lazily, too.

    Examples
    --------
    >>> from sksuperpixel import LazySequence
    >>> squares = LazySequence(lambda x: x * x, range(10))
    >>> squares[3]
    9
    >>> list(squares[[1, 2]])
    [1, 4]
    """

    def __init__(self, function, items):
        self.function = function
        self.items = items
        # Subsets share `items`, which may be lazy themselves: only the order is sliced.
        self._order = range(len(items))

    @property
    def shape(self):
        return (len(self._order),)

    def __len__(self):
        return len(self._order)

    def __getitem__(self, index):
        # scikit-learn indexes whatever has a shape with `(indices, ...)`
        if isinstance(index, tuple) and len(index) == 2 and index[1] is Ellipsis:
            index = index[0]
        if isinstance(index, slice):
            order = self._order[index]
        elif np.ndim(index) == 1:
            index = np.asarray(index, dtype=None if len(index) else np.intp)
            if index.dtype == bool and len(index) != len(self):
                raise IndexError(
                    f"boolean index has {len(index)} entries, the sequence has {len(self)}"
                )
            order = np.asarray(self._order)[index]
        else:
            return self.function(self.items[self._order[index]])
        subset = LazySequence(self.function, self.items)
        subset._order = order
        return subset

    def __repr__(self):
        return f"LazySequence of {len(self)} items"


def fitted_copy(transformer, X, y, masks):
    """Fit a copy of a transformer; masks are for those that learn, whose ``fit`` knows them.

    Parameters
    ----------
    transformer : transformer
    X, y : sequence
        Images, and their segmentations or None.
    masks : sequence or None

    Returns
    -------
    transformer
    """
    known = masks is not None and has_fit_parameter(transformer, "masks")
    return clone(transformer).fit(X, y, **({"masks": masks} if known else {}))


def _compute(transformer, key, image, index):
    """Compute one image's features; `key` tells a cache what they depend on."""
    return transformer._image_features(image, index)


class ImageTransformerMixin(TransformerMixin, auto_wrap_output_keys=None):
    """Mixin of the transformers that turn images into features.

    A subclass has parameters `channel_axis` and `memory` and implements
    ``_image_features(image, index)``: a float32 array (H, W, M) (or (D, H, W, M)) from one
    checked image whose channels are last. It may override ``_check_n_channels(n_channels)`` and
    add to ``_parameter_constraints``.
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "channel_axis": [Integral, None],
        "memory": [str, os.PathLike, HasMethods("cache"), None],
    }

    def __init_subclass__(cls, auto_wrap_output_keys=None, **kwargs):
        # Not inherited otherwise: features of images must not be made a table.
        super().__init_subclass__(auto_wrap_output_keys=auto_wrap_output_keys, **kwargs)

    def fit(self, X, y=None):
        """Check the images and learn how many channels they have.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W) or (H, W, C)
            Images.
        y : sequence of ndarray of shape (H, W) or (A, H, W), default=None
            Segmentations, for transformers that learn from them.

        Returns
        -------
        self : object
            Fitted transformer.

        Raises
        ------
        ValueError
            If a parameter or the images are not as expected; the image's index is named.
        TypeError
            If they are no sequence of arrays of numbers.
        """
        self._validate_params()
        check_images(X, self.channel_axis)
        n_channels = check_image(X[0], 0, self.channel_axis).shape[-1]
        self._check_n_channels(n_channels)
        self.n_channels_in_ = n_channels
        return self

    def _check_n_channels(self, n_channels):
        """Raise ValueError where the transformer cannot work with that many channels."""

    def transform(self, X):
        """Give the images' features, computed when they are asked for.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W) or (H, W, C)
            Images.

        Returns
        -------
        LazySequence of ndarray of shape (H, W, M), float32
            Indexing it computes one image's features; errors about an image come then.
        """
        check_is_fitted(self)
        check_images(X, self.channel_axis)
        return LazySequence(partial(self._features_at, X), range(len(X)))

    def _features_at(self, images, index):
        image = check_image(images[index], index, self.channel_axis, self.n_channels_in_)
        if self.memory is None:
            return self._image_features(image, index)
        memory = self.memory
        memory = check_memory(os.fspath(memory) if isinstance(memory, os.PathLike) else memory)
        cached = memory.cache(_compute, ignore=["transformer", "index"])
        return cached(self, self._cache_key(), image, index)

    def _cache_key(self):
        """Name what the features of an image depend on, beside the image."""
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
