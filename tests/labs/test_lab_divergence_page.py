"""The divergence lab in a page with no kernel, moved by mouse and keyboard."""

from lab_page import by_keyboard_and_mouse, lab_pages, number, opener, output, pictures, readout, readouts

pages = lab_pages("from dtlbook.labs import divergence_lab\ndivergence_lab()")
open_page = opener()


def test_every_slider_changes_what_is_found(open_page):
    page = open_page()
    before = readouts(page)
    assert by_keyboard_and_mouse(page) == [] == by_keyboard_and_mouse(page, picture=1)
    assert all(a != b for a, b in zip(before[:3], readouts(page), strict=False)) or readouts(page)[2] == "2.00"
    assert f"PAD is {readout(page, 'PAD')}." in page.locator(".dtl-status").text_content()
    page.get_by_role("button", name="Start again").click()
    assert readouts(page) == before


def test_every_class_and_another_seed(open_page):
    page = open_page(fragment="#divergence?dx=1&spread=2")
    seen = [(readouts(page), pictures(page))]
    for family in ("thresholds", "discs"):
        page.get_by_label("Hypothesis class").select_option(family)
        seen.append((readouts(page), pictures(page)))
    page.get_by_role("spinbutton").fill("7")
    page.get_by_role("spinbutton").press("Enter")
    seen.append((readouts(page), pictures(page)))
    assert (
        len({str(one) for one, _ in seen})
        == 4
        == len({pair[0] for _, pair in seen})
        == len({pair[1] for _, pair in seen})
    )
    assert seen[1][0][4] == "0.69" and seen[2][0][4] == "no formula"


def test_handles_move_and_spread_the_target(open_page):
    page = open_page(viewport={"width": 900, "height": 1400}, fragment="#divergence?dx=0")
    box = page.locator("canvas").first.bounding_box()
    scale = min(box["width"] / 12, box["height"] / 8)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 2 * scale, y - scale, steps=3)
    page.mouse.up()
    assert output(page, "Target moved to the right") == "−2" and output(page, "Target moved upwards") == "1"
    page.mouse.move(x - 0.4 * scale, y - scale)
    page.mouse.down()
    page.mouse.move(x + 1.2 * scale, y - scale, steps=3)
    page.mouse.up()
    assert output(page, "Spread") == "2"


def test_situations_end_where_their_texts_say(open_page):
    page = open_page("ko")
    page.get_by_role("button", name="이렇게 맞추기: 2").click()
    half_planes = number(page, "d̂H = 2(1 − 합)")
    page.get_by_label("가설 클래스").select_option("discs")
    assert half_planes < 1.1 and number(page, "d̂H = 2(1 − 합)") > 1.3
    page.get_by_role("button", name="같은 분포").click()
    assert readout(page, "분포의 dH") == "0.00" and page.locator("[aria-pressed=true]").count() == 1
