import errno
import hashlib
import io
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest

from sksuperpixel.datasets._download import RemoteArchive, fetch_folder, get_data_home

# Noise, which cannot be compressed: the archive is longer than a few blocks of the network.
NOISE = np.random.RandomState(0).bytes(200_000)
MEMBERS = {"top/data/noise": NOISE, "top/data/inside/note": b"a note", "top/README": b"beside"}


def pack(members):
    """Return the bytes of a compressed tar archive."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return content.getvalue()


@pytest.fixture
def fetch(server):
    """Fetch what the server holds when the fixture's result is called."""
    server.content = pack(MEMBERS)

    def fetch_from_server(target, *, url=server.url, sha256=None, n_retries=0, delay=0):
        sha256 = sha256 or hashlib.sha256(server.content).hexdigest()
        archive = RemoteArchive(url=url, sha256=sha256, folder="top/data")
        fetch_folder(archive, target, n_retries=n_retries, delay=delay)

    return fetch_from_server


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_of_the_archive_becomes_the_target(server, fetch, tmp_path):
    home = tmp_path / "new" / "home"
    fetch(home / "target")
    assert (home / "target" / "noise").read_bytes() == NOISE
    assert (home / "target" / "inside" / "note").read_bytes() == b"a note"
    # Neither the archive nor its other members stay.
    assert names_in(home) == ["target"]
    assert names_in(home / "target") == ["inside", "noise"]
    assert server.n_requests == 1


def test_a_cut_connection_is_tried_again(server, fetch, tmp_path):
    server.cuts = [len(server.content) // 2, 10]
    fetch(tmp_path / "target", n_retries=2)
    assert server.n_requests == 3
    assert (tmp_path / "target" / "noise").read_bytes() == NOISE


def test_too_many_cuts_leave_nothing_behind(server, fetch, tmp_path):
    server.cuts = [len(server.content) // 2] * 2
    message = r"archive\.tgz: could not be downloaded, attempt 2 of 2 failed: "
    with pytest.raises(OSError, match=message):
        fetch(tmp_path / "target", n_retries=1)
    assert server.n_requests == 2
    assert names_in(tmp_path) == []
    fetch(tmp_path / "target")
    assert names_in(tmp_path) == ["target"]


def test_server_errors_are_tried_again(server, fetch, tmp_path):
    server.statuses = [503]
    fetch(tmp_path / "target", n_retries=1)
    assert server.n_requests == 2
    server.statuses = [404, 404]
    with pytest.raises(OSError, match=r"attempt 2 of 2 failed: 404"):
        fetch(tmp_path / "other", n_retries=1)
    assert server.n_requests == 4


def test_the_delay_is_kept_between_attempts_only(server, fetch, tmp_path, monkeypatch):
    delays = []
    monkeypatch.setattr(time, "sleep", delays.append)
    server.statuses = [503] * 3
    with pytest.raises(OSError, match="attempt 3 of 3"):
        fetch(tmp_path / "target", n_retries=2, delay=7)
    assert delays.count(7) == 2


def test_missing_server(fetch, tmp_path):
    with pytest.raises(OSError, match=r"127\.0\.0\.1:1/none\.tgz: could not be downloaded"):
        fetch(tmp_path / "target", url="http://127.0.0.1:1/none.tgz", n_retries=1)
    assert names_in(tmp_path) == []


def test_wrong_bytes_are_refused_and_not_tried_again(server, fetch, tmp_path):
    right = hashlib.sha256(server.content).hexdigest()
    server.content = pack({**MEMBERS, "top/data/noise": NOISE[::-1]})
    found = hashlib.sha256(server.content).hexdigest()
    message = rf"archive\.tgz.* expected sha256:{right} but got {found}"
    with pytest.raises(ValueError, match=message):
        fetch(tmp_path / "target", sha256=right, n_retries=3)
    assert server.n_requests == 1
    assert names_in(tmp_path) == []


def test_an_interrupted_unpacking_is_not_taken_for_complete(fetch, tmp_path, monkeypatch):
    extract = tarfile.TarFile.extractall

    def interrupted(self, path, **options):
        extract(self, path, members=self.getmembers()[:1], **options)
        assert (Path(path) / "top" / "data" / "noise").exists()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tarfile.TarFile, "extractall", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(tmp_path / "target")
    assert names_in(tmp_path) == []
    # A process that was killed could have left this.
    (tmp_path / "target.part-killed" / "unpacked" / "top" / "data").mkdir(parents=True)
    fetch(tmp_path / "target")
    assert names_in(tmp_path / "target") == ["inside", "noise"]


def test_the_folder_of_a_faster_process_is_kept(fetch, tmp_path, monkeypatch):
    extract = tarfile.TarFile.extractall

    def overtaken(self, path, **options):
        extract(self, path, **options)
        (tmp_path / "target").mkdir()
        (tmp_path / "target" / "from the other").touch()

    monkeypatch.setattr(tarfile.TarFile, "extractall", overtaken)
    fetch(tmp_path / "target")
    assert names_in(tmp_path) == ["target"]
    assert names_in(tmp_path / "target") == ["from the other"]


def test_a_target_that_cannot_be_made_is_an_error(fetch, tmp_path):
    (tmp_path / "target").write_text("a file is in the way")
    with pytest.raises(OSError, match="target"):
        fetch(tmp_path / "target")
    assert names_in(tmp_path) == ["target"]


def test_members_outside_the_archive_are_refused(server, fetch, tmp_path):
    server.content = pack({**MEMBERS, "../../../evil": b"elsewhere"})
    with pytest.raises(
        ValueError, match=r"archive\.tgz: found an archive that cannot be unpacked"
    ):
        fetch(tmp_path / "home" / "target")
    assert not list(tmp_path.rglob("evil"))
    assert names_in(tmp_path / "home") == []


def test_absolute_members_stay_inside(server, fetch, tmp_path):
    server.content = pack({f"{tmp_path}/evil": b"elsewhere", **MEMBERS})
    fetch(tmp_path / "home" / "target")
    assert not list(tmp_path.rglob("evil"))
    assert names_in(tmp_path / "home") == ["target"]


def test_archives_of_something_else(server, fetch, tmp_path):
    server.content = pack({"other/data/note": b"a note"})
    with pytest.raises(ValueError, match="found an archive without the folder top/data"):
        fetch(tmp_path / "target")
    server.content = b"no archive at all"
    with pytest.raises(ValueError, match="found an archive that cannot be unpacked"):
        fetch(tmp_path / "target")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("n_cut", [1000, 100_000])
def test_archives_that_are_cut_short(server, fetch, tmp_path, n_cut):
    server.content = server.content[:-n_cut]
    with pytest.raises(
        ValueError, match=r"archive\.tgz: found an archive that cannot be unpacked"
    ):
        fetch(tmp_path / "target")
    assert names_in(tmp_path) == []


def test_members_that_no_disk_can_hold(server, fetch, tmp_path):
    server.content = pack({**MEMBERS, "top/data/" + "x" * 300: b"a name that is too long"})
    with pytest.raises(
        ValueError, match=r"archive\.tgz: found an archive that cannot be unpacked"
    ):
        fetch(tmp_path / "target")


def test_a_full_disk_is_not_the_fault_of_the_archive(fetch, tmp_path, monkeypatch):
    def full(self, path, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extractall", full)
    with pytest.raises(OSError, match="No space left on device"):
        fetch(tmp_path / "target")
    assert names_in(tmp_path) == []


def test_data_home(tmp_path, monkeypatch):
    import pooch

    monkeypatch.delenv("SKSUPERPIXEL_DATA", raising=False)
    assert get_data_home() == pooch.os_cache("sksuperpixel").resolve()
    monkeypatch.setenv("SKSUPERPIXEL_DATA", str(tmp_path / "environment"))
    assert get_data_home() == tmp_path / "environment"
    assert get_data_home(tmp_path) == tmp_path
    assert get_data_home("~/home") == Path.home().resolve() / "home"
