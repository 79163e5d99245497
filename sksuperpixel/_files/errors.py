"""Which file an error is about."""

from contextlib import contextmanager


@contextmanager
def about_file(path):
    """Begin the errors of a block of code with the path of the file that it reads.

    Parameters
    ----------
    path : str or path-like

    Raises
    ------
    ValueError
        For every ValueError of the block, also for those of subclasses.
    """
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
