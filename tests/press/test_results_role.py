"""Results of the ledger in a chapter: the same in the pages and the notebooks, checked by the gate, running nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dtlbook.results import ledger
from dtlbook.results.experiments import EXPERIMENTS, Job
from press import citations, colab, config, execute, gate, results, split
from press.config import PressError
from press.source import read_chapter

ROOT = Path(__file__).resolve().parents[2]
BASIS = {"settings": {}, "data": [], "code": "a"}
NBSP = "\u00a0"
DANN = f"0.771{NBSP}±{NBSP}0.012"


def store(root: Path, experiment: str, method: str, framework: str, accuracies: list[float], **more) -> None:
    for seed, accuracy in enumerate(accuracies):
        numbers = {"target_accuracy": accuracy, "source_accuracy": 0.5} | more
        ledger.store(root / "results", Job(experiment, method, framework, seed), numbers, BASIS)


@pytest.fixture
def measured(book):
    """The small book with a ledger and two papers more."""
    store(book.root, "mnist-mnistm", "dann", "torch", [0.759, 0.771, 0.783])
    store(book.root, "mnist-mnistm", "source-only", "torch", [0.4, 0.3, 0.2])
    store(book.root, "mnist-mnistm", "source-only", "tensorflow", [0.5, 0.5, 0.5])
    shutil.copy(ROOT / "book" / "references.bib", book.root / "book" / "references.bib")
    return book


def expand(book, text, lang="en"):
    return results.expand(text, lang, config.load(book.root))


def put(book, text, english=None):
    """Text at the end of both cells of the last pair."""
    book.change("평균 손실이다.\n```\n", f"평균 손실이다.\n```\n\n{text}\n")
    book.change("The mean loss.\n```\n", f"The mean loss.\n```\n\n{english or text}\n")


# --- the role -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("key", "english", "korean"),
    [
        ("mnist-mnistm/dann/torch", f"{DANN} (3 seeds; published 0.7666)", f"{DANN} (시드 3개, 발표된 값 0.7666)"),
        ("mnist-mnistm/dann/torch#source_accuracy", f"0.500{NBSP}±{NBSP}0.000 (3 seeds)", f"0.500{NBSP}±{NBSP}0.000 (시드 3개)"),
        ("mnist-mnistm/dann/tensorflow", "not run (published 0.7666)", "실행하지 않음 (발표된 값 0.7666)"),
        ("digits-rotated/gfk", "not run", "실행하지 않음"),
        ("mnist-usps/adda/torch", "not run (published 0.894)", "실행하지 않음 (발표된 값 0.894)"),
    ],
)  # fmt: skip
def test_the_role_says_what_the_ledger_says(measured, key, english, korean):
    assert expand(measured, f"So {{result}}`{key}`.") == f"So {english}."
    assert expand(measured, f"곧 {{result}}`{key}`이다.", "ko") == f"곧 {korean}이다."


def test_one_seed_and_one_pair_of_several(measured):
    pairs = {"surf-amazon-caltech": 0.26, "surf-dslr-webcam": 0.634}
    pairs = dict.fromkeys(EXPERIMENTS["office-caltech10"].pairs, 0.25) | pairs
    store(measured.root, "office-caltech10", "gfk", "numpy", [0.41], pairs=pairs)
    assert expand(measured, "{result}`office-caltech10/gfk`") == "0.410 (1 seed)"
    assert expand(measured, "{result}`office-caltech10/gfk#surf-dslr-webcam`") == "0.634 (1 seed)"
    table = expand(measured, "```{results-table} office-caltech10\n:methods: nearest-neighbour, gfk\n```")
    assert "(0 to 1), one run. In brackets the published values: {cite:t}`long2013`, Table 3. Data" in table
    assert "| pair | 1-NN | GFK + 1-NN |" in table
    assert "| amazon → caltech | not run (0.2600) | 0.260 |" in table and "| mean | not run | 0.410 |" in table


def test_code_that_shows_the_role_is_left_alone(measured):
    text = "`` {result}`` and ```{result}`x` ```"
    assert expand(measured, text) == text


# --- the table ----------------------------------------------------------------------------------------------
TABLE = "```{results-table} mnist-mnistm\n:methods: source-only, dann, ddc\n:name: tab-x\n```"


def test_the_table_has_caption_spread_published_values_and_status(measured):
    text = expand(measured, f"Before.\n\n{TABLE}\n\nAfter.")
    assert text.startswith(
        "Before.\n\n~~~{table} MNIST → MNIST-M. Accuracy on the target's test examples (0 to 1), mean ± standard deviation "
        "over 3 seeds. Published values: {cite:t}`ganin2016`, Table 2. Data, settings, hardware and versions are in "
        "[results/mnist-mnistm](https://"
    )
    assert (
        "/tree/main/results/mnist-mnistm) of the repository.\n:name: tab-x\n\n| method | PyTorch | TensorFlow |" in text
    )
    assert f"| DANN | {DANN} | not run | 0.7666 | reproduced |" in text
    assert (
        f"| source only | 0.300{NBSP}±{NBSP}0.100 | 0.500{NBSP}±{NBSP}0.000 | 0.5225 "
        "| PyTorch differs; TensorFlow reproduced |"
    ) in text
    assert "| DDC | not run | not run | – | – |" in text
    assert text.endswith("~~~\n\n- source only (PyTorch), differs: reason not known.\n\nAfter.")
    korean = expand(measured, TABLE, "ko")
    assert "정확도(0~1), 시드 3개의 평균 ± 표준편차. 발표된 값의 출처: {cite:t}`ganin2016`, 표 2." in korean
    assert "| 방법 | PyTorch | TensorFlow | 발표된 값 | 상태 |" in korean
    assert "| 0.7666 | 재현됨 |" in korean and "다름: 까닭을 모른다" in korean


def test_rows_of_several_sizes_say_how_many_seeds_each_has(measured):
    store(measured.root, "mnist-mnistm", "dann", "tensorflow", [0.7, 0.8])
    text = expand(measured, TABLE)
    assert (
        "over seeds (their number in brackets)" in text
        and f"| DANN | {DANN} (3) | 0.750{NBSP}±{NBSP}0.071 (2) |" in text
    )


def test_a_single_run_beside_several_seeds_is_told(measured):
    store(measured.root, "digits-rotated", "dann", "torch", [0.7, 0.8])
    store(measured.root, "digits-rotated", "gfk", "numpy", [0.5])
    text = expand(measured, "```{results-table} digits-rotated\n:methods: dann, gfk\n```")
    assert "mean ± standard deviation over 2 seeds (without ±: one run)." in text
    assert f"| DANN | 0.750{NBSP}±{NBSP}0.071 | not run |  |" in text and "| GFK + 1-NN |  |  | 0.500 |" in text


def test_a_table_of_nothing_yet_says_so(measured):
    text = expand(measured, ":::{results-table} mnist-usps\n:::")
    assert text.startswith(
        "~~~{table} MNIST → USPS, 2,000 and 1,800 images. Not run yet. Published values: {cite:t}`tzeng"
    )
    assert "github" not in text, "no link to a folder that is not there"
    assert "| DANN | not run | not run | 0.771 | not run |" in text and "| DDC | not run | not run | – | – |" in text


def test_an_experiment_without_published_values_has_no_such_column(measured):
    text = expand(measured, "```{results-table} digits-rotated\n:methods: dann, sa\n```")
    assert (
        "| method | PyTorch | TensorFlow | NumPy |\n| --- | --- | --- | --- |\n| DANN | not run | not run |  |" in text
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{result}`mnist/dann/torch`", "no experiment is called 'mnist'"),
        ("```{results-table} mnist-mnistm\n:method: dann\n```", "takes `:methods:` and `:name:` and no text"),
        ("```{results-table} mnist-mnistm\n\nwords\n```", "no text; found 'words'"),
    ],
)
def test_what_cannot_be_filled_in_is_an_error(measured, text, said):
    with pytest.raises(PressError, match=re.escape(said)):
        expand(measured, text)


# --- the gate -----------------------------------------------------------------------------------------------
def problems(book):
    return [str(problem) for problem in gate.check(config.load(book.root))]


def test_a_book_with_results_passes(measured):
    put(
        measured,
        f"{TABLE}\n\n값은 {{result}}`mnist-mnistm/dann/torch`이다.",
        f"{TABLE}\n\nIt is {{result}}`mnist-mnistm/dann/torch`.",
    )
    assert problems(measured) == []


@pytest.mark.parametrize(
    ("korean", "english", "said"),
    [
        ("{result}`mnist-mnistm/dann/torch`", "{result}`mnist-mnistm/ddc/torch`", "result of the ledger `mnist-mnistm/ddc/torch`"),
        ("값 {result}`mnist-mnistm/dann/torch`", "none", "stands in the Korean cell and not in its twin"),
        (TABLE, TABLE.replace(", ddc", ""), "results table differs"),
        (TABLE, TABLE.replace("tab-x", "tab-y"), "label differs"),
        *((text, text, said) for text, said in [
            ("{result}`mnist/dann/torch`", "no experiment is called 'mnist'; choose one of digits-rotated"),
            ("{result}`mnist-mnistm/gan/torch`", "no method of mnist-mnistm is called 'gan'"),
            ("{result}`mnist-mnistm/dann/jax`", "no framework of mnist-mnistm/dann is called 'jax'"),
            ("{result}`mnist-mnistm/dann`", "does not say which framework: torch or tensorflow"),
            ("{result}`dann`", "expected experiment/method/framework, found 'dann'"),
            ("{result}`mnist-mnistm/dann/torch#speed`", "has no number 'speed' in every seed; it has "),
            ("```{results-table} mnist\n```", "no experiment is called 'mnist'"),
            ("```{results-table} mnist-mnistm\n:methods: gan\n```", "no method of mnist-mnistm is called 'gan'"),
            ("```{results-table} mnist-mnistm\n:method: dann\n```", "takes `:methods:`"),
        ]),
    ],
)  # fmt: skip
def test_each_fault_is_found_with_its_line(measured, korean, english, said):
    put(measured, korean, english)
    found = [problem for problem in problems(measured) if said in problem]
    assert found, problems(measured)
    assert all(re.match(r"book/01_small\.md:\d+: ", problem) and "\n" not in problem for problem in found)


def test_the_line_of_an_unknown_result_is_named(measured):
    put(measured, "값 {result}`mnist/dann/torch`", "one\nof {result}`mnist/dann/torch`")
    lines = [measured.line("mnist/dann/torch", which) for which in (0, 1)]
    assert [problem.split(":")[1] for problem in problems(measured)] == [str(line) for line in lines]


def test_captions_of_code_cells_are_checked_and_filled_in(measured):
    measured.change(
        "```{code-cell} ipython3\n",
        '```{code-cell} ipython3\n---\nname: fig-x\ncaption: {ko: "값 {result}`mnist/dann/torch`", en: "so {result}`mnist/dann/torch`"}\n---\n',
    )
    assert any("no experiment is called 'mnist'" in problem for problem in problems(measured))
    for which in (0, 0):
        measured.change("mnist/dann", "mnist-mnistm/dann", which)
    assert problems(measured) == []
    assert f"so {DANN} (3 seeds; published 0.7666)" in notebook_text(measured)


def test_a_spoilt_row_is_found_before_anything_is_built(measured):
    put(measured, "값 {result}`mnist-mnistm/dann/torch`", "so {result}`mnist-mnistm/dann/torch`")
    (measured.root / "results" / "mnist-mnistm" / "dann-torch.json").write_text("{")
    assert any("dann-torch.json is not a whole row of the ledger" in problem for problem in problems(measured))


# --- notebooks, pages, and what a changed row costs ----------------------------------------------------------
def notebook_text(book, lang="en"):
    settings = config.load(book.root)
    chapters = [read_chapter(book.root / "book" / f"{name}.md", book.root)[0] for name in settings.documents]
    notebook = execute.as_notebook(chapters[-1])
    page = colab.convert(notebook, chapters[-1], lang, colab.number_labels(chapters, lang), settings)
    return "\n\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")


def test_the_notebook_has_the_numbers_as_plain_markdown(measured):
    put(
        measured,
        f"{TABLE}\n\n값 {{result}}`mnist-mnistm/dann/torch`",
        f"{TABLE}\n\nso {{result}}`mnist-mnistm/dann/torch`",
    )
    text = notebook_text(measured)
    assert f"so {DANN} (3 seeds; published 0.7666)" in text and "{result" not in text and "{table}" not in text
    assert "*MNIST → MNIST-M. Accuracy on the target's test examples" in text
    assert f"| DANN | {DANN} | not run | 0.7666 |" in text and "Ganin et al. [2016], Table 2." in text
    assert f"값 {DANN} (시드 3개, 발표된 값 0.7666)" in notebook_text(measured, "ko")


def page_source(book, lang="en"):
    settings = config.load(book.root)
    chapter, _ = read_chapter(book.chapter, book.root)
    return split.write(execute.as_notebook(chapter), "01_small", lang, settings), execute.key(chapter, settings)


def test_a_changed_row_changes_the_page_and_runs_nothing(measured):
    put(measured, "값 {result}`mnist-mnistm/dann/torch`", "so {result}`mnist-mnistm/dann/torch`")
    page, key = page_source(measured)
    before = page.read_text(encoding="utf-8")
    assert f"so {DANN}" in before
    page_source(measured)
    stamp = page.stat().st_mtime_ns
    page_source(measured)
    assert page.stat().st_mtime_ns == stamp, "an unchanged row makes no page anew"
    store(measured.root, "mnist-mnistm", "dann", "torch", [0.9])
    page, new_key = page_source(measured)
    assert page.read_text(encoding="utf-8") != before and new_key == key


def test_sphinx_sets_the_table_with_its_caption_and_citation(measured, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(ROOT / "book" / "references.bib", source)
    text = expand(measured, f"{TABLE}\n\nSo {{result}}`mnist-mnistm/dann/torch`.")
    (source / "index.md").write_text(f"# A\n\n{text}\n\n```{{bibliography}}\n```\n", encoding="utf-8")
    (source / "conf.py").write_text(
        "extensions = ['myst_parser', 'sphinxcontrib.bibtex']\nbibtex_bibfiles = ['references.bib']\n"
        "bibtex_reference_style = 'author_year'\nnumfig = True\n"
    )
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", str(source), str(tmp_path / "html")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'<table [^>]*id="tab-x">\s*<caption>.*MNIST → MNIST-M\. Accuracy', html, re.S)
    assert "Ganin <em>et al.</em>" in html and f"<p>{DANN}</p>" in html


# --- what the book has ----------------------------------------------------------------------------------------
def test_every_published_value_has_its_paper_in_the_bibliography():
    known = citations.load(ROOT / "book" / "references.bib")
    for name, experiment in EXPERIMENTS.items():
        for method, entry in experiment.methods.items():
            if entry.published and entry.published.paper:
                assert entry.published.paper in known, f"{name}/{method}"
                assert entry.published.table.startswith("Table ")
        sources = {
            (entry.published.paper, entry.published.table) for entry in experiment.methods.values() if entry.published
        }
        assert len(sources) <= 1, f"{name}: a table names one source in its caption"


def test_the_rows_lie_where_they_run_no_chapter():
    """`execute.key` covers the helper package as a whole; the rows must lie outside it."""
    assert ledger.folder() == ROOT / "results"
    assert not list((ROOT / "code" / "dtlbook").rglob("*.json"))
