"""The freeze lab: what freezing blocks of a pre-trained network does, by number of labels, from real runs.

The runs are made where the lab is (chapter 3) and kept in the widget, so that the page works with no kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anywidget
import numpy as np
import traitlets

from dtlbook.labs.lab import described, settings_of, still, traits_of, with_still, within
from dtlbook.labs.parts import module, style

SOURCES = ("broad", "upright")
LABELS = (1, 2, 5, 20, 60)  # of each digit; 60 stands for all, about 60 of each
FROZEN = range(5)
PRESETS = {"few": {}, "all": {"labels": 60, "frozen": 0}, "narrow": {"source": "upright", "labels": 60}}
LIMITS = {"source": SOURCES, "labels": (1, 60), "frozen": (0, 4)}  # least and most, or the choices


def freeze_lab(
    steps: Sequence[int],
    curves: Mapping[tuple[str, int | None, int], Sequence],
    preset: str = "few",
    *,
    lang: str | None = None,
    **settings,
) -> FreezeLab:
    """The lab over runs of 4 blocks: it shows what was measured after each number of updates in ``steps``.

    ``curves``    (source, labels, frozen) -> accuracies [records, 2, seeds]: on the target's test images, and on the
                  labelled images learned from. source is "broad" or "upright", or "scratch" (frozen is then 0);
                  labels 1, 2, 5, 20 of each digit, or None for all
    ``preset``    "few", "all" or "narrow"; ``settings`` are what is to differ: the traits of `FreezeLab`
    ``lang``      "ko" or "en"; if left out, the language of the page or else of the browser

    With a kernel `lab.frozen = 2` moves the slider, and `lab.measured` holds what is shown. Raises ValueError for a
    run that is missing or has other records.
    """
    traits = traits_of("freeze_lab", PRESETS, LIMITS, preset, lang, settings)
    return FreezeLab(runs=_runs(list(steps), curves), **traits)


def _runs(steps: list[int], curves: Mapping) -> dict:
    """The runs as the page reads them, accuracies to four decimals."""

    def run(source: str, labels: int, frozen: int) -> dict:
        key = source, None if labels == 60 else labels, frozen
        if key not in curves:
            raise ValueError(f"curves lacks the run {key}.")
        values = np.asarray(curves[key], float)
        if (
            values.ndim != 3
            or values.shape[:2] != (len(steps), 2)
            or values.shape[2] < 2
            or not np.isfinite(values).all()
        ):
            raise ValueError(
                f"the run {key} must be finite numbers [{len(steps)}, 2, seeds], two seeds or more, not of shape {list(values.shape)}."
            )
        test, own = values[:, 0].T.round(4), values[:, 1].mean(axis=1).round(4)
        return {"test": test.tolist(), "own": own.tolist()}

    found = {s: {str(m): {str(n): run(s, m, n) for n in FROZEN} for m in LABELS} for s in SOURCES}
    return {"steps": steps, **found, "scratch": {str(m): run("scratch", m, 0) for m in LABELS}}


class FreezeLab(anywidget.AnyWidget):
    """The widget that `freeze_lab` returns."""

    _esm = module("core", "settings", "freeze_model", "controls", "freeze")
    _css = style("lab")

    link = traitlets.Unicode("freeze").tag(sync=True)
    source = traitlets.Unicode("broad").tag(sync=True)  # what the blocks learned from: broad (many angles) or upright
    labels = traitlets.Int(1).tag(sync=True)  # of each digit: 1, 2, 5, 20, or 60 for all
    frozen = traitlets.Int(4).tag(sync=True)  # blocks, from the input on
    runs = traitlets.Dict().tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)
    # what the page shows: accuracy spread own scratch gain each (accuracy by frozen blocks) best
    measured = traitlets.Dict().tag(sync=True)

    @traitlets.validate(*LIMITS)
    def _check(self, proposal):
        value = within(LIMITS, proposal)
        if proposal["trait"].name == "labels" and value not in LABELS:
            raise traitlets.TraitError(f"labels must be one of {', '.join(map(str, LABELS))}, not {value}.")
        return value

    def __repr__(self) -> str:
        return described(self, LIMITS)

    def _repr_mimebundle_(self, **kwargs):
        return with_still(super()._repr_mimebundle_(**kwargs), self._still)

    def _still(self) -> str:
        """Accuracy at the end against frozen blocks, for few labels and for all."""
        now = settings_of(self, LIMITS)
        ends = np.mean(self.runs[now["source"]][str(now["labels"])][str(now["frozen"])]["test"], axis=0)
        captions = {
            "ko": f"동결 실습: 동결한 블록의 수에 따른 타깃 정확도, 레이블의 수마다 선 하나. 지금 설정의 정확도 {ends[-1]:.2f}. "
            "자바스크립트가 있으면 이 자리에서 골라 볼 수 있다.",
            "en": "Freeze lab: target accuracy against the number of frozen blocks, a line for each number of labels. Accuracy "
            f"as set up {ends[-1]:.2f}. With JavaScript you can choose here yourself.",
        }
        return still(self._picture(), captions)

    def _picture(self):
        import matplotlib.pyplot as plt

        from dtlbook.figures import PALETTE, STYLE

        with plt.rc_context(STYLE):
            fig, ax = plt.subplots(figsize=(5.2, 3.4))
            looks = zip(LABELS, ("source", "target", "f", "y", "d"), "o^sDv", strict=True)
            for labels, colour, marker in looks:
                runs = self.runs[self.source][str(labels)]
                ends = [np.mean(runs[str(n)]["test"], axis=0)[-1] for n in FROZEN]
                ax.plot(
                    FROZEN, ends, marker=marker, color=PALETTE[colour], label="all" if labels == 60 else str(labels)
                )
            ax.set(xticks=FROZEN, xlabel="frozen blocks", ylabel="target accuracy")
            ax.legend(title="labels of each digit", ncols=2)
        plt.close(fig)
        return fig
