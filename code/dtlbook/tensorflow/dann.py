"""Domain-adversarial training of neural networks (DANN) in TensorFlow with Keras 3.

`dtlbook.torch.dann` in the other framework: same names, same initial weights and mini-batches for the same
seed, same losses and gradients (a test holds them to 1e-10 in float64). The objective is

    E(θ_f, θ_y, θ_d) = 1/n Σ_{i≤n} L_y^i − λ [ 1/n Σ_{i≤n} L_d^i + 1/n' Σ_{i>n} L_d^i ]

(JMLR 2016, eq. 10), d_i = 0 source, 1 target, minimal in θ_f and θ_y, maximal in θ_d (eq. 11 and 12).
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from dtlbook import recipe
from dtlbook.data import Domain
from dtlbook.recipe import lambda_schedule, learning_rate_schedule
from dtlbook.tensorflow import training
from dtlbook.tensorflow.networks import Networks
from dtlbook.tensorflow.networks import mlp as mlp_networks
from dtlbook.tensorflow.training import Losses, Run, accuracy, cross_entropy, features, predict

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
@tf.custom_gradient
def _reverse(x: tf.Tensor, lam: tf.Tensor):
    def backward(gradient: tf.Tensor) -> tuple[tf.Tensor, None]:
        return -lam * gradient, None  # dR_λ/dx = −λ I

    return tf.identity(x), backward  # R_λ(x) = x


def gradient_reversal(x: tf.Tensor, lam: float | tf.Tensor) -> tf.Tensor:
    """Gradient reversal layer R_λ (ICML 2015, eq. 7 and 8): x forward, −λ times the gradient backward.

    JMLR 2016, eq. 16 and 17, is the case λ = 1. Any shape, floating point.
    """
    x = tf.convert_to_tensor(x)
    if not x.dtype.is_floating:
        raise ValueError(
            f"gradient_reversal needs a floating-point tensor, not {x.dtype.name}; integers carry no gradient"
        )
    if tf.is_tensor(lam):  # so λ can change from step to step inside one compiled function
        return _reverse(x, tf.cast(lam, x.dtype))
    recipe.check_lambda(lam)
    return _reverse(x, tf.constant(lam, x.dtype))  # not tf.cast, which would round a number to float32 first


def domain_loss(z_source: tf.Tensor, z_target: tf.Tensor) -> tf.Tensor:
    """1/n Σ L_d^i + 1/n' Σ L_d^i of logits z, [n, 1] and [n', 1]: a SUM of two means, 2 log 2 where G_d knows nothing.

    L_d = −log(1 − σ(z)) = softplus(z) for d = 0, −log σ(z) = softplus(−z) for d = 1.
    """
    for z in (z_source, z_target):
        if z.shape.rank != 2 or z.shape[1] != 1:
            raise ValueError(
                f"the domain classifier must give one logit an image, shape [{len(z)}, 1]; got {list(z.shape)}"
            )
    return tf.reduce_mean(tf.math.softplus(z_source)) + tf.reduce_mean(tf.math.softplus(-z_target))


def dann_loss(
    networks: Networks, x_source: tf.Tensor, y_source: tf.Tensor, x_target: tf.Tensor, lam: float | tf.Tensor
) -> Losses:
    """Losses of one mini-batch, the pseudo-objective Ẽ (ICML 2015, eq. 9, with the means of JMLR 2016, eq. 10).

    ``x_source`` [n, …] and ``x_target`` [n', …] are floating-point images, ``y_source`` int64 [n]. The
    gradient of ``total`` is ∂L_y/∂θ_f − λ ∂L_d/∂θ_f for θ_f, ∂L_y/∂θ_y for θ_y and +∂L_d/∂θ_d, without λ, for
    θ_d: three updates, one SGD. These are ICML 2015, eq. 4–6, and JMLR 2016, eq. 13–15, with λ = 1 in eq. 15 as
    in section 5.2.2 there. (JMLR 2016, eq. 18, prints −λ before L_d, which would reverse θ_f and θ_d.)
    """
    recipe.check_batch(x_source, y_source, x_target)
    x_source, y_source, x_target = (tf.convert_to_tensor(a) for a in (x_source, y_source, x_target))
    if y_source.dtype != tf.int64 or not x_source.dtype.is_floating or x_target.dtype != x_source.dtype:
        raise ValueError(
            f"x_source and x_target must be of one floating-point type and y_source int64; "
            f"got {x_source.dtype.name}, {x_target.dtype.name}, {y_source.dtype.name}"
        )
    n = len(x_source)
    x = tf.concat([x_source, x_target], 0)
    f = networks.feature_extractor(x, training=True)  # one pass: batch statistics are shared
    label_logits = networks.label_predictor(f[:n], training=True)  # labels exist in the source only
    domain_logits = networks.domain_classifier(gradient_reversal(f, lam), training=True)
    label = cross_entropy(label_logits, y_source)  # takes logits: no softmax before it
    domain = domain_loss(domain_logits[:n], domain_logits[n:])
    return Losses(label + domain, label, domain)


def semi_supervised_loss(
    networks: Networks,
    x_source: tf.Tensor,
    y_source: tf.Tensor,
    x_target: tf.Tensor,
    x_labelled: tf.Tensor,
    y_labelled: tf.Tensor,
    lam: float | tf.Tensor,
) -> Losses:
    """`dann_loss` with a few labelled target images, ``x_labelled`` [m, …] and ``y_labelled`` int64 [m].

    L_y becomes the mean over source and labelled target images together; L_d is unchanged and sees no label.
    (JMLR 2016, section 5.2.4, trains so on traffic signs; how the paper weights the two is not stated.)
    """
    training.check_labelled_input(x_source, x_labelled, y_labelled)
    losses = dann_loss(networks, x_source, y_source, x_target, lam)
    f = networks.feature_extractor(x_labelled, training=True)
    few = cross_entropy(networks.label_predictor(f, training=True), y_labelled)
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
    ``settings``  those of `dtlbook.tensorflow.training.run` (steps, batch_size, seed, networks, …) and ``momentum``
    """
    loss: Callable[..., Losses] = dann_loss if labelled is None else semi_supervised_loss
    return training.fit(loss, source, target, lam=lam, labelled=labelled, **settings)


def train_supervised(domain: Domain, **settings) -> Run:
    """Upper bound "train on target": the same loop and networks, with the labels of ``domain`` known."""
    return train(domain, domain, lam=0.0, **settings)
