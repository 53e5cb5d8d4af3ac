"""The ADDA lab without a page: its steps are those of dtlbook.torch.adda, what its texts say is so, settings agree."""

import gzip
import math
import re

import numpy as np
import pytest
import traitlets
from engine import engine

from dtlbook.labs import AddaLab, adda_lab
from dtlbook.labs import adda as lab

SEEDS = range(3)


@pytest.fixture(scope="module")
def js():
    with engine(*lab.COMPUTING) as one:
        yield one


# --- a step is that of the reference ------------------------------------------------------------------------------
def networks_of(theta, torch):
    """The lab's network [2, 16, k] with tanh, in PyTorch; k from the length of θ."""
    k = (len(theta) - 48) // 17
    net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, k)).double()
    theta = torch.tensor(theta, dtype=torch.float64)
    for layer, (at, i, o) in ((net[0], (0, 2, 16)), (net[2], (48, 16, k))):
        layer.weight.data = theta[at : at + i * o].reshape(i, o).T.contiguous()
        layer.bias.data = theta[at + i * o : at + i * o + o].clone()
    return net


def flat(net, of=lambda p: p.detach()):
    return np.concatenate([of(p).numpy().T.ravel() for p in net.parameters()])


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("minimax", [False, True])
def test_three_rounds_of_stage_2_are_those_of_the_reference(js, minimax, optimizer):
    """Same weights and batches → same losses, gradient sizes and weights of D and M_t; M_s and C stay."""
    torch = pytest.importorskip("torch")
    from dtlbook.torch.adda import domain_loss, encoder_loss

    code = """const run = new AddaRun(settingsOf("inverted", { minimax, optimizer, head: 1, lam: 0.5, rate: 0.02, rotation: 50 }));
    while (run.stage === 1) run.advance();
    const kept = () => ["s", "y", "d", "t"].map((name) => Array.from(run.nets[name].theta)), start = kept(), rounds = [];
    for (let i = 0; i < 4; i++) { run.advance(); rounds.push([Array.from(run.batch), { ...run.latest }, run.next]); }
    [start, rounds, kept()]"""
    (s, y, d, t), rounds, end = js.run(code, minimax=minimax, optimizer=optimizer)
    assert t == s and end[0] == s and end[1] == y
    encode, discriminator, encoder = (networks_of(theta, torch) for theta in (s, d, t))
    make = (lambda p, mu: torch.optim.Adam(p, lr=mu, betas=(0.5, 0.999))) if optimizer == "adam" else (
        lambda p, mu: torch.optim.SGD(p, lr=mu))  # fmt: skip
    steps = make(discriminator.parameters(), 0.02), make(encoder.parameters(), 0.01)
    for i, (batch, latest, following) in enumerate(rounds):
        x = torch.tensor(batch, dtype=torch.float64).reshape(64, 2)
        z = discriminator(torch.cat([encode(x[:32]), encoder(x[32:])]).detach())
        loss = domain_loss(z[:32], z[32:])
        discriminator.zero_grad()
        loss.backward()
        steps[0].step()
        assert latest["domain_loss"] == pytest.approx(loss.item(), rel=1e-9) and following == "D"
        for one in (not minimax, minimax):
            encoder.zero_grad()
            total = encoder_loss(discriminator(encoder(x[32:])), one)
            total.backward()
            size = np.linalg.norm(flat(encoder, lambda p: p.grad))
            assert latest["minimax_gradient" if one else "inverted_gradient"] == pytest.approx(size, rel=1e-8)
        assert latest["encoder_loss"] == pytest.approx(total.item(), rel=1e-9)
        if i:  # the first round is D's head start
            steps[1].step()
    np.testing.assert_allclose(end[2], flat(discriminator), rtol=1e-8)
    np.testing.assert_allclose(end[3], flat(encoder), rtol=1e-8)
    assert np.abs(np.subtract(end[3], t)).max() > 1e-3


def test_adam_is_that_of_the_reference(js):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=9), rng.normal(size=(40, 9)) * np.logspace(0, -6, 40)[:, None]
    parameter = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([parameter], lr=0.03, betas=(0.5, 0.999), eps=1e-8)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
    code = """const net = network([2, 3], ["linear"]);
    net.theta.set(start);
    for (let t = 0; t < 40; t++) { net.gradient.set(gradients.subarray(9 * t, 9 * t + 9)); adam(net, 0.03); }
    net.theta"""
    ours = js.run(code, start=start, gradients=gradients)
    np.testing.assert_allclose(ours, parameter.detach().numpy(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("minimax", [False, True])
def test_the_short_lines_are_where_the_loss_of_a_point_falls(js, minimax):
    """Against −∂L_M/∂f by differences: the same direction, and the length of ∂L_M/∂z."""
    code = """const run = new AddaRun(settingsOf("inverted", { minimax }));
    while (run.taken.M < 20) run.advance();
    const f = run.features(run.target.x.slice(0, 10), 1), h = 1e-6, into = new Float64Array(1);
    const loss = (u, v) => encoderLoss(run.domainLogit(Float64Array.of(u, v)), 1, minimax, into);
    const slopes = Array.from({ length: 5 }, (_, i) => [
      (loss(f[2 * i] + h, f[2 * i + 1]) - loss(f[2 * i] - h, f[2 * i + 1])) / (2 * h),
      (loss(f[2 * i], f[2 * i + 1] + h) - loss(f[2 * i], f[2 * i + 1] - h)) / (2 * h)]);
    [run.pull(f), slopes, run.domainLogit(f)]"""
    pull, slopes, z = js.run(code, minimax=minimax)
    pull, slopes, z = np.reshape(pull, (5, 2)), np.array(slopes), np.array(z)
    np.testing.assert_allclose(np.linalg.norm(pull, axis=1), 1 / (1 + np.exp(z if minimax else -z)), rtol=1e-9)
    unit = -slopes / np.linalg.norm(slopes, axis=1, keepdims=True)
    np.testing.assert_allclose(pull / np.linalg.norm(pull, axis=1, keepdims=True), unit, atol=1e-5)


# --- what the texts say ---------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def ends(js):
    """(after stage 1, at the end) of whole runs, over the seeds."""
    known = {}

    def of(preset):
        if preset not in known:
            code = """const run = new AddaRun(settingsOf(preset, { seed }));
            while (run.stage === 1) run.advance();
            const first = run.measure();
            while (run.over !== "end") run.advance();
            [first, run.measure()]"""
            known[preset] = [js.run(code, preset=preset, seed=seed) for seed in SEEDS]
        return known[preset]

    return of


def test_first_experiment_adaptation_works_with_a_head_start_and_may_land_wrong_without(js, ends):
    assert js.run("settingsOf(...EXPERIMENTS[0])") == js.run("settingsOf('inverted')")
    for first, end in ends("inverted"):
        assert 0.7 <= first["target_accuracy"] < 0.83 and end["target_accuracy"] > 0.85
        assert end["source_accuracy"] == first["source_accuracy"] > 0.95
    (first, wrong), *others = ends("head-0")
    assert wrong["target_accuracy"] < 0.4 and min(end["target_accuracy"] for _, end in others) > 0.85
    code = "const run = new AddaRun(settingsOf('head-0'));\nwhile (run.over !== 'end') run.advance();\nrun.history"
    losses = js.run(code)["domain_loss"][-20:]
    assert np.mean(losses) == pytest.approx(2 * math.log(2), abs=0.02), "D sees nothing wrong"


CODE = """const run = new AddaRun(settingsOf(preset, { ...given, seed }));
while (run.over !== "head") run.advance();
const before = { ...run.latest, ...run.measure() };
while (run.taken.M < 100) run.advance();
[before, run.measure()]"""


@pytest.mark.parametrize("preset, given", [
    ("far-minimax", {}), ("far-inverted", {}), ("far-minimax", {"optimizer": "adam", "rate": 0.003, "lam": 1}),
])  # fmt: skip
def test_second_experiment_where_d_is_sure_the_gradient_of_minimax_fades(js, preset, given):
    assert js.run("settingsOf(...EXPERIMENTS[1])") == js.run("settingsOf('far-minimax')")
    for seed in SEEDS:
        before, after = js.run(CODE, preset=preset, given=given, seed=seed)
        assert before["minimax_gradient"] < 0.01 * before["inverted_gradient"] and before["target_logit"] > 5
        stays = preset == "far-minimax" and not given
        assert after["target_logit"] > 5 if stays else after["target_logit"] < 2, (seed, after)


def test_adam_set_by_hand_after_the_head_start_moves_minimax_too(js):
    """What the text has the reader do: settings changed on the run as it goes."""
    code = CODE.replace(
        "while (run.taken.M",
        "Object.assign(run.settings, { optimizer: 'adam', rate: 0.003, lam: 1 });\nwhile (run.taken.M",
    )
    for seed in SEEDS:
        assert js.run(code, preset="far-minimax", given={}, seed=seed)[1]["target_logit"] < 2


def test_third_experiment_under_label_shift_stage_2_hurts(js, ends):
    assert js.run("settingsOf(...EXPERIMENTS[2])") == js.run("settingsOf('label-shift')")
    for first, end in ends("label-shift"):
        assert first["target_accuracy"] > 0.95 and end["target_accuracy"] < 0.7
        assert end["source_accuracy"] == first["source_accuracy"]


# --- runs --------------------------------------------------------------------------------------------------
SHORT = "const run = new AddaRun(settingsOf('head-0', { seed }));\nfor (let i = 0; i < 1050; i++) run.advance();\n"


def test_one_seed_is_one_run(js):
    state = SHORT + "[run.history, run.nets.t.theta, run.nets.d.adam]"
    first = js.run(state, seed=3)
    with engine(*lab.COMPUTING) as other:
        assert other.run(state, seed=3) == first
    assert js.run(state, seed=4) != first


def test_looking_does_not_change_the_run_and_target_labels_are_not_looked_at(js):
    end = js.run(SHORT + "run.nets.t.theta", seed=1)
    looked = SHORT.replace("run.advance();", "{ run.measure(); run.pull(run.target.x); run.encoder(); run.advance(); }")
    blind = SHORT.replace(";\n", ";\nrun.target.y.fill(0); run.targetTest.y.fill(0);\n", 1)
    assert js.run(looked + "run.nets.t.theta", seed=1) == end == js.run(blind + "run.nets.t.theta", seed=1)


def test_the_players_take_turns(js):
    code = """const run = new AddaRun(settingsOf("inverted", { head: 2 })), turns = [];
    while (run.stage === 1) run.half();
    turns.push([run.over, run.step]);
    for (let i = 0; i < 6; i++) { run.half(); turns.push([run.taken.D, run.taken.M, run.step, run.over]); }
    turns"""
    first, *turns = js.run(code)
    assert first == ["stage 1", 1000]
    assert turns == [[1, 0, 1001, None], [2, 0, 1002, "head"], [3, 0, 1002, None], [3, 1, 1003, None],
                     [4, 1, 1003, None], [4, 2, 1004, None]]  # fmt: skip


def test_no_function_is_used_that_browsers_round_differently():
    from dtlbook.labs.parts import module

    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", module(*lab.COMPUTING), flags=re.DOTALL)
    assert not re.search(r"\*\*|Math\.(?!sqrt|round|floor|max|min|abs|imul)\w+", code)


# --- settings -------------------------------------------------------------------------------------------------
def test_python_and_javascript_know_the_same_settings(js):
    limits = js.run("LIMITS")
    known = {
        name: tuple(v.get("choices", (v.get("least"), v.get("most"))))
        for name, v in limits.items()
        if name != "minimax"
    }
    assert known == lab.LIMITS and js.run("PRESETS") == lab.PRESETS and set(limits) == set(lab.SETTINGS)
    widget = adda_lab()
    assert {name: getattr(widget, name) for name in limits} == js.run("settingsOf('inverted')")
    assert all(v["least"] <= min(v["stops"]) and max(v["stops"]) <= v["most"] for v in limits.values() if "stops" in v)


def test_a_link_is_read_as_it_was_written(js):
    settings, read = js.run("const s = settingsOf('far-minimax', { seed: 9 });\n[s, readFragment(writeFragment(s))]")
    assert read == {"given": settings, "refused": []}


@pytest.mark.parametrize("part", [
    "lam=NaN", "lam=-1", "head=1.5", "head=-1", "optimizer=rmsprop", "minimax=2", "minimax=true", "rate=0", "shift=11", "x=1",
])  # fmt: skip
def test_bad_parts_of_a_link_are_named_and_the_rest_is_used(js, part):
    name, _, text = part.partition("=")
    assert js.run("readFragment('#adda?' + part + '&seed=4')", part=part) == {
        "given": {"seed": 4},
        "refused": [[name, text]],
    }


@pytest.mark.parametrize("name, value", [
    ("lam", math.nan), ("lam", -0.1), ("head", -1), ("optimizer", "rmsprop"), ("minimax", "yes"), ("share", 1.0), ("rate", 0.0),
])  # fmt: skip
def test_bad_settings_are_refused_in_python(name, value):
    widget = adda_lab()
    before = getattr(widget, name)
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(widget, name, value)
    assert getattr(widget, name) == before


def test_bad_arguments_are_answered_in_a_sentence():
    with pytest.raises(ValueError, match="preset must be one of inverted, .* not 'best'"):
        adda_lab("best")
    with pytest.raises(ValueError, match="not speed"):
        adda_lab(speed=3)


def test_what_the_page_finds_is_shared():
    widget = adda_lab("far-minimax", lam=0.3)
    assert (widget.minimax, widget.lam, widget.shift) == (True, 0.3, 5)
    widget.set_state({"minimax": False, "history": {"step": [25]}})  # what the page sends
    assert widget.minimax is False and widget.history == {"step": [25]}


def test_weight_and_no_request():
    assert len(gzip.compress((AddaLab._esm + AddaLab._css).encode())) < 30 * 1024
    assert not re.search(r"^\s*import\b|\bimport\(|fetch\(|https?:", AddaLab._esm, flags=re.MULTILINE)


def test_the_still_is_a_real_run(ends, monkeypatch):
    widget = adda_lab(seed=1)
    assert "text/html" not in widget._repr_mimebundle_()[0]
    monkeypatch.setenv("DTLBOOK_PRESS", "1")
    html = widget._repr_mimebundle_()[0]["text/html"]
    first, end = ends("inverted")[1]
    assert f"{first['target_accuracy']:.2f} after stage 1 and {end['target_accuracy']:.2f} after stage 2" in html
    assert html.count("<svg") == 1 and re.findall(r'<figcaption lang="(\w+)">', html) == ["ko", "en"]
