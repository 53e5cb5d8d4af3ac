"""Two moons and their rotation: points of the plane, the smallest example of adaptation (JMLR 2016, section 5.1.1)."""

from collections.abc import Callable

import numpy as np

from dtlbook.data.domain import Domain

CENTRE = (0.5, 0.25)  # of scikit-learn's two moons


def make_moons(degrees: float = 0.0, n: int = 300, noise: float = 0.1, seed: int = 0) -> Domain:
    """Two interleaved half circles of radius 1, turned anticlockwise by ``degrees`` about their centre, the origin.

    ``n`` points for training and ``n`` others for test, half of each class in random order, float32 [n, 2]; ``noise``
    is the standard deviation of the Gaussian added to each coordinate. Class 0 is the upper moon before the turn.
    """
    from sklearn import datasets

    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise ValueError(f"n must be a whole number of points, 2 or more, not {n!r}")
    if n < 2 or not noise >= 0 or not np.isfinite(degrees):
        raise ValueError(
            "moons need n of 2 or more, noise of 0 or more and a finite angle; "
            f"got n={n}, noise={noise}, degrees={degrees}"
        )
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # right of row vectors
    parts = []
    for draw in np.random.default_rng(seed).integers(2**31, size=2):  # training, test
        points, labels = datasets.make_moons(n, noise=noise, random_state=int(draw))
        parts += [((points - CENTRE) @ turn).astype(np.float32), labels.astype(np.int64)]
    return Domain(f"moons-rotated{degrees:g}" if degrees else "moons", *parts)


# Other seeds, so that source and target share no point before the turn.
DOMAINS: dict[str, Callable[[], Domain]] = {
    "moons": lambda: make_moons(0, seed=0),
    "moons-rotated30": lambda: make_moons(30, seed=1),
}

PAIRS: dict[str, tuple[str, str]] = {"moons-rotated": ("moons", "moons-rotated30")}
