"""Numbers of NumPy and of Python."""

import numpy as np


def of_python(value):
    """Turn a number of NumPy into one of Python, because a small type of NumPy would overflow."""
    return value.item() if isinstance(value, np.number) else value
