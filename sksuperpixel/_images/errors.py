"""Which image an error or a warning is about."""

import warnings
from contextlib import contextmanager
from contextvars import ContextVar

_current = ContextVar("image", default=None)


@contextmanager
def about_image(index):
    """Begin the errors of a block of code with the number of the image it works on.

    If blocks are nested, the outermost one counts, because its number is the image's position in
    the user's sequence.

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
        # Other exceptions may need arguments other than a message.
        if getattr(error, "_names_image", False):
            raise
        error._names_image = True
        if type(error) in (TypeError, ValueError):
            error.args = (f"image {index}: {error}",)
        else:
            error.add_note(f"This happened to image {index}.")
        raise
    finally:
        _current.reset(token)


def warn_about_image(message):
    """Warn with a message that begins with the number of the current image."""
    index = _current.get()
    prefix = "" if index is None else f"image {index}: "
    warnings.warn(prefix + message, UserWarning, stacklevel=2)
