"""Files of trained models: tensors in safetensors format, and a description in JSON.

Reading a file never runs code from it.
"""

import json

import numpy as np
from sklearn.base import clone

from sksuperpixel._files.tensors import (
    check_names,
    fill_network,
    read_tensors,
    tensors_of,
    to_bytes,
)
from sksuperpixel._files.writing import write_atomically
from sksuperpixel._learning.label_maker import LabelMaker
from sksuperpixel._learning.path_feature import PathFeature
from sksuperpixel._torch import seeded_torch
from sksuperpixel.features import LabFeatures
from sksuperpixel.models._parameters import to_json, without_local
from sksuperpixel.models._transformers import TransformerReader, describe_transformer

FORMAT = "sksuperpixel.model"
VERSION = 1

# The parameters that describe each network, besides its tensors.
_NETWORKS = {
    "DistanceNetwork": ("n_features", "n_layers", "n_hidden"),
    "ClassificationNetwork": ("n_features", "n_candidates"),
}
# Prefixes of the names of tensors.
_OF_NETWORK, _OF_FEATURES = "network.", "features."


def save_model(path, model):
    """Write a fitted model, completely or not at all.

    Parameters
    ----------
    path : str or path-like
    model : TrainableSLIC
        Fitted estimator.

    Raises
    ------
    ValueError
        If a part of the model cannot be written to a file.
    """
    from sksuperpixel import networks

    module = model.classifier_.module_
    name = type(module).__name__
    if name not in _NETWORKS or type(module) is not getattr(networks, name):
        raise ValueError(
            f"classifier: found a network {type(module)}, which a model file cannot hold; "
            f"expected one of {sorted(_NETWORKS)} of sksuperpixel.networks"
        )
    params = model.get_params(deep=False)
    del params["classifier"]
    label_maker = params.pop("label_maker")
    params["features"], tensors = describe_transformer(
        _fitted_features(model), model.features_, _OF_FEATURES
    )
    params["pair_features"] = _describe_pair_features(model.pair_features_)
    description = {
        "format": FORMAT,
        "version": VERSION,
        "network": {
            "name": name,
            "params": to_json({each: getattr(module, each) for each in _NETWORKS[name]}),
        },
        "params": to_json(params),
        "label_maker": None if label_maker is None else to_json(label_maker.get_params()),
        "training": {"max_epochs": int(model.classifier_.max_epochs)},
        "learned": {
            "n_channels_in_": int(model.n_channels_in_),
            "n_pixels_": int(model.n_pixels_),
        },
    }
    tensors |= tensors_of(module, _OF_NETWORK)
    write_atomically(path, to_bytes(tensors, {"sksuperpixel": json.dumps(description)}))


def _fitted_features(model):
    """Give the parameter `features` as it was in `fit`; it may have been changed since."""
    if model.features_ is None:
        return "passthrough"
    if isinstance(model.features, str) and type(model.features_) is LabFeatures:
        by_name = LabFeatures(channel_axis=model.channel_axis)
        if model.features_.get_params() == by_name.get_params():
            return "lab"
    return model.features_


def load_model(path, model_class, device="cpu"):
    """Read a model that `save_model` wrote.

    Parameters
    ----------
    path : str or path-like
    model_class : type
        TrainableSLIC.
    device : str, default="cpu"
        Torch device that networks run on.

    Returns
    -------
    TrainableSLIC
        Fitted estimator.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, is not a model, has another version, or if its tensors do not fit
        its description.
    """
    tensors, metadata = read_tensors(path)
    description = _read_description(metadata, path)
    try:
        return _restore_model(description, tensors, path, model_class, device)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: found a description that is not of a model ({type(error).__name__}: {error})"
        ) from error


def _restore_model(description, tensors, path, model_class, device):
    from sksuperpixel.networks import make_net_of

    module = _restore_network(description["network"], tensors, path)
    learned = description["learned"]
    params = without_local(description["params"])
    channel_axis = params["channel_axis"]
    blank = _blank_image(channel_axis, learned["n_channels_in_"])
    reader = TransformerReader(tensors, path, blank, channel_axis, device)
    params["features"], features = reader.restore(params["features"], _OF_FEATURES)
    params["pair_features"] = tuple(PathFeature(**each) for each in params["pair_features"])
    maker = description["label_maker"]
    params["label_maker"] = None if maker is None else LabelMaker(**maker)
    model = model_class(**params, device=device)
    model.features_, model.pair_features_ = features, model.pair_features
    model.n_channels_in_, model.n_pixels_ = learned["n_channels_in_"], learned["n_pixels_"]
    model.n_features_ = module.n_features - len(model.pair_features_)
    max_epochs = description["training"]["max_epochs"]
    model.classifier_ = make_net_of(module, device=device).set_params(max_epochs=max_epochs)
    model.classifier = clone(model.classifier_)
    _check_nothing_else(tensors, model, path)
    return model


def _read_description(metadata, path):
    try:
        description = json.loads(metadata.get("sksuperpixel", "{}"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: found a damaged description, expected JSON: {error}") from error
    if not isinstance(description, dict):
        raise ValueError(f"{path}: found a {type(description).__name__}, expected a description")
    found = description.get("format"), description.get("version")
    if found != (FORMAT, VERSION):
        raise ValueError(
            f"{path}: found format {found[0]!r} of version {found[1]}, expected {FORMAT!r} of "
            f"version {VERSION}"
        )
    return description


def _restore_network(description, tensors, path):
    from sksuperpixel import networks

    name = description["name"]
    if name not in _NETWORKS:
        raise ValueError(f"{path}: found network {name!r}, expected one of {sorted(_NETWORKS)}")
    with seeded_torch(0):
        module = getattr(networks, name)(**description["params"])
    fill_network(module, tensors, path, _OF_NETWORK)
    return module


def _check_nothing_else(tensors, model, path):
    """Raise ValueError if a file has tensors that belong to no part of its model."""
    _, known = describe_transformer(model.features, model.features_, _OF_FEATURES)
    known |= tensors_of(model.classifier_.module_, _OF_NETWORK)
    check_names(tensors, known, path)


def _blank_image(channel_axis, n_channels):
    """Make an image with the axes and channels of the model, to fit transformers to."""
    if channel_axis is None:
        return np.zeros((8, 8), np.uint8)
    # Only the channels of a volume can be on the fourth axis.
    shape = (8, 8, 8) if channel_axis in (3, -4) else (8, 8)
    return np.moveaxis(np.zeros((*shape, n_channels), np.uint8), -1, channel_axis)


def _describe_pair_features(pair_features):
    for number, each in enumerate(pair_features):
        if type(each) is not PathFeature:
            raise ValueError(
                f"pair_features[{number}]: found {each!r}, which a model file cannot hold; "
                "expected a PathFeature"
            )
    return [to_json(each.get_params()) for each in pair_features]
