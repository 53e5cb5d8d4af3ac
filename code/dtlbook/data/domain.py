"""The form in which every data set of the book comes."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Domain:
    """Images and labels of one domain.

    ``x_train``, ``x_test`` are uint8 [n, height, width, channels], 0 black to 255 white; ``y_train``,
    ``y_test`` are int64 [n], classes 0 … n_classes − 1.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def __post_init__(self) -> None:
        for part, x, y in (("train", self.x_train, self.y_train), ("test", self.x_test, self.y_test)):
            if x.dtype != np.uint8 or x.ndim != 4 or len(x) == 0:
                raise ValueError(
                    f"{self.name}: x_{part} must be uint8 [n, height, width, channels] with n at least 1, "
                    f"not {x.dtype} {list(x.shape)}"
                )
            if y.dtype != np.int64 or y.shape != (len(x),):
                raise ValueError(
                    f"{self.name}: y_{part} must be int64 [{len(x)}], not {y.dtype} {list(y.shape)}"
                )
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            raise ValueError(
                f"{self.name}: training and test images must have one shape, not "
                f"{list(self.x_train.shape[1:])} and {list(self.x_test.shape[1:])}"
            )

    @property
    def n_classes(self) -> int:
        return int(max(self.y_train.max(), self.y_test.max())) + 1

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.x_train.shape[1:]


def to_float(images: np.ndarray) -> np.ndarray:
    """uint8 images 0 … 255 to float32 0 … 1, same shape.

    Every path from images to a network goes through here, so that no domain is fed as 0 … 255 against
    another's 0 … 1.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise ValueError(
            f"images must be uint8, 0 to 255, not {images.dtype}; call to_float once, on raw images"
        )
    return images.astype(np.float32) / np.float32(255)
