"""One language of a chapter as a notebook that Colab, Jupyter and GitHub show well.

MyST directives, roles, citations, references and equation numbers become plain Markdown; text outputs stay, pictures
and widget state do not. (sphinx-tojupyter was considered: it writes notebooks from Sphinx's document tree, which
merges neighbouring text cells and needs a whole Sphinx run; the numbers below are held to Sphinx's by a test.)
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import nbformat
from markdown_it.token import Token
from nbformat import NotebookNode, v4

from press import citations, results
from press.config import Config, PressError
from press.markup import Directive, read_directive, tokens
from press.source import Chapter, read_chapter
from press.split import for_language, write_if_changed

WORDS = {
    "ko": {
        "figure": "그림", "exercise": "연습 문제", "solution": "풀이:", "definition": "정의", "theorem": "정리",
        "proposition": "명제", "lemma": "보조정리", "corollary": "따름정리", "example": "예", "remark": "덧붙임",
        "algorithm": "알고리즘", "proof": "증명", "note": "참고", "tip": "도움말", "warning": "주의",
        "important": "중요", "caution": "조심", "hint": "힌트", "seealso": "함께 보기", "references": "참고 문헌",
    },
    "en": {
        "figure": "Fig.", "exercise": "Exercise", "solution": "Solution to", "definition": "Definition",
        "theorem": "Theorem", "proposition": "Proposition", "lemma": "Lemma", "corollary": "Corollary",
        "example": "Example", "remark": "Remark", "algorithm": "Algorithm", "proof": "Proof", "note": "Note",
        "tip": "Tip", "warning": "Warning", "important": "Important", "caution": "Caution", "hint": "Hint",
        "seealso": "See also", "references": "References",
    },
}  # fmt: skip
"""The words of the site (`press.site.WORDS` and book/theme/locale), to which a test holds them."""
_BOXES = ("note", "tip", "warning", "important", "caution", "hint", "seealso")
# In reading order: a role, a code span, inline mathematics. The last two are left as they are.
_MARKS = re.compile(
    r"\{(?P<role>[\w:.-]+)\}(?P<open>`+)(?P<content>.+?)(?P=open)(?!`)|(`+)(?!`).+?(?<!`)\4(?!`)|\$[^$\n]+\$", re.S
)
_COMMENT = re.compile(r"<!--.*?-->\n?", re.S)


@dataclass
class Numbers:
    """What a label stands for in one language: its number, its title, and the page on which it stands."""

    equations: dict[str, tuple[str, str]] = field(default_factory=dict)
    numbered: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # label -> (kind, number, page)
    titles: dict[str, tuple[str, str]] = field(default_factory=dict)  # label -> (title, page)


def number_labels(chapters: list[Chapter], lang: str) -> Numbers:
    """Number equations, figures, boxes and exercises of each chapter, as Sphinx does: 4.1, 4.2, …"""
    numbers = Numbers()
    for chapter in chapters:
        counts = defaultdict[str, count](lambda: count(1))
        for cell in chapter.cells:
            if cell.kind == "markdown" and cell.lang == lang:
                _number(tokens(cell.source), chapter.stem, counts, numbers)
            elif "caption" in cell.metadata:
                label = cell.metadata.get("name", f"{chapter.stem}, cell at line {cell.line}")
                numbers.numbered[label] = ("figure", _next("figure", chapter.stem, counts), chapter.stem)
    return numbers


def _next(kind: str, page: str, counts: dict[str, count]) -> str:
    return f"{int(page.partition('_')[0])}.{next(counts[kind])}"


def _number(found: list[Token], page: str, counts: dict[str, count], numbers: Numbers) -> None:
    target = None
    for position, token in enumerate(found):
        if token.type == "myst_target":
            target = token.content
        elif token.type == "math_block_label":
            numbers.equations[token.info] = (_next("equation", page, counts), page)
        elif token.type == "heading_open" and target:
            numbers.titles[target], target = (found[position + 1].content, page), None
        elif token.type in ("fence", "colon_fence"):
            directive = read_directive(token)
            if directive is None:
                continue
            label = directive.options.get("label") or directive.options.get("name") or ""
            kind = directive.name.removeprefix("prf:")
            if (directive.name.startswith("prf:") and kind != "proof") or kind in ("exercise", "figure"):
                if "nonumber" not in directive.options:
                    numbers.numbered[label] = (kind, _next(kind, page, counts), page)
            _number(tokens(directive.body), page, counts, numbers)


class Converter:
    """Turns the MyST text of one page in one language into Markdown."""

    def __init__(self, chapter: Chapter, lang: str, numbers: Numbers, config: Config) -> None:
        self.name, self.stem, self.lang = chapter.name, chapter.stem, lang
        self.numbers, self.config, self.words = numbers, config, WORDS[lang]
        self.references = citations.load(config.book / "references.bib")
        self.cited: list[str] = []
        self.line = 0

    def fail(self, message: str) -> PressError:
        return PressError(f"{self.name}:{self.line}: {message}")

    def text(self, source: str, line: int = 0) -> str:
        """Markdown for a whole cell or the body of a directive."""
        self.line = line or self.line
        lines, out, done = source.split("\n"), [], 0
        for token in tokens(source):
            convert = self._block(token)
            if convert is None or token.map is None or token.level:
                continue
            start, end = token.map
            while end > start and end <= len(lines) and not lines[end - 1].strip():
                end -= 1
            out += [self._prose("\n".join(lines[done:start])), convert()]
            done = end
        out.append(self._prose("\n".join(lines[done:])))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip()

    def _block(self, token: Token) -> Callable[[], str] | None:
        if token.type == "math_block_label":
            number, _ = self.numbers.equations[token.info]
            return lambda: f"$$\n{token.content.strip()} \\tag{{{number}}}\n$$"
        if token.type == "myst_target":
            return lambda: f'<a id="{token.content}"></a>\n'
        if token.type == "myst_line_comment":
            return lambda: ""
        if token.type in ("fence", "colon_fence"):
            directive = read_directive(token)
            if directive:
                return lambda: "\n" + self._directive(directive) + "\n"
            return lambda: f"```{token.info}\n{token.content.rstrip()}\n```"
        return None

    def _prose(self, text: str) -> str:
        """Roles become text; code and mathematics are left alone."""
        return _MARKS.sub(lambda mark: self._role(mark) if mark["role"] else mark[0], _COMMENT.sub("", text))

    # --- roles ---
    def _role(self, match: re.Match[str]) -> str:
        name, content = match["role"], match["content"].strip()
        titled = re.fullmatch(r"(.*?)\s*<([^<>]+)>", content, re.S)
        title, target = (titled[1], titled[2]) if titled else (None, content)
        if name.startswith("cite"):
            keys = [key.strip() for key in target.split(",")]
            for key in keys:
                if key not in self.references:
                    raise self.fail(f"cites {key!r}, which book/references.bib does not have")
            self.cited += [key for key in keys if key not in self.cited]
            return citations.in_text(self.references, keys, textual=name == "cite:t")
        if name == "term":
            return title or target
        if name == "eq":
            return f"({self._look_up(self.numbers.equations, target)[0]})"
        if name in ("numref", "prf:ref", "ref"):
            return self._reference(target, title)
        if name == "doc":
            return f"[{title or target}]({self.config.page_url(self.lang, target)})"
        raise self.fail(f"the role {{{name}}} has no plain Markdown; use one that the notebooks know")

    def _reference(self, label: str, title: str | None) -> str:
        if label in self.numbers.numbered:
            kind, number, page = self.numbers.numbered[label]
            text = title or f"{self.words[kind]} {number}"
        else:
            heading, page = self._look_up(self.numbers.titles, label)
            text = title or self._prose(heading)
        return text if page == self.stem else f"[{text}]({self.config.page_url(self.lang, page)}#{label})"

    def _look_up(self, table: dict, label: str):
        if label not in table:
            raise self.fail(f"refers to the label {label!r}, which no page of the book has")
        return table[label]

    # --- directives ---
    def _directive(self, directive: Directive) -> str:
        name, body = directive.name, directive.body
        if name.startswith("prf:"):
            return self._proof(directive)
        if name in ("exercise", "figure"):
            return getattr(self, f"_{name}")(directive)
        if name == "solution":
            kind, number, _ = self._look_up(self.numbers.numbered, directive.argument)
            return self._folded(f"{self.words['solution']} {self.words['exercise']} {number}", body)
        if name == "dropdown":
            return self._folded(self._prose(directive.argument), body)
        if name == "admonition" or name in _BOXES:
            if name != "admonition" and directive.argument:
                body = f"{directive.argument}\n{body}"
            title = self._prose(directive.argument) if name == "admonition" else self.words[name]
            return (
                self._folded(title, body)
                if "dropdown" in directive.options.get("class", "")
                else self._quoted(f"**{title}**", body)
            )
        if name == "math":
            return f"$$\n{body}\n$$"
        if name == "table":
            return (f"*{self._prose(directive.argument)}*\n\n" if directive.argument else "") + self.text(body)
        if name == "list-table":
            return self._list_table(directive)
        if name == "bibliography":
            entries = "\n".join(f"- {citations.full(self.references, key)}" for key in sorted(self.cited))
            return entries
        raise self.fail(f"the directive {{{name}}} has no plain Markdown; use one that the notebooks know")

    def _proof(self, directive: Directive) -> str:
        kind = directive.name.removeprefix("prf:")
        if kind not in self.words:
            raise self.fail(
                f"the directive {{{directive.name}}} has no plain Markdown; use one that the notebooks know"
            )
        if kind == "proof":
            return self._quoted(
                f"**{self.words[kind]}.**", f"{directive.body} ∎" if "∎" not in directive.body else directive.body
            )
        label = directive.options.get("label", "")
        number = f" {self.numbers.numbered[label][1]}" if label in self.numbers.numbered else ""
        title = f" ({self._prose(directive.argument)})" if directive.argument else ""
        return self._quoted(f"**{self.words[kind]}{number}**{title}", directive.body)

    def _exercise(self, directive: Directive) -> str:
        number = self.numbers.numbered[directive.options.get("label", "")][1]
        title = f" ({self._prose(directive.argument)})" if directive.argument else ""
        return f"**{self.words['exercise']} {number}**{title}\n\n{self.text(directive.body)}"

    def _figure(self, directive: Directive) -> str:
        address = f"{self.config.site_url}{self.lang}/_static/{directive.argument}"
        caption = self.caption(directive.options.get("name", ""), directive.body)
        return f"![{directive.options.get('alt', '')}]({address})\n\n{caption}"

    def caption(self, label: str, text: str, line: int = 0) -> str:
        """`Fig. 3. text`, for a drawing or for what a code cell draws."""
        _, number, _ = self._look_up(self.numbers.numbered, label)
        return f"*{self.words['figure']} {number}.* {self.text(text, line)}"

    def _list_table(self, directive: Directive) -> str:
        rows = [
            [cell.strip() for cell in re.split(r"\n\s+- ", "\n " + row.lstrip(" "))[1:]]
            for row in re.split(r"(?:^|\n)\* ", directive.body)[1:]
        ]
        if not rows or len({len(row) for row in rows}) != 1:
            raise self.fail("the rows of a list-table must all have the same number of cells")
        rows = [[" ".join(self._prose(cell).split()) for cell in row] for row in rows]
        table = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
        title = f"*{self._prose(directive.argument)}*\n\n" if directive.argument else ""
        return title + "\n".join("| " + " | ".join(row) + " |" for row in table)

    def _folded(self, title: str, body: str) -> str:
        return f"<details>\n<summary>{_html(title)}</summary>\n\n{self.text(body)}\n\n</details>"

    def _quoted(self, title: str, body: str) -> str:
        return "\n".join(f"> {line}".rstrip() for line in f"{title}\n\n{self.text(body)}".split("\n"))


def _html(title: str) -> str:
    """The inside of <summary> is HTML: bold and code are the only marks that titles use."""
    title = title.replace("&", "&amp;").replace("<", "&lt;")
    title = re.sub(r"`([^`]+)`", r"<code>\1</code>", title)
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", title)


def convert(notebook: NotebookNode, chapter: Chapter, lang: str, numbers: Numbers, config: Config) -> NotebookNode:
    """The committed notebook of one language, from the executed notebook of both."""
    page = for_language(notebook, lang)
    results.fill_in(page, lang, config)
    converter = Converter(chapter, lang, numbers, config)
    lines = page.metadata.pop("source_map")
    cells = _opening(chapter, lang, config)
    for cell, line in zip(page.cells, lines, strict=True):
        cells.append(cell)
        if cell.cell_type == "markdown":
            cell.source, cell.metadata = converter.text(cell.source, line + 1), {}
            continue
        caption = cell.metadata.get("caption")
        label = cell.metadata.get("name", f"{chapter.stem}, cell at line {line + 1}")
        cell.outputs = _text_outputs(cell.outputs)
        cell.metadata = _kept_metadata(cell)
        if caption:
            cells.append(v4.new_markdown_cell(converter.caption(label, caption, line + 1), id=f"{cell.id}-caption"))
    page.cells = cells
    page.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
        colab={"provenance": [], "toc_visible": True},
    )
    return page


def _kept_metadata(cell: NotebookNode) -> dict:
    """The tags; and what folds a hidden cell in Colab and in Jupyter."""
    tags = cell.metadata.get("tags", [])
    kept = {"tags": tags} if tags else {}
    if {"hide-cell", "hide-input"} & set(tags):
        kept |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    return kept


def _text_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """What a cell printed, as one piece, and the plain text of what it showed; nothing else."""
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name != "stdout":
                continue
            if kept and kept[-1].output_type == "stream":
                kept[-1].text += output.text
                continue
        else:
            output.data = {k: v for k, v in output.get("data", {}).items() if k == "text/plain"}
            output.metadata = {}
            if not output.data:
                continue
        kept.append(output)
    return kept


_NEEDS = {
    "ko": "[이 장을 웹에서 읽기]({page}) · [Colab에서 열기]({colab})\n\n"
    "**이 장을 실행하는 데 드는 것**: CPU로 약 {cpu}분, GPU로 약 {gpu}분. 내려받는 자료: {downloads}.\n\n"
    "바로 아래 셀은 이 책의 도우미 패키지 `dtlbook`이 없을 때만 설치한다. 이미 있는 PyTorch와 TensorFlow는 건드리지 않는다.",
    "en": "[Read this chapter on the web]({page}) · [Open it in Colab]({colab})\n\n"
    "**What it takes to run this chapter**: about {cpu} min on a CPU, about {gpu} min on a GPU. Downloads: {downloads}.\n\n"
    "The next cell installs the book's helper package `dtlbook` only where it is missing. It leaves your PyTorch and TensorFlow as they are.",
}

_INSTALL = """\
import importlib.util
import os

if importlib.util.find_spec("dtlbook") is None:
    package = os.environ.get("DTLBOOK_PACKAGE", "{package}")
    %pip install --quiet {{package}}"""


def _opening(chapter: Chapter, lang: str, config: Config) -> list[NotebookNode]:
    """The first two cells: what the chapter needs, and the installation."""
    needs = chapter.metadata.get("dtlbook")
    if not needs:
        return []
    text = _NEEDS[lang].format(
        page=config.page_url(lang, chapter.stem),
        colab=config.colab_url(lang, chapter.stem),
        cpu=needs["cpu"],
        gpu=needs["gpu"],
        downloads=needs["downloads"][lang],
    )
    return [
        v4.new_markdown_cell(text, id="needs"),
        v4.new_code_cell(_INSTALL.format(package=config.package_url()), id="install", execution_count=None),
    ]


def write_all(notebooks: dict[str, NotebookNode], config: Config, folder: Path) -> None:
    """Write `folder/{ko,en}/NN.ipynb` for every chapter that has code, and remove others from there."""
    chapters = [read_chapter(config.book / f"{name}.md", config.root)[0] for name in config.documents]
    for lang in config.languages:
        numbers = number_labels(chapters, lang)
        wanted = {folder / lang / f"{chapter.stem}.ipynb": chapter for chapter in chapters if chapter.code()}
        for path, chapter in wanted.items():
            page = convert(notebooks[chapter.stem], chapter, lang, numbers, config)
            nbformat.validate(page)
            write_if_changed(path, nbformat.writes(page) + "\n")
        for path in set((folder / lang).glob("*.ipynb")) - set(wanted):
            path.unlink()
