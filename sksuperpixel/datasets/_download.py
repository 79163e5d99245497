"""Download an archive so that a cut connection costs little, and unpack it whole or not at all."""

import os
import tarfile
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

_CHUNK = 1 << 16  # bytes
_TIMEOUT = 60  # seconds without a byte


class RemoteArchive(NamedTuple):
    """A tar archive somewhere, and what its bytes must be."""

    url: str
    filename: str
    sha256: str


def get_data_home(data_home=None):
    """Return the folder of downloads: `data_home`, $SKSUPERPIXEL_DATA or the user's cache."""
    data_home = data_home or os.environ.get("SKSUPERPIXEL_DATA")
    if not data_home:
        import pooch

        data_home = pooch.os_cache("sksuperpixel")
    return Path(data_home).expanduser().resolve()


class _ResumingDownloader:
    """Downloader for pooch that keeps what it has in a .part file and goes on from there."""

    def __init__(self, part, *, n_retries, delay):
        self.part = part
        self.n_retries = n_retries
        self.delay = delay

    def __call__(self, url, output_file, pooch_instance):  # what pooch calls
        import requests

        for n_left in range(self.n_retries, -1, -1):
            try:
                self._continue(url)
                break
            except requests.RequestException as error:
                response = error.response
                refused = response is not None and response.status_code < 500
                if n_left == 0 or refused:
                    message = f"{url} could not be downloaded: {error}"
                    if self.part.exists():
                        message += f". {self.part} is kept: the next call goes on from there."
                    raise OSError(message) from error
                time.sleep(self.delay)
        os.replace(self.part, output_file)

    def _continue(self, url):
        """Download what the .part file lacks, or everything if the server cannot do parts."""
        import requests

        have = self.part.stat().st_size if self.part.exists() else 0
        # Without "identity" the length could be that of compressed bytes.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            content_range = response.headers.get("Content-Range", "")
            if have and response.status_code == 416:
                if content_range.endswith(f"/{have}"):
                    return  # it was complete already
                self.part.unlink()
                raise requests.ConnectionError("the server has no such part, starting again")
            response.raise_for_status()
            goes_on = response.status_code == 206 and content_range.startswith(f"bytes {have}-")
            if response.status_code == 206 and not goes_on:
                self.part.unlink()
                raise requests.ConnectionError("the server sent another part, starting again")
            with open(self.part, "ab" if goes_on else "wb") as file:
                for chunk in response.iter_content(_CHUNK):
                    file.write(chunk)
                received = file.tell() - (have if goes_on else 0)
            expected = int(response.headers.get("Content-Length", received))
            if received < expected:  # old versions of urllib3 say nothing
                raise requests.ConnectionError(f"got {received} of {expected} bytes")


def fetch_archive(archive, folder, *, n_retries, delay):
    """Download an archive into a folder if it is not there, and check its bytes.

    Parameters
    ----------
    archive : RemoteArchive
    folder : Path
    n_retries : int
        How often to try again after the connection failed. What was received is kept.
    delay : float
        Seconds between the trials.

    Returns
    -------
    path : Path

    Raises
    ------
    OSError
        If the connection fails.
    ValueError
        If the SHA-256 is another one; the file is deleted.
    """
    import pooch

    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{archive.filename}.part"
    path = pooch.retrieve(
        archive.url,
        known_hash=f"sha256:{archive.sha256}",
        fname=archive.filename,
        path=folder,
        downloader=_ResumingDownloader(part, n_retries=n_retries, delay=delay),
    )
    return Path(path)


def extract_archive(path, member, target):
    """Unpack one folder of a tar archive as `target`, which is there whole or not at all.

    Parameters
    ----------
    path : Path
        The archive.
    member : str
        The folder inside the archive.
    target : Path
        The folder to make. If another process makes it meanwhile, that one is kept.

    Raises
    ------
    ValueError
        If the archive has no such folder, or a member that points outside of it.
    """
    # Unpacked beside the target, on the same disk: then the last step is one rename.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.part-") as folder:
        try:
            with tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")
        except tarfile.TarError as error:
            raise ValueError(f"{path} could not be unpacked: {error}") from error
        unpacked = Path(folder) / member
        if not unpacked.is_dir():
            raise ValueError(f"{path} has no folder {member}, expected it there")
        try:
            os.replace(unpacked, target)
        except OSError:
            if not target.is_dir():
                raise
