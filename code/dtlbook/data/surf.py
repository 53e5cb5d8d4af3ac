"""Office-Caltech10: SURF histograms of pictures of ten kinds of objects from four sources, from the data folder.

B. Gong, Y. Shi, F. Sha and K. Grauman, "Geodesic flow kernel for unsupervised domain adaptation", CVPR 2012: amazon
958, caltech 1,123, dslr 157, webcam 295 pictures, 800 visual words. The field uses them transductively: all source
examples are labelled, all target examples are both adapted to and tested on. So x_train and x_test are the same here.
"""

from collections.abc import Callable
from functools import partial
from itertools import permutations

import numpy as np

from dtlbook.data.domain import Domain
from dtlbook.data.folder import find
from dtlbook.data.mat import read_mat

SOURCE = "the pages of the geodesic flow kernel of B. Gong et al., CVPR 2012 (files NAME_SURF_L10.mat)"
FILES = {"amazon": "amazon", "caltech": "Caltech10", "dslr": "dslr", "webcam": "webcam"}


def histograms(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Counts float32 [n, 800] and labels int64 [n], 0 … 9, of "amazon", "caltech", "dslr" or "webcam"."""
    if name not in FILES:
        raise ValueError(f"no Office-Caltech10 domain is called {name!r}; choose one of {', '.join(FILES)}")
    counts, labels = read_mat(find(f"office_caltech10_surf/{FILES[name]}_SURF_L10.mat", SOURCE), "fts", "labels")
    return counts.astype(np.float32), labels.ravel().astype(np.int64) - 1


def normalised(counts: np.ndarray) -> np.ndarray:
    """The usual preprocessing: each row divided by its sum, then each column to mean 0 and deviation 1.

    ``counts`` [n, k] are all examples of one domain: the columns' means are that domain's own. Deviations divide by
    n − 1; a column without variation becomes 0. Returns float32 [n, k].
    """
    if not np.isfinite(counts).all():
        row = int(np.flatnonzero(~np.isfinite(counts).all(axis=1))[0])
        raise ValueError(f"row {row} has NaN or infinity: a histogram must hold finite counts; remove or replace it")
    total = counts.sum(axis=1, keepdims=True, dtype=np.float64)
    if (total <= 0).any():
        raise ValueError(f"row {int(total.argmin())} has the sum {total.min():g}: a histogram must count something")
    shares = counts / total
    deviation = shares.std(axis=0, ddof=1)
    centred = shares - shares.mean(axis=0)
    return (centred / np.where(deviation > 0, deviation, 1)).astype(np.float32)


def surf(name: str) -> Domain:
    """The domain after `normalised`, float32 [n, 800]."""
    counts, labels = histograms(name)
    x = normalised(counts)
    return Domain(f"surf-{name}", x, labels, x, labels)


DOMAINS: dict[str, Callable[[], Domain]] = {f"surf-{name}": partial(surf, name) for name in FILES}

PAIRS: dict[str, tuple[str, str]] = {f"surf-{s}-{t}": (f"surf-{s}", f"surf-{t}") for s, t in permutations(FILES, 2)}
