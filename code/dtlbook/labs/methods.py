"""One slider for the strength λ of DANN, DDC and ADDA on the rotated digits: real runs, side by side.

λ is not one quantity. In DANN it weighs the gradient that the reversal layer turns round, in DDC it weighs MMD². ADDA's
paper has no λ: here it is the target encoder's learning rate divided by the discriminator's, as in `dtlbook.torch.adda`.
At λ = 0 all three are one network, trained on the source alone.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from dtlbook import data, divergence
from dtlbook.figures import PALETTE, STYLE, domain_scatter, tsne
from dtlbook.labs.sweep import Sweep

METHODS = ("DANN", "DDC", "ADDA")
LAMBDAS = (0, 0.1, 0.3, 1, 3, 10)
PAIR = "digits-rotated"
STEPS, WIDTH, SHOWN = (
    1000,
    100,
    70,
)  # updates (ADDA: of either stage); of ADDA's discriminator; points drawn of each domain
BARS = {
    "source": ("source_accuracy", "source"),
    "target": ("target_accuracy", "target"),
    "domain error": ("domain_error", "d"),
}

LABEL = {"ko": "세기 λ", "en": "strength λ"}
TASKS = (
    {
        "ko": "λ = 0에 둔다. 세 그림과 세 점수가 똑같다. 셋 다 소스만으로 학습한 한 신경망이다. λ = 1로 옮기면 셋 모두 타깃 정확도가 0.15 넘게 오른다.",
        "en": "Stay at λ = 0. The three pictures and scores are the same: one network, trained on the source alone. Move to λ = 1, and target "
        "accuracy has risen by more than 0.15 for all three.",
    },
    {
        "ko": "λ = 3에서 도메인 오류율을 견준다. DANN은 0.2 아래, DDC는 0.4 위다. 그런데도 타깃 정확도는 둘 다 λ = 0에서보다 0.15 넘게 높다. "
        "도메인 오류율만 보고는 타깃을 얼마나 맞히는지 알 수 없다.",
        "en": "Compare the domain errors at λ = 3: DANN below 0.2, DDC above 0.4. Yet both have a target accuracy more than 0.15 higher than "
        "at λ = 0: domain error alone does not tell how much of the target is right.",
    },
    {
        "ko": "λ = 10까지 키운다. 타깃 정확도가 DANN과 ADDA에서는 0.5 아래로 무너지고 DDC에서는 0.6 위에 남는다. ADDA의 소스 정확도는 처음 그대로다.",
        "en": "Go up to λ = 10. Target accuracy breaks down to below 0.5 for DANN and ADDA and stays above 0.6 for DDC. ADDA's source "
        "accuracy is what it was at first.",
    },
)
AT = (0, 4, 5)  # where on the slider each task begins


class Outcome(NamedTuple):
    """One method at one λ: accuracies on the test images, error of a fresh domain classifier, features in the plane."""

    source_accuracy: float
    target_accuracy: float
    domain_error: float
    z_source: np.ndarray  # [SHOWN, 2]
    z_target: np.ndarray


def method_sweeps(*, seed: int = 0, steps: int = STEPS, index: int = 0, lang: str | None = None) -> MethodSweeps:
    """The slider over λ = 0, 0.1, 0.3, 1, 3 and 10; 16 runs and 16 t-SNE in all, about 25 s on two cores.

    ``seed``, ``steps``  of all runs
    ``index``            where the slider stands at first
    ``lang``             "ko" or "en"; if left out, the language of the page or else of the browser

    With a kernel a λ is computed when it is first visited; `lab.lam = 0.3` moves the slider, `lab.result["DDC"]` has what
    it shows, and `lab.history` the curves over all λ visited so far.
    """
    return MethodSweeps(seed, steps, index=index, lang=lang)


class MethodSweeps(Sweep):
    """The widget that `method_sweeps` returns: a `Sweep` whose results are {method: `Outcome`}."""

    def __init__(self, seed: int = 0, steps: int = STEPS, *, index: int = 0, lang: str | None = None):
        super().__init__(
            LAMBDAS,
            lambda lam: outcomes(float(lam), seed, steps),
            draw,
            label=LABEL,
            describe=describe,
            index=index,
            lang=lang,
            link="methods",
            tasks=[{**task, "index": i} for task, i in zip(TASKS, AT, strict=True)],
        )

    @property
    def lam(self) -> float:
        """λ, one of those on the slider."""
        return self.value

    @lam.setter
    def lam(self, value: float) -> None:
        if value not in LAMBDAS:
            raise ValueError(f"lam must be one of {', '.join(map(str, LAMBDAS))}, not {value}.")
        self.index = LAMBDAS.index(value)

    @property
    def history(self) -> dict:
        """{"lam": [λ, …], "DANN": {"source_accuracy": […], …}, "DDC": …, "ADDA": …} of every λ computed so far."""
        known = sorted(self._results)
        columns = {m: {c: [getattr(self._results[i][m], c) for i in known] for c, _ in BARS.values()} for m in METHODS}
        return {"lam": [LAMBDAS[i] for i in known], **columns}


# --- the runs -----------------------------------------------------------------------------------------------------
@cache
def _source_only(seed: int, steps: int):
    from dtlbook.torch import training

    return training.source_only(*data.pair(PAIR), seed=seed, steps=steps, records=1).networks


def networks_of(method: str, lam: float, seed: int = 0, steps: int = STEPS) -> tuple:
    """(networks for the source, networks for the target) of one run; they differ in ADDA, which has two encoders."""
    from dtlbook.torch import adda, dann, ddc

    first, settings = _source_only(seed, steps), {"lam": lam, "seed": seed, "steps": steps, "records": 1}
    if lam == 0:
        return first, first
    if method == "ADDA":
        return first, adda.adapt(first, *data.pair(PAIR), width=WIDTH, **settings).networks
    networks = {"DANN": dann, "DDC": ddc}[method].train(*data.pair(PAIR), **settings).networks
    return networks, networks


def outcomes(lam: float, seed: int = 0, steps: int = STEPS) -> dict[str, Outcome]:
    """The three methods at one λ; for λ = 0 three times the same, computed once."""
    if lam == 0:
        return dict.fromkeys(METHODS, _measured(*networks_of("DANN", 0.0, seed, steps), seed))
    return {method: _measured(*networks_of(method, lam, seed, steps), seed) for method in METHODS}


def _measured(for_source, for_target, seed: int, plane: bool = True) -> Outcome:
    from dtlbook.torch import training

    source, target = data.pair(PAIR)
    f = [training.features(n, d.x_test) for n, d in ((for_source, source), (for_target, target))]
    z = tsne(np.concatenate([part[:SHOWN] for part in f]), seed) if plane else np.empty((2 * SHOWN, 2))
    return Outcome(
        training.accuracy(for_source, source.x_test, source.y_test),
        training.accuracy(for_target, target.x_test, target.y_test),
        divergence.domain_error(*f),
        z[:SHOWN],
        z[SHOWN:],
    )


# --- what is shown ------------------------------------------------------------------------------------------------
def draw(results: dict[str, Outcome]):
    """A column for each method: its features, and below them its three scores."""
    import matplotlib.pyplot as plt

    source, target = data.pair(PAIR)
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(2, 3, figsize=(5.2, 4.9), height_ratios=[1, 1.15])
        for (above, below), (method, outcome) in zip(axes.T, results.items(), strict=True):
            domain_scatter(above, outcome.z_source, outcome.z_target)
            above.set(title=method)
            for row, (name, (column, colour)) in enumerate(BARS.items()):
                value = getattr(outcome, column)
                below.barh(row, 1, height=0.34, color=PALETTE["grid"])
                below.barh(row, value, height=0.34, color=PALETTE[colour])
                below.text(0, row - 0.27, f"{name} {value:.2f}", va="bottom", size=12)
            below.set(xlim=(0, 1.02), ylim=(2.3, -0.75), xticks=[], yticks=[])
            below.spines[:].set_visible(False)
        fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    plt.close(fig)
    return fig


def describe(lam: float, results: dict[str, Outcome]) -> dict[str, str]:
    """The nine scores as a sentence."""
    scores = {m: [f"{getattr(o, column):.2f}" for column, _ in BARS.values()] for m, o in results.items()}
    return {
        "ko": "소스 정확도, 타깃 정확도, 도메인 오류율: "
        + "; ".join(f"{m} {', '.join(s)}" for m, s in scores.items())
        + ".",
        "en": "source accuracy, target accuracy, domain error: "
        + "; ".join(f"{m} {', '.join(s)}" for m, s in scores.items())
        + ".",
    }
