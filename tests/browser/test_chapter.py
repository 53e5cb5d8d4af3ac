"""The DANN chapter as its readers use it: the slider over real runs, the drawings, the printed title."""

import pytest

PAGE = "{}/04_dann.html"


def shown(page):
    """What the slider shows: the drawing, what is read out, and the value that assistive technology says."""
    box = page.locator(".dtl-widget").first
    return (
        box.locator("svg").first.evaluate("svg => svg.outerHTML"),
        box.locator(".dtl-said p").first.inner_text(),
        box.locator("input[type=range]").first.get_attribute("aria-valuetext"),
    )


def slider(page):
    page.evaluate("document.querySelector('.dtl-widget').scrollIntoView()")
    page.wait_for_selector(".dtl-widget[data-mounted] input[type=range]")
    return page.locator(".dtl-widget input[type=range]").first


@pytest.mark.parametrize(("lang", "word"), [("ko", "타깃 정확도"), ("en", "target accuracy")])
def test_keys_move_the_slider_through_real_runs(open_page, lang, word):
    page = open_page(PAGE.format(lang)).page
    handle = slider(page)
    handle.focus()
    seen = [shown(page)]
    for _ in range(int(handle.get_attribute("max")) - int(handle.input_value())):
        page.keyboard.press("ArrowRight")
        seen.append(shown(page))
    assert len(seen) >= 5
    for parts in zip(*seen, strict=True):
        assert len(set(parts)) == len(seen), "two positions of the slider show the same"
    assert [(text, value) for _, text, value in seen if word not in text or word not in value] == []


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_mouse_moves_the_slider(open_page, lang):
    page = open_page(PAGE.format(lang), width=360).page
    handle = slider(page)
    before, box = shown(page), handle.bounding_box()
    page.mouse.click(box["x"] + 0.62 * box["width"], box["y"] + box["height"] / 2)
    after = shown(page)
    assert all(old != new for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_no_word_of_a_drawing_is_cut_off(open_page, lang):
    page = open_page(PAGE.format(lang)).page
    page.evaluate("document.fonts.ready")
    cut = page.eval_on_selector_all(
        "svg.drawing",
        """drawings => drawings.flatMap(svg => [...svg.querySelectorAll('text')].filter(text => {
            const box = text.getBBox(), view = svg.viewBox.baseVal;
            return box.x < view.x || box.x + box.width > view.x + view.width;
        }).map(text => text.textContent))""",
    )
    assert page.locator("svg.drawing").count() >= 2 and not cut


def test_the_title_is_printed(open_page):
    page = open_page(PAGE.format("ko")).page
    page.emulate_media(media="print")
    assert page.locator("h1").first.is_visible()


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_scroll_bar_is_honest(open_page, lang, width):
    """Sections are laid out when the reader comes near; the guess of their height must be a fair one."""
    page = open_page(PAGE.format(lang), width=width).page
    guessed = page.evaluate("document.documentElement.scrollHeight")
    page.add_style_tag(content=".bd-article > section > section { content-visibility: visible !important }")
    assert abs(guessed / page.evaluate("document.documentElement.scrollHeight") - 1) < 0.25
