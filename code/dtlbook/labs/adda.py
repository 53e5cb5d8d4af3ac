"""The ADDA lab: both stages of adversarial discriminative adaptation, trained live in the page on two half moons.

The training itself is JavaScript (`core.js`, `moons_run.js`, `adda_training.js`), so that it runs in a page with no
kernel; its losses, gradients and updates are those of `dtlbook.torch.adda`, which a test proves. With a kernel its
settings and its curves can be read and set from Python.
"""

from __future__ import annotations

import anywidget
import traitlets

from dtlbook.labs import moons
from dtlbook.labs.lab import computed, described, settings_of, still, traits_of, with_still, within
from dtlbook.labs.parts import module, style

_FAR = {"rotation": 0.0, "shift": 5.0, "head": 2000, "optimizer": "sgd", "rate": 0.1, "lam": 0.03}
PRESETS = {
    "inverted": {},
    "head-0": {"head": 0},
    "far-minimax": {**_FAR, "minimax": True},
    "far-inverted": _FAR,
    "label-shift": {"rotation": 0.0, "share": 0.9},
}
LIMITS = {  # least, most; or what there is to choose from
    "optimizer": ("adam", "sgd"),
    "head": (0, 5000),
    "lam": (0, 100),
    "rotation": (-180, 180),
    "shift": (-10, 10),
    "share": (0.05, 0.95),
    "rate": (0.00001, 1),
    "width": (1, 64),
    "seed": (0, 999999),
}
SETTINGS = (*LIMITS, "minimax")
COMPUTING = ("core", "settings", "moons_run", "adda_training")


def adda_lab(preset: str = "inverted", *, lang: str | None = None, **settings) -> AddaLab:
    """The lab, set up as ``preset`` says: "inverted", "head-0", "far-minimax", "far-inverted" or "label-shift".

    ``settings``  what is to differ from the preset: the traits of `AddaLab`
    ``lang``      "ko" or "en"; if left out, the language of the page or else of the browser

    With a kernel `lab.minimax = True` changes the loss of M_t, and `lab.history` holds the curves of the run.

    >>> adda_lab("far-minimax").head
    2000
    """
    return AddaLab(**traits_of("adda_lab", PRESETS, SETTINGS, preset, lang, settings))


class AddaLab(anywidget.AnyWidget):
    """The widget that `adda_lab` returns."""

    _esm = module(*COMPUTING, "controls", "adda")
    _css = style("lab")

    link = traitlets.Unicode("adda").tag(sync=True)  # how a link to this lab begins: #adda?minimax=1
    minimax = traitlets.Bool(False).tag(sync=True)  # which loss moves M_t; False: inverted labels
    optimizer = traitlets.Unicode("adam").tag(sync=True)  # of stage 2: "adam" (β_1 = 0.5, as in the paper) or "sgd"
    head = traitlets.Int(500).tag(sync=True)  # steps of D alone before M_t's first
    lam = traitlets.Float(1.0).tag(sync=True)  # M_t's learning rate is λμ
    rotation = traitlets.Float(30.0).tag(sync=True)  # of the target, degrees, anticlockwise
    shift = traitlets.Float(0.0).tag(sync=True)  # of the target, to the right
    share = traitlets.Float(0.5).tag(sync=True)  # of class 1 in the target; the source has 0.5
    rate = traitlets.Float(0.003).tag(sync=True)  # μ, D's learning rate in stage 2
    width = traitlets.Int(16).tag(sync=True)  # hidden units of M_s and M_t
    seed = traitlets.Int(0).tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)
    # Curves of the run on the screen, lists of one length, a record every 25 steps, None where a stage has no such
    # number, written when it pauses: step stage label_loss domain_loss encoder_loss inverted_gradient minimax_gradient
    # target_logit source_accuracy target_accuracy proxy_a_distance
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
        before, source, target = end["before"], end["source_accuracy"], end["target_accuracy"]
        loss = {
            "ko": "최소-최대" if self.minimax else "뒤집은 레이블",
            "en": "minimax" if self.minimax else "inverted labels",
        }
        captions = {
            "ko": f"ADDA 실습, {loss['ko']}: 2단계가 끝났을 때의 입력 공간과 특성 공간. 소스 정확도 {source:.2f}, 타깃 정확도는 "
            f"1단계 뒤 {before:.2f}, 2단계 뒤 {target:.2f}. 자바스크립트가 있으면 이 자리에서 직접 학습해 볼 수 있다.",
            "en": f"ADDA lab, {loss['en']}: input space and feature space at the end of stage 2. Source accuracy "
            f"{source:.2f}; target accuracy {before:.2f} after stage 1 and {target:.2f} after stage 2. With JavaScript "
            "you can train it here yourself.",
        }
        return still(moons.picture(end, ([("y", "-"), ("target", "--")], [("y", "-"), ("d", "--")])), captions)


_WHOLE_RUN = f"""(() => {{
  const run = new AddaRun(settingsOf("inverted", given)), label = (features) => run.labelLogit(features);
  while (run.stage === 1) run.advance();
  const before = run.measure().target_accuracy;
  while (run.over !== "end") run.advance();
  const by = (domain) => (x) => label(run.features(x, domain));
  return {{ before, ...{moons.END}(run, (x, domain) => run.features(x, domain), [by(0), by(1)], [label, (f) => run.domainLogit(f)]) }};
}})()"""
