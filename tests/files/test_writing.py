"""Files are written as a whole or not at all."""

import errno
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sksuperpixel._files.writing import check_writable, write_atomically

both = pytest.mark.parametrize(
    "write", [lambda path: write_atomically(path, b"new"), check_writable], ids=["write", "check"]
)


@pytest.fixture
def folder_of_an_ordinary_user():
    """A folder, with a process that may not write everywhere."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        if is_root:
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            if is_root:
                os.seteuid(0)
            os.chmod(folder, 0o777)


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    write_atomically(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_the_old_file_stays_if_writing_fails(tmp_path, monkeypatch, step, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*args):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)) as caught:
        write_atomically(path, b"new")
    if isinstance(error, OSError):
        assert str(caught.value) == f"[Errno {errno.ENOSPC}] No space left on device: '{path}'"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_on_the_disk_before_the_file_is_replaced(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    replace, sync = os.replace, os.fsync
    done = []

    def check_and_replace(source, target):
        assert done == ["sync"]
        assert Path(source).parent == tmp_path
        # Until now the old file is there, and the new one lies beside it as a whole.
        assert path.read_bytes() == b"old"
        with open(source, "rb") as file:
            assert file.read() == b"new"
        replace(source, target)

    monkeypatch.setattr(os, "fsync", lambda number: (sync(number), done.append("sync")))
    monkeypatch.setattr(os, "replace", check_and_replace)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    # The folder is synchronised after that, so that the new name is on the disk, too.
    assert done == ["sync", "sync"]


def test_several_writers_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "file"
    contents = [bytes([number]) * 100_000 for number in range(4)]
    write_atomically(path, contents[0])
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write_atomically, path, contents[n % 4]) for n in range(60)]
        while not all(each.done() for each in writing):
            assert path.read_bytes() in contents
        for each in writing:
            each.result()
    assert list(tmp_path.iterdir()) == [path]


def test_a_check_leaves_no_trace(tmp_path):
    path = tmp_path / "file"
    check_writable(path)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"old")
    check_writable(path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_any_other_file(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "ours", b"")
        (tmp_path / "usual").write_bytes(b"")
    finally:
        os.umask(before)
    ours, usual = ((tmp_path / name).stat().st_mode for name in ("ours", "usual"))
    assert ours == usual


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_a_file_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new")
    assert path.stat().st_mode & 0o7777 == mode


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link(tmp_path, exists):
    target, link = tmp_path / "there" / "target", tmp_path / "here" / "link"
    for path in (target, link):
        path.parent.mkdir()
    if exists:
        target.write_bytes(b"old")
    link.symlink_to(target)
    check_writable(link)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["target", "link"]


def test_names_may_be_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("x" * 255)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


@both
def test_a_folder_that_is_not_there_is_an_error(tmp_path, write):
    path = tmp_path / "nowhere" / "file"
    with pytest.raises(FileNotFoundError) as caught:
        write(path)
    assert str(caught.value) == f"{path}: found no folder to write it to, expected one"
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="found no folder to write it to, expected one"):
        write(tmp_path / "file" / "file")


@both
def test_a_folder_is_an_error(tmp_path, write):
    with pytest.raises(IsADirectoryError) as caught:
        write(tmp_path)
    assert str(caught.value) == f"{tmp_path}: found a folder, expected a file or nothing"
    assert list(tmp_path.iterdir()) == []


@both
def test_what_is_not_a_file_is_an_error(tmp_path, write):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(OSError, match=r"found a device or a pipe, expected a file or nothing"):
            write(path)
        assert path.exists()
        assert not path.is_file()


@both
def test_links_in_a_circle_are_an_error(tmp_path, write):
    path = tmp_path / "link"
    path.symlink_to(path)
    with pytest.raises(OSError, match="Too many levels of symbolic links") as caught:
        write(path)
    assert caught.value.filename == str(path)


@both
def test_a_folder_that_is_read_only_is_an_error(folder_of_an_ordinary_user, write):
    folder = folder_of_an_ordinary_user / "folder"
    folder.mkdir()
    path = folder / "file"
    path.write_bytes(b"old")
    folder.chmod(0o555)
    with pytest.raises(PermissionError) as caught:
        write(path)
    # The error names the file, not the one beside it.
    assert str(caught.value) == f"[Errno {errno.EACCES}] Permission denied: '{path}'"
    assert path.read_bytes() == b"old"
    folder.chmod(0o755)


@both
def test_a_file_that_is_read_only_is_an_error(folder_of_an_ordinary_user, write):
    path = folder_of_an_ordinary_user / "file"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError) as caught:
        write(path)
    assert str(caught.value) == f"[Errno {errno.EACCES}] Permission denied: '{path}'"
    assert path.read_bytes() == b"old"
    assert list(folder_of_an_ordinary_user.iterdir()) == [path]
