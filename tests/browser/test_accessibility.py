"""Nothing sticks out sideways, and what scrolls can be reached. What axe-core finds: test_axe_wide, test_axe_narrow."""

import pytest
from frames import look_through

CHAPTER = "04_dann"


@pytest.mark.parametrize("address", ["", "nowhere/at/all.html"])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_above_the_languages(open_page, address, colours):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(address or "404.html", color_scheme=colours).page
    assert axe.run(page).response["violations"] == []


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_nothing_sticks_out_sideways(open_page, site_folder, lang, width):
    for name in sorted(path.stem for path in (site_folder / lang).glob("*.html")):
        page = open_page(f"{lang}/{name}.html", width=width).page
        page.evaluate("document.querySelectorAll('article details').forEach(d => { d.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_what_scrolls_sideways_can_be_reached_by_keyboard(open_page, lang):
    page = open_page(f"{lang}/{CHAPTER}.html", width=320).page
    page.evaluate("document.querySelectorAll('article details').forEach(d => { d.open = true; })")
    look_through(page, step=600)
    wide, wrong = page.evaluate("""() => {
        const boxes = [...document.querySelectorAll('.math-scroll, .pst-scrollable-table-container, .table-scroll')].filter(e => e.offsetParent);
        const wide = e => e.scrollWidth > e.clientWidth;
        return [boxes.filter(wide).length, boxes.filter(e => wide(e) !== (e.tabIndex === 0)).map(e => e.textContent.slice(0, 80))]; }""")
    assert wide > 0 and wrong == []
