"""Files with the weights of networks that compute features."""

from sksuperpixel._files.tensors import read_tensors

# In the file of a whole model, the names of the features' tensors have this prefix.
_OF_FEATURES = "features."


def read_weights(path):
    """Read the weights of a network from its own file or from the file of a whole model.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    dict of str to torch.Tensor

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a complete safetensors file.
    """
    tensors, _ = read_tensors(path)
    # Files of other programs may hold counters, too.
    tensors = {name: each for name, each in tensors.items() if each.is_floating_point()}
    of_features = {
        name.removeprefix(_OF_FEATURES): tensor
        for name, tensor in tensors.items()
        if name.startswith(_OF_FEATURES)
    }
    return of_features or tensors
