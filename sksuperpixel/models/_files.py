"""Files of trained models: tensors in safetensors format, and a description in JSON.

Reading a file never runs code from it.
"""

import json

import numpy as np
from sklearn.base import clone

from sksuperpixel._clustering.superpixels import check_edge_channel
from sksuperpixel._files.errors import about_file
from sksuperpixel._files.tensors import check_names, read_tensors, tensors_of, to_bytes
from sksuperpixel._files.writing import write_atomically
from sksuperpixel._images.parameters import check_channel_weights, shown
from sksuperpixel._learning.label_maker import LabelMaker
from sksuperpixel._learning.parameters import check_n_candidates
from sksuperpixel._learning.path_feature import PathFeature
from sksuperpixel.features import LabFeatures
from sksuperpixel.models._description import (
    check_count,
    check_entries,
    params_for,
    parse_description,
)
from sksuperpixel.models._mixin import ModelFilesMixin
from sksuperpixel.models._networks import describe_network, restore_network
from sksuperpixel.models._parameters import to_json
from sksuperpixel.models._transformers import (
    TransformerReader,
    count_features,
    describe_transformer,
)

FORMAT = "sksuperpixel.model"
VERSION = 1

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
# The most channels that an image of a model, and the most pair features that a model can have.
_MOST_CHANNELS, _MOST_PAIR_FEATURES = 10_000, 1000
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
        If a part of the model cannot be written to a file, or if a parameter is not as expected.
    """
    network, tensors = describe_network(model.classifier_.module_, _OF_NETWORK)
    _check_class(type(model))
    params = model.get_params(deep=False)
    del params["classifier"]
    label_maker = params.pop("label_maker")
    params["features"], more_tensors = describe_transformer(
        _fitted_features(model), model.features_, _OF_FEATURES
    )
    params["pair_features"] = _describe_pair_features(model.pair_features_)
    description = {
        "format": FORMAT,
        "version": VERSION,
        "network": network,
        "params": to_json(params),
        "label_maker": None if label_maker is None else to_json(label_maker.get_params()),
        "training": {"max_epochs": int(model.classifier_.max_epochs)},
        "learned": {
            "n_channels_in_": int(model.n_channels_in_),
            "n_pixels_": int(model.n_pixels_),
        },
    }
    tensors |= more_tensors
    text = json.dumps(description)
    # A file that could not be loaded again is not written, for example because a parameter was set
    # to something wrong after `fit`.
    _restore_model(text, tensors, type(model), "cpu")
    write_atomically(path, to_bytes(tensors, {"sksuperpixel": text}))


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
        return _restore_model(metadata.get("sksuperpixel", "{}"), tensors, model_class, device)


def _check_class(model_class):
    """Raise ValueError if a subclass lacks parameters that a model file holds."""
    base = next(each for each in model_class.__mro__ if ModelFilesMixin in each.__bases__)
    names = base._get_param_names()
    for name in sorted(set(names) - set(model_class._get_param_names())):
        raise ValueError(
            f"{model_class.__name__}: found no parameter {name!r}, expected all those of "
            f"{base.__name__}, which a model file holds"
        )


def _checked_description(text):
    """Read the description, and check its version and the names of its entries."""
    description = parse_description(text)
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


def _restore_model(text, tensors, model_class, device):
    """Make a model from the text of its description and its tensors."""
    from sksuperpixel.networks import make_net_of

    _check_class(model_class)
    description = _checked_description(text)
    params = params_for(
        model_class, description["params"], "params", elsewhere=("classifier", "label_maker")
    )
    module = restore_network(description["network"], tensors, _OF_NETWORK)
    learned = description["learned"]
    n_channels = check_count(learned["n_channels_in_"], "n_channels_in_", 1, _MOST_CHANNELS)
    for name in ("channel_axis", "features", "pair_features"):
        # The other parts are made from these, so they cannot have their defaults.
        if name not in params:
            raise ValueError(f"params: found no entry {name!r}, expected one")
    channel_axis = params["channel_axis"]
    blank = _blank_image(channel_axis, n_channels)
    reader = TransformerReader(tensors, blank, channel_axis, device)
    params["features"], features = reader.restore(params["features"], _OF_FEATURES)
    params["pair_features"] = _restore_pair_features(params["pair_features"], module.n_features)
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


def _restore_pair_features(descriptions, n_features):
    most = min(n_features, _MOST_PAIR_FEATURES)
    if not isinstance(descriptions, list) or len(descriptions) > most:
        raise ValueError(
            f"pair_features: found {shown(descriptions)}, expected a list of at most {most}"
        )
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
    check_n_candidates(model.n_candidates, module)


def _check_nothing_else(tensors, model):
    """Raise ValueError if a file has tensors that belong to no part of its model."""
    _, known = describe_transformer(model.features, model.features_, _OF_FEATURES)
    known |= tensors_of(model.classifier_.module_, _OF_NETWORK)
    check_names(tensors, known)


def _blank_image(channel_axis, n_channels):
    """Make an image with the axes and channels of the model, to fit transformers to."""
    if channel_axis is None:
        check_count(n_channels, "n_channels_in_ of images without an axis of channels", 1, 1)
        shape = [8, 8]
    else:
        axis = check_count(channel_axis, "channel_axis", -4, 3)
        # Only the channels of a volume can be on the fourth axis.
        shape = [8, 8, 8] if axis in (3, -4) else [8, 8]
        shape.insert(axis % (len(shape) + 1), n_channels)
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
