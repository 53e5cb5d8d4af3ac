"""DeepCORAL in TensorFlow: the covariances of the two domains' activations are brought together.

Sun and Saenko, *Deep CORAL: Correlation Alignment for Deep Domain Adaptation*, ECCV 2016 Workshops, eq. 1–3 and 6:

    L = L_class + λ L_CORAL,   L_CORAL = 1/(4d²) ‖C_S − C_T‖_F²

with the covariances C = 1/(n−1) Σ (x_i − x̄)(x_i − x̄)ᵀ of a layer of d units. The paper takes the last layer, the
class logits, and such a λ that both losses are about equal at the end of training; that looks at no target label.

>>> from dtlbook import data
>>> run = train(*data.pair("digits-rotated"), steps=10, records=1)
>>> run.history.step
[10]
"""

from functools import partial

import tensorflow as tf

from dtlbook import recipe
from dtlbook.data import Domain
from dtlbook.tensorflow import training
from dtlbook.tensorflow.networks import Networks
from dtlbook.tensorflow.training import Losses, Run, cross_entropy

__all__ = ["coral_distance", "coral_loss", "covariance", "train"]


def covariance(x: tf.Tensor) -> tf.Tensor:
    """C = 1/(n−1) Σ (x_i − x̄)(x_i − x̄)ᵀ of activations [n, d], shape [d, d]."""
    if len(x) < 2:
        raise ValueError(f"a covariance needs at least 2 images of each domain, not {len(x)}; take a larger batch_size")
    x = x - tf.reduce_mean(x, 0)
    return tf.matmul(x, x, transpose_a=True) / (len(x) - 1)


def coral_distance(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """1/(4d²) ‖C_x − C_y‖_F² of activations x [n, d] and y [n', d]. Blind to a shift of the means."""
    return tf.reduce_sum((covariance(x) - covariance(y)) ** 2) / (4 * x.shape[1] ** 2)


def coral_loss(
    networks: Networks,
    x_source: tf.Tensor,
    y_source: tf.Tensor,
    x_target: tf.Tensor,
    lam: float | tf.Tensor,
    layer: str = "logits",
) -> Losses:
    """L_class + λ L_CORAL of one mini-batch, L_CORAL at the class logits or at the "features", the end of G_f.

    ``x_source`` [n, …] and ``x_target`` [n', …] are floating-point images, ``y_source`` int64 [n]. G_d is not used.
    """
    training.check_loss_input(lam, x_source, y_source, x_target)
    recipe.check_batch(x_source, y_source, x_target)
    if layer not in ("logits", "features"):
        raise ValueError(f'layer must be "logits" or "features", not {layer!r}')
    n = len(x_source)
    x = tf.concat([x_source, x_target], 0)
    f = networks.feature_extractor(x, training=True)  # one pass: batch statistics are shared
    z = networks.label_predictor(f, training=True)
    label = cross_entropy(z[:n], y_source)  # reaches G_f as well: the CORAL term alone would let it collapse
    a = {"logits": z, "features": f}[layer]
    domain = coral_distance(a[:n], a[n:])
    lam = tf.cast(lam, domain.dtype) if tf.is_tensor(lam) else lam  # tf.cast rounds a number to float32 first
    return Losses(label + lam * domain, label, domain)


def train(source: Domain, target: Domain, *, lam: float = 1.0, layer: str = "logits", **settings) -> Run:
    """Train by `coral_loss` on labelled source and unlabelled target images; ``lam=0`` is source only.

    ``layer``     "logits" as in the paper, or "features"
    ``settings``  those of `dtlbook.tensorflow.training.run` (steps, batch_size, seed, networks, …) and ``momentum``
    """
    if layer not in ("logits", "features"):
        raise ValueError(f'layer must be "logits" or "features", not {layer!r}')
    training.check_trainable(settings.get("networks"))
    recipe.check_sizes(batch_size=settings.get("batch_size", 2))
    covariance(tf.zeros([settings.get("batch_size", 2), 1]))  # a batch too small is told before training
    settings = {"domain_error": training.fresh_domain_error, **settings}
    return training.fit(partial(coral_loss, layer=layer), source, target, lam=lam, **settings)
