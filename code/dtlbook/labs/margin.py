"""The margin lab: CCSA trained live in the page, on two half moons and a few labelled points of the turned target.

The training itself is JavaScript (`core.js`, `margin_training.js`), so that it runs in a page with no kernel; its losses
and gradients are those of `dtlbook.torch.ccsa`, whose λ is α here, and a test proves it. With a kernel its settings and
its curves can be read and set from Python.
"""

from __future__ import annotations

import anywidget
import traitlets

from dtlbook.labs.lab import computed, described, settings_of, still, traits_of, with_still, within
from dtlbook.labs.parts import module, style

PRESETS = {
    "pairs": {},
    "alpha-0": {"alpha": 0.0},
    "alpha-1": {"alpha": 1.0},
    "collapse": {"alpha": 1.0, "margin": 0.0},
    "opposite": {"rotation": 180.0},
}
LIMITS = {  # least, most
    "alpha": (0, 1),
    "margin": (0, 20),
    "labels": (1, 10),
    "rotation": (-180, 180),
    "rate": (0.0001, 1),
    "seed": (0, 999999),
}
FILES = ("core", "settings", "moons_run", "margin_training")


def margin_lab(preset: str = "pairs", *, lang: str | None = None, **settings) -> MarginLab:
    """The lab, set up as ``preset`` says: "pairs", "alpha-0", "alpha-1", "collapse" or "opposite".

    ``settings``  what is to differ from the preset: the traits of `MarginLab`
    ``lang``      "ko" or "en"; if left out, the language of the page or else of the browser

    With a kernel `lab.alpha = 0.5` moves the slider, and `lab.history` holds the curves of the run on the screen.

    >>> margin_lab("pairs", margin=2.0)
    MarginLab(alpha=0.25, margin=2, labels=3, rotation=60, rate=0.03, seed=0)
    """
    return MarginLab(**traits_of("margin_lab", PRESETS, LIMITS, preset, lang, settings))


class MarginLab(anywidget.AnyWidget):
    """The widget that `margin_lab` returns."""

    _esm = module(*FILES, "controls", "margin")
    _css = style("lab")

    link = traitlets.Unicode("margin").tag(sync=True)  # how a link to this lab begins: #margin?alpha=0.5
    alpha = traitlets.Float(0.25).tag(sync=True)  # (1 − α) L_C + α (L_SA + L_S)
    margin = traitlets.Float(1.0).tag(sync=True)  # m, in the feature space
    labels = traitlets.Int(3).tag(sync=True)  # labelled target points of each class
    rotation = traitlets.Float(60.0).tag(sync=True)  # of the target, degrees, anticlockwise
    rate = traitlets.Float(0.03).tag(sync=True)  # learning rate μ
    seed = traitlets.Int(0).tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)
    # Curves of the run on the screen, lists of one length, a record every 20 updates, written when it pauses: step alpha
    # margin label_loss alignment_loss separation_loss distance_same distance_other source_accuracy target_accuracy
    # proxy_a_distance
    history = traitlets.Dict().tag(sync=True)

    @traitlets.validate(*LIMITS)
    def _check(self, proposal):
        return within(LIMITS, proposal)

    def __repr__(self) -> str:
        return described(self, LIMITS)

    def _repr_mimebundle_(self, **kwargs):
        return with_still(super()._repr_mimebundle_(**kwargs), self._still)

    def _still(self) -> str:
        """What stands in the page until the lab does, and on paper: the end of this run, by the lab's own code."""
        end = computed(FILES, _WHOLE_RUN, settings_of(self, LIMITS))
        source, target = end["source_accuracy"], end["target_accuracy"]
        captions = {
            "ko": f"CCSA 실습, α = {self.alpha:g}, m = {self.margin:g}, 레이블은 클래스마다 {self.labels}개: {end['steps']}걸음 뒤의 입력 공간과 "
            f"특성 공간. 소스 정확도 {source:.2f}, 타깃 정확도 {target:.2f}. 자바스크립트가 있으면 이 자리에서 직접 학습해 볼 수 있다.",
            "en": f"CCSA lab, α = {self.alpha:g}, m = {self.margin:g}, labels of each class: {self.labels}. Input space and feature space "
            f"after {end['steps']} steps. Source accuracy {source:.2f}, target accuracy {target:.2f}. With JavaScript you can train it here yourself.",
        }
        return still(_picture(end), captions)


_WHOLE_RUN = """(() => {
  const run = new MarginRun(settingsOf("pairs", given)), shown = 80;
  for (let i = 0; i < STEPS; i++) run.advance();
  const parts = [run.source, run.target, run.few];
  const points = [parts.map(({ x }) => x.slice(0, 2 * shown)), parts.map(({ x }) => run.features(x.slice(0, 2 * shown)))];
  return {
    steps: STEPS, ...run.measure(), labels: parts.map(({ y }) => Array.from(y.slice(0, shown))),
    points: points.map((three) => three.map((x) => Array.from(x))),
  };
})()"""


def _picture(end: dict):
    """Input space and feature space at the end of a run; the labelled target points are ringed."""
    import matplotlib.pyplot as plt
    import numpy as np

    from dtlbook.figures import PALETTE, STYLE

    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, 2, figsize=(5.2, 2.9))
        for k, (ax, title) in enumerate(zip(axes, ("input space", "feature space"), strict=True)):
            for d, (name, shape) in enumerate((("source", "o"), ("target", "^"), ("target", "^"))):
                x, y = np.reshape(end["points"][k][d], (-1, 2)), np.array(end["labels"][d])
                for label, fill in ((0, PALETTE["paper"]), (1, PALETTE[name])):
                    style = {"marker": shape, "s": 14, "facecolor": fill, "edgecolor": PALETTE[name], "linewidth": 1}
                    ax.scatter(*x[y == label].T, **style, label=name if label and d < 2 else None)
            ax.scatter(*x.T, s=70, facecolor="none", edgecolor=PALETTE["ink"], linewidth=1, label="labelled target")
            ax.set(xticks=[], yticks=[], title=title)
        fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    plt.close(fig)
    return fig
