"""Write a file whole or not at all."""

import os
from pathlib import Path


def write_atomically(path, content):
    """Write a file so that at any moment the old one or the new one is there, whole.

    Parameters
    ----------
    path : str or path-like
        The file, which is replaced if there is one.
    content : bytes
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    with open(part, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
