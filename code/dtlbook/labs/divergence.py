"""The divergence lab: two samples on a line or in the plane, and how far apart a class of hypotheses finds them.

Every hypothesis that divides the samples is tried, as `dtlbook.divergence` does it; the computing is JavaScript
(`core.js`, `divergence_model.js`), so that it works in a page with no kernel.
"""

from __future__ import annotations

import anywidget
import traitlets

from dtlbook.labs.lab import computed, described, settings_of, still, traits_of, with_still, within
from dtlbook.labs.parts import module, style

PRESETS = {
    "apart": {},
    "same": {"dx": 0.0, "size": 20},
    "inside": {"dx": 0.0, "spread": 3.0},
    "line": {"family": "thresholds"},
}
LIMITS = {  # least and most, or the choices
    "family": ("thresholds", "half-planes", "discs"),
    "dx": (-5, 5),
    "dy": (-5, 5),
    "spread": (0.1, 4),
    "size": (2, 80),
    "seed": (0, 999999),
}


def divergence_lab(preset: str = "apart", *, lang: str | None = None, **settings) -> DivergenceLab:
    """The lab, set up as ``preset`` says: "apart", "same", "inside" or "line".

    ``settings``  what is to differ from the preset: the traits of `DivergenceLab`
    ``lang``      "ko" or "en"; if left out, the language of the page or else of the browser

    With a kernel `lab.dx = 1` moves the target, and `lab.measured` holds what is shown.

    >>> divergence_lab("inside", family="discs")
    DivergenceLab(family='discs', dx=0, dy=0, spread=3, size=40, seed=0)
    """
    return DivergenceLab(**traits_of("divergence_lab", PRESETS, LIMITS, preset, lang, settings))


class DivergenceLab(anywidget.AnyWidget):
    """The widget that `divergence_lab` returns."""

    _esm = module("core", "settings", "divergence_model", "controls", "divergence")
    _css = style("lab")

    link = traitlets.Unicode("divergence").tag(sync=True)
    family = traitlets.Unicode("half-planes").tag(sync=True)  # thresholds (on the line), half-planes, discs
    dx = traitlets.Float(2.0).tag(sync=True)  # centre of the target; the source's is 0
    dy = traitlets.Float(0.0).tag(sync=True)
    spread = traitlets.Float(1.0).tag(sync=True)  # standard deviation of the target; the source's is 1
    size = traitlets.Int(40).tag(sync=True)  # points of each domain
    seed = traitlets.Int(0).tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)
    # what the page shows: error_source error_target h_divergence proxy_a_distance exact (None: no formula)
    measured = traitlets.Dict().tag(sync=True)

    @traitlets.validate(*LIMITS)
    def _check(self, proposal):
        return within(LIMITS, proposal)

    def __repr__(self) -> str:
        return described(self, LIMITS)

    def _repr_mimebundle_(self, **kwargs):
        return with_still(super()._repr_mimebundle_(**kwargs), self._still)

    def _still(self) -> str:
        """The samples as they are set up, by the lab's own code."""
        world = computed(("core", "settings", "divergence_model"), _WORLD, settings_of(self, LIMITS))
        s, t, d, pad = (world[k] for k in ("error_source", "error_target", "h_divergence", "proxy_a_distance"))
        captions = {
            "ko": f"발산 실습: 두 표본과, 둘을 가장 잘 가려내는 η. 틀린 비율은 소스에서 {s:.2f}, 타깃에서 {t:.2f}, "
            f"발산 {d:.2f}, PAD {pad:.2f}. 자바스크립트가 있으면 이 자리에서 타깃을 움직여 볼 수 있다.",
            "en": f"Divergence lab: two samples, and the η that tells them apart best. Wrong in the source {s:.2f}, in the "
            f"target {t:.2f}; divergence {d:.2f}, PAD {pad:.2f}. With JavaScript you can move the target here yourself.",
        }
        return still(_picture(world), captions)


_WORLD = """(() => {
  const now = new Divergence(given);
  const grid = new Float64Array(2 * 61 * 61);
  for (let r = 0, k = 0; r < 61; r++) for (let c = 0; c < 61; c++) { grid[k++] = -6 + c / 5; grid[k++] = -4 + 8 * r / 60; }
  return { ...now.measure(), line: given.family === "thresholds", samples: [now.source, now.target].map((x) => Array.from(x)),
    edge: Array.from(statistic(now.best, grid), (t) => t - now.best.cut) };
})()"""


def _picture(world: dict):
    """Both samples, the best hypothesis."""
    import matplotlib.pyplot as plt
    import numpy as np

    from dtlbook.figures import PALETTE, STYLE

    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(5.2, 3.6))
        looks = (("source", "o", 1), ("target", "^", -1))
        for sample, (name, shape, height) in zip(world["samples"], looks, strict=True):
            x = np.reshape(sample, (-1, 2))
            if world["line"]:
                x[:, 1] = height * (0.6 + np.arange(len(x)) * 0.618 % 1)
            ax.scatter(*x.T, marker=shape, s=16, color=PALETTE[name], label=name)
        edge = np.reshape(world["edge"], (61, 61))
        ax.contour(np.linspace(-6, 6, 61), np.linspace(-4, 4, 61), edge, levels=[0], colors=PALETTE["d"], linewidths=2)
        ax.set(xlim=(-6, 6), ylim=(-4, 4), xticks=[], yticks=[], aspect="equal")
        fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    plt.close(fig)
    return fig
