"""The DANN lab in a page with no kernel: it trains, and is moved by mouse, keyboard and link."""

import pytest
from frames import scroll_to
from lab_page import axe_finds, lab_pages, number, opener, output, pictures, readout

pages = lab_pages("from dtlbook.labs import dann_lab\ndann_lab()")
open_page = opener()


def test_play_trains_to_the_end_and_says_how_it_ended(open_page):
    page = open_page()
    before, drawn = readout(page, "Target accuracy"), pictures(page)
    page.get_by_role("button", name="Train", exact=True).click()
    pause = page.get_by_role("button", name="Pause", exact=True)
    assert pause.is_visible()
    page.wait_for_function(
        "document.querySelector('[role=status]').textContent.startsWith('Step 3000.')", timeout=60_000
    )
    assert readout(page, "Target accuracy") != before and number(page, "Target accuracy") > 0.85
    assert readout(page, "Step") == "3000 / 3000" and pause.count() == 0
    assert all(old != new for old, new in zip(drawn, pictures(page), strict=True)), "every picture moves"
    name = page.get_by_role("img", name="Feature space").get_attribute("aria-label")
    assert "Step 3000. Source accuracy 0." in name


def test_pause_step_and_reset(open_page):
    page = open_page()
    page.get_by_role("button", name="Train", exact=True).press("Enter")
    page.get_by_role("button", name="Pause", exact=True).press("Enter")
    at = int(readout(page, "Step").split()[0])
    page.get_by_role("button", name="One step").press("Enter")
    assert int(readout(page, "Step").split()[0]) == at + 1
    page.get_by_role("button", name="Start again").press("Enter")
    assert readout(page, "Step") == "0 / 3000" and readout(page, "Ly") == "–"


def test_lambda_by_keyboard_acts_on_the_run_as_it_goes(open_page):
    page = open_page()
    page.get_by_role("button", name="One step").click()
    slider = page.get_by_role("slider", name="λ, the weight")
    slider.press("ArrowRight")
    assert output(page, "λ, the weight") == "1.5" == slider.get_attribute("aria-valuetext")
    assert readout(page, "Step") == "1 / 3000", "the run goes on"
    before = page.locator(".dtl-arrow-f").text_content()
    page.get_by_role("checkbox").press("Space")
    assert readout(page, "λ now") == "1.50" and page.locator(".dtl-arrow-f").text_content() != before


def test_rotation_by_mouse_begins_another_run(open_page):
    page = open_page()
    page.get_by_role("button", name="One step").click()
    drawn = pictures(page)[0]
    box = page.get_by_role("slider", name="Rotation").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    assert output(page, "Rotation") == "180°" and readout(page, "Step") == "0 / 3000" and pictures(page)[0] != drawn


def test_every_other_control_changes_what_is_shown(open_page):
    page = open_page()
    page.locator("summary").press("Enter")
    for name in ("Share of class 1", "Learning rate", "Hidden width"):
        before = pictures(page)[:2], output(page, name), readout(page, "μ now")
        page.get_by_role("slider", name=name).press("ArrowRight")
        after = pictures(page)[:2], output(page, name), readout(page, "μ now")
        assert after[1] != before[1] and (after[0] != before[0] or after[2] != before[2]), name
    before = pictures(page)
    page.get_by_role("spinbutton").fill("7")
    page.get_by_role("spinbutton").press("Enter")
    assert pictures(page) != before
    page.get_by_role("slider", name="Steps a frame").press("End")
    assert output(page, "Steps a frame") == "40"
    page.get_by_role("slider", name="Point whose").press("End")
    assert "target has no labels" in page.locator(".dtl-arrow-y").text_content()
    point = output(page, "Point whose")
    page.get_by_role("img", name="Feature space").click(position={"x": 20, "y": 20})
    assert output(page, "Point whose") != point


def test_situations_and_experiments_set_the_lab_up(open_page):
    page = open_page()
    page.get_by_role("button", name="λ too large").click()
    assert output(page, "λ, the weight") == "30" and not page.get_by_role("checkbox").is_checked()
    assert page.get_by_role("button", name="λ too large").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Set it up: 2").click()
    assert output(page, "Rotation") == "180°" and output(page, "λ, the weight") == "0"
    assert page.locator("[aria-pressed=true]").count() == 0


def test_a_link_carries_the_settings(open_page):
    page = open_page()
    page.get_by_role("button", name="Label shift").click()
    page.get_by_role("button", name="Make a link").click()
    fragment = page.evaluate("location.hash")
    assert fragment == "#dann?lam=5&rotation=0&share=0.9&rate=0.03&width=16&seed=0&scheduled=1"
    other = open_page(fragment=fragment)
    assert pictures(other) == pictures(page) and output(other, "Share") == "90 %"


def test_a_link_opens_the_page_at_the_lab(open_page):
    far = "addEventListener('DOMContentLoaded', () => document.querySelector('main').style.paddingTop = '9000px')"
    page = open_page(fragment="#dann?lam=2", before=far)
    page.wait_for_function("scrollY > 8000")
    assert output(page, "λ, the weight") == "2"


def test_bad_values_in_a_link_are_refused_in_a_sentence_and_the_lab_goes_on(open_page):
    page = open_page(fragment="#dann?lam=NaN&rotation=60&width=1e9&<b>=2")
    said = page.get_by_role("alert").text_content()
    assert (
        said.count("is not a possible value") == 3
        and "lam=NaN" in said
        and "width=1e9" in said
        and "<b>" not in page.inner_html(".dtl-refused")
    )
    assert (
        page.get_by_role("alert").is_visible()
        and output(page, "Rotation") == "60°"
        and output(page, "λ, the weight") == "1"
    )
    page.get_by_role("button", name="One step").click()
    assert readout(page, "Step") == "1 / 3000"
    page.evaluate("location.hash = '#dann?lam=2'")
    page.wait_for_function("!document.querySelector('[role=alert]').textContent")
    assert output(page, "λ, the weight") == "2"


def test_an_impossible_seed_is_refused(open_page):
    page = open_page()
    page.locator("summary").click()
    page.get_by_role("spinbutton").fill("-1")
    page.get_by_role("spinbutton").press("Enter")
    assert "Not a possible value, so it was left as it was: Seed." in page.get_by_role("alert").text_content()
    assert page.get_by_role("spinbutton").input_value() == "0"


def test_out_of_view_it_sleeps(open_page):
    page = open_page(viewport={"width": 900, "height": 600})
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<p class=far></p>')")
    page.get_by_role("slider", name="Steps a frame").press("Home")
    page.get_by_role("button", name="Train", exact=True).click()
    scroll_to(page, 1_000_000)
    page.wait_for_timeout(400)
    at = readout(page, "Step")
    page.wait_for_timeout(400)
    assert readout(page, "Step") == at
    scroll_to(page, 0)
    page.wait_for_function("(at) => document.querySelector('dd').textContent !== at", arg=at)


def test_reduced_motion_is_trained_without_a_film(open_page):
    page = open_page(reduced_motion="reduce")
    page.evaluate("""window.drawings = 0;
        new MutationObserver(() => drawings++).observe(document.querySelector('dd'), { childList: true })""")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function(
        "document.querySelector('[role=status]').textContent.startsWith('Step 3000.')", timeout=60_000
    )
    assert page.evaluate("drawings") <= 8


@pytest.mark.parametrize("lang, scheme, width", [("ko", "dark", 320), ("en", "light", 1000)])
def test_accessible_and_narrow_enough(open_page, lang, scheme, width):
    page = open_page(lang, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.locator("summary").click()
    page.locator(".dtl-row button").nth(5).click()  # one step
    assert not axe_finds(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    name = {"ko": "λ, 도메인 혼동의 무게", "en": "λ, the weight of domain confusion"}[lang]
    assert page.get_by_label(name).get_attribute("type") == "range"


def test_dark_page_recolours_the_pictures(open_page):
    light, dark = (pictures(open_page(color_scheme=scheme)) for scheme in ("light", "dark"))
    assert all(a != b for a, b in zip(light, dark, strict=True))


def test_on_paper_and_without_scripts_there_is_a_picture_and_a_sentence(open_page):
    page = open_page("ko", wait=".dtl-still", java_script_enabled=False)
    assert (
        page.locator(".dtl-still svg").is_visible()
        and "3000걸음" in page.locator(".dtl-still figcaption").text_content()
    )
    page = open_page()
    page.emulate_media(media="print")
    assert page.locator(".dtl-prints svg").is_visible() and page.locator(".dtl-prints figcaption").is_visible()
    assert not page.get_by_role("button").first.is_visible() and page.locator("canvas:visible").count() == 0
