"""The form in which every data set of the book comes."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

OTHER_SCALES = (0, 1, 15, 16)  # brightest pixel of images that were read wrongly; 16 is that of scikit-learn's digits
MAX_CLASSES = 100_000  # ImageNet-21k has 21,841; a larger label is an identifier or a mark for "not labelled"


@dataclass(frozen=True)
class Domain:
    """Examples and labels of one domain, cut into a training and a test part.

    ``x_train``, ``x_test`` are images, uint8 [n, height, width, channels] from 0 black to 255 white with 1 to 4
    channels, or feature vectors, float32 [n, k]. ``y_train``, ``y_test`` are int64 [n], classes 0 … n_classes − 1.

    Arrays of another kind give a ValueError of one sentence: what was expected, what came, what to do.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def __post_init__(self) -> None:
        for part, x, y in (("train", self.x_train, self.y_train), ("test", self.x_test, self.y_test)):
            _check_examples(f"{self.name}: x_{part}", x)
            _check_labels(f"{self.name}: y_{part}", y, len(x))
        kinds = [f"{x.dtype} {list(x.shape[1:])}" for x in (self.x_train, self.x_test)]
        if kinds[0] != kinds[1]:
            raise ValueError(
                f"{self.name}: training and test examples must have one shape, not {kinds[0]} and {kinds[1]}"
            )
        if len(classes := np.union1d(self.y_train, self.y_test)) == 1:
            raise ValueError(
                f"{self.name}: there must be at least two classes, but every label is {classes[0]}; "
                "there is nothing to tell apart, so check how the labels were read"
            )

    @property
    def n_classes(self) -> int:
        return int(max(self.y_train.max(), self.y_test.max())) + 1

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one example: (height, width, channels), or (k,) for features."""
        return self.x_train.shape[1:]


def to_float(examples: np.ndarray) -> np.ndarray:
    """uint8 images 0 … 255 to float32 0 … 1, same shape; float32 features [n, k] pass unchanged.

    Every path from examples to a network goes through here, so that no domain is fed as 0 … 255 against
    another's 0 … 1.
    """
    examples = np.asarray(examples)
    if examples.dtype == np.float32 and examples.ndim == 2:
        return examples
    if examples.dtype != np.uint8:
        raise ValueError(
            f"images must be uint8, 0 to 255, not {examples.dtype}; call to_float once, on raw images "
            "(only features, float32 [n, k], pass as they are)"
        )
    return examples.astype(np.float32) / np.float32(255)


def checksum(domain: Domain) -> str:
    """SHA-256 (hexadecimal) of the four arrays with their types and shapes; the name does not count.

    Equal on every machine for equal data: what the ledger records beside a result.
    """
    digest = hashlib.sha256()
    for array in (domain.x_train, domain.y_train, domain.x_test, domain.y_test):
        # Little-endian bytes in C order, whatever the machine and the memory layout.
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{array.dtype.name} {list(array.shape)} ".encode())
        digest.update(plain.data)
    return digest.hexdigest()


def sample(domain: Domain, n: int, seed: int) -> Domain:
    """The domain with ``n`` of its training examples, drawn without replacement; the test part stays whole.

    For protocols on few images, such as MNIST ↔ USPS with 2,000 and 1,800 (Long et al., ICCV 2013; ADDA,
    Tzeng et al., CVPR 2017). The draw depends on ``seed`` alone; ``n`` beyond the training part is a ValueError.
    """
    available = len(domain.x_train)
    if not 1 <= n <= available:
        raise ValueError(
            f"{domain.name} has {available} training examples, so n must be from 1 to {available}, not {n}"
        )
    chosen = np.random.default_rng(seed).choice(available, size=n, replace=False)
    return replace(domain, x_train=domain.x_train[chosen], y_train=domain.y_train[chosen])


# --- what is refused, and the sentence that says so ------------------------------------------------------
def _check_examples(what: str, x: np.ndarray) -> None:
    if not isinstance(x, np.ndarray):
        raise ValueError(f"{what} must be a NumPy array, not {type(x).__name__}; call np.asarray on it")
    images, features = x.dtype == np.uint8 and x.ndim == 4, x.dtype == np.float32 and x.ndim == 2
    if not (images or features) or x.size == 0:
        raise ValueError(
            f"{what} must be uint8 [n, height, width, channels] (images) or float32 [n, k] (features) with n at "
            f"least 1, not {x.dtype} {list(x.shape)}{_remedy(x)}"
        )
    if images and not 1 <= x.shape[-1] <= 4:
        raise ValueError(
            f"{what} must have 1 to 4 channels in its last dimension, not {x.shape[-1]}; "
            "if they stand after n, move them with x.transpose(0, 2, 3, 1)"
        )
    if images and (top := int(x.max())) in OTHER_SCALES:
        likely = f"these are probably images from 0 to {top}; multiply by 255{'/' + str(top) if top > 1 else ''}"
        remedy = f"{likely} before the cast to uint8" if top else "all are black; check how the images were read"
        raise ValueError(f"{what} must go from 0 black to 255 white, but its largest value is {top}: {remedy}")
    if features and not np.isfinite(x).all():
        row = int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])
        raise ValueError(f"{what} must hold finite numbers, but row {row} has NaN or infinity; remove or replace it")


def _remedy(x: np.ndarray) -> str:
    """What to do about examples of a wrong type or shape, where that is plain."""
    if x.size == 0:
        return "; it is empty"
    if x.dtype == np.uint8 and x.ndim == 3:
        return "; add the channel with x[..., None]"
    if x.dtype == np.float64 and x.ndim == 2:
        return "; cast features with x.astype(np.float32)"
    if x.dtype.kind not in "fiub" or x.ndim != 4:
        return ""
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        return "; it has NaN or infinite pixels: replace these first"
    low, high = float(x.min()), float(x.max())
    if 0 <= low and high <= 1:
        return "; its values lie from 0 to 1: write np.round(x * 255).astype(np.uint8)"
    if 0 <= low and high <= 255:
        return "; its values lie from 0 to 255: write np.round(x).astype(np.uint8)"
    return f"; its values lie from {low:g} to {high:g}: bring them to 0 … 255 before the cast to uint8"


def _check_labels(what: str, y: np.ndarray, n: int) -> None:
    if not isinstance(y, np.ndarray):
        raise ValueError(f"{what} must be a NumPy array, not {type(y).__name__}; call np.asarray on it")
    if y.dtype != np.int64 or y.shape != (n,):
        cast = "; cast them with y.astype(np.int64)" if y.dtype.kind in "iu" and y.shape == (n,) else ""
        raise ValueError(f"{what} must be int64 [{n}], not {y.dtype} {list(y.shape)}{cast}")
    if y.min() < 0 or y.max() >= MAX_CLASSES:
        worst = y.min() if y.min() < 0 else y.max()
        raise ValueError(
            f"{what} must hold classes counted from 0 and below {MAX_CLASSES:,}, but it has {worst}; "
            "number the classes anew and remove what has no label"
        )
