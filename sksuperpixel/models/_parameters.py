"""Parameters as JSON holds them."""

import os

import numpy as np

# What depends on the machine is not written to a file, and not believed if a file has it.
LOCAL = ("memory", "checkpoint", "device", "n_jobs")


def to_json(params):
    """Make parameters what JSON can hold, without those that depend on the machine.

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
    params = without_local(params)
    for name, value in params.items():
        if callable(value):
            raise ValueError(
                f"{name}: found a function, which a model file cannot hold; expected data, such "
                "as a list of names"
            )
    return {name: _to_json(value) for name, value in params.items()}


def without_local(params):
    """Leave out the parameters that depend on the machine."""
    return {name: value for name, value in params.items() if name not in LOCAL}


def _to_json(value):
    if isinstance(value, dict):
        return {name: _to_json(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_to_json(each) for each in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return None if isinstance(value, np.random.RandomState) else value
