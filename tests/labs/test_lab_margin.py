"""The margin lab without a page: CCSA's gradients as in PyTorch, and what the lab's texts say is so."""

import numpy as np
import pytest
from engine import engine

from dtlbook.labs import margin as lab
from dtlbook.labs import margin_lab

SEEDS = range(3)
WHOLE = """const run = new MarginRun(settingsOf(preset, given));
for (let i = 0; i < STEPS; i++) run.advance();
run.history"""
SHORT = "const run = new MarginRun(settingsOf('pairs', { seed }));\nfor (let i = 0; i < 50; i++) run.advance();\n"


@pytest.fixture(scope="module")
def js():
    with engine(*lab.FILES) as one:
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
def test_first_experiment_six_labels_raise_target_accuracy(js, ends):
    assert js.run("settingsOf(...EXPERIMENTS[0])") == js.run("settingsOf('alpha-0')")
    without, aligned = ends("alpha-0"), ends("pairs")
    assert max(without["target_accuracy"]) < 0.4 and min(without["target_accuracy"]) > 0.2
    assert min(aligned["target_accuracy"]) > 0.75
    assert min(without["source_accuracy"] + aligned["source_accuracy"]) > 0.95


def test_second_experiment_pairs_alone_gather_in_one_point_or_part_by_the_margin_and_teach_no_classifier(js, ends):
    assert js.run("settingsOf(...EXPERIMENTS[1])") == js.run("settingsOf('collapse')")
    collapsed, parted = ends("collapse"), ends("alpha-1")
    assert max(collapsed["distance_same"] + collapsed["distance_other"]) < 0.05
    assert max(collapsed["alignment_loss"] + collapsed["separation_loss"]) < 0.001
    assert min(parted["distance_other"]) > 0.9 and max(parted["distance_same"]) < 0.25
    assert collapsed["source_accuracy"] + parted["source_accuracy"] == pytest.approx([0.5] * 6, abs=0.02)


def test_third_experiment_one_label_a_class_is_a_lottery_and_five_are_not(js, ends):
    assert js.run("settingsOf(...EXPERIMENTS[2])") == js.run("settingsOf('pairs', { labels: 1 })")
    one, five = ends("pairs", labels=1)["target_accuracy"], ends("pairs", labels=5)["target_accuracy"]
    assert min(one) < 0.5 and max(one) > 0.8 and min(five) > 0.8


def test_opposite_labels_at_one_place_cannot_both_be_learned(ends):
    """Only the labels of the source count in L_C: the losses of the pairs stay."""
    opposite, aligned = ends("opposite"), ends("pairs")
    assert max(opposite["target_accuracy"]) < 0.05 and min(opposite["source_accuracy"]) > 0.95
    assert min(opposite["alignment_loss"]) > 0.15 > max(aligned["alignment_loss"])


def test_the_margin_sets_the_distance_of_the_classes(ends):
    small, large = (ends("pairs", alpha=0.5, margin=m)["distance_other"] for m in (1, 4))
    assert all(2.5 < b / a < 6 for a, b in zip(small, large, strict=True))


# --- the losses are those of the reference ------------------------------------------------------------------------
@pytest.mark.parametrize("alpha, margin", [(0.25, 1.0), (0.0, 1.0), (1.0, 0.3), (0.9, 4.0)])
def test_losses_and_all_gradients_are_those_of_pytorch(js, alpha, margin):
    torch = pytest.importorskip("torch")
    from dtlbook.torch.ccsa import ccsa_loss
    from dtlbook.torch.networks import Networks

    code = """const run = new MarginRun(settingsOf("pairs", { seed: 4, alpha, margin }));
    for (let i = 0; i < 100; i++) run.advance();
    const theta = [run.nets.f, run.nets.y].map((net) => net.theta.slice());
    run.settings.rate = 0;
    run.advance();
    const { batch, labels, few, nets: { f, y } } = run;
    [theta, batch, labels, few.y, ccsaGradients({ f, y }, batch, labels, few.y, labels.length, few.y.length, alpha, margin), f.gradient, y.gradient]"""
    theta, batch, labels, few, losses, *ours = js.run(code, alpha=alpha, margin=margin)
    f = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 2)).double()
    y = torch.nn.Sequential(torch.nn.Linear(2, 2)).double()
    for part, numbers in zip((f, y), theta, strict=True):
        at = 0
        for layer in (m for m in part if isinstance(m, torch.nn.Linear)):
            k, n = layer.weight.shape
            weight, bias = np.split(np.array(numbers[at : at + (n + 1) * k]), [n * k])
            at += (n + 1) * k
            with torch.no_grad():
                layer.weight.copy_(torch.tensor(weight.reshape(n, k).T))
                layer.bias.copy_(torch.tensor(bias))
    x = torch.tensor(batch, dtype=torch.float64).reshape(-1, 2)
    n = len(labels)
    reference = ccsa_loss(
        Networks(f, y, None), x[:n], torch.tensor(labels), x[:n], x[n:], torch.tensor(few), alpha, margin
    )
    reference.total.backward()
    assert losses["label"] == pytest.approx(reference.label.item(), rel=1e-9)
    assert losses["alignment"] + losses["separation"] == pytest.approx(reference.domain.item(), rel=1e-9)
    for part, mine in zip((f, y), ours, strict=True):
        layers = [m for m in part if isinstance(m, torch.nn.Linear)]
        theirs = np.concatenate([np.r_[m.weight.grad.T.ravel(), m.bias.grad] for m in layers])
        np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("i, j", [(0, 0), (0, 5), (7, 2), (7, 3)])
def test_arrows_lead_down_the_loss_of_the_chosen_pair(js, i, j):
    code = """run.settings.margin = 9;
    const p = run.pairAt(i, j), h = 1e-6;
    const loss = (a, b) => { const d = Math.hypot(a[0] - b[0], a[1] - b[1]); return p.same ? d * d / 2 : squared(Math.max(0, 9 - d)) / 2; };
    const slope = [[h, 0], [0, h]].map(([u, v]) => (loss([p.a[0] + u, p.a[1] + v], p.b) - loss([p.a[0] - u, p.a[1] - v], p.b)) / (2 * h));
    [p, loss(p.a, p.b), slope, run.source.y[i] === run.few.y[j]]"""
    pair, loss, slope, same = js.run(SHORT + code, seed=1, i=i, j=j)
    assert pair["same"] is same and pair["loss"] == pytest.approx(loss) and pair["d"] > 0
    assert pair["a_moves"] == pytest.approx([-s for s in slope], rel=1e-5)
    assert pair["b_moves"] == pytest.approx([-a for a in pair["a_moves"]])


# --- runs --------------------------------------------------------------------------------------------------
def test_one_seed_is_one_run(js):
    state = SHORT + "[run.history, run.nets.f.theta, run.nets.y.velocity]"
    first = js.run(state, seed=3)
    with engine(*lab.FILES) as other:
        assert other.run(state, seed=3) == first
    assert js.run(state, seed=4) != first


def test_looking_does_not_change_the_run(js):
    looked = SHORT.replace("run.advance();", "{ run.measure(); run.pairAt(1, 2); run.advance(); }")
    assert js.run(looked + "run.nets.f.theta", seed=1) == js.run(SHORT + "run.nets.f.theta", seed=1)


def test_only_the_labels_that_are_allowed_are_looked_at(js):
    kept = js.run(SHORT + "[run.few.y, run.few.x.length]", seed=1)
    assert kept == [[0, 0, 0, 1, 1, 1], 12]
    blind = SHORT.replace(";\n", ";\nrun.target.y.fill(0); run.target.x.fill(9); run.targetTest.y.fill(0);\n", 1)
    assert js.run(blind + "run.nets.f.theta", seed=1) == js.run(SHORT + "run.nets.f.theta", seed=1)


def test_more_labels_keep_the_first(js):
    code = "[1, 10].map((labels) => { const { few } = new MarginRun(settingsOf('pairs', { labels })); return [...few.x]; })"
    one, ten = js.run(code)
    assert len(ten) == 40 and one[:2] == ten[:2] and one[2:] == ten[20:22]


# --- settings -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code, words", [
    ("ccsaGradients(run.nets, run.batch, run.labels, run.few.y, 2, 2, NaN, 1)", "α must lie between 0 and 1, not NaN"),
    ("ccsaGradients(run.nets, run.batch, run.labels, run.few.y, 2, 2, 0.5, -1)", "the margin must be a finite number, 0 or more"),
    ("ccsaGradients(run.nets, run.batch, run.labels, run.few.y, 2, 0, 0.5, 1)", "number of target examples"),
])  # fmt: skip
def test_bad_values_are_refused_in_javascript(js, code, words):
    with pytest.raises(ValueError, match=words):
        js.run("const run = new MarginRun(settingsOf('pairs'));\n" + code)


def test_settings_and_history_are_shared_with_the_page():
    widget = margin_lab("collapse", labels=5)
    assert (widget.alpha, widget.margin, widget.labels) == (1, 0, 5)
    widget.set_state({"alpha": 0.5, "history": {"step": [20]}})  # what the page sends
    assert widget.alpha == 0.5 and widget.history == {"step": [20]}


def test_the_still_is_a_real_run(js, monkeypatch):
    widget = margin_lab("alpha-0", seed=1)
    assert "text/html" not in widget._repr_mimebundle_()[0]
    monkeypatch.setenv("DTLBOOK_PRESS", "1")
    html = widget._repr_mimebundle_()[0]["text/html"]
    end = js.run(WHOLE, preset="alpha-0", given={"seed": 1})["target_accuracy"][-1]
    assert f"target accuracy {end:.2f}" in html and f"타깃 정확도 {end:.2f}" in html
