"""The recorded numbers of the DANN chapter, measured anew: accuracy over seeds and λ on the embedded pairs.

    python benchmarks/dann_seeds.py                        # all pairs, ten seeds: about six minutes on one core
    python benchmarks/dann_seeds.py digits-rotated --seeds 3

Everything but λ and the seed is the default of `dtlbook.torch.dann.train`. Target labels judge the finished runs and
choose nothing.
"""

from __future__ import annotations

import argparse
import platform

import numpy as np
import torch
from tqdm import tqdm

from dtlbook import data
from dtlbook.torch import dann

LAMBDAS = {
    "digits-rotated": (0.0, 0.1, 0.3, 1.0, 3.0, 10.0),
    "digits-blurred": (0.0, 0.1, 0.3, 1.0, 3.0),
    "digits-imbalanced": (0.0, 0.3, 1.0, 3.0, 10.0),
}
COLUMNS = ("source_accuracy", "target_accuracy", "domain_error")


def measure(pair: str, seeds: int) -> None:
    """Print one table: mean ± standard deviation over the seeds, the last entry of each run's history."""
    source, target = data.pair(pair)
    print(f"\n{pair}, {seeds} seeds\n| λ | source accuracy | target accuracy | error of G_d |\n|---|---|---|---|")
    for lam in LAMBDAS[pair]:
        runs = [dann.train(source, target, lam=lam, seed=s, records=1).history for s in tqdm(range(seeds), leave=False)]
        print(f"| {lam:g} | " + " | ".join(spread([getattr(h, name)[-1] for h in runs]) for name in COLUMNS) + " |")
    upper = [dann.train_supervised(target, seed=s, records=1).history.target_accuracy[-1] for s in range(seeds)]
    print(f"| train on target | | {spread(upper)} | |")


def spread(values: list[float]) -> str:
    deviation = np.std(values, ddof=1) if len(values) > 1 else float("nan")
    return f"{np.mean(values):.3f} ± {deviation:.3f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pairs", nargs="*", help=f"from {', '.join(LAMBDAS)}; all, if none is named")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    unknown = set(options.pairs) - set(LAMBDAS)
    if unknown or options.seeds < 1:
        parser.error(
            f"expected pairs from {', '.join(LAMBDAS)} and at least one seed, got {sorted(unknown)}, {options.seeds}"
        )
    torch.set_num_threads(1)
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, PyTorch {torch.__version__}"
    )
    for pair in options.pairs or LAMBDAS:
        measure(pair, options.seeds)
