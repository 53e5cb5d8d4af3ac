"""What all browser tests share: one Chromium for the whole run, and the built site behind a sub-path."""

import os
import shutil
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "code"))
PREFIX = "/some/where/"


def _missing(message):
    """A browser test that cannot run is a failure in CI, and says so elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def chromium():
    """The browser that is installed; Playwright's own download is not used."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        _missing(
            "Chromium is not installed: nothing was tried in a browser (apt-get install chromium, or set CHROMIUM)"
        )
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site_folder():
    """The built site; another one where SITE_FOLDER says so."""
    folder = Path(os.environ.get("SITE_FOLDER", ROOT / "_build" / "site"))
    if not (folder / "index.html").is_file():
        _missing("there is no site in _build/site: run `make book` first")
    return folder


@pytest.fixture(scope="session")
def site_server(site_folder):
    """Address of the built site, served with gzip from a folder deep in a host; ends with a slash."""
    from press.serve import server

    with server(site_folder, port=0, prefix=PREFIX) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}{PREFIX}"
        running.shutdown()
