"""Deep adaptation networks (DAN) in PyTorch: MMD² with several kernels at several layers.

Long, Cao, Wang and Jordan, *Learning Transferable Features with Deep Adaptation Networks*, ICML 2015, eq. 4 and 5:

    L = 1/n Σ J(x_i, y_i) + λ Σ_l MMD²_k(D_s^l, D_t^l)

over the layers l that depend most on the task, here the features and all layers of the label predictor with the
logits, with the kernel k = Σ_u β_u k_u, β_u ≥ 0 and Σ_u β_u = 1, of the bandwidths σ_u around the median distance.
One bandwidth alone could miss the difference of the domains. The paper learns β by a quadratic program, which
makes the two-sample test as powerful as can be; here all β_u are equal.

>>> from dtlbook import data
>>> run = train(*data.pair("digits-rotated"), steps=10, records=1)
>>> run.history.step
[10]
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dtlbook import recipe
from dtlbook.arguments import positive
from dtlbook.data import Domain
from dtlbook.torch import training
from dtlbook.torch.mmd import gram_mmd2, median_distance, squared_distances
from dtlbook.torch.networks import Networks
from dtlbook.torch.training import Losses, Run

__all__ = ["activations", "dan_loss", "multi_kernel_mmd2", "train"]

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)  # σ_u over the median distance; in the paper σ_u² goes from 2⁻⁸ to 2⁸ of it


def multi_kernel_mmd2(x: Tensor, y: Tensor, factors: Sequence[float] = FACTORS, unbiased: bool = True) -> Tensor:
    """MMD² of x [n, k] and y [n', k] with the mean of the kernels of σ_u = factor · median distance.

    The median is a constant: no gradient flows through it (`dtlbook.torch.mmd.median_bandwidth`).
    """
    _check_factors(factors)
    pooled = torch.cat([x, y])
    squared = squared_distances(pooled, pooled)  # once for all kernels
    median = median_distance(squared)
    k = sum(torch.exp(-squared / (2 * (factor * median) ** 2)) for factor in factors) / len(factors)
    return gram_mmd2(k, len(x), unbiased)


def activations(networks: Networks, x: Tensor) -> list[Tensor]:
    """What the layers of DAN give for images x: the features, each ReLU of the label predictor, the class logits."""
    a = networks.feature_extractor(x)
    found, layers = [a], list(networks.label_predictor)
    for layer in layers:
        a = layer(a)
        if isinstance(layer, nn.ReLU) or layer is layers[-1]:
            found.append(a)
    return found


def dan_loss(
    networks: Networks,
    x_source: Tensor,
    y_source: Tensor,
    x_target: Tensor,
    lam: float | Tensor,
    factors: Sequence[float] = FACTORS,
    unbiased: bool = True,
) -> Losses:
    """L_y + λ Σ_l MMD² of one mini-batch, the sum over the layers of `activations`.

    ``x_source`` [n, …] and ``x_target`` [n', …] are floating-point images, ``y_source`` int64 [n]. G_d is not used.
    """
    training.check_loss_input(lam, x_source, y_source, x_target)
    recipe.check_batch(x_source, y_source, x_target)
    n = len(x_source)
    layers = activations(networks, torch.cat([x_source, x_target]))  # one pass: batch statistics are shared
    label = cross_entropy(layers[-1][:n], y_source)
    domain = sum(multi_kernel_mmd2(a[:n], a[n:], factors, unbiased) for a in layers)
    return Losses(label + lam * domain, label, domain)


def train(
    source: Domain,
    target: Domain,
    *,
    lam: float = 1.0,
    factors: Sequence[float] = FACTORS,
    unbiased: bool = True,
    **settings,
) -> Run:
    """Train by `dan_loss` on labelled source and unlabelled target images; ``lam=0`` is source only.

    ``factors``   the bandwidths σ_u over the median distance
    ``settings``  those of `dtlbook.torch.training.run` (steps, batch_size, seed, networks, …) and ``momentum``
    """
    training.check_trainable(settings.get("networks"))
    recipe.check_whole(batch_size=settings.get("batch_size", 2))
    some = torch.zeros(max(1, settings.get("batch_size", 2)), 1)
    multi_kernel_mmd2(some, some, factors, unbiased)  # bad settings are told before training
    settings = {"domain_error": training.fresh_domain_error, **settings}
    return training.fit(partial(dan_loss, factors=factors, unbiased=unbiased), source, target, lam=lam, **settings)


def _check_factors(factors: Sequence[float]) -> None:
    if len(factors) == 0:
        raise ValueError("factors must hold at least one bandwidth over the median distance, not none")
    for factor in factors:
        positive(factor, "each of factors")
