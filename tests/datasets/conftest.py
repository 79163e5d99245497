import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.n_requests += 1
        status = server.statuses.pop(0) if server.statuses else 200
        body = server.content if status == 200 else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # Closing the connection after fewer bytes than announced is what a cut looks like.
        n_bytes = server.cuts.pop(0) if server.cuts else len(body)
        self.wfile.write(body[:n_bytes])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    """Serve ``server.content`` at ``server.url`` on this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.url = f"http://127.0.0.1:{server.server_port}/archive.tgz"
        server.content = b""
        server.cuts = []  # the numbers of bytes after which the next connections are cut
        server.statuses = []  # of the next answers
        server.n_requests = 0
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
