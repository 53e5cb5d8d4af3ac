"""The freeze lab in a page with no kernel, moved by mouse and keyboard."""

from lab_page import by_keyboard_and_mouse, lab_pages, opener, output, pictures, readout, readouts

pages = lab_pages("from lab_runs import lab\nlab()")
open_page = opener()


def test_both_sliders_change_pictures_and_numbers(open_page):
    page = open_page()
    before = readouts(page)
    assert by_keyboard_and_mouse(page) == [] == by_keyboard_and_mouse(page, picture=1)
    assert readouts(page) != before
    assert f"Target accuracy {readout(page, 'Target accuracy')}," in page.locator(".dtl-status").text_content()
    page.get_by_role("button", name="Start again").click()
    assert readouts(page) == before


def test_another_source_and_the_situations(open_page):
    page = open_page("ko")
    before = readouts(page), pictures(page)
    page.get_by_label("소스", exact=True).select_option("upright")
    assert all(a != b for a, b in zip(before, (readouts(page), pictures(page)), strict=True))
    page.get_by_role("button", name="레이블을 모두").click()
    assert output(page, "숫자마다 레이블의 수") == "모두(60쯤)" and output(page, "동결한 블록의 수") == "0"
    page.get_by_role("button", name="이렇게 맞추기: 3").click()
    assert output(page, "동결한 블록의 수") == "4" and page.locator("[aria-pressed=true]").text_content() == "좁은 소스"


def test_a_number_of_labels_that_was_not_run_is_refused(open_page):
    page = open_page(fragment="#freeze?labels=3&frozen=2")
    assert "labels=3" in page.get_by_role("alert").text_content() and output(page, "Frozen blocks") == "2"
