"""A sweep on a Ray cluster of two nodes, one of which is killed in mid-sweep: nothing is lost."""

import os
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from dtlbook.results import ledger, runner
from dtlbook.results.experiments import Job

NAME, HERE, CODE = "digits-rotated", Path(__file__).parent, Path(__file__).resolve().parents[2] / "code"
BASIS = {"settings": {}, "data": [], "code": "a"}


def node_settings() -> dict:
    """A small node. Its agents get their ports from here: a node waits only so long for those that they choose."""
    agents = ("metrics_agent_port", "runtime_env_agent_port", "dashboard_agent_listen_port", "metrics_export_port")
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("", 0))) for _ in agents]
        ports = {name: here.getsockname()[1] for name, here in zip(agents, sockets, strict=True)}
    return {"object_store_memory": 80 * 1024**2, "include_dashboard": False, **ports}


@pytest.fixture
def cluster(monkeypatch):
    """Two nodes on this machine that run one job each, and the second of them."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(CODE), str(HERE))))
    ray = pytest.importorskip("ray", reason="Ray is an optional extra")
    cluster = pytest.importorskip("ray.cluster_utils").Cluster()
    try:
        second = [_start(cluster) for _ in range(2)][-1]
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        yield cluster, second
    finally:
        ray.shutdown()
        cluster.shutdown()


def _start(cluster, attempts: int = 3):
    """A node; Ray gives up on one whose agents need more than 15 s to start, as they may on a busy machine."""
    for left in reversed(range(attempts)):
        try:
            return cluster.add_node(num_cpus=1, **node_settings())
        except Exception as error:
            if not left and os.environ.get("CI") == "true":
                raise
            if not left:
                pytest.skip(f"Ray did not start on this busy machine: {error}")


def fake(folder: str, job: Job) -> dict:
    """A job that sleeps; it leaves a note of its node."""
    import ray

    node = ray.get_runtime_context().get_node_id()
    Path(folder, f"{job.seed}-{node}-{time.monotonic_ns()}").touch()
    time.sleep(1.5)
    return {"target_accuracy": job.seed / 10, "node": node, "threads": os.environ["OMP_NUM_THREADS"]}


def kill_in_mid_job(cluster, node, notes: Path, killed: list[int]) -> None:
    """Kill the node as soon as it has begun a job."""
    while not killed:
        time.sleep(0.02)
        for path in notes.glob(f"*-{node.node_id}-*"):
            cluster.remove_node(node, allow_graceful=False)
            killed.append(int(path.name.split("-")[0]))
            break


def test_a_killed_node_loses_nothing(cluster, tmp_path):
    cluster, second = cluster
    notes, rows, killed, said = tmp_path / "notes", tmp_path / "rows", [], []
    notes.mkdir()
    threading.Thread(target=kill_in_mid_job, args=(cluster, second, notes, killed), daemon=True).start()
    failed = runner.sweep(
        rows,
        [(NAME, "dann", "torch", 5)],
        engine="ray",
        work=partial(fake, str(notes)),
        basis=lambda *row: BASIS,
        say=said.append,
    )
    assert killed, "the second node never got a job: the test shows nothing"
    assert failed == 0 and said == ["5 jobs to run, 5 planned"]
    found = ledger.read(ledger.path(rows, NAME, "dann", "torch"))
    assert [seed["seed"] for seed in found["seeds"]] == list(range(5)) and found["mean"] == 0.2
    assert {seed["threads"] for seed in found["seeds"]} == {"1"}
    attempts = Counter(int(path.name.split("-")[0]) for path in notes.iterdir())
    assert attempts[killed[0]] == 2, "the job of the killed node was run again"
    assert second.node_id not in {seed["node"] for seed in found["seeds"]}


def test_a_cluster_that_is_not_there_is_told(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray", reason="Ray is an optional extra")
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **how: (_ for _ in ()).throw(ConnectionError("no cluster at\nthere:1")))
    with pytest.raises(ledger.LedgerError, match="cannot reach the Ray cluster .no cluster at there:1.; start one"):
        list(runner.on_ray(fake, [Job(NAME, "dann", "torch", 0)]))
