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

import time
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus

from dtlbook import recipe
from dtlbook.data import Domain, to_float
from dtlbook.history import History
from dtlbook.recipe import lambda_schedule, learning_rate_schedule

__all__ = [
    "Losses",
    "Networks",
    "Run",
    "accuracy",
    "dann_loss",
    "features",
    "gradient_reversal",
    "lambda_schedule",
    "learning_rate_schedule",
    "mlp_networks",
    "predict",
    "train",
    "train_supervised",
]


class Networks(NamedTuple):
    """The three parts of a DANN.

    G_f(.; θ_f): images → features; G_y(.; θ_y): features → class logits [n, classes];
    G_d(.; θ_d): features → ONE logit [n, 1], above 0 for "target".
    """

    feature_extractor: nn.Module
    label_predictor: nn.Module
    domain_classifier: nn.Module


class Losses(NamedTuple):
    """Scalars: total = label + domain. Minimise total; the gradient reversal inside sees to the rest."""

    total: Tensor
    label: Tensor
    domain: Tensor


class Run(NamedTuple):
    networks: Networks
    history: History


# --- the method -----------------------------------------------------------------------------------------
class _GradientReversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, lam: float) -> Tensor:
        ctx.lam = lam
        return x.view_as(x)  # R_λ(x) = x

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.lam * gradient, None  # dR_λ/dx = −λ I


def gradient_reversal(x: Tensor, lam: float) -> Tensor:
    """Gradient reversal layer R_λ (ICML 2015, eq. 7 and 8): x forward, −λ times the gradient backward.

    JMLR 2016, eq. 16 and 17, is the case λ = 1. Any shape, floating point.
    """
    recipe.check_lambda(lam)
    if not x.is_floating_point():
        raise ValueError(
            f"gradient_reversal needs a floating-point tensor, not {x.dtype}; integers carry no gradient"
        )
    return _GradientReversal.apply(x, float(lam))


def dann_loss(networks: Networks, x_source: Tensor, y_source: Tensor, x_target: Tensor, lam: float) -> Losses:
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
    if domain_logits.shape != (len(f), 1):
        raise ValueError(
            f"the domain classifier must give one logit an image, shape [{len(f)}, 1]; "
            f"got {list(domain_logits.shape)}"
        )
    label = cross_entropy(label_logits, y_source)  # takes logits: no softmax before it
    # L_d = −log(1 − σ(z)) = softplus(z) for d = 0, −log σ(z) = softplus(−z) for d = 1
    domain = softplus(domain_logits[:n]).mean() + softplus(-domain_logits[n:]).mean()
    return Losses(label + domain, label, domain)


# --- the networks ---------------------------------------------------------------------------------------
def mlp_networks(
    input_dim: int,
    n_classes: int,
    feature_dim: int = 64,
    hidden: int = 64,
    seed: int = 0,
    dtype: str = "float32",
) -> Networks:
    """Small fully connected networks, same initial weights for the same seed in both frameworks.

    G_f: input_dim → hidden → feature_dim, ReLU after each; G_y: one linear layer;
    G_d: feature_dim → hidden → 1 with a ReLU between.
    """
    weights = recipe.mlp_weights(input_dim, n_classes, feature_dim, hidden, seed)
    return Networks(
        nn.Sequential(nn.Flatten(), *_layers(weights["feature_extractor"], dtype), nn.ReLU()),
        nn.Sequential(*_layers(weights["label_predictor"], dtype)),
        nn.Sequential(*_layers(weights["domain_classifier"], dtype)),
    )


def _layers(weights: list[recipe.Layer], dtype: str) -> list[nn.Module]:
    """Linear layers of these weights with a ReLU between each two."""
    layers = []
    for weight, bias in weights:
        linear = nn.utils.skip_init(nn.Linear, *weight.shape, dtype=getattr(torch, dtype))
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight.T))
            linear.bias.copy_(torch.from_numpy(bias))
        layers += [linear, nn.ReLU()]
    return layers[:-1]


# --- training -------------------------------------------------------------------------------------------
def train(
    source: Domain,
    target: Domain,
    *,
    lam: float = 1.0,
    scheduled: bool = True,
    steps: int = 2000,
    batch_size: int = 32,
    seed: int = 0,
    networks: Networks | None = None,
    mu_0: float = 0.01,
    alpha: float = 10.0,
    beta: float = 0.75,
    momentum: float = 0.9,
    records: int = 20,
    device: str | None = None,
) -> Run:
    """Train a DANN on labelled source and unlabelled target images; ``lam=0`` is training on the source only.

    ``lam``        λ, reached along λ · (2/(1+exp(−10p)) − 1) if ``scheduled``, constant otherwise
    ``batch_size`` images of each domain in a step
    ``seed``       initial weights and batches; runs of one seed differ in λ alone
    ``networks``   trained in place if given, else `mlp_networks` of that seed
    ``mu_0 … momentum``  learning rate μ_0/(1+αp)^β and momentum of SGD
    ``records``    entries of the history

    Target labels reach no update and no choice; the history compares predictions with the test ones.
    """
    recipe.check_run(source, target, steps, batch_size, records, momentum)
    recipe.check_lambda(lam)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    networks = networks or mlp_networks(int(np.prod(source.image_shape)), source.n_classes, seed=seed)
    parameters = [parameter for part in networks for parameter in part.to(device).train().parameters()]
    # The optimiser is made once: momentum lives in it.
    optimizer = torch.optim.SGD(parameters, lr=mu_0, momentum=momentum, fused=True)
    # All images and the indices of all batches go to the device once; nothing comes back between two records.
    x_source, x_target = _tensor(source.x_train).to(device), _tensor(target.x_train).to(device)
    y_source = torch.from_numpy(source.y_train).to(device)
    i_source, i_target = (
        torch.from_numpy(i).to(device)
        for i in recipe.batch_indices(len(x_source), len(x_target), steps, batch_size, seed)
    )
    history, seconds, start, last = History(), 0.0, time.perf_counter(), 0
    sums = torch.zeros(2, device=device)
    record_at = set(recipe.record_steps(steps, records))
    for step in range(steps):
        p = step / max(steps - 1, 1)
        lam_p = lam * lambda_schedule(p) if scheduled else lam
        mu_p = optimizer.param_groups[0]["lr"] = learning_rate_schedule(p, mu_0, alpha, beta)
        s, t = i_source[step], i_target[step]
        losses = dann_loss(networks, x_source[s], y_source[s], x_target[t], lam_p)
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
        sums += torch.stack([losses.label.detach(), losses.domain.detach()])
        if step + 1 in record_at:
            label_loss, domain_loss = (sums / (step + 1 - last)).tolist()  # the only wait for the device
            seconds += time.perf_counter() - start
            history.add(
                step=step + 1,
                lam=lam_p,
                learning_rate=mu_p,
                label_loss=label_loss,
                domain_loss=domain_loss,
                source_accuracy=accuracy(networks, source.x_test, source.y_test),
                target_accuracy=accuracy(networks, target.x_test, target.y_test),
                domain_error=_own_domain_error(networks, source.x_test, target.x_test),
                seconds=seconds,
            )
            for part in networks:
                part.train()
            sums.zero_()
            last, start = step + 1, time.perf_counter()
    return Run(networks, history)


def train_supervised(domain: Domain, **settings) -> Run:
    """Upper bound "train on target": the same loop and networks, with the labels of ``domain`` known."""
    return train(domain, domain, lam=0.0, **settings)


# --- use ------------------------------------------------------------------------------------------------
def features(networks: Networks, images: np.ndarray) -> np.ndarray:
    """G_f of uint8 images [n, height, width, channels]: float32 [n, feature_dim]."""
    return _apply(networks, images, networks.feature_extractor)


def predict(networks: Networks, images: np.ndarray) -> np.ndarray:
    """Predicted classes, int64 [n], of uint8 images [n, height, width, channels]."""
    return _apply(networks, images, networks.feature_extractor, networks.label_predictor).argmax(axis=1)


def accuracy(networks: Networks, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of the images whose predicted class is the label."""
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(
            f"accuracy needs one label for each image and at least one; got {len(images)} images, "
            f"{len(labels)} labels"
        )
    return float((predict(networks, images) == labels).mean())


def _own_domain_error(networks: Networks, x_source: np.ndarray, x_target: np.ndarray) -> float:
    """Error of G_d itself, each domain counting one half; a logit above 0 says "target"."""
    z_source, z_target = (
        _apply(networks, x, networks.feature_extractor, networks.domain_classifier)
        for x in (x_source, x_target)
    )
    return float(((z_source > 0).mean() + (z_target <= 0).mean()) / 2)


@torch.inference_mode()
def _apply(networks: Networks, images: np.ndarray, *parts: nn.Module) -> np.ndarray:
    out = _tensor(images).to(next(networks.feature_extractor.parameters()).device)
    for part in parts:
        out = part.eval()(out)
    return out.cpu().numpy()


def _tensor(images: np.ndarray) -> Tensor:
    """uint8 [n, height, width, channels] to float32 0 … 1 in PyTorch's order [n, channels, height, width]."""
    return torch.from_numpy(to_float(images)).permute(0, 3, 1, 2).contiguous()
