"""Deep domain confusion (DDC) in PyTorch: the means of the two domains are brought together in a kernel's space.

Tzeng, Hoffman, Zhang, Saenko and Darrell, *Deep Domain Confusion: Maximizing for Domain Invariance*,
arXiv:1412.3474 (2014), eq. 1 and 2:

    L = L_C(X_S, y) + λ MMD²(X_S, X_T),   MMD = ‖ mean of φ(x_s) − mean of φ(x_t) ‖

at an adaptation layer, a narrow layer before the label predictor. The paper takes the activations of that layer
for φ (the linear kernel, with bias), λ = 0.25 and a width of 256. φ may as well belong to the kernel
k(x, y) = exp(−‖x − y‖² / (2σ²)), σ the median distance of the mini-batch; `dtlbook.mmd` is the same in NumPy.

>>> from dtlbook import data
>>> run = train(*data.pair("digits-rotated"), steps=10, records=1)
>>> run.history.step
[10]
"""

import math
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dtlbook import mmd, recipe
from dtlbook.arguments import whole
from dtlbook.data import Domain
from dtlbook.torch import training
from dtlbook.torch.mmd import linear_mmd2, median_bandwidth, mmd2, rbf_mmd2
from dtlbook.torch.networks import Networks, set_weights
from dtlbook.torch.training import Losses, Run

__all__ = [
    "ddc_loss",
    "linear_mmd2",
    "median_bandwidth",
    "mmd2",
    "mmd_by_place",
    "mmd_by_width",
    "rbf_mmd2",
    "train",
    "with_adaptation_layer",
]


# --- the method -------------------------------------------------------------------------------------------
def ddc_loss(
    networks: Networks, x_source: Tensor, y_source: Tensor, x_target: Tensor, lam: float | Tensor, **kernel
) -> Losses:
    """L_C + λ MMD² of one mini-batch; ``kernel`` are the settings of `mmd2`.

    ``x_source`` [n, …] and ``x_target`` [n', …] are floating-point images, ``y_source`` int64 [n]. The adaptation
    layer is the last layer of G_f. G_d is not used.
    """
    training.check_loss_input(lam, x_source, y_source, x_target)
    recipe.check_batch(x_source, y_source, x_target)
    n = len(x_source)
    f = networks.feature_extractor(torch.cat([x_source, x_target]))  # one pass: batch statistics are shared
    label = cross_entropy(networks.label_predictor(f[:n]), y_source)
    domain = mmd2(f[:n], f[n:], **kernel)
    return Losses(label + lam * domain, label, domain)


def train(
    source: Domain,
    target: Domain,
    *,
    lam: float = 1.0,
    kernel: str = "rbf",
    bandwidth: float | None = None,
    unbiased: bool = True,
    **settings,
) -> Run:
    """Train by `ddc_loss` on labelled source and unlabelled target images; ``lam=0`` is source only.

    ``kernel``     "rbf", or "linear" as in the paper (there with ``lam=0.25, unbiased=False, scheduled=False``)
    ``bandwidth``  σ of "rbf"; None is the median distance of each mini-batch
    ``settings``   those of `dtlbook.torch.training.run` (steps, batch_size, seed, networks, …) and ``momentum``
    """
    chosen = {"kernel": kernel, "bandwidth": bandwidth, "unbiased": unbiased}
    training.check_trainable(settings.get("networks"))
    recipe.check_whole(batch_size=settings.get("batch_size", 2))
    some = torch.zeros(max(1, settings.get("batch_size", 2)), 1)
    mmd2(some, some, **chosen)  # bad settings are told before training
    settings = {"domain_error": training.fresh_domain_error, **settings}
    return training.fit(partial(ddc_loss, **chosen), source, target, lam=lam, **settings)


# --- the adaptation layer: where, and how wide ------------------------------------------------------------
def with_adaptation_layer(networks: Networks, width: int, place: int | None = None, seed: int = 0) -> Networks:
    """The networks with a dense layer of ``width`` units (and ReLU) in front of the label predictor.

    ``place`` counts the layers of G_f and G_y that come before it; None is after G_f. The layer and the first one of
    each head, which has other inputs now, begin with new weights; all others are those of ``networks``.
    """
    check_chains(networks)
    layers = [*networks.feature_extractor, *networks.label_predictor]
    place = len(networks.feature_extractor) if place is None else place
    places = _places(layers)
    if place not in places:
        raise ValueError(f"place must be a number of layers that a dense layer follows, one of {places}, not {place}")
    head, critic, like = layers[place:], [*networks.domain_classifier], layers[place].weight
    sizes = (like.shape[1], whole(width, "width")), (width, len(like)), (width, len(critic[0].weight))
    adapt, first, first_critic = new = [nn.Linear(*size, dtype=like.dtype, device=like.device) for size in sizes]
    set_weights(nn.Sequential(*new), recipe.initial_weights(sizes, seed + 1))  # other draws than the network's own
    return Networks(
        nn.Sequential(*layers[:place], adapt, nn.ReLU()),
        nn.Sequential(first, *head[1:]),
        nn.Sequential(first_critic, *critic[1:]),
    )


def mmd_by_place(networks: Networks, source: Domain, target: Domain, **kernel) -> dict[int, float]:
    """MMD² of the training images at each place for the layer; the paper takes the place where it is smallest.

    ``networks`` are trained on the source. No label is looked at. ``kernel`` as in `dtlbook.mmd.mmd2`. A place whose
    features are not finite or all one point gets ∞: MMD² says nothing there, and 0 would win.
    """
    check_chains(networks)
    layers = [*networks.feature_extractor, *networks.label_predictor]
    return {p: _mmd2(networks._replace(feature_extractor=nn.Sequential(*layers[:p])), source, target, **kernel)
            for p in _places(layers)}  # fmt: skip


def mmd_by_width(
    make_networks: Callable[[], Networks], widths: Iterable[int], source: Domain, target: Domain, **settings
) -> dict[int, float]:
    """MMD² left after training with an adaptation layer of each width; the paper takes the smallest.

    ``make_networks`` gives the networks to begin with; ``settings`` are those of `train`. ∞ as in
    `mmd_by_place`, for a run that diverged or let all features fall together.
    """
    runs = {w: train(source, target, networks=with_adaptation_layer(make_networks(), w), **settings) for w in widths}
    return {width: _mmd2(run.networks, source, target) for width, run in runs.items()}


def _mmd2(networks: Networks, source: Domain, target: Domain, at_most: int = 1000, **kernel) -> float:
    f = [training.features(networks, d.x_train[:at_most]) for d in (source, target)]
    pooled = np.concatenate(f)
    if not np.isfinite(pooled).all() or (pooled == pooled[0]).all():
        return math.inf
    return mmd.mmd2(*f, **kernel)


def check_chains(networks: Networks) -> None:
    """Parts that can be cut between two layers."""
    for name, part in zip(networks._fields, networks, strict=True):
        if not isinstance(part, nn.Sequential):
            raise ValueError(
                f"an adaptation layer goes between two layers of an nn.Sequential, but the {name.replace('_', ' ')} is "
                f"a {type(part).__name__.strip('_')}; put the layer in first, and call in_bfloat16 after it"
            )


def _places(layers: list[nn.Module]) -> list[int]:
    """In front of each dense layer but one that sees the images themselves."""
    weighted = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Linear | nn.Conv2d)]
    return [i for i in weighted[1:] if isinstance(layers[i], nn.Linear)]
