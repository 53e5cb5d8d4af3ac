"""The freeze lab without a page: what its texts say, on the runs of chapter 3 made anew; what it reads off runs; bad runs."""

import re

import numpy as np
import pytest
from engine import engine
from lab_example import ROOT
from lab_runs import STEPS, invented

from dtlbook.labs import freeze_lab

FROZEN = range(5)


@pytest.fixture(scope="module")
def js():
    with engine("core", "settings", "freeze_model") as one:
        yield one


@pytest.fixture(scope="module")
def chapter():
    """The lab over the runs that its texts speak of, by the chapter's own cells; other numbers of labels stand in."""
    pytest.importorskip("torch")
    text = (ROOT / "book/03_finetuning.md").read_text(encoding="utf-8")
    cells = [
        re.sub(r"^---\n.*?\n---\n", "", cell, count=1, flags=re.DOTALL)
        for cell in re.findall(r"```\{code-cell\} ipython3\n(.*?)```\n", text, re.DOTALL)
    ]
    of = {
        word: next(cell for cell in cells if word in cell) for word in ("def fresh(", "def ways(", "def from_narrow(")
    }
    names: dict = {}
    exec(cells[0], names)
    exec(of["def fresh("], names)
    exec(of["def ways("].split("\ncurves = ")[0], names)
    for labels in (1, None):
        names["ways"](labels)
    exec(of["def from_narrow("].split("\nlost = ")[0], names)
    for frozen in (0, 4):
        names["from_narrow"](None, frozen)
    seen = names["seen"]
    known = lambda s, m, n: seen.get((s, m, n)) or seen.get(("upright", None, n)) or seen["upright", None, 4]  # noqa: E731
    keys = invented()
    return freeze_lab(names["MOMENTS"], {(s, m, n): known(s, m, n) for s, m, n in keys})


@pytest.fixture(scope="module")
def of(js, chapter):
    code = "ending(runs, settingsOf(preset, given))"
    return lambda preset, **given: js.run(code, runs=chapter.runs, preset=preset, given=given)


# --- what the texts say ---------------------------------------------------------------------------------------
def test_first_experiment_with_one_label_freezing_helps_and_the_images_learned_from_do_not_tell(js, of):
    assert js.run("EXPERIMENTS") == [["few"], ["all"], ["narrow"]]
    frozen, free = of("few"), of("few", frozen=0)
    assert frozen["accuracy"] - free["accuracy"] > 0.05 and frozen["own"] > 0.99 < free["own"]


def test_second_experiment_with_all_labels_freezing_costs(of):
    free, frozen = of("all"), of("all", frozen=4)
    assert free["accuracy"] - frozen["accuracy"] > 0.01 and abs(frozen["gain"]) < 0.03


def test_third_experiment_a_source_that_threw_away_what_is_needed(of):
    assert of("narrow")["gain"] < -0.08 and abs(of("narrow", frozen=0)["gain"]) < 0.02


# --- numbers --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("source, labels, frozen", [("broad", 1, 3), ("upright", 60, 0)])
def test_what_is_shown_is_what_was_measured(js, source, labels, frozen):
    curves = invented()
    given = {"source": source, "labels": labels, "frozen": frozen}
    end = js.run("ending(runs, given)", runs=freeze_lab(STEPS, curves).runs, given=given)
    key = None if labels == 60 else labels
    last = {n: np.array(curves[source, key, n])[-1] for n in FROZEN}
    scratch = np.array(curves["scratch", key, 0])[-1, 0].mean()
    close = {"abs": 1e-4}
    assert end["accuracy"] == pytest.approx(last[frozen][0].mean(), **close)
    assert end["spread"] == pytest.approx(last[frozen][0].std(ddof=1), **close)
    assert end["own"] == pytest.approx(last[frozen][1].mean(), **close)
    assert end["gain"] == pytest.approx(last[frozen][0].mean() - scratch, **close)
    assert end["each"] == pytest.approx([last[n][0].mean() for n in FROZEN], **close)
    assert end["best"] == int(np.argmax(end["each"]))


@pytest.mark.parametrize("change, words", [
    (lambda curves: curves.pop(("broad", None, 2)), r"lacks the run \('broad', None, 2\)"),
    (lambda curves: curves.update({("broad", 1, 0): [[[0.5, 0.6]] * 2]}), r"must be finite numbers \[3, 2, seeds\]"),
    (lambda curves: curves.update({("scratch", 1, 0): [[[0.5, float("nan")]] * 2] * 3}), "finite numbers"),
])  # fmt: skip
def test_bad_runs_are_answered_in_a_sentence(change, words):
    curves = invented()
    change(curves)
    with pytest.raises(ValueError, match=words) as caught:
        freeze_lab(STEPS, curves)
    assert "\n" not in str(caught.value)


def test_settings_are_shared_with_the_page():
    widget = freeze_lab(STEPS, invented(), "all")
    assert (widget.source, widget.labels, widget.frozen) == ("broad", 60, 0)
    widget.set_state({"frozen": 2, "measured": {"accuracy": 0.5}})
    assert widget.frozen == 2 and widget.measured == {"accuracy": 0.5}
    with pytest.raises(Exception, match="labels must be one of 1, 2, 5, 20, 60, not 3"):
        widget.labels = 3
