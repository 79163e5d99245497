"""Writing a file completely or not at all."""

import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path


def write_atomically(path, content):
    """Write a file so that at any moment either the old or the new one is complete.

    Several processes or threads may write the same file at the same time: each writes a file of
    its own beside it, and the last one to finish wins. Nothing else is left in the folder, unless
    the process is killed. Then a file whose name ends in ".part" may stay, which can be removed.

    Parameters
    ----------
    path : str or path-like
        The file. If it exists, it is replaced and keeps its permissions. If it is a symbolic
        link, the file that it points to is replaced.
    content : bytes

    Raises
    ------
    OSError
        If the file cannot be written: there is no such folder, `path` is a folder, the folder or
        the file is read-only, or the disk is full. The old file is as it was.
    """
    target, permissions = _check_target(path)
    with _beside(target, path) as part:
        # Python opens it with the permissions that the process gives to new files.
        with open(part, "xb") as file:
            if permissions is not None:
                os.chmod(part, permissions)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    _sync_folder(target.parent)


def check_writable(path):
    """Check that a file can be written, so that work is not lost at its end.

    Parameters
    ----------
    path : str or path-like
        The file, which may exist.

    Raises
    ------
    OSError
        See `write_atomically`.
    """
    target, _ = _check_target(path)
    # Only an attempt shows whether files can be made in a folder.
    with _beside(target, path) as part:
        open(part, "xb").close()


def _check_target(path):
    """Find the file to replace, and its permissions if it exists."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: found no folder to write it to, expected one")
    with _naming(path):
        try:
            mode = target.stat().st_mode
            if stat.S_ISREG(mode):
                # This fails if the file is write-protected, although it could be replaced.
                os.close(os.open(target, os.O_WRONLY))
        except FileNotFoundError:
            return target, None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{path}: found a folder, expected a file or nothing")
    if not stat.S_ISREG(mode):
        # Devices and pipes must not be replaced.
        raise OSError(f"{path}: found a device or a pipe, expected a file or nothing")
    return target, mode & 0o777


@contextmanager
def _beside(target, path):
    """Give the path of a new file in the same folder, and remove what is left of it."""
    # A short name, because the target's own may be as long as names can be. It is too random to be
    # chosen twice.
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with _naming(path):
            yield part
    finally:
        with suppress(OSError):
            part.unlink()


@contextmanager
def _naming(path):
    """Name the file in errors, which otherwise name the file beside it or none."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def _sync_folder(folder):
    """Let the disk know the new name of a file, where folders can be synchronised."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
