"""The slider in a page with no kernel, as readers have it: keyboard, mouse, screen reader, paper, phone, dark."""

import json
import shutil

import nbformat
import pytest
from lab_example import ROOT, describe, run

from dtlbook.figures import PALETTE
from press.widgets import to_static_html

LIGHT = "".join(f"--dtl-{name}: {colour};" for name, colour in PALETTE.items())
DARK = (
    "--dtl-ink: #e6edf3; --dtl-soft: #9fabb8; --dtl-paper: #14181e; --dtl-grid: #3b444f;"
    "--dtl-source: #6cb6ff; --dtl-target: #ff9b5e"
)
PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>Slider</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>:root {{{light}}} @media (prefers-color-scheme: dark) {{:root {{{dark}}}}}
body {{margin: 0 auto; padding: 1rem; max-width: 46rem; background: var(--dtl-paper); color: var(--dtl-ink);
font: 1rem/1.6 "Noto Sans KR", "Noto Sans CJK KR", sans-serif}} .far {{height: 4000px}}</style>
<main><h1>{lang}</h1>{body}</main><script type="module" src="afm-host.js"></script></html>"""


# A notebook's half of the conversation, without a notebook: `model` answers nothing by itself.
NOTEBOOK = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Notebook</title>
<link rel="icon" href="data:,"><div id="cell"></div><script type="module">
import sweep from "./sweep.js";
const frame = (i) => ({ svg: `<svg role="img" aria-label="" viewBox="0 0 9 9"><path d="M0 0h${i}"/></svg>`,
  ko: `값 ${i}`, en: `value ${i}` });
const state = { label: { ko: "무게", en: "weight" }, predict: {}, lang: "", ticks: ["a", "b", "c"],
  frames: [frame(0), null, null], index: 0, error: {}, link: "", tasks: [] }, listeners = {};
window.sent = [];
window.model = {
  get: (name) => state[name],
  set(name, value) { state[name] = value; listeners[`change:${name}`]?.(); },
  save_changes() { sent.push(state.index); },
  on: (event, callback) => { listeners[event] = callback; },
  off: (event) => { delete listeners[event]; },
};
window.computed = (i) => model.set("frames", state.frames.map((old, j) => (i === j ? frame(i) : old)));
window.leave = sweep.render({ model, el: document.querySelector("#cell") });
window.listening = () => Object.keys(listeners).length;
</script></html>"""


@pytest.fixture(scope="module")
def pages(pressed, site):
    """One page a language: a slider, the same slider again, and far below another one."""
    folder, address = site
    shutil.copy(ROOT / "book/theme/static/afm-host.js", folder)
    shutil.copy(ROOT / "code/dtlbook/labs/sweep.js", folder)
    for lang in ("ko", "en"):
        notebook = nbformat.from_dict(json.loads(json.dumps(pressed)))
        to_static_html(notebook, lang)
        first, again, other = (cell.outputs[0].data["text/html"] for cell in notebook.cells[1:])
        body = f'{first}{again}<p class="far">…</p>{other}'
        html = PAGE.format(lang=lang, body=body, light=LIGHT, dark=DARK)
        (folder / f"{lang}.html").write_text(html, encoding="utf-8")
    broken = first.replace('"_esm":"', '"_esm":"throw new Error(0);')
    (folder / "broken.html").write_text(PAGE.format(lang="en", body=broken, light="", dark=""), encoding="utf-8")
    (folder / "kernel.html").write_text(NOTEBOOK, encoding="utf-8")
    return address


@pytest.fixture(params=["ko", "en"])
def lang(request):
    return request.param


@pytest.fixture
def open_page(chromium, pages):
    """Opens a page; at the end there must have been no error and no request to elsewhere."""
    contexts, errors = [], []

    def open_(name, wait=".dtl-widget[data-mounted] svg", **options):
        context = chromium.new_context(**{"locale": "en-GB", **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: message.type in ("error", "warning") and errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda r: r.url.startswith((pages, "data:", "blob:")) or errors.append(r.url))
        page.goto(f"{pages}/{name}.html")
        page.wait_for_selector(wait)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not errors


def sentence(lam, lang):
    return describe(lam, run(lam))[lang]


def shown(page):
    """What the first slider shows: value, sentence, name and drawing of the picture."""
    widget = page.locator(".dtl-sweep").first
    svg = widget.locator(".dtl-stage svg")
    return (
        widget.locator("output").text_content(),
        widget.locator("p[aria-live]").text_content(),
        svg.get_attribute("aria-label"),
        svg.inner_html(),
    )


def test_keyboard(open_page, lang):
    page = open_page(lang)
    slider = page.get_by_role("slider").first
    before = shown(page)
    assert before[:3] == ("0.3", sentence(0.3, lang), sentence(0.3, lang))
    slider.focus()
    slider.press("ArrowRight")
    after = shown(page)
    assert after[:3] == ("1", sentence(1, lang), sentence(1, lang))
    assert after[3] != before[3], "the picture must change"
    assert slider.get_attribute("aria-valuetext") == f"1. {sentence(1, lang)}"
    slider.press("Home")
    assert shown(page)[0] == "0"


def test_mouse(open_page, lang):
    page = open_page(lang)
    before = shown(page)
    box = page.get_by_role("slider").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    after = shown(page)
    assert after[:2] == ("1", sentence(1, lang)) and after[3] != before[3]
    page.locator(".dtl-ticks span").first.click(force=True, position={"x": 0, "y": 8})
    assert shown(page)[0] == "0"


def test_buttons_step_and_keep_the_focus(open_page):
    page = open_page("en")
    forward = page.get_by_role("button", name="Next value").first
    forward.click()
    assert shown(page)[0] == "1" and forward.is_disabled()
    assert page.evaluate("document.activeElement.type") == "range"
    page.get_by_role("button", name="Previous value").first.click()
    assert shown(page)[0] == "0.3"


def test_names_in_the_language_of_the_page(open_page, lang):
    page = open_page(lang)
    label = {"ko": "λ, 도메인 혼동의 무게", "en": "λ, the weight of domain confusion"}[lang]
    assert page.get_by_label(label).first.get_attribute("type") == "range"
    assert page.get_by_text({"ko": "먼저 예상해 보자.", "en": "What do you expect?"}[lang]).first.is_visible()
    assert page.get_by_role("button", name={"ko": "이전 값", "en": "Previous value"}[lang]).first.is_visible()
    assert page.get_by_text(label).first.is_visible()
    assert page.locator(".dtl-still").count() == 1, "the far one's"


def test_two_views_of_one_slider_move_together(open_page):
    page = open_page("en")
    page.get_by_role("slider").first.press("ArrowRight")
    assert page.locator("output").all_text_contents()[:2] == ["1", "1"]


def test_a_far_slider_is_mounted_when_the_reader_comes_near(open_page):
    page = open_page("en")
    assert page.get_by_role("slider").count() == 2
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function("document.querySelectorAll('[data-mounted]').length === 3")
    page.get_by_role("slider").nth(2).press("End")
    assert page.locator("output").all_text_contents() == ["0.3", "0.3", "1"], "another slider, for itself"


def test_nothing_moves_when_the_picture_changes(open_page):
    page = open_page("en", viewport={"width": 320, "height": 700})
    height = "document.querySelector('.dtl-sweep').getBoundingClientRect().height"
    heights = set()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        page.get_by_role("slider").first.press(key)
        heights.add(page.evaluate(height))
    assert len(heights) == 1


def test_a_phone_is_wide_enough(open_page, lang):
    page = open_page(lang, viewport={"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    sizes = page.evaluate("""[...document.querySelectorAll('.dtl-stage text')].map(
        (text) => parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getScreenCTM().a)""")
    assert min(sizes) >= 9.5, "legible without zooming"


def test_paper_shows_every_value(open_page, lang):
    page = open_page(lang, wait="[data-mounted]")
    page.emulate_media(media="print")
    page.wait_for_function("document.querySelectorAll('[data-mounted]').length === 3")
    prints = page.locator(".dtl-sweep").first.locator(".dtl-prints figure")
    captions = prints.locator("figcaption").all_text_contents()
    assert len(captions) == 3
    assert all(text.endswith(sentence(lam, lang)) for text, lam in zip(captions, [0, 0.3, 1], strict=True))
    assert prints.locator("svg").count() == 3 and not page.get_by_role("slider").first.is_visible()
    page.emulate_media(media="screen")
    page.wait_for_function("!document.querySelector('.dtl-prints figure')")
    assert shown(page)[0] == "0.3"


def test_printing_right_away_prints_all(open_page):
    """Also of a slider that the reader has not come near."""
    page = open_page("en")
    page.wait_for_timeout(300)
    page.evaluate("""new MutationObserver(() => {
        window.most = Math.max(window.most ?? 0, document.querySelectorAll(".dtl-prints svg").length);
    }).observe(document.body, { childList: true, subtree: true })""")
    page.pdf()
    assert page.evaluate("window.most") == 9
    assert shown(page)[0] == "0.3" and page.locator(".dtl-prints svg").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1000])
def test_accessible(open_page, lang, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(lang, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.get_by_role("slider").first.press("End")
    results = axe.run(page)
    assert results.violations_count == 0, results.generate_report()


def test_dark_page_recolours_the_picture(open_page):
    fill = "getComputedStyle(document.querySelector('.dtl-stage svg path')).fill"
    assert open_page("en", color_scheme="light").evaluate(fill) == "rgb(255, 255, 255)"
    assert open_page("en", color_scheme="dark").evaluate(fill) == "rgb(20, 24, 30)"


def test_without_scripts_the_still_stands(open_page, lang):
    page = open_page(lang, wait=".dtl-still", java_script_enabled=False)
    still = page.locator(".dtl-still").first
    assert still.locator("svg").is_visible() and still.locator("figcaption").count() == 1
    assert sentence(0.3, lang) in still.locator("figcaption").text_content()


def test_a_module_that_fails_leaves_the_still_and_a_sentence(chromium, pages):
    page = chromium.new_page()
    logged = []
    page.on("console", lambda message: logged.append(message.text))
    page.goto(f"{pages}/broken.html")
    page.wait_for_selector("[data-failed]")
    assert page.get_by_role("status").text_content().startswith("This figure could not be made interactive")
    assert page.locator(".dtl-still svg").is_visible() and any("widget:" in text for text in logged)
    page.close()


def test_with_a_kernel_a_new_value_is_asked_for_once_and_waited_for(open_page):
    page = open_page("kernel", wait=".dtl-stage svg")
    slider, said, stage = page.get_by_role("slider"), page.locator("p[aria-live]"), page.locator(".dtl-stage")
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    assert said.text_content() == "Computing…" and stage.get_attribute("aria-busy") == "true"
    assert said.get_attribute("aria-live") == "polite" and stage.locator("path").get_attribute("d") == "M0 0h0"
    page.wait_for_function("sent.length")
    assert page.evaluate("sent") == [2], "the value passed by is not computed"
    page.evaluate("computed(2)")
    assert said.text_content() == "value 2" and stage.get_attribute("aria-busy") == "false"
    assert stage.locator("path").get_attribute("d") == "M0 0h2"


def test_jupyterlab_leaves_the_keys_to_the_controls(open_page):
    """In its command mode it takes the arrow keys from whatever has the focus, unless the element itself says no."""
    page = open_page("kernel", wait=".dtl-stage svg")
    controls = page.locator(".dtl-sweep :is(input, button)")
    assert controls.evaluate_all("all => all.every((c) => c.hasAttribute('data-lm-suppress-shortcuts'))")
    assert controls.count() == 3


def test_with_a_kernel_an_error_is_a_sentence(open_page):
    page = open_page("kernel", wait=".dtl-stage svg")
    page.get_by_role("slider").press("ArrowRight")
    page.wait_for_function("sent.length")
    page.evaluate("model.set('error', { index: 1, why: 'ValueError: no data' })")
    said = page.locator("p[aria-live]")
    assert said.text_content().startswith("This value could not be computed (ValueError: no data).")
    page.evaluate("model.set('error', {}); model.set('index', 0)")
    assert said.text_content() == "value 0" and page.get_by_role("slider").input_value() == "0"


def test_a_notebook_follows_the_language_of_the_browser_or_the_author(open_page):
    page = open_page("kernel", wait=".dtl-stage svg", locale="ko-KR")
    assert page.get_by_label("무게").count() == 1
    page.evaluate("leave()")
    assert page.evaluate("listening()") == 0, "leaving takes the listeners along"
