"""The shift lab without a page: its numbers against SciPy and scikit-learn, what its texts say, its settings."""

import numpy as np
import pytest
from engine import engine
from scipy.integrate import dblquad
from scipy.special import expit
from scipy.stats import multivariate_normal, norm
from sklearn.linear_model import LogisticRegression

from dtlbook.labs import shift_lab

SEEDS = range(3)
S = 0.7  # SPREAD


@pytest.fixture(scope="module")
def js():
    with engine("core", "settings", "shift_model") as one:
        yield one


@pytest.fixture(scope="module")
def of(js):
    """What is measured with these settings: a dict."""

    def of(preset="A", **given):
        code = """const shift = new Shift(settingsOf(preset, given));
        ({ ...shift.measure(), ...shift.differences(), name: shift.name() })"""
        return js.run(code, preset=preset, given=given)

    return of


# --- what the texts say ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", SEEDS)
def test_first_experiment_along_the_boundary_little_is_lost_across_it_much(js, of, seed):
    assert js.run("settingsOf(...EXPERIMENTS[0])") == js.run("settingsOf('A', { dy: -3 })")
    down, right = of(dy=-3, seed=seed), of(dx=3, seed=seed)
    assert down["x"] > 0.9 and abs(down["target_accuracy"] - down["source_accuracy"]) < 0.04
    assert down["name"] == "covariate" and right["target_accuracy"] < 0.6


@pytest.mark.parametrize("seed", SEEDS)
def test_second_experiment_a_turned_rule_shows_in_no_input(js, of, seed):
    assert js.run("settingsOf(...EXPERIMENTS[1])") == js.run("settingsOf('A', { acts: 'labels', rotation: 180 })")
    turned = of(acts="labels", rotation=180, seed=seed)
    assert turned["x"] < 1e-9 and turned["target_accuracy"] < 0.1 and turned["name"] == "concept"


@pytest.mark.parametrize("seed", SEEDS)
def test_third_experiment_the_score_stays_and_could_be_better(js, of, seed):
    assert js.run("settingsOf(...EXPERIMENTS[2])") == js.run("settingsOf('A', { share: 0.9 })")
    shares = of(share=0.9, seed=seed)
    assert shares["name"] == "label" and abs(shares["target_accuracy"] - shares["source_accuracy"]) < 0.03
    assert shares["best_accuracy"] - shares["target_accuracy"] > 0.02


def test_each_case_is_what_it_is_for(of):
    names = ["none", "covariate", "label", "concept", "mixed", "spaces", "labels"]
    assert [of(case)["name"] for case in "ABCDEFG"] == names


@pytest.mark.parametrize("given, name", [
    ({"rotation": 180}, "concept"),  # the clouds change places
    ({"acts": "points", "rotation": 180}, "none"),
    ({"acts": "labels", "dy": 2}, "none"),  # the rule looks at x₁ only
    ({"acts": "points", "share": 0.8}, "covariate"),
    ({"scale": 1.5}, "mixed"),
])  # fmt: skip
def test_special_cases_are_named_by_the_definition(of, given, name):
    assert of(**given)["name"] == name


# --- numbers --------------------------------------------------------------------------------------------------
def test_the_classifier_is_that_of_scikit_learn(js):
    x, y, w = js.run("const s = new Shift(settingsOf('A'));\n[s.train.x, s.train.y, s.weights]")
    fitted = LogisticRegression(tol=1e-10).fit(np.reshape(x, (-1, 2)), y)
    assert [*fitted.coef_[0], *fitted.intercept_] == pytest.approx(w, rel=1e-6)


def joint(given, x, y):
    """[p_T(x, 0), p_T(x, 1)] by SciPy."""
    s = {"acts": "both", "dx": 0, "dy": 0, "rotation": 0, "scale": 1, "share": 0.5, **given}
    a = np.deg2rad(s["rotation"])
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    moved = np.array([x, y]) - [s["dx"], s["dy"]]
    back = turn.T @ moved / s["scale"]
    at, size = ((x, y), 1) if s["acts"] == "labels" else (back, s["scale"] ** 2)
    clouds = [w * multivariate_normal.pdf(at, [m, 0], S**2) / size for w, m in ((1 - s["share"], -1), (s["share"], 1))]
    if s["acts"] == "both":
        return np.array(clouds)
    one = expit(2 * (back[0] if s["acts"] == "labels" else x) / S**2)
    return sum(clouds) * np.array([1 - one, one])


CASES = [
    {"dx": 0.7, "rotation": 30, "scale": 1.4, "share": 0.7},
    {"acts": "points", "dx": 0.7, "dy": -1, "rotation": 30, "share": 0.7},
    {"acts": "labels", "dx": -0.5, "rotation": 70, "scale": 0.8, "share": 0.3},
]


@pytest.mark.parametrize("given", CASES)
def test_densities_are_those_of_scipy(js, given):
    code = "const s = settingsOf('A', given);\ntargetAt(s, mapping(s), x, y)"
    for x, y in ((0.3, -0.2), (-1.5, 2.0), (2.2, 0.1)):
        assert js.run(code, given=given, x=x, y=y) == pytest.approx(joint(given, x, y), rel=1e-9)


@pytest.mark.parametrize("given", CASES)
def test_the_class_share_is_the_integral(js, given):
    ones = dblquad(lambda y, x: joint(given, x, y)[1], -7, 7, -7, 7, epsabs=1e-5)[0] if given["acts"] != "both" else 0.7
    assert js.run("targetPrior(settingsOf('A', given))", given=given) == pytest.approx(ones, abs=1e-4)


CASES[0]["acts"] = "both"


def test_distances_where_they_are_known(of):
    """Clouds moved along the boundary, and class shares: total variation in closed form."""
    for dy in (0.5, 1.5):
        assert of(dy=dy)["x"] == pytest.approx(2 * norm.cdf(dy / 2 / S) - 1, abs=0.04)
    assert of(share=0.9)["y"] == pytest.approx(0.4)
    assert of(dy=1)["target_accuracy"] == pytest.approx(norm.cdf(1 / S), abs=0.03)


# --- Python ---------------------------------------------------------------------------------------------------
def test_settings_and_measured_values_are_shared_with_the_page():
    widget = shift_lab("B", dy=1)
    widget.set_state({"dx": 2, "measured": {"target_accuracy": 0.5}})
    assert (widget.acts, widget.dx, widget.dy, widget.measured) == ("points", 2, 1, {"target_accuracy": 0.5})
