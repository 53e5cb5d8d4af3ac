"""Rows of the results ledger in a chapter: the role `{result}` and the directive `{results-table}`.

    {result}`mnist-mnistm/dann/torch`                  0.771 ± 0.012 (3 seeds; published 0.7666)
    {result}`mnist-mnistm/dann/torch#source_accuracy`  another number of the row, or one pair of several

    ```{results-table} mnist-mnistm
    :methods: source-only, dann
    ```

Both become ordinary MyST text before the pages and the notebooks are made. So a changed row changes the text of a page
and runs no chapter.
"""

from __future__ import annotations

import re
import statistics
from pathlib import Path

from nbformat import NotebookNode

from dtlbook.results import experiments, ledger
from dtlbook.results.experiments import Published
from press.config import Config, PressError

WORDS = {
    "ko": {
        "seeds": "시드 {n}개", "published": "발표된 값 {value}", "not run": "실행하지 않음", "reproduced": "재현됨", "differs": "다름",
        "method": "방법", "torch": "PyTorch", "tensorflow": "TensorFlow", "numpy": "NumPy",
        "column published": "발표된 값", "status": "상태", "pair": "쌍", "mean": "평균", "table": "표",
        "lecture": "강의의 시연",
        "caption": "타깃 시험 예제의 정확도(0~1), {spread}.",
        "caption of sample": "타깃에서 뽑힌 학습 그림의 정확도(0~1), {spread}.",
        "spread": "시드 {n}개의 평균 ± 표준편차", "spread of some": "여러 시드의 평균 ± 표준편차(괄호 안은 시드의 수)",
        "some once": "(±가 없으면 한 번 돌린 값)", "once": "한 번 돌린 값", "none": "아직 실행하지 않았다.",
        "cited": "발표된 값의 출처: {source}.", "cited in brackets": "괄호 안은 발표된 값: {source}.",
        "where": "자료, 설정, 하드웨어, 버전은 저장소의 [results/{name}]({url})에 있다.",
    },
    "en": {
        "seeds": "{n} seeds", "published": "published {value}", "not run": "not run", "reproduced": "reproduced",
        "differs": "differs", "method": "method", "torch": "PyTorch",
        "tensorflow": "TensorFlow", "numpy": "NumPy", "column published": "published", "status": "status", "pair": "pair",
        "mean": "mean", "table": "Table", "lecture": "the lecture's demo",
        "caption": "Accuracy on the target's test examples (0 to 1), {spread}.",
        "caption of sample": "Accuracy on the target's sampled training images (0 to 1), {spread}.",
        "spread": "mean ± standard deviation over {n} seeds",
        "spread of some": "mean ± standard deviation over seeds (their number in brackets)",
        "some once": " (without ±: one run)", "once": "one run", "none": "Not run yet.",
        "cited": "Published values: {source}.", "cited in brackets": "In brackets the published values: {source}.",
        "where": "Data, settings, hardware and versions are in [results/{name}]({url}) of the repository.",
    },
}  # fmt: skip
_ROLE = re.compile(r"(?<!`)\{result\}`([^`\n]+)`(?!`)")
_TABLE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{results-table\}[ \t]*(?P<name>\S*)[ \t]*\n(?P<body>(?:(?!(?P=fence)).*\n)*?)(?P=fence)[ \t]*$",
    re.M,
)


# --- asking the ledger --------------------------------------------------------------------------------------
def split_key(key: str) -> tuple[str, str, str | None, str]:
    """`experiment/method/framework#number` in its parts; framework and number may be left out.

    Raises:
        ValueError: another form, or a name that is not known.
    """
    words, _, number = key.strip().partition("#")
    parts = words.split("/")
    if len(parts) not in (2, 3):
        raise ValueError(f"expected experiment/method/framework, found {key!r}")
    experiment, method, framework = [*parts, None][:3]
    if framework is None and len(experiments.frameworks(experiment, method)) == 1:
        framework = experiments.frameworks(experiment, method)[0]
    if framework is None:
        raise ValueError(
            f"{key!r} does not say which framework: {' or '.join(experiments.frameworks(experiment, method))}"
        )
    experiments.check(experiment, method, framework)
    return experiment, method, framework, number


def problem(kind: str, argument: str, rows: Path) -> str | None:
    """What is wrong with an item of `press.markup`, kind "result" or "results table"; None if nothing is."""
    try:
        if kind == "result":
            experiment, method, framework, number = split_key(argument)
            found = ledger.row(experiment, method, framework, rows)
            if found and number:
                _numbers(found, number)
        else:
            experiment, _, methods = argument.partition(" ")
            for method in _methods(experiment, methods):
                for framework in experiments.frameworks(experiment, method):
                    ledger.row(experiment, method, framework, rows)
    except ValueError as error:
        return str(error)
    return None


def _methods(experiment: str, wanted: str) -> list[str]:
    names = [name.strip() for name in wanted.split(",") if name.strip()] or list(experiments.find(experiment).methods)
    for name in names:
        experiments.entry(experiment, name)
    return names


def _numbers(found: dict, name: str) -> list[float]:
    """One number of every seed: a pair's accuracy, or whatever a run returns."""
    seeds = [seed.get("pairs", {}).get(name, seed.get(name)) for seed in found["seeds"]]
    if not all(isinstance(number, (int, float)) for number in seeds):
        known = sorted(key for key, value in found["seeds"][0].items() if isinstance(value, float))
        raise ValueError(
            f"{found['experiment']}/{found['method']}/{found['framework']} has no number {name!r} in every seed; it has "
            + ", ".join([*known, *found["seeds"][0].get("pairs", {})])
        )
    return seeds


# --- as text ------------------------------------------------------------------------------------------------
def fill_in(page: NotebookNode, lang: str, config: Config) -> None:
    """Put the ledger's numbers into the text cells and captions of a page in one language."""
    for cell in page.cells:
        if cell.cell_type == "markdown":
            cell.source = expand(cell.source, lang, config)
        elif isinstance(cell.metadata.get("caption"), str):
            cell.metadata["caption"] = expand(cell.metadata["caption"], lang, config)


def expand(text: str, lang: str, config: Config) -> str:
    """MyST text without the role and the directive.

    Raises:
        PressError: what the gate would have refused.
    """
    if "{result" not in text:
        return text
    try:
        text = _TABLE.sub(lambda match: _table(match["name"], match["body"], lang, config), text)
        return _ROLE.sub(lambda match: _sentence(match[1], lang, config.root / "results"), text)
    except ValueError as error:
        raise PressError(f"results ledger: {error}") from None


def _sentence(key: str, lang: str, rows: Path) -> str:
    words = WORDS[lang]
    experiment, method, framework, number = split_key(key)
    found = ledger.row(experiment, method, framework, rows)
    published = experiments.entry(experiment, method).published
    notes = []
    if found is None:
        text = words["not run"]
    else:
        text = spread(_numbers(found, number or ledger.MEASURE))
        notes.append(_seeds(found["n"], lang))
    if published and not number:
        notes.append(words["published"].format(value=published.text()))
    return text + (f" ({(', ' if lang == 'ko' else '; ').join(notes)})" if notes else "")


def _seeds(n: int, lang: str) -> str:
    text = WORDS[lang]["seeds"].format(n=n)
    return text.removesuffix("s") if n == 1 and lang == "en" else text


def spread(numbers: list[float]) -> str:
    """`0.771 ± 0.012`, with spaces that do not break."""
    deviation = f"\u00a0±\u00a0{statistics.stdev(numbers):.3f}" if len(numbers) > 1 else ""
    return f"{statistics.fmean(numbers):.3f}{deviation}"


# --- as a table ---------------------------------------------------------------------------------------------
def _table(name: str, body: str, lang: str, config: Config) -> str:
    options = dict(re.findall(r"^:([\w-]+):[ \t]*(.*)$", body, re.M))
    unknown = set(options) - {"methods", "name"}
    if unknown or re.sub(r"^:[\w-]+:.*$", "", body, flags=re.M).strip():
        raise ValueError(
            f"the directive {{results-table}} takes `:methods:` and `:name:` and no text; found {body.strip()!r}"
        )
    methods = _methods(name, options.get("methods", ""))
    found = {
        (method, framework): ledger.row(name, method, framework, config.root / "results")
        for method in methods
        for framework in experiments.frameworks(name, method)
    }
    cells = (_by_pair if len(experiments.find(name).pairs) > 1 else _by_method)(name, methods, found, lang)
    lines = [cells[0], ["---"] * len(cells[0]), *cells[1:]]
    label = [f":name: {options['name']}"] if "name" in options else []
    table = ["| " + " | ".join(line) + " |" for line in lines]
    # tildes: the first line of a fence of backticks must not contain any, and a citation does
    reasons = _reasons(found, lang)
    return "\n".join([f"~~~{{table}} {_caption(name, found, lang, config)}", *label, "", *table, "~~~", *reasons])


def _reasons(found: dict, lang: str) -> list[str]:
    """Under the table, an item for each row that differs from the paper: why, as far as it is known."""
    words = WORDS[lang]
    items = [
        f"- {experiments.METHODS[method].name[lang]} ({words[framework]}), {words['differs']}: {row['reason'][lang]}."
        for (method, framework), row in found.items()
        if row and row["reason"]
    ]
    return ["", *items] if items else []


def _caption(name: str, found: dict, lang: str, config: Config) -> str:
    words = WORDS[lang]
    rows = [row for row in found.values() if row]
    counts = sorted({row["n"] for row in rows} - {1})
    how = words["spread of some" if len(counts) > 1 else "spread" if counts else "once"].format(
        n=counts[0] if counts else 1
    )
    if counts and any(row["n"] == 1 for row in rows):
        how += words["some once"]
    url = f"{config.repository_url}/tree/{config.branch}/results/{name}"
    caption = words["caption of sample" if experiments.find(name).transductive else "caption"]
    parts = [caption.format(spread=how)] if rows else [words["none"]]
    source = _source([experiments.entry(name, method).published for method, _ in found], lang)
    cited = "cited in brackets" if len(experiments.find(name).pairs) > 1 else "cited"
    parts += [words[cited].format(source=source)] if source else []
    parts += [words["where"].format(name=name, url=url)] if rows else []
    return f"{experiments.find(name).title[lang]}. " + " ".join(parts)


def _source(published: list[Published | None], lang: str) -> str:
    """Paper and table of the published values; a test sees to it that an experiment quotes one table only."""
    for value in filter(None, published):
        table = f", {value.table.replace('Table', WORDS[lang]['table'])}" if value.table else ""
        return (f"{{cite:t}}`{value.paper}`" if value.paper else WORDS[lang]["lecture"]) + table
    return ""


def _by_method(name: str, methods: list[str], found: dict, lang: str) -> list[list[str]]:
    """A line a method, a column a framework, then the published value and the status."""
    words = WORDS[lang]
    columns = [each for each in experiments.DEEP + experiments.SHALLOW if any(each == used for _, used in found)]
    equal = len({row["n"] for row in found.values() if row} - {1}) < 2
    published = any(experiments.entry(name, method).published for method in methods)
    lines = [[words["method"], *(words[each] for each in columns)]]
    lines[0] += [words["column published"], words["status"]] if published else []
    for method in methods:
        line = [experiments.METHODS[method].name[lang]]
        line += [_cell(found[method, each], equal, lang) if (method, each) in found else "" for each in columns]
        if published:
            value = experiments.entry(name, method).published
            line += [value.text() if value else "–", _status(name, method, found, lang)]
        lines.append(line)
    return lines


def _cell(row: dict | None, equal: bool, lang: str) -> str:
    if row is None:
        return WORDS[lang]["not run"]
    return spread(_numbers(row, ledger.MEASURE)) + ("" if equal or row["n"] == 1 else f" ({row['n']})")


def _status(name: str, method: str, found: dict, lang: str) -> str:
    """How the rows stand to the published value, if there is one: one word, where all that were run agree."""
    words = WORDS[lang]
    if not experiments.entry(name, method).published:
        return "–"
    rows = {framework: row for (each, framework), row in found.items() if each == method and row}
    said = {framework: words[row["status"]] for framework, row in rows.items()}
    if len(set(said.values())) < 2:
        return next(iter(said.values()), words["not run"])
    return "; ".join(f"{words[framework]} {text}" for framework, text in said.items())


def _by_pair(name: str, methods: list[str], found: dict, lang: str) -> list[list[str]]:
    """A line a pair, a column a method and framework, then the mean; published values in brackets, as the caption says."""
    words = WORDS[lang]
    several = {method for method in methods if len(experiments.frameworks(name, method)) > 1}
    heads = [experiments.METHODS[m].name[lang] + (f" ({words[f]})" if m in several else "") for m, f in found]
    lines = [[words["pair"], *heads]]
    for pair in experiments.find(name).pairs:
        line = [pair.removeprefix("surf-").replace("-", " → ")]
        for (method, _), row in found.items():
            published = experiments.entry(name, method).published
            known = f" ({published.text(published.pairs[pair])})" if published and pair in published.pairs else ""
            line.append((spread(_numbers(row, pair)) if row else words["not run"]) + known)
        lines.append(line)
    means = [spread(_numbers(row, ledger.MEASURE)) if row else words["not run"] for row in found.values()]
    return [*lines, [words["mean"], *means]]
