"""Files are written as a whole or not at all."""

import os

import pytest

from sksuperpixel._files.writing import write_atomically


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    write_atomically(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_the_old_file_stays_if_writing_fails(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="no space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_on_the_disk_before_the_file_is_replaced(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    replace, sync = os.replace, os.fsync
    done = []

    def check_and_replace(source, target):
        assert done == ["sync"]
        # Until now the old file is there, and the new one lies beside it as a whole.
        assert path.read_bytes() == b"old"
        with open(source, "rb") as file:
            assert file.read() == b"new"
        replace(source, target)

    monkeypatch.setattr(os, "fsync", lambda number: (sync(number), done.append("sync")))
    monkeypatch.setattr(os, "replace", check_and_replace)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "nowhere" / "file", b"new")
