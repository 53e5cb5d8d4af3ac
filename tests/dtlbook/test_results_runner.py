"""The sweep: nothing done is lost, by an error, a dead process, a dead node or Ctrl-C; and the command line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dtlbook.results import __main__ as command
from dtlbook.results import experiments, ledger, runner
from dtlbook.results.experiments import EXPERIMENTS, Job

CODE = Path(__file__).resolve().parents[2] / "code"
NAME = "digits-rotated"
NOW = {"settings": {}, "data": [], "code": "a"}
NOTES = "RESULTS_TEST_NOTES"  # folder in which the jobs leave a trace


# --- jobs that do nothing, at module level so that another process can import them --------------------------
def note(job: Job) -> None:
    name = f"{job.method}-{job.seed}-{os.getpid()}-{time.monotonic_ns()}"
    Path(os.environ[NOTES], name).touch()


def quick(job: Job) -> dict:
    note(job)
    threads = [os.environ.get(name) for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")]
    return {"target_accuracy": 0.1 * job.seed, "threads": threads, "numpy_was_loaded": "numpy" in sys.modules}


def second_fails(job: Job) -> dict:
    if job.seed == 1:
        raise RuntimeError("the loss\nis gone")
    return quick(job)


def second_dies(job: Job) -> dict:
    if job.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return quick(job)


def slow(job: Job) -> dict:
    note(job)
    time.sleep(2)
    return {"target_accuracy": 0.5, "pid": os.getpid()}


def basis(*row) -> dict:
    return dict(NOW)


# --- helpers ------------------------------------------------------------------------------------------------
@pytest.fixture
def notes(tmp_path, monkeypatch):
    folder = tmp_path / "notes"
    folder.mkdir()
    monkeypatch.setenv(NOTES, str(folder))
    monkeypatch.setenv("PYTHONPATH", str(CODE))
    return folder


def run_sweep(rows, work=quick, seeds=2, methods=("dann",), **how):
    said = []
    planned = runner.plan([NAME], list(methods), ["torch"], seeds)
    failed = runner.sweep(rows, planned, work=work, basis=how.pop("basis", basis), say=said.append, **how)
    return failed, said


def row(rows, method="dann"):
    return ledger.read(ledger.path(rows, NAME, method, "torch"))


def seeds_of(rows, method="dann"):
    return [seed["seed"] for seed in row(rows, method)["seeds"]]


# --- in processes -------------------------------------------------------------------------------------------
def test_a_sweep_stores_every_seed_and_runs_none_twice(tmp_path, notes):
    failed, said = run_sweep(tmp_path, seeds=2, jobs=2)
    assert failed == 0 and said == ["2 jobs to run, 2 planned"]
    assert seeds_of(tmp_path) == [0, 1]
    for seed in row(tmp_path)["seeds"]:
        assert seed["threads"] == ["1", "1"] and not seed["numpy_was_loaded"], "threads are set before any import"
    failed, said = run_sweep(tmp_path, seeds=3)
    assert said == ["1 jobs to run, 3 planned"] and seeds_of(tmp_path) == [0, 1, 2]
    assert len(list(notes.iterdir())) == 3
    assert len({path.name.split("-")[2] for path in notes.iterdir()}) == 3, "each job has a process of its own"


def test_an_error_loses_its_own_job_only(tmp_path, notes):
    failed, said = run_sweep(tmp_path, second_fails, seeds=3)
    assert failed == 1 and seeds_of(tmp_path) == [0, 2]
    assert said[1].startswith(f"{NAME}/dann/torch seed 1: RuntimeError: the loss is gone (test_results_runner.py:")
    assert run_sweep(tmp_path, quick, seeds=3)[1] == ["1 jobs to run, 3 planned"]
    assert seeds_of(tmp_path) == [0, 1, 2]


def test_a_process_that_dies_loses_its_own_job_only(tmp_path, notes):
    failed, said = run_sweep(tmp_path, second_dies, seeds=3, jobs=2)
    assert failed == 1 and seeds_of(tmp_path) == [0, 2]
    assert any("seed 1: its process died" in text for text in said)


def test_a_changed_basis_is_told_and_needs_a_word(tmp_path, notes):
    run_sweep(tmp_path, seeds=2)

    def changed(*row):
        return NOW | {"code": "b"}

    failed, said = run_sweep(tmp_path, seeds=2, basis=changed)
    assert failed == 1 and "the code changed since this row was measured; give --again" in said[0]
    assert row(tmp_path)["code"] == "a" and seeds_of(tmp_path) == [0, 1]
    failed, said = run_sweep(tmp_path, seeds=1, basis=changed, again=True)
    assert failed == 0 and row(tmp_path)["code"] == "b" and seeds_of(tmp_path) == [0]
    # an interrupted sweep with --again goes on: what it has done is up to date now
    failed, said = run_sweep(tmp_path, seeds=2, basis=changed, again=True)
    assert said == ["1 jobs to run, 2 planned"] and seeds_of(tmp_path) == [0, 1]


def test_a_spoilt_row_stops_that_row_only(tmp_path, notes):
    run_sweep(tmp_path, seeds=1)
    file = ledger.path(tmp_path, NAME, "dann", "torch")
    file.write_text("{")
    failed, said = run_sweep(tmp_path, seeds=1, methods=("dann", "ddc"))
    assert failed == 1 and "is not a whole row" in said[0]
    assert file.read_text() == "{" and seeds_of(tmp_path, "ddc") == [0]


PROGRAM = """
import sys
sys.path[:0] = [{here!r}]
import test_results_runner as t
from dtlbook.results import __main__ as command, experiments, ledger, runner
if __name__ == "__main__":
    # the command as it is, with jobs that sleep
    real = runner.sweep
    runner.sweep = lambda *a, **k: real(*a, **(k | dict(work=t.slow, basis=t.basis)))
    sys.exit(command.main({arguments!r}))
"""


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_what_is_done_and_leaves_no_process(tmp_path, notes, which):
    arguments = ["--folder", str(tmp_path), "run", NAME, "--method", "dann", "--framework", "torch", "--seeds", "4"]
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(here=str(Path(__file__).parent), arguments=arguments))
    process = subprocess.Popen([sys.executable, program], stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 25
    while len(list(notes.iterdir())) < 2 and time.monotonic() < deadline:  # the second job has begun
        time.sleep(0.05)
    process.send_signal(which)
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 130 and "the finished seeds are kept" in said and "Traceback" not in said
    assert seeds_of(tmp_path) == [0]
    pids = {int(path.name.split("-")[2]) for path in notes.iterdir()}
    time.sleep(0.3)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()], "a job goes on alone"


# --- on Ray -------------------------------------------------------------------------------------------------
def test_ray_that_is_missing_is_told(tmp_path, notes, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ledger.LedgerError, match="needs Ray: pip install 'dtlbook.ray.'"):
        run_sweep(tmp_path, engine="ray")


def test_the_package_does_without_ray():
    program = "import sys, dtlbook.results.__main__; print([n for n in ('ray', 'torch', 'numpy') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(CODE)}
    )
    assert done.stdout.strip() == "[]", done.stderr


# --- the command line -----------------------------------------------------------------------------------------
def run_command(tmp_path, *arguments):
    return command.main(["--folder", str(tmp_path), *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "mnist"], "no experiment is called 'mnist'; choose one of digits-rotated, "),
        (["run", NAME, "--method", "gan"], "no method of digits-rotated is called 'gan'; choose one of source-only, "),
        (["run", NAME, "--framework", "jax"], "no framework of digits-rotated/source-only is called 'jax'; choose"),
        (["run", NAME, "--method", "gfk", "--framework", "torch"], "'torch'; choose one of numpy"),
        (["run", NAME, "--tier", "full"], "digits-rotated belongs to the tier quick, not full"),
        (["run", "all", "--method", "dann"], "--method needs one experiment"),
        (["table", "mnist"], "no experiment is called 'mnist'"),
    ],
)
def test_a_wrong_word_is_told_with_the_known_ones(tmp_path, capsys, arguments, said):
    assert run_command(tmp_path, *arguments) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


@pytest.mark.parametrize("seeds", ["0", "-1", "two"])
def test_a_wrong_number_is_told(tmp_path, capsys, seeds):
    with pytest.raises(SystemExit):
        run_command(tmp_path, "run", NAME, "--seeds", seeds)
    assert "expected a whole number, 1 or more" in capsys.readouterr().err


def test_the_choice_of_what_to_run(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(runner, "sweep", lambda rows, planned, **how: asked.append(planned) or 0)
    assert run_command(tmp_path, "run", "mnist-mnistm", "--method", "dann", "--seeds", "2") == 0
    assert asked.pop() == [("mnist-mnistm", "dann", "torch", 2), ("mnist-mnistm", "dann", "tensorflow", 2)]
    run_command(tmp_path, "run", "all", "--framework", "numpy")
    quick_ones = {name for name, experiment in EXPERIMENTS.items() if experiment.tier == "quick"}
    assert {row[0] for row in asked[-1]} == quick_ones and {row[2] for row in asked[-1]} == {"numpy"}
    assert ("digits-rotated", "gfk", "numpy", 1) in asked[-1], "nothing is drawn: one run says everything"
    assert ("digits-rotated", "importance-weighting", "numpy", 5) in asked[-1]
    run_command(tmp_path, "run", "all", "--tier", "full")
    assert {row[0] for row in asked[-1]} == set(EXPERIMENTS) - quick_ones
    assert ("mnist-mnistm", "dann", "torch", 3) in asked[-1]


def test_a_failure_ends_with_code_1(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runner, "sweep", lambda *given, **how: 2)
    assert run_command(tmp_path, "run", NAME) == 1
    assert "2 failed" in capsys.readouterr().out


def test_list_and_table_show_rows_beside_published_values(tmp_path, capsys, monkeypatch):
    now = ledger.basis(NAME, "dann", "torch")
    for seed, accuracy in enumerate((0.5, 0.6)):
        ledger.store(tmp_path, Job(NAME, "dann", "torch", seed), {"target_accuracy": accuracy}, now)
    ledger.store(tmp_path, Job("mnist-mnistm", "sa-features", "torch", 0), {"target_accuracy": 0.5}, NOW)
    assert run_command(tmp_path, "list") == 0
    listed = capsys.readouterr().out
    assert f"{'  dann/torch':36}2 of 5 seeds  0.550 ± 0.071  measured\n" in listed
    assert f"{'  sa-features/torch':36}1 of 3 seeds  0.500  differs  (code or settings changed since)\n" in listed
    assert run_command(tmp_path, "table") == 0
    table = capsys.readouterr().out
    assert "| dann | torch | 0.550 ± 0.071 | 2 |  | measured |" in table
    assert "| sa-features | torch | 0.500 | 1 | 0.5690 (ganin2016, Table 2) | differs: reason not known |" in table
    assert "| source-only | torch |  |  | 0.5225 (ganin2016, Table 2) | not run |" in table


def test_a_folder_that_cannot_be_written_is_told(tmp_path, notes):
    (tmp_path / "rows").write_text("a file")
    with pytest.raises(ledger.LedgerError, match="cannot write .*/rows .File exists.; make the folder writable"):
        run_sweep(tmp_path / "rows")


def test_experiments_have_their_data_checked_before_anything_runs(tmp_path, notes):
    def missing(*row):
        raise OSError("MNIST is not in the data folder: put it there")

    failed, said = run_sweep(tmp_path, basis=missing)
    assert failed == 1 and said[0].endswith("MNIST is not in the data folder: put it there")
    assert not list(notes.iterdir()) and experiments.find(NAME)
