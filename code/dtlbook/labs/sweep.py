"""A slider over a handful of values, each with a real computation behind it.

With a kernel a value is computed when it is first visited. While the book is made (`DTLBOOK_PRESS=1`) all are
computed and kept in the state of the widget, so that the page works where nothing can compute.
"""

from __future__ import annotations

import numbers
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import matplotlib.pyplot as plt
import traitlets
from matplotlib.figure import Figure
from tqdm import tqdm

from dtlbook.figures import to_svg

LANGUAGES = ("ko", "en")


def sweep(
    values: Iterable[Any],
    run: Callable[[Any], Any],
    draw: Callable[[Any], Figure],
    *,
    label: Mapping[str, str],
    describe: Callable[[Any, Any], Mapping[str, str]],
    predict: Mapping[str, str] | None = None,
    index: int = 0,
    lang: str | None = None,
) -> Sweep:
    """A slider over `values`; at each it shows the figure of `draw(run(value))` and a sentence about it.

    run(value) -> result         the computation; done once a value
    draw(result) -> Figure       of the same size for every value
    label                        what slides: {"ko": "…", "en": "…"}
    describe(value, result)      one sentence, {"ko": "…", "en": "…"}: shown under the figure and read out
    predict                      a question to answer before sliding, {"ko": "…", "en": "…"}
    index                        where the slider stands at first
    lang                         "ko" or "en"; if left out, the language of the page or else of the browser

    With a kernel, `value` and `result` of the returned widget are those shown, and `index` may be set.

    >>> sweep([0, 0.1, 1], train, draw, label={"ko": "λ", "en": "λ"}, describe=tell)  # doctest: +SKIP
    Sweep(λ: 0, 0.1, 1)
    """
    return Sweep(values, run, draw, label=label, describe=describe, predict=predict, index=index, lang=lang)


class Sweep(anywidget.AnyWidget):
    """The widget that `sweep` returns. (anywidget itself switches Colab's support for such widgets on.)"""

    _esm = Path(__file__).with_suffix(".js")
    _css = Path(__file__).with_suffix(".css")

    label = traitlets.Dict().tag(sync=True)
    predict = traitlets.Dict().tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)
    ticks = traitlets.List().tag(sync=True)  # the values as text
    frames = traitlets.List().tag(sync=True)  # {"svg", "ko", "en"}, or None: not yet computed
    index = traitlets.Int().tag(sync=True)
    error = traitlets.Dict().tag(sync=True)  # {"index", "why"} of a value that could not be computed

    link = traitlets.Unicode().tag(sync=True)  # how a link to this slider begins, #methods?value=0.3; "" is no link
    tasks = traitlets.List().tag(sync=True)  # "try this": {"ko", "en", "index" where it begins}, …

    def __init__(self, values, run, draw, *, label, describe, predict=None, index=0, lang=None, link="", tasks=()):
        self.values = _distinct(values)
        self._run, self._draw, self._describe = run, draw, describe
        self._results: dict[int, Any] = {}
        self._asked_by_page = False
        if lang is None:
            lang = os.environ.get("DTLBOOK_LANG", "")
        if lang not in ("", *LANGUAGES):
            raise ValueError(f"sweep knows the languages ko and en, and was given lang={lang!r}.")
        super().__init__(
            label=_both("label", label),
            predict=_both("predict", predict) if predict else {},
            lang=lang,
            ticks=[_text(value) for value in self.values],
            frames=[None] * len(self.values),
            index=_within(index, len(self.values)),
            link=link,
            tasks=[
                {**task, **_both("a task", task), "index": _within(task["index"], len(self.values))} for task in tasks
            ],
        )
        for i in self._progress() if _in_press() else [self.index]:
            self._compute(i)
        self.observe(self._moved, "index")

    @property
    def value(self) -> Any:
        """The value that the slider stands on."""
        return self.values[self.index]

    @property
    def result(self) -> Any:
        """run(value) of the value that the slider stands on."""
        if self.index not in self._results:
            self._compute(self.index)
        return self._results[self.index]

    @traitlets.validate("index")
    def _check_index(self, proposal):
        return _within(proposal["value"], len(self.values))

    def _compute(self, i: int) -> None:
        """Run, draw and describe value number i, unless that was done before."""
        if self.frames[i] is not None:
            return
        value = self.values[i]
        if i not in self._results:
            self._results[i] = self._run(value)
        said = _both("the answer of describe()", self._describe(value, self._results[i]))
        figure = self._draw(self._results[i])
        if not isinstance(figure, Figure):
            raise TypeError(f"draw() must return a matplotlib Figure, and returned {figure!r}.")
        svg = to_svg(figure, said["en"])
        plt.close(figure)  # or the notebook would show it a second time
        self._check_size(svg)
        self.frames = [*self.frames[:i], {"svg": svg, **said}, *self.frames[i + 1 :]]

    def _check_size(self, svg: str) -> None:
        """Frames of one size, so that nothing on the page moves when the slider does."""
        drawn = next((frame["svg"] for frame in self.frames if frame), svg)
        old, new = (text.split('viewBox="', 1)[1].split('"', 1)[0] for text in (drawn, svg))
        if old != new:
            raise ValueError(
                f"draw() must return figures of one size, and {old} and {new} differ: "
                "give every figure the same figsize."
            )

    def _moved(self, change) -> None:
        """The slider stands elsewhere: compute, and if the page asked for it, say there what went wrong."""
        self.error = {}
        try:
            self._compute(self.index)
        except (Exception, KeyboardInterrupt) as error:  # interrupted by hand: say so, too
            why = f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(".: ")
            self.error = {"index": self.index, "why": why}
            if not self._asked_by_page:
                raise

    def set_state(self, sync_data) -> None:
        """What the page sends. Nothing raised here would reach the reader's eyes."""
        self._asked_by_page = True
        try:
            super().set_state(sync_data)
        finally:
            self._asked_by_page = False

    def _progress(self) -> Iterator[int]:
        """All positions, with a progress bar on the terminal of whoever makes the book.

        In a kernel sys.stderr goes into the notebook; the stream that it replaced is the terminal's.
        """
        positions = range(len(self.values))
        terminal = getattr(sys.stderr, "_original_stdstream_copy", None)
        if terminal is None:
            yield from tqdm(positions, desc=repr(self), unit="run", disable=hasattr(sys.stderr, "session"))
        else:
            with os.fdopen(os.dup(terminal), "w") as stream:
                yield from tqdm(positions, desc=repr(self), unit="run", file=stream)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.label['en']}: {', '.join(self.ticks)})"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        if _in_press():
            data["text/html"] = self._still()
        return data, metadata

    def _still(self) -> str:
        """What stands in the page until the widget does: one figure and its sentence in each language."""
        frame = self.frames[self.index]
        captions = "".join(
            f'<figcaption lang="{lang}">{escape(self.label[lang])}: {self.ticks[self.index]}. {escape(frame[lang])}'
            "</figcaption>"
            for lang in LANGUAGES
        )
        # the caption says all that the label would: once is enough for a screen reader
        svg = frame["svg"].replace('<svg role="img"', '<svg aria-hidden="true"', 1)
        svg = svg.replace(f' aria-label="{escape(frame["en"])}"', "", 1)
        return f'<figure class="dtl-still">{svg}{captions}</figure>'


def _in_press() -> bool:
    return os.environ.get("DTLBOOK_PRESS") == "1"


def _text(value: Any) -> str:
    fraction = isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral)
    return (f"{value:g}" if fraction else str(value)).replace("-", "−")


def _distinct(values: Iterable[Any]) -> tuple:
    values = tuple(values)
    texts = [_text(value) for value in values]
    if not values:
        raise ValueError("sweep needs at least one value, and got none.")
    twice = sorted({text for text in texts if texts.count(text) > 1})
    if twice:
        raise ValueError(f"sweep needs values that differ, and {', '.join(twice)} comes more than once.")
    return values


def _within(index: int, n: int) -> int:
    if not isinstance(index, int) or not 0 <= index < n:
        raise ValueError(f"index must be an integer from 0 to {n - 1}, and is {index!r}.")
    return index


def _both(what: str, text: Mapping[str, str]) -> dict[str, str]:
    """`text` with both languages, or a sentence on what is missing."""
    if not isinstance(text, Mapping):
        raise TypeError(f'{what} must be a dict {{"ko": "…", "en": "…"}}, and is a {type(text).__name__}.')
    missing = [lang for lang in LANGUAGES if not isinstance(text.get(lang), str) or not text[lang].strip()]
    if missing:
        raise ValueError(f"{what} must have a text in ko and in en, and lacks {' and '.join(missing)}.")
    return {lang: text[lang] for lang in LANGUAGES}
