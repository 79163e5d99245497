"""Networks as tensors in safetensors files."""

import os
from pathlib import Path

from sksuperpixel._files.errors import about_file

# More than a union of many networks has.
_MOST_TENSORS = 10_000
# In bytes. Headers hold the names of all tensors and the description of a model.
_LONGEST_HEADER = 2**23
# Batch norms count their batches. The counters do not change what a network computes.
_COUNTER = "num_batches_tracked"
# Tensors whose names end like this hold variances, which cannot be negative.
_VARIANCES = "running_var"


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
    return {prefix + name: each for name, each in state.items() if not name.endswith(_COUNTER)}


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
        All tensors but the counters of batch norms, on the CPU.
    metadata : dict of str to str

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a complete safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    # An operating system would refuse such a path with another kind of error.
    if "\0" in str(path) or not Path(path).is_file():
        raise FileNotFoundError(f"{path}: found no such file, expected a safetensors file")
    with about_file(path):
        _check_header(path)
        try:
            with safe_open(path, framework="pt") as file:
                metadata, names = file.metadata() or {}, file.keys()
                if len(names) > _MOST_TENSORS:
                    raise ValueError(
                        f"found {len(names)} tensors, expected at most {_MOST_TENSORS}"
                    )
                tensors = {name: file.get_tensor(name) for name in names}
        except SafetensorError as error:
            raise ValueError(
                f"found a file that is damaged or cut short, expected a safetensors file: {error}"
            ) from error
    kept = {name: each for name, each in tensors.items() if not name.endswith(_COUNTER)}
    return kept, metadata


def _check_header(path):
    """Raise ValueError if reading the table of tensors would need much memory."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > _LONGEST_HEADER and os.path.getsize(path) > _LONGEST_HEADER:
        raise ValueError(
            f"found a header of {length} bytes, expected at most {_LONGEST_HEADER} in a "
            "safetensors file of this library"
        )


def largest_dimension(tensors, prefix=""):
    """Find the largest dimension of the tensors of a network; 0 if it has none.

    A network of a file cannot be larger than this dimension allows, and the dimension itself is
    limited by the size of the file. Empty tensors and those of other types do not count, because
    their dimensions can be large in a small file.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
    prefix : str, default=""
        Prefix of the names of this network's tensors.

    Returns
    -------
    int
    """
    return max(
        (
            length
            for name, tensor in tensors.items()
            if name.startswith(prefix) and tensor.numel() and str(tensor.dtype) == "torch.float32"
            for length in tensor.shape
        ),
        default=0,
    )


def check_tensors(tensors, network, prefix=""):
    """Check that tensors fit a network: their names, types and shapes, and their numbers.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
        Only those whose names begin with `prefix` are looked at.
    network : torch.nn.Module
        The network. It may be on torch's device "meta".
    prefix : str, default=""
        Prefix of the names of this network's tensors.

    Raises
    ------
    ValueError
        If a tensor is missing or superfluous, has another type or shape, or is not finite, or if
        a variance is negative.
    """
    found = {name: each for name, each in tensors.items() if name.startswith(prefix)}
    check_like(found, tensors_of(network, prefix))


def check_like(found, expected):
    """Check that tensors have the names, types and shapes of others, and finite numbers.

    Parameters
    ----------
    found, expected : dict of str to torch.Tensor

    Raises
    ------
    ValueError
        If a tensor is missing or superfluous, has another type or shape, or is not finite, or if
        a variance is negative.
    """
    for name in sorted(expected.keys() | found.keys()):
        is_there, should_be = _describe(found.get(name)), _describe(expected.get(name))
        if is_there != should_be:
            raise ValueError(f"tensor {name!r}: found {is_there}, expected {should_be}")
        if not found[name].isfinite().all():
            raise ValueError(f"tensor {name!r}: found NaN or infinity, expected finite numbers")
        if name.endswith(_VARIANCES) and (found[name] < 0).any():
            raise ValueError(f"tensor {name!r}: found negative numbers, expected variances")


def check_names(tensors, known):
    """Raise ValueError if a file has a tensor that is not in `known`."""
    for name in sorted(tensors.keys() - known.keys()):
        found = _describe(tensors[name])
        raise ValueError(f"tensor {name!r}: found {found}, expected nothing")


def fill_network(network, tensors, prefix=""):
    """Check tensors as `check_tensors` does, and put them into a network."""
    check_tensors(tensors, network, prefix)
    own = {name: tensors[prefix + name] for name in tensors_of(network)}
    network.load_state_dict(own, strict=False)


def _describe(tensor):
    if tensor is None:
        return "nothing"
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
