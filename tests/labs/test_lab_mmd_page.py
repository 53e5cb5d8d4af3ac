"""The MMD lab in a page with no kernel: samples are moved by mouse, finger, keyboard and link, and DDC trains."""

import pytest
from frames import scroll_to
from lab_page import axe_finds, lab_pages, number, opener, output, readout

END = "document.querySelector('[role=status]').textContent.startsWith('Step 2000.')"
pages = lab_pages("from dtlbook.labs import mmd_lab\nmmd_lab()")
open_page = opener(".dtl-widget[data-mounted] canvas:visible")


def pictures(page):
    """Those that can be seen."""
    return page.evaluate(
        "[...document.querySelectorAll('canvas')].filter((c) => c.clientWidth).map((c) => c.toDataURL())"
    )


def numbers(page):
    return [readout(page, name) for name in ("MMD², biased", "MMD², unbiased", "p-value")]


def test_dragging_moves_the_target_and_everything_follows(open_page):
    page = open_page()
    before, drawn = numbers(page), pictures(page)
    assert len(drawn) == 2 and before == ["0.084", "0.064", "0.004"]
    plane = page.get_by_role("img", name="Two samples")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    x, y = box["x"] + box["width"] * 7 / 12, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 6, y - box["width"] / 12, steps=5)
    page.mouse.up()
    across, up = (float(output(page, f"Centre of the target, {way}")) for way in ("across", "up"))
    assert 2.7 < across < 3.4 and 0.8 < up < 1.3
    assert readout(page, "p-value") == "0.002" and number(page, "MMD², unbiased") > 0.5
    assert all(old != new for old, new in zip(drawn, pictures(page), strict=True))
    assert "p-value 0.002" in page.get_by_role("img", name="Null distribution").get_attribute("aria-label")


@pytest.mark.parametrize("name", ["Centre of the target, across", "Centre of the target, up", "Spread", "Points of"])
def test_each_slider_by_keyboard_and_by_mouse(open_page, name):
    page = open_page()
    slider = page.get_by_role("slider", name=name)
    slider.scroll_into_view_if_needed()
    seen = [(numbers(page), pictures(page))]
    slider.press("ArrowRight")
    seen.append((numbers(page), pictures(page)))
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    seen.append((numbers(page), pictures(page)))
    for (old, old_pictures), (new, new_pictures) in zip(seen, seen[1:], strict=False):
        assert old != new and all(a != b for a, b in zip(old_pictures, new_pictures, strict=True))


def test_kernel_bandwidth_and_new_samples(open_page):
    page = open_page()
    slider, median = page.get_by_role("slider", name="Bandwidth"), page.get_by_role("checkbox")
    assert output(page, "Bandwidth") == "median" and median.is_checked()
    before = numbers(page)
    slider.press("Home")
    assert not median.is_checked() and output(page, "Bandwidth") == "0.05" == slider.get_attribute("aria-valuetext")
    assert readout(page, "σ now") == "0.05" and numbers(page) != before
    median.press("Space")
    assert numbers(page) == before and output(page, "Bandwidth") == "median"
    page.get_by_label("Kernel").select_option("linear")
    assert readout(page, "σ now") == "–" and numbers(page) != before
    before = numbers(page), pictures(page)
    page.get_by_role("button", name="Draw new samples").press("Enter")
    assert numbers(page) != before[0] and pictures(page) != before[1]


def test_ddc_trains_to_the_end_and_lambda_acts_as_it_goes(open_page):
    page = open_page()
    page.get_by_role("button", name="DDC, λ = 0").press("Enter")
    assert page.get_by_role("button", name="DDC, λ = 0").get_attribute("aria-pressed") == "true"
    drawn = pictures(page)
    assert len(drawn) == 4 and not page.get_by_role("button", name="Draw new samples").is_visible()
    page.get_by_role("button", name="Train", exact=True).press("Enter")
    assert page.get_by_role("button", name="Pause", exact=True).is_visible()
    page.wait_for_function("document.querySelectorAll('dd')[4].textContent !== '0 / 2000'")
    page.get_by_role("slider", name="λ, the weight").press("End")
    assert output(page, "λ, the weight") == "30" and not readout(page, "Step").startswith("0 ")
    page.wait_for_function(END, timeout=60_000)
    assert readout(page, "Step") == "2000 / 2000" and number(page, "PAD") < 0.6
    assert all(old != new for old, new in zip(drawn, pictures(page), strict=True))
    page.get_by_role("button", name="Start again").press("Enter")
    assert readout(page, "Step") == "0 / 2000" and readout(page, "Ly") == "–"
    page.get_by_role("button", name="One step").press("Enter")
    assert readout(page, "Step") == "1 / 2000"
    page.get_by_role("slider", name="Rotation").press("ArrowRight")
    assert readout(page, "Step") == "0 / 2000" and output(page, "Rotation") == "35°"


def test_the_korean_page_has_the_same_controls(open_page):
    page = open_page("ko")
    for view, count in (("samples", 5), ("ddc", 5)):
        page.get_by_label("그림", exact=True).select_option(view)
        sliders = page.locator("input[type=range]:visible")
        assert sliders.count() == count
        for slider in sliders.all():
            before = slider.get_attribute("aria-valuetext")
            slider.press("ArrowLeft")
            assert slider.get_attribute("aria-valuetext") != before
    page.get_by_role("button", name="한 걸음").press("Enter")
    assert readout(page, "걸음") == "1 / 2000" and "1걸음. 소스 정확도" in page.locator("[role=status]").text_content()
    page.get_by_role("button", name="이렇게 맞추기: 1").press("Enter")
    assert (
        page.locator("[role=status]").text_content().startswith("MMD² 치우친 추정값 0.0") and len(pictures(page)) == 2
    )


def test_a_situation_ends_where_it_says(open_page):
    page = open_page(fragment="#mmd?view=ddc&lam=10", reduced_motion="reduce")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function(END, timeout=60_000)
    assert number(page, "Target accuracy") > 0.9 and number(page, "Source accuracy") > 0.95


def test_experiments_set_the_lab_up(open_page):
    page = open_page()
    page.get_by_role("button", name="Set it up: 2").click()
    assert output(page, "Spread") == "2.5" and page.get_by_label("Kernel").input_value() == "linear"
    assert number(page, "p-value") > 0.05
    page.get_by_label("Kernel").select_option("rbf")
    assert number(page, "p-value") < 0.01
    page.get_by_role("button", name="Set it up: 3").click()
    assert page.get_by_label("Pictures").input_value() == "ddc" and output(page, "λ, the weight") == "0"


def test_a_link_carries_the_settings(open_page):
    page = open_page()
    page.get_by_role("button", name="Only the spread differs").click()
    page.locator("summary").press("Enter")
    page.get_by_role("button", name="Make a link").click()
    fragment = page.evaluate("location.hash")
    assert fragment.startswith("#mmd?view=samples&kernel=rbf&median=1&sigma=1&dx=0&dy=0&spread=2.5&size=40&lam=10")
    assert numbers(open_page(fragment=fragment)) == numbers(page)


def test_bad_values_are_refused_in_a_sentence_and_the_lab_goes_on(open_page):
    page = open_page(fragment="#mmd?sigma=-1&size=NaN&spread=2&kernel=<b>")
    alert = page.get_by_role("alert")
    assert alert.text_content().count("is not a possible value") == 3 and "sigma=-1" in alert.text_content()
    assert alert.is_visible() and "<b>" not in page.inner_html(".dtl-refused")
    assert output(page, "Spread") == "2" and output(page, "Bandwidth") == "median"
    page.locator("summary").click()
    page.get_by_role("spinbutton").fill("-1")
    page.get_by_role("spinbutton").press("Enter")
    assert "Not a possible value, so it was left as it was: Seed." in alert.text_content()
    before = numbers(page)
    page.get_by_role("spinbutton").fill("5")
    page.get_by_role("spinbutton").press("Enter")
    assert page.locator(".dtl-refused").text_content() == "" and numbers(page) != before


@pytest.mark.parametrize("lang, scheme, width", [("ko", "dark", 320), ("en", "light", 1000)])
@pytest.mark.parametrize("fragment", ["", "#mmd?view=ddc"])
def test_accessible_and_narrow_enough(open_page, lang, scheme, width, fragment):
    page = open_page(lang, fragment, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.locator("summary").click()
    assert not axe_finds(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    name = {"ko": "대역폭 σ", "en": "Bandwidth σ"}[lang]
    assert page.get_by_label(name).get_attribute("type") == "range"


def test_out_of_view_it_sleeps(open_page):
    page = open_page(fragment="#mmd?view=ddc", viewport={"width": 900, "height": 600})
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<p class=far></p>')")
    page.get_by_role("slider", name="Steps a frame").press("Home")
    page.get_by_role("button", name="Train", exact=True).click()
    scroll_to(page, 1_000_000)
    page.wait_for_timeout(400)
    at = readout(page, "Step")
    page.wait_for_timeout(400)
    assert readout(page, "Step") == at
    scroll_to(page, 0)
    page.wait_for_function("(at) => document.querySelectorAll('dd')[4].textContent !== at", arg=at)


def test_on_paper_and_without_scripts_there_is_a_picture_and_a_sentence(open_page):
    page = open_page("ko", wait=".dtl-still", java_script_enabled=False)
    assert page.locator(".dtl-still svg").is_visible() and "p값 0.004" in page.locator("figcaption").text_content()
    page = open_page()
    light = pictures(page)
    page.emulate_media(media="print")
    assert page.locator(".dtl-prints svg").is_visible() and page.locator("canvas:visible").count() == 0
    assert all(a != b for a, b in zip(light, pictures(open_page(color_scheme="dark")), strict=True))
