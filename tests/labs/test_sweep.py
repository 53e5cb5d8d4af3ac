"""The slider in Python: what is computed when, what is said when something is wrong."""

import matplotlib.pyplot as plt
import pytest
from lab_example import LABEL, VALUES, describe, draw, example, run

from dtlbook.labs import sweep


def counted(calls):
    def run_and_count(value):
        calls.append(value)
        return run(value)

    return run_and_count


def test_with_a_kernel_a_value_is_computed_when_first_visited():
    calls = []
    slider = sweep(VALUES, counted(calls), draw, label=LABEL, describe=describe)
    assert calls == [0] and slider.frames[1] is None
    slider.index = 2
    slider.index = 0
    slider.index = 2
    assert calls == [0, 1]
    assert slider.value == 1 and slider.result["gap"] == 0
    assert slider.frames[2]["ko"].startswith("λ가 1일 때") and "<svg" in slider.frames[2]["svg"]


def test_in_the_press_all_are_computed_at_once(monkeypatch):
    monkeypatch.setenv("DTLBOOK_PRESS", "1")
    assert all(example().frames)


def test_it_reads_short_and_always_the_same():
    assert repr(example()) == "Sweep(λ, the weight of domain confusion: 0, 0.3, 1)"


def test_mime_types(monkeypatch):
    data, _ = example()._repr_mimebundle_()
    assert set(data) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
    assert data["text/plain"] == repr(example())
    monkeypatch.setenv("DTLBOOK_PRESS", "1")
    html = example(index=1)._repr_mimebundle_()[0]["text/html"]
    assert html.count("<svg") == 1 and 'aria-hidden="true"' in html and "aria-label" not in html
    assert '<figcaption lang="ko">' in html and "&amp;" in html and "0.3." in html


def test_no_figure_is_left_open():
    example().index = 1
    assert not plt.get_fignums()


def test_names_of_values():
    slider = sweep([-0.5, 1e-3, 10, "all"], lambda v: run(0), draw, label=LABEL, describe=describe)
    assert slider.ticks == ["−0.5", "0.001", "10", "all"]


def broken_at_1(value):
    if value == 1:
        raise RuntimeError("the loss is not a number.\nmore")
    return run(value)


def test_an_error_for_the_page_is_a_sentence_and_another_visit_tries_again():
    slider = sweep(VALUES, broken_at_1, draw, label=LABEL, describe=describe)
    slider.set_state({"index": 2})
    assert slider.error == {"index": 2, "why": "RuntimeError: the loss is not a number"}
    slider.set_state({"index": 1})
    assert slider.error == {} and slider.frames[1]
    slider.set_state({"index": 2})
    assert slider.error["index"] == 2


def test_an_error_for_python_is_raised():
    slider = sweep(VALUES, broken_at_1, draw, label=LABEL, describe=describe)
    with pytest.raises(RuntimeError):
        slider.index = 2


def test_an_error_in_the_press_stops_it(monkeypatch):
    monkeypatch.setenv("DTLBOOK_PRESS", "1")
    with pytest.raises(RuntimeError):
        sweep(VALUES, broken_at_1, draw, label=LABEL, describe=describe)


def growing(result):
    return plt.figure(figsize=(5 - result["gap"], 2))


@pytest.mark.parametrize(
    "change, error, words",
    [
        ({"values": []}, ValueError, "at least one value"),
        ({"values": [0, 1, 0.0]}, ValueError, "0 comes more than once"),
        ({"index": 3}, ValueError, "from 0 to 2, and is 3"),
        ({"index": "1"}, ValueError, "integer from 0 to 2"),
        ({"label": {"ko": "λ"}}, ValueError, "label must have a text in ko and in en, and lacks en"),
        ({"label": "λ"}, TypeError, "label must be a dict"),
        ({"predict": {"en": "What?"}}, ValueError, "predict must have .* lacks ko"),
        ({"describe": lambda value, result: "so"}, TypeError, r"describe\(\) must be a dict"),
        ({"draw": lambda result: None}, TypeError, r"draw\(\) must return a matplotlib Figure, and returned None"),
        ({"lang": "fr"}, ValueError, "languages ko and en"),
    ],
)
def test_bad_input_is_answered_in_a_sentence(change, error, words):
    arguments = {"values": VALUES, "run": run, "draw": draw, "label": LABEL, "describe": describe, **change}
    with pytest.raises(error, match=words) as caught:
        sweep(arguments.pop("values"), arguments.pop("run"), arguments.pop("draw"), **arguments)
    assert "\n" not in str(caught.value)


def test_figures_of_different_sizes_are_refused():
    slider = sweep(VALUES, run, growing, label=LABEL, describe=describe)
    with pytest.raises(ValueError, match="figures of one size"):
        slider.index = 1


def test_index_out_of_range_later():
    with pytest.raises(ValueError, match="from 0 to 2"):
        example().index = 7


def test_language_may_be_fixed(monkeypatch):
    assert example().lang == ""
    monkeypatch.setenv("DTLBOOK_LANG", "ko")
    assert example().lang == "ko" and example(lang="en").lang == "en"


def test_colab_is_told_of_the_widget(monkeypatch):
    """anywidget switches Colab's custom widgets on; should it cease to, this book must."""
    import sys
    import types

    from anywidget import _util

    told = []
    colab = types.SimpleNamespace(
        enable_custom_widget_manager=lambda: told.append(True), _widgets=types.SimpleNamespace(_installed_url=None)
    )
    monkeypatch.setitem(sys.modules, "google.colab.output", colab)
    _util.enable_custom_widget_manager_once.cache_clear()
    example()
    assert told
