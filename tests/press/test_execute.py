"""Cells run once; a changed paragraph runs nothing, a changed cell or library runs all; a fault leaves nothing behind."""

from __future__ import annotations

import pytest

from press import config, execute
from press.source import read_chapter


def run(book):
    chapter, problems = read_chapter(book.chapter, book.root)
    assert not problems
    return execute.run(chapter, config.load(book.root))


def key(book):
    return execute.key(read_chapter(book.chapter, book.root)[0], config.load(book.root))


@pytest.fixture
def executions(monkeypatch):
    """Counts the real executions."""
    calls = []
    real = execute._execute
    monkeypatch.setattr(execute, "_execute", lambda *args: (calls.append(1), real(*args)))
    return calls


def test_a_chapter_runs_once_and_keeps_its_outputs(book, executions):
    first = run(book)
    book.change("The mean loss.", "The average loss.")
    again = run(book)
    assert len(executions) == 1
    outputs = [[o.text for o in cell.outputs] for nb in (first, again) for cell in nb.cells if cell.cell_type == "code"]
    assert outputs == [["two: 2\n"], ["two: 2\n"]]
    assert any("average loss" in cell.source for cell in again.cells)
    book.change("1 + 1", "1 + 2")
    run(book)
    assert len(executions) == 2


def test_the_key_follows_versions_package_and_tier(book, monkeypatch):
    keys = [key(book)]
    monkeypatch.setattr(execute, "installed_versions", lambda: ["numpy==0.1"])
    keys.append(key(book))
    (book.root / "code" / "dtlbook" / "new.py").write_text("x = 1\n")
    keys.append(key(book))
    monkeypatch.setenv("DTLBOOK_TIER", "full")
    keys.append(key(book))
    assert len(set(keys)) == len(keys)
    monkeypatch.setenv("DTLBOOK_TIER", "huge")
    with pytest.raises(config.PressError, match="DTLBOOK_TIER: expected one of quick, full"):
        key(book)


def test_a_cell_that_raises_is_named_and_nothing_is_stored(book):
    book.change('print("two:", 1 + 1)', 'raise ValueError("no such\\nthing")')
    with pytest.raises(config.PressError) as caught:
        run(book)
    line = book.line("import random")
    assert str(caught.value) == f"book/01_small.md:{line}: the code cell raised ValueError: no such thing"
    assert not list((book.root / "_build").rglob("*.ipynb"))


@pytest.mark.parametrize("file", ["results/pair/dann-torch.json", "code/dtlbook/results/ledger.py"])
def test_the_ledger_counts_for_a_chapter_that_computes_with_it_and_for_no_other(book, file):
    row = book.root / file
    row.parent.mkdir(parents=True)
    keys = {}
    for code in ("import random", "from dtlbook.results import row"):
        book.chapter.write_text(
            book.chapter.read_text(encoding="utf-8").replace("import random", code), encoding="utf-8"
        )
        keys[code] = []
        for text in ("1", "2"):
            row.write_text(text, encoding="utf-8")
            keys[code].append(key(book))
        book.chapter.write_text(
            book.chapter.read_text(encoding="utf-8").replace(code, "import random"), encoding="utf-8"
        )
    without, reads = keys.values()
    assert without[0] == without[1] and reads[0] != reads[1]


def test_cell_ids_depend_on_the_content_alone(book):
    ids = [[cell.id for cell in execute.as_notebook(read_chapter(book.chapter, book.root)[0]).cells] for _ in range(2)]
    assert ids[0] == ids[1] and len(set(ids[0])) == len(ids[0])


def test_jupytext_reads_the_same_cells(book):
    """Whoever opens a chapter in Jupyter does so through jupytext."""
    import jupytext

    ours = read_chapter(book.chapter, book.root)[0].cells
    theirs = jupytext.read(book.chapter, fmt="md:myst").cells
    assert [(c.kind, c.source, c.lang) for c in ours] == [
        (c.cell_type, c.source, c.metadata.get("lang")) for c in theirs
    ]


def test_chapters_run_side_by_side_and_the_stored_one_not_again(book, executions, monkeypatch):
    settings, first = config.load(book.root), book.chapter
    chapters = [first]
    for name in ("second", "third"):
        chapters.append(first.with_name(f"02_{name}.md"))
        chapters[-1].write_text(first.read_text(encoding="utf-8").replace("1 + 1", f'len("{name}")'), encoding="utf-8")
    read = [read_chapter(path, book.root)[0] for path in chapters]
    execute.run(read[0], settings)
    notebooks = execute.run_all(read, settings)
    texts = [cell.outputs[0].text for nb in notebooks for cell in nb.cells if cell.cell_type == "code" and cell.outputs]
    assert texts == ["two: 2\n", "two: 6\n", "two: 5\n"]
    assert len(executions) == 1  # the two others ran in processes of their own
    assert [nb.metadata["seconds"] > 0 for nb in execute.run_all(read, settings)] == [True] * 3 and len(executions) == 1


@pytest.mark.parametrize("cores, stored", [(2, ["01_small"]), (1, [])])
def test_after_a_fault_no_chapter_is_begun_and_those_that_run_are_stored(book, monkeypatch, cores, stored):
    settings, sound = config.load(book.root), book.chapter
    broken = sound.with_name("00_broken.md")
    broken.write_text(sound.read_text(encoding="utf-8").replace('print("two:", 1 + 1)', "1 / 0"), encoding="utf-8")
    read = [read_chapter(path, book.root)[0] for path in (broken, sound)]
    monkeypatch.setattr(execute.os, "cpu_count", lambda: cores)
    with pytest.raises(config.PressError, match=r"00_broken\.md:\d+: the code cell raised ZeroDivisionError"):
        execute.run_all(read, settings)
    cache = settings.build / "cache"
    assert [path.stem.rsplit("-", 1)[0] for path in (cache.iterdir() if cache.is_dir() else ())] == stored
