"""What PyTorch and TensorFlow share: schedules, initial weights, mini-batches, checks of the input.

All of it is NumPy and comes from one seed, so both frameworks start from the same weights and see the same
batches.
"""

import math
from itertools import pairwise

import numpy as np

Layer = tuple[np.ndarray, np.ndarray]  # weight [inputs, outputs], bias [outputs]


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
        raise ValueError(
            f"mu_0 must be greater than 0, alpha and beta 0 or more; got {mu_0}, {alpha}, {beta}"
        )
    return mu_0 / (1.0 + alpha * p) ** beta


def _progress(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(
            f"progress p must lie between 0 and 1, not {p}; it is the share of the run that is done"
        )


# --- weights and batches --------------------------------------------------------------------------------
def mlp_weights(
    input_dim: int, n_classes: int, feature_dim: int, hidden: int, seed: int
) -> dict[str, list[Layer]]:
    """Initial weights of a small DANN, uniform in ±1/√inputs (PyTorch's rule for linear layers)."""
    for name, number in dict(
        input_dim=input_dim, n_classes=n_classes, feature_dim=feature_dim, hidden=hidden
    ).items():
        if number < 1:
            raise ValueError(f"{name} must be 1 or more, not {number}")
    rng = np.random.default_rng([seed, 0])
    widths = {
        "feature_extractor": (input_dim, hidden, feature_dim),
        "label_predictor": (feature_dim, n_classes),
        "domain_classifier": (feature_dim, hidden, 1),  # ONE logit: a softmax over it would always say 1
    }
    return {part: [_layer(rng, *ends) for ends in pairwise(sizes)] for part, sizes in widths.items()}


def _layer(rng: np.random.Generator, inputs: int, outputs: int) -> Layer:
    bound = 1.0 / math.sqrt(inputs)
    return rng.uniform(-bound, bound, (inputs, outputs)), rng.uniform(-bound, bound, outputs)


def batch_indices(
    n_source: int, n_target: int, steps: int, batch_size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of every mini-batch, source and target, int64 [steps, batch_size], drawn with replacement."""
    rng = np.random.default_rng([seed, 1])
    return tuple(rng.integers(n, size=(steps, batch_size)) for n in (n_source, n_target))


def record_steps(steps: int, records: int) -> list[int]:
    """After which updates a record is taken: evenly spread, the last one after the last update."""
    return sorted({math.ceil(steps * k / records) for k in range(1, records + 1)})


# --- checks: one sentence each --------------------------------------------------------------------------
def check_lambda(lam: float) -> None:
    if not (0.0 <= lam < math.inf):
        raise ValueError(
            f"lam must be a finite number, 0 or more, not {lam}; the reversal layer brings the minus itself"
        )


def check_batch(x_source, y_source, x_target) -> None:
    """Shapes of one step's batch: x_source [n, …], y_source [n], x_target [n', …]."""
    n, n_target = len(x_source), len(x_target)
    if n == 0 or n_target == 0:
        raise ValueError(
            f"a batch needs at least one image of each domain; "
            f"got {n} of the source, {n_target} of the target"
        )
    if tuple(y_source.shape) != (n,):
        raise ValueError(
            f"y_source must hold one class number for each source image, shape [{n}]; "
            f"got shape {list(y_source.shape)}"
        )
    if tuple(x_source.shape[1:]) != tuple(x_target.shape[1:]):
        raise ValueError(
            f"images of both domains must have the same shape; source {list(x_source.shape[1:])}, "
            f"target {list(x_target.shape[1:])}"
        )


def check_run(source, target, steps: int, batch_size: int, records: int, momentum: float) -> None:
    if min(steps, batch_size, records) < 1:
        raise ValueError(
            f"steps, batch_size and records must be 1 or more; got {steps}, {batch_size}, {records}"
        )
    if not 0.0 <= momentum < 1.0:
        raise ValueError(f"momentum must be at least 0 and less than 1, not {momentum}")
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
