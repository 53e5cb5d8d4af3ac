"""The one training loop of the book in TensorFlow, and what is done with a trained network.

A method is a loss, ``loss(networks, x_source, y_source, x_target, lam) -> Losses`` (with ``x_labelled,
y_labelled`` before ``lam`` if a few target labels are allowed); `fit` minimises it. A method that is no single
minimisation, such as ADDA, gives `run` an update of its own instead.
"""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from dtlbook import divergence, recipe
from dtlbook.data import Domain, to_float
from dtlbook.history import History
from dtlbook.tensorflow.networks import Networks, mlp

__all__ = [
    "Losses",
    "Run",
    "accuracy",
    "cross_entropy",
    "descend",
    "features",
    "fit",
    "fresh_domain_error",
    "logits",
    "own_domain_error",
    "predict",
    "run",
    "source_only",
    "supervised_loss",
    "train_on_target",
]


class Losses(NamedTuple):
    """Scalars of one mini-batch. Minimise ``total``; ``domain`` is the term that compares the domains."""

    total: tf.Tensor
    label: tf.Tensor
    domain: tf.Tensor


class Run(NamedTuple):
    networks: Networks
    history: History


Update = Callable[..., Losses]  # update(x_source, y_source, x_target[, x_labelled, y_labelled], lam, mu)


# --- the loop -------------------------------------------------------------------------------------------
def run(
    make_update: Callable[[Networks], Update],
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
    records: int = 20,
    labelled: tuple[np.ndarray, np.ndarray] | None = None,
    domain_error: Callable[[Networks, Domain, Domain], float] | None = None,
) -> Run:
    """Train on labelled source and unlabelled target images; arguments as in `dtlbook.torch.training.run`.

    ``device`` and ``graph`` of that do not exist here: TensorFlow trains on a GPU if it finds one, and every run is
    compiled.

    All updates between two records are one compiled loop. Keras puts the learning rate inside the momentum,
    PyTorch outside; as the rate falls the two runs drift apart a little, while with ``alpha=0`` they agree up
    to rounding.

    ``target.y_train`` is never read; the history compares predictions with the test labels for the reader.

    Raises:
        ValueError: a setting out of its range, domains or networks that do not fit each other, or ``labelled`` for a
            method that uses none; all is told before anything is compiled.
    """
    recipe.check_run(source, target, steps, batch_size, records)
    recipe.check_lambda(lam)
    recipe.check_seed(seed)
    recipe.check_rates(mu_0, alpha, beta)
    if networks is None:
        networks = mlp(int(np.prod(source.image_shape)), source.n_classes, seed=seed)
    check_networks_fit(networks, source, domain_error is None or domain_error is own_domain_error)
    for part, input_ in zip(networks, (source.x_train[:1], None, None), strict=True):
        if input_ is not None:  # Keras makes some weights at the first call
            first = part(example(tf.constant(input_)))
        else:
            part(first)
    update = make_update(networks)
    recipe.check_takes_labelled(update, labelled)
    arrays = [source.x_train, source.y_train, target.x_train]
    indices = recipe.batch_indices(len(source.x_train), len(target.x_train), steps, batch_size, seed)
    indices = [indices[0], indices[0], indices[1]]
    if labelled is not None:
        recipe.check_labelled(*labelled, source)
        arrays += labelled
        indices += 2 * [recipe.labelled_indices(len(labelled[0]), steps, batch_size, seed)]
    arrays, indices = [tf.constant(a) for a in arrays], [tf.constant(i) for i in indices]
    lams, rates = recipe.schedules(steps, lam, scheduled, mu_0, alpha, beta)
    lams_there, rates_there = tf.constant(lams, tf.float64), tf.constant(rates, tf.float64)

    @tf.function
    def updates(first: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
        """Updates first … last − 1; the mean label and domain loss."""
        sums = tf.zeros(2, tf.float64)
        for step in tf.range(first, last):
            batch = [example(tf.gather(a, i[step])) for a, i in zip(arrays, indices, strict=True)]
            losses = update(*batch, lams_there[step], rates_there[step])
            sums += tf.cast(tf.stack([losses.label, losses.domain]), sums.dtype)
        return sums / tf.cast(last - first, sums.dtype)

    measure = domain_error or own_domain_error
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
            domain_error=measure(networks, source, target),
            seconds=seconds,
        )
    return Run(networks, history)


def descend(loss: Callable[..., Losses], momentum: float = 0.9) -> Callable[[Networks], Update]:
    """Updates by stochastic gradient descent on all three parts: v ← m v − μ g, θ ← θ + v."""
    recipe.check_momentum(momentum)

    def make_update(networks: Networks) -> Update:
        parameters = [variable for part in networks for variable in part.trainable_variables]
        if not parameters:
            raise ValueError("every block is frozen, so there is nothing to train; unfreeze one")
        optimizer = keras.optimizers.SGD(0.0, momentum=momentum)  # made once: momentum lives in it
        optimizer.build(parameters)

        def update(*batch_lam_mu: tf.Tensor) -> Losses:
            *batch, lam, mu = batch_lam_mu
            optimizer.learning_rate.assign(tf.cast(mu, optimizer.learning_rate.dtype))
            with tf.GradientTape() as tape:
                losses = loss(networks, *batch, lam)
            gradients = tape.gradient(losses.total, parameters)
            used = [(g, p) for g, p in zip(gradients, parameters, strict=True) if g is not None]
            if not used:
                raise ValueError("every block that the loss depends on is frozen; unfreeze one")
            optimizer.apply_gradients(used)
            return losses

        return update

    return make_update


def fit(loss: Callable[..., Losses], source: Domain, target: Domain, *, momentum: float = 0.9, **settings) -> Run:
    """`run` with `descend`: minimise ``loss`` by SGD.

    ``momentum``  see `descend`
    ``settings``  those of `run`, which raises the same errors
    """
    recipe.check_takes_labelled(loss, settings.get("labelled"))
    return run(descend(loss, momentum), source, target, **settings)


# --- the two ends of every comparison -------------------------------------------------------------------
def supervised_loss(
    networks: Networks, x_source: tf.Tensor, y_source: tf.Tensor, x_target: tf.Tensor, lam: tf.Tensor | float = 0.0
) -> Losses:
    """L_y alone: the mean cross-entropy of the source's labels. The target is not looked at."""
    label_logits = networks.label_predictor(networks.feature_extractor(x_source, training=True), training=True)
    label = cross_entropy(label_logits, y_source)
    return Losses(label, label, tf.zeros_like(label))


def cross_entropy(label_logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy of logits [n, classes] and int64 classes [n], in nats. No softmax before it."""
    recipe.check_classes(labels, label_logits.shape[-1])
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, label_logits))


def source_only(source: Domain, target: Domain, **settings) -> Run:
    """Lower end of every comparison: the same networks and batches, trained on the source alone."""
    check_trainable(settings.get("networks"))
    settings = {"domain_error": fresh_domain_error, "lam": 0.0, **settings}
    return fit(supervised_loss, source, target, **settings)


def train_on_target(target: Domain, **settings) -> Run:
    """Upper end, "train on target": the same loop and networks, with the target's training labels known."""
    return source_only(target, target, **settings)


# --- use ------------------------------------------------------------------------------------------------
def features(networks: Networks, images: np.ndarray) -> np.ndarray:
    """G_f of examples as a `Domain` holds them: float32 [n, k]."""
    return _apply(images, networks.feature_extractor)


def logits(networks: Networks, images: np.ndarray) -> np.ndarray:
    """Class logits, float32 [n, classes]."""
    return _apply(images, networks.feature_extractor, networks.label_predictor)


def predict(networks: Networks, images: np.ndarray) -> np.ndarray:
    """Predicted classes, int64 [n]."""
    return logits(networks, images).argmax(axis=1)


def accuracy(networks: Networks, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of the images whose predicted class is the label."""
    recipe.check_accuracy(images, labels)
    return float((predict(networks, images) == labels).mean())


def own_domain_error(networks: Networks, source: Domain, target: Domain) -> float:
    """Error of the run's own G_d on the test images, each domain counting one half; a logit above 0 says "target"."""
    z_source, z_target = (
        _apply(domain.x_test, networks.feature_extractor, networks.domain_classifier) for domain in (source, target)
    )
    return float(((z_source > 0).mean() + (z_target <= 0).mean()) / 2)


def fresh_domain_error(networks: Networks, source: Domain, target: Domain, at_most: int = 1000) -> float:
    """`divergence.domain_error` of the first ``at_most`` test features, for methods that train no G_d.

    NaN if a feature is not finite: a run that has diverged is recorded as such, and its history is kept.
    """
    f = [features(networks, domain.x_test[:at_most]) for domain in (source, target)]
    return divergence.domain_error(*f) if all(np.isfinite(x).all() for x in f) else math.nan


def _apply(images: np.ndarray, *parts: keras.Model) -> np.ndarray:
    to_float(images[:1])  # refuses what is neither uint8 images nor float32 features
    results = []
    for some in np.array_split(images, -(-len(images) // 1000) or 1):  # 1,000 at a time bounds the memory
        out = example(tf.constant(some))
        for part in parts:
            out = part(out, training=False)
        results.append(out.numpy())
    return np.concatenate(results)


# --- checks: one sentence each --------------------------------------------------------------------------
def check_networks_fit(networks: Networks, source: Domain, with_domain: bool = True) -> None:
    """`recipe.check_networks_fit` with the source's first example, in inference mode; G_d must take the features.

    Keras makes some weights at this first call.
    """

    def inferring(part):
        return lambda x: part(x, training=False)

    parts, errors = [inferring(part) for part in networks], (ValueError, TypeError, tf.errors.OpError)
    x = example(tf.constant(source.x_train[:1]))
    f = recipe.check_networks_fit(parts, x, source, with_domain, errors)
    recipe.check_part("domain classifier", parts[2], f, f"features {list(f.shape)[1:]}", errors)


def check_trainable(networks: Networks | None) -> None:
    """Something of G_f or G_y is to be trained: for methods whose loss does not depend on G_d.

    Networks that Keras has not built yet have no variables and pass.
    """
    if networks is not None and all(part.variables and not part.trainable_variables for part in networks[:2]):
        raise ValueError("every block is frozen, so there is nothing to train; unfreeze one")


def check_loss_input(lam: float | tf.Tensor, x_source: tf.Tensor, y_source: tf.Tensor, x_target: tf.Tensor) -> None:
    """λ, if it is a plain number, and the types of a batch; no number of a tensor is looked at."""
    if not tf.is_tensor(lam):
        recipe.check_lambda(lam)
    types = [tf.as_dtype(getattr(a, "dtype", None) or tf.convert_to_tensor(a).dtype)
             for a in (x_source, y_source, x_target)]  # fmt: skip
    if types[1] != tf.int64 or not types[0].is_floating or types[2] != types[0]:
        raise ValueError(
            f"x_source and x_target must be tensors of one floating-point type and y_source one of int64; got "
            f"{types[0].name}, {types[2].name}, {types[1].name}, so bring uint8 images to 0 … 1 with to_float and cast "
            "the labels"
        )


def check_labelled_input(x_source: tf.Tensor, x_labelled: tf.Tensor, y_labelled: tf.Tensor) -> None:
    """The labelled target images of a batch: x_labelled as x_source, y_labelled int64 [m]."""
    check_loss_input(0.0, x_source, y_labelled, x_labelled)
    recipe.check_labelled_batch(x_source, x_labelled, y_labelled)


def example(x: tf.Tensor) -> tf.Tensor:
    """uint8 [n, height, width, channels] to float32 0 … 1; features and labels pass unchanged."""
    return tf.cast(x, tf.float32) / 255 if x.dtype == tf.uint8 else x
