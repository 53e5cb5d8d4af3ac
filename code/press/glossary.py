"""The terms that the book uses, decided once in `book/glossary.yml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from press.config import LANGUAGES, PressError


@dataclass(frozen=True)
class Term:
    """One entry: its name and definition in each language, other names, and spellings that are not used."""

    name: dict[str, str]
    definition: dict[str, str]
    also: dict[str, list[str]] = field(default_factory=dict)
    avoid: list[str] = field(default_factory=list)

    def names(self, lang: str) -> list[str]:
        return [self.name[lang], *self.also.get(lang, [])]


def load(path: Path) -> list[Term]:
    """Read the glossary.

    Raises:
        PressError: not YAML, an entry without a name or definition in a language, or a name used twice.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PressError(f"book/{path.name}: expected the glossary here, found no file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PressError(f"book/{path.name}:{mark.line + 1 if mark else 1}: not valid YAML: {error}") from None
    if isinstance(entries, dict):
        entries = entries.get("terms")
    terms, seen = [], set()
    for number, entry in enumerate(entries or [], 1):
        try:
            term = Term(
                {lang: entry[lang] for lang in LANGUAGES},
                {lang: entry["def"][lang] for lang in LANGUAGES},
                entry.get("also") or {},
                entry.get("not") or [],
            )
        except (KeyError, TypeError) as error:
            raise PressError(f"book/{path.name}: entry {number} ({entry!r:.60}) lacks the key {error}") from None
        for lang in LANGUAGES:
            for name in term.names(lang):
                if (lang, name.lower()) in seen:
                    raise PressError(f"book/{path.name}: entry {number}: the {lang} name {name!r} stands there twice")
                seen.add((lang, name.lower()))
        terms.append(term)
    return terms


def index(terms: list[Term], lang: str) -> dict[str, int]:
    """Every name of a language, in lower case, with the number of its entry."""
    return {name.lower(): number for number, term in enumerate(terms) for name in term.names(lang)}


def as_directive(terms: list[Term], lang: str) -> str:
    """The `{glossary}` directive of the glossary page; the other language's name stands in the definition."""
    other = LANGUAGES[1 - LANGUAGES.index(lang)]
    lines = ["```{glossary}"]
    for term in sorted(terms, key=lambda t: t.name[lang].lower()):
        lines += term.names(lang)
        lines += [f"  *{term.name[other]}.* " + " ".join(term.definition[lang].split()), ""]
    return "\n".join([*lines[:-1], "```"])
