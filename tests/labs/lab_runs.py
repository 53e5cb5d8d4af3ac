"""Invented runs for the freeze lab: quick, and different everywhere."""

import numpy as np

from dtlbook.labs import freeze_lab

STEPS = [0, 10, 300]


def invented():
    rng = np.random.default_rng(0)
    keys = [(s, m, n) for s in ("broad", "upright") for m in (1, 2, 5, 20, None) for n in range(5)]
    keys += [("scratch", m, 0) for m in (1, 2, 5, 20, None)]
    return {key: np.sort(rng.uniform(0.4, 1, (3, 2, 4)), axis=0).tolist() for key in keys}


def lab(preset="few", **settings):
    return freeze_lab(STEPS, invented(), preset, **settings)
