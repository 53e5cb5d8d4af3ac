"""The shift lab: a classifier of two clouds, and a target that is moved, turned, enlarged or labelled by another rule.

It answers which of the four differences of chapter 1 there is, and what it costs. The computing is JavaScript
(`core.js`, `shift_model.js`), so that it works in a page with no kernel.
"""

from __future__ import annotations

import anywidget
import traitlets

from dtlbook.labs.lab import computed, described, settings_of, still, traits_of, with_still, within
from dtlbook.labs.parts import module, style

PRESETS = {
    "A": {},
    "B": {"acts": "points", "dx": 1.2},
    "C": {"share": 0.9},
    "D": {"acts": "labels", "rotation": 60.0},
    "E": {"dx": 1.0, "rotation": 45.0, "scale": 1.3},
    "F": {"space": "line"},
    "G": {"answers": "three"},
}
LIMITS = {  # least and most, or the choices
    "acts": ("both", "points", "labels"),
    "dx": (-3, 3),
    "dy": (-3, 3),
    "rotation": (-180, 180),
    "scale": (0.5, 2),
    "share": (0.05, 0.95),
    "space": ("plane", "line"),
    "answers": ("two", "three"),
    "seed": (0, 999999),
}


def shift_lab(preset: str = "A", *, lang: str | None = None, **settings) -> ShiftLab:
    """The lab, set up as one of the cases "A" to "G", or as ``settings``, the traits of `ShiftLab`, say.

    ``lang``  "ko" or "en"; if left out, the language of the page or else of the browser

    With a kernel `lab.dx = 1` moves the target, and `lab.measured` holds what is shown.

    >>> shift_lab("B", dy=1)
    ShiftLab(acts='points', dx=1.2, dy=1, rotation=0, scale=1, share=0.5, space='plane', answers='two', seed=0)
    """
    return ShiftLab(**traits_of("shift_lab", PRESETS, LIMITS, preset, lang, settings))


class ShiftLab(anywidget.AnyWidget):
    """The widget that `shift_lab` returns."""

    _esm = module("core", "settings", "shift_model", "controls", "shift")
    _css = style("lab")

    link = traitlets.Unicode("shift").tag(sync=True)
    acts = traitlets.Unicode("both").tag(sync=True)  # what the map carries: both, points or labels
    dx = traitlets.Float(0.0).tag(sync=True)  # the clouds lie 2 apart
    dy = traitlets.Float(0.0).tag(sync=True)
    rotation = traitlets.Float(0.0).tag(sync=True)  # degrees, anticlockwise, round the middle of the clouds
    scale = traitlets.Float(1.0).tag(sync=True)
    share = traitlets.Float(0.5).tag(sync=True)  # of the right-hand cloud in the target
    space = traitlets.Unicode("plane").tag(sync=True)  # 𝒳 of the target: plane, or line (only x₁ arrives)
    answers = traitlets.Unicode("two").tag(sync=True)  # 𝒴 of the target: two, or three (class 1 is split)
    seed = traitlets.Int(0).tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)
    # what the page shows: source_accuracy target_accuracy best_accuracy, spaces labels (whether 𝒳, 𝒴 differ),
    # x y_x y x_y (how far P(X), P(Y|X), P(Y), P(X|Y) are apart) and the name of the shift
    measured = traitlets.Dict().tag(sync=True)

    @traitlets.validate(*LIMITS)
    def _check(self, proposal):
        return within(LIMITS, proposal)

    def __repr__(self) -> str:
        return described(self, LIMITS)

    def _repr_mimebundle_(self, **kwargs):
        return with_still(super()._repr_mimebundle_(**kwargs), self._still)

    def _still(self) -> str:
        """The clouds as they are set up, by the lab's own code."""
        world = computed(("core", "settings", "shift_model"), _WORLD, settings_of(self, LIMITS))
        source, target = world["source_accuracy"], world["target_accuracy"]
        told = "–" if target is None else f"{target:.2f}"
        captions = {
            "ko": f"시프트 실습: 소스와 타깃의 두 무리와 소스에서 배운 경계. 소스 정확도 {source:.2f}, 타깃 정확도 {told}. "
            "자바스크립트가 있으면 이 자리에서 타깃을 움직여 볼 수 있다.",
            "en": "Shift lab: the two clouds of source and target, and the boundary learned on the source. Source accuracy "
            f"{source:.2f}, target accuracy {told}. With JavaScript you can move the target here yourself.",
        }
        return still(_picture(world), captions)


_WORLD = """(() => {
  const shift = new Shift(given), n = 120;
  const cloud = ({ x, y }) => ({ x: Array.from(x.slice(0, 2 * n)), y: Array.from(y.slice(0, n)) });
  return { ...shift.measure(), clouds: [cloud(shift.train), cloud(shift.target)], weights: Array.from(shift.weights) };
})()"""


def _picture(world: dict):
    """Both domains in the plane, the source's boundary."""
    import matplotlib.pyplot as plt
    import numpy as np

    from dtlbook.figures import PALETTE, STYLE

    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(5.2, 3.6))
        for cloud, (name, shape) in zip(world["clouds"], (("source", "o"), ("target", "^")), strict=True):
            x, y = np.reshape(cloud["x"], (-1, 2)), np.array(cloud["y"])
            for one, fill in ((False, PALETTE["paper"]), (True, PALETTE[name])):
                look = {"marker": shape, "s": 16, "facecolor": fill, "edgecolor": PALETTE[name], "linewidth": 1}
                ax.scatter(*x[(y > 0) == one].T, **look, label=name if one else None)
        w, v, b = world["weights"]
        ends = np.array([-3.4, 3.4])
        ax.plot(-(v * ends + b) / w, ends, color=PALETTE["y"], linewidth=2)
        ax.set(xlim=(-5, 5), ylim=(-3.4, 3.4), xticks=[], yticks=[], aspect="equal")
        fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    plt.close(fig)
    return fig
