"""The divergence lab without a page: its numbers against the book's package and SciPy, what its texts say."""

import numpy as np
import pytest
from engine import engine
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from dtlbook.divergence import discs, empirical_h_divergence, half_planes, thresholds
from dtlbook.labs import divergence_lab

SEEDS = range(5)


@pytest.fixture(scope="module")
def js():
    with engine("core", "settings", "divergence_model") as one:
        yield one


@pytest.fixture(scope="module")
def of(js):
    """What is measured with these settings, and the best hypothesis: a dict."""

    def of(preset="apart", **given):
        code = "const now = new Divergence(settingsOf(preset, given));\n({ ...now.best, ...now.measure() })"
        return js.run(code, preset=preset, given=given)

    return of


# --- what the texts say ---------------------------------------------------------------------------------------
def test_first_experiment_one_distribution_seems_two_the_more_so_the_richer_the_class(js, of):
    assert js.run("settingsOf(...EXPERIMENTS[0])") == js.run("settingsOf('same', { family: 'thresholds' })")
    few, planes, many = (
        [of("same", seed=seed, **given) for seed in SEEDS] for given in ({"family": "thresholds"}, {}, {"size": 80})
    )
    assert all(a["h_divergence"] <= b["h_divergence"] for a, b in zip(few, planes, strict=True))
    assert min(one["h_divergence"] for one in planes) > 0.5 > max(one["h_divergence"] for one in many)
    assert all(one["proxy_a_distance"] < one["h_divergence"] and one["exact"] == 0 for one in few + planes)
    assert abs(np.mean([one["proxy_a_distance"] for one in few + planes])) < 0.3


@pytest.mark.parametrize("seed", SEEDS)
def test_second_experiment_discs_see_what_half_planes_do_not(js, of, seed):
    assert js.run("settingsOf(...EXPERIMENTS[1])") == js.run("settingsOf('inside')")
    assert of("inside", seed=seed)["h_divergence"] < 1.1
    assert of("inside", seed=seed, family="discs")["h_divergence"] > 1.3


@pytest.mark.parametrize("seed", SEEDS)
def test_third_experiment_the_threshold_follows_the_middle(js, of, seed):
    assert js.run("settingsOf(...EXPERIMENTS[2])") == js.run("settingsOf('line')")
    assert of("line", seed=seed)["cut"] == pytest.approx(1, abs=0.6)
    far = of("line", seed=seed, dx=4)
    assert far["cut"] == pytest.approx(2, abs=0.4) and far["h_divergence"] > 1.8


# --- numbers --------------------------------------------------------------------------------------------------
CLASSES = {
    "thresholds": lambda x: thresholds(x[:, 0]),
    "half-planes": lambda x: half_planes(x, n_angles=None),
    "discs": discs,
}


@pytest.mark.parametrize("family", CLASSES)
@pytest.mark.parametrize("size, seed", [(2, 0), (5, 1), (20, 2), (40, 3)])
def test_the_divergence_is_that_of_the_package(js, of, family, size, seed):
    given = {
        "family": family,
        "size": size,
        "seed": seed,
        "dx": 0.8,
        "dy": 0.0 if family == "thresholds" else -0.5,
        "spread": 1.5,
    }
    source, target = (
        np.reshape(x, (-1, 2))
        for x in js.run(
            "const now = new Divergence(settingsOf('apart', given));\n[now.source, now.target]", given=given
        )
    )
    every, pick = (
        CLASSES[family](np.concatenate([source, target])),
        (lambda x: x[:, 0]) if family == "thresholds" else (lambda x: x),
    )
    found = empirical_h_divergence(every(pick(source)), every(pick(target)))
    now = of(**given)
    assert now["h_divergence"] == pytest.approx(found.value, abs=1e-12)
    a, b = now["at"]
    stat = [((x - [a, b]) ** 2).sum(1) if family == "discs" else x @ [a, b] for x in (source, target)]
    says = [(t > now["cut"]) == now["above"] for t in stat]
    assert [now["error_source"], now["error_target"]] == pytest.approx([says[0].mean(), 1 - says[1].mean()])
    assert now["h_divergence"] == pytest.approx(2 * (1 - now["error_source"] - now["error_target"]))


def test_points_in_one_place_and_on_one_line_are_no_trouble(js):
    for x in ([0, 0, 0, 0], [0, 0, 1, 0], [1, 1, 2, 2]):
        for family in CLASSES:
            best = js.run("bestHypothesis(family, x, x)", family=family, x=np.array(x, float))
            assert best["value"] == pytest.approx(0, abs=1e-12)
    apart = js.run("bestHypothesis('half-planes', s, t)", s=np.array([0.0, 0, 1, 0]), t=np.array([2.0, 0, 3, 0]))
    assert apart["value"] == 2


@pytest.mark.parametrize("delta, spread", [(0, 1), (2, 1), (0, 3), (1.3, 0.4), (2.5, 2), (0.7, 1.0000000001)])
def test_the_divergence_of_the_distributions(js, delta, spread):
    def minus_gap(c):
        return -abs(norm.cdf(c) - norm.cdf((c - delta) / spread))

    starts = np.linspace(-6, 8, 57)
    widest = max(-minimize_scalar(minus_gap, bounds=(c - 0.3, c + 0.3), method="bounded").fun for c in starts)
    assert js.run("exactDivergence(delta, spread)", delta=delta, spread=spread) == pytest.approx(2 * widest, abs=1e-6)


@pytest.mark.parametrize("x", [-8.0, -3.2, -1e-3, 0.0, 0.7, 2.5, 6.5])
def test_the_normal_distribution_function(js, x):
    assert js.run("normalBelow(x)", x=x) == pytest.approx(norm.cdf(x), abs=1e-14)


def test_settings_and_measured_values_are_shared_with_the_page():
    widget = divergence_lab("inside", family="discs")
    widget.set_state({"dx": 2, "measured": {"h_divergence": 1.5}})
    assert (widget.family, widget.dx, widget.spread, widget.measured) == ("discs", 2, 3, {"h_divergence": 1.5})
