"""Tiles of an image, which a network sees one after the other, so that memory is bounded."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

# Largest number of pixels that a network sees at once. Larger tiles were not faster in trials with
# the network of `LearnedFeatures`. They overlap less, but their maps do not fit into the
# processor's cache.
MOST_PIXELS = 448 * 448
# Tiles may always be as wide as this many halos. Then at most 9 / 4 as much is computed as for the
# whole image at once.
_FEWEST_HALOS = 6


class Tile(NamedTuple):
    """A part of an image and its surroundings, on which its features depend.

    Attributes
    ----------
    rows, columns : ndarray of int
        The rows and columns of the image that the network sees. At the borders of the image, they
        continue as in a mirror.
    inside : tuple of 2 slice
        Rows and columns of the part itself, in what the network sees.
    place : tuple of 2 slice
        Rows and columns of the part in the image.
    """

    rows: np.ndarray
    columns: np.ndarray
    inside: tuple
    place: tuple


class _Piece(NamedTuple):
    """What `Tile` tells of one axis."""

    seen: np.ndarray
    inside: slice
    place: slice


def cut_into_tiles(shape, step, find_halo):
    """Cut an image into tiles, or make one tile of a small image.

    With their surroundings, all tiles have the same shape. So each tile can use the memory that
    the one before has freed.

    Parameters
    ----------
    shape : tuple of 2 int
        Height and width of the image.
    step : int
        Step of the network's coarsest scale, in pixels. Tiles start at multiples of it, so that
        pooling joins the same pixels as in the whole image.
    find_halo : callable
        ``find_halo()`` returns the width of the surroundings on which features depend: a positive
        multiple of `step`. It is called only if there are several tiles.

    Returns
    -------
    list of Tile
    """
    counts, halo = [1, 1], step
    if np.prod(_seen_lengths(shape, counts, step, halo)) > MOST_PIXELS:
        halo = find_halo()
        most_pixels = max(MOST_PIXELS, (_FEWEST_HALOS * halo) ** 2)
        while np.prod(lengths := _seen_lengths(shape, counts, step, halo)) > most_pixels:
            counts[np.argmax(lengths)] += 1
    rows, columns = (
        list(_cut(length, count, step, halo)) for length, count in zip(shape, counts, strict=True)
    )
    return [
        Tile(row.seen, column.seen, (row.inside, column.inside), (row.place, column.place))
        for row in rows
        for column in columns
    ]


def _seen_lengths(shape, counts, step, halo):
    """Compute the height and width of tiles with their surroundings."""
    return [
        # Neighbours share two halos.
        -(-(_padded(length, step) + 2 * halo * (count - 1)) // (step * count)) * step
        for length, count in zip(shape, counts, strict=True)
    ]


def _padded(length, step):
    """Compute the length of an axis with margins of at least one step on both sides."""
    return (-(-length // step) + 2) * step


def _cut(length, count, step, halo):
    """Cut one axis of the image into pieces of about the same length."""
    padded = _padded(length, step)
    # The image is mirrored at its borders, because convolutions pad with zeros, which would be
    # edges in the features.
    mirrored = np.pad(np.arange(length), (step, padded - step - length), mode="symmetric")
    (seen,) = _seen_lengths([length], [count], step, halo)
    firsts = np.arange(count) * (padded - seen) // (step * max(count - 1, 1)) * step
    # Each piece starts one halo behind the first pixel that it sees, the first one at the border.
    bounds = np.array([step, *(firsts[1:] + halo), step + length])
    for first, (start, end) in zip(firsts, pairwise(bounds), strict=True):
        yield _Piece(
            mirrored[first : first + seen],
            slice(start - first, end - first),
            slice(start - step, end - step),
        )


def find_halo(network, step):
    """Find the width of the surroundings on which a network's maps depend.

    NaN spreads to everything that is computed from it. So one block of pixels in a row of blocks
    is made NaN, and the maps tell how many blocks away it still has an effect.

    Parameters
    ----------
    network : callable
        ``network(x)`` computes maps (1, M, h / s, w / s) of images (1, 3, h, w). No map may
        depend on pixels at any distance.
    step : int
        Step of the coarsest scale, in pixels: a multiple of s.

    Returns
    -------
    int
        Width in pixels: a positive multiple of `step`.
    """
    # Far enough for dilated convolutions, which leave blocks out.
    n_around = 128
    while True:
        reached = max(_blocks_reached(network, step, n_around, axis) for axis in (2, 3))
        if reached < n_around:
            return max(reached, 1) * step
        # The effect perhaps goes beyond the ends of the row.
        n_around *= 2


def _blocks_reached(network, step, n_around, axis):
    """Count the blocks to one side that a block of NaN affects, of `n_around` on each side."""
    shape = [1, 3, step, step]
    shape[axis] *= 2 * n_around + 1
    x = torch.zeros(shape)
    x.narrow(axis, n_around * step, step).fill_(torch.nan)
    with torch.inference_mode():
        affected = network(x).isnan().any(dim=1).any(dim=4 - axis)
    blocks = affected.view(2 * n_around + 1, -1).any(dim=1).nonzero()
    return int((blocks - n_around).abs().max())
