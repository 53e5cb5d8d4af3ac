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
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from importlib import metadata
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, v4
from tqdm import tqdm

from press.config import Config, PressError
from press.source import Chapter

CELL_TIMEOUT = 600  # seconds
MOST_KERNELS = 4  # at a time; each holds up to 2 GB
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


def run_all(chapters: Sequence[Chapter], config: Config) -> list[NotebookNode]:
    """`run` for each chapter; those that must be run are run side by side, as many at a time as there are cores.

    Raises:
        PressError: that of the first that failed. No further chapter is begun then; those that run are run to their
            end and stored.
    """
    waiting = [chapter for chapter in chapters if chapter.code() and not _stored(chapter, config).is_file()]
    if len(waiting) > 1:
        _run_side_by_side(waiting, config)
    return [run(chapter, config) for chapter in chapters]


def _run_side_by_side(chapters: Sequence[Chapter], config: Config) -> None:
    # Processes, not threads: each has a main thread, which Ctrl-C reaches and which then ends its kernel. Each gets its
    # next chapter when it has done one, so that none is begun after a fault.
    at_once, rest = min(os.cpu_count() or 1, MOST_KERNELS), iter(chapters)
    processes = ProcessPoolExecutor(at_once, mp_context=get_context("spawn"))
    with processes, tqdm(total=len(chapters), desc="run", unit="chapter", dynamic_ncols=True) as bar:
        running = {processes.submit(_run_one, chapter, config) for chapter in islice(rest, at_once)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                bar.set_postfix_str(one.result())
                bar.update()
            running |= {processes.submit(_run_one, chapter, config) for chapter in islice(rest, len(done))}


def _run_one(chapter: Chapter, config: Config) -> str:
    """Run and store; what is said of it."""
    notebook = run(chapter, config, bar=False)
    return f"{chapter.name}: {notebook.metadata['seconds']} s"


def _stored(chapter: Chapter, config: Config) -> Path:
    return config.build / "cache" / f"{chapter.stem}-{key(chapter, config)}.ipynb"


def run(chapter: Chapter, config: Config, bar: bool = True) -> NotebookNode:
    """The chapter as one executed notebook with the cells of both languages; runs it only if it must.

    ``bar`` says whether the cells that are done are shown.

    Raises:
        PressError: a cell raised, took too long, or the kernel died; nothing is stored then.
    """
    notebook = as_notebook(chapter)
    if not chapter.code():
        return notebook
    stored = _stored(chapter, config)
    if stored.is_file():
        return _with_outputs_of(notebook, nbformat.read(stored, as_version=4))
    started = time.perf_counter()
    _execute(notebook, chapter, bar)
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


def _execute(notebook: NotebookNode, chapter: Chapter, shown: bool) -> None:
    lines = {index: cell.line for index, cell in enumerate(chapter.cells)}
    with (
        tempfile.TemporaryDirectory() as folder,
        tqdm(
            total=len(chapter.code()), desc=f"run {chapter.name}", unit="cell", dynamic_ncols=True, disable=not shown
        ) as bar,
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
        # One thread: chapters run side by side, and small networks gain little from a second.
        environment = {"OMP_NUM_THREADS": "1", **os.environ}
        environment |= {"DTLBOOK_PRESS": "1", "DTLBOOK_TIER": tier(), "TQDM_DISABLE": "1"}
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
