"""Trained models as files: safetensors with a description in JSON, from which no code runs."""

import json
import os
from pathlib import Path

import numpy as np
from sklearn.base import clone

FORMAT = "sksuperpixel.TrainableSLIC"
# 2: models may have parameters that version 1 did not know.
VERSION = 2

# What describes a network, beside its tensors.
_NETWORKS = {
    "DistanceNetwork": ("n_features", "n_layers", "n_hidden"),
    "ClassificationNetwork": ("n_features", "n_candidates"),
}
_FEATURES = (
    "ChannelUnion",
    "ENetFeatures",
    "LabFeatures",
    "LearnedFeatures",
    "ScatteringFeatures",
)
_WITH_NETWORK = ("ENetFeatures", "LearnedFeatures")
# Parameters of transformers that mean nothing elsewhere.
_LOCAL = ("memory", "checkpoint")


def save_model(path, module, description, feature_tensors):
    """Write a network and a description, whole or not at all.

    Parameters
    ----------
    path : str or path-like
    module : torch.nn.Module
        One of `sksuperpixel.networks`.
    description : dict
        What JSON can hold.
    feature_tensors : dict of str to torch.Tensor
        What the features' transformer learned; the names differ from those of the network's.

    Raises
    ------
    ValueError
        If the network is not one of ours.
    """
    from safetensors.torch import save

    name = type(module).__name__
    if name not in _NETWORKS:
        raise ValueError(f"classifier: found a {name}, expected one of {sorted(_NETWORKS)}")
    network = {"name": name, "params": plain({p: getattr(module, p) for p in _NETWORKS[name]})}
    about = {"format": FORMAT, "version": VERSION, "network": network, **description}
    tensors = {**module.state_dict(), **feature_tensors}
    tensors = {key: value.cpu().contiguous() for key, value in tensors.items()}
    content = save(tensors, metadata={"sksuperpixel": json.dumps(about)})
    path = Path(path)
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    os.replace(partial, path)


def load_model(path):
    """Read a network and its description.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    module : torch.nn.Module
    description : dict
    tensors : dict of str to torch.Tensor
        All of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not whole, not of this kind, of a newer version, or its tensors do not fit.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    from sksuperpixel import networks

    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("sksuperpixel", "{}"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a whole model file ({error})") from error
    if about.get("format") != FORMAT:
        raise ValueError(f"{path}: found format {about.get('format')!r}, expected {FORMAT!r}")
    if about["version"] > VERSION:
        raise ValueError(
            f"{path}: found version {about['version']}, expected at most {VERSION}; it was "
            "written by a newer sksuperpixel"
        )
    name = about["network"]["name"]
    if name not in _NETWORKS:
        raise ValueError(f"{path}: found network {name!r}, expected one of {sorted(_NETWORKS)}")
    with torch.random.fork_rng(devices=[]):
        module = getattr(networks, name)(**about["network"]["params"])
    fill(module, tensors, "", path)
    return module, about, tensors


def fill(module, tensors, prefix, path):
    """Set a module's tensors.

    Parameters
    ----------
    module : torch.nn.Module
    tensors : dict of str to torch.Tensor
    prefix : str
        What the names of this module's begin with.
    path : str or path-like
        Where they come from, for errors.

    Raises
    ------
    ValueError
        If one is missing or has another shape.
    """
    for key, expected in module.state_dict().items():
        found = tensors.get(prefix + key)
        if found is None or found.shape != expected.shape:
            shape = None if found is None else tuple(found.shape)
            raise ValueError(
                f"{path}: tensor {prefix + key!r}: found shape {shape}, expected "
                f"{tuple(expected.shape)}"
            )
    module.load_state_dict({key: tensors[prefix + key] for key in module.state_dict()})


def describe_features(features, fitted, prefix="features."):
    """Describe a transformer by its name, its parameters and what it learned.

    Parameters
    ----------
    features : str or transformer
        As given.
    fitted : transformer or None
        The same, fitted.
    prefix : str, default="features."
        For the names of its tensors.

    Returns
    -------
    description : str or dict
    tensors : dict of str to torch.Tensor

    Raises
    ------
    ValueError
        If a file cannot hold it.
    """
    if isinstance(features, str):
        return features, {}
    name = type(features).__name__
    if name not in _FEATURES or not type(features).__module__.startswith("sksuperpixel."):
        raise ValueError(
            f"features: found a {name}, which a model file cannot hold; expected a name or one of "
            f"{list(_FEATURES)}. Put other transformers before it in a Pipeline, with "
            "features='passthrough'"
        )
    params = features.get_params(deep=False)
    params.update({key: None for key in _LOCAL if key in params})
    tensors = {}
    if name == "ChannelUnion":
        parts = []
        for (part_name, part), (_, fitted_part) in zip(
            params["transformers"], fitted.transformers_, strict=True
        ):
            part_prefix = f"{prefix}{part_name}."
            description, part_tensors = describe_features(part, fitted_part, part_prefix)
            parts.append([part_name, description])
            tensors.update(part_tensors)
        params["transformers"] = parts
    elif name in _WITH_NETWORK:
        network = fitted.network_
        tensors = {prefix + key: value for key, value in network.state_dict().items()}
    return {"name": name, "params": plain(params)}, tensors


def restore_features(
    description, tensors, blank, channel_axis, path, device=None, prefix="features."
):
    """Make the transformer that `describe_features` described.

    Parameters
    ----------
    description : str or dict
    tensors : dict of str to torch.Tensor
    blank : ndarray
        An image such as were fitted.
    channel_axis : int or None
        Where its channels are.
    path : str or path-like
        Where all this comes from, for errors.
    device : str, default=None
        Where transformers with a network are to run; None for where they ran.
    prefix : str, default="features."

    Returns
    -------
    features : str or transformer
        As it was given.
    fitted : transformer or None

    Raises
    ------
    ValueError
        If it cannot be.
    """
    from sksuperpixel import features as ours

    if description == "lab":
        return description, ours.LabFeatures(channel_axis=channel_axis).fit([blank])
    if isinstance(description, str):
        return description, None
    name, params = description["name"], dict(description["params"])
    if name not in _FEATURES:
        raise ValueError(f"{path}: found features {name!r}, expected one of {list(_FEATURES)}")
    if name == "ChannelUnion":
        parts = []
        for part, each in params["transformers"]:
            part_prefix = f"{prefix}{part}."
            restored = restore_features(
                each, tensors, blank, channel_axis, path, device, part_prefix
            )
            parts.append((part, restored))
        params["transformers"] = [(part, given) for part, (given, _) in parts]
        union = ours.ChannelUnion(**params)
        fitted = ours.ChannelUnion(**params)
        fitted.n_channels_in_ = 1 if channel_axis is None else blank.shape[channel_axis]
        fitted.transformers_ = [
            (part, given if trained is None else trained) for part, (given, trained) in parts
        ]
        return union, fitted
    if device is not None and "device" in params:
        params["device"] = device
    transformer = getattr(ours, name)(**params)
    if name in _WITH_NETWORK:
        # Not from where its weights came, which may be far away.
        own = {key: tensors[key] for key in tensors if key.startswith(prefix)}
        known = transformer._network_params({key.removeprefix(prefix): own[key] for key in own})
        random = {"weights": None, "train": False, "random_state": 0, **known}
        fitted = clone(transformer).set_params(**random).fit([blank])
        fill(fitted.network_, tensors, prefix, path)
        given = transformer.get_params(deep=False)
        return transformer, fitted.set_params(**{key: given[key] for key in random})
    return transformer, clone(transformer).fit([blank])


def describe_pairs(pair_features):
    """Describe pair features by their parameters.

    Raises
    ------
    ValueError
        If one is not a `PathFeature`.
    """
    for number, each in enumerate(pair_features):
        ours = type(each).__module__.startswith("sksuperpixel.")
        if not ours or type(each).__name__ != "PathFeature":
            raise ValueError(
                f"pair_features[{number}]: found {each!r}, which a model file cannot hold; "
                "expected a PathFeature"
            )
    return [plain(each.get_params()) for each in pair_features]


def plain(params):
    """Make parameters what JSON can hold.

    Parameters
    ----------
    params : dict

    Returns
    -------
    dict
        Arrays and sequences as lists, NumPy's numbers as Python's, paths as text; None for
        generators of random numbers.

    Raises
    ------
    ValueError
        If one is a function.
    """
    functions = [name for name, value in params.items() if callable(value)]
    if functions:
        raise ValueError(
            f"{functions[0]}: found a function, which a model file cannot hold; expected data, "
            "such as a list of names"
        )
    return {name: _plain(value) for name, value in params.items()}


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(each) for each in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if type(value).__name__ == "device":  # torch's, which may not be imported
        return str(value)
    return None if isinstance(value, np.random.RandomState) else value
