"""The gate finds each way in which the two editions can drift apart, and names the line."""

from __future__ import annotations

import pytest

from press import config, gate


def problems(book) -> list[str]:
    return [str(problem) for problem in gate.check(config.load(book.root))]


def test_a_sound_book_has_no_problems(book):
    assert problems(book) == []


@pytest.mark.parametrize(
    ("old", "new", "which", "said"),
    [
        ("## First section", "First section", 0, "heading level"),
        ("## 첫 절", "### 첫 절", 0, "heading level differs"),
        ("In 2015", "In 2016", 0, "number `2016`"),
        ("2015년에", "2014년에", 0, "number `2014`"),
        ("from {cite:t}`ganin2015`", "from Ganin", 0, "citation `ganin2015`"),
        (r"L_y - \lambda  L_d", r"L_y - \mu L_d", 0, "equation differs"),
        (r"$L_y - \lambda L_d$ from", r"$L_y - \mu L_d$ from", 0, "inline equation"),
        (r"$L_y - \lambda L_d$ 를", r"$L_y + \lambda L_d$ 를", 0, "inline equation"),
        ("$$ (eq-e)", "$$ (eq-f)", 1, "label differs"),
        ("See {eq}`eq-e` and", "See the equation and", 0, "cross reference `eq-e`"),
        ("https://example.org/a", "https://example.org/b", 1, "link `https://example.org/b`"),
        ("https://example.org/a", "http://example.org/a", 0, "not https"),
        ("and `train`", "and `fit`", 0, "inline code `fit`"),
        ("{term}`transfer learning`", "Transfer learning", 0, "glossary term"),
        ("{term}`transfer learning`", "{term}`transfer`", 0, "book/glossary.yml does not have"),
        ("평균 손실이다", "타겟의 평균 손실이다", 0, "write '타깃', not '타겟'"),
        ("The mean loss.", "평균 손실이다.", 0, "Korean in the English cell"),
        ("The mean loss.", "```{dropdown} A `b`\nInside.\n```", 0, "markup that is not understood"),
        ("The mean loss.", "The mean loss, https://example.org/x now.", 0, "raw URL"),
    ],
)
def test_each_drift_is_found(book, old, new, which, said):
    book.change(old, new, which)
    found = problems(book)
    assert any(said in problem for problem in found), found
    assert all(problem.startswith("book/01_small.md:") and "\n" not in problem for problem in found)


def test_the_line_of_a_changed_digit_is_named(book):
    book.change("In 2015", "In 2016")
    line = book.line("In 2016")
    assert any(problem.startswith(f"book/01_small.md:{line}:") for problem in problems(book))


def test_a_dropped_exercise_is_found(book):
    text = book.chapter.read_text(encoding="utf-8")
    start = text.index("```{exercise} By hand")
    end = text.index("See {ref}`sec-first` and")
    book.chapter.write_text(text[:start] + text[end:], encoding="utf-8")
    assert any("directive" in problem for problem in problems(book))


def test_spaces_in_equations_do_not_matter_but_commands_do_not_merge(book):
    book.change(r"E = L_y - \lambda  L_d", r"E=L_y-\lambda L_d")
    assert problems(book) == []
    book.change(r"E=L_y-\lambda L_d", r"E=L_y-\lambdaL_d")
    assert any("equation" in problem for problem in problems(book))


@pytest.mark.parametrize(
    ("old", "new", "which", "said"),
    [
        ('+++ {"lang": "en"}\n\n# 1.', "+++\n\n# 1.", 0, "untagged cell"),
        ('+++ {"lang": "en"}\n\n# 1.', '+++ {"lang" "en"}\n\n# 1.', 0, "not valid JSON"),
        ('+++ {"lang": "en"}\n\n# 1.', '+++ {"lang": "de"}\n\n# 1.', 0, 'expected "lang" to be "ko" or "en"'),
        ("```{code-cell} ipython3\n", '+++ {"lang": "ko"}\n\n```{code-cell} ipython3\n', 0, "metadata lost"),
        ('+++ {"lang": "ko"}\n\n```{exercise}', "```{exercise}", 0, "untagged cell"),
        ('+++ {"lang": "en"}\n\n# 1.', '+++ {"lang": "ko"}\n\n# 1.', 0, "no English twin"),
        ("```{code-cell} ipython3\n", "```{code-cell} ipython3\n---\ntags: [a\n---\n", 0, "not valid YAML"),
        ("```{code-cell} ipython3\n", "```{code-cell} ipython3\n---\nalt: {ko: 그림}\n---\n", 0, "both ko and en"),
        (
            "```{code-cell} ipython3\n",
            "```{code-cell} ipython3\n---\nalt: {ko: 점 3개, en: 4 dots}\n---\n",
            0,
            "number `3`",
        ),
    ],
)
def test_each_fault_of_the_cells_is_found(book, old, new, which, said):
    book.change(old, new, which)
    found = problems(book)
    assert any(said in problem for problem in found), found


def test_a_bad_tag_is_named_with_its_line(book):
    book.change('+++ {"lang": "en"}\n\n# 1.', '+++ {"lang" "en"}\n\n# 1.')
    line = book.line('{"lang" "en"}')
    assert problems(book)[0].startswith(f"book/01_small.md:{line}: cell tag is not valid JSON")


def test_drawings_need_their_words_in_both_languages(book):
    drawing = book.root / "book" / "figures" / "x.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg"><text lang="ko">가</text></svg>', encoding="utf-8")
    assert any("differ in number" in problem for problem in problems(book))
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg"><image href="https://example.org/a.png"/></svg>')
    assert any("must not load" in problem for problem in problems(book))


def test_a_page_that_is_in_no_table_of_contents_is_found(book):
    (book.root / "book" / "02_lost.md").write_text("x")
    assert any("not in _toc.yml" in problem for problem in problems(book))
