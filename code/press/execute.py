"""Running a chapter's code cells once, and remembering the result.

A stored run is used again while the code cells, the helper package, every installed library and the tier are the
same. Text, alt texts and captions are no part of the key: changing a paragraph runs nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, v4
from tqdm import tqdm

from press.config import Config, PressError
from press.source import Chapter

CELL_TIMEOUT = 600  # seconds
KEPT_RUNS = 3  # stored runs of a chapter; older ones are removed
TIERS = ("quick", "full")


def tier() -> str:
    """The tier of this run, from DTLBOOK_TIER."""
    value = os.environ.get("DTLBOOK_TIER", "quick")
    if value not in TIERS:
        raise PressError(f"DTLBOOK_TIER: expected one of {', '.join(TIERS)}, found {value!r}")
    return value


def installed_versions() -> list[str]:
    """`name==version` of every distribution of this environment; not those that setuptools carries for itself."""
    places = [place for place in sys.path if not place.endswith("_vendor")]
    found = metadata.distributions(path=places)
    return sorted({f"{d.metadata['Name']}=={d.version}".lower() for d in found if d.metadata["Name"]})


def folder_hash(folder: Path, without: str = "") -> str:
    """SHA-256 over the files of a folder, such as the helper package or the ledger, ``without`` one folder in it."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if path.is_file() and "__pycache__" not in inside and inside[0] != without:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def key(chapter: Chapter, config: Config) -> str:
    """What a stored run is found by."""
    parts = {
        "code": [cell.source for cell in chapter.code()],
        "package": folder_hash(config.root / "code" / "dtlbook", without="results"),
        "versions": installed_versions(),
        "python": platform.python_version(),
        "tier": tier(),
    }
    if any("dtlbook.results" in source for source in parts["code"]):  # a chapter that computes with the ledger
        parts["ledger"] = [folder_hash(config.root / name) for name in ("results", "code/dtlbook/results")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]


def run(chapter: Chapter, config: Config) -> NotebookNode:
    """The chapter as one executed notebook with the cells of both languages; runs it only if it must.

    Raises:
        PressError: a cell raised, took too long, or the kernel died; nothing is stored then.
    """
    notebook = as_notebook(chapter)
    if not chapter.code():
        return notebook
    stored = config.build / "cache" / f"{chapter.stem}-{key(chapter, config)}.ipynb"
    if stored.is_file():
        return _with_outputs_of(notebook, nbformat.read(stored, as_version=4))
    started = time.perf_counter()
    _execute(notebook, chapter)
    notebook.metadata["seconds"] = round(time.perf_counter() - started, 1)
    _store(notebook, stored)
    return notebook


def as_notebook(chapter: Chapter) -> NotebookNode:
    """All cells of a chapter, both languages, with ids that depend on nothing but the content."""
    notebook = v4.new_notebook(metadata={k: v for k, v in chapter.metadata.items() if k != "jupytext"})
    notebook.metadata["source_map"] = [cell.line - 1 for cell in chapter.cells]
    seen: dict[str, int] = {}
    for cell in chapter.cells:
        new = v4.new_markdown_cell if cell.kind == "markdown" else v4.new_code_cell
        digest = hashlib.sha256(f"{cell.kind}\0{cell.lang}\0{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        notebook.cells.append(new(cell.source, id=f"{digest}-{seen[digest]}", metadata=cell.metadata))
    return notebook


def _with_outputs_of(notebook: NotebookNode, old: NotebookNode) -> NotebookNode:
    old_code = [cell for cell in old.cells if cell.cell_type == "code"]
    for cell, done in zip((c for c in notebook.cells if c.cell_type == "code"), old_code, strict=True):
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
    for name in ("widgets", "seconds"):
        if name in old.metadata:
            notebook.metadata[name] = old.metadata[name]
    return notebook


def _execute(notebook: NotebookNode, chapter: Chapter) -> None:
    lines = {index: cell.line for index, cell in enumerate(chapter.cells)}
    with (
        tempfile.TemporaryDirectory() as folder,
        tqdm(total=len(chapter.code()), desc=f"run {chapter.name}", unit="cell", dynamic_ncols=True) as bar,
    ):
        current = {"index": 0}

        def start(cell: NotebookNode, cell_index: int) -> None:
            current["index"] = cell_index

        def done(cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
            bar.update(cell.cell_type == "code")

        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            on_cell_start=start,
            on_cell_executed=done,
            store_widget_state=True,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
        environment = {**os.environ, "DTLBOOK_PRESS": "1", "DTLBOOK_TIER": tier(), "TQDM_DISABLE": "1"}
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            where = f"{chapter.name}:{lines[current['index']]}"
            said = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", error.evalue or "").split())
            raise PressError(f"{where}: the code cell raised {error.ename}: {said}") from None
        except CellTimeoutError:
            where = f"{chapter.name}:{lines[current['index']]}"
            raise PressError(f"{where}: the code cell took longer than {CELL_TIMEOUT} s") from None
        except DeadKernelError:
            where = f"{chapter.name}:{lines[current['index']]}"
            raise PressError(f"{where}: the kernel died in this code cell (out of memory?)") from None
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # time stamps


def _store(notebook: NotebookNode, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    nbformat.write(notebook, partial)
    partial.replace(path)
    chapter = path.name.rsplit("-", 1)[0]
    runs = sorted(path.parent.glob(f"{chapter}-*.ipynb"), key=lambda p: p.stat().st_mtime)
    for old in runs[:-KEPT_RUNS]:
        old.unlink()
