"""A small server for looking at the built site: this machine only, gzip as a real host does it."""

from __future__ import annotations

import gzip
import mimetypes
import sys
from functools import lru_cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from press.config import PressError

PACKED = {".html", ".css", ".js", ".svg", ".xml", ".txt", ".json", ".ipynb"}
TYPES = {".js": "text/javascript", ".ipynb": "application/x-ipynb+json", ".woff2": "font/woff2"}


@lru_cache(maxsize=64)
def _packed(path: Path, changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)


class Handler(SimpleHTTPRequestHandler):
    """Files under ``folder``, at addresses that start with ``prefix``; anything else is the site's 404 page."""

    folder: Path
    prefix = "/"
    protocol_version = "HTTP/1.1"

    def _file(self) -> Path | None:
        path = unquote(urlsplit(self.path).path)
        if not path.startswith(self.prefix):
            return None
        target = (self.folder / path.removeprefix(self.prefix)).resolve()
        if not target.is_relative_to(self.folder.resolve()):
            return None
        if target.is_dir():
            target = target / "index.html"
        return target if target.is_file() else None

    def do_GET(self) -> None:
        path, status = self._file(), 200
        if path and path.name == "index.html" and not urlsplit(self.path).path.endswith(("/", ".html")):
            self.send_response(301)
            self.send_header("Location", urlsplit(self.path).path + "/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if path is None:
            path, status = self.folder / "404.html", 404
        if not path.is_file():  # the site is being replaced, or has no 404 page
            self.send_error(404)
            return
        packed = path.suffix in PACKED and "gzip" in self.headers.get("Accept-Encoding", "")
        data = _packed(path, path.stat().st_mtime_ns) if packed else path.read_bytes()
        kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if kind.startswith("text/"):
            kind += "; charset=utf-8"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-cache")
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET

    def handle(self) -> None:
        """As usual; a browser that hangs up is no fault."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args) -> None:  # noqa: A002 - the name of the base class
        """Stay silent."""


def server(folder: Path, port: int = 8000, prefix: str = "/") -> ThreadingHTTPServer:
    """A server for `folder` on this machine; if `port` is taken, the next free one of the following nineteen.

    :param port: 0 lets the system choose.
    :param prefix: path in front of the site, e.g. ``/some/where/``.
    :raises PressError: no port is free.
    """
    handler = type("SiteHandler", (Handler,), {"folder": Path(folder), "prefix": prefix})
    for number in range(port, port + 20) if port else [0]:
        try:
            return ThreadingHTTPServer(("127.0.0.1", number), handler)
        except OSError:
            continue
    raise PressError(f"no free port between {port} and {port + 19}; end another server or give another port")


def main(folder: Path, port: int = 8000) -> None:
    """Serve until Ctrl-C."""
    with server(folder, port) as running:
        print(f"The book is at http://localhost:{running.server_port}/ (Ctrl-C ends it)", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8000)
