"""The ADDA lab in a page with no kernel: both stages are trained, and moved by mouse, keyboard and link."""

import pytest
from frames import scroll_to
from lab_page import axe_finds, lab_pages, number, opener, output, pictures, readout

pages = lab_pages("from dtlbook.labs import adda_lab\nadda_lab()")
open_page = opener()


def press(page, *names):
    for name in names:
        page.get_by_role("button", name=name, exact=True).press("Enter")


def train(page, until):
    press(page, "Train")
    page.wait_for_function(
        "(text) => document.querySelector('[role=status]').textContent.includes(text)", arg=until, timeout=60_000
    )


def said(page):
    return page.locator("[role=status]").text_content()


def test_both_stages_train_to_the_end_with_a_stop_where_something_is_over(open_page):
    page = open_page()
    drawn = pictures(page)
    train(page, "Stage 1 is over")
    assert readout(page, "Step") == "1000 / 3500" and readout(page, "Stage") == "2"
    first = number(page, "Target accuracy")
    train(page, "head start of D is over")
    assert readout(page, "Step") == "1500 / 3500" and number(page, "Target accuracy") == first
    train(page, "Stage 2 is over")
    assert readout(page, "Step") == "3500 / 3500" and number(page, "Target accuracy") > 0.85 > first
    assert number(page, "Source accuracy") > 0.95
    assert all(old != new for old, new in zip(drawn, pictures(page), strict=True)), "every picture moves"
    assert "Stage 2, step 3500" in page.get_by_role("img", name="Feature space").get_attribute("aria-label")
    press(page, "Start again")
    assert readout(page, "Step") == "0 / 3500" and readout(page, "Ly") == "–" and readout(page, "Stage") == "1"


def test_one_step_moves_one_player_after_the_other(open_page):
    page = open_page(fragment="#adda?head=1")
    press(page, "One step")
    assert readout(page, "Step") == "1 / 3001" and readout(page, "Ly") != "–"
    press(page, "To stage 2")
    assert "Stage 1 is over" in said(page) and page.get_by_role("button", name="To stage 2").is_disabled()
    seen = []
    for words in ("head start of D is over", "D has moved. Mt is next", "Mt has moved. D is next"):
        press(page, "One step")
        assert words in said(page) and "inverted labels" in said(page)
        seen.append((readout(page, "LM"), readout(page, "Mean target logit")))
    assert readout(page, "Step") == "1002 / 3001" and len(set(seen)) == 3


def test_where_d_is_sure_the_two_gradients_part(open_page):
    page = open_page(reduced_motion="reduce")
    press(page, "D is sure: minimax", "To stage 2")
    train(page, "head start of D is over")
    inverted, minimax = (number(page, f"Gradient, {name}") for name in ("inverted", "minimax"))
    assert minimax < 0.01 * inverted and number(page, "Mean target logit") > 5
    loss = readout(page, "LM")
    page.get_by_role("checkbox").press("Space")
    assert readout(page, "LM") != loss and readout(page, "Step") == "3000 / 5000", "the run goes on"


@pytest.mark.parametrize("name", ["Rotation", "Shift", "Steps of D", "λ, M"])
def test_each_slider_by_keyboard_and_by_mouse(open_page, name):
    page = open_page()
    slider = page.get_by_role("slider", name=name)
    press(page, "One step")
    before, drawn = slider.get_attribute("aria-valuetext"), pictures(page)
    slider.press("ArrowRight")
    after = slider.get_attribute("aria-valuetext")
    assert after != before
    if name != "λ, M":  # λ acts on the run as it goes
        assert pictures(page) != drawn and readout(page, "Step").startswith("0 /")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    assert slider.get_attribute("aria-valuetext") not in (before, after)


def test_every_other_control(open_page):
    page = open_page()
    page.locator("summary").press("Enter")
    for name in ("Share of class 1", "Hidden width"):
        before = pictures(page), output(page, name)
        page.get_by_role("slider", name=name).press("ArrowRight")
        assert pictures(page) != before[0] and output(page, name) != before[1], name
    page.get_by_role("slider", name="Learning rate μ").press("End")
    assert output(page, "Learning rate μ") == "0.1"
    page.get_by_label("Updates of stage 2").select_option("sgd")
    before = pictures(page)
    page.get_by_role("spinbutton").fill("7")
    page.get_by_role("spinbutton").press("Enter")
    assert pictures(page) != before
    page.get_by_role("slider", name="Steps a frame").press("End")
    assert output(page, "Steps a frame") == "40"


def test_the_korean_page_has_the_same_controls(open_page):
    page = open_page("ko")
    page.locator("summary").press("Enter")
    sliders = page.locator("input[type=range]")
    assert sliders.count() == 8
    for slider in sliders.all():
        before = slider.get_attribute("aria-valuetext")
        slider.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") != before
    press(page, "처음부터", "2단계로", "한 걸음")
    assert "D가 움직였다. Mt는 아직 기다린다." in said(page)
    press(page, "D와 함께 출발")
    assert readout(page, "걸음") == "0 / 3000"


def test_situations_experiments_and_links(open_page):
    page = open_page()
    page.get_by_role("button", name="Set it up: 2").click()
    assert page.get_by_role("button", name="D is sure: minimax").get_attribute("aria-pressed") == "true"
    assert page.get_by_role("checkbox").is_checked() and output(page, "Shift") == "5"
    press(page, "Make a link")
    fragment = page.evaluate("location.hash")
    assert fragment == (
        "#adda?minimax=1&optimizer=sgd&head=2000&lam=0.03&rotation=0&shift=5&share=0.5&rate=0.1&width=16&seed=0"
    )
    assert pictures(open_page(fragment=fragment)) == pictures(page)
    page.get_by_role("button", name="Set it up: 3").click()
    page.locator("summary").click()
    assert output(page, "Share") == "90 %"


def test_bad_values_are_refused_in_a_sentence_and_the_lab_goes_on(open_page):
    page = open_page(fragment="#adda?lam=NaN&rotation=60&head=-1&optimizer=<b>")
    alert = page.get_by_role("alert")
    assert alert.text_content().count("is not a possible value") == 3 and "lam=NaN" in alert.text_content()
    assert alert.is_visible() and "<b>" not in page.inner_html(".dtl-refused") and output(page, "Rotation") == "60°"
    page.locator("summary").click()
    page.get_by_role("spinbutton").fill("-1")
    page.get_by_role("spinbutton").press("Enter")
    assert "Not a possible value, so it was left as it was: Seed." in alert.text_content()
    press(page, "One step")
    assert readout(page, "Step") == "1 / 3500"


@pytest.mark.parametrize("lang, scheme, width", [("ko", "dark", 320), ("en", "light", 1000)])
def test_accessible_and_narrow_enough(open_page, lang, scheme, width):
    page = open_page(lang, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.locator("summary").click()
    for name in {"ko": ("2단계로", "한 걸음"), "en": ("To stage 2", "One step")}[lang]:
        page.get_by_role("button", name=name, exact=True).click()
    assert not axe_finds(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    name = {"ko": "D 혼자 먼저 걷는 걸음", "en": "Steps of D alone"}[lang]
    assert page.get_by_label(name).get_attribute("type") == "range"


def test_out_of_view_it_sleeps(open_page):
    page = open_page(viewport={"width": 900, "height": 600})
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<p class=far></p>')")
    page.get_by_role("slider", name="Steps a frame").press("Home")
    press(page, "Train")
    scroll_to(page, 1_000_000)
    page.wait_for_timeout(400)
    at = readout(page, "Step")
    page.wait_for_timeout(400)
    assert readout(page, "Step") == at
    scroll_to(page, 0)
    page.wait_for_function("(at) => document.querySelectorAll('dd')[1].textContent !== at", arg=at)


def test_on_paper_and_without_scripts_there_is_a_picture_and_a_sentence(open_page):
    page = open_page("ko", wait=".dtl-still", java_script_enabled=False)
    assert page.locator(".dtl-still svg").is_visible() and "2단계 뒤 0.9" in page.locator("figcaption").text_content()
    page = open_page()
    light = pictures(page)
    page.emulate_media(media="print")
    assert page.locator(".dtl-prints svg").is_visible() and page.locator("canvas:visible").count() == 0
    assert all(a != b for a, b in zip(light, pictures(open_page(color_scheme="dark")), strict=True))
