import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from sksuperpixel.datasets import _bsds500, fetch_bsds500
from sksuperpixel.datasets._download import RemoteArchive, get_data_home

NAME = "BSR_bsds500.tgz"


def make_archive(extra=()):
    """Return a small archive in the official layout; noise keeps it longer than a few blocks."""
    rng = np.random.RandomState(0)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:

        def add(name, data):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))

        for subset in ("train", "val", "test"):
            picture = io.BytesIO()
            noise = rng.randint(256, size=(200, 300, 3), dtype=np.uint8)
            Image.fromarray(noise).save(picture, "JPEG", quality=95)
            add(f"BSR/BSDS500/data/images/{subset}/1.jpg", picture.getvalue())
            cell = np.zeros((1, 1), dtype=[("Segmentation", object)])
            cell[0, 0]["Segmentation"] = np.ones((200, 300), dtype=np.uint16)
            annotators = np.empty((1, 1), dtype=object)
            annotators[0, 0] = cell
            truth = io.BytesIO()
            savemat(truth, {"groundTruth": annotators})
            add(f"BSR/BSDS500/data/groundTruth/{subset}/1.mat", truth.getvalue())
        add("BSR/documentation/README", b"beside the data")
        for name in extra:
            add(name, b"elsewhere")
    return content.getvalue()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.asked.append(asked)
        status = server.statuses.pop(0) if server.statuses else 200
        start = 0
        if status == 200 and asked and server.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            status = 206 if start < len(server.content) else 416
        body = server.content[start:] if status in (200, 206) else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        total = len(server.content)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        elif status == 416:
            self.send_header("Content-Range", f"bytes */{total}")
        self.end_headers()
        sent = server.cuts.pop(0) if server.cuts else len(body)
        self.wfile.write(body[:sent])
        server.sent.append(len(body[:sent]))

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    """Serve an archive on loopback, in the place of the official address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.content = make_archive()
        server.ranges = True
        server.cuts = []  # bytes after which the next connections are dropped
        server.statuses = []  # of the next answers
        server.asked = []  # the Range of each request
        server.sent = []  # the bytes of each answer
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        archive = RemoteArchive(
            url=f"http://127.0.0.1:{server.server_port}/{NAME}",
            filename=NAME,
            sha256=hashlib.sha256(server.content).hexdigest(),
        )
        monkeypatch.setattr(_bsds500, "_ARCHIVE", archive)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("SKSUPERPIXEL_DATA", raising=False)
        yield server
        server.shutdown()
        thread.join()


def fetch(home, **options):
    return fetch_bsds500(data_home=home, delay=0, **options)


def test_download_once(server, tmp_path):
    data = fetch(tmp_path / "new" / "folder", subset="all")
    assert len(data.images) == 3
    assert data.images[0].shape == (200, 300, 3)
    assert data.segmentations[2].shape == (1, 200, 300)
    # only the unpacked data stay
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["BSDS500"]
    again = fetch(tmp_path / "new" / "folder", subset="val", download_if_missing=False)
    assert again.filenames == data.filenames[1:2]
    assert server.asked == [None]
    assert server.sent == [len(server.content)]


def test_a_cut_download_goes_on(server, tmp_path):
    half = len(server.content) // 2
    server.cuts = [half]
    with pytest.raises(OSError, match=rf"could not be downloaded: .*{NAME}\.part is kept"):
        fetch(tmp_path, n_retries=0)
    assert [path.name for path in tmp_path.iterdir()] == [f"{NAME}.part"]
    have = (tmp_path / f"{NAME}.part").stat().st_size
    assert 0 < have <= half
    assert len(fetch(tmp_path).images) == 1
    assert server.asked == [None, f"bytes={have}-"]
    assert server.sent == [half, len(server.content) - have]


def test_retries_within_one_call(server, tmp_path):
    server.cuts = [len(server.content) // 3, len(server.content) // 3]
    assert len(fetch(tmp_path, n_retries=2).images) == 1
    assert server.asked[0] is None
    assert all(asked is not None for asked in server.asked[1:])
    assert len(server.asked) == 3


def test_server_without_range(server, tmp_path):
    server.ranges = False
    server.cuts = [len(server.content) // 2]
    assert len(fetch(tmp_path, n_retries=1).images) == 1
    assert server.asked[1] is not None
    assert server.sent[1] == len(server.content)


def test_part_that_is_complete_or_too_long(server, tmp_path):
    part = tmp_path / f"{NAME}.part"
    part.write_bytes(server.content)
    assert len(fetch(tmp_path / ".").images) == 1
    assert server.sent == [0]

    home = tmp_path / "other"
    home.mkdir()
    (home / f"{NAME}.part").write_bytes(server.content + b"more")
    assert len(fetch(home).images) == 1
    assert server.sent[1:] == [0, len(server.content)]


def test_wrong_bytes(server, tmp_path):
    right = server.content
    server.content = right[:-100] + bytes(100)
    expected = hashlib.sha256(right).hexdigest()
    found = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(ValueError, match=f"{NAME}.*expected sha256:{expected} but got {found}"):
        fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []
    server.content = right
    assert len(fetch(tmp_path).images) == 1


def test_part_of_another_file(server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(b"not the start of this archive")
    with pytest.raises(ValueError, match="does not match the known hash"):
        fetch(tmp_path)
    assert len(fetch(tmp_path).images) == 1
    assert server.asked == ["bytes=29-", None]


def test_wrong_archive_in_the_cache_is_replaced(server, tmp_path):
    (tmp_path / NAME).write_bytes(b"half of an archive")
    assert len(fetch(tmp_path).images) == 1
    assert server.asked == [None]


def test_server_errors(server, tmp_path):
    server.statuses = [503]
    assert len(fetch(tmp_path, n_retries=1).images) == 1
    assert len(server.asked) == 2
    server.statuses = [404]
    with pytest.raises(OSError, match="could not be downloaded: 404"):
        fetch(tmp_path / "other", n_retries=5)
    assert len(server.asked) == 3


def test_no_server(tmp_path, monkeypatch, server):
    unused = _bsds500._ARCHIVE._replace(url="http://127.0.0.1:1/none.tgz")
    monkeypatch.setattr(_bsds500, "_ARCHIVE", unused)
    with pytest.raises(OSError, match=r"none\.tgz could not be downloaded"):
        fetch(tmp_path, n_retries=1)


def test_interrupted_extraction_is_not_taken_for_complete(server, tmp_path, monkeypatch):
    extract = tarfile.TarFile.extractall

    def interrupted(self, path, **options):
        extract(self, path, members=self.getmembers()[:2], **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tarfile.TarFile, "extractall", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    # what a killed process could have left
    (tmp_path / "BSDS500.part-killed" / "BSR" / "BSDS500").mkdir(parents=True)
    assert len(fetch(tmp_path, subset="all").images) == 3
    assert server.asked == [None]


@pytest.mark.parametrize("name", ["../evil", "/evil"])
def test_members_outside_of_the_folder(server, tmp_path, monkeypatch, name):
    server.content = make_archive(extra=[name])
    sha256 = hashlib.sha256(server.content).hexdigest()
    monkeypatch.setattr(_bsds500, "_ARCHIVE", _bsds500._ARCHIVE._replace(sha256=sha256))
    home = tmp_path / "home"
    if name.startswith("/"):  # the leading slash is taken off
        assert len(fetch(home).images) == 1
    else:
        with pytest.raises(ValueError, match=f"{NAME} could not be unpacked"):
            fetch(home)
        assert not (home / "BSDS500").exists()
    assert not list(tmp_path.rglob("evil"))


def test_archive_of_something_else(server, tmp_path, monkeypatch):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz"):
        pass
    server.content = content.getvalue()
    sha256 = hashlib.sha256(server.content).hexdigest()
    monkeypatch.setattr(_bsds500, "_ARCHIVE", _bsds500._ARCHIVE._replace(sha256=sha256))
    with pytest.raises(ValueError, match="has no folder BSR/BSDS500"):
        fetch(tmp_path)


def test_data_home(server, tmp_path, monkeypatch):
    import pooch

    assert get_data_home() == pooch.os_cache("sksuperpixel").resolve()
    monkeypatch.setenv("SKSUPERPIXEL_DATA", str(tmp_path / "environment"))
    assert len(fetch(None).images) == 1
    assert (tmp_path / "environment" / "BSDS500").is_dir()
    assert get_data_home(tmp_path) == tmp_path


def test_download_if_missing(server, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"BSDS500 is not in .* download_if_missing"):
        fetch(tmp_path, download_if_missing=False)
    assert server.asked == []


def test_unknown_subset_before_any_download(server, tmp_path):
    with pytest.raises(ValueError, match="subset must be"):
        fetch(tmp_path, subset="valid")
    assert server.asked == []


def test_official_address():
    assert _bsds500._ARCHIVE.url.startswith("https://www2.eecs.berkeley.edu/")
    assert len(bytes.fromhex(_bsds500._ARCHIVE.sha256)) == 32
