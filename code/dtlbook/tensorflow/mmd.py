"""Squared maximum mean discrepancy of two mini-batches in TensorFlow, to train with: `dtlbook.mmd` with gradients.

Kernels: k(x, y) = exp(−‖x − y‖² / (2σ²)) with the bandwidth σ, and the linear k(x, y) = xᵀy. Gretton et al., *A
Kernel Two-Sample Test*, JMLR 13 (2012), eq. 3 (unbiased) and 5 (biased). Mini-batches are x [n, k] and y [n', k].
"""

import numpy as np
import tensorflow as tf

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


def mmd2(
    x: tf.Tensor, y: tf.Tensor, kernel: str = "rbf", bandwidth: float | None = None, unbiased: bool = True
) -> tf.Tensor:
    """`rbf_mmd2` or `linear_mmd2`, by name."""
    if kernel == "rbf":
        return rbf_mmd2(x, y, bandwidth, unbiased)
    if kernel != "linear" or bandwidth is not None:
        raise ValueError(f'kernel must be "rbf", or "linear" without a bandwidth, not {kernel!r} with {bandwidth}')
    return linear_mmd2(x, y, unbiased)


def linear_mmd2(x: tf.Tensor, y: tf.Tensor, unbiased: bool = True) -> tf.Tensor:
    """MMD² with k(x, y) = xᵀy: ‖x̄ − ȳ‖²; unbiased, less the variance s²/n + s'²/n' of the two means."""
    n, m = len(x), len(y)
    _check_sizes(n, m, unbiased)
    between = tf.reduce_sum((tf.reduce_mean(x, 0) - tf.reduce_mean(y, 0)) ** 2)
    if not unbiased:
        return between
    spread_x, spread_y = (tf.reduce_sum(tf.math.reduce_variance(z, 0)) for z in (x, y))  # (n − 1)/n s²
    return between - spread_x / (n - 1) - spread_y / (m - 1)


def rbf_mmd2(x: tf.Tensor, y: tf.Tensor, bandwidth: float | None = None, unbiased: bool = True) -> tf.Tensor:
    """MMD² with k(x, y) = exp(−‖x − y‖² / (2σ²)), σ = ``bandwidth`` or, if None, the median distance."""
    pooled = tf.concat([x, y], 0)
    squared = squared_distances(pooled, pooled)
    sigma = median_distance(squared) if bandwidth is None else positive(bandwidth, "bandwidth")
    return gram_mmd2(tf.exp(-squared / (2 * sigma**2)), len(x), unbiased)


def gram_mmd2(k: tf.Tensor, n: int, unbiased: bool = True) -> tf.Tensor:
    """MMD² from the kernel matrix [n + n', n + n'] of a pooled mini-batch whose first ``n`` rows are x.

    Biased: mean of k(x, x') + mean of k(y, y') − 2 mean of k(x, y), never below 0. Unbiased: without the pairs of a
    point with itself; 0 in the mean over equal distributions, so now and then below 0 (Gretton et al., JMLR 13
    (2012), eq. 5 and 3).
    """
    m = len(k) - n
    _check_sizes(n, m, unbiased)
    xx, yy, xy = k[:n, :n], k[n:, n:], k[:n, n:]
    between = 2 * tf.reduce_mean(xy)
    if unbiased:
        within_x, within_y = (tf.reduce_sum(kk) - tf.linalg.trace(kk) for kk in (xx, yy))
        return within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - between
    return tf.reduce_mean(xx) + tf.reduce_mean(yy) - between


def squared_distances(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """‖x_i − y_j‖², [n, n'], as ‖x‖² + ‖y‖² − 2 xᵀy: n·n' numbers in memory, not n·n'·k. Never below 0."""
    middle = tf.reduce_mean(tf.stop_gradient(x), 0)  # far from the origin the three terms would lose their digits
    x, y = x - middle, y - middle
    squared = tf.reduce_sum(x**2, 1)[:, None] + tf.reduce_sum(y**2, 1) - 2 * tf.matmul(x, y, transpose_b=True)
    return tf.maximum(squared, 0)


def median_bandwidth(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """σ = the median distance of two points of the pooled mini-batch; a constant: no gradient flows through it.

    With a gradient, training could lower MMD² by widening the kernel instead of bringing the domains together.
    """
    pooled = tf.concat([x, y], 0)
    return median_distance(squared_distances(pooled, pooled))


def median_distance(squared: tf.Tensor) -> tf.Tensor:
    """`median_bandwidth` from the squared distances [n + n', n + n'] of the pooled mini-batch."""
    pairs = np.flatnonzero(np.triu(np.ones(squared.shape), 1))  # each pair once, no point with itself
    distances = tf.sqrt(tf.sort(tf.gather(tf.reshape(tf.stop_gradient(squared), [-1]), pairs)))
    median = (distances[(len(pairs) - 1) // 2] + distances[len(pairs) // 2]) / 2
    floor = np.finfo(squared.dtype.as_numpy_dtype).tiny ** 0.5
    return tf.maximum(median, tf.constant(floor, squared.dtype))  # of equal points MMD² is 0 for any σ > 0


def _check_sizes(n: int, m: int, unbiased: bool) -> None:
    if unbiased and min(n, m) < 2:
        raise ValueError(
            f"unbiased MMD² needs at least 2 images of each domain in a mini-batch, not {n} and {m}; take a larger "
            f"batch_size or unbiased=False"
        )
