"""What the browser tests of the labs share: Chromium, and a small page as the press would write it."""

import http.server
import threading
from functools import partial

import pytest
from lab_example import executed


@pytest.fixture(autouse=True)
def _plain_matplotlib(monkeypatch):
    """No test opens a window, none inherits the press's switch, none leaves figures or settings to the next."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    monkeypatch.delenv("DTLBOOK_PRESS", raising=False)
    monkeypatch.delenv("DTLBOOK_LANG", raising=False)
    mpl.use("agg")
    with mpl.rc_context():
        yield
    plt.close("all")


@pytest.fixture(scope="session")
def pressed():
    """A notebook as the press runs it: one slider shown twice, and another."""
    return executed("slider = example(index=1)\nslider", "slider", "example(predict=None)", press=True)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A served folder, and its address: modules are not loaded from file addresses."""
    folder = tmp_path_factory.mktemp("site")
    handler = partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass
