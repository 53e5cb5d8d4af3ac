"""One executed notebook with two languages becomes two sources for Sphinx."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import yaml
from nbformat import NotebookNode

from press import lists, results
from press.config import LANGUAGES, Config, PressError
from press.pictures import to_inline_svg
from press.widgets import to_static_html


def for_language(notebook: NotebookNode, lang: str) -> NotebookNode:
    """The cells of one language; alt texts and captions of code cells chosen; no trace of the other one."""
    out = copy.deepcopy(notebook)
    kept = [index for index, cell in enumerate(out.cells) if cell.metadata.get("lang", lang) == lang]
    out.cells = [out.cells[index] for index in kept]
    if "source_map" in out.metadata:  # lines of the source file, for the warnings of Sphinx
        out.metadata["source_map"] = [out.metadata["source_map"][index] for index in kept]
    for cell in out.cells:
        cell.metadata.pop("lang", None)
        for name in ("alt", "caption"):
            if isinstance(cell.metadata.get(name), dict):
                cell.metadata[name] = cell.metadata[name][lang]
    return out


def write(notebook: NotebookNode, stem: str, lang: str, config: Config) -> Path:
    """Write one language's page for Sphinx; a file that would not change keeps its time stamp."""
    page = for_language(notebook, lang)
    results.fill_in(page, lang, config)
    for cell in page.cells:
        if cell.cell_type == "markdown":
            cell.source = lists.fill_in(cell.source, lang, config)
    target = config.build / "source" / lang / f"{stem}.ipynb"
    to_inline_svg(page, f"book/{stem}.md")
    to_static_html(page, lang)
    write_if_changed(target, nbformat.writes(page) + "\n")
    return target


def write_shared(config: Config) -> None:
    """What the pages of each language need beside them: drawings, bibliography, table of contents."""
    for lang in LANGUAGES:
        folder = config.build / "source" / lang
        for path in sorted((config.book / "figures").glob("*.svg")):
            write_if_changed(folder / "figures" / path.name, drawing(path.read_text(encoding="utf-8"), lang))
        bibliography = config.book / "references.bib"
        if bibliography.is_file():
            write_if_changed(folder / bibliography.name, bibliography.read_text(encoding="utf-8"))
        write_if_changed(
            folder / "_toc.yml", yaml.safe_dump(config.language_toc(lang), allow_unicode=True, sort_keys=False)
        )


def remove_stale(config: Config) -> None:
    """Pages that left the table of contents must not be built again."""
    for lang in LANGUAGES:
        for path in (config.build / "source" / lang).glob("*.ipynb"):
            if path.stem not in config.documents:
                path.unlink()


def drawing(svg: str, lang: str) -> str:
    """A drawing with the words of one language: elements tagged with the other one are dropped."""
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise PressError(f"book/figures: not a well-formed SVG drawing: {error}") from None
    for parent in list(root.iter()):
        for child in list(parent):
            if child.attrib.pop("lang", lang) != lang:
                parent.remove(child)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def require_writable(folder: Path) -> None:
    """Find out before a long run, not after it, that its results cannot be kept.

    Raises:
        PressError: the folder cannot be made or nothing can be written into it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise PressError(
            f"cannot write into {folder}: {error.strerror}; make that folder writable or remove what stands in its place"
        ) from None


def write_if_changed(path: Path, text: str) -> bool:
    """Write `text` unless it stands there already; a whole file or none."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".part")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise PressError(f"cannot write {error.filename}: {error.strerror}; check the rights of that folder") from None
    return True
