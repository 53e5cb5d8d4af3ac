"""Digits blended with photographs: the recipe of MNIST-M.

Each digit is laid over a patch cut at random from a colour photograph, and the absolute difference is taken in each
channel, |patch − digit| (Ganin et al., JMLR 2016, section 5.2.4; photographs of BSDS500: Arbelaez et al., TPAMI
2011). Training digits meet training photographs, test digits test photographs.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from dtlbook.data import digits, fetch
from dtlbook.data.domain import Domain
from dtlbook.data.folder import data_folder
from dtlbook.data.handwritten import mnist, resized
from dtlbook.data.pictures import read_pictures, tar_pictures


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
    """The photographs of BSDS500's ``part`` ("train", "val", "test"), uint8 [481, 321, 3] or [321, 481, 3].

    From the folder bsds500/PART if it is there, else from the archive of the authors.
    """
    folder = data_folder() / "bsds500" / part
    if not folder.is_dir():
        return tar_pictures(fetch.get("bsds500/BSR_bsds500.tgz")[0], f"BSR/BSDS500/data/images/{part}")
    if not (files := sorted(folder.glob("*.jpg"))):
        raise FileNotFoundError(f"{folder} has no .jpg photographs; put those of BSDS500 there or remove the folder")
    return read_pictures(files)


@cache
def sample_photos() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """scikit-learn's two sample photographs, cut in two: left 420 columns for training, right 220 for test."""
    from sklearn.datasets import load_sample_images

    photos = load_sample_images().images  # uint8 [427, 640, 3]
    return [photo[:, :420] for photo in photos], [photo[:, 420:] for photo in photos]


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


def digits_photo() -> Domain:
    """scikit-learn's digits-b at 28×28 blended with its two sample photographs, uint8 [n, 28, 28, 3]."""
    base, photos, rng = digits.DOMAINS["digits-b"](), sample_photos(), np.random.default_rng(0)
    return Domain(
        "digits-photo",
        blend(resized(base.x_train, 28), photos[0], rng),
        base.y_train,
        blend(resized(base.x_test, 28), photos[1], rng),
        base.y_test,
    )


def digits_a_28() -> Domain:
    """scikit-learn's digits-a at 28×28 in three equal channels: the source for digits-photo."""
    base = digits.DOMAINS["digits-a"]()
    x_train, x_test = (resized(x, 28).repeat(3, axis=-1) for x in (base.x_train, base.x_test))
    return replace(base, name="digits-a-28", x_train=x_train, x_test=x_test)


DOMAINS: dict[str, Callable[[], Domain]] = {
    "mnist-m": mnist_m,
    "digits-a-28": digits_a_28,
    "digits-photo": digits_photo,
}

PAIRS: dict[str, tuple[str, str]] = {
    "mnist-mnistm": ("mnist-rgb", "mnist-m"),
    "digits-photo": ("digits-a-28", "digits-photo"),
}
