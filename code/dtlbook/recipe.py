"""What PyTorch and TensorFlow share: schedules, initial weights, mini-batches, checks of the input.

All of it is NumPy and comes from one seed, so both frameworks start from the same weights and see the same
batches.
"""

import math
from collections.abc import Sequence

import numpy as np

Layer = tuple[np.ndarray, np.ndarray]  # weight [inputs, outputs] or [height, width, inputs, outputs]; bias [outputs]


# --- schedules: Ganin et al., JMLR 2016, section 5.2.2 --------------------------------------------------
def lambda_schedule(p: float, gamma: float = 10.0) -> float:
    """λ_p = 2 / (1 + exp(−γp)) − 1: from 0 at p = 0 to nearly 1 at p = 1.

    ``p`` is the share of the run that is done, step / (steps − 1), never step / 1000 whatever the length.
    With γ = 1 instead of 10 the schedule would end at 0.462.
    """
    _progress(p)
    if not gamma > 0:
        raise ValueError(f"gamma must be greater than 0, not {gamma}")
    return 2.0 / (1.0 + math.exp(-gamma * p)) - 1.0


def learning_rate_schedule(p: float, mu_0: float = 0.01, alpha: float = 10.0, beta: float = 0.75) -> float:
    """μ_p = μ_0 / (1 + αp)^β: from μ_0 at p = 0 to 0.166 μ_0 at p = 1."""
    _progress(p)
    if not (mu_0 > 0 and alpha >= 0 and beta >= 0):
        raise ValueError(f"mu_0 must be greater than 0, alpha and beta 0 or more; got {mu_0}, {alpha}, {beta}")
    return mu_0 / (1.0 + alpha * p) ** beta


def _progress(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"progress p must lie between 0 and 1, not {p}; it is the share of the run that is done")


# --- weights and batches --------------------------------------------------------------------------------
def initial_weights(shapes: Sequence[tuple[int, ...]], seed: int) -> list[Layer]:
    """Weights and biases for layers of these shapes, uniform in ±1/√inputs (PyTorch's rule), float64.

    A dense layer is [inputs, outputs], a convolution [height, width, inputs, outputs]; its inputs are then
    height · width · inputs numbers. Both frameworks round the same draws.
    """
    rng = np.random.default_rng([seed, 0])
    layers = []
    for shape in shapes:
        bound = 1.0 / math.sqrt(math.prod(shape[:-1]))
        layers.append((rng.uniform(-bound, bound, shape), rng.uniform(-bound, bound, shape[-1])))
    return layers


def mean_image(source, target) -> np.ndarray:
    """Mean of each channel over the training images of both domains, 0 … 1, float32 [channels].

    One mean for both, so that a network need not know which domain an image is from.
    """
    total = sum(domain.x_train.sum(axis=(0, 1, 2), dtype=np.float64) for domain in (source, target))
    pixels = sum(domain.x_train[..., 0].size for domain in (source, target))
    return (total / pixels / 255).astype(np.float32)


def few_labels(domain, per_class: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``per_class`` training examples of each class with their labels, drawn without replacement.

    For methods that may see a few target labels (semi-supervised DANN, CCSA); the draw depends on the seed alone.
    """
    rng = np.random.default_rng([seed, 2])
    chosen = []
    for label in np.unique(domain.y_train):
        of_class = np.flatnonzero(domain.y_train == label)
        if not 1 <= per_class <= len(of_class):
            raise ValueError(
                f"per_class must lie between 1 and the {len(of_class)} training examples of class {label} in "
                f"{domain.name}, not {per_class}"
            )
        chosen.append(rng.choice(of_class, per_class, replace=False))
    chosen = np.concatenate(chosen)
    return domain.x_train[chosen], domain.y_train[chosen]


def batch_indices(
    n_source: int, n_target: int, steps: int, batch_size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of every mini-batch, source and target, int64 [steps, batch_size], drawn with replacement."""
    rng = np.random.default_rng([seed, 1])
    return tuple(rng.integers(n, size=(steps, batch_size)) for n in (n_source, n_target))


def labelled_indices(n: int, steps: int, batch_size: int, seed: int) -> np.ndarray:
    """Indices into the few labelled target examples, int64 [steps, batch_size], drawn with replacement."""
    return np.random.default_rng([seed, 3]).integers(n, size=(steps, batch_size))


def schedules(
    steps: int, lam: float, scheduled: bool, mu_0: float, alpha: float, beta: float
) -> tuple[list[float], list[float]]:
    """λ and the learning rate of every step, p = step / (steps − 1)."""
    progress = [step / max(steps - 1, 1) for step in range(steps)]
    lams = [lam * lambda_schedule(p) if scheduled else lam for p in progress]
    return lams, [learning_rate_schedule(p, mu_0, alpha, beta) for p in progress]


def record_steps(steps: int, records: int) -> list[int]:
    """After which updates a record is taken: evenly spread, the last one after the last update."""
    return sorted({math.ceil(steps * k / records) for k in range(1, records + 1)})


# --- checks: one sentence each --------------------------------------------------------------------------
def check_lambda(lam: float) -> None:
    if not (0.0 <= lam < math.inf):
        raise ValueError(
            f"lam must be a finite number, 0 or more, not {lam}; where a method needs a minus, it brings it itself"
        )


def check_sizes(**sizes: int) -> None:
    for name, number in sizes.items():
        if number < 1:
            raise ValueError(f"{name} must be 1 or more, not {number}")


def check_image_shape(shape: tuple[int, ...], at_least: int) -> tuple[int, int, int]:
    if len(shape) != 3 or min(shape[:2]) < at_least or shape[2] < 1:
        raise ValueError(
            f"image_shape must be (height, width, channels) with height and width at least {at_least}, "
            f"not {tuple(shape)}"
        )
    return tuple(shape)


def check_weights(shapes: Sequence[tuple[int, ...]], weights: Sequence[Layer]) -> None:
    expected, found = [tuple(shape) for shape in shapes], [tuple(np.shape(weight)) for weight, _ in weights]
    if expected != found:
        raise ValueError(f"the weights must have the shapes {expected}, not {found}")


def check_batch(x_source, y_source, x_target) -> None:
    """Shapes of one step's batch: x_source [n, …], y_source [n], x_target [n', …]."""
    n, n_target = len(x_source), len(x_target)
    if n == 0 or n_target == 0:
        raise ValueError(
            f"a batch needs at least one image of each domain; got {n} of the source, {n_target} of the target"
        )
    if tuple(y_source.shape) != (n,):
        raise ValueError(
            f"y_source must hold one class number for each source image, shape [{n}]; got shape {list(y_source.shape)}"
        )
    if tuple(x_source.shape[1:]) != tuple(x_target.shape[1:]):
        raise ValueError(
            f"images of both domains must have the same shape; source {list(x_source.shape[1:])}, "
            f"target {list(x_target.shape[1:])}"
        )


def check_labelled(images: np.ndarray, labels: np.ndarray, source) -> None:
    """The few labelled target examples: images as the domains have them, int64 classes of the source."""
    if len(images) == 0 or labels.shape != (len(images),) or labels.dtype != np.int64:
        raise ValueError(
            f"labelled must be (images, labels) with one int64 class for each image and at least one image; "
            f"got {len(images)} images and labels {labels.dtype} {list(labels.shape)}"
        )
    if images.shape[1:] != source.x_train.shape[1:] or images.dtype != source.x_train.dtype:
        raise ValueError(
            f"labelled images must be {source.x_train.dtype} {list(source.x_train.shape[1:])} as in {source.name}, "
            f"not {images.dtype} {list(images.shape[1:])}"
        )
    if labels.min() < 0 or labels.max() >= source.n_classes:
        raise ValueError(
            f"labels must be classes 0 to {source.n_classes - 1} of {source.name}, not {labels.min()} to {labels.max()}"
        )


def check_accuracy(images: np.ndarray, labels: np.ndarray) -> None:
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(
            f"accuracy needs one label for each image and at least one; got {len(images)} images, {len(labels)} labels"
        )


def check_momentum(momentum: float) -> None:
    if not 0.0 <= momentum < 1.0:
        raise ValueError(f"momentum must be at least 0 and less than 1, not {momentum}")


def check_run(source, target, steps: int, batch_size: int, records: int) -> None:
    if min(steps, batch_size, records) < 1:
        raise ValueError(f"steps, batch_size and records must be 1 or more; got {steps}, {batch_size}, {records}")
    if source.image_shape != target.image_shape:
        raise ValueError(
            f"both domains need images of one shape; {source.name} has {list(source.image_shape)}, "
            f"{target.name} has {list(target.image_shape)}"
        )
    if source.n_classes != target.n_classes:
        raise ValueError(
            f"both domains need the same classes; {source.name} has {source.n_classes}, "
            f"{target.name} has {target.n_classes}"
        )
