"""The recorded numbers of the DDC chapter, measured anew: accuracy over seeds and λ on the embedded pairs.

    python benchmarks/ddc_seeds.py                         # all tables, ten seeds: about a quarter of an hour on one core
    python benchmarks/ddc_seeds.py blurred --seeds 3

Everything but λ, the seed and the method's own settings is the default of its ``train``. MMD² is that of the features
of the test images, unbiased, with the median bandwidth; runs whose features have become one point, or not a number,
are counted instead. Target labels judge the finished runs and choose nothing.
"""

from __future__ import annotations

import argparse
import platform
from functools import partial

import numpy as np
import torch
from tqdm import tqdm

from dtlbook import data, mmd
from dtlbook.torch import coral, dan, ddc, training

PAPER = partial(ddc.train, kernel="linear", unbiased=False, scheduled=False)  # λ is 0.25 there
AT_FEATURES = partial(coral.train, layer="features")
TABLES = {
    "rotated": [
        ("DDC", ddc.train, (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)),
        ("DDC, linear as in the paper", PAPER, (0.25,)),
        ("DAN", dan.train, (1.0,)),
        ("DeepCORAL", coral.train, (1.0,)),
        ("DeepCORAL at the features", AT_FEATURES, (1.0,)),
    ],
    "blurred": [("DDC", ddc.train, (0.0, 0.3, 1.0, 3.0, 10.0))],
    "imbalanced": [("DDC", ddc.train, (0.0, 1.0, 10.0, 100.0))],
}


def measure(table: str, seeds: int) -> None:
    """Print one table: mean ± standard deviation over the seeds, of the networks at the end of each run."""
    source, target = data.pair(f"digits-{table}")
    print(
        f"\ndigits-{table}, {seeds} seeds\n| method | λ | source accuracy | target accuracy | MMD² | void |\n|---|---|---|---|---|---|"
    )
    for name, train, lams in TABLES[table]:
        for lam in lams:
            rows, void = [], 0
            for seed in tqdm(range(seeds), leave=False):
                run = train(source, target, lam=lam, seed=seed, records=1, domain_error=lambda *_: float("nan"))
                f = [training.features(run.networks, domain.x_test) for domain in (source, target)]
                both = np.concatenate(f)
                gone = not np.isfinite(both).all() or np.ptp(both, axis=0).max() == 0
                void += gone
                distance = float("nan") if gone else mmd.mmd2(*f)
                rows.append((run.history.source_accuracy[-1], run.history.target_accuracy[-1], distance))
            columns = [*map(spread, np.transpose(rows)), f"{void} of {seeds}"]
            print(f"| {name} | {lam:g} | " + " | ".join(columns) + " |", flush=True)


def spread(values: np.ndarray) -> str:
    values = values[np.isfinite(values)]
    deviation = np.std(values, ddof=1) if len(values) > 1 else float("nan")
    return f"{np.mean(values):.3f} ± {deviation:.3f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tables", nargs="*", help=f"from {', '.join(TABLES)}; all, if none is named")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    unknown = set(options.tables) - set(TABLES)
    if unknown or options.seeds < 1:
        parser.error(
            f"expected tables from {', '.join(TABLES)} and at least one seed, got {sorted(unknown)}, {options.seeds}"
        )
    torch.set_num_threads(1)
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, PyTorch {torch.__version__}"
    )
    for table in options.tables or TABLES:
        measure(table, options.seeds)
