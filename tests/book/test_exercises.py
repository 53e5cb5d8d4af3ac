"""Code exercises: the stub that the reader gets fails its check, the solution passes it."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from press.source import read_chapter

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "book").glob("[0-9]*.md"))
KINDS = ("exercise-stub", "exercise-solution", "exercise-check")


def _exercises():
    """(chapter, exercise name) for every exercise with code cells."""
    for path in CHAPTERS:
        chapter, _ = read_chapter(path, ROOT)
        names = dict.fromkeys(c.metadata["exercise"] for c in chapter.code() if "exercise" in c.metadata)
        yield from ((path, name) for name in names)


def _cells(path: Path, name: str) -> dict[str, str]:
    chapter, _ = read_chapter(path, ROOT)
    cells = {
        kind: c.source for c in chapter.code() if c.metadata.get("exercise") == name for kind in KINDS if kind in c.tags
    }
    assert set(cells) == set(KINDS), (
        f"{path.name}: exercise {name!r} needs one code cell for each of {KINDS}, has {set(cells)}"
    )
    return cells


def _setting(path: Path) -> str:
    """What an exercise may use: the imports and definitions of the chapter's code cells, without their runs."""
    chapter, _ = read_chapter(path, ROOT)
    return chapter.code()[0].source


def _said(path: Path, *sources: str) -> str:
    namespace: dict = {"__name__": "__main__"}
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(_plain(_setting(path)), namespace)
        for source in sources:
            exec(_plain(source), namespace)
    return output.getvalue()


def _plain(source: str) -> str:
    return re.sub(r"^\s*%.*$", "", source, flags=re.M)


@pytest.mark.parametrize(("path", "name"), list(_exercises()), ids=lambda value: getattr(value, "stem", value))
def test_stub_fails_and_solution_passes(path, name):
    cells = _cells(path, name)
    stub = _said(path, cells["exercise-stub"], cells["exercise-check"])
    solved = _said(path, cells["exercise-stub"], cells["exercise-solution"], cells["exercise-check"])
    assert "not solved yet" in stub and ": ok" not in stub, stub
    assert "not solved yet" not in solved and "ok" in solved, solved
