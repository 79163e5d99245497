"""Networks as tensors in safetensors files."""

from pathlib import Path


def tensors_of(network, prefix=""):
    """Collect the tensors of a network, without the counters of its batch norms.

    Parameters
    ----------
    network : torch.nn.Module
    prefix : str, default=""
        Prefix of the tensors' names.

    Returns
    -------
    dict of str to torch.Tensor
    """
    state = network.state_dict()
    return {prefix + name: each for name, each in state.items() if each.is_floating_point()}


def to_bytes(tensors, metadata):
    """Make the content of a safetensors file.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
    metadata : dict of str to str

    Returns
    -------
    bytes
    """
    from safetensors.torch import save

    on_cpu = {name: each.cpu().contiguous() for name, each in tensors.items()}
    return save(on_cpu, metadata=metadata)


def read_tensors(path):
    """Read a safetensors file.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    tensors : dict of str to torch.Tensor
        The floating-point tensors, on the CPU.
    metadata : dict of str to str

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a complete safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: found no such file, expected a safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path}: found a file that is damaged or cut short, expected a safetensors file: "
            f"{error}"
        ) from error
    return {name: each for name, each in tensors.items() if each.is_floating_point()}, metadata


def check_tensors(tensors, network, path, prefix=""):
    """Check that tensors fit a network: their names, types and shapes, and finite numbers.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
        Only those whose names begin with `prefix` are looked at.
    network : torch.nn.Module
        The network. It may be on torch's device "meta".
    path : str or path-like
        Where the tensors come from, for errors.
    prefix : str, default=""
        Prefix of the names of this network's tensors.

    Raises
    ------
    ValueError
        If a tensor is missing or superfluous, has another type or shape, or is not finite.
    """
    found = {name: each for name, each in tensors.items() if name.startswith(prefix)}
    check_like(found, tensors_of(network, prefix), path)


def check_like(found, expected, path):
    """Check that tensors have the names, types and shapes of others, and finite numbers.

    Parameters
    ----------
    found, expected : dict of str to torch.Tensor
    path : str or path-like
        Where the tensors come from, for errors.

    Raises
    ------
    ValueError
        If a tensor is missing or superfluous, has another type or shape, or is not finite.
    """
    for name in sorted(expected.keys() | found.keys()):
        is_there, should_be = _describe(found.get(name)), _describe(expected.get(name))
        if is_there != should_be:
            raise ValueError(f"{path}: tensor {name!r}: found {is_there}, expected {should_be}")
        if not found[name].isfinite().all():
            raise ValueError(
                f"{path}: tensor {name!r}: found NaN or infinity, expected finite numbers"
            )


def check_names(tensors, known, path):
    """Raise ValueError if a file has a tensor that is not in `known`."""
    for name in sorted(tensors.keys() - known.keys()):
        found = _describe(tensors[name])
        raise ValueError(f"{path}: tensor {name!r}: found {found}, expected nothing")


def fill_network(network, tensors, path, prefix=""):
    """Check tensors as `check_tensors` does, and put them into a network."""
    check_tensors(tensors, network, path, prefix)
    own = {name: tensors[prefix + name] for name in tensors_of(network)}
    network.load_state_dict(own, strict=False)


def _describe(tensor):
    if tensor is None:
        return "nothing"
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
