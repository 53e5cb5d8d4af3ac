"""SagNet in PyTorch: a network that looks at the content of an image, not at its style.

Nam, Lee, Park, Yoon and Yoo, *Reducing Domain Gap by Reducing Style Bias*, CVPR 2021. The style of a feature map
z [n, c, h, w] is the mean μ(z) and deviation σ(z) of each channel over its pixels; what is left, (z − μ)/σ, is its
content. Three losses, each for its own parameters:

    L_c = cross-entropy of G_c(SR(z, z'))    content kept, style mixed with another image's    → θ_f, θ_c
    L_s = cross-entropy of G_s(CR(z, z'))    style kept, content taken from another image      → θ_s
    L_adv = cross-entropy of G_s(CR(z, z')) against the uniform distribution, times λ          → θ_f

z' are the feature maps of the same batch in another order. Only G_f and G_c are used afterwards. No target image is
looked at: this is domain generalisation, best from several sources.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax

from dtlbook import recipe, styles
from dtlbook.data import Domain
from dtlbook.torch import training
from dtlbook.torch.networks import FlattenNHWC, Networks, get_weights, set_weights
from dtlbook.torch.training import Losses, Run, accuracy, features, predict

__all__ = [
    "Losses",
    "Networks",
    "Run",
    "SagNetLosses",
    "accuracy",
    "content_randomization",
    "descend",
    "features",
    "predict",
    "sagnet_losses",
    "small_sagnet",
    "statistics",
    "style_randomization",
    "train",
]


class SagNetLosses(NamedTuple):
    """Scalars of one mini-batch: L_c, L_s, and L_adv without its λ."""

    content: Tensor
    style: Tensor
    adversarial: Tensor


# --- the method -----------------------------------------------------------------------------------------
def statistics(z: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel over its pixels, [n, c, 1, 1] each (section 3.1): the style of z.

    σ = √(variance + 1e-5), so that a channel that is the same everywhere can be divided by it.
    """
    styles.check_maps(z.shape, z.shape[-2:])
    variance, mean = torch.var_mean(z, dim=(2, 3), correction=0, keepdim=True)
    return mean, (variance + styles.EPSILON).sqrt()


def style_randomization(z: Tensor, swap: Tensor, alpha: Tensor) -> Tensor:
    """SR(z, z'): the content of z in a style between its own, α = 1, and that of z' = z[swap], α = 0.

    ``swap`` int64 [n] is a permutation, ``alpha`` [n] lies in 0 … 1.
    """
    mean, deviation = statistics(z)
    alpha = alpha.to(z.dtype).reshape(-1, 1, 1, 1)
    mixed_mean = alpha * mean + (1 - alpha) * mean[swap]
    mixed_deviation = alpha * deviation + (1 - alpha) * deviation[swap]
    return mixed_deviation * (z - mean) / deviation + mixed_mean


def content_randomization(z: Tensor, swap: Tensor) -> Tensor:
    """CR(z, z'): the content of z' = z[swap] in the style of z. No gradient flows through the content."""
    mean, deviation = statistics(z)
    content = ((z - mean) / deviation)[swap].detach()
    return deviation * content + mean


def sagnet_losses(networks: Networks, x: Tensor, y: Tensor, swap: Tensor, alpha: Tensor) -> SagNetLosses:
    """The three losses of source images x [n, …] with classes y int64 [n]; G_s is the third of the networks.

    The label is that of the image whose content (L_c) or style (L_s) is kept. L_adv = −1/K Σ_k log softmax_k is
    least, log K, where G_s finds every class equally likely: style tells nothing then.
    """
    z = networks.feature_extractor(x)
    content = cross_entropy(networks.label_predictor(style_randomization(z, swap, alpha)), y)
    style_logits = networks.domain_classifier(content_randomization(z, swap))
    adversarial = -log_softmax(style_logits, dim=1).mean()
    return SagNetLosses(content, cross_entropy(style_logits, y), adversarial)


# --- training -------------------------------------------------------------------------------------------
def descend(
    steps: int, batch_size: int, seed: int, momentum: float = 0.9
) -> Callable[[Networks], Callable[..., Losses]]:
    """Updates by SGD, each loss on its own parameters: L_c on θ_f and θ_c, L_s on θ_s, λ L_adv on θ_f.

    All gradients are taken at the same parameters. θ_f moves along ∂L_c + λ ∂L_adv.
    """
    recipe.check_momentum(momentum)
    swaps, alphas = styles.draws(steps, batch_size, seed)

    def make_update(networks: Networks) -> Callable[..., Losses]:
        theta_f, theta_c, theta_s = (list(part.parameters()) for part in networks)
        device = theta_f[0].device
        rate = torch.zeros((), device=device)
        optimizer = torch.optim.SGD([*theta_f, *theta_c, *theta_s], lr=rate, momentum=momentum, fused=True)
        swaps_there, alphas_there = (torch.from_numpy(a).to(device) for a in (swaps, alphas))
        at = torch.zeros(1, dtype=torch.int64, device=device)

        def update(x: Tensor, y: Tensor, x_target: Tensor, lam: Tensor, mu: Tensor) -> Losses:
            rate.copy_(mu)
            losses = sagnet_losses(networks, x, y, swaps_there[at][0], alphas_there[at][0])
            to_f_and_c = torch.autograd.grad(losses.content, [*theta_f, *theta_c], retain_graph=True)
            to_s = torch.autograd.grad(losses.style, theta_s, retain_graph=True)
            to_f = torch.autograd.grad(losses.adversarial, theta_f)
            for parameter, gradient in zip([*theta_f, *theta_c, *theta_s], [*to_f_and_c, *to_s], strict=True):
                parameter.grad = gradient
            for parameter, gradient in zip(theta_f, to_f, strict=True):
                parameter.grad = parameter.grad + lam.to(gradient.dtype) * gradient
            optimizer.step()
            at.add_(1)
            return Losses(losses.content, losses.content, losses.style)

        return update

    return make_update


def train(
    source: Domain | Sequence[Domain],
    target: Domain,
    *,
    lam: float = 0.1,
    steps: int = 2000,
    batch_size: int = 32,
    seed: int = 0,
    networks: Networks | None = None,
    momentum: float = 0.9,
    **settings,
) -> Run:
    """Train on one labelled source or several, joined; the target only shows how well it does on the unseen.

    ``lam``       weight of L_adv, along the schedule of `training.run`; 0.1 in the authors' code
    ``networks``  G_f to feature maps, G_c and G_s to class logits, as `small_sagnet` makes them
    ``settings``  those of `training.run`

    The history's domain loss is L_s: log K where style tells nothing about the K classes. Its domain error is that
    of a fresh classifier on the features.
    """
    source = styles.joined(source)
    if networks is None:
        networks = small_sagnet(source.image_shape, source.n_classes, seed=seed)
    _check(networks, source)
    update = descend(steps, batch_size, seed, momentum)
    defaults = {"domain_error": training.fresh_domain_error}
    fixed = {"lam": lam, "steps": steps, "batch_size": batch_size, "seed": seed, "networks": networks}
    return training.run(update, source, target, **{**defaults, **settings, **fixed})


# --- networks -------------------------------------------------------------------------------------------
def small_sagnet(image_shape: tuple[int, int, int], n_classes: int, feature_dim: int = 64, seed: int = 0) -> Networks:
    """G_f: conv 3×3×16, pool 2; G_c and G_s, alike: conv 3×3×32, pool 2, one dense layer, class logits."""
    height, width, channels = recipe.check_image_shape(image_shape, at_least=4)
    flat = (height // 4) * (width // 4) * 32

    def head() -> nn.Sequential:
        layers = [nn.Conv2d(16, 32, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), FlattenNHWC()]
        return nn.Sequential(*layers, nn.Linear(flat, feature_dim), nn.ReLU(), nn.Linear(feature_dim, n_classes))

    maps = nn.Sequential(nn.Conv2d(channels, 16, 3, padding=1), nn.MaxPool2d(2), nn.ReLU())
    networks = Networks(*(part.to(memory_format=torch.channels_last) for part in (maps, head(), head())))
    set_weights(networks, recipe.initial_weights([weight.shape for weight, _ in get_weights(networks)], seed))
    return networks


@torch.no_grad()
def _check(networks: Networks, source: Domain) -> None:
    """One image through the three parts, so that what does not fit is said before training."""
    height, width, channels = recipe.check_image_shape(source.image_shape, at_least=2)
    z = networks.feature_extractor(next(networks.feature_extractor.parameters()).new_zeros(1, channels, height, width))
    styles.check_maps(z.shape, z.shape[-2:])
    outputs = (networks.label_predictor(z), networks.domain_classifier(z))
    styles.check_networks(tuple(z.shape), *(tuple(out.shape) for out in outputs), source.n_classes)
