"""Download an archive and unpack it completely or not at all."""

import errno
import os
import tarfile
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

# Errors that say nothing about the archive.
_ERRORS_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


class RemoteArchive(NamedTuple):
    """A tar archive on a server, and the folder inside it that is to be unpacked."""

    url: str
    sha256: str
    folder: str


def get_data_home(data_home=None):
    """Return the folder that holds downloaded data sets.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. If None, the folder named by the environment variable
        ``SKSUPERPIXEL_DATA``, or else ``sksuperpixel`` in the user's cache folder.

    Returns
    -------
    Path
        An absolute path; the folder may not exist yet.
    """
    data_home = data_home or os.environ.get("SKSUPERPIXEL_DATA")
    if not data_home:
        import pooch

        data_home = pooch.os_cache("sksuperpixel")
    return Path(data_home).expanduser().resolve()


def fetch_folder(archive, target, *, n_retries, delay):
    """Download an archive and unpack its folder as `target`.

    The target appears only once everything is unpacked. Several processes may do this at the
    same time: each downloads for itself, and the first to finish provides the target.

    Parameters
    ----------
    archive : RemoteArchive
    target : Path
        The folder to make.
    n_retries : int
        How many times to try again after a failed download.
    delay : float
        Seconds to wait before trying again.

    Raises
    ------
    OSError
        If the download fails, or if the disk is full or cannot be written to.
    ValueError
        If the archive does not have the expected SHA-256, cannot be unpacked, has members that
        point outside it, or lacks the folder.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # The work is done on the disk of the target, so that the last step is a rename.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.part-") as work:
        path = _download(archive, work, n_retries=n_retries, delay=delay)
        unpacked = _unpack(archive, path, Path(work) / "unpacked")
        try:
            os.replace(unpacked, target)
        except OSError:
            # Another process may have been faster; its folder is as good as ours.
            if not target.is_dir():
                raise


def _download(archive, folder, *, n_retries, delay):
    """Download an archive into a folder, check its SHA-256 and return its path."""
    import pooch

    filename = archive.url.rpartition("/")[2]
    n_failures = 0
    while True:
        try:
            return pooch.retrieve(
                archive.url, known_hash=f"sha256:{archive.sha256}", fname=filename, path=folder
            )
        except OSError as error:  # the errors of requests are OSErrors, too
            n_failures += 1
            if n_failures > n_retries:
                raise OSError(
                    f"{archive.url}: could not be downloaded, attempt {n_failures} of "
                    f"{n_retries + 1} failed: {error}"
                ) from error
            time.sleep(delay)


def _unpack(archive, path, destination):
    """Unpack an archive into `destination` and return the wanted folder inside it."""
    try:
        with tarfile.open(path) as tar:
            tar.extractall(destination, filter="data")
    except Exception as error:  # damaged bytes make tarfile and gzip raise almost anything
        if getattr(error, "errno", None) in _ERRORS_OF_THE_DISK:
            raise
        raise ValueError(
            f"{archive.url}: found an archive that cannot be unpacked ({error}), expected a tar "
            "archive whose members all lie inside it"
        ) from error
    unpacked = destination / archive.folder
    if not unpacked.is_dir():
        raise ValueError(
            f"{archive.url}: found an archive without the folder {archive.folder}, expected one "
            "that contains it"
        )
    return unpacked
