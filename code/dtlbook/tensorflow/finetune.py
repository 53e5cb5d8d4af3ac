"""Fine-tuning in TensorFlow (Keras 3): freeze blocks, train what is left, a learning rate for each block.

`dtlbook.torch.finetune` in the other framework: same names, same initial weights and mini-batches for the same seed.

The procedure of the lecture has five steps: (1) put a new classifier G_y on a pre-trained G_f, (2) freeze G_f,
(3) train G_y (feature extraction), (4) unfreeze the last block of G_f, (5) train both (fine-tuning): `five_steps`.
Blocks have the names of VGG16, block1 … block5, in every network; the classifier is the block "classifier".

Source: Howard and Ruder, ACL 2018, section 3.2 (a rate for each block). What is frozen stands in
`dtlbook.tensorflow.blocks`, the networks in `dtlbook.tensorflow.vgg`; all their names are names of this module too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from dtlbook import blocks as names_of
from dtlbook import recipe
from dtlbook.data import Domain
from dtlbook.tensorflow import training
from dtlbook.tensorflow.blocks import Count, blocks, count, freeze, transplant, unfreeze
from dtlbook.tensorflow.networks import Networks
from dtlbook.tensorflow.training import Losses, Run, accuracy, features, predict, supervised_loss
from dtlbook.tensorflow.vgg import add_classifier, small_vgg, vgg16

__all__ = [
    "Count",
    "FiveSteps",
    "Losses",
    "Networks",
    "Run",
    "accuracy",
    "add_classifier",
    "blocks",
    "count",
    "descend",
    "features",
    "fit",
    "five_steps",
    "freeze",
    "predict",
    "small_vgg",
    "supervised_loss",
    "train",
    "transplant",
    "unfreeze",
    "vgg16",
]


class FiveSteps(NamedTuple):
    """What the five steps leave: the run of step 3, that of step 5; both hold the same networks."""

    feature_extraction: Run
    fine_tuning: Run


def descend(
    rates: Mapping[str, float] | None = None,
    optimizer: str = "sgd",
    momentum: float = 0.9,
    loss: Callable[..., Losses] = supervised_loss,
) -> Callable[[Networks], training.Update]:
    """Updates of the blocks that are not frozen, each at its own rate: μ times ``rates[name]``, 1 if not named.

    ``optimizer``  "sgd" with momentum: v ← m v + g, θ ← θ − μ v; or "rmsprop", the lecture's, as Keras has it:
                   s ← 0.9 s + 0.1 g², θ ← θ − μ g/√s (PyTorch's own default is 0.99 and 0.01)
    """
    rates = dict(rates or {})
    recipe.check_momentum(momentum)
    names_of.check_rates(rates, optimizer)

    def make_update(networks: Networks) -> training.Update:
        names_of.check_names(rates, blocks(networks))
        chosen = {name: [layer for layer in layers if layer.trainable] for name, layers in blocks(networks).items()}
        variables = {
            name: [v for layer in layers for v in layer.trainable_variables]
            for name, layers in chosen.items()
            if layers
        }
        if not variables:
            raise ValueError("every block is frozen, so there is nothing to train; unfreeze one")
        steppers = {name: _stepper(optimizer, momentum) for name in variables}  # made once: momentum lives in them
        for name, stepper in steppers.items():
            stepper.build(variables[name])

        def update(*batch_lam_mu: tf.Tensor) -> Losses:
            *batch, lam, mu = batch_lam_mu
            with tf.GradientTape() as tape:
                losses = loss(networks, *batch, lam)
            gradients = tape.gradient(losses.total, variables)
            for name, stepper in steppers.items():
                stepper.learning_rate.assign(tf.cast(mu * rates.get(name, 1.0), stepper.learning_rate.dtype))
                stepper.apply_gradients(zip(gradients[name], variables[name], strict=True))
            return losses

        return update

    return make_update


def fit(
    target: Domain,
    networks: Networks,
    *,
    labelled: tuple[np.ndarray, np.ndarray] | None = None,
    rates: Mapping[str, float] | None = None,
    optimizer: str = "sgd",
    momentum: float = 0.9,
    loss: Callable[..., Losses] = supervised_loss,
    **settings,
) -> Run:
    """Go on training ``networks``, in place, on the target's labels: all blocks that are not frozen.

    ``labelled``  the only target examples with labels, (images, labels) as from `recipe.few_labels`; else all
    ``settings``  those of `training.run` (steps, batch_size, seed, mu_0, …)
    """
    if labelled is not None:
        recipe.check_labelled(*labelled, target)
        target = replace(target, x_train=labelled[0], y_train=labelled[1])
    one_domain = lambda *_: 0.5  # noqa: E731  source and target are the same examples: nothing to tell apart
    update = descend(rates, optimizer, momentum, loss)
    return training.run(
        update, target, target, **{"lam": 0.0, "domain_error": one_domain, "networks": networks, **settings}
    )


def five_steps(
    pretrained: Networks,
    target: Domain,
    *,
    unfrozen: int = 1,
    hidden: int = 256,
    steps: tuple[int, int] = (1000, 1000),
    mu_0: tuple[float, float] = (0.01, 0.001),
    seed: int = 0,
    **settings,
) -> FiveSteps:
    """The lecture's five steps on a pre-trained G_f, which is changed in place.

    ``unfrozen``       how many blocks, from the last, step 4 unfreezes
    ``steps``, ``mu_0``  of step 3 and of step 5; ``settings`` of both are those of `fit`
    """
    names_of.check_stages(steps=steps, mu_0=mu_0)
    names_of.check_depth(unfrozen, len(names_of.of_features(blocks(pretrained))))
    feature_dim = training.features(pretrained, target.x_test[:1]).shape[1]
    networks = add_classifier(pretrained, feature_dim, target.n_classes, hidden, seed)  # 1 a new classifier
    freeze(networks)  # 2 G_f keeps still
    first = fit(target, networks, steps=steps[0], mu_0=mu_0[0], seed=seed, **settings)  # 3 feature extraction
    unfreeze(networks, names_of.last(blocks(networks), unfrozen))  # 4 the last block may move
    second = fit(target, networks, steps=steps[1], mu_0=mu_0[1], seed=seed, **settings)  # 5 fine-tuning
    return FiveSteps(first, second)


def train(
    source: Domain,
    target: Domain,
    *,
    labelled: tuple[np.ndarray, np.ndarray] | None = None,
    networks: Networks | None = None,
    frozen: Sequence[str] = (),
    steps: int = 2000,
    seed: int = 0,
    mu_0: float = 0.01,
    fine_mu_0: float | None = None,
    rates: Mapping[str, float] | None = None,
    **settings,
) -> Run:
    """Pre-train on the source's labels, then fine-tune on the target's, ``steps`` updates each, same classes.

    ``labelled``   the only target labels that are used; all of the target's training labels if left out
    ``frozen``     blocks that keep still in fine-tuning
    ``fine_mu_0``  the learning rate of fine-tuning; a tenth of ``mu_0`` if left out
    """
    before = training.source_only(source, target, networks=networks, steps=steps, seed=seed, mu_0=mu_0, **settings)
    freeze(before.networks, frozen)
    fine = mu_0 / 10 if fine_mu_0 is None else fine_mu_0
    return fit(target, before.networks, labelled=labelled, rates=rates, steps=steps, seed=seed, mu_0=fine, **settings)


def _stepper(optimizer: str, momentum: float) -> keras.optimizers.Optimizer:
    if optimizer == "sgd":
        return keras.optimizers.SGD(0.0, momentum=momentum)
    return keras.optimizers.RMSprop(0.0, rho=0.9, epsilon=1e-16)  # under the root here: 1e-8 outside
