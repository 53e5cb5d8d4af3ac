"""What a GPU makes of the book's loop: time to the paper's accuracy, one step, eight λ at once.

    DTLBOOK_DATA=… python benchmarks/gpu.py [--steps 14000] [--seeds 3]

1. Seconds a step of DANN with the paper's network for MNIST → MNIST-M, 64 + 64 images: launched kernel by kernel and as
   one CUDA graph, float32 and bfloat16, and as a graph of compiled kernels.
2. Eight values of λ trained at once against one, on the embedded digits and with the paper's network.
3. MNIST → MNIST-M: seconds of training until the target's test accuracy is .7666 (JMLR 2016, table 2), and the
   accuracy at the end. Measuring the accuracy is not counted, making the graph is. Target labels only say when that
   was; the schedule never sees them.

Without a GPU it says so, measures nothing and ends with 0.
"""

import argparse
import statistics
import sys
import time

import torch

from dtlbook import data, recipe
from dtlbook.torch import dann, many, networks

PAPER = 0.7666
BATCH = 64


def made(domains, seed: int = 0, low: bool = True) -> networks.Networks:
    parts = networks.dann_mnist(domains[0].image_shape, mean=recipe.mean_image(*domains), seed=seed)
    return networks.in_bfloat16(parts) if low else parts


def step_times(domains, steps: int = 2000) -> None:
    for name, graph, low, compiled in (
        ("kernel by kernel, float32", False, False, False),
        ("kernel by kernel, bfloat16", False, True, False),
        ("graph, float32", True, False, False),
        ("graph, bfloat16", True, True, False),
        ("graph, compiled, bfloat16", True, True, True),
    ):
        seconds = dann.train(
            *domains, steps=steps, batch_size=BATCH, networks=made(domains, low=low), records=2, compiled=compiled,
            graph=graph,
        ).history.seconds  # fmt: skip
        print(f"{name:28} {2e3 * (seconds[1] - seconds[0]) / steps:8.3f} ms a step", flush=True)


def eight_at_once(domains, steps: int, **settings) -> None:
    lams = [0.0, 0.03, 0.1, 0.3, 1.0, 2.0, 3.0, 10.0]

    def seconds(lams: list[float], steps: int) -> float:
        start = time.perf_counter()
        many.train_many(*domains, lams, steps=steps, graph=True, **settings)
        torch.cuda.synchronize()
        return time.perf_counter() - start

    def a_step(lams: list[float]) -> float:
        """The difference of two lengths, so that preparing does not count."""
        return statistics.median((seconds(lams, 2 * steps) - seconds(lams, steps)) / steps for _ in range(3))

    seconds(lams, 10)  # warms up
    one, eight = a_step(lams[4:5]), a_step(lams)
    print(
        f"eight λ at once: {eight / one:.2f} times the price of one ({1e3 * eight:.3f} and {1e3 * one:.3f} ms a step)",
        flush=True,
    )


def time_to_paper(domains, steps: int, seeds: int) -> None:
    for seed in range(seeds):
        history = dann.train(
            *domains, steps=steps, batch_size=BATCH, seed=seed, networks=made(domains, seed), records=28, graph=True
        ).history
        reached = [s for s, a in zip(history.seconds, history.target_accuracy, strict=True) if a >= PAPER]
        first = f"after {reached[0]:.1f} s" if reached else "not reached"
        end = f"{history.target_accuracy[-1]:.4f} after {history.seconds[-1]:.1f} s"
        print(f"seed {seed}: .7666 {first}; at the end {end}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=14000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("no GPU that PyTorch can use was found: not run")
        sys.exit(0)
    print(torch.cuda.get_device_name(), torch.__version__, flush=True)
    digits, mnist = data.pair("digits-rotated"), data.pair("mnist-mnistm")
    step_times(mnist)
    eight_at_once(digits, 1000)
    eight_at_once(mnist, 200, batch_size=BATCH, make_networks=lambda seed: made(mnist, seed, low=False))
    time_to_paper(mnist, options.steps, options.seeds)


if __name__ == "__main__":
    main()
