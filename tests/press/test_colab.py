"""The notebooks: plain Markdown, text outputs, and the numbers that the pages show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from nbformat.v4 import new_output

from press import colab, config, execute, site
from press.source import read_chapter

ROOT = Path(__file__).resolve().parents[2]


def notebook_of(book, lang="en"):
    settings = config.load(book.root)
    chapters = [read_chapter(book.root / "book" / f"{name}.md", book.root)[0] for name in settings.documents]
    chapter = chapters[-1]
    notebook = execute.as_notebook(chapter)
    code = next(cell for cell in notebook.cells if cell.cell_type == "code")
    code.outputs = [
        new_output("stream", name="stdout", text="two: 2\n"),
        new_output("stream", name="stderr", text="noise\n"),
        new_output("display_data", {"image/png": "AAAA", "text/plain": "<Figure>"}),
        new_output(
            "display_data",
            {"application/vnd.jupyter.widget-view+json": {}, "text/html": "<b>x</b>", "text/plain": "Sweep(0, 1)"},
        ),
    ]
    return colab.convert(notebook, chapter, lang, colab.number_labels(chapters, lang), settings)


def text_of(book, lang="en"):
    return "\n\n".join(cell.source for cell in notebook_of(book, lang).cells if cell.cell_type == "markdown")


def test_roles_become_plain_text(book):
    text = text_of(book)
    assert (
        "In 2015 transfer learning got the loss $L_y - \\lambda L_d$ from Ganin and Lempitsky [2015]. See (1.1) and"
        in text
    )
    assert "See First section and Definition 1.1." in text
    assert "정의 1.1" in text_of(book, "ko") and "첫 절" in text_of(book, "ko")


def test_equations_carry_their_numbers(book):
    assert "E = L_y - \\lambda  L_d \\tag{1.1}\n$$" in text_of(book)


def test_exercises_definitions_and_solutions(book):
    text = text_of(book)
    assert "**Exercise 1.1** (By hand)\n\nPut $\\lambda = 0$ into (1.1)." in text
    assert "<details>\n<summary>Solution to Exercise 1.1</summary>\n\n$E = L_y$.\n\n</details>" in text
    assert "> **Definition 1.1** (Risk)\n>\n> The mean loss." in text
    assert "**연습 문제 1.1** (손으로)" in text_of(book, "ko")
    assert "<summary>풀이: 연습 문제 1.1</summary>" in text_of(book, "ko")


def test_korean_boxes_are_named_as_on_the_site():
    catalogs = config.load(ROOT).book / "theme" / "locale" / "ko" / "LC_MESSAGES"
    said = {}
    for name in ("sphinx", "proof", "exercise"):
        with (catalogs / f"{name}.po").open("rb") as text:
            said.update({message.id: message.string for message in read_po(text) if message.id})
    said["Fig."] = site.WORDS["ko"]["formats"]["figure"].removesuffix(" %s")
    named = {word: colab.WORDS["ko"][key] for key, word in colab.WORDS["en"].items() if word in said}
    assert named == {word: said[word] for word in named}
    assert {"Fig.", "Exercise", "Solution to", "Example", "Proof", "Note"} <= set(named)


def test_no_markup_of_the_source_is_left(book):
    for lang in ("ko", "en"):
        assert not re.search(r"\{[\w:.-]+\}`|^\s*(```|:::)\{|\)=$|<!--|^\+\+\+", text_of(book, lang), re.M)


def test_only_text_outputs_stay(book):
    code = [cell for cell in notebook_of(book).cells if cell.cell_type == "code"][-1]
    kept = [dict(o.data) if "data" in o else o.text for o in code.outputs]
    assert kept == ["two: 2\n", {"text/plain": "<Figure>"}, {"text/plain": "Sweep(0, 1)"}]


def test_the_first_cells_say_what_is_needed_and_install_only_what_is_missing(book):
    needs, install = notebook_of(book).cells[:2]
    assert "about 1 min on a CPU" in needs.source and "Downloads: none" in needs.source
    assert 'if importlib.util.find_spec("dtlbook") is None:' in install.source
    assert "archive/refs/heads/main.zip" in install.source and "torch" not in install.source


def test_code_and_mathematics_are_not_touched(book):
    book.change("The mean loss.", "Write ``{eq}`x` `` or `{term}` and $a_{b}$; (label)= stays in `code`.")
    book.change("평균 손실이다.", "``{eq}`x` ``, `{term}`, $a_{b}$, `code`.")
    assert "Write ``{eq}`x` `` or `{term}` and $a_{b}$" in text_of(book)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("{eq}`eq-none`", "refers to the label 'eq-none'"),
        ("{cite:t}`nobody`", "cites 'nobody'"),
        ("{abbr}`x`", "the role {abbr}"),
        ("```{video} x\n```", "the directive {video}"),
    ],
)
def test_what_has_no_plain_form_is_refused_with_its_line(book, new, said):
    book.change("The mean loss.", new)
    with pytest.raises(config.PressError, match=r"book/01_small.md:\d+: .*" + re.escape(said)):
        notebook_of(book)


def test_tables_lists_boxes_and_dropdowns(book):
    book.change(
        "The mean loss.\n```",
        "The mean loss.\n```\n\n```{list-table} Losses\n:header-rows: 1\n\n* - a\n  - b\n* - $x$\n  - {eq}`eq-e`\n```\n\n"
        "```{admonition} Look here\nText.\n```\n\n:::{dropdown} A `b`\nInside.\n:::\n\n```{warning}\nMind.\n```\n\n"
        "| a | b |\n|---|---|\n| 1 | {eq}`eq-e` |\n\n- one {eq}`eq-e`\n- two\n",
    )
    text = text_of(book)
    assert "*Losses*\n\n| a | b |\n| --- | --- |\n| $x$ | (1.1) |" in text
    assert "> **Look here**\n>\n> Text." in text
    assert "<summary>A <code>b</code></summary>\n\nInside." in text
    assert "> **Warning**\n>\n> Mind." in text
    assert "| 1 | (1.1) |" in text and "- one (1.1)\n- two" in text
