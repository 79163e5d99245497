"""Files of trained models: safetensors with a description in JSON, from which no code runs."""

import json

import numpy as np
from sklearn.base import clone

from sksuperpixel._files.tensors import fill_network, read_tensors, tensors_of, to_bytes
from sksuperpixel._files.writing import write_atomically
from sksuperpixel._learning.label_maker import LabelMaker
from sksuperpixel._learning.path_feature import PathFeature
from sksuperpixel._torch import seeded_torch
from sksuperpixel.models._parameters import to_json, without_local
from sksuperpixel.models._transformers import describe_transformer, restore_transformer

FORMAT = "sksuperpixel.model"
VERSION = 1

# What describes a network, beside its tensors.
_NETWORKS = {
    "DistanceNetwork": ("n_features", "n_layers", "n_hidden"),
    "ClassificationNetwork": ("n_features", "n_candidates"),
}
# What the names of tensors begin with.
_OF_NETWORK, OF_FEATURES = "network.", "features."


def save_model(path, model):
    """Write a fitted model, whole or not at all.

    Parameters
    ----------
    path : str or path-like
    model : TrainableSLIC
        Fitted.

    Raises
    ------
    ValueError
        If it has a part that a file cannot hold.
    """
    module = model.classifier_.module_
    name = type(module).__name__
    if name not in _NETWORKS:
        raise ValueError(f"classifier: found a {name}, expected one of {sorted(_NETWORKS)}")
    params = model.get_params(deep=False)
    del params["classifier"]
    maker = params.pop("label_maker")
    params["features"], tensors = describe_transformer(
        params["features"], model.features_, OF_FEATURES
    )
    params["pair_features"] = _describe_pairs(model.pair_features_)
    about = {
        "format": FORMAT,
        "version": VERSION,
        "network": {
            "name": name,
            "params": to_json({each: getattr(module, each) for each in _NETWORKS[name]}),
        },
        "params": to_json(params),
        "label_maker": None if maker is None else to_json(maker.get_params()),
        "training": {"max_epochs": int(model.classifier_.max_epochs)},
        "learned": {
            "n_channels_in_": int(model.n_channels_in_),
            "n_pixels_": int(model.n_pixels_),
        },
    }
    tensors.update(tensors_of(module, _OF_NETWORK))
    write_atomically(path, to_bytes(tensors, {"sksuperpixel": json.dumps(about)}))


def load_model(path, model_class, device="cpu"):
    """Read a model that `save_model` wrote.

    Parameters
    ----------
    path : str or path-like
    model_class : type
        TrainableSLIC.
    device : str, default="cpu"
        Where networks are to run.

    Returns
    -------
    TrainableSLIC
        Fitted.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not whole, not a model, of another version, or has other tensors than its
        description says.
    """
    from sksuperpixel.networks import make_net_of

    tensors, metadata = read_tensors(path)
    about = _read_description(metadata, path)
    module = _restore_network(about["network"], tensors, path)
    n_channels = about["learned"]["n_channels_in_"]
    params = without_local(about["params"])
    params["features"], features = restore_transformer(
        params["features"],
        tensors,
        _blank_image(params["channel_axis"], n_channels),
        params["channel_axis"],
        path,
        device,
        OF_FEATURES,
    )
    params["pair_features"] = tuple(PathFeature(**each) for each in params["pair_features"])
    maker = about["label_maker"]
    model = model_class(
        **params, device=device, label_maker=None if maker is None else LabelMaker(**maker)
    )
    model.features_, model.pair_features_ = features, params["pair_features"]
    model.n_channels_in_, model.n_pixels_ = n_channels, about["learned"]["n_pixels_"]
    model.n_features_ = module.n_features - len(model.pair_features_)
    model.classifier_ = make_net_of(module, device=device)
    model.classifier_.set_params(**about["training"])
    model.classifier = clone(model.classifier_)
    return model


def _read_description(metadata, path):
    try:
        about = json.loads(metadata.get("sksuperpixel", "{}"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: found a damaged description: {error}") from error
    found = about.get("format"), about.get("version")
    if found != (FORMAT, VERSION):
        raise ValueError(
            f"{path}: found format {found[0]!r} of version {found[1]}, expected {FORMAT!r} of "
            f"version {VERSION}"
        )
    return about


def _restore_network(description, tensors, path):
    from sksuperpixel import networks

    name = description["name"]
    if name not in _NETWORKS:
        raise ValueError(f"{path}: found network {name!r}, expected one of {sorted(_NETWORKS)}")
    with seeded_torch(0):
        module = getattr(networks, name)(**description["params"])
    fill_network(module, tensors, path, _OF_NETWORK)
    return module


def _blank_image(channel_axis, n_channels):
    """Make an image such as the model was fitted to, for transformers to learn its channels."""
    if channel_axis is None:
        return np.zeros((8, 8), np.uint8)
    # Only the channels of a volume can be on the fourth axis.
    shape = (8, 8, 8) if channel_axis in (3, -4) else (8, 8)
    return np.moveaxis(np.zeros((*shape, n_channels), np.uint8), -1, channel_axis)


def _describe_pairs(pair_features):
    for number, each in enumerate(pair_features):
        if type(each) is not PathFeature:
            raise ValueError(
                f"pair_features[{number}]: found {each!r}, which a model file cannot hold; "
                "expected a PathFeature"
            )
    return [to_json(each.get_params()) for each in pair_features]
