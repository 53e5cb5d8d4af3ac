"""Maximum mean discrepancy: how far apart the means of two samples lie, seen through a kernel.

Gretton et al., *A Kernel Two-Sample Test*, JMLR 13 (2012): eq. 3 (unbiased), eq. 5 (biased).
The kernel everywhere in the book is k(x, y) = exp(−‖x − y‖² / (2σ²)) with the bandwidth σ, or the linear kernel
k(x, y) = xᵀy. Several bandwidths mean the sum of their kernels, each with weight 1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import pdist

from dtlbook.arguments import check_seed, positive, two_domains, whole

Bandwidth = float | Sequence[float] | None
ROWS = 1024  # rows of a Gram matrix that are in memory at a time
PAIRED = 2000  # samples whose pairs the median is taken over


def mmd2(
    x: np.ndarray, y: np.ndarray, kernel: str = "rbf", bandwidth: Bandwidth = None, unbiased: bool = True
) -> float:
    """MMD² of two samples ``x`` [n, k] and ``y`` [n', k]; n and n' need not be equal.

    Biased (eq. 5): mean of k(x_i, x_j) + mean of k(y_i, y_j) − 2 mean of k(x_i, y_j), never negative and 0 for a
    sample with itself. Unbiased (eq. 3): the same without the pairs i = j in the first two means; its mean is 0 when
    both samples follow one distribution, so that a single value may be negative.

    ``bandwidth`` is σ or several of them; None is the median distance, `median_bandwidth`; the linear kernel has
    none, and one that is given is a ValueError. Memory stays within a few blocks of 1024 rows of the Gram matrix; the
    linear kernel needs none of it.
    """
    x, y = two_domains(x, y, ("x", "y"))
    check_kernel(kernel, bandwidth)
    if _kernel(kernel) == "linear":
        if not unbiased:
            return float(((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum())
        x, y = _centred(x, y)  # moving both samples leaves this MMD² as it is
        x_sum, y_sum = x.sum(axis=0), y.sum(axis=0)
        within_x, within_y, between = x_sum @ x_sum, y_sum @ y_sum, x_sum @ y_sum
        diagonal_x, diagonal_y = (x**2).sum(), (y**2).sum()
    else:
        sigmas = bandwidths(x, y, bandwidth)
        within_x, within_y, between = (_gram_sum(a, b, sigmas) for a, b in ((x, x), (y, y), (x, y)))
        diagonal_x, diagonal_y = len(x) * len(sigmas), len(y) * len(sigmas)  # k(x, x) = 1 for each bandwidth
    n, m = len(x), len(y)
    if unbiased:
        return float(
            (within_x - diagonal_x) / (n * (n - 1)) + (within_y - diagonal_y) / (m * (m - 1)) - 2 * between / (n * m)
        )
    return float(max(within_x / n**2 + within_y / m**2 - 2 * between / (n * m), 0.0))  # below 0 is rounding


def median_bandwidth(x: np.ndarray, y: np.ndarray) -> float:
    """The median heuristic: σ = the median distance of two different points of the pooled sample.

    Pairs at distance 0 are left out. Of a large sample 2000 points, evenly spaced in their order, stand for all.
    """
    pooled = np.concatenate(two_domains(x, y, ("x", "y"), least=1))
    if len(pooled) > PAIRED:
        pooled = pooled[np.linspace(0, len(pooled) - 1, PAIRED).astype(int)]
    distances = pdist(pooled)
    distances = distances[distances > 0]
    if not len(distances):
        raise ValueError("the median distance needs two different samples, but all are the same; give a bandwidth")
    return float(np.median(distances))


def bandwidths(x: np.ndarray, y: np.ndarray, bandwidth: Bandwidth) -> list[float]:
    """The bandwidths σ that ``bandwidth`` stands for: one number, several, or None for the median distance."""
    if bandwidth is None:
        return [median_bandwidth(x, y)]
    given = [bandwidth] if np.isscalar(bandwidth) else list(bandwidth)
    if not given:
        raise ValueError("bandwidth must be a number, a list of at least one number, or None, not an empty list")
    return [positive(sigma, "bandwidth") for sigma in given]


def gram(x: np.ndarray, z: np.ndarray, kernel: str = "rbf", bandwidth: Bandwidth = None) -> np.ndarray:
    """Gram matrix k(x_i, z_j), [n, m]; distances by ‖x − z‖² = ‖x‖² + ‖z‖² − 2 xᵀz, so no array is n × m × k."""
    x, z = two_domains(x, z, ("x", "z"), least=1)
    check_kernel(kernel, bandwidth)
    if _kernel(kernel) == "linear":
        return x @ z.T
    return _rbf(*_centred(x, z), bandwidths(x, z, bandwidth))


class PermutationTest(NamedTuple):
    """What `permutation_test` finds."""

    mmd2: float  # unbiased MMD² of the two samples
    p_value: float  # (1 + how many permutations reach it) / (1 + permutations)
    null: np.ndarray  # MMD² of each permutation


def permutation_test(
    x: np.ndarray,
    y: np.ndarray,
    kernel: str = "rbf",
    bandwidth: Bandwidth = None,
    permutations: int = 500,
    seed: int = 0,
) -> PermutationTest:
    """Test of "both samples follow one distribution": under it, which sample is called x does not matter.

    The pooled sample is cut anew into n and n' at random, ``permutations`` times. The observed cut is one of the
    equally likely ones, hence the 1 in (1 + #) / (1 + B): rejecting at p ≤ α errs with probability at most α,
    however few permutations are made. The bandwidth is chosen once from the pooled sample, which no permutation
    changes. Memory: the Gram matrix of the pooled sample.
    """
    check_kernel(kernel, bandwidth)
    check_seed(seed)
    x, y = two_domains(x, y, ("x", "y"))
    n, permutations = len(x), whole(permutations, "permutations")
    pooled = np.concatenate([x, y])
    matrix = gram(pooled, pooled, kernel, bandwidth if _kernel(kernel) == "linear" else bandwidths(x, y, bandwidth))
    np.fill_diagonal(matrix, 0)  # the unbiased estimate leaves i = j out
    rng = np.random.default_rng(seed)
    is_x = np.zeros((len(pooled), 1 + permutations))
    is_x[:n, 0] = 1  # column 0: the observed cut
    for column in range(1, 1 + permutations):
        is_x[rng.permutation(len(pooled))[:n], column] = 1
    values = _cut_mmd2(matrix, is_x)
    observed, null = values[0], values[1:]
    reached = null >= observed - 1e-12 * np.abs(values).max()  # the same cut may differ in its last digit
    return PermutationTest(float(observed), float((1 + reached.sum()) / (1 + permutations)), null)


def mean_embedding(x: np.ndarray, points: np.ndarray, bandwidth: float | Sequence[float]) -> np.ndarray:
    """The mean of a sample in the kernel's space, as a function: μ(t) = mean of k(x_i, t) at ``points`` [p, k]."""
    return gram(x, points, "rbf", _given(bandwidth)).mean(axis=0)


def witness(x: np.ndarray, y: np.ndarray, points: np.ndarray, bandwidth: Bandwidth = None) -> np.ndarray:
    """Witness function μ_x(t) − μ_y(t) at ``points`` [p, k]: above 0 where x is denser, below 0 where y is."""
    x, y = two_domains(x, y, ("x", "y"), least=1)
    sigmas = bandwidths(x, y, bandwidth)
    return mean_embedding(x, points, sigmas) - mean_embedding(y, points, sigmas)


def _cut_mmd2(matrix: np.ndarray, is_x: np.ndarray) -> np.ndarray:
    """Unbiased MMD² of each column's cut; ``matrix`` is the pooled Gram matrix with 0 on its diagonal."""
    n, m = is_x[:, 0].sum(), (1 - is_x[:, 0]).sum()
    to_x = matrix @ is_x  # [N, cuts] sum of k(z_i, x_j)
    to_y = matrix.sum(axis=1, keepdims=True) - to_x
    within_x, within_y = (is_x * to_x).sum(axis=0), ((1 - is_x) * to_y).sum(axis=0)
    between = (is_x * to_y).sum(axis=0)
    return within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * between / (n * m)


def _gram_sum(x: np.ndarray, z: np.ndarray, sigmas: list[float]) -> float:
    x, z = _centred(x, z)
    return float(sum(_rbf(x[start : start + ROWS], z, sigmas).sum() for start in range(0, len(x), ROWS)))


def _rbf(x: np.ndarray, z: np.ndarray, sigmas: list[float]) -> np.ndarray:
    squared = (x**2).sum(axis=1)[:, None] + (z**2).sum(axis=1) - 2 * (x @ z.T)
    squared = np.maximum(squared, 0, out=squared)
    return sum(np.exp(squared / (-2 * sigma**2)) for sigma in sigmas)


def _centred(x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both about one point: ‖x‖² + ‖z‖² − 2 xᵀz loses its digits far from the origin."""
    middle = (x.mean(axis=0) + z.mean(axis=0)) / 2
    return x - middle, z - middle


def check_kernel(kernel: str, bandwidth: Bandwidth) -> None:
    if kernel == "linear" and bandwidth is not None:
        raise ValueError(f"the linear kernel has no bandwidth, but {bandwidth} was given; leave it out or take 'rbf'")


def _kernel(name: str) -> str:
    if name not in ("rbf", "linear"):
        raise ValueError(f'kernel must be "rbf" or "linear", not {name!r}')
    return name


def _given(bandwidth: float | Sequence[float]) -> float | Sequence[float]:
    if bandwidth is None:
        raise ValueError("bandwidth must be a number here: one sample alone has no median distance to another")
    return bandwidth
