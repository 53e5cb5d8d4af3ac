"""Lists that stand on a page in full and are kept nowhere by hand: the glossary, the chapters, the works cited.

A page asks for one with an empty directive, ```` ```{glossary-list} ````, ``{chapters-list}`` or
``{references-list}``.
"""

from __future__ import annotations

import re

from press import citations, glossary
from press.config import Config
from press.source import read_chapter

_ASKED = re.compile(r"^```\{(glossary|chapters|references)-list\}[ \t]*\n```[ \t]*$", re.M)
_HEADS = {
    "ko": ("장", "읽는 시간", "실행, CPU", "실행, GPU", "내려받을 것"),
    "en": ("chapter", "to read", "to run, CPU", "to run, GPU", "downloads"),
}
_MINUTES = {"ko": "{}분", "en": "{} min"}


def fill_in(text: str, lang: str, config: Config) -> str:
    """``text`` with every list in place."""
    makers = {"glossary": _terms, "chapters": chapters, "references": references}
    return _ASKED.sub(lambda match: makers[match[1]](config, lang), text)


def _terms(config: Config, lang: str) -> str:
    return glossary.as_directive(glossary.load(config.book / "glossary.yml"), lang)


def chapters(config: Config, lang: str) -> str:
    """A table of the chapters with the minutes and downloads of their front matter."""
    rows = ["| " + " | ".join(_HEADS[lang]) + " |", "|---|" + "---|" * (len(_HEADS[lang]) - 1)]
    for document in config.documents:
        needs = read_chapter(config.book / f"{document}.md", config.root)[0].metadata.get("dtlbook")
        if needs:
            minutes = [_MINUTES[lang].format(needs[key]) for key in ("read", "cpu", "gpu")]
            title = f"{int(document[:2])}. {{doc}}`{document}`"
            rows.append("| " + " | ".join([title, *minutes, needs["downloads"][lang]]) + " |")
    return "\n".join(rows)


def references(config: Config, lang: str) -> str:
    """Every work of the bibliography, by first author and year; works are named alike in both editions."""
    entries = citations.load(config.book / "references.bib")

    def order(key: str) -> tuple[str, str, str]:
        people = entries[key].persons.get("author", [])
        return (people[0].last_names[0].lower() if people else "", entries[key].fields.get("year", ""), key)

    return "\n".join(f"- {' '.join(citations.full(entries, key).split())}" for key in sorted(entries, key=order))
