"""The transformer whose features are learned from segmentations."""

from numbers import Integral, Real
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from sklearn.callback import with_callbacks
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._documentation import with_parameters_of
from sksuperpixel._images.data_range import check_colours
from sksuperpixel._label_maps.overlaps import densify
from sksuperpixel.features._lab import LabFeatures, check_colour_channels, lab_planes
from sksuperpixel.features.learned.network import (
    STEP,
    MapsNetwork,
    halo,
    load_maps_network,
    network_params,
    new_maps_network,
)
from sksuperpixel.features.learned.training import ClusterLoss
from sksuperpixel.features.trainable.transformer import NetworkFeatures


@with_parameters_of(LabFeatures)
class LearnedFeatures(NetworkFeatures):
    r"""Maps of a small convolutional network that learns features for SLIC.

    The network is trained through SLIC itself. Each pixel goes to one of the clusters near it,
    with a higher probability if their features are more alike, and the network learns to send
    pixels to clusters of their own segment. Afterwards, SLIC's plain distance tells segments
    apart, because features are alike inside a segment and differ across a border.

    Parameters
    ----------
    n_maps : int, default=12
        Number of maps, at most 1000, besides the three channels of colour.
    edges : bool, default=False
        Whether to add an edge map as the last feature: the probability that a pixel lies next to
        a border between segments. The network always learns it. It is meant for `edge_channel`
        of `SLIC` and for `PathFeature`; its values are too small to matter in a distance.
    mirror : bool, default=False
        Whether to average the features of the image and of its mirror image. This makes them
        somewhat better and takes twice as long.
    width : int, default=24
        Number of maps in the finest layers of the network, at most 1000. Coarser layers have up
        to four times this number. Time and memory grow with the width.
    weights : "bsds500", str, path-like or None, default=None
        Weights that the network starts from: "bsds500" for those that come with the library,
        learned on photographs of nature and people; the path of a safetensors file; or None for
        random weights. `save_weights` writes such a file, and so does `TrainableSLIC.save` if
        the model has no other features. With weights, the network has their `n_maps` and
        `width`.
    train : bool, default=True
        Whether `fit` trains the network. If not, `fit` keeps the weights and ignores `y`, which a
        pipeline passes to all its steps. Then the parameters from `superpixel_sizes` to
        `precision` have no effect.
    superpixel_sizes : pair of float (low, high), default=(6, 20)
        Range of SLIC's grid steps in training. The features suit superpixels of these sizes.
    compactness : float, default=10.0
        Compactness of SLIC in training. The network learns to scale features to suit it.
    n_candidates : int, default=9
        Q, the number of spatially nearest clusters that a pixel can go to.
    n_pixels_per_image : int, default=6000
        Maximum number of pixels to learn from in each part of an image. Only pixels with several
        segments around them are used.
    ignore_label : int, default=None
        Label of pixels from which nothing is learned.
    max_epochs : int, default=60
        Number of epochs. Each one draws a random part of every image.
    batch_size : int, default=4
        Number of parts in a training step.
    crop_size : int or pair of int (height, width), default=192
        Size of the parts, a multiple of 8. If an image is smaller, nothing is learned from the
        rest of the part, which is outside the image.
    scale_range : pair of float (low, high), default=(0.7, 1.6)
        Range of the random factors by which parts are enlarged.
    learning_rate : float, default=2e-3
        Adam's largest learning rate. The learning rate rises to it during the first tenth of the
        training, then falls to 0 along a cosine.
    weight_decay : float, default=1e-5
        Adam's penalty on the squared weights.
    colour_jitter : float, default=0.2
        How much the colours of the parts change at random, from 0 to 1. Contrast and chroma change
        by factors between ``1 - colour_jitter`` and ``1 + colour_jitter``, and lightness by up to
        ``50 * colour_jitter``.
    precision : "float32" or "bfloat16", default="float32"
        Type of numbers in the layers of the network during training. bfloat16 is faster on
        processors that support it, and slower on others.
    data_range
        As in `LabFeatures`.
    device : str or torch.device, default="cpu"
        Torch device to compute on. SLIC's iterations always run on the CPU.
    channel_axis, memory
        As in `LabFeatures`.
    checkpoint : str or path-like, default=None
        File to which each epoch writes the state of the training. If the file exists, the training
        is resumed from there, with the same result. This needs an int as `random_state`.
    random_state : int, RandomState instance or None, default=None
        Seed of random weights and of the training. torch's own generator is not changed. Pass an
        int to get the same results at each call.

    Attributes
    ----------
    network_ : torch.nn.Module
        The network.
    losses_ : ndarray of shape (n_epochs,)
        Mean loss of each epoch of the training, including the loss of the edge map. It is NaN for
        an epoch with no pixel to learn from. The array is empty without training.
    n_channels_in_ : int
        Number of channels of the images fitted: 1 or 3.

    See Also
    --------
    TrainableSLIC : Learns the distance of given features.
    ENetFeatures : Maps of a network that was trained to name the things in an image.

    Notes
    -----
    With the features f of pixel i and mean features :math:`\bar f_k` of cluster k, the
    probability that i goes to k is

    .. math:: p_{ik} \propto \exp \left( - \frac{1}{T} \left( \lVert f_i - \bar f_k \rVert^2
              + \frac{\sigma^2}{S^2} \lVert p_i - p_k \rVert^2 \right) \right)

    and the loss of a pixel is :math:`-\log \sum_k p_{ik} s_{ik}`, where :math:`s_{ik}` is the
    fraction of the pixels of k that belong to the segment of i. The temperature T is learned,
    too. The clusters come from one to four of SLIC's iterations with the current features.
    Gradients flow through the features of the pixels and the mean features of the clusters, but
    not through the iterations. Only pixels with clusters of several segments around them are used:
    the loss of an image is their mean loss times the fraction of such pixels. Half the mean
    cross-entropy of the edge map is added. There a pixel is an edge if it lies next to a pixel of
    another segment. Learning features through a soft assignment to superpixels is the idea of
    [1]_; network and loss are different here.

    The network sees CIELAB at four scales, and its maps have the size of the image. Images are
    mirrored at their borders up to a multiple of 8 pixels.

    On a CPU, a training has the same result at each call if torch uses the same number of
    threads. Features do not depend on this number.

    References
    ----------
    .. [1] V. Jampani, D. Sun, M.-Y. Liu, M.-H. Yang, J. Kautz. "Superpixel sampling networks".
       ECCV 2018.

    Examples
    --------
    >>> from sksuperpixel import SLIC
    >>> from sksuperpixel.datasets import make_texture_mosaics
    >>> from sksuperpixel.features import LearnedFeatures
    >>> mosaics = make_texture_mosaics(n_images=4, image_shape=(64, 64), random_state=0)
    >>> features = LearnedFeatures(width=4, max_epochs=2, crop_size=64, random_state=0)
    >>> features = features.fit(mosaics.images, mosaics.segmentations)
    >>> features.transform(mosaics.images)[0].shape
    (64, 64, 15)
    >>> slic = SLIC(features="passthrough", n_segments=30)
    >>> slic.fit_transform(features.transform(mosaics.images))[0].max().item()
    29
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **NetworkFeatures._parameter_constraints,
        "n_maps": [Interval(Integral, 1, 1000, closed="both")],
        "edges": ["boolean"],
        "mirror": ["boolean"],
        "width": [Interval(Integral, 2, 1000, closed="both")],
        "superpixel_sizes": [tuple, list],
        "compactness": [Interval(Real, 0, None, closed="left")],
        "n_candidates": [Interval(Integral, 2, None, closed="left")],
        "n_pixels_per_image": [Interval(Integral, 1, None, closed="left")],
        "colour_jitter": [Interval(Real, 0, 1, closed="left")],
        "precision": [StrOptions({"float32", "bfloat16"})],
    }
    _step = STEP
    _shipped: ClassVar[dict] = {
        "bsds500": Path(__file__).parents[2] / "models" / "bsds500.safetensors"
    }

    def __init__(
        self,
        n_maps=12,
        *,
        edges=False,
        mirror=False,
        width=24,
        weights=None,
        train=True,
        superpixel_sizes=(6, 20),
        compactness=10.0,
        n_candidates=9,
        n_pixels_per_image=6000,
        ignore_label=None,
        max_epochs=60,
        batch_size=4,
        crop_size=192,
        scale_range=(0.7, 1.6),
        learning_rate=2e-3,
        weight_decay=1e-5,
        colour_jitter=0.2,
        precision="float32",
        data_range=None,
        device="cpu",
        channel_axis=-1,
        memory=None,
        checkpoint=None,
        random_state=None,
    ):
        self.n_maps = n_maps
        self.edges = edges
        self.mirror = mirror
        self.width = width
        self.weights = weights
        self.train = train
        self.superpixel_sizes = superpixel_sizes
        self.compactness = compactness
        self.n_candidates = n_candidates
        self.n_pixels_per_image = n_pixels_per_image
        self.ignore_label = ignore_label
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.crop_size = crop_size
        self.scale_range = scale_range
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.colour_jitter = colour_jitter
        self.precision = precision
        self.data_range = data_range
        self.device = device
        self.channel_axis = channel_axis
        self.memory = memory
        self.checkpoint = checkpoint
        self.random_state = random_state

    @with_callbacks
    def fit(self, X, y=None, masks=None):
        """Train the network on segmentations or, with ``train=False``, load its weights.

        Parameters
        ----------
        X : sequence of ndarray of shape (H, W) or (H, W, C)
            Images.
        y : sequence of ndarray of shape (H, W) or (A, H, W)
            Segmentations, one per image. If an image has several annotators, one of them is
            drawn each time. With ``train=False``, they are not needed.
        masks : sequence of ndarray of shape (H, W), bool, or None, default=None
            Where the images count, one mask (or None) per image. Nothing is learned from pixels
            outside.

        Returns
        -------
        self : LearnedFeatures
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
        self._check_range("superpixel_sizes", least=1)

    @staticmethod
    def _network_params(tensors):
        return network_params(tensors)

    @staticmethod
    def _network_of(params):
        return MapsNetwork(**params)

    def _untrained(self):
        return self._start(self._draw_seed())

    def _start(self, seed):
        """Load the network, or make one with random weights."""
        if self.weights is None:
            return new_maps_network(int(self.n_maps), int(self.width), seed)
        return load_maps_network(self._weights_path())

    def _train(self, reader, y):
        self._check_training(reader, y)
        seed = self._draw_seed()
        network = self._start(seed)
        loss = ClusterLoss(
            tuple(float(size) for size in self.superpixel_sizes),
            float(self.compactness),
            int(self.n_candidates),
            int(self.n_pixels_per_image),
            self.precision,
        )
        about = (
            *sorted(vars(loss).items()),
            ("n_maps", network.n_maps),
            ("width", network.width),
            ("colour_jitter", float(self.colour_jitter)),
        )
        losses = self._train_network(reader, y, network, loss, about, seed)
        if np.isnan(losses).all():
            raise ValueError(
                "y: found no pixel to learn from, expected pixels with superpixels of several "
                f"segments around them; superpixel_sizes={tuple(self.superpixel_sizes)}"
            )
        return network, losses

    def _check_first(self, image):
        check_colour_channels(image)

    def _colours(self, image):
        return np.moveaxis(lab_planes(check_colours(image, self.data_range)), 0, -1)

    def _example_at(self, reader, segmentations, index, rng):
        image, labels = super()._example_at(reader, segmentations, index, rng)
        jitter = float(self.colour_jitter)
        contrast, chroma, light = 1 + rng.uniform(-jitter, jitter, size=3)
        lightness = 50 * light + contrast * (image[..., :1] - 50)
        image = np.concatenate([lightness, chroma * image[..., 1:]], axis=-1)
        return image.astype(np.float32), labels

    def _labels(self, segmentation):
        # Only whether two pixels have the same segment matters, not the number of the segment.
        labels = np.full(segmentation.shape, -1, np.int64)
        known = np.ones(segmentation.shape, bool)
        if self.ignore_label is not None:
            known = segmentation != self.ignore_label
        labels[known], _ = densify(segmentation[known])
        return labels

    def _plane_features(self, colours, features):
        super()._plane_features(colours, features)
        if self.mirror:
            self._compute_tiles(colours[:, ::-1], features[:, :, ::-1], add=True)
            features /= 2

    def _maps(self, network, x, inside):
        maps, edges = network(x)
        if self.edges:
            maps = torch.cat([maps, edges[:, None].sigmoid()], dim=1)
        return maps[0].cpu().numpy()[:, *inside]

    def _halo(self):
        return halo()

    def _cache_key(self):
        return *super()._cache_key(), bool(self.edges), bool(self.mirror)

    def get_feature_names_out(self, input_features=None):
        """Name the features: colours first, then the maps.

        Parameters
        ----------
        input_features : None
            Ignored; accepted because scikit-learn passes it.

        Returns
        -------
        ndarray of shape (M,), object
            L, a, b, the numbered maps and, with ``edges=True``, "edge".

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
        names = ["L", "a", "b", *(f"learned_{i}" for i in range(self.network_.n_maps))]
        return [*names, "edge"] if self.edges else names
