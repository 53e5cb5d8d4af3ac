"""Fine-tuning in PyTorch: freeze blocks, train what is left, a learning rate for each block.

The procedure of the lecture has five steps: (1) put a new classifier G_y on a pre-trained G_f, (2) freeze G_f,
(3) train G_y (feature extraction), (4) unfreeze the last block of G_f, (5) train both (fine-tuning): `five_steps`.
Blocks have the names of VGG16, block1 … block5, in every network; the classifier is the block "classifier".

Sources: Yosinski et al., NeurIPS 2014 (`transplant`); Howard and Ruder, ACL 2018, section 3.2 (a rate for each
block); Simonyan and Zisserman, ICLR 2015 (`vgg16`).
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from dtlbook import blocks as names_of
from dtlbook import recipe
from dtlbook import vgg16 as vgg16_files
from dtlbook.data import Domain
from dtlbook.torch import training
from dtlbook.torch.networks import FlattenNHWC, Networks, get_weights, set_weights
from dtlbook.torch.training import Losses, Run, accuracy, features, predict, supervised_loss

__all__ = [
    "Count",
    "FiveSteps",
    "Losses",
    "Networks",
    "Run",
    "accuracy",
    "add_classifier",
    "blocks",
    "count",
    "descend",
    "features",
    "fit",
    "five_steps",
    "freeze",
    "predict",
    "small_vgg",
    "supervised_loss",
    "train",
    "transplant",
    "unfreeze",
    "vgg16",
]


class Count(NamedTuple):
    """Numbers of parameters of G_f and G_y."""

    trainable: int
    frozen: int


class FiveSteps(NamedTuple):
    """What the five steps leave: the run of step 3, that of step 5; both hold the same networks."""

    feature_extraction: Run
    fine_tuning: Run


# --- blocks ---------------------------------------------------------------------------------------------
def blocks(networks: Networks) -> dict[str, list[nn.Module]]:
    """Name of a block → its convolutions and dense layers: block1, block2, … of G_f, then "classifier", G_y.

    In a network without blocks of its own every layer with weights is one.
    """
    parts = [p for p in networks.feature_extractor.children() if any(True for _ in p.parameters())]
    named = {f"block{number}": _weighted(part) for number, part in enumerate(parts, 1)}
    return named | {"classifier": _weighted(networks.label_predictor)}


def freeze(networks: Networks, names: Iterable[str] | None = None) -> None:
    """Keep the weights of these blocks as they are, by default of all of G_f; the others are left alone.

    Training that has already begun knows nothing of it: call it before `fit`, which makes its optimizer anew.
    """
    _set_trainable(networks, names, False)


def unfreeze(networks: Networks, names: Iterable[str] | None = None) -> None:
    """Let the weights of these blocks be trained again, by default of all of G_f."""
    _set_trainable(networks, names, True)


def count(networks: Networks, names: Iterable[str] | None = None) -> Count:
    """Trainable and frozen parameters of these blocks, by default of all of G_f and G_y."""
    parameters = _parameters(networks, blocks(networks) if names is None else names)
    trainable = sum(p.numel() for p in parameters if p.requires_grad)
    return Count(trainable, sum(p.numel() for p in parameters) - trainable)


def add_classifier(networks: Networks, feature_dim: int, n_classes: int, hidden: int = 256, seed: int = 0) -> Networks:
    """The same G_f, not a copy, under a new G_y of initial weights: feature_dim → hidden → ReLU → classes.

    Two classes need one logit z only, as in the lecture's 256-1: the logits are then (0, z), for a softmax over
    (0, z) is (1 − σ(z), σ(z)), and cross-entropy is the lecture's binary cross-entropy.
    """
    recipe.check_sizes(feature_dim=feature_dim, n_classes=n_classes, hidden=hidden)
    outputs = [nn.Linear(hidden, 1), ZeroFirst()] if n_classes == 2 else [nn.Linear(hidden, n_classes)]
    classifier = nn.Sequential(nn.Linear(feature_dim, hidden), nn.ReLU(), *outputs)
    classifier.to(next(networks.feature_extractor.parameters()))  # its type and device
    _initialise(classifier, seed)
    return networks._replace(label_predictor=classifier)


def transplant(networks: Networks, donor: Networks, n: int) -> None:
    """Copy the first ``n`` blocks of ``donor`` into ``networks`` (Yosinski et al. 2014: AnB if frozen, AnB+ if not)."""
    ours, theirs = blocks(networks), blocks(donor)
    names_of.check_depth(n, len(ours) - 1)
    for name in names_of.of_features(ours)[:n]:
        set_weights(nn.ModuleList(ours[name]), get_weights(nn.ModuleList(theirs[name])))


# --- training -------------------------------------------------------------------------------------------
def descend(
    rates: Mapping[str, float] | None = None,
    optimizer: str = "sgd",
    momentum: float = 0.9,
    loss: Callable[..., Losses] = supervised_loss,
) -> Callable[[Networks], training.Update]:
    """Updates of the blocks that are not frozen, each at its own rate: μ times ``rates[name]``, 1 if not named.

    ``optimizer``  "sgd" with momentum: v ← m v + g, θ ← θ − μ v; or "rmsprop", the lecture's, as Keras has it:
                   s ← 0.9 s + 0.1 g², θ ← θ − μ g/√s (PyTorch's own default is 0.99 and 0.01)
    """
    rates = dict(rates or {})
    recipe.check_momentum(momentum)
    names_of.check_rates(rates, optimizer)

    def make_update(networks: Networks) -> training.Update:
        names_of.check_names(rates, blocks(networks))
        groups = [
            {"params": chosen, "lr": torch.tensor(0.0, dtype=torch.float64), "factor": rates.get(name, 1.0)}
            for name in blocks(networks)
            if (chosen := [p for p in _parameters(networks, [name]) if p.requires_grad])
        ]
        if not groups:
            raise ValueError("every block is frozen, so there is nothing to train; unfreeze one")
        if optimizer == "sgd":
            stepper = torch.optim.SGD(groups, momentum=momentum, fused=True)
        else:
            stepper = torch.optim.RMSprop(groups, alpha=0.9, eps=1e-8)

        def update(*batch_lam_mu: Tensor) -> Losses:
            *batch, lam, mu = batch_lam_mu
            for group in stepper.param_groups:
                group["lr"].copy_(mu * group["factor"])
            losses = loss(networks, *batch, lam)
            stepper.zero_grad()
            losses.total.backward()
            stepper.step()
            return losses

        return update

    return make_update


def fit(
    target: Domain,
    networks: Networks,
    *,
    labelled: tuple[np.ndarray, np.ndarray] | None = None,
    rates: Mapping[str, float] | None = None,
    optimizer: str = "sgd",
    momentum: float = 0.9,
    loss: Callable[..., Losses] = supervised_loss,
    **settings,
) -> Run:
    """Go on training ``networks``, in place, on the target's labels: all blocks that are not frozen.

    ``labelled``  the only target examples with labels, (images, labels) as from `recipe.few_labels`; else all
    ``settings``  those of `training.run` (steps, batch_size, seed, mu_0, …)
    """
    if labelled is not None:
        recipe.check_labelled(*labelled, target)
        target = replace(target, x_train=labelled[0], y_train=labelled[1])
    one_domain = lambda *_: 0.5  # noqa: E731  source and target are the same examples: nothing to tell apart
    update = descend(rates, optimizer, momentum, loss)
    return training.run(
        update, target, target, **{"lam": 0.0, "domain_error": one_domain, "networks": networks, **settings}
    )


def five_steps(
    pretrained: Networks,
    target: Domain,
    *,
    unfrozen: int = 1,
    hidden: int = 256,
    steps: tuple[int, int] = (1000, 1000),
    mu_0: tuple[float, float] = (0.01, 0.001),
    seed: int = 0,
    **settings,
) -> FiveSteps:
    """The lecture's five steps on a pre-trained G_f, which is changed in place.

    ``unfrozen``       how many blocks, from the last, step 4 unfreezes
    ``steps``, ``mu_0``  of step 3 and of step 5; ``settings`` of both are those of `fit`
    """
    names_of.check_stages(steps=steps, mu_0=mu_0)
    names_of.check_depth(unfrozen, len(names_of.of_features(blocks(pretrained))))
    feature_dim = training.features(pretrained, target.x_test[:1]).shape[1]
    networks = add_classifier(pretrained, feature_dim, target.n_classes, hidden, seed)  # 1 a new classifier
    freeze(networks)  # 2 G_f keeps still
    first = fit(target, networks, steps=steps[0], mu_0=mu_0[0], seed=seed, **settings)  # 3 feature extraction
    unfreeze(networks, names_of.last(blocks(networks), unfrozen))  # 4 the last block may move
    second = fit(target, networks, steps=steps[1], mu_0=mu_0[1], seed=seed, **settings)  # 5 fine-tuning
    return FiveSteps(first, second)


def train(
    source: Domain,
    target: Domain,
    *,
    labelled: tuple[np.ndarray, np.ndarray] | None = None,
    networks: Networks | None = None,
    frozen: Sequence[str] = (),
    steps: int = 2000,
    seed: int = 0,
    mu_0: float = 0.01,
    fine_mu_0: float | None = None,
    rates: Mapping[str, float] | None = None,
    **settings,
) -> Run:
    """Pre-train on the source's labels, then fine-tune on the target's, ``steps`` updates each, same classes.

    ``labelled``   the only target labels that are used; all of the target's training labels if left out
    ``frozen``     blocks that keep still in fine-tuning
    ``fine_mu_0``  the learning rate of fine-tuning; a tenth of ``mu_0`` if left out
    """
    before = training.source_only(source, target, networks=networks, steps=steps, seed=seed, mu_0=mu_0, **settings)
    freeze(before.networks, frozen)
    fine = mu_0 / 10 if fine_mu_0 is None else fine_mu_0
    return fit(target, before.networks, labelled=labelled, rates=rates, steps=steps, seed=seed, mu_0=fine, **settings)


# --- networks -------------------------------------------------------------------------------------------
def vgg16(
    n_classes: int = 2,
    weights: str | None = None,
    image_shape: tuple[int, int, int] = (150, 150, 3),
    hidden: int = 256,
    seed: int = 0,
) -> Networks:
    """VGG16 without its top, 14,714,688 parameters, under a new classifier; there is no G_d.

    Images come as 0 … 1; the first layer makes of them what the ImageNet weights expect.

    ``weights``  None: initial weights of ``seed``; "imagenet": `vgg16.imagenet_weights`, downloaded once
    """
    return _vgg(vgg16_files.WIDTHS, ImageNetPixels(), image_shape, n_classes, hidden, weights, seed)


def small_vgg(
    image_shape: tuple[int, int, int],
    n_classes: int,
    widths: Sequence[Sequence[int]] = ((8, 8), (16, 16), (32, 32)),
    hidden: int = 64,
    seed: int = 0,
) -> Networks:
    """VGG in small: a block for each entry of ``widths``, 3×3 convolutions of so many channels, then a 2×2 pool."""
    return _vgg(widths, None, image_shape, n_classes, hidden, None, seed)


def _vgg(widths, pixels: nn.Module | None, image_shape, n_classes, hidden, weights: str | None, seed) -> Networks:
    height, width, channels = recipe.check_image_shape(image_shape, at_least=2 ** len(widths))
    if weights not in (None, "imagenet"):
        raise ValueError(f"weights must be None or 'imagenet', not {weights!r}")
    parts = OrderedDict(pixels=pixels) if pixels else OrderedDict()
    for number, outputs in enumerate(widths, 1):
        layers = []
        for output in outputs:
            layers += [nn.Conv2d(channels, output, 3, padding=1), nn.ReLU()]
            channels = output
        parts[f"block{number}"] = nn.Sequential(*layers, nn.MaxPool2d(2))
        height, width = height // 2, width // 2  # an odd last row is dropped
    parts["flatten"] = FlattenNHWC()
    base = nn.Sequential(parts).to(memory_format=torch.channels_last)
    if weights == "imagenet":
        set_weights(base, vgg16_files.imagenet_weights())
    else:
        _initialise(base, seed)
    networks = Networks(base, nn.Sequential(), nn.Sequential())
    return add_classifier(networks, height * width * channels, n_classes, hidden, seed)


class ImageNetPixels(nn.Module):
    """Red, green, blue in 0 … 1 → blue, green, red in 0 … 255 minus ImageNet's means, as VGG16 was trained."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(vgg16_files.MEAN).reshape(3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (255 * x - self.mean).flip(1)


class ZeroFirst(nn.Module):
    """One logit z, [n, 1] → the two logits (0, z), [n, 2]."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(z), z], 1)


# --- parameters -----------------------------------------------------------------------------------------
def _weighted(part: nn.Module) -> list[nn.Module]:
    return [layer for layer in part.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


def _parameters(networks: Networks, names: Iterable[str]) -> list[nn.Parameter]:
    found = blocks(networks)
    return [p for name in names_of.check_names(names, found) for layer in found[name] for p in layer.parameters()]


def _set_trainable(networks: Networks, names: Iterable[str] | None, trainable: bool) -> None:
    for parameter in _parameters(networks, names_of.of_features(blocks(networks)) if names is None else names):
        parameter.requires_grad_(trainable)
        parameter.grad = None  # an old gradient would still move it under an optimizer that does not look


def _initialise(part: nn.Module, seed: int) -> None:
    set_weights(part, names_of.he_weights([weight.shape for weight, _ in get_weights(part)], seed))
