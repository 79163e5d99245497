"""A sequence whose items are computed when they are asked for."""

from collections.abc import Sequence

import numpy as np


class LazySequence(Sequence):
    """A sequence whose items are computed when they are asked for.

    Features of a data set can be far larger than memory, so image transformers return this
    instead of an array. Indexing computes one item. Slicing, or indexing with an array, gives a
    smaller lazy sequence. Nothing is kept. If all items have the same shape,
    ``np.stack(sequence)`` gives the whole array.

    Parameters
    ----------
    function : callable
        ``function(item)`` computes one item of the sequence.
    items : sequence
        The arguments that `function` is called with.

    Attributes
    ----------
    shape : tuple of one int
        The number of items. It lets scikit-learn's splitters index lazily, too.

    Examples
    --------
    >>> from sksuperpixel import LazySequence
    >>> squares = LazySequence(lambda x: x * x, range(10))
    >>> squares[3]
    9
    >>> list(squares[[1, 2]])
    [1, 4]
    """

    def __init__(self, function, items):
        self.function = function
        self.items = items
        # Only the order is sliced. Subsets share `items`, which may be lazy themselves.
        self._order = range(len(items))

    @property
    def shape(self):
        return (len(self._order),)

    def __len__(self):
        return len(self._order)

    def __getitem__(self, index):
        # scikit-learn indexes objects that have a shape with `(indices, ...)`.
        if isinstance(index, tuple) and len(index) == 2 and index[1] is Ellipsis:
            index = index[0]
        if isinstance(index, slice):
            order = self._order[index]
        elif np.ndim(index) == 1:
            index = np.asarray(index, dtype=None if len(index) else np.intp)
            if index.dtype == bool and len(index) != len(self):
                raise IndexError(
                    f"boolean index has {len(index)} entries, the sequence has {len(self)}"
                )
            order = np.asarray(self._order)[index]
        else:
            return self.function(self.items[self._order[index]])
        subset = LazySequence(self.function, self.items)
        subset._order = order
        return subset

    def __repr__(self):
        return f"LazySequence of {len(self)} items"
