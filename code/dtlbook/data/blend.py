"""Digits blended with photographs: the recipe of MNIST-M.

Each digit is laid over a patch cut at random from a colour photograph, and the absolute difference is taken in each
channel, |patch − digit| (Ganin et al., JMLR 2016, section 5.2.4; photographs of BSDS500: Arbelaez et al., TPAMI
2011). Training digits meet training photographs, test digits test photographs.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from dtlbook.data.domain import Domain
from dtlbook.data.folder import find
from dtlbook.data.handwritten import mnist

BSDS_SOURCE = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/resources.html"


def blend(images: np.ndarray, photos: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """|patch − image| with one random patch of ``photos`` for each image.

    ``images`` uint8 [n, h, w, 1 or 3], ``photos`` uint8 [any height, any width, 3], each at least h × w. Returns uint8
    [n, h, w, 3]. ``rng`` is the only source of chance; it is drawn from twice, whatever the photographs hold.
    """
    n, h, w, _ = images.shape
    too_small = [photo.shape for photo in photos if photo.shape[0] < h or photo.shape[1] < w]
    if too_small or not photos:
        raise ValueError(f"blending needs photographs of at least {h}×{w} pixels, not {too_small or 'none'}")
    which = rng.integers(len(photos), size=n)
    corner = rng.random((n, 2))  # share of the room that a patch has, downwards and to the right
    blended = np.empty((n, h, w, 3), np.uint8)
    for k, photo in enumerate(photos):  # all images of one photograph at once
        mine = np.flatnonzero(which == k)
        room = np.array(photo.shape[:2]) - (h, w) + 1
        top, left = (corner[mine] * room).astype(int).T
        patches = np.lib.stride_tricks.sliding_window_view(photo, (h, w), axis=(0, 1))[top, left]  # [m, 3, h, w]
        patch, image = patches.transpose(0, 2, 3, 1), images[mine]
        blended[mine] = np.maximum(patch, image) - np.minimum(patch, image)  # |a − b| within uint8
    return blended


def bsds_photos(part: str) -> list[np.ndarray]:
    """The photographs of BSDS500's ``part`` ("train", "val", "test"), uint8 [481, 321, 3] or [321, 481, 3]."""
    folder = find(f"bsds500/{part}", BSDS_SOURCE)
    files = sorted(folder.glob("*.jpg"), key=lambda path: path.name)
    if not files:
        raise FileNotFoundError(f"{folder} has no .jpg photographs; get them from {BSDS_SOURCE}")
    return [read_photo(path) for path in files]


def read_photo(path: Path) -> np.ndarray:
    """A picture file as uint8 [h, w, 3]; a damaged one gives a ValueError of one sentence."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError as error:  # PIL.UnidentifiedImageError is one
        raise ValueError(f"{path} cannot be read as a picture ({error}); delete it and get it again") from error


def mnist_m() -> Domain:
    """MNIST-M made from MNIST and BSDS500 with seed 0, uint8 [n, 28, 28, 3]; some seconds."""
    digits, rng = mnist(), np.random.default_rng(0)
    return Domain(
        "mnist-m",
        blend(digits.x_train, bsds_photos("train"), rng),
        digits.y_train,
        blend(digits.x_test, bsds_photos("test"), rng),
        digits.y_test,
    )


DOMAINS: dict[str, Callable[[], Domain]] = {"mnist-m": mnist_m}

PAIRS: dict[str, tuple[str, str]] = {"mnist-mnistm": ("mnist-rgb", "mnist-m")}
