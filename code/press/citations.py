"""Citations as plain text, for the notebooks; pybtex reads and formats the bibliography."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pybtex.database import BibliographyData, Entry, parse_file
from pybtex.plugin import find_plugin
from pybtex.scanner import PybtexSyntaxError

from press.config import PressError


@cache
def _read(path: Path, changed: float) -> BibliographyData:
    try:
        return parse_file(str(path), "bibtex")
    except PybtexSyntaxError as error:
        raise PressError(f"book/{path.name}:{error.lineno}: not valid BibTeX: {error}") from None


def load(path: Path) -> dict[str, Entry]:
    """Key → entry; an absent file is an empty bibliography."""
    return dict(_read(path, path.stat().st_mtime).entries) if path.is_file() else {}


def in_text(entries: dict[str, Entry], keys: list[str], textual: bool) -> str:
    """`Ganin et al. [2016]` where the citation is part of the sentence, else `[Ganin et al., 2016]`, as on the pages."""
    parts = [(_names(entries[key]), entries[key].fields.get("year", "n.d.")) for key in keys]
    if textual:
        return ", ".join(f"{names} [{year}]" for names, year in parts)
    return "[" + "; ".join(f"{names}, {year}" for names, year in parts) + "]"


def _names(entry: Entry) -> str:
    names = [
        " ".join(person.prelast_names + person.last_names).replace("{", "").replace("}", "")
        for person in entry.persons.get("author", [])
    ]
    if len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names)


def full(entries: dict[str, Entry], key: str) -> str:
    """One line of a reference list, in Markdown."""
    style = find_plugin("pybtex.style.formatting", "plain")()
    entry = style.format_entry(key, entries[key])
    return entry.text.render(find_plugin("pybtex.backends", "markdown")())
