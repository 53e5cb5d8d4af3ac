"""How a sweep runs: a list of independent jobs, each in a process of its own, here or on a Ray cluster.

Every finished seed is stored at once, so an interrupted sweep goes on where it stopped.
"""

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from dtlbook.results import experiments, ledger
from dtlbook.results.experiments import PACKAGE, Job

# One thread a job: several jobs at once then do not wait for each other. Read by NumPy's libraries, PyTorch and
# TensorFlow when they are first imported.
ONE_THREAD = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
    )
} | {"TF_CPP_MIN_LOG_LEVEL": "3", "TQDM_DISABLE": "1"}  # fmt: skip

Work = Callable[[Job], dict[str, Any]]
Outcome = tuple[Job, dict[str, Any]]  # the job, and its numbers or {"error": one sentence}


# --- which jobs ---------------------------------------------------------------------------------------------
def plan(
    names: list[str], methods: list[str] | None, frameworks: list[str] | None, seeds: int | None
) -> list[tuple[str, str, str, int]]:
    """(experiment, method, framework, number of seeds) of every row that is asked for.

    Raises:
        ValueError: a word that is not known, or a choice that leaves nothing.
    """
    rows = []
    for name in names:
        experiment = experiments.find(name)
        for method in methods or experiment.methods:
            known = experiments.frameworks(name, method)
            for framework in frameworks or known:
                if framework in known:
                    rows.append((name, method, framework, experiments.seeds(name, method, seeds)))
                elif framework not in experiments.DEEP + experiments.SHALLOW or methods:
                    experiments.check(name, method, framework)  # says what is known
    if not rows:
        raise ValueError(f"nothing to run: no method of {', '.join(names)} is in {', '.join(frameworks or [])}")
    return rows


def missing_seeds(old: dict | None, seeds: int) -> list[int]:
    """The seeds 0 … seeds − 1 that a row does not have."""
    done = {seed["seed"] for seed in old["seeds"]} if old else set()
    return [seed for seed in range(seeds) if seed not in done]


# --- a sweep ------------------------------------------------------------------------------------------------
def sweep(
    rows: Path,
    planned: list[tuple[str, str, str, int]],
    *,
    jobs: int = 1,
    engine: str = "processes",
    again: bool = False,
    work: Work = experiments.run_job,
    basis: Callable[..., dict[str, Any]] = ledger.basis,
    say: Callable[[str], None] = print,
) -> int:
    """Run what is missing and store each seed as it is finished; the number of rows or jobs that failed.

    ``jobs``   runs at the same time (for Ray: as many as the cluster has cores)
    ``again``  measure rows anew whose settings, data or code have changed since
    """
    ledger.require_writable(rows)
    failed, waiting, bases = 0, [], {}
    for *row, seeds in planned:
        try:
            now = bases[tuple(row)] = basis(*row)
            old = ledger.refresh(rows, *row)
            changed = ledger.changes(old, now) if old else []
        except Exception as error:
            say(f"{'/'.join(row)}: {error}")
            failed += 1
            continue
        if changed and not again:
            say(
                f"{'/'.join(row)}: {' and '.join(changed)} changed since this row was measured; "
                "give --again to measure it anew (the old row stays until the first new seed is done)"
            )
            failed += 1
            continue
        waiting += [Job(*row, seed) for seed in missing_seeds(None if changed else old, seeds)]
    # seed by seed, so that a sweep that is stopped has something of every row
    waiting.sort(key=lambda job: job.seed)
    say(f"{len(waiting)} jobs to run, {sum(row[-1] for row in planned)} planned")
    if not waiting:
        return failed
    outcomes = on_ray(work, waiting) if engine == "ray" else in_processes(work, waiting, jobs)
    for job, numbers in _with_progress(outcomes, len(waiting)):
        if "error" in numbers:
            say(f"{job}: {numbers['error']}")
            failed += 1
        else:
            ledger.store(rows, job, numbers, bases[job.experiment, job.method, job.framework])
    return failed


def _with_progress(outcomes: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    from tqdm import tqdm

    with tqdm(total=total, unit="run", dynamic_ncols=True, disable=None) as bar:
        for job, numbers in outcomes:
            yield job, numbers
            bar.set_postfix_str(str(job))
            bar.update()


def attempt(work: Work, job: Job) -> dict[str, Any]:
    """``work(job)`` in one thread; an error becomes one sentence with the place where it happened."""
    os.environ.update(ONE_THREAD)
    try:
        return work(job)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]  # without this function
        own = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)] or frames
        place = Path(own[-1].filename)
        place = place.relative_to(PACKAGE.parent) if place.is_relative_to(PACKAGE) else place.name
        said = " ".join(str(error).split()) or "no message"
        return {"error": f"{type(error).__name__}: {said} ({place}:{own[-1].lineno})"}


# --- engines ------------------------------------------------------------------------------------------------
def in_processes(work: Work, jobs: list[Job], at_once: int = 1) -> Iterator[Outcome]:
    """Each job in a fresh process, ``at_once`` at the same time. A process that dies loses its own job only."""
    threads = ThreadPoolExecutor(at_once)
    futures = {threads.submit(_alone, work, job): job for job in jobs}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:  # reached early by Ctrl-C
        threads.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()


def _alone(work: Work, job: Job) -> dict[str, Any]:
    spawn = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(1, mp_context=spawn, initializer=_quiet_on_ctrl_c) as process:
            return process.submit(attempt, work, job).result()
    except BrokenProcessPool:
        return {"error": "its process died (out of memory, or killed from outside); run it again to try once more"}


def _quiet_on_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # end at once, without a traceback
    os.environ.update(ONE_THREAD)


def on_ray(work: Work, jobs: list[Job], retries: int = 5) -> Iterator[Outcome]:
    """Each job as a Ray task in a fresh process; a job whose node is lost runs again on another one.

    The cluster is the one that RAY_ADDRESS names, else this machine. Every node needs this package and the data.

    Raises:
        ledger.LedgerError: Ray is not installed, or the cluster cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise ledger.LedgerError("the engine ray needs Ray: pip install 'dtlbook[ray]'") from None
    if not ray.is_initialized():
        try:
            ray.init(log_to_driver=False, include_dashboard=False, logging_level="ERROR")
        except (ConnectionError, ValueError) as error:
            raise ledger.LedgerError(
                f"cannot reach the Ray cluster ({' '.join(str(error).split())}); start one with `ray start --head`, "
                "or unset RAY_ADDRESS to use this machine alone"
            ) from None
    task = ray.remote(num_cpus=1, max_calls=1, max_retries=retries)(attempt)
    pending = {task.remote(work, job): job for job in jobs}
    while pending:
        (done, *_), _ = ray.wait(list(pending), num_returns=1)
        job = pending.pop(done)
        try:
            yield job, ray.get(done)
        except ray.exceptions.RayError as error:
            yield job, {"error": f"Ray lost it {retries + 1} times ({str(error).strip().splitlines()[0]})"}


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
