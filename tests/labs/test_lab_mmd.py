"""The MMD lab without a page: its numbers are those of dtlbook, what its texts say is so, Python and JavaScript know the same settings."""

import gzip
import math
import re

import numpy as np
import pytest
import traitlets
from engine import engine

from dtlbook import mmd
from dtlbook.labs import MmdLab, mmd_lab
from dtlbook.labs import mmd as lab

SEEDS = range(3)


@pytest.fixture(scope="module")
def js():
    with engine(*lab.COMPUTING) as one:
        yield one


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def ends(js):
    """What a whole run ends with, over the seeds: a dict of lists. MMD² is the mean of the last 8 records."""
    known = {}

    def of(preset):
        if preset not in known:
            code = """const run = new DdcRun(settingsOf(preset, { seed }));
            for (let i = 0; i < STEPS; i++) run.advance();
            run.history"""
            histories = [js.run(code, preset=preset, seed=seed) for seed in SEEDS]
            known[preset] = {name: [history[name][-1] for history in histories] for name in histories[0]}
            known[preset]["mmd2"] = [np.mean(history["mmd2"][-8:]) for history in histories]
        return known[preset]

    return of


# --- numbers ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sigma", [None, 0.4, 3.0])
def test_witness_is_that_of_the_package(js, rng, sigma):
    x, y, points = rng.normal(size=(7, 2)), rng.normal(size=(5, 2)) + 1, rng.normal(size=(11, 2))
    ours = js.run("witness(x, y, points, sigma)", x=x, y=y, points=points, sigma=sigma)
    linear = points @ (x.mean(axis=0) - y.mean(axis=0))
    np.testing.assert_allclose(ours, linear if sigma is None else mmd.witness(x, y, points, sigma), atol=1e-14)


@pytest.mark.parametrize("sigma", [None, 0.7])
@pytest.mark.parametrize("n, m", [(9, 9), (6, 11)])
def test_permutation_test_is_that_of_the_package(js, rng, sigma, n, m):
    """The same cuts give the same values; the p-value and the critical value follow from them."""
    x, y = rng.normal(size=(n, 2)) + 5, rng.normal(size=(m, 2)) + 5.6
    ours = js.run("permutationTest(x, y, sigma, 3, 99)", x=x, y=y, sigma=sigma)
    orders = js.run("const g = generator(6);\nArray.from({ length: 99 }, () => g.shuffled(size))", size=n + m)
    pooled, kernel = np.concatenate([x, y]), {"kernel": "linear"} if sigma is None else {"bandwidth": sigma}
    values = [mmd.mmd2(pooled[order[:n]], pooled[order[n:]], **kernel) for order in orders]
    np.testing.assert_allclose(ours["values"], values, rtol=1e-9, atol=1e-12)
    assert ours["observed"] == pytest.approx(mmd.mmd2(x, y, **kernel), rel=1e-9)
    reached = np.array(values) >= ours["observed"] - 1e-9
    assert ours["pValue"] == (1 + reached.sum()) / 100
    assert ours["critical"] == sorted(ours["values"])[-5]
    assert (ours["pValue"] <= 0.05) == (ours["observed"] > ours["critical"])


def test_estimates_are_those_of_the_package_and_move_only_the_target(js):
    told = js.run("compare(settingsOf('wider', { dx: -2, dy: 1, size: 30 }))")
    x, y = (np.reshape(told[name], (-1, 2)) for name in ("source", "target"))
    assert told["sigma"] == pytest.approx(mmd.median_bandwidth(x, y))
    assert told["unbiased"] == pytest.approx(mmd.mmd2(x, y), rel=1e-9)
    assert told["observed"] == pytest.approx(told["unbiased"], rel=1e-9)
    assert told["biased"] == pytest.approx(mmd.mmd2(x, y, unbiased=False), rel=1e-9)
    there = js.run("samples(settingsOf('same', { size: 30 }))")
    assert there["source"] == told["source"]
    np.testing.assert_allclose(y, 2.5 * np.reshape(there["target"], (-1, 2)) + [-2, 1])


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_a_gradient_of_ddc_is_that_of_the_package(js, kernel):
    """L_y + λ MMD² of one mini-batch: value and both gradients, the bandwidth at the median distance."""
    torch = pytest.importorskip("torch")
    from dtlbook.torch.ddc import ddc_loss
    from dtlbook.torch.networks import Networks

    code = """const run = new DdcRun(settingsOf("ddc", { kernel, lam: 0.7, seed: 2 }));
    for (let i = 0; i < 5; i++) run.advance();
    run.draw();
    const { f, y } = run.nets;
    [run.gradients(), f.theta, y.theta, f.gradient, y.gradient, run.batch, run.labels]"""
    ours, theta_f, theta_y, grad_f, grad_y, batch, labels = js.run(code, kernel=kernel)
    dense = lambda i, o: torch.nn.Linear(i, o, dtype=torch.float64)  # noqa: E731
    networks = Networks(torch.nn.Sequential(dense(2, 16), torch.nn.Tanh(), dense(16, 2)), dense(2, 2), None)
    for part, theta in ((networks.feature_extractor, theta_f), (networks.label_predictor, theta_y)):
        at = 0
        for layer in (one for one in part.modules() if isinstance(one, torch.nn.Linear)):
            i, o = layer.in_features, layer.out_features
            layer.weight.data = torch.tensor(theta[at : at + i * o], dtype=torch.float64).reshape(i, o).T
            layer.bias.data = torch.tensor(theta[at + i * o : at + i * o + o], dtype=torch.float64)
            at += i * o + o
    x = torch.tensor(batch, dtype=torch.float64).reshape(64, 2)
    losses = ddc_loss(networks, x[:32], torch.tensor(labels), x[32:], 0.7, kernel=kernel)
    losses.total.backward()
    assert ours["label_loss"] == pytest.approx(losses.label.item(), rel=1e-10)
    assert ours["mmd2"] == pytest.approx(losses.domain.item(), rel=1e-8)
    for part, gradient in ((networks.feature_extractor, grad_f), (networks.label_predictor, grad_y)):
        layers = [one for one in part.modules() if isinstance(one, torch.nn.Linear)]
        reference = np.concatenate([g for one in layers for g in (one.weight.grad.numpy().T.ravel(), one.bias.grad)])
        np.testing.assert_allclose(gradient, reference, rtol=1e-9, atol=1e-13)


def test_mmd2_of_a_sample_with_itself(js, rng):
    """One table for both samples is still two samples."""
    x = rng.normal(size=(6, 2))
    biased, unbiased = js.run("[mmd2(x, x, 6, 6, 2, [1], false), mmd2(x, x, 6, 6, 2, [1], true)]", x=x)
    assert biased == pytest.approx(0, abs=1e-15) and unbiased == pytest.approx(mmd.mmd2(x, x, bandwidth=1.0))


# --- what the texts say ---------------------------------------------------------------------------------------
SURVEY = """Array.from({ length: seeds }, (_, seed) => {
  const { biased, unbiased, pValue } = compare(settingsOf(preset, { ...given, seed })); return [biased, unbiased, pValue]; })"""


def survey(js, preset, seeds=60, **given):
    return np.transpose(js.run(SURVEY.replace("\n", " "), preset=preset, given=given, seeds=seeds))


def test_first_experiment_one_distribution(js):
    assert js.run("settingsOf(...EXPERIMENTS[0])") == js.run("settingsOf('same')")
    biased, unbiased, p = survey(js, "same", seeds=100)
    assert biased.min() > 0 and (unbiased < 0).mean() > 0.3 and (unbiased > 0).mean() > 0.3
    assert abs(unbiased.mean()) < 3 * unbiased.std() / 10 and 0.01 <= (p <= 0.05).mean() <= 0.10


def test_second_experiment_the_linear_kernel_is_blind_to_spread(js):
    given = js.run("settingsOf(...EXPERIMENTS[1])")
    assert given == js.run("settingsOf('wider', { kernel: 'linear' })") and given["seed"] == 0
    for kernel, least, most in (("linear", 0.05, 1), ("rbf", 0, 0.01)):
        p = survey(js, "wider", kernel=kernel)[2]
        assert least < p[0] <= most and np.mean((least < p) & (p <= most)) > 0.85, kernel
    p = survey(js, "wider", median=False, sigma=20)[2]
    assert p[0] > 0.05 and np.mean(p > 0.05) > 0.85, "a wide Gaussian is as blind"


def test_third_experiment_features_align_before_the_classes_do(js, ends):
    assert js.run("settingsOf(...EXPERIMENTS[2])") == js.run("settingsOf('ddc-0')")
    none, small, large = ends("ddc-0"), ends("ddc-1"), ends("ddc")
    for i in SEEDS:
        assert small["mmd2"][i] < 0.15 * none["mmd2"][i] and large["mmd2"][i] < 0.15 * none["mmd2"][i]
        assert (
            none["proxy_a_distance"][i] > 0.6 and max(small["proxy_a_distance"][i], large["proxy_a_distance"][i]) < 0.5
        )
        assert small["target_accuracy"][i] < none["target_accuracy"][i] + 0.02 and none["target_accuracy"][i] < 0.87
        assert large["target_accuracy"][i] > 0.9
    assert min(none["source_accuracy"] + small["source_accuracy"] + large["source_accuracy"]) > 0.95


def test_presets_of_the_samples_end_where_they_say(js):
    assert survey(js, "shifted")[2][0] < 0.01 and np.mean(survey(js, "shifted")[2] <= 0.05) > 0.9


# --- runs --------------------------------------------------------------------------------------------------
SHORT = "const run = new DdcRun(settingsOf('ddc', { seed }));\nfor (let i = 0; i < 50; i++) run.advance();\n"


def test_one_seed_is_one_run(js):
    state = SHORT + "[run.history, run.nets.f.theta, run.nets.y.velocity]"
    first = js.run(state, seed=3)
    with engine(*lab.COMPUTING) as other:
        assert other.run(state, seed=3) == first
    assert js.run(state, seed=4) != first


def test_looking_does_not_change_the_run_and_target_labels_are_not_looked_at(js):
    end = js.run(SHORT + "run.nets.f.theta", seed=1)
    looked = SHORT.replace("run.advance();", "{ run.measure(); run.pull(run.source.x, run.target.x); run.advance(); }")
    blind = SHORT.replace(";\n", ";\nrun.target.y.fill(0); run.targetTest.y.fill(0);\n", 1)
    assert js.run(looked + "run.nets.f.theta", seed=1) == end == js.run(blind + "run.nets.f.theta", seed=1)


def test_no_function_is_used_that_browsers_round_differently():
    from dtlbook.labs.parts import module

    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", module(*lab.COMPUTING), flags=re.DOTALL)
    assert not re.search(r"\*\*|Math\.(?!sqrt|round|floor|max|min|abs|imul)\w+", code)


# --- settings -------------------------------------------------------------------------------------------------
def test_python_and_javascript_know_the_same_settings(js):
    limits = js.run("LIMITS")
    known = {
        name: tuple(v.get("choices", (v.get("least"), v.get("most")))) for name, v in limits.items() if name != "median"
    }
    assert known == lab.LIMITS and js.run("PRESETS") == lab.PRESETS and set(limits) == set(lab.SETTINGS)
    widget = mmd_lab()
    assert {name: getattr(widget, name) for name in limits} == js.run("settingsOf('shifted')")
    assert all(v["least"] <= min(v["stops"]) and max(v["stops"]) <= v["most"] for v in limits.values() if "stops" in v)


def test_a_link_is_read_as_it_was_written(js):
    settings, read = js.run(
        "const s = settingsOf('wider', { kernel: 'linear', dy: -0.3 });\n[s, readFragment(writeFragment(s))]"
    )
    assert read == {"given": settings, "refused": []}


@pytest.mark.parametrize("part", [
    "lam=NaN", "sigma=0", "sigma=-1", "sigma=Infinity", "size=1", "size=2.5", "kernel=cosine", "kernel=", "view=all", "median=yes", "dx=11",
])  # fmt: skip
def test_bad_parts_of_a_link_are_named_and_the_rest_is_used(js, part):
    name, _, text = part.partition("=")
    assert js.run("readFragment('#mmd?' + part + '&seed=4')", part=part) == {
        "given": {"seed": 4},
        "refused": [[name, text]],
    }


@pytest.mark.parametrize("code, words", [
    ("permutationTest(Float64Array.of(1, 2), Float64Array.of(1, 2, 3, 4), 1, 0)", "source examples must be a whole number, 2 or more, not 1"),
    ("settingsOf('ddc', { sigma: -1 })", "sigma cannot be -1"),
    ("samples({ seed: 0.3, size: 3, dx: 0, dy: 0, spread: 1 })", "seed must be a whole number"),
])  # fmt: skip
def test_bad_values_are_refused_in_javascript(js, code, words):
    with pytest.raises(ValueError, match=words):
        js.run(code)


@pytest.mark.parametrize("name, value", [
    ("lam", math.nan), ("sigma", -1.0), ("sigma", 0.0), ("size", 1), ("kernel", "cosine"), ("view", ""), ("seed", -1), ("median", "yes"),
])  # fmt: skip
def test_bad_settings_are_refused_in_python(name, value):
    widget = mmd_lab()
    before = getattr(widget, name)
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(widget, name, value)
    assert getattr(widget, name) == before


def test_bad_arguments_are_answered_in_a_sentence():
    with pytest.raises(ValueError, match="preset must be one of shifted, .* not 'best'"):
        mmd_lab("best")
    with pytest.raises(ValueError, match="not speed"):
        mmd_lab(speed=3)


def test_what_the_page_finds_is_shared():
    widget = mmd_lab("ddc", lam=0.3)
    widget.set_state({"lam": 0.5, "test": {"p_value": 0.2}, "history": {"step": [25]}})  # what the page sends
    assert widget.lam == 0.5 and widget.test["p_value"] == 0.2 and widget.history == {"step": [25]}


def test_weight_and_no_request():
    assert len(gzip.compress((MmdLab._esm + MmdLab._css).encode())) < 30 * 1024
    assert not re.search(r"^\s*import\b|\bimport\(|fetch\(|https?:", MmdLab._esm, flags=re.MULTILINE)


@pytest.mark.parametrize("preset", ["wider", "ddc-0"])
def test_the_still_is_computed(js, monkeypatch, preset):
    widget = mmd_lab(preset, seed=1)
    assert "text/html" not in widget._repr_mimebundle_()[0]
    monkeypatch.setenv("DTLBOOK_PRESS", "1")
    html = widget._repr_mimebundle_()[0]["text/html"]
    if preset == "wider":
        told = js.run("compare(settingsOf('wider', { seed: 1 }))")
        assert f"p-value {told['pValue']:.3f}." in html and f"unbiased estimate {told['unbiased']:.3f}" in html
    else:
        assert re.search(r"target accuracy 0\.7\d\.", html) and re.search(r"타깃 정확도 0\.7\d\.", html)
    assert html.count("<svg") == 1 and 'aria-hidden="true"' in html
    assert re.findall(r'<figcaption lang="(\w+)">', html) == ["ko", "en"]
