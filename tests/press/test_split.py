"""One source, two pages: nothing of the other language is left, and nothing is lost."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_output

from press import config, execute, glossary, split
from press.source import read_chapter


def executed(book):
    chapter, _ = read_chapter(book.chapter, book.root)
    return execute.as_notebook(chapter), config.load(book.root)


def test_each_page_has_its_own_words_and_the_shared_code(book):
    notebook, _ = executed(book)
    ko, en = (split.for_language(notebook, lang) for lang in ("ko", "en"))
    assert [c.source for c in ko.cells if c.cell_type == "code"] == [
        c.source for c in en.cells if c.cell_type == "code"
    ]
    assert len(ko.cells) == len(en.cells) == 3
    assert "작은 장" in ko.cells[0].source and "A small chapter" in en.cells[0].source
    assert all("lang" not in cell.metadata for cell in ko.cells + en.cells)
    lines = book.chapter.read_text(encoding="utf-8").splitlines()
    assert [lines[n] for n in en.metadata["source_map"]] == [cell.source.splitlines()[0] for cell in en.cells]


SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path id="a" d="M 1 1 L 2 2" style="stroke: #0b62a8"/></svg>'


def with_picture(book, options="alt: {ko: 점, en: dots}\ncaption: {ko: 그림 설명, en: caption}", kind="image/svg+xml"):
    book.change(
        "```{code-cell} ipython3\n",
        f"```{{code-cell}} ipython3\n---\n{options}\n---\n" if options else "```{code-cell} ipython3\n",
    )
    notebook, settings = executed(book)
    code = next(cell for cell in notebook.cells if cell.cell_type == "code")
    code.outputs = [new_output("display_data", {kind: SVG, "text/plain": "<Figure>"})]
    split.write(notebook, "01_small", "ko", settings)
    page = nbformat.read(settings.build / "source" / "ko" / "01_small.ipynb", 4)
    return next(cell for cell in page.cells if cell.cell_type == "code")


def test_pictures_go_into_the_page_with_alt_text_and_caption(book):
    cell = with_picture(book)
    html = cell.outputs[0].data["text/html"]
    assert list(cell.outputs[0].data) == ["text/html"]
    assert 'role="img"' in html and 'aria-label="점"' in html and "var(--dtl-source, #0b62a8)" in html
    assert cell.metadata["mystnb"]["figure"]["caption"] == "그림 설명"


def test_a_picture_without_alt_text_is_refused(book):
    with pytest.raises(
        config.PressError, match=r"book/01_small.md:\d+: this code cell shows a picture and has no `alt`"
    ):
        with_picture(book, options="")


def test_a_picture_that_does_not_scale_is_refused(book):
    with pytest.raises(config.PressError, match="expected an SVG picture, found image/png"):
        with_picture(book, kind="image/png")


def test_an_unchanged_page_keeps_its_time_stamp(book):
    notebook, settings = executed(book)
    first = split.write(notebook, "01_small", "ko", settings).stat().st_mtime_ns
    assert split.write(notebook, "01_small", "ko", settings).stat().st_mtime_ns == first


def test_a_drawing_keeps_the_words_of_one_language():
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><g><text lang="ko">가</text><text lang="en">a</text><text>λ</text></g></svg>'
    assert (
        split.drawing(svg, "ko")
        == '<svg xmlns="http://www.w3.org/2000/svg"><g><text>가</text><text>λ</text></g></svg>\n'
    )
    assert "가" not in split.drawing(svg, "en")
    with pytest.raises(config.PressError, match="not a well-formed SVG"):
        split.drawing("<svg>", "ko")


def test_the_glossary_page_is_written_from_the_glossary(book):
    terms = glossary.load(book.root / "book" / "glossary.yml")
    text = glossary.as_directive(terms, "ko")
    assert text.startswith("```{glossary}\n전이 학습\n  *transfer learning.* 배운 것을")


def test_an_unwritable_folder_is_one_sentence(book, monkeypatch):
    notebook, settings = executed(book)
    settings.build.write_text("a file where the folder should be")
    with pytest.raises(config.PressError, match="cannot write .*_build"):
        split.write(notebook, "01_small", "ko", settings)


def test_an_unwritable_build_folder_is_found_before_anything_runs(book):
    settings = config.load(book.root)
    settings.build.write_text("a file where the folder should be")
    with pytest.raises(config.PressError, match="cannot write into .*_build: .*; make that folder writable"):
        split.require_writable(settings.build)


@pytest.mark.parametrize(
    "text",
    [
        "- en: x\n  ko: 가\n",
        "- {en: x, ko: 가, def: {ko: a, en: b}}\n- {en: x, ko: 나, def: {ko: a, en: b}}\n",
        "- [\n",
    ],
)
def test_a_faulty_glossary_is_one_sentence(book, text):
    path = book.root / "book" / "glossary.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(config.PressError, match="book/glossary.yml"):
        glossary.load(path)
