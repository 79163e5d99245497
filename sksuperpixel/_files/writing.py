"""Writing a file completely or not at all."""

import os
from pathlib import Path


def write_atomically(path, content):
    """Write a file so that at any moment either the old or the new one is complete.

    Parameters
    ----------
    path : str or path-like
        The file. If it exists, it is replaced.
    content : bytes
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
