"""Show what an image teaches: the pixels to learn from and their right candidates."""

from copy import copy

from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from sksuperpixel._clustering.distance import WeightedDistance
from sksuperpixel._clustering.settings import Settings
from sksuperpixel._images.errors import about_image
from sksuperpixel._images.reader import ImageReader
from sksuperpixel._images.segmentations import check_segmentation_to_learn
from sksuperpixel._learning.calibration import Sample
from sksuperpixel._learning.parameters import check_label_maker


class MiningMixin:
    """Mixin for the estimator that learns. It shows the results of the label maker."""

    def mine(self, image, segmentation, mask=None, *, learned=False):
        """Show what one image teaches: the pixels to learn from and their right candidates.

        Use this to see what a label maker does before anything is fitted, or what a fitted model
        still gets wrong.

        Parameters
        ----------
        image : ndarray of shape (H, W), (H, W, C), (D, H, W) or (D, H, W, C)
            An image.
        segmentation : ndarray of shape (H, W) or (A, H, W), int
            Its ground truth, by one annotator or by A of them.
        mask : ndarray of shape (H, W), bool, default=None
            Where superpixels are wanted.
        learned : bool, default=False
            Whether to use the clusters of the fitted model. If False, the clusters are those of
            SLIC's distance with `channel_weights`. If these are None, all features count the
            same.

        Returns
        -------
        :class:`~sklearn.utils.Bunch`
            With the following attributes, for an image of 2 axes (a volume has 3):

            clusters : ndarray of shape (H, W), int32
                Cluster of each pixel after `max_iter` iterations; -1 outside the mask.
            centres : ndarray of shape (K, 2), float64
                Row and column of each cluster.
            pixels : ndarray of shape (n, 2), int32
                Row and column of every pixel that teaches, in raster order.
            candidates : ndarray of shape (n, Q), int32
                The clusters that a pixel can go to, nearest first; -1 if there are fewer than Q.
            targets : ndarray of shape (n, Q), bool
                Which candidates are right: one per pixel, or at least one if the label maker has
                ``targets="set"``. With ``targets="share"``, how right they are (float32).

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `learned` is true but `fit` was not called.
        ValueError
            If a parameter, the image or the segmentation is not as expected.
        TypeError
            If the image is not an array of numbers.

        Examples
        --------
        >>> import numpy as np
        >>> from sksuperpixel import LabelMaker, TrainableSLIC
        >>> segmentation = np.zeros((32, 32), int)
        >>> segmentation[:, 13:] = 1
        >>> slic = TrainableSLIC(8, label_maker=LabelMaker(min_segments=2), random_state=0)
        >>> mined = slic.mine(1.0 * segmentation[:, :, np.newaxis], segmentation)
        >>> mined.pixels.shape[1], mined.targets.shape[1]
        (2, 7)
        """
        self._check_params()
        label_maker = check_label_maker(self.label_maker, self.n_candidates)
        label_maker = label_maker.with_targets_for(one_layer=False)
        if learned:
            check_is_fitted(self, "classifier_")
        n_channels = getattr(self, "n_channels_in_", None)
        reader = ImageReader([image], self.channel_axis, [mask], n_channels)
        shape = reader.first.shape
        miner = copy(self)
        # A fitted network needs the pair features it was trained with. SLIC's distance needs none.
        miner.pair_features_ = self.pair_features_ if learned else ()
        if not learned:
            # The weights that were learned before are not those of SLIC's distance.
            vars(miner).pop("classifier_", None)
        if not hasattr(self, "features_"):
            miner.features_ = miner._fit_features(reader, [segmentation])
        with about_image(0):
            segmentation = check_segmentation_to_learn(segmentation, shape)
            planes = miner._planes(reader.first)
            n_features = len(planes.features)
            if learned:
                start = WeightedDistance(miner._distance(n_features).weights)
            else:
                sample = Sample(Settings.of(miner))
                sample.add(planes)
                start = WeightedDistance(miner._start_weights(sample))
            # `None` draws all pixels.
            teacher = miner._teacher(label_maker, start, None, n_features, learned=learned)
            pixels, labels, centres = teacher.draw(
                planes,
                segmentation.reshape(-1, *planes.shape),
                check_random_state(self.random_state),
            )
        return Bunch(
            clusters=labels.reshape(shape),
            centres=centres[:, -len(shape) :],
            pixels=pixels.positions[:, -len(shape) :],
            candidates=pixels.candidates,
            targets=pixels.targets if label_maker.targets == "share" else pixels.targets > 0,
        )
