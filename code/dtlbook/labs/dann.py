"""The DANN lab: a domain-adversarial network of the plane, trained live in the page on two half moons.

The training itself is JavaScript (`core.js`, `dann_training.js`), so that it runs in a page with no kernel; its losses
and gradients are those of `dtlbook.torch.dann`, which a test proves. With a kernel its settings and its curves can be
read and set from Python.
"""

from __future__ import annotations

import anywidget
import traitlets

from dtlbook.labs import moons
from dtlbook.labs.lab import computed, described, settings_of, still, traits_of, with_still, within
from dtlbook.labs.parts import module, style

PRESETS = {
    "rotated": {},
    "lambda-0": {"lam": 0.0},
    "lambda-large": {"lam": 30.0, "rate": 0.1, "scheduled": False},
    "label-shift": {"lam": 5.0, "rotation": 0.0, "share": 0.9},
}
LIMITS = {  # least, most
    "lam": (0, 100),
    "rotation": (-180, 180),
    "share": (0.05, 0.95),
    "rate": (0.0001, 1),
    "width": (1, 64),
    "seed": (0, 999999),
}
SETTINGS = (*LIMITS, "scheduled")
COMPUTING = ("core", "settings", "moons_run", "dann_training")


def dann_lab(preset: str = "rotated", *, lang: str | None = None, **settings) -> DannLab:
    """The lab, set up as ``preset`` says: "rotated", "lambda-0", "lambda-large" or "label-shift".

    ``settings``  what is to differ from the preset: the traits of `DannLab`
    ``lang``      "ko" or "en"; if left out, the language of the page or else of the browser

    With a kernel `lab.lam = 0.3` moves the slider, and `lab.history` holds the curves of the run on the screen.

    >>> dann_lab("rotated", lam=0.3)
    DannLab(lam=0.3, rotation=35, share=0.5, rate=0.03, width=16, seed=0, scheduled=True)
    """
    return DannLab(**traits_of("dann_lab", PRESETS, SETTINGS, preset, lang, settings))


class DannLab(anywidget.AnyWidget):
    """The widget that `dann_lab` returns."""

    _esm = module(*COMPUTING, "controls", "dann")
    _css = style("lab")

    link = traitlets.Unicode("dann").tag(sync=True)  # how a link to this lab begins: #dann?lam=0.3
    lam = traitlets.Float(1.0).tag(sync=True)  # λ; with the schedule, its value at the end of the run
    rotation = traitlets.Float(35.0).tag(sync=True)  # of the target, degrees, anticlockwise
    share = traitlets.Float(0.5).tag(sync=True)  # of class 1 in the target; the source has 0.5
    rate = traitlets.Float(0.03).tag(sync=True)  # μ; with the schedule, its value at the beginning
    width = traitlets.Int(16).tag(sync=True)  # hidden units of G_f
    seed = traitlets.Int(0).tag(sync=True)
    scheduled = traitlets.Bool(True).tag(sync=True)  # the schedules of JMLR 2016, section 5.2.2
    lang = traitlets.Unicode().tag(sync=True)
    # Curves of the run on the screen, lists of one length, a record every 25 updates, written when it pauses:
    # step lam learning_rate label_loss domain_loss source_accuracy target_accuracy proxy_a_distance
    history = traitlets.Dict().tag(sync=True)

    @traitlets.validate(*LIMITS)
    def _check(self, proposal):
        return within(LIMITS, proposal)

    def __repr__(self) -> str:
        return described(self, SETTINGS)

    def _repr_mimebundle_(self, **kwargs):
        return with_still(super()._repr_mimebundle_(**kwargs), self._still)

    def _still(self) -> str:
        """What stands in the page until the lab does, and on paper: the end of this run, computed by the lab's own code."""
        end = computed(COMPUTING, _WHOLE_RUN, settings_of(self, SETTINGS))
        source, target, pad = (end[name] for name in ("source_accuracy", "target_accuracy", "proxy_a_distance"))
        setting = f"λ = {self.lam:g}, {self.rotation:g}°"
        captions = {
            "ko": f"DANN 실습, {setting}: {end['steps']}걸음 뒤의 입력 공간과 특성 공간. 소스 정확도 {source:.2f}, "
            f"타깃 정확도 {target:.2f}, PAD {pad:.2f}. 자바스크립트가 있으면 이 자리에서 직접 학습해 볼 수 있다.",
            "en": f"DANN lab, {setting}: input space and feature space after {end['steps']} steps. Source accuracy "
            f"{source:.2f}, target accuracy {target:.2f}, PAD {pad:.2f}. With JavaScript you can train it here yourself.",
        }
        return still(moons.picture(end, ([("y", "-")], [("y", "-"), ("d", "--")])), captions)


_WHOLE_RUN = f"""(() => {{
  const run = new DannRun(settingsOf("rotated", given)), label = (features) => run.labelLogit(features);
  for (let i = 0; i < STEPS; i++) run.advance();
  const lines = [[(x) => label(run.features(x))], [label, (features) => run.domainLogit(features)]];
  return {{ steps: STEPS, ...{moons.END}(run, (x) => run.features(x), ...lines) }};
}})()"""
