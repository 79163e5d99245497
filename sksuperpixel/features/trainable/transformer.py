"""The base of transformers whose features come from a trainable network."""

import hashlib
import os
from copy import deepcopy
from functools import partial
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._files.tensors import tensors_of, to_bytes
from sksuperpixel._files.writing import check_writable, write_atomically
from sksuperpixel._images.errors import about_image
from sksuperpixel._images.images import check_finite
from sksuperpixel._images.parameters import check_data_range
from sksuperpixel._images.segmentations import check_segmentation_to_learn
from sksuperpixel._images.transformer import ImageTransformerMixin
from sksuperpixel._torch import one_torch_thread
from sksuperpixel.features.trainable.tiles import cut_into_tiles
from sksuperpixel.features.trainable.training import Training, train_network


class NetworkFeatures(
    CallbackSupportMixin, ImageTransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Base of transformers whose features come from a trainable network.

    A subclass has all the parameters in `_parameter_constraints`, and its ``fit`` calls ``_fit``.
    It implements these methods:

    - ``_untrained()`` returns the network if nothing is to be learned.
    - ``_train(reader, y)`` returns a trained network and the mean loss of each epoch.
    - ``_colours(image)`` converts an image (H, W, C) to what the network sees: (H, W, 3), float32.
    - ``_maps(network, x, inside)`` computes the maps of a tile: it returns arrays (h, w), one per
      feature, of the rows and columns `inside` (a pair of slices) of the tensor x (1, 3, h', w').
    - ``_feature_names()`` returns a list of the features' names.
    - ``_halo()`` returns the width of the surroundings on which the maps depend, in pixels.
    - ``_network_params(tensors)`` finds the parameters of the network that has such tensors, and
      ``_network_of(params)`` makes a network with these parameters.

    It may override ``_learned(network, losses)``, which names the attributes that ``fit`` sets.
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **ImageTransformerMixin._parameter_constraints,
        "data_range": [Real, tuple, list, None],
        "weights": [str, os.PathLike, None],
        "device": [str, torch.device],
        "train": ["boolean"],
        "ignore_label": [Integral, None],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "crop_size": [Interval(Integral, 16, None, closed="left"), tuple, list],
        "scale_range": [tuple, list],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "checkpoint": [str, os.PathLike, None],
        "random_state": ["random_state"],
    }
    # Height and width of what the network sees are multiples of this.
    _step = 8
    # Files of weights that come with the library, by name.
    _shipped: ClassVar[dict] = {}

    def _fit(self, X, y, masks):
        """Check everything, then load the network or train it."""
        self._check_params()
        reader = self._reader(X, masks)
        # All images to train on must have the same number of channels as the first one.
        reader.n_channels = reader.first.n_channels
        network, losses = self._train(reader, y) if self.train else (self._untrained(), [])
        learned = self._learned(network, losses)
        # All at once, so that Ctrl-C cannot come in between.
        vars(self).update(learned, n_channels_in_=reader.first.n_channels)
        return self

    def _check_params(self):
        super()._check_params()
        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device: found {self.device!r}, which torch cannot use here: {error}"
            ) from error
        check_data_range(self.data_range)
        shape = self._crop_shape()
        if len(shape) != 2 or not all(
            isinstance(n, Integral) and n >= 2 * self._step and n % self._step == 0 for n in shape
        ):
            raise ValueError(
                f"crop_size: found {self.crop_size!r}, expected a multiple of {self._step} that "
                f"is at least {2 * self._step}, or two of them (height, width)"
            )
        self._check_range("scale_range")

    def _check_range(self, name, least=0):
        """Check a parameter that is a pair of positive numbers."""
        value = getattr(self, name)
        ends = tuple(value)
        if not (
            len(ends) == 2
            and all(isinstance(end, Real) for end in ends)
            and 0 < ends[0] <= ends[1] < np.inf
            and ends[0] >= least
        ):
            kind = f"numbers of at least {least}" if least else "positive numbers"
            raise ValueError(
                f"{name}: found {value!r}, expected two {kind}, the smaller one first"
            )

    def _crop_shape(self):
        size = self.crop_size
        return (size, size) if isinstance(size, Integral) else tuple(size)

    def _weights_path(self):
        return self._shipped.get(self.weights, self.weights)

    def _draw_seed(self):
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _check_training(self, reader, y):
        """Check the segmentations, and whether a checkpoint can be written."""
        if y is None:
            raise ValueError("y: found None, expected segmentations with train=True")
        reader.check_segmentations(y)
        if self.checkpoint is not None and not isinstance(self.random_state, Integral):
            raise ValueError(
                f"random_state: found {self.random_state!r}, expected an int with a checkpoint, "
                "so that the training can be resumed"
            )
        if self.checkpoint is not None:
            check_writable(self.checkpoint)

    def _train_network(self, reader, y, network, loss, about, seed):
        """Train a network in place, tell callbacks, and return the mean loss of each epoch."""
        void = None if self.ignore_label is None else int(self.ignore_label)
        training = Training(
            max_epochs=int(self.max_epochs),
            batch_size=int(self.batch_size),
            crop_shape=tuple(int(n) for n in self._crop_shape()),
            scale_range=tuple(float(end) for end in self.scale_range),
            learning_rate=float(self.learning_rate),
            weight_decay=float(self.weight_decay),
            weights=None if self.weights is None else os.fspath(self.weights),
            n_images=len(reader),
            about=(
                ("ignore_label", void),
                ("data_range", check_data_range(self.data_range)),
                *about,
            ),
            seed=seed,
        )
        X, n_channels = reader.images, reader.first.n_channels
        progress = self._init_callback_context(max_subtasks=training.max_epochs)
        progress.call_on_fit_task_begin(estimator=self, X=X, y=y)

        def epoch_done(network, losses):
            so_far = deepcopy(network).eval()
            epoch = progress.subcontext(task_name="epoch")
            epoch.call_on_fit_task_begin(estimator=self, X=X, y=y)
            return epoch.call_on_fit_task_end(
                estimator=self,
                X=X,
                y=y,
                metadata={"epoch": len(losses) - 1, "loss": losses[-1]},
                reconstruction_attributes={
                    **self._learned(so_far, losses),
                    "n_channels_in_": n_channels,
                },
            )

        losses = train_network(
            network,
            partial(self._example_at, reader, y),
            loss,
            training,
            torch.device(self.device),
            self.checkpoint,
            epoch_done,
        )
        progress.call_on_fit_task_end(estimator=self, X=X, y=y)
        if not all(each.isfinite().all() for each in network.state_dict().values()):
            raise ValueError(
                f"learning_rate: found {self.learning_rate}, with which training ended in numbers "
                "that are not finite; expected a lower one"
            )
        return losses

    def _learned(self, network, losses):
        """Return the attributes that `fit` sets, besides the number of channels."""
        return {"network_": network, "losses_": np.array(losses, dtype=np.float64)}

    def _example_at(self, reader, segmentations, index, rng):
        """Read an image as the network sees it, and the labels of one annotator."""
        with about_image(index):
            image = reader[index]
            check_finite(image.pixels, image.mask)
            seen = self._colours(image.filled().pixels)
            if seen.ndim != 3:
                raise ValueError(
                    f"found a volume of shape {image.shape}, expected images (H, W) to train on"
                )
            annotators = check_segmentation_to_learn(segmentations[index], image.shape)
        one = annotators[rng.integers(len(annotators))] if len(annotators) > 1 else annotators[0]
        labels = self._labels(one)
        return seen, labels if image.mask is None else np.where(image.mask, labels, -1)

    def _labels(self, segmentation):
        """Convert a segmentation to the labels of the loss, which are -1 if ignored."""
        labels = segmentation.astype(np.int64)
        if self.ignore_label is None:
            return labels
        return np.where(labels == self.ignore_label, -1, labels)

    def _image_features(self, image):
        colours = self._colours(image)
        n_features = len(self._feature_names())
        features = np.empty((n_features, *colours.shape[:-1]), np.float32)
        if colours.ndim == 3:
            self._plane_features(colours, features)
        else:
            # A volume is a stack of images.
            for i, plane in enumerate(colours):
                self._plane_features(plane, features[:, i])
        return np.moveaxis(features, 0, -1)

    def _plane_features(self, colours, features):
        """Compute the features of what the network sees (H, W, 3), into an array (M, H, W)."""
        self._compute_tiles(colours, features)

    def _compute_tiles(self, colours, features, add=False):
        """Write the maps of one tile after the other into the features, or add them."""
        device = torch.device(self.device)
        network = self.network_.to(device)
        with torch.inference_mode(), one_torch_thread():
            for tile in cut_into_tiles(colours.shape[:2], self._step, self._halo):
                seen = colours[tile.rows[:, np.newaxis], tile.columns]
                seen = np.ascontiguousarray(np.moveaxis(seen, -1, 0))
                maps = self._maps(network, torch.from_numpy(seen)[None].to(device), tile.inside)
                for feature, values in zip(features, maps, strict=True):
                    if add:
                        feature[tile.place] += values
                    else:
                        feature[tile.place] = values

    def _cache_key(self):
        # Features depend on the weights themselves, not on the parameters they come from.
        name, *_ = super()._cache_key()
        digest = hashlib.sha256()
        for tensor in self.network_.state_dict().values():
            digest.update(tensor.cpu().numpy().tobytes())
        return name, digest.hexdigest(), self.data_range

    def save_weights(self, path):
        """Write the weights of the network to a file that can be given as `weights`.

        Parameters
        ----------
        path : str or path-like
            The safetensors file.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        """
        check_is_fitted(self)
        metadata = {"format": type(self.network_).__name__}
        write_atomically(path, to_bytes(tensors_of(self.network_), metadata))

    def __getstate__(self):
        """Return the state to pickle, with the network on the CPU, which every machine has."""
        state = super().__getstate__()
        if "network_" in state:
            state = {**state, "network_": deepcopy(state["network_"]).cpu()}
        return state
