"""The methods that the scripts of this folder compare: their features and their settings.

A method is a dictionary of settings, which is also part of the keys of its cached results. A
method with the setting "network" is fitted; the others only use given weights.
"""

from functools import lru_cache

import numpy as np
from data import SHAPE
from skimage.color import rgb2gray

from sksuperpixel import SLIC, ChannelUnion, LabelMaker, LabFeatures, TrainableSLIC
from sksuperpixel.features import ENetFeatures, ScatteringFeatures, features_of_name
from sksuperpixel.networks import make_classification_net, make_distance_net

# Smaller regions than this share of a grid cell are merged into a neighbour. With this value,
# there are on average as many superpixels as grid cells.
MIN_SIZE_FACTOR = 0.35

# The finest scale of the scattering transform, without the blurred image.
TEXTURE = ScatteringFeatures(
    J=1, max_order=1, channels="lightness", select=lambda each: each.order > 0
)
# The transformers of each set of features, and the channel weights with which learning starts.
# They are None if nothing is set by hand.
FEATURES = {
    "lab": ([("lab", LabFeatures())], 3 * [1]),
    "by name": (features_of_name("scattering").transformers, None),
    # The paper's features: 81 maps of each of the channels red, green and blue.
    "243 maps": ([("lab", LabFeatures()), ("maps", ScatteringFeatures())], None),
    "scattering": (
        [("lab", LabFeatures(sigma=0.7)), ("texture", TEXTURE)],
        [1, 4, 4] + 8 * [16],
    ),
    # Less smoothed colour, for the manual tuning.
    "scattering, sharp": (
        [("lab", LabFeatures(sigma=0.5)), ("texture", TEXTURE)],
        [1, 4, 4] + 8 * [16],
    ),
    # The two sets of Table II. The labels come from SLIC on colour, so all other channels start
    # with weights that are almost 0. With 0, they would be left out.
    "all scattering": (
        [("lab", LabFeatures()), ("texture", ScatteringFeatures(channels="lightness"))],
        3 * [1] + 81 * [1e-3],
    ),
    "ENet": ([("lab", LabFeatures()), ("enet", ENetFeatures())], 3 * [1] + 16 * [1e-3]),
}
# CIELAB's lightness goes up to 100. The scattering transform takes lightness in [0, 1], and
# ENet's maps are of a similar range, so both are scaled up.
FEATURE_WEIGHTS = {"texture": 100, "enet": 10}

_NETWORK = {"features": "scattering", "n_candidates": 7, "n_pixels": 600, "spread": 2.0}
_LABELS = {"strategy": "slic", "min_segments": 2}
# The methods of Table I: the features they compare, their network and the labels it learns from.
METHODS = {
    "SLIC": {"features": "lab"},
    "manual tuning": {"features": "scattering"},
    "classification, corrected, X = 3": {
        **_NETWORK,
        "network": "classification",
        "label_maker": {"strategy": "slic", "min_segments": 3},
    },
    # This network has learned to choose the spatially nearest cluster, so its superpixels cannot
    # be made less compact, whatever the parameter is set to.
    "classification, weak, X = 6": {
        **_NETWORK,
        "network": "classification",
        "label_maker": {"strategy": "nearest", "min_segments": 6},
        "matched": False,
    },
    "one layer": {"features": "by name", "network": 1, "label_maker": _LABELS},
    "three layers": {"features": "by name", "network": 3, "label_maker": _LABELS},
    "one layer, 243 maps": {"features": "243 maps", "network": 1, "label_maker": _LABELS},
    "three layers, 243 maps": {"features": "243 maps", "network": 3, "label_maker": _LABELS},
    "one layer, hand-set start": {"features": "scattering", "network": 1, "label_maker": _LABELS},
    "three layers, hand-set start": {
        "features": "scattering",
        "network": 3,
        "label_maker": _LABELS,
    },
}
# The names of these settings among the parameters of the estimator. What a method does not set
# keeps the library's default.
_PARAMETERS = {
    "n_candidates": "n_candidates",
    "n_pixels": "n_pixels_per_image",
    "spread": "compactness_spread",
    "n_segments": "n_segments",
}


@lru_cache(maxsize=4)
def feature_extractor(name, is_grey):
    """Make a set of features ready for use; none of them learns from images."""
    transformers, _ = FEATURES[name]
    names = [each for each, _ in transformers]
    weights = {each: FEATURE_WEIGHTS[each] for each in names if each in FEATURE_WEIGHTS}
    blank = np.zeros(SHAPE if is_grey else (*SHAPE, 3), np.uint8)
    return ChannelUnion(transformers, transformer_weights=weights).fit([blank])


def extract(settings, images):
    """Return a method's features of the images as a lazy sequence."""
    is_grey = settings.get("grey", False)
    if is_grey:
        images = [np.round(255 * rgb2gray(each)).astype(np.uint8) for each in images]
    return feature_extractor(settings["features"], is_grey).transform(images)


def make_estimator(settings, n_jobs=1):
    """Make a method's estimator, which takes features and is not fitted yet."""
    _, weights = FEATURES[settings["features"]]
    weights = settings.get("weights", weights)
    shared = {
        "features": "passthrough",
        "min_size_factor": MIN_SIZE_FACTOR,
        "n_jobs": n_jobs,
    }
    if "network" not in settings:
        return SLIC(channel_weights=weights, **shared)
    if settings["network"] == "classification":
        net = make_classification_net()
    else:
        net = make_distance_net(settings["network"])
    return TrainableSLIC(
        channel_weights=weights,
        label_maker=LabelMaker(**settings["label_maker"]),
        classifier=net,
        random_state=0,
        **{name: settings[key] for key, name in _PARAMETERS.items() if key in settings},
        **shared,
    )


def slic_superpixels(images, n_segments, n_jobs):
    """Cut images into an exact number of superpixels each with plain SLIC."""
    return SLIC(n_segments=n_segments, n_jobs=n_jobs).fit_transform(images)
