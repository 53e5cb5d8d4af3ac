"""The shift lab in a page with no kernel, moved by mouse, finger and keyboard."""

from lab_page import by_keyboard_and_mouse, lab_pages, number, opener, output, pictures, readout

pages = lab_pages("from dtlbook.labs import shift_lab\nshift_lab()")
open_page = opener()


def test_every_slider_moves_the_target(open_page):
    page = open_page()
    before = readout(page, "Target accuracy")
    assert by_keyboard_and_mouse(page) == []
    assert readout(page, "Target accuracy") != before and readout(page, "P(X)").startswith("differs 0.")
    assert page.locator(".dtl-status").text_content().startswith("Source accuracy 0.9")
    page.get_by_role("button", name="Start again").click()
    assert readout(page, "P(X)") == "the same" and output(page, "Size") == "×1"


def test_every_choice_changes_what_is_shown(open_page):
    page = open_page(fragment="#shift?rotation=60")
    for name, value, changes in (
        ("What moves", "labels", "P(X)"),
        ("Answers of the target", "three", "𝒴"),
        ("Inputs of the target", "line", "𝒳"),
    ):
        before = readout(page, changes), pictures(page)
        page.get_by_label(name).select_option(value)
        assert (readout(page, changes), pictures(page)) != before and readout(page, changes) != before[0], name
    assert readout(page, "Target accuracy") == "–"
    page.locator("summary").nth(1).press("Enter")
    before = pictures(page)
    page.get_by_role("spinbutton").fill("7")
    page.get_by_role("spinbutton").press("Enter")
    assert pictures(page) != before


def test_handles_move_and_turn_the_target(open_page):
    page = open_page(viewport={"width": 900, "height": 1400})
    box = page.locator("canvas").bounding_box()
    scale = min(box["width"] / 10, box["height"] / 6.8)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + scale, y - 2 * scale, steps=3)
    page.mouse.up()
    assert output(page, "Shift to the right") == "1" and output(page, "Shift upwards") == "2"
    page.mouse.move(x + 3 * scale, y - 2 * scale)
    page.mouse.down()
    page.mouse.move(x + scale, y + scale, steps=3)
    page.mouse.up()
    assert output(page, "Rotation") == "−90°" and output(page, "Size") == "×1.5"
    page.mouse.click(x - 3 * scale, y)
    assert output(page, "Shift to the right") == "1", "away from the handles nothing is taken hold of"


def test_cases_are_answered_only_when_opened(open_page):
    page = open_page()
    page.get_by_role("button", name="C", exact=True).click()
    assert output(page, "Share") == "90 %" and not page.get_by_text("Label shift:").is_visible()
    page.get_by_text("Which of the four").press("Enter")
    assert page.get_by_text("Label shift:").is_visible() and readout(page, "P(X|Y)") == "the same"
    page.get_by_role("button", name="Set it up: 2").click()
    assert page.get_by_text("Concept shift:").is_visible() and number(page, "Target accuracy") < 0.1
