"""The transformer whose features are the maps of ENet."""

from numbers import Integral
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from sklearn.callback import with_callbacks
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._documentation import with_parameters_of
from sksuperpixel._images.data_range import check_colours
from sksuperpixel._images.errors import about_image
from sksuperpixel._images.segmentations import check_segmentation_to_learn
from sksuperpixel.features._lab import LabFeatures, check_colour_channels
from sksuperpixel.features.enet.network import (
    BLOCKS,
    LAYERS,
    STEP,
    ENet,
    halo,
    load_weights,
    network_params,
    new_network,
)
from sksuperpixel.features.enet.training import ClassLoss, class_weights, count_labels
from sksuperpixel.features.trainable.crops import interpolate
from sksuperpixel.features.trainable.transformer import NetworkFeatures

# Number of classes of a network if neither weights nor labels tell it.
_DEFAULT_CLASSES = 11


def _layer_sizes():
    """Compute the step of each layer, in pixels per sample, and its number of maps."""
    sizes, step = {"initial": (2, 16)}, 2
    for name, kind, n_maps, _ in BLOCKS:
        step = step * 2 if kind == "down" else step // 2 if kind == "up" else step
        sizes[name] = (step, n_maps)
    return sizes


_SIZES = _layer_sizes()


@with_parameters_of(LabFeatures)
class ENetFeatures(NetworkFeatures):
    """Maps of ENet, a small convolutional network for semantic segmentation.

    ENet [1]_ is made to be fast. Its initial block, which consists of 13 convolutions and the
    pooled image, finds edges, bars and colours in 3 x 3 pixels. Deeper layers respond more and
    more to what objects look like. The weights that come with the library were learned on street
    scenes (CamVid). With ``train=True``, other weights can be learned from segmentations.

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
        Weights that the network starts from: "camvid" for those that come with the library, the
        path of a safetensors file that `save_weights` wrote, or None for random ones.
    data_range
        As in `LabFeatures`.
    device : str or torch.device, default="cpu"
        Torch device to compute on.
    channel_axis, memory
        As in `LabFeatures`.
    train : bool, default=False
        Whether `fit` trains the network on semantic segmentations. If not, `fit` keeps the
        weights and ignores `y`, which a pipeline passes to all its steps. Then the parameters
        from `ignore_label` to `checkpoint` have no effect.
    n_classes : int, default=None
        Number of classes, which are the labels 0 to ``n_classes - 1``. If None, it is that of
        the weights or, in training, one more than the largest label. If the weights have another
        number of classes, training starts with a new last layer.
    ignore_label : int, default=None
        Label of pixels from which nothing is learned.
    max_epochs : int, default=100
        Number of epochs. Each one draws a random part of every image.
    batch_size : int, default=10
        Number of parts in a training step.
    crop_size : int or pair of int (height, width), default=256
        Size of the parts, a multiple of 8. If an image is smaller, nothing is learned from the
        rest of the part, which is outside the image.
    scale_range : pair of float (low, high), default=(0.75, 1.5)
        Range of the random factors by which parts are enlarged.
    learning_rate : float, default=5e-4
        Adam's largest learning rate. The learning rate rises to it during the first tenth of the
        training, then falls to 0 along a cosine.
    weight_decay : float, default=2e-4
        Adam's penalty on the squared weights.
    checkpoint : str or path-like, default=None
        File to which each epoch writes the state of the training. If the file exists, the
        training is resumed from there, with the same result. This needs an int as `random_state`.
    random_state : int, RandomState instance or None, default=None
        Seed of random weights and of the training. torch's own generator is not changed. Pass an
        int to get the same results at each call.

    Attributes
    ----------
    network_ : torch.nn.Module
        The network.
    n_classes_ : int
        Number of classes of the network.
    losses_ : ndarray of shape (n_epochs,)
        Mean loss of each epoch of the training; empty without training.
    n_channels_in_ : int
        Number of channels of the images fitted: 1 or 3.

    See Also
    --------
    LabFeatures : Colour.
    ChannelUnion : Puts several transformers' features side by side.

    Notes
    -----
    A grey image is used as the red, the green and the blue channel. The size of features is about
    1, so together with CIELAB they need weights.

    Images are mirrored at their borders up to a multiple of 8 pixels, and maps are enlarged
    bilinearly, without a shift. A layer with one sample per s x s pixels has its samples in the
    middle of these pixels. Only the convolutions of the initial block have them on the first
    pixel, where the middle of their kernels is.

    In training, the loss is the cross-entropy with the paper's weights of the classes,
    ``1 / ln(1.02 + p)``, where p is the fraction of the labelled pixels that belong to the class.
    Unlike in the paper, encoder and decoder are trained together. On a CPU, a training has the
    same result at each call if torch uses the same number of threads. Features do not depend on
    this number. Callbacks can follow the epochs and end the training: see :meth:`set_callbacks`.

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
        "n_classes": [Interval(Integral, 1, 10_000, closed="both"), None],
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
            Semantic segmentations, one per image: the class of each pixel. If an image has several
            annotators, one of them is drawn each time. Used only with ``train=True``.
        masks : sequence of ndarray of shape (H, W), bool, or None, default=None
            Where the images count, one mask (or None) per image. Nothing is learned from pixels
            outside.

        Returns
        -------
        self : ENetFeatures
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter, an image, a segmentation, the file of the weights or the checkpoint
            is not as expected.
        FileNotFoundError
            If there is no file of the weights, or no folder for the checkpoint.
        TypeError
            If the images are not a sequence of arrays of numbers, or segmentations do not hold
            integers.
        """
        return self._fit(X, y, masks)

    def _check_params(self):
        super()._check_params()
        if self.layer not in LAYERS:
            raise ValueError(f"layer: found {self.layer!r}, expected one of {', '.join(LAYERS)}")

    def _learned(self, network, losses):
        return {**super()._learned(network, losses), "n_classes_": network.n_classes}

    @staticmethod
    def _network_params(tensors):
        return network_params(tensors)

    @staticmethod
    def _network_of(params):
        return ENet(**params)

    def _untrained(self):
        """Load the network, or make one with random weights."""
        if self.weights is None:
            return new_network(int(self.n_classes or _DEFAULT_CLASSES), self._draw_seed())
        network = load_weights(self._weights_path())
        if self.n_classes not in (None, network.n_classes):
            raise ValueError(
                f"n_classes: found {self.n_classes}, expected {network.n_classes} as in the "
                "weights, or None, or train=True"
            )
        return network

    def _train(self, reader, y):
        self._check_training(reader, y)
        counts = self._count_labels(reader, y)
        seed = self._draw_seed()
        if self.weights is None:
            network = new_network(len(counts), seed)
        else:
            network = load_weights(self._weights_path(), len(counts), seed)
        weights = class_weights(counts)
        loss = ClassLoss(weights, torch.device(self.device))
        about = (("class_weights", weights),)
        return network, self._train_network(reader, y, network, loss, about, seed)

    def _count_labels(self, reader, segmentations):
        """Check the labels of all images, and count the pixels of each class."""
        counts = np.zeros(self.n_classes or 1, np.int64)
        for index in range(len(reader)):
            with about_image(index):
                image = reader[index]
                segmentation = check_segmentation_to_learn(segmentations[index], image.shape)
                found = count_labels(segmentation, image.mask, self.n_classes, self.ignore_label)
            counts = np.pad(counts, (0, max(0, len(found) - len(counts))))
            counts[: len(found)] += found
        if counts.sum() == 0:
            raise ValueError("y: found no labelled pixel in any image, expected at least one")
        return counts

    def _check_first(self, image):
        check_colour_channels(image)

    def _colours(self, image):
        image = check_colours(image, self.data_range)
        if image.dtype.kind == "u":
            image = image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
        return np.broadcast_to(image.astype(np.float32, copy=False), (*image.shape[:-1], 3))

    def _maps(self, network, x, inside):
        maps = network(x, self.layer)[0].cpu().numpy()
        if self.layer == "fullconv":
            return maps[:, *inside]
        step, n_maps = _SIZES[self.layer]
        # A layer's first sample is in the middle of the pixels that it stands for. For the initial
        # block's convolutions, whose kernels have an odd size, it is on the first of them.
        centres = np.full(n_maps, (step - 1) / 2)
        if self.layer == "initial":
            centres[:13] = 0
        # One map at a time, because maps of all pixels take far more memory than the samples.
        return (
            _enlarge(samples, centre, step, inside)
            for samples, centre in zip(maps, centres, strict=True)
        )

    def _halo(self):
        # Enlarging maps takes one more sample on each side.
        return halo(self.layer) + (0 if self.layer == "fullconv" else STEP)

    def _cache_key(self):
        return (*super()._cache_key(), self.layer)

    def get_feature_names_out(self, input_features=None):
        """Name the features: ``layer_number``.

        Parameters
        ----------
        input_features : None
            Ignored; accepted because scikit-learn passes it.

        Returns
        -------
        ndarray of shape (M,), object
            Names in the order of the maps.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        ValueError
            If a parameter is not as expected.
        """
        check_is_fitted(self)
        self._check_params()
        return np.array(self._feature_names(), dtype=object)

    def _feature_names(self):
        n_maps = self.network_.n_classes if self.layer == "fullconv" else _SIZES[self.layer][1]
        return [f"{self.layer}_{i}" for i in range(n_maps)]


def _enlarge(samples, centre, step, inside):
    """Interpolate one map between its samples.

    Parameters
    ----------
    samples : ndarray of shape (h, w), float32
    centre : float
        Position of the first sample, in pixels.
    step : int
        Distance between samples, in pixels.
    inside : tuple of 2 slice
        Rows and columns of the pixels.

    Returns
    -------
    ndarray, float32
        The values at these pixels.
    """
    for axis, pixels in enumerate(inside):
        positions = (np.arange(pixels.start, pixels.stop) - centre) / step
        samples = interpolate(samples, positions, axis)
    return samples
