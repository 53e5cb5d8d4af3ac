"""Handwritten digits at full size: MNIST and USPS, from the data folder.

MNIST (Y. LeCun, C. Cortes, C. J. C. Burges, 1998): 60,000 + 10,000 images of 28×28. USPS (J. J. Hull, IEEE TPAMI
16:550, 1994): 7,291 + 2,007 images of 16×16, white on black like MNIST, in the official order.
"""

import bz2
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from dtlbook.data import fetch
from dtlbook.data.domain import Domain
from dtlbook.data.folder import data_folder
from dtlbook.data.idx import read_idx
from dtlbook.data.npz import read_npz


def mnist() -> Domain:
    """MNIST, uint8 [n, 28, 28, 1]."""
    names = (f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1"))
    x_train, y_train, x_test, y_test = map(read_idx, fetch.get(*(f"mnist/{name}" for name in names)))
    return Domain("mnist", x_train[..., None], y_train.astype(np.int64), x_test[..., None], y_test.astype(np.int64))


def mnist_rgb() -> Domain:
    """MNIST with its grey levels in three equal channels, uint8 [n, 28, 28, 3]: the shape of MNIST-M."""
    base = mnist()
    return replace(
        base, name="mnist-rgb", x_train=base.x_train.repeat(3, axis=-1), x_test=base.x_test.repeat(3, axis=-1)
    )


def mnist_32() -> Domain:
    """MNIST enlarged to uint8 [n, 32, 32, 3], bilinear, in three equal channels: the shape of SVHN."""
    base = mnist()
    x_train, x_test = (resized(x, 32).repeat(3, axis=-1) for x in (base.x_train, base.x_test))
    return replace(base, name="mnist-32", x_train=x_train, x_test=x_test)


def usps() -> Domain:
    """USPS, uint8 [n, 16, 16, 1]: from usps/usps.npz if it is there, else from the two files of LIBSVM's collection."""
    if (packed := data_folder() / "usps/usps.npz").exists():
        return read_npz("usps", packed)
    parts = [read_libsvm(path) for path in fetch.get("usps/usps.bz2", "usps/usps.t.bz2")]
    return Domain("usps", *parts[0], *parts[1])


def read_libsvm(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [n, 16, 16, 1] and labels int64 [n] of a bzip2 file of lines "label 1:value … 256:value".

    Labels 1 … 10 stand for 0 … 9; grey levels −1 … 1 become 0 … 255. A damaged file gives a ValueError of one sentence.
    """
    try:
        with bz2.open(path, "rt") as file:
            rows = [line.replace(":", " ").split() for line in file]
        table = np.array(rows, np.float64)
        if table.ndim != 2 or table.shape[1] != 1 + 2 * 256:
            raise ValueError("its lines must be: label 1:value … 256:value")
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path} is cut short or damaged ({error}); delete it and get it again") from error
    images = np.round((table[:, 2::2] + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return images.reshape(-1, 16, 16, 1), table[:, 0].astype(np.int64) - 1


def usps_28() -> Domain:
    """USPS enlarged to uint8 [n, 28, 28, 1], bilinear: the shape of MNIST."""
    base = usps()
    return replace(base, name="usps-28", x_train=resized(base.x_train, 28), x_test=resized(base.x_test, 28))


def resized(images: np.ndarray, size: int) -> np.ndarray:
    """Images uint8 [n, h, w, c] at ``size`` × ``size`` pixels, bilinear, the outer edges of the border kept in place.

    Computed with whole numbers, so that every machine rounds alike.
    """
    down, across = (_bilinear(length, size) for length in images.shape[1:3])  # [size, h], [size, w]
    planes = images.transpose(0, 3, 1, 2).astype(np.float64)  # products of whole numbers below 2⁵³ are exact
    enlarged = np.empty((*planes.shape[:2], size, size), np.uint8)
    for i in range(0, len(planes), 1000):
        enlarged[i : i + 1000] = np.round(down @ planes[i : i + 1000] @ across.T / (2 * size) ** 2)
    return np.ascontiguousarray(enlarged.transpose(0, 2, 3, 1))


def _bilinear(length: int, size: int) -> np.ndarray:
    """Weights [size, length] of ``length`` pixels in each of ``size`` new ones, in parts of 2·size, whole numbers.

    The centre of new pixel i lies at old position (i + ½) · length / size − ½, between two old centres.
    """
    at = np.clip((2 * np.arange(size) + 1) * length - size, 0, 2 * size * (length - 1))
    left, part = np.divmod(at, 2 * size)
    weights = np.zeros((size, length + 1))
    weights[np.arange(size), left] = 2 * size - part
    weights[np.arange(size), left + 1] = part
    return weights[:, :length]  # a part beyond the last pixel is 0


DOMAINS: dict[str, Callable[[], Domain]] = {
    "mnist": mnist,
    "mnist-rgb": mnist_rgb,
    "mnist-32": mnist_32,
    "usps": usps,
    "usps-28": usps_28,
}

PAIRS: dict[str, tuple[str, str]] = {"mnist-usps": ("mnist", "usps-28"), "usps-mnist": ("usps-28", "mnist")}
