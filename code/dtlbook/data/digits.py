"""scikit-learn's handwritten digits (8×8, 1,797 images), cut into two halves, and shifts of the second half.

The images are the test part of *Optical Recognition of Handwritten Digits* (E. Alpaydin, C. Kaynak, UCI
repository, 1998), which scikit-learn carries. digits-a and digits-b share no image. Everything called
digits-b-… is digits-b after a shift, so a pair of digits-a with any of them shares no original image either.

The shifts of the pairs were chosen for teaching, by looking at target labels: digits-rotated so that
adaptation helps, digits-blurred and digits-imbalanced so that it hurts. A method that is used on the pairs
sees no target label.
"""

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from dtlbook.data.domain import Domain

TEST_SHARE = 1 / 3


@cache
def _halves() -> tuple[Domain, Domain]:
    """digits-a and digits-b: one fixed random order of all images, the first half and the second."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.round(digits.images[..., None] * (255 / 16)).astype(np.uint8)  # grey levels 0 … 16 → 0 … 255
    order = np.random.default_rng(0).permutation(len(images))
    return tuple(
        _split(name, images[part], digits.target[part].astype(np.int64))
        for name, part in zip(("digits-a", "digits-b"), np.array_split(order, 2), strict=True)
    )


def _split(name: str, images: np.ndarray, labels: np.ndarray) -> Domain:
    n_test = int(len(images) * TEST_SHARE)
    return Domain(name, images[n_test:], labels[n_test:], images[:n_test], labels[:n_test])


def rotated(images: np.ndarray, degrees: float) -> np.ndarray:
    """Images turned anticlockwise about their centre, bilinear; what turns in from outside is black."""
    from scipy import ndimage

    turned = ndimage.rotate(images.astype(np.float64), degrees, axes=(1, 2), reshape=False, order=1)
    return np.round(turned.clip(0, 255)).astype(np.uint8)


def blurred(images: np.ndarray, sigma: float, contrast: float) -> np.ndarray:
    """Images under a Gaussian blur of ``sigma`` pixels, then drawn towards mid-grey.

    Grey level x becomes 127.5 + contrast · (x − 127.5): the black ground turns grey as well.
    """
    from scipy import ndimage

    soft = ndimage.gaussian_filter(images.astype(np.float64), (0, sigma, sigma, 0))
    return np.round((127.5 + contrast * (soft - 127.5)).clip(0, 255)).astype(np.uint8)


def _mostly(name: str, classes: tuple[int, ...], share: float) -> Domain:
    """digits-b with all images of ``classes`` and a ``share`` of the others: only label proportions
    differ.
    """
    base, rng = _halves()[1], np.random.default_rng(0)
    kept = [np.isin(y, classes) | (rng.random(len(y)) < share) for y in (base.y_train, base.y_test)]
    return Domain(name, base.x_train[kept[0]], base.y_train[kept[0]], base.x_test[kept[1]], base.y_test[kept[1]])


def _shifted(name: str, shift: Callable[[np.ndarray], np.ndarray]) -> Domain:
    base = _halves()[1]
    return Domain(name, shift(base.x_train), base.y_train, shift(base.x_test), base.y_test)


DOMAINS: dict[str, Callable[[], Domain]] = {
    "digits-a": lambda: _halves()[0],
    "digits-b": lambda: _halves()[1],
    "digits-b-rotated30": lambda: _shifted("digits-b-rotated30", partial(rotated, degrees=30)),
    "digits-b-blurred": lambda: _shifted("digits-b-blurred", partial(blurred, sigma=0.5, contrast=0.35)),
    "digits-b-mostly012": lambda: _mostly("digits-b-mostly012", classes=(0, 1, 2), share=0.1),
}

PAIRS: dict[str, tuple[str, str]] = {
    "digits-rotated": ("digits-a", "digits-b-rotated30"),
    "digits-blurred": ("digits-a", "digits-b-blurred"),
    "digits-imbalanced": ("digits-a", "digits-b-mostly012"),
}
