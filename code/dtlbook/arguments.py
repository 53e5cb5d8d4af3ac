"""What the shallow methods and the measures ask of their arguments: each mistake is told in one sentence."""

import numpy as np

LARGEST = 1e100  # beyond it squares and their sums leave float64


def numbers(values: np.ndarray, name: str, shape: str = "") -> np.ndarray:
    """``values`` as a float64 array; ``shape`` says in words which one is expected."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        expected = f"an array of numbers{shape and ', ' + shape}"
        raise ValueError(f"{name} must be {expected}; what came cannot be read as one") from error


def samples(values: np.ndarray, name: str, least: int = 2) -> np.ndarray:
    """``values`` as a float64 array [n, k] of finite features; images are flattened."""
    x = numbers(values, name, "[n, features]")
    if x.ndim < 2 or len(x) < least or 0 in x.shape:
        raise ValueError(
            f"{name} must be an array of at least {least} sample{'s' * (least > 1)}, [n, features], "
            f"not of shape {list(x.shape)}"
        )
    x = x.reshape(len(x), -1)
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contains values that are not finite; the run that made it has probably diverged")
    if np.abs(x).max() > LARGEST:
        raise ValueError(f"{name} contains values larger than {LARGEST:g}, whose squares no float holds; scale it down")
    return x


def two_domains(
    source: np.ndarray, target: np.ndarray, names: tuple[str, str] = ("x_source", "x_target"), least: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Both domains as `samples`, with the same number of features."""
    x_source, x_target = samples(source, names[0], least), samples(target, names[1], least)
    if x_source.shape[1] != x_target.shape[1]:
        raise ValueError(
            f"both domains need the same number of features; {names[0]} has {x_source.shape[1]}, "
            f"{names[1]} has {x_target.shape[1]}"
        )
    return x_source, x_target


def labels(values: np.ndarray, n: int, name: str = "y_source") -> np.ndarray:
    """``values`` as an int64 array [n], one class number for each sample."""
    y = np.asarray(values)
    if y.shape != (n,):
        raise ValueError(f"{name} must hold one label for each of the {n} samples, not be of shape {list(y.shape)}")
    if y.dtype.kind not in "biuf" or not np.all(y == np.floor(y)):
        raise ValueError(f"{name} must hold whole class numbers, not values of type {y.dtype} that are none")
    return y.astype(np.int64)


def weights(values: np.ndarray, n: int, name: str = "weights") -> np.ndarray:
    """``values`` as a float64 array [n] of finite weights, none negative, not all 0."""
    w = numbers(values, name, "[n]")
    if w.shape != (n,):
        raise ValueError(f"{name} must hold one weight for each of the {n} samples, not be of shape {list(w.shape)}")
    if not (np.isfinite(w).all() and (w >= 0).all() and w.any()):
        raise ValueError(f"{name} must be finite, not negative and not all 0; one of them is, or all are 0")
    return w


def positive(value: float, name: str) -> float:
    """A number greater than 0."""
    if not (np.isscalar(value) and np.isreal(value) and 0 < value < np.inf):
        raise ValueError(f"{name} must be a number greater than 0, not {value}")
    return float(value)


def whole(value: int, name: str, least: int = 1) -> int:
    """A whole number, at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value}")
    return int(value)


def check_seed(seed: int) -> None:
    """A whole number, 0 or more."""
    whole(seed, "seed", least=0)
