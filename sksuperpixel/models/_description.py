"""The description in a model file: text that is checked before anything is made from it.

A file may come from anywhere. So the text must have a bounded length and depth, every entry must
have a known name, and numbers that decide how large something becomes are compared with limits
first.
"""

import inspect
import json
from numbers import Integral

from sksuperpixel._images.parameters import shown
from sksuperpixel.models._parameters import LOCAL

# The longest descriptions list thousands of selected maps.
_MOST_CHARACTERS = 2**21
_MOST_DEPTH = 40


def parse_description(text):
    """Read the text of a description.

    Parameters
    ----------
    text : str
        JSON.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it is not JSON, if it is too long or nested too deeply, if a name occurs twice in one
        object, or if it is not an object.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(
            f"found a description of {len(text)} characters, expected at most {_MOST_CHARACTERS}"
        )
    try:
        description = json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_once_each
        )
    except RecursionError as error:
        raise ValueError(_too_deep()) from error
    except ValueError as error:
        raise ValueError(f"found a damaged description, expected JSON: {error}") from error
    _check_depth(description)
    if not isinstance(description, dict):
        raise ValueError(f"found a {type(description).__name__}, expected a description")
    return description


def _refuse_constant(text):
    raise ValueError(f"found {text}, expected a number")


def _once_each(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("found the same name twice, expected each once")
    return found


def _too_deep():
    return f"found a description nested more than {_MOST_DEPTH} times, expected fewer"


def _check_depth(tree, depth=0):
    if depth > _MOST_DEPTH:
        raise ValueError(_too_deep())
    if isinstance(tree, (dict, list)):
        for each in tree.values() if isinstance(tree, dict) else tree:
            _check_depth(each, depth + 1)


def check_entries(found, names, where, optional=()):
    """Check that an object has these entries and no others.

    Parameters
    ----------
    found : object
        Anything from a description.
    names, optional : iterable of str
        Names of the entries that it must have, and of those that it can have.
    where : str
        What to call the object in an error.

    Returns
    -------
    dict
        The object itself.

    Raises
    ------
    ValueError
        If it is not an object, or if an entry is missing or unknown.
    """
    if not isinstance(found, dict):
        raise ValueError(f"{where}: found {shown(found)}, expected an object with entries")
    names = set(names)
    for name in sorted(names - found.keys()):
        raise ValueError(f"{where}: found no entry {name!r}, expected one")
    for name in sorted(found.keys() - names - set(optional)):
        raise ValueError(f"{where}: found an entry {shown(name)}, expected none of this name")
    return found


def params_for(kind, params, where, elsewhere=()):
    """Take the parameters of an estimator from a description.

    Parameters
    ----------
    kind : type
        Class of the estimator.
    params : object
        Anything from a description.
    where : str
        What to call the parameters in an error.
    elsewhere : sequence of str, default=()
        Parameters that the description holds in another place.

    Returns
    -------
    dict
        Values of parameters, without those that depend on the machine. Only the names have been
        checked. Parameters that are missing, for example because they are newer than the file,
        keep their defaults.

    Raises
    ------
    ValueError
        If a parameter is unknown, or if one without a default is missing.
    """
    if isinstance(params, dict):
        params = {name: value for name, value in params.items() if name not in LOCAL}
    signature = inspect.signature(kind).parameters
    names = [name for name in signature if name not in (*LOCAL, *elsewhere)]
    required = [name for name in names if signature[name].default is inspect.Parameter.empty]
    return dict(check_entries(params, required, where, optional=names))


def check_count(value, where, least=0, most=10**6):
    """Check a whole number.

    Parameters
    ----------
    value : object
        Anything from a description.
    where : str
        What to call the number in an error.
    least, most : int

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is no whole number, or out of range.
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise ValueError(
            f"{where}: found {shown(value)}, expected a whole number from {least} to {most}"
        )
    return value
