"""Adapt or not? Six criteria without target labels on three pairs, over seeds: the table of the chapter DANN at work.

PYTHONPATH=code python benchmarks/choosing_seeds.py [seeds]
"""

import sys
from dataclasses import replace

import numpy as np
import torch

from dtlbook import data, selection
from dtlbook.torch import dann, training
from dtlbook.weighting import density_ratio

PAIRS = {"digits-rotated": 1.0, "digits-blurred": 0.1, "digits-imbalanced": 3.0}
NAMES = ("target error", "source risk", "IWV", "DEV", "entropy", "IM", "reverse")


def criteria(net, source, target, lam: float, seed: int) -> np.ndarray:
    """The true target error, then six estimates of it, in the order of `NAMES`; lower is better."""
    f_s, f_t, f_held = (dann.features(net, x) for x in (source.x_train, target.x_train, source.x_test))
    wrong = (dann.predict(net, source.x_test) != source.y_test).astype(float)
    w = density_ratio(f_s, f_t, points=f_held)
    z = training.logits(net, target.x_train)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    back = replace(target, y_train=dann.predict(net, target.x_train))
    back = dann.train(back, source, lam=lam, seed=seed, steps=1000, records=1).networks
    return np.array(
        [
            1 - dann.accuracy(net, target.x_test, target.y_test),
            selection.source_risk(wrong),
            selection.importance_weighted_risk(wrong, w),
            selection.dev_risk(wrong, w),
            selection.entropy(p),
            selection.entropy(p) - selection.entropy(p.mean(axis=0, keepdims=True)),
            1 - dann.accuracy(back, source.x_test, source.y_test),
        ]
    )


def main(seeds: int) -> None:
    torch.set_num_threads(1)
    for name, strength in PAIRS.items():
        source, target = data.pair(name)
        change = []
        for seed in range(seeds):
            ends = []
            for lam in (0.0, strength):
                net = dann.train(source, target, lam=lam, seed=seed, records=1).networks
                ends.append(criteria(net, source, target, lam, seed))
            change.append(ends[1] - ends[0])
        change = np.array(change)
        print(f"{name}, lambda {strength:g}: after minus before, mean ± sd, and on how many of {seeds} seeds it falls")
        for what, values in zip(NAMES, change.T, strict=True):
            print(f"  {what:14s}{values.mean():+.3f} ± {values.std(ddof=1):.3f}   {(values < 0).sum()}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
