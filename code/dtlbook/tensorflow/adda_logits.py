"""ADDA as its authors' public code trains it, in TensorFlow: the encoder ends at the logits, and Adam takes stage 1, too.

Eq. 9 of Tzeng et al., CVPR 2017, holds wherever the encoder M ends and the classifier C begins. `dtlbook.tensorflow.adda`
cuts the network at the features: D looks at them, and C is shared. The authors' code (github.com/erictzeng/adda,
tools/train_adda.py) takes the whole network for M: D looks at the logits, and what was C is adapted with the rest.

>>> from dtlbook import data
>>> run = train(*data.pair("digits-rotated"), steps=10, records=1)
>>> run.history.step
[10]
"""

import keras
import numpy as np
import tensorflow as tf

from dtlbook import recipe
from dtlbook.data import Domain
from dtlbook.tensorflow import adda, training
from dtlbook.tensorflow.networks import Networks, get_weights, mlp
from dtlbook.tensorflow.training import Losses, Run, Update

__all__ = ["ending_at_logits", "first_stage", "supervised_update", "train"]


def ending_at_logits(networks: Networks) -> Networks:
    """The same function in other parts: images → logits is the feature extractor, and nothing is left to predict.

    The domain classifier is new, logits → 1: `adda.with_discriminator` makes the real D from its width.
    """
    like = networks.label_predictor.layers[-1].dtype_policy
    layers = [
        *networks.feature_extractor.layers,
        *networks.label_predictor.layers,
    ]  # one list: `get_weights` keeps order
    encoder, nothing = keras.Sequential(layers), keras.layers.Activation("linear", dtype=like)
    encoder.dtype_policy = like  # a Sequential rounds its input to a policy of its own
    discriminator = keras.Sequential([keras.layers.Dense(1, dtype=like)])
    discriminator.build((None, len(get_weights(networks.label_predictor)[-1][1])))
    return Networks(encoder, nothing, discriminator)


def supervised_update(networks: Networks) -> Update:
    """Updates of stage 1 for `training.run`: a step of the feature extractor down L_y, by Adam with β_1 = 0.5."""
    step = adda._adam(networks.feature_extractor)  # the optimizer of stage 2

    def update(x_source: tf.Tensor, y_source: tf.Tensor, x_target: tf.Tensor, lam: tf.Tensor, mu: tf.Tensor) -> Losses:
        with tf.GradientTape() as tape:
            losses = training.supervised_loss(networks, x_source, y_source, x_target)
        step(tape, losses.total, mu)
        return losses

    return update


def first_stage(
    source: Domain,
    target: Domain,
    *,
    steps: int = 10000,
    batch_size: int = 128,
    mu_0: float = 0.0002,
    seed: int = 0,
    networks: Networks | None = None,
    **settings,
) -> Run:
    """Stage 1, "source only" by Adam at the rate ``mu_0``: the Run's networks end at the logits.

    ``networks``  as any other method takes them, trained in place; `mlp` of the seed if not given
    ``settings``  the others of `dtlbook.tensorflow.training.run`
    """
    networks = networks or mlp(int(np.prod(source.image_shape)), source.n_classes, seed=seed)
    settings = {"alpha": 0.0, "domain_error": training.fresh_domain_error, **settings, "lam": 0.0, "seed": seed}
    settings |= {"steps": steps, "batch_size": batch_size, "mu_0": mu_0}
    return training.run(supervised_update, source, target, networks=ending_at_logits(networks), **settings)


def train(
    source: Domain, target: Domain, *, lam: float = 1.0, steps: int = 10000, batch_size: int = 128, **settings
) -> Run:
    """Both stages, each of ``steps`` steps and by the same settings; the Run is stage 2's, its seconds count both.

    ``lam``       factor of M_t's learning rate in stage 2, see `adda.adapt`
    ``settings``  mu_0, seed, networks, records and so on: those of `first_stage`
    """
    recipe.check_lambda(lam)  # a bad setting of stage 2 is told before stage 1 is trained
    both = {"steps": steps, "batch_size": batch_size}
    first = first_stage(source, target, **both, **settings)
    settings.pop("networks", None)
    run = adda.adapt(first.networks, source, target, lam=lam, **both, **settings)
    run.history.seconds[:] = [first.history.seconds[-1] + seconds for seconds in run.history.seconds]
    return run
