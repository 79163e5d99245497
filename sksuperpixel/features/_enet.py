"""Features of ENet, a small network for semantic segmentation."""

from numbers import Integral
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from sklearn.callback import with_callbacks
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._images.data_range import check_colours
from sksuperpixel._images.errors import about_image
from sksuperpixel._images.masks import check_mask
from sksuperpixel.features._enet_network import (
    BLOCKS,
    LAYERS,
    STEP,
    ClassLoss,
    class_weights,
    load_weights,
    new_network,
)
from sksuperpixel.features._network_features import NetworkFeatures
from sksuperpixel.features._network_training import interpolate

# Without weights and without labels there is nothing to tell the number of classes.
_DEFAULT_CLASSES = 11


def _layer_sizes():
    """Give each layer's step between its samples in pixels, and its number of maps."""
    sizes, step = {"initial": (2, 16)}, 2
    for name, kind, n_maps, _ in BLOCKS:
        step = step * 2 if kind == "down" else step // 2 if kind == "up" else step
        sizes[name] = (step, n_maps)
    return sizes


_SIZES = _layer_sizes()


class ENetFeatures(NetworkFeatures):
    """Maps of ENet, a small convolutional network for semantic segmentation.

    ENet [1]_ is made to be fast: its initial block, 13 convolutions beside the pooled image,
    tells edges, bars and colours of 3 x 3 pixels, and deeper layers more and more of what
    objects look like. The weights that come with this were learned on street scenes (CamVid);
    others can be learned from segmentations with ``train=True``.

    Parameters
    ----------
    layer : str, default="initial"
        The layer whose maps are the features: ``"initial"`` (16 maps at half the image's size),
        ``"bottleneck1.0"`` .. ``"bottleneck1.4"`` (64 at a quarter), ``"bottleneck2.0"`` ..
        ``"bottleneck2.8"`` and ``"bottleneck3.1"`` .. ``"bottleneck3.8"`` (128 at an eighth),
        ``"bottleneck4.0"`` .. ``"bottleneck4.2"`` (64 at a quarter), ``"bottleneck5.0"`` and
        ``"bottleneck5.1"`` (16 at half), or ``"fullconv"`` (the scores of the classes, at full
        size).
    weights : "camvid", str, path-like or None, default="camvid"
        Where the network starts: the weights that come with this, those of a safetensors file
        that `save_weights` wrote, or random ones.
    data_range : float or pair of float, default=None
        Values of black and white: the largest possible value, such as 4095 for 12 bits, or the
        smallest and the largest one. None for all of uint8 or uint16, and for [0, 1] of floats.
    device : str or torch.device, default="cpu"
        Where torch computes.
    channel_axis : int or None, default=-1
        Which axis of an image holds its channels; None for grey images (or volumes) without
        such an axis.
    memory : str, pathlib.Path, joblib.Memory or None, default=None
        Where to keep each image's features, so that they are computed once only.
    train : bool, default=False
        Whether `fit` trains the network on semantic segmentations. If not, `fit` leaves the
        weights as they are and takes no notice of `y`, which a pipeline passes to all its
        steps. The parameters below matter in training only, but for `random_state`.
    n_classes : int, default=None
        Number of classes; they are 0 .. n_classes - 1. None for that of the weights or, in
        training, one more than the largest label. Weights of another number of classes are
        trained on with a new last layer.
    ignore_label : int, default=None
        Label of the pixels to learn nothing from.
    max_epochs : int, default=100
        How many times to draw a part of each image.
    batch_size : int, default=10
        Number of such parts in a step.
    crop_size : int or pair of int (height, width), default=256
        Size of the parts, a multiple of 8. Where an image is smaller, the rest is ignored.
    scale_range : pair of float (low, high), default=(0.75, 1.5)
        Range of the random factors by which parts are enlarged.
    learning_rate : float, default=5e-4
        Adam's largest learning rate: it rises to this for a tenth of the training and then
        falls to 0 along a cosine.
    weight_decay : float, default=2e-4
        Of Adam, as a penalty on the squared weights.
    checkpoint : str or path-like, default=None
        File in which each epoch leaves the state of the training, and from which the training
        goes on if it is there, to the same result. Needs an int for `random_state`.
    random_state : int, RandomState instance or None, default=None
        Seeds random weights and the training; torch's own generator is left as it was. Pass an
        int for the same results at each call.

    Attributes
    ----------
    network_ : torch.nn.Module
        The network.
    n_classes_ : int
        Number of its classes.
    losses_ : ndarray of shape (n_epochs,)
        Mean loss of each epoch of the training; empty without.
    n_channels_in_ : int
        Number of channels of the images fitted: 1 or 3.

    See Also
    --------
    LabFeatures : Colour.
    ChannelUnion : Puts several transformers' features side by side.

    Notes
    -----
    Integer images (uint8, uint16) are RGB from 0 to the largest of their type; floating images
    are RGB in [0, 1]. Grey images are repeated. Features are about as large as 1, so beside
    CIELAB they need weights.

    Images are continued by their mirror images to a multiple of 8 pixels, and maps are enlarged
    bilinearly. Each map is laid where it belongs: the sample i of a layer with a sample for
    every s x s pixels is in the middle of these, but on the first of them in the initial
    block's convolutions, whose kernels are centred there.

    In training, the loss is the cross-entropy with the paper's weights of the classes,
    ``1 / ln(1.02 + p)`` where p is the class's share of the labelled pixels. Encoder and
    decoder are trained at once, unlike in the paper. On a CPU, the result is the same at each
    call with the same number of torch's threads. Callbacks can watch the epochs, and end the
    training: see :meth:`set_callbacks`.

    References
    ----------
    .. [1] A. Paszke, A. Chaurasia, S. Kim, E. Culurciello. "ENet: a deep neural network
       architecture for real-time semantic segmentation". arXiv:1606.02147, 2016.

    Examples
    --------
    >>> from skimage.data import astronaut
    >>> from sksuperpixel.features import ENetFeatures
    >>> features = ENetFeatures().fit_transform([astronaut()])
    >>> features[0].shape
    (512, 512, 16)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **NetworkFeatures._parameter_constraints,
        "layer": [str],
        "n_classes": [Interval(Integral, 1, None, closed="left"), None],
    }
    _step = STEP
    _shipped: ClassVar[dict] = {
        "camvid": Path(__file__).parent / "weights" / "enet_camvid.safetensors"
    }

    def __init__(
        self,
        layer="initial",
        *,
        weights="camvid",
        data_range=None,
        device="cpu",
        channel_axis=-1,
        memory=None,
        train=False,
        n_classes=None,
        ignore_label=None,
        max_epochs=100,
        batch_size=10,
        crop_size=256,
        scale_range=(0.75, 1.5),
        learning_rate=5e-4,
        weight_decay=2e-4,
        checkpoint=None,
        random_state=None,
    ):
        self.layer = layer
        self.weights = weights
        self.data_range = data_range
        self.device = device
        self.channel_axis = channel_axis
        self.memory = memory
        self.train = train
        self.n_classes = n_classes
        self.ignore_label = ignore_label
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.crop_size = crop_size
        self.scale_range = scale_range
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.checkpoint = checkpoint
        self.random_state = random_state

    @with_callbacks
    def fit(self, X, y=None, masks=None):
        """Load the weights and, with ``train=True``, train the network.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W) or (H, W, C)
            Images.
        y : sequence of ndarray of shape (H, W) or (A, H, W), default=None
            Semantic segmentations, one an image: the class of each pixel. Of several annotators,
            each time one is drawn. Only used with ``train=True``.
        masks : sequence of ndarray of shape (H, W), bool, or None, default=None
            Where to learn, one mask (or None) an image; pixels outside may be anything.

        Returns
        -------
        self : object
            Fitted transformer.

        Raises
        ------
        ValueError
            If a parameter, the images, the segmentations, the file of the weights or the
            checkpoint are not as expected.
        FileNotFoundError
            If there is no file of the weights, or no folder for the checkpoint.
        TypeError
            If images are no sequence of arrays of numbers, or segmentations hold no integers.
        """
        return self._fit(X, y, masks)

    def _check_params(self):
        if self.layer not in LAYERS:
            raise ValueError(f"layer: found {self.layer!r}, expected one of {', '.join(LAYERS)}")
        super()._check_params()

    def _learned(self, network, losses):
        return {**super()._learned(network, losses), "n_classes_": network.n_classes}

    @staticmethod
    def _network_params(tensors):
        return {"n_classes": tensors["fullconv.weight"].shape[1]}

    def _untrained(self):
        """Load the weights, or draw them."""
        if self.weights is None:
            return new_network(self.n_classes or _DEFAULT_CLASSES, self._draw_seed())
        network = load_weights(self._weights_path())
        if self.n_classes not in (None, network.n_classes):
            raise ValueError(
                f"n_classes: found {self.n_classes}, but the weights have {network.n_classes}; "
                "expected the same, or None, or train=True"
            )
        return network

    def _train(self, reader, y):
        self._check_training(reader, y)
        counts = self._count_labels(y, reader.masks)
        seed = self._draw_seed()
        if self.weights is None:
            network = new_network(len(counts), seed)
        else:
            network = load_weights(self._weights_path(), len(counts), seed)
        weights = class_weights(counts)
        loss = ClassLoss(weights, torch.device(self.device))
        about = (("class_weights", weights),)
        return network, self._train_network(reader, y, network, loss, about, seed)

    def _count_labels(self, segmentations, masks):
        """Check the labels and count the pixels of each class."""
        counts = np.zeros(self.n_classes or 1, np.int64)
        for index in range(len(segmentations)):
            with about_image(index):
                found = self._count_labels_of_image(segmentations[index], masks[index])
            counts = np.pad(counts, (0, max(0, len(found) - len(counts))))
            counts[: len(found)] += found
        if counts.sum() == 0:
            raise ValueError("y: found no labelled pixel in any image, expected at least one")
        return counts

    def _count_labels_of_image(self, segmentation, mask):
        labels = np.asarray(segmentation)
        if labels.dtype.kind not in "bui":
            raise TypeError(f"found a segmentation of dtype {labels.dtype}, expected integers")
        mask = check_mask(mask, labels.shape[-2:])
        if mask is not None:
            labels = labels[..., mask]
        labels = labels[labels != self.ignore_label].astype(np.int64)
        if labels.size == 0:
            return np.zeros(0, np.int64)
        if labels.min() < 0:
            raise ValueError(
                f"found the label {labels.min()} in its segmentation, expected classes from 0 on, "
                f"or ignore_label={self.ignore_label}"
            )
        if self.n_classes is not None and labels.max() >= self.n_classes:
            raise ValueError(
                f"found the label {labels.max()} in its segmentation, expected 0 .. "
                f"{self.n_classes - 1}, or ignore_label={self.ignore_label}"
            )
        return np.bincount(labels)

    def _check_first(self, image):
        if image.n_channels not in (1, 3):
            raise ValueError(
                f"found {image.n_channels} channels, expected 1 (grey) or 3 (RGB) for ENet; drop "
                "alpha, or use other features"
            )

    def _colours(self, image):
        image = check_colours(image, self.data_range)
        if image.dtype.kind == "u":
            image = image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
        return np.broadcast_to(image.astype(np.float32), (*image.shape[:-1], 3))

    def _plane_features(self, image):
        """Compute the features of one image (H, W, 3)."""
        device = torch.device(self.device)
        network = self.network_.to(device)
        with torch.inference_mode():
            x = self._network_input(image).to(device)
            maps = network(x, self.layer)[0].cpu().numpy()
        if self.layer == "fullconv":
            maps = maps[:, STEP : STEP + image.shape[0], STEP : STEP + image.shape[1]]
            return np.ascontiguousarray(np.moveaxis(maps, 0, -1))
        step, n_maps = _SIZES[self.layer]
        # Where in the image a layer's first sample is: in the middle of the pixels it stands
        # for, but on the first of them for the initial block's convolution, an odd kernel.
        centres = np.full(n_maps, (step - 1) / 2)
        if self.layer == "initial":
            centres[:13] = 0
        features = np.empty((n_maps, *image.shape[:2]), np.float32)
        for centre in np.unique(centres):
            part = maps[centres == centre]
            for axis, n in enumerate(image.shape[:2], 1):
                part = interpolate(part, (STEP + np.arange(n) - centre) / step, axis)
            features[centres == centre] = part
        return np.moveaxis(features, 0, -1)

    def _cache_key(self):
        return (*super()._cache_key(), self.layer)

    def get_feature_names_out(self, input_features=None):
        """Name the features: the layer, an underscore, the number of the map.

        Parameters
        ----------
        input_features : None
            Not used; for scikit-learn.

        Returns
        -------
        ndarray of shape (M,), object
            Names in the order of the maps.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        """
        check_is_fitted(self)
        n_maps = self.network_.n_classes if self.layer == "fullconv" else _SIZES[self.layer][1]
        return np.array([f"{self.layer}_{i}" for i in range(n_maps)], dtype=object)
