"""The slider in real notebooks: recomputing, and made ready for the page."""

import json

import nbformat
import pytest
from lab_example import executed

from press.widgets import STATE, VIEW, to_static_html


def test_moving_the_index_recomputes():
    notebook = executed(
        "slider = example()\nslider",
        "print([frame is not None for frame in slider.frames], slider.result['gap'])",
        "slider.index = 2\nprint([frame is not None for frame in slider.frames], slider.result['gap'])",
    )
    assert notebook.cells[1].outputs[0].data["text/plain"] == "Sweep(λ, the weight of domain confusion: 0, 0.3, 1)"
    assert "text/html" not in notebook.cells[1].outputs[0].data
    assert notebook.cells[2].outputs[0].text == "[True, False, False] 3\n"
    assert notebook.cells[3].outputs[0].text == "[True, False, True] 0\n"


def test_the_press_gets_all_frames_and_no_stray_output(pressed):
    for cell in pressed.cells[1:]:
        assert [output.output_type for output in cell.outputs] == ["execute_result"]
    states = [model["state"] for model in pressed.metadata.widgets[STATE]["state"].values() if "_esm" in model["state"]]
    assert len(states) == 2 and all(all(state["frames"]) for state in states)


def test_figures_are_vector_in_the_press_only():
    draw = "from lab_example import *\nfrom dtlbook.figures import use_style\nuse_style()\ndraw(run(0));"
    for press, expected in ((True, {"image/svg+xml", "text/plain"}), (False, {"image/png", "text/plain"})):
        (output,) = executed("%matplotlib inline\n" + draw, press=press).cells[1].outputs
        assert set(output.data) == expected
        assert output.data["text/plain"].startswith("<Figure size")


def static(notebook, lang):
    page = nbformat.from_dict(json.loads(json.dumps(notebook)))
    to_static_html(page, lang)
    return page


@pytest.mark.parametrize("lang, other", [("ko", "en"), ("en", "ko")])
def test_page(pressed, lang, other):
    page = static(pressed, lang)
    first, again, second = (cell.outputs[0].data["text/html"] for cell in page.cells[1:])
    assert "widgets" not in page.metadata and not any(VIEW in cell.outputs[0].data for cell in page.cells[1:])
    assert f'<figcaption lang="{lang}">' in first and f'lang="{other}"' not in first
    assert STATE in first and STATE not in again and STATE in second, "state once for each model"
    assert first.split(">")[0] == again.split(">")[0] != second.split(">")[0]
    assert first.count("<script") == first.count("</script>") == 1
    assert '"_esm":"@w' in second and '"_css":"@w' in second, "module and style once a page"
    state = json.loads(first.split(">", 2)[2].split("</script>")[0])["state"]
    (model,) = state.values()
    known = {"_esm", "_css", "label", "predict", "lang", "ticks", "frames", "index", "error", "link", "tasks"}
    assert set(model["state"]) == known


def test_page_is_the_same_each_time(pressed):
    renamed = json.dumps(pressed)
    for model_id in pressed.metadata.widgets[STATE]["state"]:
        renamed = renamed.replace(model_id, model_id[::-1])
    assert static(pressed, "ko") == static(json.loads(renamed, object_hook=nbformat.NotebookNode), "ko")


def test_a_widget_that_needs_a_kernel_is_refused():
    notebook = executed("import ipywidgets\nipywidgets.IntSlider()", press=True)
    with pytest.raises(ValueError, match=r"cell 2, 'ipywidgets.IntSlider\(\)': .* cannot show a IntSlider;"):
        to_static_html(notebook, "ko")


def test_a_widget_without_state_is_refused(pressed):
    notebook = nbformat.from_dict(json.loads(json.dumps(pressed)))
    notebook.metadata.pop("widgets")
    with pytest.raises(ValueError, match="no state of its widget"):
        to_static_html(notebook, "en")
