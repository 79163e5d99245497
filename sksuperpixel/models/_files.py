"""Files of trained models: tensors in safetensors format, and a description in JSON.

Reading a file never runs code from it.
"""

import json

import numpy as np
from sklearn.base import clone

from sksuperpixel._clustering.superpixels import check_edge_channel
from sksuperpixel._files.errors import about_file
from sksuperpixel._files.tensors import (
    check_names,
    check_tensors,
    fill_network,
    largest_dimension,
    read_tensors,
    tensors_of,
    to_bytes,
)
from sksuperpixel._files.writing import write_atomically
from sksuperpixel._images.parameters import check_channel_weights
from sksuperpixel._learning.label_maker import LabelMaker
from sksuperpixel._learning.path_feature import PathFeature
from sksuperpixel._torch import seeded_torch
from sksuperpixel.features import LabFeatures
from sksuperpixel.models._description import (
    check_count,
    check_entries,
    params_for,
    parse_description,
    shown,
)
from sksuperpixel.models._parameters import to_json
from sksuperpixel.models._transformers import (
    TransformerReader,
    count_features,
    describe_transformer,
)

FORMAT = "sksuperpixel.model"
VERSION = 1

# The parameters that describe each network, besides its tensors.
_NETWORKS = {
    "DistanceNetwork": ("n_features", "n_layers", "n_hidden"),
    "ClassificationNetwork": ("n_features", "n_candidates"),
}
# The entries of a description, and the names inside those that are objects of their own.
_ENTRIES = {
    "format": (),
    "version": (),
    "network": ("name", "params"),
    "params": (),
    "label_maker": (),
    "training": ("max_epochs",),
    "learned": ("n_channels_in_", "n_pixels_"),
}
# Limits of numbers that no tensor limits.
_MOST_CHANNELS, _MOST_HIDDEN = 10_000, 10_000
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
        If the file is damaged, is not a model, or has another version; if an entry of its
        description is missing, unknown or out of range; or if its tensors do not fit it.
    """
    tensors, metadata = read_tensors(path)
    with about_file(path):
        description = _checked_description(metadata)
        return _restore_model(description, tensors, model_class, device)


def _checked_description(metadata):
    """Read the description, and check its version and the names of its entries."""
    description = parse_description(metadata.get("sksuperpixel", "{}"))
    found = description.get("format"), description.get("version")
    if found != (FORMAT, VERSION):
        raise ValueError(
            f"found format {shown(found[0])} of version {shown(found[1])}, expected {FORMAT!r} of "
            f"version {VERSION}"
        )
    check_entries(description, _ENTRIES, "description")
    for name, names in _ENTRIES.items():
        if names:
            check_entries(description[name], names, name)
    return description


def _restore_model(description, tensors, model_class, device):
    from sksuperpixel.networks import make_net_of

    params = params_for(
        model_class, description["params"], "params", elsewhere=("classifier", "label_maker")
    )
    module = _restore_network(description["network"], tensors)
    learned = description["learned"]
    n_channels = check_count(learned["n_channels_in_"], "n_channels_in_", 1, _MOST_CHANNELS)
    # These two tell how to make the rest, so they cannot be missing.
    check_entries(params, ("channel_axis", "features", "pair_features"), "params", params)
    channel_axis = params["channel_axis"]
    blank = _blank_image(channel_axis, n_channels)
    reader = TransformerReader(tensors, blank, channel_axis, device)
    params["features"], features = reader.restore(params["features"], _OF_FEATURES)
    params["pair_features"] = _restore_pair_features(params["pair_features"])
    params["label_maker"] = _restore_label_maker(description["label_maker"])
    model = model_class(**params, device=device)
    model._check_params()
    model.features_, model.pair_features_ = features, model.pair_features
    model.n_channels_in_ = n_channels
    model.n_pixels_ = check_count(learned["n_pixels_"], "n_pixels_", most=2**63 - 1)
    model.n_features_ = module.n_features - len(model.pair_features_)
    _check_fits(model, module)
    max_epochs = check_count(description["training"]["max_epochs"], "max_epochs")
    model.classifier_ = make_net_of(module, device=device).set_params(max_epochs=max_epochs)
    model.classifier = clone(model.classifier_)
    _check_nothing_else(tensors, model)
    return model


def _restore_network(description, tensors):
    import torch

    from sksuperpixel import networks

    name = description["name"]
    if not isinstance(name, str) or name not in _NETWORKS:
        raise ValueError(f"found network {shown(name)}, expected one of {sorted(_NETWORKS)}")
    params = check_entries(description["params"], _NETWORKS[name], "network")
    largest = largest_dimension(tensors)
    for each, value in params.items():
        # A network of one layer has no hidden layer, so no tensor tells how wide it would be.
        unused = each == "n_hidden" and params["n_layers"] == 1
        check_count(value, f"network: {each}", 1, _MOST_HIDDEN if unused else max(largest, 3))
    kind = getattr(networks, name)
    # On the device "meta", a network has shapes but takes no memory.
    with torch.device("meta"):
        check_tensors(tensors, kind(**params), _OF_NETWORK)
    with seeded_torch(0):
        module = kind(**params)
    fill_network(module, tensors, _OF_NETWORK)
    _check_numbers(module)
    return module


def _check_numbers(module):
    """Raise ValueError if a distance of finite tensors is not finite itself."""
    if not hasattr(module, "arrays"):
        return
    with np.errstate(all="ignore"):
        arrays = module.arrays()
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"network: found {name} that are not finite, expected finite numbers")


def _restore_pair_features(descriptions):
    if not isinstance(descriptions, list):
        raise ValueError(f"pair_features: found {shown(descriptions)}, expected a list")
    functions = tuple(
        PathFeature(**params_for(PathFeature, each, f"pair_features[{number}]"))
        for number, each in enumerate(descriptions)
    )
    for each in functions:
        each._validate_params()
    return functions


def _restore_label_maker(description):
    if description is None:
        return None
    maker = LabelMaker(**params_for(LabelMaker, description, "label_maker"))
    maker._validate_params()
    return maker


def _check_fits(model, module):
    """Raise ValueError if the features are not those that the network takes."""
    n_features = count_features(model.features_, model.n_channels_in_)
    if n_features != model.n_features_:
        raise ValueError(
            f"found {n_features} features and {len(model.pair_features_)} pair features, "
            f"expected {module.n_features} in all, as in the network"
        )
    check_channel_weights(model.channel_weights, n_features)
    check_edge_channel(model.edge_channel, n_features)
    for each in model.pair_features_:
        each._check_channels(n_features)
    if getattr(module, "n_candidates", model.n_candidates) != model.n_candidates:
        raise ValueError(
            f"n_candidates: found {model.n_candidates}, expected {module.n_candidates}, as in the "
            "network"
        )


def _check_nothing_else(tensors, model):
    """Raise ValueError if a file has tensors that belong to no part of its model."""
    _, known = describe_transformer(model.features, model.features_, _OF_FEATURES)
    known |= tensors_of(model.classifier_.module_, _OF_NETWORK)
    check_names(tensors, known)


def _blank_image(channel_axis, n_channels):
    """Make an image with the axes and channels of the model, to fit transformers to."""
    if channel_axis is None:
        shape, axis = (8, 8), None
        check_count(n_channels, "n_channels_in_ of images without an axis of channels", 1, 1)
    else:
        axis = check_count(channel_axis, "channel_axis", -4, 3)
        # Only the channels of a volume can be on the fourth axis.
        n_axes = 3 if axis in (3, -4) else 2
        shape = [8] * n_axes
        shape.insert(axis % (n_axes + 1), n_channels)
    # A view of a single number, so that many channels take no memory.
    return np.broadcast_to(np.uint8(0), shape)


def _describe_pair_features(pair_features):
    for number, each in enumerate(pair_features):
        if type(each) is not PathFeature:
            raise ValueError(
                f"pair_features[{number}]: found {each!r}, which a model file cannot hold; "
                "expected a PathFeature"
            )
    return [to_json(each.get_params()) for each in pair_features]
