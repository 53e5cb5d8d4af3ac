"""Classification and contrastive semantic alignment (CCSA) in TensorFlow: a few labelled target images, in pairs.

Motiian, Piccirilli, Adjeroh and Doretto, *Unified Deep Supervised Domain Adaptation and Generalization*, ICCV 2017:

    L_CCSA = L_C + L_SA + L_S
    L_SA   semantic alignment, mean of ½ d² over the pairs (x_i, x_j) of one class
    L_S    separation, mean of ½ max(0, m − d)² over the pairs of two classes

with d = ‖G_f(x_i) − G_f(x_j)‖ for each source image x_i and each labelled target image x_j, and the margin m. The
paper sums over the pairs; means do not depend on how many there are. The weights are those of the authors' code,

    L = (1 − λ) L_C + λ (L_SA + L_S),     λ, there called α, 0.25 and m = 1

(that code leaves out the ½ and takes one mean, over three times as many pairs of two classes as of one).

>>> from dtlbook import data, recipe
>>> source, target = data.pair("digits-rotated")
>>> run = train(source, target, labelled=recipe.few_labels(target, per_class=3, seed=0), steps=10, records=1)
>>> run.history.step
[10]
"""

from functools import partial

import numpy as np
import tensorflow as tf

from dtlbook import recipe
from dtlbook.data import Domain
from dtlbook.tensorflow import training
from dtlbook.tensorflow.mmd import squared_distances
from dtlbook.tensorflow.networks import Networks
from dtlbook.tensorflow.training import Losses, Run, cross_entropy

__all__ = ["ccsa_loss", "contrastive_losses", "train"]


def contrastive_losses(
    f_source: tf.Tensor, y_source: tf.Tensor, f_target: tf.Tensor, y_target: tf.Tensor, margin: float = 1.0
) -> tuple[tf.Tensor, tf.Tensor]:
    """(L_SA, L_S) over all pairs of features f_source [n, k] and f_target [m, k]; 0 where there is no such pair.

    The hinge is on the distance: ½ (m − d)², not ½ (m² − d²). Where d = 0 its gradient is taken as 0.
    """
    squared = squared_distances(f_source, f_target)
    apart = squared > 0
    d = tf.where(apart, tf.sqrt(tf.where(apart, squared, 1)), 0)  # the root has no derivative at 0: never taken there
    same = tf.cast(y_source[:, None] == y_target, squared.dtype)
    alignment = tf.reduce_sum(same * squared / 2) / tf.maximum(tf.reduce_sum(same), 1)
    separation = tf.reduce_sum((1 - same) * tf.nn.relu(margin - d) ** 2 / 2) / tf.maximum(tf.reduce_sum(1 - same), 1)
    return alignment, separation


def ccsa_loss(
    networks: Networks,
    x_source: tf.Tensor,
    y_source: tf.Tensor,
    x_target: tf.Tensor,
    x_labelled: tf.Tensor,
    y_labelled: tf.Tensor,
    lam: float | tf.Tensor,
    margin: float = 1.0,
) -> Losses:
    """(1 − λ) L_C + λ (L_SA + L_S) of one mini-batch, 0 ≤ λ ≤ 1.

    ``x_source`` [n, …] with ``y_source`` int64 [n], and the labelled target images ``x_labelled`` [m, …] with
    ``y_labelled`` int64 [m]. L_C is that of the source. The unlabelled ``x_target`` is not looked at, nor is G_d.
    """
    training.check_loss_input(lam, x_source, y_source, x_source)
    training.check_labelled_input(x_source, x_labelled, y_labelled)
    recipe.check_batch(x_source, y_source, x_labelled)
    recipe.check_share(lam, margin)
    n = len(x_source)
    x = tf.concat([x_source, x_labelled], 0)
    f = networks.feature_extractor(x, training=True)  # one pass: batch statistics are shared
    label = cross_entropy(networks.label_predictor(f[:n], training=True), y_source)
    domain = sum(contrastive_losses(f[:n], y_source, f[n:], y_labelled, margin))
    lam = tf.cast(lam, domain.dtype) if tf.is_tensor(lam) else lam  # tf.cast rounds a number to float32 first
    return Losses((1 - lam) * label + lam * domain, label, domain)


def train(
    source: Domain,
    target: Domain,
    *,
    labelled: tuple[np.ndarray, np.ndarray] | None = None,
    lam: float = 0.25,
    scheduled: bool = False,
    margin: float = 1.0,
    **settings,
) -> Run:
    """Train by `ccsa_loss` on the labelled source and a few labelled target images.

    ``labelled``  these, (images, labels), required; see `recipe.few_labels`
    ``lam``       share λ of the contrastive losses, 0 … 1; 0 is source only, 1 never trains G_y; constant if not
                  ``scheduled``
    ``margin``    m, the distance that images of two classes keep at least
    ``settings``  those of `dtlbook.tensorflow.training.run` (steps, batch_size, seed, networks, …) and ``momentum``
    """
    if labelled is None:
        raise ValueError("CCSA needs a few labelled target images: labelled=recipe.few_labels(target, per_class, seed)")
    recipe.check_numbers(lam=lam)
    recipe.check_share(float(lam), margin)
    training.check_trainable(settings.get("networks"))
    settings = {"domain_error": training.fresh_domain_error, **settings, "labelled": labelled, "scheduled": scheduled}
    return training.fit(partial(ccsa_loss, margin=margin), source, target, lam=lam, **settings)
