"""Transformers in model files: their names, their parameters and their tensors."""

from sklearn.base import clone

from sksuperpixel import features as ours
from sksuperpixel._files.tensors import fill_network, tensors_of
from sksuperpixel.models._parameters import to_json, without_local

_NAMES = (
    "ChannelUnion",
    "ENetFeatures",
    "LabFeatures",
    "LearnedFeatures",
    "ScatteringFeatures",
)
_WITH_NETWORK = ("ENetFeatures", "LearnedFeatures")


def describe_transformer(transformer, fitted, prefix):
    """Describe a transformer.

    Parameters
    ----------
    transformer : str or transformer
        The parameter `features` of an estimator.
    fitted : transformer or None
        The fitted transformer.
    prefix : str
        Prefix of the names of its tensors.

    Returns
    -------
    description : str or dict
    tensors : dict of str to torch.Tensor

    Raises
    ------
    ValueError
        If a model file cannot hold it.
    """
    if isinstance(transformer, str):
        return transformer, {}
    name = type(transformer).__name__
    if name not in _NAMES or not type(transformer).__module__.startswith("sksuperpixel."):
        raise ValueError(
            f"features: found a {name}, which a model file cannot hold; expected a name or one of "
            f"{list(_NAMES)}. Put other transformers before it in a Pipeline, with "
            "features='passthrough'"
        )
    params = transformer.get_params(deep=False)
    tensors = {}
    if name == "ChannelUnion":
        parts = []
        for (part_name, part), (_, fitted_part) in zip(
            params["transformers"], fitted.transformers_, strict=True
        ):
            description, part_tensors = describe_transformer(
                part, fitted_part, f"{prefix}{part_name}."
            )
            parts.append([part_name, description])
            tensors.update(part_tensors)
        params["transformers"] = parts
    elif name in _WITH_NETWORK:
        tensors = tensors_of(fitted.network_, prefix)
    return {"name": name, "params": to_json(params)}, tensors


def restore_transformer(description, tensors, blank, channel_axis, path, device, prefix):
    """Make a transformer from the description that `describe_transformer` gave.

    Parameters
    ----------
    description : str or dict
    tensors : dict of str to torch.Tensor
    blank : ndarray
        An image with as many axes and channels as those that were fitted.
    channel_axis : int or None
        Which axis of it holds the channels.
    path : str or path-like
        Where the description and the tensors come from, for errors.
    device : str
        Where networks run.
    prefix : str
        Prefix of the names of its tensors.

    Returns
    -------
    transformer : str or transformer
        The parameter `features` of an estimator.
    fitted : transformer or None
        The fitted transformer.

    Raises
    ------
    ValueError
        If the name is unknown or the tensors do not fit.
    """
    if description == "lab":
        return description, ours.LabFeatures(channel_axis=channel_axis).fit([blank])
    if isinstance(description, str):
        return description, None
    name, params = description["name"], without_local(description["params"])
    if name not in _NAMES:
        raise ValueError(f"{path}: found features {name!r}, expected one of {list(_NAMES)}")
    if name == "ChannelUnion":
        return _restore_union(params, tensors, blank, channel_axis, path, device, prefix)
    transformer = getattr(ours, name)(**params)
    if "device" in transformer.get_params(deep=False):
        transformer.set_params(device=device)
    if name not in _WITH_NETWORK:
        return transformer, clone(transformer).fit([blank])
    # The network is made with random weights, whatever its training started from, and then filled.
    own = {
        key.removeprefix(prefix): tensor
        for key, tensor in tensors.items()
        if key.startswith(prefix)
    }
    random = {
        "weights": None,
        "train": False,
        "random_state": 0,
        **transformer._network_params(own),
    }
    fitted = clone(transformer).set_params(**random).fit([blank])
    fill_network(fitted.network_, tensors, path, prefix)
    given = transformer.get_params(deep=False)
    return transformer, fitted.set_params(**{name: given[name] for name in random})


def _restore_union(params, tensors, blank, channel_axis, path, device, prefix):
    given, fitted = [], []
    for name, description in params["transformers"]:
        part, fitted_part = restore_transformer(
            description, tensors, blank, channel_axis, path, device, f"{prefix}{name}."
        )
        given.append((name, part))
        fitted.append((name, part if fitted_part is None else fitted_part))
    params["transformers"] = given
    union = ours.ChannelUnion(**params)
    fitted_union = ours.ChannelUnion(**params)
    fitted_union.n_channels_in_ = 1 if channel_axis is None else blank.shape[channel_axis]
    fitted_union.transformers_ = fitted
    return union, fitted_union
