"""What the browser tests of the labs share: a lab in a page of either language, and what can be read off it.

A test module has

    pages = lab_pages("from dtlbook.labs import dann_lab\ndann_lab()")
    open_page = opener()
"""

import json
import shutil

import nbformat
import pytest
from lab_example import ROOT, executed
from test_page import DARK, LIGHT, PAGE

from press.widgets import to_static_html

READY = ".dtl-widget[data-mounted] canvas"


def lab_pages(code):
    """A fixture: the pages ko.html and en.html of the lab that ``code`` makes; its value is their address."""

    @pytest.fixture(scope="module")
    def pages(site, request):
        folder, address = site
        name = request.module.__name__
        (folder / name).mkdir(exist_ok=True)
        shutil.copy(ROOT / "book/theme/static/afm-host.js", folder / name)
        notebook = executed(code, press=True)
        for lang in ("ko", "en"):
            page = nbformat.from_dict(json.loads(json.dumps(notebook)))
            to_static_html(page, lang)
            body = "".join(output.data["text/html"] for cell in page.cells[1:] for output in cell.outputs)
            html = PAGE.format(lang=lang, body=body, light=LIGHT, dark=DARK)
            (folder / name / f"{lang}.html").write_text(html.replace("<title>Slider", "<title>Lab"), encoding="utf-8")
        return f"{address}/{name}"

    return pages


def opener(ready=READY):
    """A fixture: open_page(lang, fragment, …) gives a page with the lab; at the end there must have been no error and no request to elsewhere."""

    @pytest.fixture
    def open_page(chromium, pages):
        contexts, errors = [], []

        def open_(lang="en", fragment="", wait=ready, before="", **options):
            context = chromium.new_context(**{"locale": "en-GB", **options})
            contexts.append(context)
            page = context.new_page()
            page.add_init_script(before)
            page.on("console", lambda message: message.type in ("error", "warning") and errors.append(message.text))
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("request", lambda r: r.url.startswith((pages, "data:", "blob:")) or errors.append(r.url))
            page.goto(f"{pages}/{lang}.html{fragment}")
            page.wait_for_selector(wait)
            return page

        yield open_
        for context in contexts:
            context.close()
        assert not errors

    return open_page


def readout(page, name):
    return page.locator(f"xpath=//dt[. = '{name}']/following-sibling::dd").text_content()


def number(page, name):
    """The readout as a number; the pages print a negative one with the sign −, as books do."""
    return float(readout(page, name).replace("−", "-"))


def readouts(page):
    return page.locator("dd").all_text_contents()


def pictures(page):
    return page.evaluate("[...document.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL())")


def output(page, label):
    return page.locator(f"label:has-text('{label}') + output").text_content()


def by_keyboard_and_mouse(page, picture=0):
    """Every slider, moved by keyboard and by mouse, changes its read-out and the picture; gives the labels of those that do not."""
    dull = []
    for slider in page.get_by_role("slider").all():
        shown = lambda slider=slider: (slider.get_attribute("aria-valuetext"), pictures(page)[picture])  # noqa: E731
        first = shown()
        slider.press("ArrowLeft")
        if shown()[0] == first[0]:
            slider.press("ArrowRight")
        second = shown()
        box = slider.bounding_box()
        there = 0.2 if slider.evaluate("(input) => input.value / input.max") > 0.5 else 0.8
        page.mouse.click(box["x"] + there * box["width"], box["y"] + box["height"] / 2)
        third = shown()
        if any(a == b for one, other in ((first, second), (second, third)) for a, b in zip(one, other, strict=True)):
            dull.append(slider.evaluate("(input) => input.labels[0].textContent"))
    return dull


def axe_finds(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    results = axe.run(page)
    return results.generate_report() if results.violations_count else ""
