"""Domain-adversarial training of neural networks (DANN) in PyTorch.

Ganin and Lempitsky, *Unsupervised Domain Adaptation by Backpropagation*, ICML 2015; Ganin et al.,
*Domain-Adversarial Training of Neural Networks*, JMLR 17 (2016). The source gives (x_i, y_i), i = 1 … n, the
target x_i without labels, i = n+1 … n+n'; the domain label d_i is 0 for the source and 1 for the target.
Sought is the saddle point of

    E(θ_f, θ_y, θ_d) = 1/n Σ_{i≤n} L_y^i − λ [ 1/n Σ_{i≤n} L_d^i + 1/n' Σ_{i>n} L_d^i ]

(JMLR 2016, eq. 10): minimal in θ_f and θ_y, maximal in θ_d, eq. 11 and 12. The bracket is a SUM of two means.
Code that averages L_d over the joined batch instead halves it, and so halves λ.

>>> from dtlbook import data
>>> source, target = data.pair("digits-rotated")
>>> run = train(source, target, lam=1.0, steps=10, records=1)
>>> run.history.step
[10]
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from dtlbook import recipe
from dtlbook.data import Domain
from dtlbook.recipe import lambda_schedule, learning_rate_schedule
from dtlbook.torch import training
from dtlbook.torch.networks import Networks
from dtlbook.torch.networks import mlp as mlp_networks
from dtlbook.torch.training import Losses, Run, accuracy, features, predict

__all__ = [
    "Losses",
    "Networks",
    "Run",
    "accuracy",
    "dann_loss",
    "domain_loss",
    "features",
    "gradient_reversal",
    "lambda_schedule",
    "learning_rate_schedule",
    "mlp_networks",
    "predict",
    "semi_supervised_loss",
    "train",
    "train_supervised",
]


# --- the method -----------------------------------------------------------------------------------------
class _GradientReversal(torch.autograd.Function):
    generate_vmap_rule = True  # so that many models, each with its own λ, can be trained in one pass

    @staticmethod
    def forward(x: Tensor, lam: Tensor) -> Tensor:
        return x.view_as(x)  # R_λ(x) = x

    @staticmethod
    def setup_context(ctx, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1])

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (lam,) = ctx.saved_tensors
        return -lam * gradient, None  # dR_λ/dx = −λ I


def gradient_reversal(x: Tensor, lam: float | Tensor) -> Tensor:
    """Gradient reversal layer R_λ (ICML 2015, eq. 7 and 8): x forward, −λ times the gradient backward.

    JMLR 2016, eq. 16 and 17, is the case λ = 1. Any shape, floating point.
    """
    if not isinstance(lam, Tensor):  # a tensor may live on a GPU, and looking at it would halt the queue
        recipe.check_lambda(lam)
        lam = torch.tensor(lam, dtype=torch.float64)  # a scalar: the gradient keeps its own type
    if not x.is_floating_point():
        raise ValueError(f"gradient_reversal needs a floating-point tensor, not {x.dtype}; integers carry no gradient")
    return _GradientReversal.apply(x, lam)


def domain_loss(z_source: Tensor, z_target: Tensor) -> Tensor:
    """1/n Σ L_d^i + 1/n' Σ L_d^i of logits z, [n, 1] and [n', 1]: a SUM of two means, 2 log 2 where G_d knows nothing.

    L_d = −log(1 − σ(z)) = softplus(z) for d = 0, −log σ(z) = softplus(−z) for d = 1.
    """
    for z in (z_source, z_target):
        if z.ndim != 2 or z.shape[1] != 1:
            raise ValueError(
                f"the domain classifier must give one logit an image, shape [{len(z)}, 1]; got {list(z.shape)}"
            )
    return softplus(z_source).mean() + softplus(-z_target).mean()


def dann_loss(networks: Networks, x_source: Tensor, y_source: Tensor, x_target: Tensor, lam: float | Tensor) -> Losses:
    """Losses of one mini-batch, the pseudo-objective Ẽ (ICML 2015, eq. 9, with the means of JMLR 2016, eq. 10).

    ``x_source`` [n, …] and ``x_target`` [n', …] are floating-point images, ``y_source`` int64 [n]. One
    backward pass of ``total`` leaves ∂L_y/∂θ_f − λ ∂L_d/∂θ_f in θ_f, ∂L_y/∂θ_y in θ_y and +∂L_d/∂θ_d, without
    λ, in θ_d: three updates, one SGD. These are ICML 2015, eq. 4–6, and JMLR 2016, eq. 13–15, with λ = 1 in
    eq. 15 as in section 5.2.2 there. (JMLR 2016, eq. 18, prints −λ before L_d, which would reverse θ_f and θ_d.)
    """
    recipe.check_batch(x_source, y_source, x_target)
    if y_source.dtype != torch.int64 or not x_source.is_floating_point() or x_target.dtype != x_source.dtype:
        raise ValueError(
            f"x_source and x_target must be of one floating-point type and y_source int64; "
            f"got {x_source.dtype}, {x_target.dtype}, {y_source.dtype}"
        )
    n = len(x_source)
    f = networks.feature_extractor(torch.cat([x_source, x_target]))  # one pass: batch statistics are shared
    label_logits = networks.label_predictor(f[:n])  # labels exist in the source only
    domain_logits = networks.domain_classifier(gradient_reversal(f, lam))
    label = cross_entropy(label_logits, y_source)  # takes logits: no softmax before it
    domain = domain_loss(domain_logits[:n], domain_logits[n:])
    return Losses(label + domain, label, domain)


def semi_supervised_loss(
    networks: Networks,
    x_source: Tensor,
    y_source: Tensor,
    x_target: Tensor,
    x_labelled: Tensor,
    y_labelled: Tensor,
    lam: float | Tensor,
) -> Losses:
    """`dann_loss` with a few labelled target images, ``x_labelled`` [m, …] and ``y_labelled`` int64 [m].

    L_y becomes the mean over source and labelled target images together; L_d is unchanged and sees no label.
    (JMLR 2016, section 5.2.4, trains so on traffic signs; how the paper weights the two is not stated.)
    """
    training.check_labelled_input(x_source, x_labelled, y_labelled)
    losses = dann_loss(networks, x_source, y_source, x_target, lam)
    few = cross_entropy(networks.label_predictor(networks.feature_extractor(x_labelled)), y_labelled)
    n, m = len(x_source), len(x_labelled)
    label = (n * losses.label + m * few) / (n + m)
    return Losses(label + losses.domain, label, losses.domain)


# --- training -------------------------------------------------------------------------------------------
def train(
    source: Domain,
    target: Domain,
    *,
    lam: float = 1.0,
    labelled: tuple[np.ndarray, np.ndarray] | None = None,
    **settings,
) -> Run:
    """Train a DANN on labelled source and unlabelled target images; ``lam=0`` is training on the source only.

    ``labelled``  a few target images with labels, (images, labels): semi-supervised DANN
    ``settings``  those of `dtlbook.torch.training.run` (steps, batch_size, seed, networks, …) and ``momentum``
    """
    loss: Callable[..., Losses] = dann_loss if labelled is None else semi_supervised_loss
    return training.fit(loss, source, target, lam=lam, labelled=labelled, **settings)


def train_supervised(domain: Domain, **settings) -> Run:
    """Upper bound "train on target": the same loop and networks, with the labels of ``domain`` known."""
    return train(domain, domain, lam=0.0, **settings)
