"""SagNet in TensorFlow (Keras 3): a network that looks at the content of an image, not at its style.

`dtlbook.torch.sagnet` in the other framework: same names, same draws of permutations and α for the same seed.

Nam, Lee, Park, Yoon and Yoo, *Reducing Domain Gap by Reducing Style Bias*, CVPR 2021. The style of a feature map
z [n, h, w, c] is the mean μ(z) and deviation σ(z) of each channel over its pixels; what is left, (z − μ)/σ, is its
content. Three losses, each for its own parameters:

    L_c = cross-entropy of G_c(SR(z, z'))    content kept, style mixed with another image's    → θ_f, θ_c
    L_s = cross-entropy of G_s(CR(z, z'))    style kept, content taken from another image      → θ_s
    L_adv = cross-entropy of G_s(CR(z, z')) against the uniform distribution, times λ          → θ_f

z' are the feature maps of the same batch in another order. Only G_f and G_c are used afterwards. No target image is
looked at: this is domain generalisation, best from several sources.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from dtlbook import recipe, styles
from dtlbook.data import Domain
from dtlbook.tensorflow import training
from dtlbook.tensorflow.networks import Networks, get_weights, set_weights
from dtlbook.tensorflow.training import Losses, Run, accuracy, cross_entropy, features, predict

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

    content: tf.Tensor
    style: tf.Tensor
    adversarial: tf.Tensor


# --- the method -----------------------------------------------------------------------------------------
def statistics(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and deviation of each channel over its pixels, [n, 1, 1, c] each (section 3.1): the style of z.

    σ = √(variance + 1e-5), so that a channel that is the same everywhere can be divided by it.
    """
    styles.check_maps(z.shape, z.shape[1:3])
    mean, variance = tf.nn.moments(z, axes=(1, 2), keepdims=True)
    return mean, tf.sqrt(variance + styles.EPSILON)


def style_randomization(z: tf.Tensor, swap: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """SR(z, z'): the content of z in a style between its own, α = 1, and that of z' = z[swap], α = 0.

    ``swap`` int64 [n] is a permutation, ``alpha`` [n] lies in 0 … 1.
    """
    mean, deviation = statistics(z)
    alpha = tf.reshape(tf.cast(alpha, z.dtype), (-1, 1, 1, 1))
    mixed_mean = alpha * mean + (1 - alpha) * tf.gather(mean, swap)
    mixed_deviation = alpha * deviation + (1 - alpha) * tf.gather(deviation, swap)
    return mixed_deviation * (z - mean) / deviation + mixed_mean


def content_randomization(z: tf.Tensor, swap: tf.Tensor) -> tf.Tensor:
    """CR(z, z'): the content of z' = z[swap] in the style of z. No gradient flows through the content."""
    mean, deviation = statistics(z)
    content = tf.stop_gradient(tf.gather((z - mean) / deviation, swap))
    return deviation * content + mean


def sagnet_losses(networks: Networks, x: tf.Tensor, y: tf.Tensor, swap: tf.Tensor, alpha: tf.Tensor) -> SagNetLosses:
    """The three losses of source images x [n, …] with classes y int64 [n]; G_s is the third of the networks.

    The label is that of the image whose content (L_c) or style (L_s) is kept. L_adv = −1/K Σ_k log softmax_k is
    least, log K, where G_s finds every class equally likely: style tells nothing then.
    """
    z = networks.feature_extractor(x, training=True)
    content = cross_entropy(networks.label_predictor(style_randomization(z, swap, alpha), training=True), y)
    style_logits = networks.domain_classifier(content_randomization(z, swap), training=True)
    adversarial = -tf.reduce_mean(tf.nn.log_softmax(style_logits))
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
        theta_f, theta_c, theta_s = (part.trainable_variables for part in networks)
        optimizer = keras.optimizers.SGD(0.0, momentum=momentum)  # made once: momentum lives in it
        optimizer.build([*theta_f, *theta_c, *theta_s])
        swaps_there, alphas_there = tf.constant(swaps), tf.constant(alphas)
        step = tf.Variable(0, dtype=tf.int64)

        def update(x: tf.Tensor, y: tf.Tensor, x_target: tf.Tensor, lam: tf.Tensor, mu: tf.Tensor) -> Losses:
            optimizer.learning_rate.assign(tf.cast(mu, optimizer.learning_rate.dtype))
            with tf.GradientTape(persistent=True) as tape:
                losses = sagnet_losses(networks, x, y, swaps_there[step], alphas_there[step])
            to_f, to_c = tape.gradient(losses.content, [theta_f, theta_c])
            to_s = tape.gradient(losses.style, theta_s)
            adversarial = tape.gradient(losses.adversarial, theta_f)
            to_f = [g + tf.cast(lam, g.dtype) * a for g, a in zip(to_f, adversarial, strict=True)]
            optimizer.apply_gradients(zip([*to_f, *to_c, *to_s], [*theta_f, *theta_c, *theta_s], strict=True))
            step.assign_add(1)
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
    layers = keras.layers

    def head() -> keras.Sequential:
        convolution = [layers.Conv2D(32, 3, padding="same"), layers.MaxPooling2D(2), layers.ReLU(), layers.Flatten()]
        dense = [layers.Dense(feature_dim), layers.ReLU(), layers.Dense(n_classes)]
        return keras.Sequential([keras.Input((height // 2, width // 2, 16)), *convolution, *dense])

    first = [layers.Conv2D(16, 3, padding="same"), layers.MaxPooling2D(2), layers.ReLU()]
    maps = keras.Sequential([keras.Input((height, width, channels)), *first])
    networks = Networks(maps, head(), head())
    set_weights(networks, recipe.initial_weights([weight.shape for weight, _ in get_weights(networks)], seed))
    return networks


def _check(networks: Networks, source: Domain) -> None:
    """One image through the three parts, so that what does not fit is said before training."""
    height, width, channels = recipe.check_image_shape(source.image_shape, at_least=2)
    z = networks.feature_extractor(tf.zeros((1, height, width, channels)))
    styles.check_maps(z.shape, z.shape[1:3])
    outputs = (networks.label_predictor(z), networks.domain_classifier(z))
    styles.check_networks(tuple(z.shape), *(tuple(out.shape) for out in outputs), source.n_classes)
