"""How an estimator learns its distance: what is learned in which order, and from which pixels."""

from functools import partial

import numpy as np

from sksuperpixel._clustering.distance import WeightedDistance
from sksuperpixel._clustering.settings import Settings
from sksuperpixel._clustering.superpixels import check_edge_channel
from sksuperpixel._images.errors import about_image
from sksuperpixel._images.parameters import check_channel_weights
from sksuperpixel._images.segmentations import check_segmentation_to_learn
from sksuperpixel._learning.calibration import MOST_IMAGES, Sample
from sksuperpixel._learning.rounds import Teacher, check_drawn, draw_validation_images
from sksuperpixel._learning.training_pixels import concatenate_pixels, share_out

# A network that corrects a distance makes its superpixels less compact. So that they end up about
# as compact as they will be used, it learns from the clusters of a distance that is as compact as
# SLIC's with this multiple of the parameter. It was chosen on BSDS500's validation images.
_COMPACTNESS_OF_TEACHER = 1.45
# With more pixels, the best weights depend less on chance. If there are few images, up to three
# times the usual number of pixels is drawn from each, but no more than this number in all.
_MOST_OF_USUAL, _ENOUGH_PIXELS = 3, 200_000


class LearningMixin:
    """Mixin for the estimator that learns.

    First, all features are weighed evenly, whatever their scales. Clusters of that distance teach
    the weights of a distance of one layer. Clusters of the latter teach any other network, which
    starts from these weights. In the end, what was learned is made as compact as SLIC.
    """

    def _learn(self, reader, y, label_maker, net, rng, one_pass):
        """Learn from segmentations, and set `classifier_`.

        Parameters
        ----------
        reader : ImageReader
        y : sequence of ndarray
        label_maker : LabelMaker
        net : NeuralNetClassifier
            A classifier that is not initialised. It is changed.
        rng : RandomState
        one_pass : callable
            Reports each pass over the images, see `fit_progress`.
        """
        from sksuperpixel._learning.pixel_classifier import has_one_layer

        one_layer = has_one_layer(net)
        label_maker_of_weights = label_maker.with_targets_for(one_layer=True)
        label_maker = label_maker.with_targets_for(one_layer=one_layer)
        n_for_weights = self._pixels_for_weights(len(reader))
        n_pixels = n_for_weights if one_layer else self.n_pixels_per_image
        sample = self._take_sample(reader) if net.max_epochs > 0 else None
        weights, temperature = self._start_weights(sample), None
        start = WeightedDistance(weights)
        if self._learns_weights(net):
            teacher = partial(self._teacher, label_maker_of_weights, start, n_for_weights)
            with one_pass() as report:
                start, weights, temperature = self._learn_weights(
                    reader, y, teacher, rng, sample, report
                )
        for number in range(self.n_rounds):
            teacher = partial(self._teacher, label_maker, start, n_pixels, learned=number > 0)
            with one_pass() as report:
                self._learn_network(reader, y, teacher, net, weights, temperature, rng, report)
                self._calibrate(sample)

    def _learns_weights(self, net):
        """Tell whether the weights that a network starts from have to be learned first."""
        from sksuperpixel._learning.pixel_classifier import has_one_layer

        known = self.channel_weights is not None or self._weights_before() is not None
        return net.max_epochs > 0 and not known and not has_one_layer(net)

    def _weights_before(self):
        """Return the weights of the network from which `warm_start` starts, if it has any."""
        module = self.classifier_.module_ if hasattr(self, "classifier_") else None
        return getattr(module, "channel_weights", None)

    def _pixels_for_weights(self, n_images):
        """Choose the mean number of pixels to draw from each image for solving for weights."""
        usual = self.n_pixels_per_image
        if usual is None:
            return None
        return max(usual, min(_MOST_OF_USUAL * usual, _ENOUGH_PIXELS // n_images))

    def _take_sample(self, reader):
        """Compute the features of a few images, in which superpixels are measured."""
        sample = Sample(Settings.of(self))
        step = -(-len(reader) // MOST_IMAGES)
        for index in range(0, len(reader), step):
            with about_image(index):
                sample.add(self._planes(reader[index]))
            if sample.is_full:
                break
        return sample

    def _start_weights(self, sample):
        """Return the weights that the user gave, those fitted before, or even ones.

        With the latter, all features count the same. Without a sample, they are all 1.
        """
        if self.channel_weights is None:
            if sample is None:
                return None
            before = self._weights_before()
            # If there were other features before, loading the network will say so.
            if before is None or len(before) < sample.n_features:
                return sample.even_weights()
            return self._to_teach(before, sample)[0]
        if sample is None:
            return np.asarray(self.channel_weights)
        return check_channel_weights(self.channel_weights, sample.n_features)

    def _to_teach(self, weights, sample):
        """Divide weights by a number so that superpixels are as compact as networks learn from.

        Returns
        -------
        weights : ndarray of shape (C,), float64
            The weights of the features. Those of pair features are left out.
        divisor : float
        """
        weights = np.asarray(weights, np.float64)[: sample.n_features]
        parameter = _COMPACTNESS_OF_TEACHER * self.compactness
        divisor = sample.space_factor(WeightedDistance(weights), parameter) ** 2
        return weights / divisor, divisor

    def _teacher(self, label_maker, start, n_pixels, n_features, *, learned=False):
        """Make the teacher that draws pixels, with clusters of the first or learned distance."""
        return Teacher(
            label_maker,
            Settings.of(self),
            self.n_candidates,
            n_pixels,
            start,
            self._distance(n_features) if learned else start,
            self.pair_features_,
        )

    def _learn_weights(self, reader, y, teacher_for, rng, sample, report):
        """Learn the weights of a distance of one layer.

        Returns
        -------
        distance : WeightedDistance
            The best distance without pair features.
        weights : ndarray of shape (M,), float64
            The best weights of features and pair features.
        temperature : float
            The temperature that goes with them.
        """
        from sksuperpixel._learning.weight_solver import solve_weights

        seeds = _draw_seeds(rng, reader)
        pixels, _ = self._draw(reader, y, teacher_for, seeds, report)
        weights, temperature = solve_weights(pixels, int(seeds[-1]))
        alone = weights
        if self.pair_features_:
            alone, _ = solve_weights(pixels.without_pairs(), int(seeds[-1]))
        alone, divisor = self._to_teach(alone, sample)
        return WeightedDistance(alone), weights / divisor, temperature / divisor

    def _learn_network(self, reader, y, teacher_for, net, weights, temperature, rng, report):
        """Do one round: draw pixels from all images, and fit the network to them."""
        from sksuperpixel._learning.pixel_classifier import fit_net

        # Without training, one image suffices to find out the size of the network.
        trains = net.max_epochs > 0
        seeds = _draw_seeds(rng, reader)
        pixels, sizes = self._draw(reader, y, teacher_for, seeds, report, None if trains else 1)
        self.n_pixels_ = len(pixels)
        self.n_features_ = pixels.values.shape[1]
        check_edge_channel(self.edge_channel, self.n_features_)
        check_channel_weights(self.channel_weights, self.n_features_)
        self.classifier_ = fit_net(
            net,
            pixels,
            np.repeat(draw_validation_images(sizes, seeds[-2]), sizes),
            channel_weights=weights,
            temperature=temperature,
            # The best weights would only become noisier. What is trained corrects the distance.
            fixes_weights=self.channel_weights is None,
            seed=int(seeds[-1]),
            device=self.device,
            start=self.classifier_.module_ if hasattr(self, "classifier_") else None,
        )

    def _draw(self, reader, y, teacher_for, seeds, report, n_images=None):
        """Draw pixels from all images, or from the first few.

        Returns
        -------
        pixels : TrainingPixels
        sizes : list of int
            Number of pixels of each image.
        """

        def draw(threads, index):
            with about_image(index):
                image = reader[index]
                segmentation = check_segmentation_to_learn(y[index], image.shape)
                planes = self._planes(image)
                rng = np.random.RandomState(seeds[index])
                teacher = teacher_for(len(planes.features)).varied(self.compactness_spread, rng)
                segmentation = segmentation.reshape(-1, *planes.shape)
                return teacher.draw(planes, segmentation, rng, threads)[0]

        drawn = list(map(report, self._map_images(draw, n_images or len(reader))))
        teacher = teacher_for(drawn[0].values.shape[1])
        pixels, sizes, n_clusters = concatenate_pixels(share_out(drawn, teacher.n_pixels))
        if n_images is None:
            check_drawn(pixels, n_clusters, teacher)
        return pixels, sizes

    def _calibrate(self, sample):
        """Make superpixels as compact as SLIC's. A network of the user's own stays as it is."""
        network = self.classifier_.module_
        if sample is not None and hasattr(network, "scale_space"):
            network.scale_space(sample.space_factor(self._distance(self.n_features_)))


def _draw_seeds(rng, reader):
    """Draw a seed for each image, and two more."""
    return rng.randint(2**31 - 1, size=len(reader) + 2)
