"""Blocks of a network in TensorFlow (Keras 3): freezing, unfreezing, counting and transplanting them.

`dtlbook.torch.blocks` in the other framework, with the same names. Blocks have the names of VGG16, block1 … block5, in
every network; the classifier G_y is the block "classifier". `transplant` is that of Yosinski et al., NeurIPS 2014.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

import keras

from dtlbook import blocks as names_of
from dtlbook.tensorflow.networks import Networks

__all__ = ["Count", "blocks", "count", "freeze", "transplant", "unfreeze"]


class Count(NamedTuple):
    """Numbers of parameters of G_f and G_y."""

    trainable: int
    frozen: int


def blocks(networks: Networks) -> dict[str, list[keras.Layer]]:
    """Name of a block → its convolutions and dense layers: block1, block2, … of G_f, then "classifier", G_y.

    Layers called blockK_… , as those of keras.applications, belong to block K; any other layer with weights is one.
    """
    named: dict[str, list[keras.Layer]] = {}
    for layer in _weighted(networks.feature_extractor):
        prefix = re.match(r"block\d+(?=_)", layer.name)
        named.setdefault(prefix.group() if prefix else f"block{len(named) + 1}", []).append(layer)
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
    layers = _layers(networks, blocks(networks) if names is None else names)
    trainable = sum(layer.count_params() for layer in layers if layer.trainable)
    return Count(trainable, sum(layer.count_params() for layer in layers) - trainable)


def transplant(networks: Networks, donor: Networks, n: int) -> None:
    """Copy the first ``n`` blocks of ``donor`` into ``networks`` (Yosinski et al. 2014: AnB if frozen, AnB+ if not)."""
    ours, theirs = blocks(networks), blocks(donor)
    names_of.check_depth(n, len(ours) - 1)
    for name in names_of.of_features(ours)[:n]:
        for layer, other in zip(ours[name], theirs[name], strict=True):
            layer.set_weights(other.get_weights())


def _weighted(part: keras.Model) -> list[keras.Layer]:
    layers = part._flatten_layers(include_self=False)
    return [layer for layer in layers if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)]


def _layers(networks: Networks, names: Iterable[str]) -> list[keras.Layer]:
    found = blocks(networks)
    return [layer for name in names_of.check_names(names, found) for layer in found[name]]


def _set_trainable(networks: Networks, names: Iterable[str] | None, trainable: bool) -> None:
    chosen = _layers(networks, names_of.of_features(blocks(networks)) if names is None else names)
    before = [(layer, layer.trainable) for layers in blocks(networks).values() for layer in layers]
    for part in networks[:2]:  # a frozen container would hide what its layers say
        part.trainable = True
    for layer, was in before:
        layer.trainable = was
    for layer in chosen:
        layer.trainable = trainable
