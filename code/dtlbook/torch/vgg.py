"""VGG16 in PyTorch, a small one like it, and a new classifier for either.

Simonyan and Zisserman, ICLR 2015. G_f is a chain of blocks, block1, block2, …, as `dtlbook.torch.blocks` names them.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dtlbook import blocks as names_of
from dtlbook import recipe
from dtlbook import vgg16 as vgg16_files
from dtlbook.torch.networks import FlattenNHWC, Networks, get_weights, set_weights

__all__ = ["add_classifier", "small_vgg", "vgg16"]


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


def _initialise(part: nn.Module, seed: int) -> None:
    set_weights(part, names_of.he_weights([weight.shape for weight, _ in get_weights(part)], seed))
