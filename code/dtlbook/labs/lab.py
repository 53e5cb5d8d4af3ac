"""What every lab's widget needs: its settings and their limits, a still picture for paper, its own JavaScript run from Python.

A lab's module has PRESETS (name -> settings that differ from the first preset's), LIMITS (name -> least and most, or a
tuple of texts to choose from) and a widget class whose traits are the settings; the functions below do the rest.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Collection, Mapping
from html import escape
from typing import Any

import traitlets

from dtlbook.labs.parts import module

LANGUAGES = ("ko", "en")


def traits_of(
    lab: str, presets: Mapping[str, dict], names: Collection[str], preset: str, lang: str | None, given: dict
) -> dict:
    """The traits of a widget of the lab called ``lab``: those of the preset, then those given; its language.

    Raises ValueError for an unknown preset, setting or language.
    """
    if preset not in presets:
        raise ValueError(f"preset must be one of {', '.join(presets)}, not {preset!r}.")
    lang = os.environ.get("DTLBOOK_LANG", "") if lang is None else lang
    if lang not in ("", *LANGUAGES):
        raise ValueError(f"{lab} knows the languages ko and en, and was given lang={lang!r}.")
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(f"{lab} has the settings {', '.join(names)}, not {', '.join(unknown)}.")
    return {"lang": lang, **presets[preset], **given}


def within(limits: Mapping[str, tuple], proposal: dict) -> Any:
    """For @traitlets.validate: the proposed value, or a TraitError that names what it may be."""
    name, value = proposal["trait"].name, proposal["value"]
    if isinstance(limits[name][0], str):
        if value not in limits[name]:
            raise traitlets.TraitError(f"{name} must be one of {', '.join(limits[name])}, not {value!r}.")
        return value
    least, most = limits[name]
    if not (math.isfinite(value) and least <= value <= most):
        raise traitlets.TraitError(f"{name} must lie between {least} and {most}, not be {value}.")
    return value


def settings_of(widget, names: Collection[str]) -> dict:
    """The settings that the widget stands on."""
    return {name: getattr(widget, name) for name in names}


def described(widget, names: Collection[str]) -> str:
    """DannLab(lam=0.3, rotation=35): for __repr__."""
    values = settings_of(widget, names).items()
    told = (
        f"{name}={value:g}" if isinstance(value, float | int) and not isinstance(value, bool) else f"{name}={value!r}"
        for name, value in values
    )
    return f"{type(widget).__name__}({', '.join(told)})"


def with_still(bundle: tuple[dict, dict], still: Callable[[], str]) -> tuple[dict, dict]:
    """What _repr_mimebundle_ returns; while the book is made, with the still picture."""
    data, metadata = bundle
    if os.environ.get("DTLBOOK_PRESS") == "1":
        data["text/html"] = still()
    return data, metadata


def still(figure, captions: Mapping[str, str]) -> str:
    """What stands in the page until the lab does, and on paper: a figure, and a sentence in each language that tells it all."""
    from dtlbook.figures import to_svg

    svg = to_svg(figure, captions["en"])
    svg = svg.replace('<svg role="img"', '<svg aria-hidden="true"', 1)  # the caption says it all
    svg = svg.replace(f' aria-label="{escape(captions["en"])}"', "", 1)
    said = "".join(f'<figcaption lang="{lang}">{escape(captions[lang])}</figcaption>' for lang in LANGUAGES)
    return f'<figure class="dtl-still">{svg}{said}</figure>'


def computed(names: Collection[str], code: str, given: Any = None) -> Any:
    """The value of the JavaScript expression ``code`` after the files ``names``, by V8; ``given`` is what it knows by that name."""
    from py_mini_racer import MiniRacer

    engine = MiniRacer()
    try:
        engine.eval(re.sub(r"^export (?!default)", "", module(*names), flags=re.MULTILINE))
        return json.loads(engine.eval(f"((given) => JSON.stringify({code}))({json.dumps(given)})"))
    finally:
        engine.close()  # left open, its thread can keep the interpreter from ending
