"""What holds of every lab: settings known alike in Python and JavaScript, links, weight, accessibility, paper."""

import gzip
import importlib
import math
import re
from functools import partial

import pytest
import traitlets
from engine import engine
from lab_page import axe_finds, lab_pages, opener, pictures
from lab_runs import STEPS, invented

LABS = {  # name -> the files of its numbers
    "margin": ["moons_run", "margin_training"],
    "shift": ["shift_model"],
    "style": ["style_mixing"],
    "divergence": ["divergence_model"],
    "freeze": ["freeze_model"],
}


@pytest.fixture(scope="module", params=LABS)
def lab(request):
    """(name, its Python module, the function that makes it, its JavaScript without a page)."""
    name = request.param
    python = importlib.import_module(f"dtlbook.labs.{name}")
    with engine("core", "settings", *LABS[name]) as js:
        make = getattr(importlib.import_module("dtlbook.labs"), f"{name}_lab")
        yield name, python, partial(make, STEPS, invented()) if name == "freeze" else make, js


def test_python_and_javascript_know_the_same_settings(lab):
    _, python, make, js = lab
    limits = js.run("LIMITS")
    known = {
        name: tuple(v["choices"]) if "choices" in v else (v["least"], v["most"])
        for name, v in limits.items()
        if type(v["start"]) is not bool
    }
    assert known == {name: tuple(value) for name, value in python.LIMITS.items()}
    assert js.run("PRESETS") == python.PRESETS
    widget = make()
    for preset in python.PRESETS:
        assert js.run("settingsOf(preset)", preset=preset) == {name: getattr(make(preset), name) for name in limits}
    assert all(v["least"] <= min(v["stops"]) and max(v["stops"]) <= v["most"] for v in limits.values() if "stops" in v)
    assert {"link", "lang", *limits} <= set(widget.get_state())
    assert len(js.run("EXPERIMENTS.map((one) => settingsOf(...one))")) == 3


def test_a_link_is_read_as_it_was_written(lab):
    name, python, make, js = lab
    for preset in python.PRESETS:
        settings, text, read = js.run(
            "const s = settingsOf(preset);\n[s, writeFragment(s), readFragment(writeFragment(s))]", preset=preset
        )
        assert text.startswith(f"#{make().link}?") and read == {"given": settings, "refused": []}
    assert js.run("readFragment('#other?seed=1')") is None


def test_bad_values_are_refused(lab):
    name, python, make, js = lab
    for setting, (least, *_) in python.LIMITS.items():
        for text in ("NaN", "", "-1e9", "none"):
            read = js.run("readFragment('#' + link + '?' + part)", link=make().link, part=f"{setting}={text}")
            assert read == {"given": {}, "refused": [[setting, text]]}
        bad = "none" if isinstance(least, str) else -(10**9)
        widget = make()
        before = getattr(widget, setting)
        with pytest.raises(traitlets.TraitError, match=setting):
            setattr(widget, setting, bad)
        assert getattr(widget, setting) == before
        if isinstance(least, float):
            with pytest.raises(traitlets.TraitError, match=setting):
                make(**{setting: math.nan})
    for arguments, words in (
        ({"preset": "best"}, "preset must be one of"),
        ({"lang": "fr"}, "languages ko and en"),
        ({"speed": 3}, "not speed"),
    ):
        with pytest.raises(ValueError, match=words):
            make(**arguments)


def test_small_and_alone(lab):
    _, _, make, _ = lab
    script = make()._esm
    assert len(gzip.compress((script + make()._css).encode())) < 30 * 1024
    assert not re.search(r"^\s*import\b|\bimport\(|fetch\(|https?:", script, flags=re.MULTILINE)


def test_the_still_has_a_sentence_in_each_language(lab, monkeypatch):
    _, _, make, _ = lab
    assert "text/html" not in make()._repr_mimebundle_()[0]
    monkeypatch.setenv("DTLBOOK_PRESS", "1")
    html = make()._repr_mimebundle_()[0]["text/html"]
    assert html.count("<svg") == 1 and 'aria-hidden="true"' in html and "aria-label" not in html
    assert re.findall(r'<figcaption lang="(\w+)">', html) == ["ko", "en"]


# --- all of them in one page ----------------------------------------------------------------------------------
pages = lab_pages(
    "from dtlbook import labs\nfrom lab_runs import lab\nfrom IPython.display import display\n"
    + "\n".join("display(lab())" if name == "freeze" else f"display(labs.{name}_lab())" for name in LABS)
)
open_page = opener()


@pytest.mark.parametrize("lang, scheme, width", [("ko", "dark", 320), ("en", "light", 1000)])
def test_accessible_and_narrow_enough(open_page, lang, scheme, width):
    page = open_page(lang, color_scheme=scheme, viewport={"width": width, "height": 800})
    for box in page.locator(".dtl-widget").all():
        box.scroll_into_view_if_needed()
    page.wait_for_function("!document.querySelector('.dtl-widget:not([data-mounted])')")
    for summary in page.locator("summary").all():
        summary.press("Enter")
    assert not axe_finds(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    other = re.compile("[가-힣]") if lang == "en" else re.compile(r"\b(the|of|and|is)\b")
    assert not other.search(page.locator("body").inner_text())
    taken = "all => all.every((c) => c.hasAttribute('data-lm-suppress-shortcuts'))"
    assert page.locator(".dtl-lab :is(input, select, button, summary)").evaluate_all(taken)


def test_on_paper_and_without_scripts_there_is_a_picture_and_a_sentence(open_page):
    page = open_page("ko", wait=".dtl-still", java_script_enabled=False)
    assert page.locator(".dtl-still svg:visible").count() == len(LABS) == page.locator("figcaption:visible").count()
    page = open_page()
    page.emulate_media(media="print")
    page.wait_for_function("!document.querySelector('.dtl-widget:not([data-mounted])')")
    assert page.locator(".dtl-prints svg:visible").count() == len(LABS) and page.locator("canvas:visible").count() == 0


def test_dark_page_recolours_the_pictures(open_page):
    light, dark = (pictures(open_page(color_scheme=scheme)) for scheme in ("light", "dark"))
    assert all(a != b for a, b in zip(light, dark, strict=True))


def test_a_bad_link_is_refused_in_a_sentence_and_the_lab_goes_on(open_page):
    for name in LABS:
        page = open_page(fragment=f"#{name}?nothing=-1&constructor=2")
        box = page.locator(".dtl-widget").nth(list(LABS).index(name))
        said = box.locator("[role=alert]").text_content()
        assert "nothing=-1" in said and "constructor=2" in said and box.locator("[role=alert]").is_visible()
        box.get_by_role("slider").first.press("ArrowRight")
        assert box.locator("[role=alert]").text_content() == ""
