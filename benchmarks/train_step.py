"""Time and memory of one DANN update with the paper's network for MNIST → MNIST-M, as a ratio to a plain loop.

    python benchmarks/train_step.py [--threads 2] [--steps 40] [--rounds 7]

Network: conv 5×5×32, pool, conv 5×5×48, pool, 768-100-100-10 and 768-100-1; 64 + 64 images of 28×28×3; SGD with
momentum. The plain loop is hand-written PyTorch: ReLU before the pool, kernels channels first, two forward passes,
no other thought given to speed. Every way runs in a process of its own, and the ways take turns. A machine shared with
others is now faster, now slower, so each round compares a way with the plain loop of the same round; the table gives
the medians over the rounds, the least and the largest ratio, and the peak of the resident memory. A ratio below 1 is
faster than the plain loop.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

BATCH = 64
WAYS = (
    "plain PyTorch",
    "dtlbook.torch",
    "dtlbook.torch, compiled",
    "dtlbook.torch, bfloat16",
    "dtlbook.tensorflow",
    "dtlbook.tensorflow, bfloat16",
)


def domains():
    """Two domains of random images: the time of a step does not depend on what they show."""
    from dtlbook.data import Domain

    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (2, 2000, 28, 28, 3), np.uint8), rng.integers(0, 10, 2000)
    y[:10] = np.arange(10)
    return tuple(Domain(name, x[k], y, x[k, :100], y[:100]) for k, name in enumerate(("one", "other")))


def plain(steps: int) -> float:
    """Seconds a step of the plain loop; the first half of the steps warms up."""
    import torch
    from torch import nn

    source, target = domains()
    x_source, x_target = (
        torch.from_numpy(d.x_train).permute(0, 3, 1, 2).float().contiguous() / 255 for d in (source, target)
    )
    y_source = torch.from_numpy(source.y_train)
    feature_extractor = nn.Sequential(
        nn.Conv2d(3, 32, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 48, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
    )
    label_predictor = nn.Sequential(nn.Linear(768, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10))
    domain_classifier = nn.Sequential(nn.Linear(768, 100), nn.ReLU(), nn.Linear(100, 1))
    parts = nn.ModuleList([feature_extractor, label_predictor, domain_classifier])
    optimizer = torch.optim.SGD(parts.parameters(), lr=0.01, momentum=0.9)
    lam, generator = 0.5, torch.Generator().manual_seed(0)
    bce = nn.functional.binary_cross_entropy_with_logits
    for step in range(2 * steps):
        if step == steps:
            start = time.perf_counter()
        s, t = torch.randint(len(x_source), (2, BATCH), generator=generator)
        f_source, f_target = feature_extractor(x_source[s]), feature_extractor(x_target[t])
        label = nn.functional.cross_entropy(label_predictor(f_source), y_source[s])
        z = [domain_classifier(-lam * f + (1 + lam) * f.detach()) for f in (f_source, f_target)]  # reversal
        domain = bce(z[0], torch.zeros_like(z[0])) + bce(z[1], torch.ones_like(z[1]))
        optimizer.zero_grad()
        (label + domain).backward()
        optimizer.step()
    return (time.perf_counter() - start) / steps


def book(way: str, steps: int) -> float:
    """Seconds a step of `train`; the first half of the steps warms up."""
    import importlib

    framework = "torch" if "torch" in way else "tensorflow"
    dann = importlib.import_module(f"dtlbook.{framework}.dann")
    networks = importlib.import_module(f"dtlbook.{framework}.networks")
    made = networks.dann_mnist(mean=0.3)
    if "bfloat16" in way:
        made = networks.in_bfloat16(made)
    settings = {"compiled": True} if "compiled" in way else {}
    history = dann.train(*domains(), steps=2 * steps, batch_size=BATCH, records=2, networks=made, **settings).history
    return (history.seconds[1] - history.seconds[0]) / steps


def child(way: str, steps: int, threads: int) -> None:
    if "tensorflow" in way:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    else:
        import torch

        torch.set_num_threads(threads)
    seconds = plain(steps) if way.startswith("plain") else book(way, steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux
    print(json.dumps({"seconds": seconds, "peak": peak}))


def measure(way: str, steps: int, threads: int) -> dict[str, float]:
    """One way in a process of its own."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, __file__, "--child", way, "--steps", str(steps), "--threads", str(threads)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child, options.steps, options.threads)
    results = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way in WAYS:
            results[way].append(measure(way, options.steps, options.threads))
    images = f"({options.threads} threads, {BATCH} + {BATCH} images)"
    print(f"{'':30} {'ms a step':>10} {'ratio':>6} {'from – to':>13} {'peak MiB':>9}   {images}")
    plain_seconds = [r["seconds"] for r in results["plain PyTorch"]]
    for way, runs in results.items():
        milliseconds = 1e3 * statistics.median(r["seconds"] for r in runs)
        ratios = [r["seconds"] / base for r, base in zip(runs, plain_seconds, strict=True)]
        spread = f"{min(ratios):.2f} – {max(ratios):.2f}"
        peak = statistics.median(r["peak"] for r in runs)
        print(f"{way:30} {milliseconds:10.1f} {statistics.median(ratios):6.2f} {spread:>13} {peak:9.0f}")


if __name__ == "__main__":
    main()
