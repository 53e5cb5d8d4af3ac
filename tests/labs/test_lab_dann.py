"""The DANN lab without a page: what its texts say is so, one seed is one run, and Python and JavaScript know the same settings."""

import gzip
import math
import re

import pytest
import traitlets
from engine import engine

from dtlbook.labs import DannLab, dann_lab
from dtlbook.labs import dann as lab

SEEDS = range(3)
WHOLE = """const run = new DannRun(settingsOf(preset, given));
for (let i = 0; i < STEPS; i++) run.advance();
run.history"""


@pytest.fixture(scope="module")
def js():
    with engine(*lab.COMPUTING) as one:
        yield one


@pytest.fixture(scope="module")
def ends(js):
    """What a whole run ends with, over the seeds: a dict of lists. Each run is made once."""
    known = {}

    def of(preset, **given):
        key = preset, *sorted(given.items())
        if key not in known:
            histories = [js.run(WHOLE, preset=preset, given={**given, "seed": seed}) for seed in SEEDS]
            known[key] = {name: [history[name][-1] for history in histories] for name in histories[0]}
        return known[key]

    return of


# --- what the texts say ---------------------------------------------------------------------------------------
def test_first_experiment_adaptation_raises_target_accuracy_and_leaves_the_source(js, ends):
    assert js.run("settingsOf(...EXPERIMENTS[0])") == js.run("settingsOf('lambda-0')")
    without, adapted = ends("lambda-0"), ends("rotated")
    for a, b in zip(without["target_accuracy"], adapted["target_accuracy"], strict=True):
        assert 0.6 < a < 0.8 and b > 0.85
    assert min(without["source_accuracy"] + adapted["source_accuracy"]) > 0.95
    assert all(b < a for a, b in zip(without["proxy_a_distance"], adapted["proxy_a_distance"], strict=True))


@pytest.mark.parametrize("lam", [0, 1])
def test_second_experiment_moons_that_change_places_look_alike_and_are_all_wrong(js, ends, lam):
    assert js.run("settingsOf(...EXPERIMENTS[1])") == js.run("settingsOf('lambda-0', { rotation: 180 })")
    swapped = ends("lambda-0", rotation=180, lam=lam)
    assert max(swapped["target_accuracy"]) < 0.05 and min(swapped["source_accuracy"]) > 0.95
    assert max(map(abs, swapped["proxy_a_distance"])) < 0.3


def test_third_experiment_under_label_shift_adaptation_hurts_both_domains(js, ends):
    assert js.run("settingsOf(...EXPERIMENTS[2])") == js.run("settingsOf('label-shift', { lam: 0 })")
    without, adapted = ends("label-shift", lam=0), ends("label-shift")
    assert min(without["target_accuracy"] + without["source_accuracy"]) > 0.95
    assert max(adapted["target_accuracy"] + adapted["source_accuracy"]) < 0.9


def test_a_lambda_too_large_costs_the_source(ends):
    assert max(ends("lambda-large")["source_accuracy"]) < 0.9
    assert min(ends("lambda-large", lam=1)["source_accuracy"]) > 0.95, "it is λ that does it, not the rate"


# --- runs --------------------------------------------------------------------------------------------------
SHORT = "const run = new DannRun(settingsOf('rotated', { seed }));\nfor (let i = 0; i < 50; i++) run.advance();\n"


def test_one_seed_is_one_run(js):
    state = SHORT + "[run.history, run.nets.f.theta, run.nets.d.velocity]"
    first = js.run(state, seed=3)
    with engine(*lab.COMPUTING) as other:
        assert other.run(state, seed=3) == first
    assert js.run(state, seed=4) != first


def test_looking_does_not_change_the_run(js):
    looked = SHORT.replace("run.advance();", "{ run.measure(); run.gradientsAt(1, 2); run.advance(); }")
    end = "run.nets.f.theta"
    assert js.run(looked + end, seed=1) == js.run(SHORT + end, seed=1)


def test_a_step_is_that_of_the_paper(js):
    """First update, no momentum yet: θ − μ (∂L_y − λ∂L_d) for θ_f, the schedules at p = 0 and at p = 1."""
    code = """const run = new DannRun(settingsOf("rotated", { scheduled: false, lam: 2 }));
    const before = Float64Array.from(run.nets.f.theta);
    run.advance();
    const { gradient, theta } = run.nets.f;
    [theta.every((t, i) => t === before[i] - 0.03 * gradient[i]), gradient.some((g) => g !== 0), run.lam, run.rate]"""
    assert js.run(code) == [True, True, 2, 0.03]
    ends = """const run = new DannRun(settingsOf("rotated")), at = (step) => { run.step = step; return [run.lam, run.rate]; };
    [at(0), at(STEPS - 1), at(2 * STEPS)]"""
    first, last, later = js.run(ends)
    assert first == [0, 0.03] and last == later and last[0] == pytest.approx(2 / (1 + math.exp(-10)) - 1)
    assert last[1] == pytest.approx(0.03 / 11**0.75)


def test_target_labels_are_never_looked_at(js):
    blind = SHORT.replace(";\n", ";\nrun.target.y.fill(0); run.targetTest.y.fill(0);\n", 1)
    assert js.run(blind + "run.nets.f.theta", seed=1) == js.run(SHORT + "run.nets.f.theta", seed=1)


@pytest.mark.parametrize("domain", [0, 1])
def test_arrows_are_the_gradients_at_the_feature(js, domain):
    """By differences of the two losses; the reversed arrow is −λ times the other."""
    code = """const g = run.gradientsAt(domain, 5), h = 1e-6, sign = domain ? -1 : 1, label = run.source.y[5];
    const at = (du, dv) => Float64Array.of(g.f[0] + du, g.f[1] + dv);
    const Ld = (f) => softplus(sign * run.domainLogit(f)[0]), Ly = (f) => softplus((label ? -1 : 1) * run.labelLogit(f)[0]);
    const slope = (L) => [(L(at(h, 0)) - L(at(-h, 0))) / (2 * h), (L(at(0, h)) - L(at(0, -h))) / (2 * h)];
    [g.domain, slope(Ld), g.label, slope(Ly), g.reversed, run.lam]"""
    domain_gradient, by_difference, label, label_difference, turned, lam = js.run(SHORT + code, seed=2, domain=domain)
    assert domain_gradient == pytest.approx(by_difference, rel=1e-5, abs=1e-8) and any(domain_gradient)
    assert label == ([0, 0] if domain else pytest.approx(label_difference, rel=1e-5, abs=1e-8))
    assert turned == pytest.approx([-lam * g for g in domain_gradient]) and lam > 0


def test_weight():
    assert len(gzip.compress((DannLab._esm + DannLab._css).encode())) < 30 * 1024


# --- settings -------------------------------------------------------------------------------------------------
def test_python_and_javascript_know_the_same_settings(js):
    limits = js.run("LIMITS")
    assert {name: (v["least"], v["most"]) for name, v in limits.items() if "least" in v} == lab.LIMITS
    assert js.run("PRESETS") == lab.PRESETS
    widget = dann_lab()
    assert {name: getattr(widget, name) for name in limits} == js.run("settingsOf('rotated')")
    assert set(limits) == {*lab.LIMITS, "scheduled"}
    assert all(v["least"] <= min(v["stops"]) and max(v["stops"]) <= v["most"] for v in limits.values() if "stops" in v)


def test_a_link_is_read_as_it_was_written(js):
    code = "const s = settingsOf('lambda-large', { rotation: -12.5, seed: 9 });\n[s, readFragment(writeFragment(s))]"
    settings, read = js.run(code)
    assert read == {"given": settings, "refused": []}
    assert js.run("readFragment('#sec-dann-why')") is None


@pytest.mark.parametrize("part", [
    "lam=NaN", "lam=-1", "lam=101", "lam=", "lam", "lam=Infinity", "rotation=1e9", "width=2.5", "width=0", "seed=-1",
    "scheduled=2", "scheduled=true", "share=0", "rate=0", "constructor=1", "x=1",
])  # fmt: skip
def test_bad_parts_of_a_link_are_named_and_the_rest_is_used(js, part):
    read = js.run("readFragment('#dann?' + part + '&seed=4')", part=part)
    name, _, text = part.partition("=")
    assert read == {"given": {"seed": 4}, "refused": [[name, text]]}


@pytest.mark.parametrize("code, words", [
    ("settingsOf('best')", "a preset must be one of rotated, .*not best"),
    ("settingsOf('rotated', { lam: NaN })", "lam cannot be NaN"),
    ("settingsOf('rotated', { speed: 1 })", "speed cannot be 1"),
])  # fmt: skip
def test_bad_settings_are_refused_in_javascript(js, code, words):
    with pytest.raises(ValueError, match=words):
        js.run(code)


@pytest.mark.parametrize("name, value", [
    ("lam", math.nan), ("lam", -0.1), ("lam", "1"), ("rotation", 181), ("share", 1.0), ("rate", 0.0), ("width", 0), ("seed", -1),
])  # fmt: skip
def test_bad_settings_are_refused_in_python(name, value):
    widget = dann_lab()
    before = getattr(widget, name)
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(widget, name, value)
    assert getattr(widget, name) == before
    with pytest.raises(traitlets.TraitError, match=name):
        dann_lab(**{name: value})


@pytest.mark.parametrize("arguments, words", [
    ({"preset": "best"}, "preset must be one of rotated, .* not 'best'"),
    ({"lang": "fr"}, "languages ko and en"),
    ({"speed": 3}, "not speed"),
])  # fmt: skip
def test_bad_arguments_are_answered_in_a_sentence(arguments, words):
    with pytest.raises(ValueError, match=words) as caught:
        dann_lab(**arguments)
    assert "\n" not in str(caught.value)


def test_lam_and_history_are_shared_with_the_page():
    widget = dann_lab("label-shift", lam=0.3)
    assert (widget.lam, widget.rotation, widget.share) == (0.3, 0, 0.9)
    widget.set_state({"lam": 0.5, "history": {"step": [25]}})  # what the page sends
    assert widget.lam == 0.5 and widget.history == {"step": [25]}
    assert {"lam", "history", "seed"} <= set(widget.get_state())


def test_the_module_imports_nothing_and_asks_for_nothing():
    assert not re.search(r"^\s*import\b|\bimport\(|fetch\(|https?:", DannLab._esm, flags=re.MULTILINE)


def test_the_still_is_a_real_run(js, monkeypatch):
    widget = dann_lab(lam=0, seed=1)
    assert "text/html" not in widget._repr_mimebundle_()[0]
    monkeypatch.setenv("DTLBOOK_PRESS", "1")
    html = widget._repr_mimebundle_()[0]["text/html"]
    end = js.run(WHOLE, preset="lambda-0", given={"seed": 1})
    for word in ("Target accuracy", "타깃 정확도"):
        assert (
            f"{word} {end['target_accuracy'][-1]:.2f}" in html
            or f"{word.lower()} {end['target_accuracy'][-1]:.2f}" in html
        )
    assert html.count("<svg") == 1 and 'aria-hidden="true"' in html and "aria-label" not in html
    assert re.findall(r'<figcaption lang="(\w+)">', html) == ["ko", "en"]
