"""Small images with ground truth, and an estimator that learns from them in a moment."""

from sksuperpixel import LabelMaker, TrainableSLIC
from sksuperpixel.datasets import make_texture_mosaics
from sksuperpixel.networks import make_distance_net

MOSAICS = make_texture_mosaics(n_images=6, image_shape=(64, 80), random_state=0)
IMAGES, SEGMENTATIONS = list(MOSAICS.images), list(MOSAICS.segmentations)


def learner(n_layers=1, **params):
    """Make an estimator that is not fitted."""
    options = {
        "superpixel_size": 8,
        "classifier": make_distance_net(n_layers, max_epochs=4),
        "label_maker": LabelMaker(min_segments=2),
        "n_pixels_per_image": 200,
        "random_state": 0,
        **params,
    }
    return TrainableSLIC(**options)
