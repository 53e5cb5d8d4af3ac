"""The gate against drift: what the two editions of a chapter must have in common, checked without running code."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from press import glossary, results
from press.config import LANGUAGES, Config, PressError
from press.markup import Item, items
from press.source import Cell, Chapter, Problem, read_chapter

# Compared in order; the others as multisets, since word order differs between the languages.
IN_ORDER = ("heading", "equation", "label", "directive", "figure", "code block", "table row", "results table")
IN_ANY_ORDER = ("inline equation", "citation", "reference", "term", "link", "inline code", "number", "result")
NAMES = {
    "heading": "heading level",
    "label": "label",
    "term": "glossary term",
    "reference": "cross reference",
    "figure": "figure",
    "result": "result of the ledger",
}
_HANGUL = re.compile(r"[가-힣]")


def check(config: Config) -> list[Problem]:
    """All problems of all chapters of the table of contents."""
    terms = glossary.load(config.book / "glossary.yml")
    problems = []
    for document in config.documents:
        chapter, found = read_chapter(config.book / f"{document}.md", config.root)
        problems += found or check_chapter(chapter, terms) + _ledger(chapter, config)
    return problems + _figures(config) + _not_in_toc(config)


def check_chapter(chapter: Chapter, terms: list[glossary.Term]) -> list[Problem]:
    """Compare each Korean cell with its English twin, and look at each cell and code cell by itself."""
    numbers = {lang: glossary.index(terms, lang) for lang in LANGUAGES}
    problems = []
    for korean, english in chapter.pairs():
        ko, en = (list(items(cell.source, cell.line)) for cell in (korean, english))
        problems += _compare(
            chapter.name, _terms_as_numbers(ko, numbers["ko"]), _terms_as_numbers(en, numbers["en"]), korean, english
        )
        problems += _unknown_terms(chapter.name, ko, numbers["ko"]) + _unknown_terms(chapter.name, en, numbers["en"])
        problems += _languages(chapter.name, ko, en, korean, english)
        problems += _spelling(chapter.name, ko, terms)
        problems += [p for found in (ko, en) for p in _unreadable(chapter.name, found)]
    for cell in chapter.code():
        problems += _captions(chapter.name, cell, terms)
    return sorted(problems, key=lambda p: p.line)


def _normalised(item: Item) -> str:
    """Spaces carry no meaning in TeX, except the one that ends a command before a letter."""
    if item.kind.endswith("equation"):
        return (
            re.sub(r"(\\[A-Za-z]+) (?=[A-Za-z])", r"\1~", re.sub(r"\s+", " ", item.value))
            .replace(" ", "")
            .replace("~", " ")
        )
    return item.value


def _terms_as_numbers(found: list[Item], index: dict[str, int]) -> list[Item]:
    return [Item("term", f"#{index.get(i.value.lower(), i.value)}", i.line) if i.kind == "term" else i for i in found]


def _compare(name: str, ko: list[Item], en: list[Item], korean: Cell, english: Cell) -> list[Problem]:
    problems = []
    for kind in IN_ORDER:
        left, right = ([i for i in found if i.kind == kind] for found in (ko, en))
        if [_normalised(i) for i in left] != [_normalised(i) for i in right]:
            problems.append(_first_difference(name, kind, left, right, korean, english))
    for kind in IN_ANY_ORDER:
        left, right = ([i for i in found if i.kind == kind] for found in (ko, en))
        for here, there, lang, cell in ((left, right, "Korean", english), (right, left, "English", korean)):
            missing = Counter(_normalised(i) for i in here) - Counter(_normalised(i) for i in there)
            for value, count in missing.items():
                item = [i for i in here if _normalised(i) == value][-1]
                times = f" ({count} more times)" if any(_normalised(i) == value for i in there) else ""
                problems.append(
                    Problem(
                        name,
                        item.line,
                        f"{NAMES.get(kind, kind)} `{_short(item.value)}` stands in the {lang} cell and not in its twin "
                        f"at line {cell.line}{times}",
                    )
                )
    return problems


def _first_difference(name: str, kind: str, left: list[Item], right: list[Item], ko: Cell, en: Cell) -> Problem:
    for a, b in zip(left, right, strict=False):
        if _normalised(a) != _normalised(b):
            return Problem(
                name,
                b.line,
                f"{NAMES.get(kind, kind)} differs: Korean `{_short(a.value)}` (line {a.line}), English `{_short(b.value)}`",
            )
    extra, lang, twin = (
        (left[len(right)], "Korean", en) if len(left) > len(right) else (right[len(left)], "English", ko)
    )
    return Problem(
        name,
        extra.line,
        f"{NAMES.get(kind, kind)} `{_short(extra.value)}` stands in the {lang} cell and not in its twin at line {twin.line} "
        f"(Korean has {len(left)}, English {len(right)})",
    )


def _short(value: str) -> str:
    value = " ".join(value.split())
    return value if len(value) <= 60 else value[:57] + "..."


def _unknown_terms(name: str, found: list[Item], index: dict[str, int]) -> list[Problem]:
    return [
        Problem(name, i.line, f"`{{term}}` names {i.value!r}, which book/glossary.yml does not have")
        for i in found
        if i.kind == "term" and i.value.lower() not in index
    ]


def _ledger(chapter: Chapter, config: Config) -> list[Problem]:
    """Results that the ledger cannot give: unknown names, rows that are not whole, options that do not exist."""
    texts = [(cell.source, cell.line, True) for cell in chapter.cells if cell.kind == "markdown"]
    for cell in chapter.code():
        captions = cell.metadata.get("caption")
        texts += [(str(text), cell.line, False) for text in captions.values()] if isinstance(captions, dict) else []
    problems = []
    for text, line, counted in texts:
        found = [item for item in items(text, line) if item.kind in ("result", "results table")]
        told = ((item, results.problem(item.kind, item.value, config.root / "results")) for item in found)
        here = [Problem(chapter.name, item.line if counted else line, said) for item, said in told if said]
        problems += here
        if not here:
            try:
                results.expand(text, LANGUAGES[0], config)
            except PressError as error:
                problems.append(Problem(chapter.name, line, str(error)))
    return problems


def _languages(name: str, ko: list[Item], en: list[Item], korean: Cell, english: Cell) -> list[Problem]:
    """A Korean cell without Hangul was not written; an English sentence with Hangul was not translated."""
    problems = []
    words = " ".join(i.value for i in ko if i.kind == "text")
    if re.search(r"[A-Za-z]{3,}", words) and not _HANGUL.search(words):
        problems.append(Problem(name, korean.line, "the Korean cell has no Korean in it"))
    allowed = [i.value for i in en if i.kind == "comment" and i.value.startswith("hangul-ok")]
    hangul = [i for i in en if i.kind == "text" and _HANGUL.search(i.value)]
    if hangul and not allowed:
        problems.append(Problem(name, hangul[0].line, f"Korean in the English cell: `{_short(hangul[0].value)}`"))
    return problems


def _spelling(name: str, found: list[Item], terms: list[glossary.Term]) -> list[Problem]:
    lifted = " ".join(i.value for i in found if i.kind == "comment" and i.value.startswith("glossary-ok:"))
    return [
        Problem(name, i.line, f"glossary: write {term.name['ko']!r}, not {bad!r}")
        for i in found
        if i.kind == "text"
        for term in terms
        for bad in term.avoid
        if bad in i.value and bad not in lifted
    ]


def _unreadable(name: str, found: list[Item]) -> list[Problem]:
    problems = []
    for item in found:
        if item.kind == "url":
            problems.append(Problem(name, item.line, f"raw URL {item.value!r}: write [text](https://...)"))
        elif item.kind in ("text", "inline code") and re.search(r"^`*\{[\w:.-]+\}|\{[\w:.-]+\}`|:::", item.value):
            problems.append(Problem(name, item.line, f"markup that is not understood: `{_short(item.value)}`"))
        elif item.kind == "link" and re.match(r"^(http|ftp):", item.value):
            problems.append(Problem(name, item.line, f"URL is not https: {item.value}"))
    return problems


def _captions(name: str, cell: Cell, terms: list[glossary.Term]) -> list[Problem]:
    """`alt` and `caption` of a code cell are there in both languages and agree like a pair of cells."""
    problems = []
    for key in ("alt", "caption"):
        texts = cell.metadata.get(key)
        if texts is None:
            continue
        if not isinstance(texts, dict) or set(texts) != set(LANGUAGES):
            problems.append(Problem(name, cell.line, f"code cell option `{key}` must have both ko and en"))
            continue
        pair = {lang: Cell("markdown", str(texts[lang]), cell.line) for lang in LANGUAGES}
        found = {
            lang: [Item(i.kind, i.value, cell.line) for i in items(pair[lang].source, cell.line)] for lang in LANGUAGES
        }
        problems += _compare(name, found["ko"], found["en"], pair["ko"], pair["en"])
        problems += _languages(name, found["ko"], found["en"], pair["ko"], pair["en"])
        problems += _spelling(name, found["ko"], terms)
    return problems


def _figures(config: Config) -> list[Problem]:
    """Words in a drawing come in pairs too, and nothing in it points outside."""
    problems = []
    for path in sorted((config.book / "figures").glob("*.svg")):
        name, text = path.relative_to(config.root).as_posix(), path.read_text(encoding="utf-8")
        counts = {lang: len(re.findall(rf'\blang="{lang}"', text)) for lang in LANGUAGES}
        if counts["ko"] != counts["en"]:
            problems.append(
                Problem(
                    name, 1, f'elements with lang="ko" ({counts["ko"]}) and lang="en" ({counts["en"]}) differ in number'
                )
            )
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"""href=["'](?!#)|url\((?!#)|<script|@import""", line):
                problems.append(Problem(name, number, "a drawing must not load or run anything"))
    return problems


def _not_in_toc(config: Config) -> list[Problem]:
    known = set(config.documents)
    return [
        Problem(
            path.relative_to(config.root).as_posix(), 1, "this page is not in _toc.yml: add it there or remove the file"
        )
        for path in sorted(Path(config.book).glob("*.md"))
        if path.stem not in known
    ]
