"""The margin lab in a page with no kernel: it trains, and is moved by mouse, keyboard and link."""

from lab_page import lab_pages, number, opener, output, pictures, readout

pages = lab_pages("from dtlbook.labs import margin_lab\nmargin_lab()")
open_page = opener()


def test_play_trains_to_the_end_and_says_how_it_ended(open_page):
    page = open_page(reduced_motion="reduce")  # the quickest
    before, drawn = readout(page, "Target accuracy"), pictures(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function(
        "document.querySelector('[role=status]').textContent.startsWith('Step 2000.')", timeout=60_000
    )
    assert readout(page, "Target accuracy") != before and number(page, "Target accuracy") > 0.75
    assert readout(page, "Step") == "2000 / 2000"
    assert all(old != new for old, new in zip(drawn, pictures(page), strict=True)), "every picture moves"
    assert "Mean distance of pairs" in page.get_by_role("img", name="Feature space").get_attribute("aria-label")


def test_controls_that_act_on_the_run_as_it_goes(open_page):
    page = open_page()
    page.get_by_role("button", name="One step").press("Enter")
    for name in ("α, weight", "Margin m"):
        before = output(page, name)
        page.get_by_role("slider", name=name).press("ArrowRight")
        assert output(page, name) != before and readout(page, "Step") == "1 / 2000", name
    assert "margin m = 2" in page.locator(".dtl-arrows").text_content()
    page.get_by_role("button", name="Start again").press("Enter")
    assert readout(page, "Step") == "0 / 2000" and readout(page, "LC") == "–"


def test_controls_that_begin_another_run(open_page):
    page = open_page()
    page.locator("summary").press("Enter")
    for name in ("Labelled target", "Rotation"):
        page.get_by_role("button", name="One step").click()
        drawn, before = pictures(page)[0], output(page, name)
        box = page.get_by_role("slider", name=name).bounding_box()
        page.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
        assert output(page, name) != before and pictures(page)[0] != drawn and readout(page, "Step") == "0 / 2000"
    drawn = pictures(page)
    page.get_by_role("spinbutton").fill("7")
    page.get_by_role("spinbutton").press("Enter")
    assert pictures(page)[0] != drawn[0]
    for name in ("Steps a frame", "Learning rate"):
        page.get_by_role("slider", name=name).press("Home")
        assert output(page, name) in ("1", "0.001")


def test_another_pair_by_slider_and_by_mouse(open_page):
    page = open_page()
    told = page.locator(".dtl-arrows").text_content()
    page.get_by_role("slider", name="Target point of the pair").press("End")
    assert output(page, "Target point of the pair") == "6 (1)" and page.locator(".dtl-arrows").text_content() != told
    before = pictures(page)[1]
    page.get_by_role("slider", name="Source point of the pair").press("End")
    assert output(page, "Source point of the pair").startswith("80 ") and pictures(page)[1] != before
    before = [output(page, f"{name} point of the pair") for name in ("Source", "Target")]
    page.get_by_role("img", name="Feature space").click(position={"x": 20, "y": 20})
    assert [output(page, f"{name} point of the pair") for name in ("Source", "Target")] != before
    page.get_by_role("slider", name="Labelled target").press("Home")
    assert output(page, "Target point of the pair")[0] in "12", "a point that is no longer there is left"


def test_situations_experiments_and_link(open_page):
    page = open_page()
    page.get_by_role("button", name="Target turned by 180°").click()
    assert output(page, "Rotation") == "180°"
    assert page.get_by_role("button", name="Target turned").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Set it up: 2").press("Enter")
    assert output(page, "α, weight") == "1" and output(page, "Margin m") == "0" and output(page, "Rotation") == "60°"
    page.get_by_role("button", name="Make a link").click()
    fragment = page.evaluate("location.hash")
    assert fragment == "#margin?alpha=1&margin=0&labels=3&rotation=60&rate=0.03&seed=0"
    assert pictures(open_page(fragment=fragment)) == pictures(page)


def test_bad_values_in_a_link_are_refused_in_a_sentence_and_the_lab_goes_on(open_page):
    page = open_page(fragment="#margin?alpha=NaN&margin=-1&rotation=90&labels=2.5")
    said = page.get_by_role("alert")
    assert said.is_visible() and said.text_content().count("is not a possible value") == 3
    assert output(page, "Rotation") == "90°" and output(page, "α, weight") == "0.25"
    page.get_by_role("button", name="One step").click()
    assert readout(page, "Step") == "1 / 2000"
