"""Squared maximum mean discrepancy of two mini-batches in PyTorch, to train with: `dtlbook.mmd` with gradients.

Kernels: k(x, y) = exp(−‖x − y‖² / (2σ²)) with the bandwidth σ, and the linear k(x, y) = xᵀy. Gretton et al., *A
Kernel Two-Sample Test*, JMLR 13 (2012), eq. 3 (unbiased) and 5 (biased). Mini-batches are x [n, k] and y [n', k].
"""

import torch
from torch import Tensor

from dtlbook.arguments import positive

__all__ = [
    "gram_mmd2",
    "linear_mmd2",
    "median_bandwidth",
    "median_distance",
    "mmd2",
    "rbf_mmd2",
    "squared_distances",
]


def mmd2(x: Tensor, y: Tensor, kernel: str = "rbf", bandwidth: float | None = None, unbiased: bool = True) -> Tensor:
    """`rbf_mmd2` or `linear_mmd2`, by name."""
    if kernel == "rbf":
        return rbf_mmd2(x, y, bandwidth, unbiased)
    if kernel != "linear" or bandwidth is not None:
        raise ValueError(f'kernel must be "rbf", or "linear" without a bandwidth, not {kernel!r} with {bandwidth}')
    return linear_mmd2(x, y, unbiased)


def linear_mmd2(x: Tensor, y: Tensor, unbiased: bool = True) -> Tensor:
    """MMD² with k(x, y) = xᵀy: ‖x̄ − ȳ‖²; unbiased, less the variance s²/n + s'²/n' of the two means."""
    _check_sizes(len(x), len(y), unbiased)
    between = ((x.mean(0) - y.mean(0)) ** 2).sum()
    return between - x.var(0).sum() / len(x) - y.var(0).sum() / len(y) if unbiased else between


def rbf_mmd2(x: Tensor, y: Tensor, bandwidth: float | None = None, unbiased: bool = True) -> Tensor:
    """MMD² with k(x, y) = exp(−‖x − y‖² / (2σ²)), σ = ``bandwidth`` or, if None, the median distance."""
    pooled = torch.cat([x, y])
    squared = squared_distances(pooled, pooled)
    sigma = median_distance(squared) if bandwidth is None else positive(bandwidth, "bandwidth")
    return gram_mmd2(torch.exp(-squared / (2 * sigma**2)), len(x), unbiased)


def gram_mmd2(k: Tensor, n: int, unbiased: bool = True) -> Tensor:
    """MMD² from the kernel matrix [n + n', n + n'] of a pooled mini-batch whose first ``n`` rows are x.

    Biased: mean of k(x, x') + mean of k(y, y') − 2 mean of k(x, y), never below 0. Unbiased: without the pairs of a
    point with itself; 0 in the mean over equal distributions, so now and then below 0 (Gretton et al., JMLR 13
    (2012), eq. 5 and 3).
    """
    m = len(k) - n
    _check_sizes(n, m, unbiased)
    xx, yy, xy = k[:n, :n], k[n:, n:], k[:n, n:]
    if unbiased:
        return (xx.sum() - xx.trace()) / (n * (n - 1)) + (yy.sum() - yy.trace()) / (m * (m - 1)) - 2 * xy.mean()
    return xx.mean() + yy.mean() - 2 * xy.mean()


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """‖x_i − y_j‖², [n, n'], as ‖x‖² + ‖y‖² − 2 xᵀy: n·n' numbers in memory, not n·n'·k. Never below 0."""
    middle = x.detach().mean(0)  # far from the origin the three terms would lose their digits
    x, y = x - middle, y - middle
    return ((x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T).clamp(min=0)


def median_bandwidth(x: Tensor, y: Tensor) -> Tensor:
    """σ = the median distance of two points of the pooled mini-batch; a constant: no gradient flows through it.

    With a gradient, training could lower MMD² by widening the kernel instead of bringing the domains together.
    """
    pooled = torch.cat([x, y])
    return median_distance(squared_distances(pooled, pooled))


def median_distance(squared: Tensor) -> Tensor:
    """`median_bandwidth` from the squared distances [n + n', n + n'] of the pooled mini-batch."""
    i, j = torch.triu_indices(*squared.shape, offset=1, device=squared.device)  # each pair once, no point with itself
    distances = squared.detach()[i, j].sqrt()
    middle = (len(i) + 1) // 2, len(i) // 2 + 1  # the same place twice if the number of pairs is odd
    median = sum(distances.kthvalue(place).values for place in middle) / 2  # a tenth of the time of sorting
    return median.clamp(min=torch.finfo(squared.dtype).tiny ** 0.5)  # of equal points MMD² is 0 for any σ > 0


def _check_sizes(n: int, m: int, unbiased: bool) -> None:
    if unbiased and min(n, m) < 2:
        raise ValueError(
            f"unbiased MMD² needs at least 2 images of each domain in a mini-batch, not {n} and {m}; take a larger "
            f"batch_size or unbiased=False"
        )
