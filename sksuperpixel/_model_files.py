"""Trained models as files: safetensors with a description in JSON, from which no code runs."""

import json
import os
from pathlib import Path

import numpy as np

FORMAT = "sksuperpixel.TrainableSLIC"
VERSION = 1

# What describes a network, beside its tensors.
_NETWORKS = {
    "DistanceNetwork": ("n_features", "n_layers", "n_hidden"),
    "ClassificationNetwork": ("n_features", "n_candidates"),
}
# Transformers that their parameters tell all about.
_FEATURES = ("LabFeatures", "ScatteringFeatures")


def save_model(path, module, description):
    """Write a network and a description, whole or not at all.

    Parameters
    ----------
    path : str or path-like
    module : torch.nn.Module
        One of `sksuperpixel.networks`.
    description : dict
        What JSON can hold.

    Raises
    ------
    ValueError
        If the network is not one of ours.
    """
    from safetensors.torch import save

    name = type(module).__name__
    if name not in _NETWORKS:
        raise ValueError(f"classifier: found a {name}, expected one of {sorted(_NETWORKS)}")
    network = {"name": name, "params": {p: getattr(module, p) for p in _NETWORKS[name]}}
    about = {"format": FORMAT, "version": VERSION, "network": network, **description}
    tensors = {key: value.cpu().contiguous() for key, value in module.state_dict().items()}
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
    for key, expected in module.state_dict().items():
        found = tensors.get(key)
        if found is None or found.shape != expected.shape:
            shape = None if found is None else tuple(found.shape)
            raise ValueError(
                f"{path}: tensor {key!r}: found shape {shape}, expected {tuple(expected.shape)}"
            )
    module.load_state_dict(tensors)
    return module, about


def describe_features(features):
    """Describe a transformer by its name and parameters.

    Parameters
    ----------
    features : str or transformer

    Returns
    -------
    str or dict

    Raises
    ------
    ValueError
        If a file cannot hold it.
    """
    if isinstance(features, str):
        return features
    name = type(features).__name__
    if name not in _FEATURES or not type(features).__module__.startswith("sksuperpixel."):
        raise ValueError(
            f"features: found a {name}, which a model file cannot hold; expected a name or one of "
            f"{list(_FEATURES)}. Put other transformers before it in a Pipeline, with "
            "features='passthrough'"
        )
    return {"name": name, "params": plain({**features.get_params(), "memory": None})}


def restore_features(description):
    """Make the transformer that `describe_features` described, not fitted."""
    if isinstance(description, str):
        return description
    from sksuperpixel import features

    if description["name"] not in _FEATURES:
        raise ValueError(f"features: found {description['name']!r}, expected one of {_FEATURES}")
    return getattr(features, description["name"])(**description["params"])


def plain(params):
    """Make parameters what JSON can hold: arrays become lists, NumPy's numbers Python's."""
    return {
        name: value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        for name, value in params.items()
    }
