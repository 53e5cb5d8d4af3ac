"""Blocks of a network in PyTorch: freezing, unfreezing, counting and transplanting them.

Blocks have the names of VGG16, block1 … block5, in every network; the classifier G_y is the block "classifier".
`transplant` is that of Yosinski et al., NeurIPS 2014.
"""

from collections.abc import Iterable
from typing import NamedTuple

from torch import nn

from dtlbook import blocks as names_of
from dtlbook.torch.networks import Networks, get_weights, set_weights

__all__ = ["Count", "blocks", "count", "freeze", "transplant", "unfreeze"]


class Count(NamedTuple):
    """Numbers of parameters of G_f and G_y."""

    trainable: int
    frozen: int


def blocks(networks: Networks) -> dict[str, list[nn.Module]]:
    """Name of a block → its convolutions and dense layers: block1, block2, … of G_f, then "classifier", G_y.

    In a network without blocks of its own every layer with weights is one.
    """
    chain = getattr(networks.feature_extractor, "network", networks.feature_extractor)  # what `in_bfloat16` wraps
    parts = [part for part in chain.children() if any(True for _ in part.parameters())]
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
    found = parameters(networks, blocks(networks) if names is None else names)
    trainable = sum(p.numel() for p in found if p.requires_grad)
    return Count(trainable, sum(p.numel() for p in found) - trainable)


def transplant(networks: Networks, donor: Networks, n: int) -> None:
    """Copy the first ``n`` blocks of ``donor`` into ``networks`` (Yosinski et al. 2014: AnB if frozen, AnB+ if not)."""
    ours, theirs = blocks(networks), blocks(donor)
    names_of.check_depth(n, len(ours) - 1)
    for name in names_of.of_features(ours)[:n]:
        set_weights(nn.ModuleList(ours[name]), get_weights(nn.ModuleList(theirs[name])))


def _weighted(part: nn.Module) -> list[nn.Module]:
    return [layer for layer in part.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


def parameters(networks: Networks, names: Iterable[str]) -> list[nn.Parameter]:
    """All parameters of these blocks, frozen or not."""
    found = blocks(networks)
    return [p for name in names_of.check_names(names, found) for layer in found[name] for p in layer.parameters()]


def _set_trainable(networks: Networks, names: Iterable[str] | None, trainable: bool) -> None:
    for parameter in parameters(networks, names_of.of_features(blocks(networks)) if names is None else names):
        parameter.requires_grad_(trainable)
        parameter.grad = None  # an old gradient would still move it under an optimizer that does not look
