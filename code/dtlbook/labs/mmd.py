"""The MMD lab: two samples and their kernel two-sample test, and DDC trained live in the page on two half moons.

All computing is JavaScript (`core.js`, `moons_run.js`, `mmd_training.js`), so that it runs in a page with no kernel; a
test holds its estimates, its witness function and its test to `dtlbook.mmd`, and its gradients to `dtlbook.torch.ddc`.
With a kernel its settings, the test and the curves can be read and set from Python.
"""

from __future__ import annotations

import anywidget
import traitlets

from dtlbook.labs import moons
from dtlbook.labs.lab import computed, described, settings_of, still, traits_of, with_still, within
from dtlbook.labs.parts import module, style

PRESETS = {
    "shifted": {},
    "same": {"dx": 0.0},
    "wider": {"dx": 0.0, "spread": 2.5},
    "ddc": {"view": "ddc"},
    "ddc-0": {"view": "ddc", "lam": 0.0},
    "ddc-1": {"view": "ddc", "lam": 1.0},
}
LIMITS = {  # least, most; or what there is to choose from
    "view": ("samples", "ddc"),
    "kernel": ("rbf", "linear"),
    "sigma": (0.01, 100),
    "dx": (-10, 10),
    "dy": (-10, 10),
    "spread": (0.1, 5),
    "size": (2, 100),
    "lam": (0, 100),
    "rotation": (-180, 180),
    "rate": (0.0001, 1),
    "seed": (0, 999999),
}
SETTINGS = (*LIMITS, "median")
COMPUTING = ("core", "settings", "moons_run", "mmd_training")


def mmd_lab(preset: str = "shifted", *, lang: str | None = None, **settings) -> MmdLab:
    """The lab, set up as ``preset`` says: "shifted", "same", "wider" (two samples), "ddc", "ddc-0" or "ddc-1" (training).

    ``settings``  what is to differ from the preset: the traits of `MmdLab`
    ``lang``      "ko" or "en"; if left out, the language of the page or else of the browser

    With a kernel `lab.dx = 0.5` moves the target, `lab.test` holds the estimates, the p-value and the null
    distribution, and `lab.history` the curves of the run. Setting `sigma` sets `median` to False in the page.

    >>> mmd_lab("same", size=20).size
    20
    """
    return MmdLab(**traits_of("mmd_lab", PRESETS, SETTINGS, preset, lang, settings))


class MmdLab(anywidget.AnyWidget):
    """The widget that `mmd_lab` returns."""

    _esm = module(*COMPUTING, "controls", "mmd")
    _css = style("lab")

    link = traitlets.Unicode("mmd").tag(sync=True)  # how a link to this lab begins: #mmd?dx=0.5
    view = traitlets.Unicode("samples").tag(sync=True)  # which pictures: "samples" or "ddc"
    kernel = traitlets.Unicode("rbf").tag(sync=True)
    median = traitlets.Bool(True).tag(sync=True)  # σ is the median distance, of the samples or of the mini-batch
    sigma = traitlets.Float(1.0).tag(sync=True)  # bandwidth if not ``median``
    dx = traitlets.Float(1.0).tag(sync=True)  # centre of the target sample
    dy = traitlets.Float(0.0).tag(sync=True)
    spread = traitlets.Float(1.0).tag(sync=True)  # its standard deviation; the source has 1
    size = traitlets.Int(40).tag(sync=True)  # points of each sample
    lam = traitlets.Float(10.0).tag(sync=True)  # λ of DDC
    rotation = traitlets.Float(30.0).tag(sync=True)  # of the target moons, degrees, anticlockwise
    rate = traitlets.Float(0.03).tag(sync=True)  # μ, constant
    seed = traitlets.Int(0).tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)
    # Of the samples on the screen: biased, unbiased, p_value, sigma (None for the linear kernel), null [500]
    test = traitlets.Dict().tag(sync=True)
    # Curves of the run on the screen, lists of one length, a record every 25 updates, written when it pauses:
    # step lam label_loss mmd2 source_accuracy target_accuracy proxy_a_distance
    history = traitlets.Dict().tag(sync=True)

    @traitlets.validate(*LIMITS)
    def _check(self, proposal):
        return within(LIMITS, proposal)

    def __repr__(self) -> str:
        return described(self, SETTINGS)

    def _repr_mimebundle_(self, **kwargs):
        return with_still(super()._repr_mimebundle_(**kwargs), self._still)

    def _still(self) -> str:
        """What stands in the page until the lab does, and on paper: these settings, computed by the lab's own code."""
        given = settings_of(self, SETTINGS)
        if self.view == "ddc":
            end = computed(COMPUTING, _WHOLE_RUN, given)
            numbers = {"source": end["source_accuracy"], "target": end["target_accuracy"]}
            captions = {
                "ko": f"MMD 실습, DDC, λ = {self.lam:g}: {end['steps']}걸음 뒤의 입력 공간과 특성 공간. 소스 정확도 "
                "{source:.2f}, 타깃 정확도 {target:.2f}. 자바스크립트가 있으면 이 자리에서 직접 학습해 볼 수 있다.",
                "en": f"MMD lab, DDC, λ = {self.lam:g}: input space and feature space after {end['steps']} steps. Source "
                "accuracy {source:.2f}, target accuracy {target:.2f}. With JavaScript you can train it here yourself.",
            }
            figure = moons.picture(end, ([("y", "-")], [("y", "-")]))
        else:
            numbers = told = computed(COMPUTING, _TEST, given)
            captions = {
                "ko": "MMD 실습: 두 표본과 증인 함수가 0인 선, 그리고 MMD²의 귀무분포. MMD²의 치우친 추정값 {biased:.3f}, "
                "치우치지 않은 추정값 {unbiased:.3f}, p값 {pValue:.3f}. 자바스크립트가 있으면 이 자리에서 표본을 직접 옮겨 볼 수 있다.",
                "en": "MMD lab: two samples and the line where the witness function is 0, and the null distribution of "
                "MMD². Biased estimate {biased:.3f}, unbiased estimate {unbiased:.3f}, p-value {pValue:.3f}. With "
                "JavaScript you can move the samples here yourself.",
            }
            figure = _picture(told)
        return still(figure, {lang: text.format(**numbers) for lang, text in captions.items()})


_WHOLE_RUN = f"""(() => {{
  const run = new DdcRun(settingsOf("ddc", given)), label = (features) => run.labelLogit(features);
  for (let i = 0; i < STEPS; i++) run.advance();
  return {{ steps: STEPS, ...{moons.END}(run, (x) => run.features(x), [(x) => label(run.features(x))], [label]) }};
}})()"""
_TEST = """(() => {
  const told = compare(settingsOf("shifted", given)), grid = [-6, 6, -4.5, 4.5], side = 40;
  const at = (low, high) => Array.from({ length: side }, (_, i) => low + (high - low) * i / (side - 1));
  const xs = at(-6, 6), ys = at(-4.5, 4.5), points = Float64Array.from(ys.flatMap((v) => xs.flatMap((u) => [u, v])));
  return { ...told, grid: [xs, ys], witness: Array.from(witness(told.source, told.target, points, told.sigma)),
    source: Array.from(told.source), target: Array.from(told.target), values: Array.from(told.values) };
})()"""


def _picture(told: dict):
    """The samples with the witness function's zero, and the null distribution with what was observed."""
    import matplotlib.pyplot as plt
    import numpy as np

    from dtlbook.figures import PALETTE, STYLE

    with plt.rc_context(STYLE):
        fig, (plane, null) = plt.subplots(1, 2, figsize=(5.2, 2.9))
        for name, shape in (("source", "o"), ("target", "^")):
            plane.scatter(*np.reshape(told[name], (-1, 2)).T, marker=shape, s=14, color=PALETTE[name], label=name)
        xs, ys = told["grid"]
        plane.contour(xs, ys, np.reshape(told["witness"], (len(ys), len(xs))), levels=[0], colors=PALETTE["ink"],
                      linestyles="--", linewidths=1.5)  # fmt: skip
        plane.set(xticks=[], yticks=[], xlim=(-6, 6), ylim=(-4.5, 4.5), title="two samples")
        null.hist(told["values"], bins=30, color=PALETTE["soft"])
        null.axvline(told["critical"], color=PALETTE["ink"], linestyle="--", linewidth=1.5, label="5 %")
        null.axvline(told["observed"], color=PALETTE["d"], linewidth=2.5, label="observed")
        null.set(yticks=[], title="null distribution")
        handles = [ax.get_legend_handles_labels() for ax in (plane, null)]
        fig.legend(*(sum(lists, []) for lists in zip(*handles, strict=True)), loc="outside lower center", ncols=4)
    plt.close(fig)
    return fig
