"""The maps of the scattering transform: their names, and the selection among them."""

from typing import NamedTuple

import numpy as np


class ScatteringMap(NamedTuple):
    """What one map of the scattering transform measures.

    Attributes
    ----------
    name : str
        Name of the map as a feature.
    channel : str
        The channel of the image.
    order : int
        Number of wavelets that the channel was filtered with: 0, 1 or 2.
    j1, theta1 : int or None
        Scale and angle of the first wavelet, numbered as kymatio does.
    angle1 : float or None
        The direction of greatest change that the first wavelet responds to, in degrees from 0 to
        below 180: 0 is along a row (vertical stripes), 90 along a column (horizontal stripes),
        45 towards the lower right.
    j2, theta2, angle2 : int, int and float, or None
        The same for the second wavelet.
    """

    name: str
    channel: str
    order: int
    j1: int | None = None
    theta1: int | None = None
    angle1: float | None = None
    j2: int | None = None
    theta2: int | None = None
    angle2: float | None = None


def count_maps(J, L, max_order):
    """Count the maps of one channel."""
    return 1 + J * L + (L * L * J * (J - 1) // 2 if max_order == 2 else 0)


def list_maps(J, L, max_order, channels, n_channels):
    """List the maps of all channels, in kymatio's order.

    Parameters
    ----------
    J, L, max_order : int
    channels : {"all", "lightness"}
    n_channels : int
        Number of channels of the image.

    Returns
    -------
    list of ScatteringMap
    """
    # kymatio measures angles from the rows to the columns, and its first angle is not 0.
    angles = [(90 - (int(L - L / 2 - 1) - theta) * 180 / L) % 180 for theta in range(L)]
    wavelets = [(j, theta, angles[theta]) for j in range(J) for theta in range(L)]
    maps = []
    for channel in _name_channels(channels, n_channels):
        maps.append(ScatteringMap(f"{channel}_order0", channel, 0))
        for j, theta, angle in wavelets:
            name = f"{channel}_order1_j{j}_theta{theta}"
            maps.append(ScatteringMap(name, channel, 1, j, theta, angle))
        for first in wavelets if max_order == 2 else []:
            for second in wavelets:
                if second[0] > first[0]:
                    name = (
                        f"{channel}_order2_j{first[0]}_theta{first[1]}"
                        f"_j{second[0]}_theta{second[1]}"
                    )
                    maps.append(ScatteringMap(name, channel, 2, *first, *second))
    return maps


def _name_channels(channels, n_channels):
    if channels == "lightness":
        return ["L"]
    names = {1: ["grey"], 3: ["R", "G", "B"]}
    return names.get(n_channels, [f"c{i}" for i in range(n_channels)])


def select_maps(select, maps):
    """Find the maps that are selected.

    Parameters
    ----------
    select : array-like of str, callable or None
        Names of maps, or a function that is called with each map and tells whether to select it.
        None for all maps.
    maps : list of ScatteringMap

    Returns
    -------
    tuple of int
        Positions in `maps`, in the order of the names if they are given.

    Raises
    ------
    ValueError
        If there is no such map, if a map is named twice, or if none is selected.
    """
    if select is None:
        return tuple(range(len(maps)))
    if callable(select):
        selected = tuple(i for i, each in enumerate(maps) if select(each))
    else:
        selected = _find_names(select, maps)
    if not selected:
        raise ValueError(f"select: found no map, expected at least one of the {len(maps)}")
    return selected


def _find_names(names, maps):
    # As objects, because NumPy would turn numbers in a list of names into names.
    names = np.asarray(names, dtype=object)
    if names.ndim != 1:
        raise ValueError(f"select: found {names.tolist()!r}, expected one list of names of maps")
    positions = {each.name: i for i, each in enumerate(maps)}
    for i, name in enumerate(names):
        if not (isinstance(name, str) and name in positions):
            raise ValueError(
                f"select: found {name!r}, expected names of maps, from {maps[0].name!r} to "
                f"{maps[-1].name!r}; with select=None, get_feature_names_out() lists them all"
            )
        if name in names[:i]:
            raise ValueError(f"select: found {name!r} twice, expected each map once")
    return tuple(positions[name] for name in names)
