"""Which image an error or a warning is about."""

import warnings
from contextlib import contextmanager
from contextvars import ContextVar

_current = ContextVar("image", default=None)


@contextmanager
def about_image(index):
    """Let the errors of a block of code begin with the number of the image it works on.

    Where blocks are nested, the outermost one counts: it knows the image by the number that the
    user gave it.

    Parameters
    ----------
    index : int
        Position of the image in its sequence.
    """
    if _current.get() is not None:
        yield
        return
    token = _current.set(index)
    try:
        yield
    except Exception as error:
        # Others may need other arguments than a message.
        if type(error) in (TypeError, ValueError):
            error.args = (f"image {index}: {error}",)
        else:
            error.add_note(f"This happened to image {index}.")
        raise
    finally:
        _current.reset(token)


def warn_about_image(message):
    """Warn, beginning with the number of the image that is worked on."""
    index = _current.get()
    prefix = "" if index is None else f"image {index}: "
    warnings.warn(prefix + message, UserWarning, stacklevel=2)
