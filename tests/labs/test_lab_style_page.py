"""The style lab in a page with no kernel, moved by mouse, keyboard and link."""

from lab_page import lab_pages, number, opener, output, pictures, readout

pages = lab_pages("from dtlbook.labs import style_lab\nstyle_lab()")
open_page = opener()


def test_every_slider_changes_the_pictures(open_page):
    page = open_page()
    for name in ("α, share", "Size b", "Image x, which", "Image x′"):
        slider, before = page.get_by_role("slider", name=name), (output(page, name), *pictures(page)[1:3])
        slider.press("ArrowRight" if name in ("α, share", "Size b") else "ArrowLeft")
        after = output(page, name), *pictures(page)[1:3]
        box = slider.bounding_box()
        page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
        last = output(page, name), *pictures(page)[1:3]
        assert all(a != b != c for a, b, c in zip(before, after, last, strict=True)), name
        page.get_by_role("button", name="Start again").click()
    page.get_by_role("slider", name="Size b").press("End")
    page.get_by_role("button", name="Start again").press("Enter")
    assert output(page, "Image x, which") == "6: coloured font 4" and readout(page, "Likeness to x") == "1.00"


def test_the_picture_moves_from_one_style_to_the_other(open_page):
    page = open_page()
    slider = page.get_by_role("slider", name="α, share")
    seen = [(pictures(page), readout(page, "To the style of x′"), readout(page, "To the style of x"))]
    for key in ("PageUp", "End"):
        slider.press(key)
        seen.append((pictures(page), readout(page, "To the style of x′"), readout(page, "To the style of x")))
    assert seen[0][1] == "0.00" == seen[2][2] and seen[0][1] < seen[1][1] < seen[2][1]
    assert seen[0][0][1] != seen[1][0][1] != seen[2][0][1], "the four pictures"
    assert seen[0][0][0] == seen[2][0][0], "the nine images stay"
    assert "α = 1, 3 channels" in page.locator(".dtl-status").text_content()
    assert "α = 1, 3 channels" in page.get_by_role("img", name="Content and style").get_attribute("aria-label")


def test_situations_experiments_and_link(open_page):
    page = open_page()
    page.get_by_role("button", name="Shape, too").click()
    assert output(page, "Size b") == "14" and readout(page, "Channels × places") == "588 × 4"
    assert number(page, "Likeness to x") < 0.7
    assert "only the 24 that move most" in page.locator(".dtl-screen").text_content()
    page.get_by_role("button", name="Set it up: 3").press("Enter")
    assert output(page, "Image x, which") == "9: photograph 7" and output(page, "Image x′") == "2: white font 3"
    assert int(readout(page, "Outside 0…1").split()[0]) > 30
    page.get_by_role("button", name="Make a link").click()
    fragment = page.evaluate("location.hash")
    assert fragment == "#style?content=9&style=2&alpha=0&block=1"
    assert pictures(open_page(fragment=fragment)) == pictures(page)


def test_bad_values_in_a_link_are_refused_in_a_sentence_and_the_lab_goes_on(open_page):
    page = open_page("ko", fragment="#style?block=3&alpha=NaN&content=4")
    said = page.get_by_role("alert")
    assert said.is_visible() and said.text_content().count("쓸 수 없는 값이 있어 무시했다") == 2
    assert output(page, "콘텐츠를 주는 그림") == "4: 색 글꼴 6" and output(page, "칸의 크기") == "1"
