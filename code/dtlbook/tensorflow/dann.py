"""Domain-adversarial training of neural networks (DANN) in TensorFlow with Keras 3.

`dtlbook.torch.dann` in the other framework: same names, same initial weights and mini-batches for the same
seed, same losses and gradients (a test holds them to 1e-10 in float64). The objective is

    E(θ_f, θ_y, θ_d) = 1/n Σ_{i≤n} L_y^i − λ [ 1/n Σ_{i≤n} L_d^i + 1/n' Σ_{i>n} L_d^i ]

(JMLR 2016, eq. 10), d_i = 0 source, 1 target, minimal in θ_f and θ_y, maximal in θ_d (eq. 11 and 12).
"""

import time
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

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

    feature_extractor: keras.Model
    label_predictor: keras.Model
    domain_classifier: keras.Model


class Losses(NamedTuple):
    """Scalars: total = label + domain. Minimise total; the gradient reversal inside sees to the rest."""

    total: tf.Tensor
    label: tf.Tensor
    domain: tf.Tensor


class Run(NamedTuple):
    networks: Networks
    history: History


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
    if domain_logits.shape[1:] != (1,):
        raise ValueError(
            f"the domain classifier must give one logit an image, shape [{len(f)}, 1]; "
            f"got {list(domain_logits.shape)}"
        )
    # The cross-entropy takes logits: no softmax before it.
    label = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y_source, label_logits))
    # L_d = −log(1 − σ(z)) = softplus(z) for d = 0, −log σ(z) = softplus(−z) for d = 1
    domain_source = tf.reduce_mean(tf.math.softplus(domain_logits[:n]))
    domain_target = tf.reduce_mean(tf.math.softplus(-domain_logits[n:]))
    domain = domain_source + domain_target
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
    flatten = [keras.layers.Flatten(dtype=dtype)]
    networks = Networks(
        keras.Sequential(flatten + _layers(weights["feature_extractor"], dtype, last="relu")),
        keras.Sequential(_layers(weights["label_predictor"], dtype)),
        keras.Sequential(_layers(weights["domain_classifier"], dtype)),
    )
    for part in networks:  # a Sequential rounds its input to a policy of its own
        part.dtype_policy = keras.DTypePolicy(dtype)
    return networks


def _layers(weights: list[recipe.Layer], dtype: str, last: str | None = None) -> list[keras.layers.Layer]:
    """Dense layers of these weights with a ReLU between each two and ``last`` after the last."""
    layers = []
    for k, (weight, bias) in enumerate(weights, start=1):
        layer = keras.layers.Dense(
            weight.shape[1], activation="relu" if k < len(weights) else last, dtype=dtype
        )
        layer.build((None, weight.shape[0]))
        layer.set_weights([weight, bias])
        layers.append(layer)
    return layers


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
) -> Run:
    """Train a DANN on labelled source and unlabelled target images; ``lam=0`` is training on the source only.

    Arguments and history as in `dtlbook.torch.dann.train`. Keras puts the learning rate inside the momentum,
    PyTorch outside; as the rate falls the two runs drift apart a little, while with ``alpha=0`` they agree up
    to rounding.

    Target labels reach no update and no choice; the history compares predictions with the test ones.
    """
    recipe.check_run(source, target, steps, batch_size, records, momentum)
    recipe.check_lambda(lam)
    networks = networks or mlp_networks(int(np.prod(source.image_shape)), source.n_classes, seed=seed)
    x_source, x_target = tf.constant(to_float(source.x_train)), tf.constant(to_float(target.x_train))
    y_source = tf.constant(source.y_train)
    i_source, i_target = map(
        tf.constant, recipe.batch_indices(len(x_source), len(x_target), steps, batch_size, seed)
    )
    progress = [step / max(steps - 1, 1) for step in range(steps)]
    lams = [lam * lambda_schedule(p) if scheduled else lam for p in progress]
    rates = [learning_rate_schedule(p, mu_0, alpha, beta) for p in progress]
    lam_p, mu_p = tf.constant(lams, x_source.dtype), tf.constant(rates, x_source.dtype)
    dann_loss(
        networks, x_source[:1], y_source[:1], x_target[:1], 0.0
    )  # Keras makes some weights at the first call
    parameters = [variable for part in networks for variable in part.trainable_variables]
    optimizer = keras.optimizers.SGD(mu_0, momentum=momentum)  # made once: momentum lives in it
    optimizer.build(parameters)

    @tf.function
    def updates(first: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
        """Updates first … last − 1 in one compiled loop; the mean label and domain loss."""
        sums = tf.zeros(2, x_source.dtype)
        for step in tf.range(first, last):
            batch = (
                tf.gather(x_source, i_source[step]),
                tf.gather(y_source, i_source[step]),
                tf.gather(x_target, i_target[step]),
            )
            with tf.GradientTape() as tape:
                losses = dann_loss(networks, *batch, lam_p[step])
            optimizer.learning_rate.assign(tf.cast(mu_p[step], optimizer.learning_rate.dtype))
            optimizer.apply(tape.gradient(losses.total, parameters), parameters)
            sums += tf.stack([losses.label, losses.domain])
        return sums / tf.cast(last - first, sums.dtype)

    history, seconds, done = History(), 0.0, 0
    for step in recipe.record_steps(steps, records):
        start = time.perf_counter()
        label_loss, domain_loss = updates(tf.constant(done), tf.constant(step)).numpy().tolist()
        seconds, done = seconds + time.perf_counter() - start, step
        history.add(
            step=step,
            lam=lams[step - 1],
            learning_rate=rates[step - 1],
            label_loss=label_loss,
            domain_loss=domain_loss,
            source_accuracy=accuracy(networks, source.x_test, source.y_test),
            target_accuracy=accuracy(networks, target.x_test, target.y_test),
            domain_error=_own_domain_error(networks, source.x_test, target.x_test),
            seconds=seconds,
        )
    return Run(networks, history)


def train_supervised(domain: Domain, **settings) -> Run:
    """Upper bound "train on target": the same loop and networks, with the labels of ``domain`` known."""
    return train(domain, domain, lam=0.0, **settings)


# --- use ------------------------------------------------------------------------------------------------
def features(networks: Networks, images: np.ndarray) -> np.ndarray:
    """G_f of uint8 images [n, height, width, channels]: float32 [n, feature_dim]."""
    return _apply(images, networks.feature_extractor)


def predict(networks: Networks, images: np.ndarray) -> np.ndarray:
    """Predicted classes, int64 [n], of uint8 images [n, height, width, channels]."""
    return _apply(images, networks.feature_extractor, networks.label_predictor).argmax(axis=1)


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
        _apply(x, networks.feature_extractor, networks.domain_classifier) for x in (x_source, x_target)
    )
    return float(((z_source > 0).mean() + (z_target <= 0).mean()) / 2)


def _apply(images: np.ndarray, *parts: keras.Model) -> np.ndarray:
    out = tf.constant(to_float(images))
    for part in parts:
        out = part(out, training=False)
    return out.numpy()
