"""The sweeps of DANN, DDC and ADDA: real runs, what the texts say of them, and the page."""

import numpy as np
import pytest
from lab_page import axe_finds, lab_pages, opener

pytest.importorskip("torch")
from dtlbook.labs import method_sweeps, methods

QUICK = "from dtlbook.labs import methods\nmethods.tsne = lambda f, seed: f[:, :2]\n"


@pytest.fixture(scope="module")
def runs():
    """λ -> {method: Outcome}, as on the page but for the pictures. Each run is made once."""
    known = {}

    def of(lam):
        if lam not in known:
            pairs = {m: methods.networks_of(m, float(lam)) for m in methods.METHODS}
            known[lam] = {m: methods._measured(*networks, seed=0, plane=False) for m, networks in pairs.items()}
        return known[lam]

    return of


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(methods, "tsne", lambda f, seed: f[:, :2])


# --- what the texts say ---------------------------------------------------------------------------------------
def test_first_experiment_all_begin_alike_and_all_gain(runs):
    before, after = runs(0), runs(1)
    assert len({outcome[:3] for outcome in before.values()}) == 1
    for m in methods.METHODS:
        assert after[m].target_accuracy > before[m].target_accuracy + 0.15, m


def test_second_experiment_domain_error_does_not_tell_target_accuracy(runs):
    assert methods.LAMBDAS[methods.AT[1]] == 3
    assert runs(3)["DANN"].domain_error < 0.2 and runs(3)["DDC"].domain_error > 0.4
    for m in ("DANN", "DDC"):
        assert runs(3)[m].target_accuracy > runs(0)[m].target_accuracy + 0.15


def test_third_experiment_opponents_ruin_the_target_and_mmd_does_not(runs):
    assert methods.LAMBDAS[methods.AT[2]] == 10
    last = {m: o.target_accuracy for m, o in runs(10).items()}
    assert last["DANN"] < 0.5 and last["ADDA"] < 0.5 and last["DDC"] > 0.6
    assert runs(10)["ADDA"].source_accuracy == runs(0)["ADDA"].source_accuracy == runs(1)["ADDA"].source_accuracy


@pytest.mark.parametrize("method", ["DANN", "DDC", "ADDA"])
def test_without_strength_each_method_is_source_only(method):
    from dtlbook import data
    from dtlbook.torch import adda, dann, ddc, training

    pair, settings = data.pair(methods.PAIR), {"lam": 0.0, "steps": 30, "records": 1, "seed": 3}
    first = methods.networks_of(method, 0, seed=3, steps=30)[0]
    if method == "ADDA":
        networks = adda.adapt(first, *pair, width=4, **settings).networks
    else:
        networks = {"DANN": dann, "DDC": ddc}[method].train(*pair, **settings).networks
    x = pair[1].x_test
    np.testing.assert_allclose(training.logits(networks, x), training.logits(first, x), atol=1e-5)


# --- the widget -----------------------------------------------------------------------------------------------
def test_lam_and_history_from_python(quick):
    lab = method_sweeps(steps=2)
    assert lab.history["lam"] == [0] and lab.lam == 0
    lab.lam = 3
    assert lab.index == 4 and lab.value == 3 and lab.history["lam"] == [0, 3]
    assert lab.history["DDC"]["target_accuracy"][-1] == lab.result["DDC"].target_accuracy
    assert lab.result["ADDA"].source_accuracy == lab.history["ADDA"]["source_accuracy"][0]
    assert set(lab.history) == {"lam", *methods.METHODS}
    for wrong in (2, float("nan"), -1):
        with pytest.raises(ValueError, match="lam must be one of 0, 0.1"):
            lab.lam = wrong
    assert repr(lab) == "MethodSweeps(strength λ: 0, 0.1, 0.3, 1, 3, 10)"


pages = lab_pages(QUICK + "methods.method_sweeps(steps=2)")
open_page = opener()
READY = ".dtl-widget[data-mounted] svg"


def told(page):
    return page.locator(".dtl-said p").first.text_content()


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_slider_buttons_and_experiments(open_page, lang):
    page = open_page(lang, wait=READY)
    value, drawn = page.locator("output"), page.locator(".dtl-stage").inner_html()
    slider = page.get_by_role("slider")
    slider.press("ArrowRight")
    assert value.text_content() == "0.1" and page.locator(".dtl-stage").inner_html() != drawn
    before = told(page)
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    assert value.text_content() == "10" and told(page) != before and told(page).count("ADDA") == 1
    for i, lam in enumerate(("0", "3", "10")):
        page.locator("ol button").nth(i).press("Enter")
        assert value.text_content() == lam
    page.get_by_role("button", name={"ko": "처음으로", "en": "Back to the start"}[lang]).click()
    assert value.text_content() == "0" and told(page).count("DANN") == 1


def test_a_link_carries_the_value_and_bad_ones_are_refused(open_page):
    page = open_page(wait=READY)
    page.get_by_role("button", name="Set it up: 2").click()
    page.get_by_role("button", name="Make a link").click()
    assert page.evaluate("location.hash") == "#methods?value=3"
    assert "holds this value" in page.locator(".dtl-told").text_content()
    other = open_page(fragment="#methods?value=3", wait=READY)
    assert other.locator("output").text_content() == "3"
    bad = open_page(fragment="#methods?value=NaN&<b>=2", wait=READY)
    said = bad.get_by_role("alert")
    assert said.is_visible() and "value=NaN" in said.text_content() and said.locator("b").count() == 0
    assert bad.locator("output").text_content() == "0"
    bad.get_by_role("slider").press("ArrowRight")
    assert bad.locator("output").text_content() == "0.1" and not said.is_visible()


@pytest.mark.parametrize("lang, scheme, width", [("ko", "dark", 320), ("en", "light", 1000)])
def test_accessible_and_narrow_enough(open_page, lang, scheme, width):
    page = open_page(lang, color_scheme=scheme, viewport={"width": width, "height": 800}, wait=READY)
    assert not axe_finds(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_every_value_is_printed(open_page):
    page = open_page(wait=READY)
    page.emulate_media(media="print")
    page.wait_for_selector(".dtl-prints svg")
    assert page.locator(".dtl-prints svg:visible").count() == len(methods.LAMBDAS)
    still = open_page("ko", wait=".dtl-still", java_script_enabled=False)
    assert still.locator(".dtl-still svg").is_visible()
