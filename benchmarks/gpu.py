"""What a GPU makes of the book's loop: time to the paper's accuracy, one step, eight λ at once.

    DTLBOOK_DATA=… python benchmarks/gpu.py [--steps 14000] [--seeds 3]

1. MNIST → MNIST-M, DANN in bfloat16 with compiled updates: seconds of training until the target's test accuracy is
   .7666 (JMLR 2016, table 2), and the accuracy at the end. Target labels only say when that was; the schedule never
   sees them.
2. Seconds a step: eager and compiled, float32 and bfloat16.
3. Eight values of λ trained at once against one, on the embedded digits.

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


def time_to_paper(steps: int, seeds: int) -> None:
    source, target = data.pair("mnist-mnistm")
    mean = recipe.mean_image(source, target)
    for seed in range(seeds):
        made = networks.in_bfloat16(networks.dann_mnist(source.image_shape, mean=mean, seed=seed))
        history = dann.train(
            source, target, steps=steps, batch_size=64, seed=seed, networks=made, records=28, compiled=True
        ).history
        reached = [s for s, a in zip(history.seconds, history.target_accuracy, strict=True) if a >= PAPER]
        first = f"{reached[0]:.1f} s" if reached else "not reached"
        print(f"seed {seed}: .7666 {first}; end {history.target_accuracy[-1]:.4f} after {history.seconds[-1]:.1f} s")


def step_times() -> None:
    source, target = data.pair("mnist-mnistm")
    for compiled in (False, True):
        for low in (False, True):
            made = networks.dann_mnist(source.image_shape)
            made = networks.in_bfloat16(made) if low else made
            seconds = dann.train(
                source, target, steps=2000, batch_size=64, networks=made, records=2, compiled=compiled
            ).history.seconds
            name = f"{'compiled' if compiled else 'eager'}, {'bfloat16' if low else 'float32'}"
            print(f"{name:20} {1e3 * (seconds[1] - seconds[0]) / 1000:8.3f} ms a step")


def eight_at_once() -> None:
    source, target = data.pair("digits-rotated")
    lams = [0.0, 0.03, 0.1, 0.3, 1.0, 2.0, 3.0, 10.0]

    def seconds(lams: list[float]) -> float:
        start = time.perf_counter()
        many.train_many(source, target, lams, steps=500)
        torch.cuda.synchronize()
        return time.perf_counter() - start

    seconds(lams[:1])  # warms up
    one, eight = (statistics.median(seconds(some) for _ in range(3)) for some in (lams[4:5], lams))
    print(f"eight λ at once: {eight / one:.2f} times the price of one ({one:.2f} s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=14000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("no GPU that PyTorch can use was found: not run")
        sys.exit(0)
    print(torch.cuda.get_device_name(), torch.__version__)
    eight_at_once()
    step_times()
    time_to_paper(options.steps, options.seeds)


if __name__ == "__main__":
    main()
