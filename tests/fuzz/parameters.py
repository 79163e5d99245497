"""Set parameters to anything after `fit`: a correct result, or one error that names them.

Pretrained models are used with `set_params` after `fit`. Whatever a parameter is set to, each
method returns what it promises, or raises a ValueError or TypeError that names one of the
parameters that were set. It does so in bounded time, and leaves the estimator as it was.
"""

import copy
import inspect
import re

import numpy as np
from fuzz import inputs
from fuzz.harness import Defect
from sklearn.base import clone

from sksuperpixel import SLIC, LabelMaker, PathFeature, TrainableSLIC, slic
from sksuperpixel.features import (
    ChannelUnion,
    ENetFeatures,
    LabFeatures,
    LearnedFeatures,
    ScatteringFeatures,
)
from sksuperpixel.networks import make_classification_net, make_distance_net

LIMIT_S, LIMIT_MB = 10, 500
# Parameters that are left as they are, because they would write files or depend on the machine.
_LEFT_OUT = ("memory", "checkpoint", "classifier__")


def prepare(folder):
    """Fit one estimator of each kind."""
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (18, 23, 3)).astype(np.uint8)
    volume = rng.random((5, 9, 8)).astype(np.float32)
    y = [np.repeat(np.arange(3), 138).reshape(18, 23)]
    net = make_distance_net(1, max_epochs=0)
    three = make_distance_net(3, max_epochs=1)
    classes = make_classification_net(max_epochs=1)
    learned = LearnedFeatures(2, width=2, edges=True, train=False, random_state=0)
    fitted = [
        SLIC(5).fit([colour]),
        SLIC(n_segments=9).fit([colour]),
        SLIC(3, features="passthrough", channel_axis=None, spacing=(2, 1, 1)).fit([volume]),
        SLIC(4, adaptive_compactness=True, enforce_connectivity=False).fit([colour]),
        SLIC(n_segments=7, features=learned, edge_channel=-1).fit([colour]),
        TrainableSLIC(5, classifier=net, random_state=0).fit([colour], y),
        TrainableSLIC(5, classifier=three, random_state=0, n_segments=12).fit([colour], y),
        TrainableSLIC(
            5,
            classifier=classes,
            random_state=0,
            features="passthrough",
            pair_features=[PathFeature()],
            label_maker=LabelMaker(mining=None),
        ).fit([colour], y),
        LabFeatures().fit([colour]),
        ScatteringFeatures(J=1, L=2).fit([colour]),
        ENetFeatures(weights=None, random_state=0).fit([colour]),
        learned.fit([colour]),
        ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")]).fit([colour]),
    ]
    return fitted, colour, volume, y


def case(rng, shared):
    """Set one to three parameters of a fitted estimator, and use it."""
    fitted, colour, volume, y = shared
    if rng.random() < 0.15:
        return _function(rng, colour)
    number = rng.integers(len(fitted))
    estimator = copy.deepcopy(fitted[number])
    image, truth = (volume, [np.zeros(volume.shape, int)]) if number == 2 else (colour, y)
    names = [
        name for name in estimator.get_params() if not any(part in name for part in _LEFT_OUT)
    ]
    changed = {}
    for _ in range(rng.integers(1, 4)):
        name = inputs.choose(rng, names)
        changed[name] = _draw(rng, estimator.get_params()[name])
    method = inputs.choose(rng, _METHODS_OF_SLIC if number < 8 else _METHODS_OF_FEATURES)
    try:
        estimator.set_params(**changed)
    except (AttributeError, ValueError):
        # scikit-learn refuses parameters of an object that was replaced.
        return "not set"
    before = _parameters(estimator)
    try:
        found = method(estimator, image, truth)
    except (ValueError, TypeError) as error:
        check_named(error, changed, OTHER_WORDS)
        _check_unchanged(before, _parameters(estimator))
        return "refused"
    except FileNotFoundError:
        if not any(name.endswith("weights") for name in changed):
            raise
        return "no such weights"
    except ImportError:
        return "not installed"
    _check_unchanged(before, _parameters(estimator))
    if found is not None and number < 8:
        inputs.check_superpixels(found, estimator, None, image.shape[: 3 if number == 2 else 2])
    return "works"


def _draw(rng, now):
    """Draw a strange value, sometimes as a NumPy number, or the present value as one."""
    kind = rng.random()
    if kind < 0.2:
        return inputs.as_numpy(rng, now)
    value = inputs.strange(rng)
    return inputs.as_numpy(rng, value) if kind < 0.5 else value


def _function(rng, image):
    """Call the function `slic` with one or two strange arguments."""
    names = [name for name in inspect.signature(slic).parameters if name != "image"]
    options = {"n_segments": 20, "channel_axis": -1}
    defaults = {name: each.default for name, each in inspect.signature(slic).parameters.items()}
    changed = {}
    for _ in range(rng.integers(1, 3)):
        name = inputs.choose(rng, names)
        changed[name] = _draw(rng, options.get(name, defaults[name]))
    try:
        found = slic(image, **(options | changed))
    except (ValueError, TypeError) as error:
        check_named(error, changed, OTHER_WORDS_OF_FUNCTION, "slic: ")
        return "slic refused"
    except FutureWarning:
        return "slic warned"
    if "channel_axis" not in changed and found.shape != image.shape[:2]:
        raise Defect(f"slic: found shape {found.shape}")
    return "slic works"


# Patterns of errors that do not name the parameter, but what it makes of the image.
OTHER_WORDS = {
    # Other superpixels may leave nothing to learn.
    "n_segments": [r"^y: found no pixel to learn from"],
    "superpixel_size": [r"^y: found no pixel to learn from"],
    # The features of this channel must be edges.
    "edge_channel": [r"^found edges from"],
    # If other axes hold the channels, the image does not fit the model or the segmentation.
    "channel_axis": [
        r"found \d+ channels, expected",
        r"found shape \(.*\), expected \(",
        r"found a segmentation of shape",
        r"found a (grey image|volume)",
    ],
}
OTHER_WORDS_OF_FUNCTION = {
    "channel_axis": [r"image: found shape", r"found shape \(.*\), expected \("],
    "mask": [r"found a mask", r"found no pixel"],
}


def check_named(error, changed, other_words, what=""):
    """Check that an error names a parameter that was changed, or has one of its other words.

    The number of the image, with which errors about an image begin, is ignored.
    """
    message = re.sub(r"^image \d+: ", "", str(error))
    for name in {name.rpartition("__")[2] for name in changed}:
        patterns = [rf"(?<![A-Za-z_]){re.escape(name)}(?![A-Za-z_])", *other_words.get(name, ())]
        if any(re.search(pattern, message) for pattern in patterns):
            return
    raise Defect(
        f"{what}{type(error).__name__} does not name {sorted(changed)}: {message[:100]}"
    ) from error


def _parameters(estimator):
    return {name: id(value) for name, value in vars(estimator).items() if name[0] != "_"}


def _check_unchanged(before, after):
    changed = [name for name in before if after.get(name) != before[name]]
    if changed:
        raise Defect(f"{changed} was changed")


def _transform(estimator, image, truth):
    return estimator.transform([image])[0]


def _predict(estimator, image, truth):
    return estimator.predict([image])[0]


def _score(estimator, image, truth):
    score = estimator.score([image], truth)
    if not 0 <= score <= 1:
        raise Defect(f"a score of {score}")


def _fit(estimator, image, truth):
    """Fit a clone, because the estimator itself must not change."""
    return clone(estimator).fit([image], truth) and None


def _names(estimator, image, truth):
    names = estimator.get_feature_names_out()
    features = estimator.transform([image])[0]
    if len(names) != features.shape[-1]:
        raise Defect(f"{len(names)} names of {features.shape[-1]} features")


def _features(estimator, image, truth):
    features = estimator.transform([image])[0]
    if features.dtype != np.float32 or features.shape[:2] != image.shape[:2]:
        raise Defect(f"features of {features.dtype}, shape {features.shape}")


_METHODS_OF_SLIC = [_transform, _transform, _transform, _transform, _predict, _score, _fit]
_METHODS_OF_FEATURES = [_features, _features, _names, _fit]
