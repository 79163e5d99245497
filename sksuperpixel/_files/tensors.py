"""The tensors of networks in safetensors files."""

from pathlib import Path


def tensors_of(network, prefix=""):
    """Give the tensors that make a network, without the counters of batch norm.

    Parameters
    ----------
    network : torch.nn.Module
    prefix : str, default=""
        What their names are to begin with.

    Returns
    -------
    dict of str to torch.Tensor
    """
    state = network.state_dict()
    return {prefix + name: each for name, each in state.items() if each.is_floating_point()}


def to_bytes(tensors, metadata):
    """Give the content of a safetensors file.

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
        On the CPU; those of floating point only.
    metadata : dict of str to str

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a whole safetensors file.
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
            f"{path}: found no whole safetensors file (is it cut short?): {error}"
        ) from error
    return {name: each for name, each in tensors.items() if each.is_floating_point()}, metadata


def check_tensors(tensors, network, path, prefix=""):
    """Check that tensors are those of a network: names, types, shapes, finite numbers.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
        Those whose names begin with `prefix` are compared.
    network : torch.nn.Module
        It may be on torch's device "meta".
    path : str or path-like
        Where the tensors come from, for errors.
    prefix : str, default=""

    Raises
    ------
    ValueError
        If one is missing, is of another type or shape, is too much, or is not finite.
    """
    expected = tensors_of(network, prefix)
    found = {name: each for name, each in tensors.items() if name.startswith(prefix)}
    for name in sorted(expected.keys() | found.keys()):
        is_there, is_right = _describe(found.get(name)), _describe(expected.get(name))
        if is_there != is_right:
            raise ValueError(f"{path}: tensor {name!r}: found {is_there}, expected {is_right}")
        if not found[name].isfinite().all():
            raise ValueError(
                f"{path}: tensor {name!r}: found NaN or infinity, expected finite numbers"
            )


def fill_network(network, tensors, path, prefix=""):
    """Set a network's tensors, after checking them; see `check_tensors`."""
    check_tensors(tensors, network, path, prefix)
    own = {name: tensors[prefix + name] for name in tensors_of(network)}
    network.load_state_dict(own, strict=False)


def _describe(tensor):
    if tensor is None:
        return "nothing"
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
