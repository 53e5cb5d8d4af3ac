"""The ledger: one text file a row, ``results/EXPERIMENT/METHOD-FRAMEWORK.json``, written only by a run.

A row holds every seed's numbers, their mean and standard deviation, all settings, the data with its checksum, the
hardware, versions, seconds and dates, and beside them the published value with its paper and table. Its status:

``reproduced``  the mean reaches the published value: it lies at most ``within`` below it (a method that does better
                still counts), for a baseline at most ``within`` to either side
``differs``     it does not; ``reason`` says why, or that the reason is not known
``measured``    nothing published to compare with
``not run``     there is no row
"""

import ast
import hashlib
import json
import math
import os
import statistics
import tempfile
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from dtlbook.results import experiments
from dtlbook.results.experiments import PACKAGE, Job, Published

MEASURE = "target_accuracy"
UNKNOWN_REASON = {"ko": "까닭을 모른다", "en": "reason not known"}
KEYS = (
    "experiment method framework measure n mean sd published status reason seconds cpu_seconds settings defaults data code "
    "environments seeds"
).split()


class LedgerError(ValueError):
    """A row or a folder that cannot be used, told in one sentence."""


# --- where the rows are -------------------------------------------------------------------------------------
def folder(wanted: str | Path | None = None) -> Path:
    """The folder of the rows: ``wanted``; else ``results/`` of the checkout in which one stands or from which this
    package comes; else the copy that an installed package carries.
    """
    if wanted is not None:
        return Path(wanted)
    for place in [Path.cwd(), *Path.cwd().parents, *PACKAGE.parents]:
        if (place / "code" / "dtlbook").is_dir() and (place / "pyproject.toml").is_file():
            return place / "results"
    return PACKAGE / "results" / "rows"


def path(rows: Path, experiment: str, method: str, framework: str) -> Path:
    return rows / experiment / f"{method}-{framework}.json"


# --- reading ------------------------------------------------------------------------------------------------
def row(experiment: str, method: str, framework: str | None = None, rows: str | Path | None = None) -> dict | None:
    """The row of a method, or None if it was not run.

    ``framework`` may be left out where the experiment runs the method in one only.

    Raises:
        ValueError: an experiment, method or framework that is not known, or a file that is not a row.
    """
    known = experiments.frameworks(experiment, method)
    if framework is None and len(known) > 1:
        raise ValueError(f"{experiment}/{method} was run in {' and '.join(known)}: say which")
    framework = framework or known[0]
    experiments.check(experiment, method, framework)
    return read(path(folder(rows), experiment, method, framework))


def read(file: Path) -> dict | None:
    """The row in ``file``; None if there is no such file.

    Raises:
        LedgerError: the file is cut off or is not a row.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _broken(file, str(error)) from None
    missing = [key for key in KEYS if key not in found] if isinstance(found, dict) else list(KEYS)
    if missing:
        raise _broken(file, f"it lacks {', '.join(missing)}")
    if f"{found['method']}-{found['framework']}" != file.stem or found["experiment"] != file.parent.name:
        raise _broken(file, f"it says it is {found['experiment']}/{found['method']}-{found['framework']}")
    numbers = [seed.get(MEASURE) if isinstance(seed, dict) else None for seed in found["seeds"]]
    if not numbers or not all(isinstance(x, (int, float)) and 0 <= x <= 1 for x in numbers):
        raise _broken(file, f"a seed has no {MEASURE} between 0 and 1")
    if found["n"] != len(numbers) or abs(found["mean"] - statistics.fmean(numbers)) > 1e-5:
        raise _broken(file, "its mean is not the mean of its seeds")
    return found


def _broken(file: Path, why: str) -> LedgerError:
    return LedgerError(
        f"{file.parent.name}/{file.name} is not a whole row of the ledger ({why}); take it back from the repository, "
        "or delete it and run it again"
    )


# --- what a row depends on ----------------------------------------------------------------------------------
def basis(experiment: str, method: str, framework: str) -> dict[str, Any]:
    """What must be the same for a finished seed to count: settings, data and code."""
    return {
        "settings": experiments.settings(experiment, method),
        "data": checksums(experiment),
        "code": code_of(method, framework),
    }


def code_of(method: str, framework: str) -> str:
    """`code_hash` of a method: its modules, and the functions of `experiments` that compute with them."""
    return code_hash(*experiments.source_files(method, framework), functions=experiments.METHODS[method].functions)


@cache
def checksums(experiment: str) -> list[dict[str, Any]]:
    """Name, sizes and SHA-256 of every domain of an experiment, before any sampling."""
    from dtlbook import data

    def of(domain) -> dict[str, Any]:
        return {
            "name": domain.name,
            "train": len(domain.x_train),
            "test": len(domain.x_test),
            "sha256": data.checksum(domain),
        }

    pairs = experiments.find(experiment).pairs
    both = ((name, *experiments.domains(experiment, name, None)) for name in pairs)
    return [{"pair": name, "source": of(source), "target": of(target)} for name, source, target in both]


def code_hash(*files: Path, functions: Iterable[str] = ()) -> str:
    """SHA-256 over modules, all modules of this package that they import, and ``functions`` of `experiments`.

    Left out is what changes no number of a run: comments, docstrings, and what only refuses bad input. The loaders of
    data do not count: the data has a checksum of its own.
    """
    seen, waiting = {}, list(files)
    while waiting:
        here = waiting.pop()
        name = here.relative_to(PACKAGE).as_posix()
        if name in seen or name.startswith(("data/", "results/", "arguments.py")) or not here.is_file():
            continue
        tree = ast.parse(here.read_text(encoding="utf-8"))
        waiting += [module for node in ast.walk(tree) for module in _imported(node)]
        seen[name] = ast.unparse(_what_computes(tree))
    for file in files:
        name = file.relative_to(PACKAGE).as_posix()
        if name not in seen:
            raise LedgerError(f"there is no module dtlbook/{name} yet, so nothing can be run")
    if functions:
        tree = ast.parse((PACKAGE / "results" / "experiments.py").read_text(encoding="utf-8"))
        defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        seen |= {name: ast.unparse(_what_computes(defined[name])) for name in functions}
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def _imported(node: ast.AST) -> Iterable[Path]:
    """Files of this package that an import statement may name."""
    names = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    for name in names:
        if name.startswith("dtlbook."):
            yield PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py")


def _what_computes(tree: ast.AST) -> ast.AST:
    """Without docstrings and without what only refuses bad input.

    The latter are functions called ``check_…``, statements that call one, and conditions that end in an error.
    """
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:]
    return _WithoutChecks().visit(tree)


class _WithoutChecks(ast.NodeTransformer):
    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        node.names = [alias for alias in node.names if not alias.name.startswith("check_")]
        return node if node.names else None

    def generic_visit(self, node: ast.AST) -> ast.AST | None:
        node = super().generic_visit(node)
        if isinstance(node, ast.FunctionDef) and node.name.lstrip("_").startswith("check_"):
            return None
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = getattr(node.value.func, "id", getattr(node.value.func, "attr", ""))
            return None if called.lstrip("_").startswith("check_") else node
        if isinstance(node, (ast.If, ast.For, ast.With)) and not getattr(node, "orelse", []):
            return None if not node.body or isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise) else node
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            node.body = node.body or [ast.Pass()]
        return node


def changes(old: dict, now: dict[str, Any]) -> list[str]:
    """What of the `basis` is not as it was when the row was measured, in words; nothing if the row still holds."""
    found = []
    if old["settings"] != now["settings"]:
        names = sorted({*old["settings"], *now["settings"]})
        different = [name for name in names if old["settings"].get(name) != now["settings"].get(name)]
        found.append(f"the settings ({', '.join(different)})")
    if old["data"] != now["data"]:
        found.append("the data")
    if old["code"] != now["code"]:
        found.append("the code")
    return found


# --- writing ------------------------------------------------------------------------------------------------
def require_writable(rows: Path) -> None:
    """Find out before a long run, not after it, that its results cannot be kept.

    Raises:
        LedgerError: the folder cannot be made or written.
    """
    try:
        rows.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=rows):
            pass
    except OSError as error:
        raise _cannot_write(rows, error) from None


def _cannot_write(what: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"cannot write {'/'.join(what.parts[-2:])} ({error.strerror}); make the folder writable or give another one "
        "with --folder"
    )


def store(rows: Path, job: Job, numbers: dict[str, Any], now: dict[str, Any]) -> dict:
    """Add one finished seed to its row, or begin the row anew if it was measured on another `basis`; the new row."""
    file = path(rows, job.experiment, job.method, job.framework)
    with _alone_with(file):
        return _with_seed(file, job, numbers, now)


def _with_seed(file: Path, job: Job, numbers: dict[str, Any], now: dict[str, Any]) -> dict:
    old = read(file)
    seeds, environments = [], []
    if old and not changes(old, now):
        seeds, environments = [seed for seed in old["seeds"] if seed["seed"] != job.seed], old["environments"]
    numbers = _rounded(numbers)
    surroundings, defaults = numbers.pop("environment", {}), numbers.pop("defaults", {})
    if surroundings not in environments:
        environments = [*environments, surroundings]
    done = {"seed": job.seed} | numbers
    done |= {"environment": environments.index(surroundings), "date": date.today().isoformat()}
    seeds = sorted([*seeds, done], key=lambda seed: seed["seed"])
    used = sorted({seed["environment"] for seed in seeds})
    seeds = [seed | {"environment": used.index(seed["environment"])} for seed in seeds]
    new = {"seeds": seeds, "environments": [environments[i] for i in used], "defaults": defaults, **now}
    new |= {"experiment": job.experiment, "method": job.method, "framework": job.framework}
    return _write(file, new)


def refresh(rows: Path, experiment: str, method: str, framework: str) -> dict | None:
    """Bring published value, status and reason of a stored row up to date; the numbers stay."""
    file = path(rows, experiment, method, framework)
    with _alone_with(file):
        old = read(file)
        return _write(file, old) if old else None


def _alone_with(file: Path):
    """A lock on one row, so that two sweeps at once do not overwrite each other's seeds. It lies outside the rows."""
    from filelock import FileLock

    key = hashlib.sha256(f"{file.resolve()} {Path.home()}".encode()).hexdigest()[:16]
    return FileLock(Path(tempfile.gettempdir()) / f"dtlbook-row-{key}.lock")


def _write(file: Path, new: dict) -> dict:
    """Compute what follows from the seeds, and replace the file as a whole.

    Raises:
        LedgerError: the folder cannot be written.
    """
    entry = experiments.entry(new["experiment"], new["method"])
    numbers = [seed[MEASURE] for seed in new["seeds"]]
    new |= {
        "measure": MEASURE,
        "n": len(numbers),
        "mean": round(statistics.fmean(numbers), 6),
        "sd": round(statistics.stdev(numbers), 6) if len(numbers) > 1 else None,
        "seconds": round(sum(seed.get("seconds", 0) for seed in new["seeds"]), 1),
        "cpu_seconds": round(sum(seed.get("cpu_seconds", 0) for seed in new["seeds"]), 1),
        "published": vars(entry.published) if entry.published else None,
    }
    new |= {"status": status(new, entry.published), "reason": None}
    if new["status"] == "differs":
        new["reason"] = entry.reason.get(new["framework"], UNKNOWN_REASON)
    new = {key: new[key] for key in KEYS}
    try:
        text = json.dumps(new, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            _replace(file, text)
    except OSError as error:
        raise _cannot_write(file, error) from None
    return new


def _replace(file: Path, text: str) -> None:
    """Write a whole file or none; what stood there stays until then."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=f".{file.stem}-", suffix=".part", dir=file.parent)
    try:
        with open(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(partial, 0o644)
        os.replace(partial, file)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _rounded(value: Any) -> Any:
    """Floats with six places; what is not a finite number becomes null, as a diverged loss is."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


# --- judging ------------------------------------------------------------------------------------------------
def status(new: dict, published: Published | None) -> str:
    """The status word of a row by the rule at the top; with published values of pairs, each of them counts."""
    if published is None:
        return "measured"
    gaps = [new["mean"] - published.value]
    if published.pairs:
        means = {pair: statistics.fmean(seed["pairs"][pair] for seed in new["seeds"]) for pair in published.pairs}
        gaps = [means[pair] - value for pair, value in published.pairs.items()]
    low, high = -published.within - 1e-9, published.within + 1e-9 if published.both_ways else math.inf
    return "reproduced" if all(low <= gap <= high for gap in gaps) else "differs"
