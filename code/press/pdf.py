"""Every page of both languages on paper: printed by Chromium, tagged for screen readers, with an outline."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

from press.config import Config, PressError
from press.serve import server

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str:
    """The installed browser.

    :raises PressError: there is none.
    """
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not path:
        raise PressError(
            "Chromium prints the pages and was not found; install it (apt-get install chromium) "
            "or set CHROMIUM to its program file"
        )
    return path


def build(config: Config, site: Path, out: Path) -> None:
    """Print the pages of `site` to ``out/LANG/PAGE.pdf``.

    :param config: the book's settings.
    :param site: the built site.
    :raises PressError: no browser, or a folder that cannot be written.
    """
    from playwright.sync_api import Error, sync_playwright

    path = browser_path()
    with server(site, port=0) as running, sync_playwright() as playwright:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error as error:
            raise PressError(f"{path} did not start: {error.message.splitlines()[0]}") from None
        for lang in config.languages:
            for name in sorted(file.stem for file in (site / lang).glob("*.html") if file.stem != "search"):
                target = out / lang / f"{name}.pdf"
                _print(browser, f"http://127.0.0.1:{running.server_port}/{lang}/{name}.html", target)
                print(f"  {target.relative_to(config.root)}", flush=True)
        browser.close()
        running.shutdown()


def _print(browser, address: str, target: Path) -> None:
    page = browser.new_page(color_scheme="light")
    page.goto(address, wait_until="networkidle")
    page.emulate_media(media="print")
    page.evaluate("document.fonts.ready")
    page.wait_for_function("!document.querySelector('.dtl-widget:not([data-mounted]):not([data-failed])')")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        page.pdf(path=target, prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
    except OSError as error:
        raise PressError(f"cannot write {target}: {error.strerror}; make that folder writable") from error
    page.close()
