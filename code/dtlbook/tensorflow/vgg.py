"""VGG16 in TensorFlow (Keras 3), a small one like it, and a new classifier for either.

`dtlbook.torch.vgg` in the other framework: same names, same initial weights for the same seed. Simonyan and Zisserman,
ICLR 2015. The layers are called block1_conv1, …: so `dtlbook.tensorflow.blocks` knows which block each belongs to.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from dtlbook import blocks as names_of
from dtlbook import recipe
from dtlbook import vgg16 as vgg16_files
from dtlbook.tensorflow.networks import Networks, get_weights, set_weights

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
    recipe.check_image_shape(image_shape, at_least=32)
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=tuple(image_shape))
    return _finished([ImageNetPixels(), *base.layers[1:]], image_shape, n_classes, hidden, weights, seed)


def small_vgg(
    image_shape: tuple[int, int, int],
    n_classes: int,
    widths: Sequence[Sequence[int]] = ((8, 8), (16, 16), (32, 32)),
    hidden: int = 64,
    seed: int = 0,
) -> Networks:
    """VGG in small: a block for each entry of ``widths``, 3×3 convolutions of so many channels, then a 2×2 pool."""
    recipe.check_image_shape(image_shape, at_least=2 ** len(widths))
    layers = []
    for block, outputs in enumerate(widths, 1):
        for number, output in enumerate(outputs, 1):
            name = f"block{block}_conv{number}"
            layers += [keras.layers.Conv2D(output, 3, padding="same", activation="relu", name=name)]
        layers += [keras.layers.MaxPooling2D(2, name=f"block{block}_pool")]
    return _finished(layers, image_shape, n_classes, hidden, None, seed)


def _finished(layers, image_shape, n_classes, hidden, weights: str | None, seed) -> Networks:
    """Networks of these layers, flattened, with their first weights, under a classifier."""
    if weights not in (None, "imagenet"):
        raise ValueError(f"weights must be None or 'imagenet', not {weights!r}")
    base = keras.Sequential([keras.Input(tuple(image_shape)), *layers, keras.layers.Flatten()])
    if weights == "imagenet":
        set_weights(base, vgg16_files.imagenet_weights())
    else:
        _initialise(base, seed)
    networks = Networks(base, keras.Sequential(), keras.Sequential([keras.layers.Identity()]))
    return add_classifier(networks, base.output_shape[-1], n_classes, hidden, seed)


def add_classifier(networks: Networks, feature_dim: int, n_classes: int, hidden: int = 256, seed: int = 0) -> Networks:
    """The same G_f, not a copy, under a new G_y of initial weights: feature_dim → hidden → ReLU → classes.

    Two classes need one logit z only, as in the lecture's 256-1: the logits are then (0, z), for a softmax over
    (0, z) is (1 − σ(z), σ(z)), and cross-entropy is the lecture's binary cross-entropy.
    """
    recipe.check_sizes(feature_dim=feature_dim, n_classes=n_classes, hidden=hidden)
    dense = keras.layers.Dense
    outputs = [dense(1), ZeroFirst()] if n_classes == 2 else [dense(n_classes)]
    classifier = keras.Sequential([keras.Input((feature_dim,)), dense(hidden), keras.layers.ReLU(), *outputs])
    _initialise(classifier, seed)
    return networks._replace(label_predictor=classifier)


class ImageNetPixels(keras.Layer):
    """Red, green, blue in 0 … 1 → blue, green, red in 0 … 255 minus ImageNet's means, as VGG16 was trained."""

    def call(self, x):
        return (255 * x - tf.constant(vgg16_files.MEAN, x.dtype))[..., ::-1]


class ZeroFirst(keras.Layer):
    """One logit z, [n, 1] → the two logits (0, z), [n, 2]."""

    def call(self, z):
        return tf.concat([tf.zeros_like(z), z], 1)


def _initialise(part: keras.Model, seed: int) -> None:
    set_weights(part, names_of.he_weights([weight.shape for weight, _ in get_weights(part)], seed))
