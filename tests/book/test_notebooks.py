"""The committed notebooks: made from the source, the same in both languages, and able to run alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
MADE = ROOT / "_build" / "notebooks"
NOTEBOOKS = sorted((ROOT / "book" / "ko").glob("*.ipynb"))
LANGUAGES = ("ko", "en")


def read(path: Path):
    return nbformat.read(path, as_version=4)


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("lang", LANGUAGES)
def test_they_are_what_the_source_makes(lang):
    if not MADE.is_dir():
        pytest.skip("no book was built: run `make book` first")
    made = {path.name: path.read_text(encoding="utf-8") for path in (MADE / lang).glob("*.ipynb")}
    kept = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "book" / lang).glob("*.ipynb")}
    assert made.keys() == kept.keys(), "run `make notebooks` and commit book/ko and book/en"
    different = [name for name in made if made[name] != kept[name]]
    assert not different, f"book/{lang}: {different} are not what the source makes; run `make notebooks` and commit"


@pytest.mark.parametrize("korean", NOTEBOOKS, ids=lambda path: path.stem)
def test_both_languages_have_the_same_code_and_outputs(korean):
    def shared(path: Path):
        return [(c.source, c.outputs, c.metadata) for c in read(path).cells if c.cell_type == "code"]

    english = ROOT / "book" / "en" / korean.name
    assert shared(korean) == shared(english)
    assert len(read(korean).cells) == len(read(english).cells)


@pytest.mark.parametrize(
    "path", [p for lang in LANGUAGES for p in sorted((ROOT / "book" / lang).glob("*.ipynb"))], ids=str
)
def test_they_hold_plain_markdown_and_text_outputs(path):
    notebook = read(path)
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"```.*?```|(`+).+?\1|\$\$.*?\$\$", "", cell.source, flags=re.S)
            assert not re.search(r"\{[\w:.-]+\}`|:::|\{[\w:-]+\}\s*$|^\([\w-]+\)=$|^\+\+\+", prose, re.M), cell.source[
                :200
            ]
        for output in cell.get("outputs", []):
            assert output.output_type in ("stream", "display_data", "execute_result")
            assert set(output.get("data", {})) <= {"text/plain"} and output.get("name", "stdout") == "stdout"


def test_one_runs_alone_where_torch_and_tensorflow_stand_already(tmp_path):
    """As in Colab: an empty folder, libraries that must stay as they are, and no `dtlbook` until the first cell."""
    there = _environment_without_the_book(tmp_path / "environment")
    python = there / "bin" / "python"
    before = _versions(python)
    assert {"torch", "matplotlib"} <= set(before) and "dtlbook" not in before and "anywidget" not in before
    folder = tmp_path / "alone"
    folder.mkdir()
    notebook = next(path for path in NOTEBOOKS if path.name == "04_dann.ipynb")  # it needs both frameworks
    (folder / notebook.name).write_bytes(notebook.read_bytes())
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "DTLBOOK_PRESS")}
    environment |= {"DTLBOOK_PACKAGE": _package(tmp_path), "JUPYTER_PATH": str(there / "share" / "jupyter")}
    command = [python, "-c", "from nbclient.cli import main; main()", "--output=done", notebook.name]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    after = _versions(python)
    assert {name: after[name] for name in before} == before
    assert "dtlbook" in after
    assert _printed(folder / "done.ipynb") == _printed(notebook)


def _printed(path: Path) -> list[str]:
    """What each code cell printed; the first one, which installs, may say what pip says."""
    code = [cell for cell in read(path).cells if cell.cell_type == "code"][1:]
    return ["".join(o.text for o in cell.outputs if o.get("name") == "stdout") for cell in code]


def _package(folder: Path) -> str:
    """The helper package as pip finds it in an archive: only the tracked sources, no build products."""
    import shutil

    source = folder / "package"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "code" / "dtlbook", source / "code" / "dtlbook", ignore=shutil.ignore_patterns("__pycache__")
    )
    return str(source)


def _environment_without_the_book(folder: Path) -> Path:
    """A new environment with hard links to torch, TensorFlow, matplotlib, Jupyter and what they need, nothing else."""
    venv.create(folder, with_pip=False, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    target = folder / "lib" / version / "site-packages"
    for name in _needed(
        "torch",
        "tensorflow-cpu",
        "matplotlib",
        "scikit-learn",
        "ipywidgets",
        "nbclient",
        "jupyter-core",
        "ipykernel",
        "pip",
        "setuptools",
    ):
        distribution = metadata.distribution(name)
        for file in distribution.files or []:
            if ".." in file.parts or file.suffix == ".pyc":
                continue
            source, link = Path(distribution.locate_file(file)), target / file
            if source.is_file():
                link.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(source, link)
                except OSError:  # another file system
                    link.symlink_to(source)
    kernel = folder / "share" / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = [str(folder / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    return folder


def _needed(*names: str) -> set[str]:
    """These distributions and all that they require in this environment."""
    from packaging.requirements import Requirement

    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        key = metadata.metadata(name)["Name"]
        if key in found:
            continue
        found.add(key)
        waiting += [r.name for r in map(Requirement, requires) if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


def _versions(python: Path) -> dict[str, str]:
    code = "import importlib.metadata as m, json; print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return json.loads(subprocess.check_output([python, "-c", code], env=environment))
