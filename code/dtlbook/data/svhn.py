"""SVHN, house numbers from photographs of streets (Y. Netzer et al., 2011): 73,257 + 26,032 images of 32×32×3."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dtlbook.data import fetch
from dtlbook.data.domain import Domain
from dtlbook.data.mat import read_mat


def svhn() -> Domain:
    """SVHN's cropped digits, uint8 [n, 32, 32, 3]; the label is the digit in the middle."""
    train, test = (_read(path) for path in fetch.get("svhn/train_32x32.mat", "svhn/test_32x32.mat"))
    return Domain("svhn", *train, *test)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    images, labels = read_mat(path, "X", "y")  # X [32, 32, 3, n]; y [n, 1], 1 … 10 where 10 stands for 0
    return np.ascontiguousarray(images.transpose(3, 0, 1, 2)), labels.ravel().astype(np.int64) % 10


DOMAINS: dict[str, Callable[[], Domain]] = {"svhn": svhn}

PAIRS: dict[str, tuple[str, str]] = {"svhn-mnist": ("svhn", "mnist-32")}
