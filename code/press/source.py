"""Reading a chapter: one MyST text notebook with Korean and English cells side by side.

The cells come from myst-nb's own reader, which also says at which line each begins.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

from press.config import LANGUAGES

# The syntax a chapter may use; the site's parser (`_config.yml`) has the same list, which a test compares.
EXTENSIONS = ("amsmath", "colon_fence", "deflist", "dollarmath", "html_image")
PARSER = MdParserConfig(enable_extensions=set(EXTENSIONS))

_CODE_FENCE = re.compile(r"^(`{3,}|~{3,})\{code-cell\}")
_BREAK = re.compile(r"^\+\+\+[^\S\n]*(.*)$")


@dataclass(frozen=True)
class Problem:
    """One fault in a source file, said in one line."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Cell:
    """`kind` is "markdown" or "code"; `line` is the first line of `source` in the file, counted from 1."""

    kind: str
    source: str
    line: int
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def lang(self) -> str | None:
        return self.metadata.get("lang")

    @property
    def tags(self) -> list[str]:
        return self.metadata.get("tags", [])


@dataclass(frozen=True)
class Chapter:
    path: Path
    name: str  # the path as it is shown to a person, relative to the root
    metadata: dict[str, Any]
    cells: list[Cell]

    @property
    def stem(self) -> str:
        return self.path.stem

    def code(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind == "code"]

    def pairs(self) -> list[tuple[Cell, Cell]]:
        """Korean cells with their English twins; only to be called on a chapter without problems."""
        text = [cell for cell in self.cells if cell.kind == "markdown"]
        return list(zip(text[::2], text[1::2], strict=True))


def read_chapter(path: Path, root: Path) -> tuple[Chapter, list[Problem]]:
    """Read one source file; what is wrong with its cells comes back as problems, in the order of lines."""
    name = path.relative_to(root).as_posix()
    text = path.read_text(encoding="utf-8")
    problems = _fence_problems(name, text) + _break_problems(name, text)
    if any("JSON" in p.message for p in problems):
        return Chapter(path, name, {}, []), problems
    try:
        notebook = read_myst_markdown_notebook(text, config=PARSER, add_source_map=True, path=path)
    except Exception as error:  # the reader raises several kinds, all about metadata
        return Chapter(path, name, {}, []), [*problems, Problem(name, 1, f"cannot be read as a notebook: {error}")]
    lines = text.splitlines()
    cells = []
    for cell, start in zip(notebook.cells, notebook.metadata.pop("source_map"), strict=True):
        cells.append(Cell(cell.cell_type, cell.source, _first_line(lines, cell.source, start), dict(cell.metadata)))
    chapter = Chapter(path, name, dict(notebook.metadata), cells)
    return chapter, sorted(problems + _order_problems(chapter), key=lambda p: p.line)


def _first_line(lines: list[str], source: str, start: int) -> int:
    """The reader strips blank lines and options, so look for the first line of the source from `start` on."""
    first = source.split("\n", 1)[0]
    for number in range(start, len(lines)):
        if lines[number] == first:
            return number + 1
    return start + 1


def _outside_fences(text: str) -> list[tuple[int, str]]:
    """(line number, line) of the lines that stand in no code fence; the fence lines themselves are kept."""
    kept, fence = [], None
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"^\s*(`{3,}|~{3,}|:{3,})(.*)$", line)
        if fence is None:
            kept.append((number, line))
            if mark and mark[1][0] != ":":
                fence = mark[1]
        elif mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence) and not mark[2].strip():
            fence = None
    return kept


def _break_problems(name: str, text: str) -> list[Problem]:
    """Faults in the `+++` lines: bad JSON, an unknown key or language, metadata that would be lost."""
    problems = []
    lines = text.splitlines()
    for number, line in _outside_fences(text):
        mark = _BREAK.match(line)
        if not mark:
            continue
        if not mark[1].strip():
            problems.append(Problem(name, number, 'untagged cell: write `+++ {"lang": "ko"}` or `+++ {"lang": "en"}`'))
            continue
        try:
            metadata = json.loads(mark[1])
        except json.JSONDecodeError as error:
            problems.append(
                Problem(
                    name,
                    number,
                    f"cell tag is not valid JSON ({error.msg} at column {error.colno + mark.start(1)}): "
                    'expected `+++ {"lang": "ko"}` or `+++ {"lang": "en"}`',
                )
            )
            continue
        if not isinstance(metadata, dict) or metadata.get("lang") not in LANGUAGES:
            problems.append(Problem(name, number, f'expected "lang" to be "ko" or "en", found `{mark[1].strip()}`'))
        following = next((later for later in lines[number:] if later.strip()), "")
        if _CODE_FENCE.match(following):
            problems.append(
                Problem(
                    name,
                    number,
                    "metadata lost: this tag stands straight before a code cell and would be dropped; "
                    "take the line out (code cells are shared)",
                )
            )
        elif not following or _BREAK.match(following):
            problems.append(Problem(name, number, "empty cell: the tag is followed by no text"))
    return problems


def _fence_problems(name: str, text: str) -> list[Problem]:
    """A code cell whose YAML options cannot be read."""
    problems = []
    for match in re.finditer(r"^(`{3,})\{code-cell\}[^\n]*\n---\n(.*?)\n---\n", text, re.M | re.S):
        try:
            yaml.safe_load(match[2])
        except yaml.YAMLError as error:
            line = (
                text.count("\n", 0, match.start(2))
                + 1
                + (error.problem_mark.line if hasattr(error, "problem_mark") else 0)
            )
            problems.append(Problem(name, line, f"the options of this code cell are not valid YAML: {error.problem}"))
    return problems


def _order_problems(chapter: Chapter) -> list[Problem]:
    """Untagged cells, and Korean cells that are not followed at once by their English twin."""
    problems, waiting = [], None
    for cell in chapter.cells:
        if cell.kind == "markdown" and cell.lang not in LANGUAGES:
            if "lang" not in cell.metadata:
                problems.append(
                    Problem(
                        chapter.name,
                        cell.line,
                        'untagged cell: text must follow a line `+++ {"lang": "ko"}` or `+++ {"lang": "en"}`',
                    )
                )
            continue
        if cell.kind == "markdown" and cell.lang == "ko" and waiting is None:
            waiting = cell
        elif cell.kind == "markdown" and cell.lang == "en" and waiting is not None:
            waiting = None
        elif waiting is not None:
            problems.append(Problem(chapter.name, waiting.line, "this Korean cell has no English twin right after it"))
            waiting = cell if cell.lang == "ko" else None
        elif cell.lang == "en":
            problems.append(Problem(chapter.name, cell.line, "this English cell has no Korean twin right before it"))
    if waiting is not None:
        problems.append(Problem(chapter.name, waiting.line, "this Korean cell has no English twin right after it"))
    return problems
