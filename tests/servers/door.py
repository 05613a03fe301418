"""A door between us and a server: what passes through can be counted, held, refused or broken."""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Before = Callable[[str, str], int | None]
After = Callable[[str, str], None]


class Door(http.server.ThreadingHTTPServer):
    """Passes requests on to ``behind``.

    ``before`` gets the method and the path of each request and gives a status to answer with
    instead, or None to pass it on; ``after`` is called when the server has done its part and its
    answer has not left yet. Where the server does not answer the connection is closed.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.behind = url.removeprefix("http://")
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.open()

    def open(self) -> None:
        """Let everything through."""
        self.before: Before = lambda method, path: None
        self.after: After = lambda method, path: None


class _Passing(http.server.BaseHTTPRequestHandler):
    server: Door
    protocol_version = "HTTP/1.1"

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status = self.server.before(self.command, self.path)
        if status is not None:
            self.answer(status, b'{"error_code": "INTERNAL_ERROR", "message": "no space"}')
            return
        connection = http.client.HTTPConnection(self.server.behind, timeout=120)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return
        finally:
            connection.close()
        self.server.after(self.command, self.path)
        self.answer(answer.status, data, answer.getheader("Content-Type"))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815

    def answer(self, status: int, body: bytes, kind: str | None = "application/json") -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind or "application/octet-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # who asked waits no longer

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def door(url: str) -> Iterator[Door]:
    """An open door to a server."""
    with Door(url) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            made.shutdown()
