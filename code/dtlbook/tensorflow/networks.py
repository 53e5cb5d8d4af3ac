"""The networks of the book in TensorFlow (Keras 3), each in the three parts G_f, G_y, G_d.

Every function draws its initial weights from NumPy (`dtlbook.recipe.initial_weights`), so a network of
`dtlbook.torch.networks` with the same seed starts from the same numbers. Images are [n, height, width, channels].

Sources: Ganin et al., JMLR 17 (2016), figure 4 (`dann_mnist`, `dann_svhn`, `dann_gtsrb`); Tzeng et al., CVPR
2017, section 5.1 (`lenet`).
"""

from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np

from dtlbook import recipe

__all__ = [
    "Networks",
    "dann_gtsrb",
    "dann_mnist",
    "dann_svhn",
    "get_weights",
    "in_bfloat16",
    "lecture_cnn",
    "lenet",
    "mlp",
    "set_weights",
    "small_cnn",
]


class Networks(NamedTuple):
    """The three parts of an adapted network.

    G_f(.; θ_f): images → features [n, k]; G_y(.; θ_y): features → class logits [n, classes];
    G_d(.; θ_d): features → ONE logit [n, 1], above 0 for "target".
    """

    feature_extractor: keras.Model
    label_predictor: keras.Model
    domain_classifier: keras.Model


def mlp(
    input_dim: int,
    n_classes: int,
    feature_dim: int = 64,
    hidden: int = 64,
    seed: int = 0,
    dtype: str = "float32",
) -> Networks:
    """Small fully connected networks.

    G_f: input_dim → hidden → feature_dim, ReLU after each; G_y: one linear layer;
    G_d: feature_dim → hidden → 1 with a ReLU between.
    """
    recipe.check_sizes(input_dim=input_dim, n_classes=n_classes, feature_dim=feature_dim, hidden=hidden)
    return _networks(
        [keras.layers.Flatten(), *_dense(hidden, feature_dim), keras.layers.ReLU()],
        _dense(n_classes),
        _dense(hidden, 1),
        (input_dim,),
        seed,
        dtype,
    )


def small_cnn(
    image_shape: tuple[int, int, int], n_classes: int, feature_dim: int = 64, seed: int = 0, dtype: str = "float32"
) -> Networks:
    """A CNN for the embedded digits (8×8 or more): conv 3×3×16, pool, conv 3×3×32, pool, one dense layer.

    ``image_shape`` is (height, width, channels).
    """
    recipe.check_image_shape(image_shape, at_least=4)
    return _networks(
        [
            *_conv(16, 3, padding="same", pool=2),
            *_conv(32, 3, padding="same", pool=2),
            keras.layers.Flatten(),
            keras.layers.Dense(feature_dim),
            keras.layers.ReLU(),
        ],
        _dense(n_classes),
        _dense(feature_dim, 1),
        image_shape,
        seed,
        dtype,
    )


def dann_mnist(
    image_shape: tuple[int, int, int] = (28, 28, 3),
    n_classes: int = 10,
    mean: np.ndarray | float = 0.0,
    seed: int = 0,
    dtype: str = "float32",
) -> Networks:
    """The paper's network for MNIST → MNIST-M (JMLR 2016, figure 4a), 768 features for 28×28 images.

    G_f: conv 5×5×32, pool 2, conv 5×5×48, pool 2; G_y: 100-100-classes; G_d: 100-1. ``mean`` (one number, or
    one for each channel, in 0 … 1) is subtracted first.
    """
    recipe.check_image_shape(image_shape, at_least=16)
    return _networks(
        [_centre(mean), *_conv(32, 5, pool=2), *_conv(48, 5, pool=2), keras.layers.Flatten()],
        _dense(100, 100, n_classes),
        _dense(100, 1),
        image_shape,
        seed,
        dtype,
    )


def dann_svhn(n_classes: int = 10, mean: np.ndarray | float = 0.0, seed: int = 0, dtype: str = "float32") -> Networks:
    """The paper's network for SVHN, 32×32×3 (JMLR 2016, figure 4b): three 5×5 convolutions, two 3×3 pools of stride 2.

    G_y: 3072-2048-classes; G_d: 1024-1024-1. Without the dropout that the authors' files add.
    """
    return _networks(
        [
            _centre(mean),
            *_conv(64, 5, padding="same", pool=3, stride=2),
            *_conv(64, 5, padding="same", pool=3, stride=2),
            *_conv(128, 5, padding="same"),
            keras.layers.Flatten(),
        ],
        _dense(3072, 2048, n_classes),
        _dense(1024, 1024, 1),
        (32, 32, 3),
        seed,
        dtype,
    )


def dann_gtsrb(n_classes: int = 43, mean: np.ndarray | float = 0.0, seed: int = 0, dtype: str = "float32") -> Networks:
    """The paper's network for traffic signs, 40×40×3 (JMLR 2016, figure 4c). G_y: 512-classes; G_d: 1024-1024-1."""
    return _networks(
        [
            _centre(mean),
            *_conv(96, 5, pool=2),
            *_conv(144, 3, pool=2),
            *_conv(256, 5, pool=2),
            keras.layers.Flatten(),
        ],
        _dense(512, n_classes),
        _dense(1024, 1024, 1),
        (40, 40, 3),
        seed,
        dtype,
    )


def lecture_cnn(
    image_shape: tuple[int, int, int] = (28, 28, 3), n_classes: int = 10, seed: int = 0, dtype: str = "float32"
) -> Networks:
    """The network of the lecture's demo: conv 5×5×64, conv 5×5×128, one pool; label head 128, domain head 64.

    The demo ends its domain head in two units under a softmax. One logit is the same function: a softmax over
    (a, b) is the sigmoid of b − a.
    """
    recipe.check_image_shape(image_shape, at_least=10)
    return _networks(
        [*_conv(64, 5), *_conv(128, 5, pool=2), keras.layers.Flatten()],
        _dense(128, n_classes),
        _dense(64, 1),
        image_shape,
        seed,
        dtype,
    )


def lenet(
    image_shape: tuple[int, int, int] = (28, 28, 1), n_classes: int = 10, seed: int = 0, dtype: str = "float32"
) -> Networks:
    """ADDA's network for MNIST and USPS: conv 5×5×20, pool, conv 5×5×50, pool, 500 features; G_d: 500-500-1."""
    recipe.check_image_shape(image_shape, at_least=16)
    return _networks(
        [
            *_conv(20, 5, pool=2),
            *_conv(50, 5, pool=2),
            keras.layers.Flatten(),
            keras.layers.Dense(500),
            keras.layers.ReLU(),
        ],
        _dense(n_classes),
        _dense(500, 500, 1),
        image_shape,
        seed,
        dtype,
    )


# --- layers ---------------------------------------------------------------------------------------------
def _centre(mean: np.ndarray | float) -> keras.Layer:
    """x − mean; the mean is one number or one for each channel and is not trained."""
    return keras.layers.Rescaling(1.0, offset=(-np.asarray(mean, np.float32)).tolist())


def _conv(
    outputs: int, size: int, padding: str = "valid", pool: int = 0, stride: int | None = None
) -> list[keras.Layer]:
    """Convolution, pool, ReLU. Pooling first gives the same numbers, max(relu) = relu(max), on fewer pixels."""
    pooling = [keras.layers.MaxPooling2D(pool, stride)] if pool else []
    return [
        keras.layers.Conv2D(outputs, size, padding=padding),
        *pooling,
        keras.layers.ReLU(),
    ]


def _dense(*widths: int) -> list[keras.Layer]:
    """Dense layers with a ReLU between each two."""
    layers = [layer for width in widths for layer in (keras.layers.Dense(width), keras.layers.ReLU())]
    return layers[:-1]


def _networks(
    feature_extractor: list[keras.Layer],
    label_predictor: list[keras.Layer],
    domain_classifier: list[keras.Layer],
    input_shape: tuple[int, ...],
    seed: int,
    dtype: str,
) -> Networks:
    features = _build(feature_extractor, (None, *input_shape), dtype)
    for head in (label_predictor, domain_classifier):
        _build(head, features, dtype)
    parts = Networks(*(keras.Sequential(layers) for layers in (feature_extractor, label_predictor, domain_classifier)))
    for part in parts:  # a Sequential rounds its input to a policy of its own
        part.dtype_policy = keras.DTypePolicy(dtype)
    shapes = [weight.shape for weight, _ in get_weights(parts)]
    set_weights(parts, recipe.initial_weights(shapes, seed))
    return parts


def _build(layers: list[keras.Layer], shape: tuple[int | None, ...], dtype: str) -> tuple[int | None, ...]:
    """Make the weights of the layers for inputs of this shape; the shape of the output."""
    for layer in layers:
        layer.dtype_policy = keras.DTypePolicy(dtype)
        layer.build(shape)
        shape = layer.compute_output_shape(shape)
    return shape


# --- weights --------------------------------------------------------------------------------------------
def get_weights(networks: Networks | keras.Model) -> list[recipe.Layer]:
    """Weights and biases of every convolution and dense layer in order.

    A kernel is [height, width, inputs, outputs], a matrix [inputs, outputs]; `set_weights` of either framework
    takes them.
    """
    return [tuple(layer.get_weights()) for layer in _layers(networks)]


def set_weights(networks: Networks | keras.Model, weights: list[recipe.Layer]) -> None:
    """Copy such weights in.

    Raises:
        ValueError: the number of layers or a shape does not fit.
    """
    layers = list(_layers(networks))
    recipe.check_weights([layer.kernel.shape for layer in layers], weights)
    for layer, pair in zip(layers, weights, strict=True):
        layer.set_weights(pair)


def _layers(networks: Networks | keras.Model) -> Iterator[keras.Layer]:
    for part in networks if isinstance(networks, tuple) else (networks,):
        yield from (
            layer
            for layer in part._flatten_layers(include_self=False)
            if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)
        )


# --- precision ------------------------------------------------------------------------------------------
def in_bfloat16(networks: Networks) -> Networks:
    """The same networks and weights with G_f computed in bfloat16; heads, losses and updates stay float32.

    The layers are those of ``networks``, which compute in bfloat16 from then on, too.
    """
    for layer in networks.feature_extractor.layers:
        layer.dtype_policy = keras.DTypePolicy("mixed_bfloat16")
    as_float32 = keras.layers.Activation("linear", dtype="float32")
    return networks._replace(feature_extractor=keras.Sequential([*networks.feature_extractor.layers, as_float32]))
