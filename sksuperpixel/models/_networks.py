"""Networks that choose clusters, in model files: names, parameters and tensors."""

import numpy as np

from sksuperpixel._files.tensors import (
    check_tensors,
    fill_network,
    largest_dimension,
    tensors_of,
)
from sksuperpixel._images.parameters import shown
from sksuperpixel._torch import seeded_torch
from sksuperpixel.models._description import check_count, check_entries
from sksuperpixel.models._parameters import to_json

# The parameters that describe each network, besides its tensors.
_NETWORKS = {
    "DistanceNetwork": ("n_features", "n_layers", "n_hidden"),
    "ClassificationNetwork": ("n_features", "n_candidates"),
}
# A network of one layer has no hidden layer, so no tensor limits how wide it would be.
_MOST_HIDDEN = 10_000
# The squares of scales and of their inverses must be numbers of float32.
_LARGEST_SCALE = 1e18


def describe_network(module, prefix):
    """Describe a network.

    Parameters
    ----------
    module : torch.nn.Module
    prefix : str
        Prefix of the names of its tensors.

    Returns
    -------
    description : dict
    tensors : dict of str to torch.Tensor

    Raises
    ------
    ValueError
        If a model file cannot hold the network.
    """
    from sksuperpixel import networks

    name = type(module).__name__
    if name not in _NETWORKS or type(module) is not getattr(networks, name):
        raise ValueError(
            f"classifier: found a network {type(module)}, which a model file cannot hold; "
            f"expected one of {sorted(_NETWORKS)} of sksuperpixel.networks"
        )
    params = to_json({each: getattr(module, each) for each in _NETWORKS[name]})
    return {"name": name, "params": params}, tensors_of(module, prefix)


def restore_network(description, tensors, prefix):
    """Make a network from the description that `describe_network` returned.

    Parameters
    ----------
    description : dict
    tensors : dict of str to torch.Tensor
        All tensors of the file.
    prefix : str
        Prefix of the names of its tensors.

    Returns
    -------
    DistanceNetwork or ClassificationNetwork

    Raises
    ------
    ValueError
        If the name is unknown, a parameter is not as expected, or the tensors do not fit.
    """
    import torch

    from sksuperpixel import networks

    name = description["name"]
    if not isinstance(name, str) or name not in _NETWORKS:
        raise ValueError(f"found network {shown(name)}, expected one of {sorted(_NETWORKS)}")
    params = check_entries(description["params"], _NETWORKS[name], "network")
    largest = max(largest_dimension(tensors, prefix), 3)  # networks of three layers are allowed
    for each, value in params.items():
        has_no_tensor = each == "n_hidden" and params["n_layers"] == 1
        check_count(value, f"network: {each}", 1, _MOST_HIDDEN if has_no_tensor else largest)
    kind = getattr(networks, name)
    # On the device "meta", a network has shapes but takes no memory.
    with torch.device("meta"):
        check_tensors(tensors, kind(**params), prefix)
    with seeded_torch(0):
        module = kind(**params)
    fill_network(module, tensors, prefix)
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
    scales = arrays["inverse_scales"]
    if not ((scales >= 1 / _LARGEST_SCALE) & (scales <= _LARGEST_SCALE)).all():
        raise ValueError(
            f"network: found scales from {module.scales.min():.3g} to {module.scales.max():.3g}, "
            f"expected positive ones from {1 / _LARGEST_SCALE:g} to {_LARGEST_SCALE:g}"
        )
