"""Features that are learned from segmentations."""

from numbers import Integral, Real
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from sklearn.callback import with_callbacks
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._images.data_range import check_colours
from sksuperpixel._learning.label_maker import dense_segments
from sksuperpixel._torch import one_torch_thread
from sksuperpixel.features._lab import LabFeatures, lab_planes
from sksuperpixel.features._maps_network import (
    STEP,
    ClusterLoss,
    load_maps_network,
    network_params,
    new_maps_network,
)
from sksuperpixel.features._network_features import NetworkFeatures


class LearnedFeatures(NetworkFeatures):
    r"""Maps of a small convolutional network that learns what SLIC should compare pixels by.

    The network is trained through SLIC itself: pixels go to the clusters near them with
    probabilities that fall with the distance of the features, and what is taught is that they go
    to clusters of their own segment. So the features make SLIC's plain distance tell segments
    apart: whatever is inside one looks alike, whatever is across a border looks different.

    Parameters
    ----------
    n_maps : int, default=12
        Number of maps, beside the three of colour.
    edges : bool, default=False
        Whether to add an edge map as the last feature: the probability that a pixel is beside a
        border, which the network learns in any case. For `edge_channel` of `SLIC` and for
        `PathFeature`; it is too small to count in a distance.
    mirror : bool, default=False
        Whether features are the means of those of the image and of its mirror image: somewhat
        better, in twice the time.
    width : int, default=24
        Number of maps in the network's finest layers; coarser ones have up to four times as
        many. Time and memory grow with it.
    weights : "bsds500", str, path-like or None, default=None
        Where the network starts: the weights that come with this, learned on photographs of
        nature and people; those of a safetensors file that `save_weights` wrote, or of a model
        that `TrainableSLIC.save` wrote, if these are all its features; or random ones. With
        weights, `n_maps` and `width` are the file's.
    train : bool, default=True
        Whether `fit` trains the network. If not, `fit` leaves the weights as they are and takes
        no notice of `y`, which a pipeline passes to all its steps. The parameters below matter
        in training only, but for `random_state`.
    superpixel_sizes : pair of float (low, high), default=(6, 20)
        Range of the steps of SLIC's grid in training, so that the features are good for
        superpixels of such sizes.
    compactness : float, default=10.0
        Of SLIC in training. Features are scaled to what this is right for.
    n_candidates : int, default=9
        Q: how many clusters, the nearest in space, a pixel can go to.
    n_pixels_per_image : int, default=6000
        Most pixels of each part of an image that teach, of those with more than one segment
        around them.
    ignore_label : int, default=None
        Label of the pixels to learn nothing from.
    max_epochs : int, default=60
        How many times to draw a part of each image.
    batch_size : int, default=4
        Number of such parts in a step.
    crop_size : int or pair of int (height, width), default=192
        Size of the parts, a multiple of 8. Where an image is smaller, the rest is ignored.
    scale_range : pair of float (low, high), default=(0.7, 1.6)
        Range of the random factors by which parts are enlarged.
    learning_rate : float, default=2e-3
        Adam's largest learning rate: it rises to this for a tenth of the training and then
        falls to 0 along a cosine.
    weight_decay : float, default=1e-5
        Of Adam, as a penalty on the squared weights.
    colour_jitter : float, default=0.2
        How much lightness and colours of the parts change at random: contrast and chroma by a
        factor within 1 - this and 1 + this, lightness by as much of 50.
    precision : "float32" or "bfloat16", default="float32"
        Of the network's layers in training. With bfloat16, training takes half the time on
        processors that know it, and more on others.
    data_range : float or pair of float, default=None
        Values of black and white: the largest possible value, such as 4095 for 12 bits, or the
        smallest and the largest one. None for all of uint8 or uint16, and for [0, 1] of floats.
    device : str or torch.device, default="cpu"
        Where torch computes; SLIC's iterations run on the CPU in any case.
    channel_axis : int or None, default=-1
        Which axis of an image holds its channels; None for grey images (or volumes) without
        such an axis.
    memory : str, pathlib.Path, joblib.Memory or None, default=None
        Where to keep each image's features, so that they are computed once only.
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
    losses_ : ndarray of shape (n_epochs,)
        Mean loss of each epoch of the training, that of edges included, NaN where nothing
        taught; empty without training.
    n_channels_in_ : int
        Number of channels of the images fitted: 1 or 3.

    See Also
    --------
    TrainableSLIC : Learns the distance of features that are given.
    ENetFeatures : Maps of a network that was trained to name what is in an image.

    Notes
    -----
    With the features f of pixel i and mean features :math:`\bar f_k` of cluster k, the
    probability that i goes to k is

    .. math:: p_{ik} \propto \exp \left( - \frac{1}{T} \left( \lVert f_i - \bar f_k \rVert^2
              + \frac{\sigma^2}{S^2} \lVert p_i - p_k \rVert^2 \right) \right)

    and the loss of a pixel :math:`-\log \sum_k p_{ik} s_{ik}`, where :math:`s_{ik}` is the share
    of k's pixels that are of i's segment. The temperature T is learned, too. Clusters are those
    of one to four of SLIC's iterations with the features so far; gradients flow through the
    features of the pixels and of the clusters' means, not through the iterations before. Only
    pixels with clusters of several segments around them teach: an image's loss is the mean of
    theirs, times the share of such pixels. Half the mean cross-entropy of the edge map is added,
    whose truth are the pixels beside one of another segment. That features are learned
    through a soft assignment to superpixels is the idea of [1]_, with another network and
    another loss.

    The network sees CIELAB at four scales; its maps have the image's size. Images are continued
    by their mirror images to a multiple of 8 pixels.

    On a CPU, a training is the same at each call with the same number of torch's threads.
    Features do not depend on them.

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
        "n_maps": [Interval(Integral, 1, None, closed="left")],
        "edges": ["boolean"],
        "mirror": ["boolean"],
        "width": [Interval(Integral, 2, None, closed="left")],
        "superpixel_sizes": [tuple, list],
        "compactness": [Interval(Real, 0, None, closed="left")],
        "n_candidates": [Interval(Integral, 2, None, closed="left")],
        "n_pixels_per_image": [Interval(Integral, 1, None, closed="left")],
        "colour_jitter": [Interval(Real, 0, 1, closed="left")],
        "precision": [StrOptions({"float32", "bfloat16"})],
    }
    _step = STEP
    _shipped: ClassVar[dict] = {
        "bsds500": Path(__file__).parents[1] / "models" / "bsds500.safetensors"
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
            Segmentations, one an image. Of several annotators, each time one is drawn. None
            will do with ``train=False``.
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
        super()._check_params()
        self._check_range("superpixel_sizes", least=1)

    @staticmethod
    def _network_params(tensors):
        return network_params(tensors)

    def _untrained(self):
        return self._start(self._draw_seed())

    def _start(self, seed):
        """Load the network, or draw it."""
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
                "y: found no pixel to learn from, expected some with superpixels of several "
                f"segments around them, of sizes {tuple(self.superpixel_sizes)}"
            )
        return network, losses

    def _check_first(self, image):
        LabFeatures()._check_first(image)

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
        # Segments may have any numbers: they are told apart only.
        return dense_segments(segmentation[np.newaxis], self.ignore_label)[0]

    def _plane_features(self, image):
        """Compute the features of one image (H, W, 3)."""
        maps = self._maps(image)
        if self.mirror:
            maps = (maps + self._maps(image[:, ::-1])[:, :, ::-1]) / 2
        return np.moveaxis(np.ascontiguousarray(maps), 0, -1)

    def _maps(self, image):
        """Ask the network: (M, H, W)."""
        device = torch.device(self.device)
        network = self.network_.to(device)
        with torch.inference_mode(), one_torch_thread():
            maps, edges = network(self._network_input(image).to(device))
            if self.edges:
                maps = torch.cat([maps, edges[:, None].sigmoid()], dim=1)
            maps = maps[0].cpu().numpy()
        height, width = image.shape[:2]
        return maps[:, STEP : STEP + height, STEP : STEP + width]

    def _cache_key(self):
        return *super()._cache_key(), bool(self.edges), bool(self.mirror)

    def get_feature_names_out(self, input_features=None):
        """Name the features: those of colour, then the maps.

        Parameters
        ----------
        input_features : None
            Not used; for scikit-learn.

        Returns
        -------
        ndarray of shape (M,), object
            L, a, b, the numbered maps and, with ``edges=True``, "edge".

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        """
        check_is_fitted(self)
        names = ["L", "a", "b", *(f"learned_{i}" for i in range(self.network_.n_maps))]
        names += ["edge"] if self.edges else []
        return np.array(names, dtype=object)
