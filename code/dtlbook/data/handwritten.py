"""Handwritten digits at full size: MNIST and USPS, from the data folder.

MNIST (Y. LeCun, C. Cortes, C. J. C. Burges, 1998): 60,000 + 10,000 images of 28×28. USPS (J. J. Hull, IEEE TPAMI
16:550, 1994): 7,291 + 2,007 images of 16×16, white on black like MNIST, in the official order.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dtlbook.data.domain import Domain
from dtlbook.data.folder import find
from dtlbook.data.idx import read_idx
from dtlbook.data.npz import read_npz

MNIST_SOURCE = "https://yann.lecun.com/exdb/mnist (or a mirror of it)"
USPS_SOURCE = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps"


def mnist() -> Domain:
    """MNIST, uint8 [n, 28, 28, 1]."""
    images, labels = (
        [read_idx(find(f"mnist/{part}-{kind}-ubyte.gz", MNIST_SOURCE)) for part in ("train", "t10k")]
        for kind in ("images-idx3", "labels-idx1")
    )
    x_train, x_test = (x[..., None] for x in images)
    y_train, y_test = (y.astype(np.int64) for y in labels)
    return Domain("mnist", x_train, y_train, x_test, y_test)


def mnist_rgb() -> Domain:
    """MNIST with its grey levels in three equal channels, uint8 [n, 28, 28, 3]: the shape of MNIST-M."""
    base = mnist()
    return replace(
        base, name="mnist-rgb", x_train=base.x_train.repeat(3, axis=-1), x_test=base.x_test.repeat(3, axis=-1)
    )


def usps() -> Domain:
    """USPS, uint8 [n, 16, 16, 1]."""
    return read_npz("usps", find("usps/usps.npz", USPS_SOURCE))


def usps_28() -> Domain:
    """USPS enlarged to uint8 [n, 28, 28, 1], bilinear: the shape of MNIST."""
    base = usps()
    return replace(base, name="usps-28", x_train=resized(base.x_train, 28), x_test=resized(base.x_test, 28))


def resized(images: np.ndarray, size: int) -> np.ndarray:
    """Images [n, h, w, c] at ``size`` × ``size`` pixels, bilinear with the pixels' outer edges kept in place."""
    from scipy import ndimage

    factors = (1, size / images.shape[1], size / images.shape[2], 1)
    soft = ndimage.zoom(images.astype(np.float32), factors, order=1, mode="nearest", grid_mode=True)
    return np.round(soft).astype(np.uint8)


DOMAINS: dict[str, Callable[[], Domain]] = {
    "mnist": mnist,
    "mnist-rgb": mnist_rgb,
    "usps": usps,
    "usps-28": usps_28,
}

PAIRS: dict[str, tuple[str, str]] = {"mnist-usps": ("mnist", "usps-28"), "usps-mnist": ("usps-28", "mnist")}
