"""The ledger on the command line: `python -m dtlbook.results list | run | table`."""

import argparse
import os
import signal
import sys
from pathlib import Path

from dtlbook.results import experiments, ledger, runner

TIERS = ("quick", "full")


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return {"list": _list, "run": _run, "table": _table}[options.command](options)
    except ValueError as error:
        print(f"dtlbook.results: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dtlbook.results: stopped; the finished seeds are kept, the same command goes on", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dtlbook.results", description=__doc__)
    where = {"type": Path, "help": "where the rows are (default: results/ of this repository)"}
    parser.add_argument("--folder", **where)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="the experiments, and how far each row is")
    run = commands.add_parser("run", help="run what is missing of an experiment")
    run.add_argument("experiment", help="a name from `list`, or `all`")
    run.add_argument("--method", action="append", help="this method only (may be given again)")
    run.add_argument("--framework", action="append", help="torch, tensorflow or numpy only (may be given again)")
    run.add_argument("--seeds", type=_positive, help="how many seeds, from 0 on (default: the experiment's own number)")
    run.add_argument("--tier", choices=TIERS, help="of `all`: quick (embedded data, the default) or full (real data)")
    run.add_argument("--jobs", type=_positive, default=1, help="runs at the same time, one thread each (default: 1)")
    run.add_argument("--engine", choices=("processes", "ray"), default="processes")
    run.add_argument("--again", action="store_true", help="measure rows anew whose settings, data or code changed")
    table = commands.add_parser("table", help="the rows beside the published values, as Markdown")
    table.add_argument("experiment", nargs="?")
    for command in commands.choices.values():  # before the command or after it
        command.add_argument("--folder", default=argparse.SUPPRESS, **where)
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number, 1 or more, not {text!r}")
    return int(text)


# --- commands -----------------------------------------------------------------------------------------------
def _list(options: argparse.Namespace) -> int:
    rows = ledger.folder(options.folder)
    for name, experiment in experiments.EXPERIMENTS.items():
        print(f"{name}  ({experiment.tier}; {experiment.title['en']})")
        for _, method, framework, seeds in runner.plan([name], None, None, None):
            print(f"  {method + '/' + framework:34}{_state(rows, name, method, framework, seeds)}")
    return 0


def _state(rows: Path, name: str, method: str, framework: str, seeds: int) -> str:
    try:
        found = ledger.read(ledger.path(rows, name, method, framework))
    except ledger.LedgerError as error:
        return str(error)
    if found is None:
        there = all(file.is_file() for file in experiments.source_files(method, framework))
        return "not run" if there else "not run (its module is not there)"
    old = found["code"] != ledger.code_of(method, framework) or found["settings"] != experiments.settings(name, method)
    return (
        f"{found['n']} of {seeds} seeds  {spread(found)}  {found['status']}"
        + old * "  (code or settings changed since)"
    )


def _run(options: argparse.Namespace) -> int:
    names = [options.experiment]
    if options.experiment == "all":
        tier = options.tier or "quick"
        names = [name for name, experiment in experiments.EXPERIMENTS.items() if experiment.tier == tier]
    elif options.tier and options.tier != experiments.find(options.experiment).tier:
        raise ValueError(
            f"{options.experiment} belongs to the tier {experiments.find(options.experiment).tier}, not {options.tier}"
        )
    if options.experiment == "all" and options.method:
        raise ValueError("--method needs one experiment, not `all`")
    from tqdm import tqdm

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C
    rows = ledger.folder(options.folder)
    failed = runner.sweep(
        rows,
        runner.plan(names, options.method, options.framework, options.seeds),
        jobs=options.jobs,
        engine=options.engine,
        again=options.again,
        say=tqdm.write,
    )
    print(f"the rows are in {os.path.relpath(rows)}" + (f"; {failed} failed" if failed else ""))
    return int(failed > 0)


def _table(options: argparse.Namespace) -> int:
    rows = ledger.folder(options.folder)
    for name in [options.experiment] if options.experiment else experiments.EXPERIMENTS:
        judges = "sampled training examples" if experiments.find(name).transductive else "test examples"
        print(f"\n{name}: {experiments.find(name).title['en']}, accuracy on the target's {judges}, mean ± sd\n")
        print("| method | framework | measured | seeds | published | status |\n|---|---|---|---|---|---|")
        for _, method, framework, _ in runner.plan([name], None, None, None):
            found = ledger.read(ledger.path(rows, name, method, framework))
            known = experiments.entry(name, method).published
            cells = [spread(found), found["n"], found["status"]] if found else ["", "", "not run"]
            there = (
                f"{known.text()} ({', '.join(filter(None, (known.paper or 'the lecture', known.table)))})"
                if known
                else ""
            )
            why = f": {found['reason']['en']}" if found and found["reason"] else ""
            print(f"| {method} | {framework} | {cells[0]} | {cells[1]} | {there} | {cells[2]}{why} |")
    return 0


def spread(found: dict) -> str:
    """Mean ± standard deviation of a row."""
    return f"{found['mean']:.3f}" + ("" if found["sd"] is None else f" ± {found['sd']:.3f}")


if __name__ == "__main__":
    sys.exit(main())
