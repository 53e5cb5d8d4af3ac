"""The press on the command line: `python -m press COMMAND`. The Makefile calls it; see `make help`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Clock:
    """Says what is being done, and at the end what took how long."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        print(f"· {name} …", flush=True)
        started = time.perf_counter()
        yield
        self.steps.append((name, time.perf_counter() - started))

    def report(self) -> None:
        total = sum(seconds for _, seconds in self.steps)
        for name, seconds in [*self.steps, ("all", total)]:
            print(f"  {seconds:6.1f} s  {name}")


def check() -> int:
    """The gate: print each problem in one line; the number of them."""
    from press import config, gate

    problems = gate.check(config.load(ROOT))
    for problem in problems:
        print(problem)
    count = len(problems)
    print(f"check: {count} problem{'s' * (count != 1)}" if problems else "check: the two editions agree")
    return count


def make_sources(clock: Clock):
    """Check, run what changed, and write the sources of the site and the notebooks under `_build`."""
    from press import colab, config, execute, gate, split
    from press.source import read_chapter

    settings = config.load(ROOT)
    split.require_writable(settings.build)
    with clock.step("check the sources"):
        problems = gate.check(settings)
        if problems:
            raise config.PressError("\n".join(map(str, problems)) + f"\n{len(problems)} problems; nothing was built")
    with clock.step("run the chapters (stored runs are used again)"):
        chapters = [read_chapter(settings.book / f"{document}.md", ROOT)[0] for document in settings.documents]
        notebooks = dict(zip(settings.documents, execute.run_all(chapters, settings), strict=True))
    with clock.step("split into Korean and English"):
        for document, notebook in notebooks.items():
            for lang in settings.languages:
                split.write(notebook, document, lang, settings)
        split.write_shared(settings)
        split.remove_stale(settings)
        colab.write_all(notebooks, settings, settings.notebooks)
    return settings


def book() -> int:
    """Build the site."""
    from press import site

    clock = Clock()
    settings = make_sources(clock)
    out = settings.build / "site"
    with clock.step("set the pages, Korean and English"):
        site.build(settings, settings.build / "source", out)
    clock.report()
    print(f"The book lies in {out.relative_to(ROOT)}/index.html; `make serve` shows it.")
    return 0


def notebooks() -> int:
    """Write book/ko and book/en."""
    from press.split import write_if_changed

    clock = Clock()
    settings = make_sources(clock)
    made = {path.relative_to(settings.notebooks): path for path in settings.notebooks.rglob("*.ipynb")}
    for lang in settings.languages:
        for old in (settings.book / lang).glob("*.ipynb"):
            if old.relative_to(settings.book) not in made:
                old.unlink()
                print(f"removed {old.relative_to(ROOT)}")
    for name, path in sorted(made.items()):
        changed = write_if_changed(settings.book / name, path.read_text(encoding="utf-8"))
        print(f"{'wrote' if changed else 'unchanged:'} book/{name}")
    clock.report()
    return 0


def test(arguments: list[str]) -> int:
    """Build the book, then run every test in one pytest run, the notebooks through nbval among them."""
    book()
    environment = {"OMP_NUM_THREADS": "1", **os.environ, "TQDM_DISABLE": "1", "PYTHONPATH": "code"}
    environment.pop("DTLBOOK_PRESS", None)
    # All tests: one worker a core, each with one thread, and a file's tests in one worker, so that a notebook keeps its
    # kernel.
    everything = ["-n", "auto", "--dist", "loadfile", "tests", "book/ko"]
    command = [sys.executable, "-m", "pytest", "--nbval", *(arguments or everything)]
    return subprocess.call(command, cwd=ROOT, env=environment)


def serve() -> int:
    """Show the site at an address of this machine."""
    from press import config, serve

    folder = ROOT / "_build" / "site"
    if not (folder / "index.html").is_file():
        raise config.PressError("there is no site yet in _build/site; run `make book` first")
    serve.main(folder)
    return 0


def pdf() -> int:
    """Print every page."""
    from press import config, pdf

    book()
    settings = config.load(ROOT)
    pdf.build(settings, settings.build / "site", settings.build / "pdf")
    return 0


COMMANDS: dict[str, Callable[..., int]] = {
    "check": check,
    "book": book,
    "notebooks": notebooks,
    "test": test,
    "serve": serve,
    "pdf": pdf,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="press", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs="*", help="for `test`: what pytest is to run instead of everything")
    options, more = parser.parse_known_args()
    from press.config import PressError

    try:
        if options.command == "test":
            return test(options.arguments + more)
        return min(COMMANDS[options.command](), 1)
    except PressError as error:
        print(f"press: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("press: stopped; what was finished is kept", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
