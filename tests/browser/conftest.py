"""Pages of the built site, watched: what they ask for and what they complain about."""

from dataclasses import dataclass, field

import pytest


@dataclass
class Watched:
    """A page and what happened on it."""

    page: object
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def watch(chromium):
    """A function that opens a browser context (language, colours, width …) with one watched page."""
    contexts = []

    def open_context(width=1280, height=900, **settings):
        context = chromium.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.on("request", lambda request: watched.requests.append(request.url))
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        watched.page.on(
            "console",
            lambda message: watched.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        return watched

    yield open_context
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(watch, site_server):
    """A function that opens an address of the site: `open_page("ko/04_dann.html", width=320)`."""

    def open_at(address="", **settings):
        watched = watch(**settings)
        watched.page.goto(site_server + address, wait_until="networkidle")
        return watched

    return open_at
