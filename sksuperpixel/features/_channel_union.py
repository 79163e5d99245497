"""The features of several transformers side by side."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._clustering.planes import centred_if_coarse
from sksuperpixel._images.errors import about_image
from sksuperpixel._images.transformer import ImageTransformerMixin, features_of, fit_copy


class ChannelUnion(ImageTransformerMixin, _BaseComposition):
    """Put the features of several transformers side by side, channel after channel.

    This does for images what :class:`~sklearn.pipeline.FeatureUnion` does for tables: all
    transformers see the same image, and each pixel gets the features of all of them. If a
    transformer is slow, give it a `memory`, so that its features are computed only once.

    Parameters
    ----------
    transformers : list of (str, transformer) tuples
        Names and transformers. A transformer is any object with a ``fit`` and a ``transform``
        that returns one array (H, W, M) per image, or ``"passthrough"`` for the channels of the
        image itself. Transformers whose methods have no parameter `masks` get images that are
        filled outside their masks with what is inside.
    transformer_weights : dict of str to float, default=None
        Factors by which the transformers' features are multiplied; 1 if a name is missing. A
        squared distance grows with the square of the factor.
    channel_axis : int or None, default=-1
        Which axis of an image holds its channels; None for grey images (or volumes) without
        such an axis.

    Attributes
    ----------
    transformers_ : list of (str, transformer) tuples
        The fitted transformers.
    n_channels_in_ : int
        Number of channels of the images fitted.

    See Also
    --------
    make_channel_union : Makes a union and names the transformers itself.
    LabFeatures : Colour in CIELAB.

    Examples
    --------
    >>> import numpy as np
    >>> from sksuperpixel.features import ChannelUnion, LabFeatures
    >>> image = np.zeros((4, 6, 3), np.uint8)
    >>> union = ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")])
    >>> union.fit_transform([image])[0].shape
    (4, 6, 6)
    >>> union.get_feature_names_out().tolist()
    ['lab__L', 'lab__a', 'lab__b', 'rgb__0', 'rgb__1', 'rgb__2']
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "transformers": [list, tuple],
        "transformer_weights": [dict, None],
        "channel_axis": [Integral, None],
    }

    def __init__(self, transformers, *, transformer_weights=None, channel_axis=-1):
        self.transformers = transformers
        self.transformer_weights = transformer_weights
        self.channel_axis = channel_axis

    def get_params(self, deep=True):
        """Get the parameters, including those of the transformers.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the transformers' own parameters.

        Returns
        -------
        dict
            Parameters by name.
        """
        return self._get_params("transformers", deep=deep)

    def set_params(self, **params):
        """Set parameters, also those of the transformers: ``name__parameter``.

        Parameters
        ----------
        **params : dict
            Parameters by name. The name of a transformer replaces that transformer.

        Returns
        -------
        self : object
            The union.
        """
        self._set_params("transformers", **params)
        return self

    def fit(self, X, y=None, masks=None):
        """Fit every transformer.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W) or (H, W, C)
            Images.
        y : sequence of ndarray of shape (H, W) or (A, H, W), default=None
            Segmentations, for the transformers that learn from them.
        masks : sequence of ndarray of shape (H, W), bool, or None, default=None
            Where the images count, one mask (or None) per image.

        Returns
        -------
        self : ChannelUnion
            The fitted union.

        Raises
        ------
        ValueError
            If there is no transformer, if a name is not unique, if a weight has an unknown name,
            or if an image is not as expected; the error names the image's index.
        TypeError
            If the images are not a sequence of arrays of numbers.
        """
        self._check_params()
        reader = self._reader(X, masks)
        transformers = [
            (name, each if _passes(each) else fit_copy(each, reader, y))
            for name, each in self.transformers
        ]
        # At once, so that Ctrl-C cannot come in between.
        vars(self).update(transformers_=transformers, n_channels_in_=reader.first.n_channels)
        return self

    def _check_params(self):
        super()._check_params()
        if not self.transformers:
            raise ValueError("transformers: found an empty list, expected at least one")
        for pair in self.transformers:
            if not (isinstance(pair, (tuple, list)) and len(pair) == 2):
                raise ValueError(
                    f"transformers: found {pair!r}, expected pairs of a name and a transformer; "
                    "make_channel_union needs no names"
                )
        names = [name for name, _ in self.transformers]
        for name, transformer in self.transformers:
            if not isinstance(name, str):
                raise ValueError(f"transformers: found the name {name!r}, expected text")
            is_transformer = not isinstance(transformer, type) and (
                hasattr(transformer, "fit") and hasattr(transformer, "transform")
            )
            if not (_passes(transformer) or is_transformer):
                raise ValueError(
                    f"transformers: found {transformer!r} for {name!r}, expected a transformer "
                    "or 'passthrough'"
                )
        self._validate_names(names)
        _check_factors(self.transformer_weights or {}, names)

    def _features_at(self, reader, index):
        with about_image(index):
            image = reader[index]
            weights = self.transformer_weights or {}
            parts = []
            for name, transformer in self.transformers_:
                if _passes(transformer):
                    part = image.filled().pixels
                else:
                    what = f"features of transformer {name!r}"
                    part = features_of(transformer, image, what)
                weight = np.float32(weights.get(name, 1.0))
                parts.append((centred_if_coarse(part, image.mask), weight))
            return image.masked_alike(self._side_by_side(parts, image.shape))

    @staticmethod
    def _side_by_side(parts, shape):
        """Put the parts, multiplied by their weights, into one array (..., M)."""
        planes = np.empty((sum(part.shape[-1] for part, _ in parts), *shape), np.float32)
        start = 0
        for part, weight in parts:
            stop = start + part.shape[-1]
            if weight == 0:
                # Features of weight 0 are not read, because NaN times 0 would be NaN.
                planes[start:stop] = 0
            else:
                channels = np.moveaxis(part, -1, 0)
                np.multiply(channels, weight, out=planes[start:stop], casting="unsafe")
            start = stop
        return np.moveaxis(planes, 0, -1)

    def get_feature_names_out(self, input_features=None):
        """Name the features: ``transformer__feature``.

        Parameters
        ----------
        input_features : None
            Ignored; accepted because scikit-learn passes it.

        Returns
        -------
        ndarray of shape (M,), object
            Names in the order of the features.
        """
        check_is_fitted(self)
        names = []
        for name, transformer in self.transformers_:
            inner = (
                range(self.n_channels_in_)
                if _passes(transformer)
                else transformer.get_feature_names_out()
            )
            names += [f"{name}__{feature}" for feature in inner]
        return np.array(names, dtype=object)


def make_channel_union(*transformers, **params):
    """Make a :class:`ChannelUnion` that names transformers by their classes in lower case.

    Parameters
    ----------
    *transformers : transformer
        Transformers of images into features.
    **params : dict
        Other parameters of :class:`ChannelUnion`.

    Returns
    -------
    ChannelUnion
        The union, not fitted.

    Examples
    --------
    >>> from sksuperpixel.features import LabFeatures, make_channel_union
    >>> union = make_channel_union(LabFeatures(), LabFeatures())
    >>> [name for name, _ in union.transformers]
    ['labfeatures-1', 'labfeatures-2']
    """
    names = [each if _passes(each) else type(each).__name__.lower() for each in transformers]
    numbered = [
        f"{name}-{names[: i + 1].count(name)}" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]
    return ChannelUnion(list(zip(numbered, transformers, strict=True)), **params)


def _check_factors(factors, names):
    """Raise ValueError if a factor has an unknown name, or is not a number or too large."""
    unknown = sorted((name for name in factors if name not in names), key=str)
    if unknown:
        raise ValueError(f"transformer_weights: found {unknown}, expected names among {names}")
    largest = float(np.finfo(np.float32).max)
    for name, factor in factors.items():
        if not (isinstance(factor, Real) and -largest <= factor <= largest):
            raise ValueError(
                f"transformer_weights: found {factor!r} for {name!r}, expected a finite number "
                f"of at most {largest:.3g}"
            )


def _passes(transformer):
    return isinstance(transformer, str) and transformer == "passthrough"
