"""What the transformers share whose features come from a network that can be trained."""

import hashlib
import os
from copy import deepcopy
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._files.tensors import tensors_of, to_bytes
from sksuperpixel._files.writing import write_atomically
from sksuperpixel._images.errors import about_image
from sksuperpixel._images.images import check_finite
from sksuperpixel._images.parameters import check_data_range
from sksuperpixel._images.segmentations import check_segmentation
from sksuperpixel._images.transformer import ImageTransformerMixin
from sksuperpixel.features._network_training import Training, train_network


class NetworkFeatures(
    CallbackSupportMixin, ImageTransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Base of the transformers whose features come from a network that can be trained.

    A subclass has the parameters that are constrained here; its ``fit`` calls ``_fit`` and sets
    what ``_learned(network, losses)`` names. It implements ``_untrained()``, a network;
    ``_train(reader, y)``, a network and the losses of its training; ``_colours(image)``, what
    the network sees of an image (H, W, C): (H, W, 3), float32;
    ``_plane_features(colours)``; and ``_network_params(tensors)``, the parameters that a network
    with such tensors has.
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
    # Sides of what the network sees are multiples of this.
    _step = 8
    # Files of weights that come with this, by name.
    _shipped: ClassVar[dict] = {}

    def _fit(self, X, y, masks):
        """Check all, then load the network or train it."""
        self._validate_params()
        self._check_params()
        reader = self._reader(X, masks)
        # Only the images to train on have to be alike.
        reader.n_channels = reader.first.n_channels
        network, losses = self._train(reader, y) if self.train else (self._untrained(), [])
        self.n_channels_in_ = reader.first.n_channels
        for name, value in self._learned(network, losses).items():
            setattr(self, name, value)
        return self

    def _check_params(self):
        """Check what scikit-learn's constraints of the parameters cannot tell."""
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
        """Check what is learned from, and where a checkpoint goes."""
        if y is None:
            raise ValueError("y: found None, expected segmentations, for train=True")
        reader.check_segmentations(y)
        if self.checkpoint is not None and not isinstance(self.random_state, Integral):
            raise ValueError(
                f"random_state: found {self.random_state!r}, expected an int with a checkpoint, "
                "for a training that can go on as it began"
            )
        if self.checkpoint is not None and not Path(self.checkpoint).absolute().parent.is_dir():
            raise FileNotFoundError(f"checkpoint: found no folder to write {self.checkpoint} in")

    def _train_network(self, reader, y, network, loss, about, seed):
        """Train a network in place, with progress; give the mean loss of each epoch."""
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
            about=(("ignore_label", void), *about),
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
        """Name what `fit` sets."""
        return {"network_": network, "losses_": np.array(losses, dtype=np.float64)}

    def _example_at(self, reader, segmentations, index, rng):
        """Read what the network sees of an image, and its labels, by a random annotator."""
        with about_image(index):
            image = reader[index]
            check_finite(image.pixels, image.mask)
            seen = self._colours(image.filled().pixels)
            if seen.ndim != 3:
                raise ValueError(
                    f"found a volume of shape {image.shape}, expected images (H, W) to train on"
                )
            annotators = check_segmentation(segmentations[index], image.shape)
        one = annotators[rng.integers(len(annotators))] if len(annotators) > 1 else annotators[0]
        labels = self._labels(one)
        return seen, labels if image.mask is None else np.where(image.mask, labels, -1)

    def _labels(self, segmentation):
        """Give what the loss knows as the labels of a segmentation; -1 is void."""
        labels = segmentation.astype(np.int64)
        return (
            labels
            if self.ignore_label is None
            else np.where(labels == self.ignore_label, -1, labels)
        )

    def _network_input(self, image):
        """Pad what the network sees (H, W, 3) by reflections, to a tensor (1, 3, h, w)."""
        # All around: a border in black would leave edges in the features.
        step = self._step
        margins = [(step, step + -n % step) for n in image.shape[:2]]
        padded = np.pad(image, [*margins, (0, 0)], mode="symmetric")
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(padded, -1, 0)))[None]

    def _image_features(self, image):
        image = self._colours(image)
        if image.ndim == 3:
            return self._plane_features(image)
        # A volume is a stack of images.
        return np.stack([self._plane_features(plane) for plane in image])

    def _cache_key(self):
        # Whatever the weights come from, features depend on nothing else.
        name, *_ = super()._cache_key()
        digest = hashlib.sha256()
        for tensor in self.network_.state_dict().values():
            digest.update(tensor.cpu().numpy().tobytes())
        return name, digest.hexdigest(), self.data_range

    def save_weights(self, path):
        """Write the network's weights to a file that `weights` can name.

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
        state = super().__getstate__()
        if "network_" in state:
            # So that a machine without the device can load it.
            state = {**state, "network_": deepcopy(state["network_"]).cpu()}
        return state
