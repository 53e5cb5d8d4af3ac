"""The networks of the book in PyTorch, each in the three parts G_f, G_y, G_d.

Every function draws its initial weights from NumPy (`dtlbook.recipe.initial_weights`), so a network of
`dtlbook.tensorflow.networks` with the same seed starts from the same numbers. Images are [n, channels, height,
width]; kernels are stored channels last, which is the faster order on a CPU and on tensor cores.

Sources: Ganin et al., JMLR 17 (2016), figure 4 (`dann_mnist`, `dann_svhn`, `dann_gtsrb`); Tzeng et al., CVPR
2017, section 5.1 (`lenet`).
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

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

    feature_extractor: nn.Module
    label_predictor: nn.Module
    domain_classifier: nn.Module


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
        [FlattenNHWC(), *_dense(input_dim, hidden, feature_dim), nn.ReLU()],
        _dense(feature_dim, n_classes),
        _dense(feature_dim, hidden, 1),
        seed,
        dtype,
    )


def small_cnn(
    image_shape: tuple[int, int, int], n_classes: int, feature_dim: int = 64, seed: int = 0, dtype: str = "float32"
) -> Networks:
    """A CNN for the embedded digits (8×8 or more): conv 3×3×16, pool, conv 3×3×32, pool, one dense layer.

    ``image_shape`` is (height, width, channels).
    """
    height, width, channels = recipe.check_image_shape(image_shape, at_least=4)
    flat = (height // 4) * (width // 4) * 32
    return _networks(
        [
            *_conv(channels, 16, 3, padding=1, pool=2),
            *_conv(16, 32, 3, padding=1, pool=2),
            FlattenNHWC(),
            nn.Linear(flat, feature_dim),
            nn.ReLU(),
        ],
        _dense(feature_dim, n_classes),
        _dense(feature_dim, feature_dim, 1),
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
    height, width, channels = recipe.check_image_shape(image_shape, at_least=16)
    flat = _after_pools(height) * _after_pools(width) * 48
    return _networks(
        [Centre(mean), *_conv(channels, 32, 5, pool=2), *_conv(32, 48, 5, pool=2), FlattenNHWC()],
        _dense(flat, 100, 100, n_classes),
        _dense(flat, 100, 1),
        seed,
        dtype,
    )


def dann_svhn(n_classes: int = 10, mean: np.ndarray | float = 0.0, seed: int = 0, dtype: str = "float32") -> Networks:
    """The paper's network for SVHN, 32×32×3 (JMLR 2016, figure 4b): three 5×5 convolutions, two 3×3 pools of stride 2.

    G_y: 3072-2048-classes; G_d: 1024-1024-1. Without the dropout that the authors' files add.
    """
    return _networks(
        [
            Centre(mean),
            *_conv(3, 64, 5, padding=2, pool=3, stride=2),
            *_conv(64, 64, 5, padding=2, pool=3, stride=2),
            *_conv(64, 128, 5, padding=2),
            FlattenNHWC(),
        ],
        _dense(7 * 7 * 128, 3072, 2048, n_classes),
        _dense(7 * 7 * 128, 1024, 1024, 1),
        seed,
        dtype,
    )


def dann_gtsrb(n_classes: int = 43, mean: np.ndarray | float = 0.0, seed: int = 0, dtype: str = "float32") -> Networks:
    """The paper's network for traffic signs, 40×40×3 (JMLR 2016, figure 4c). G_y: 512-classes; G_d: 1024-1024-1."""
    return _networks(
        [
            Centre(mean),
            *_conv(3, 96, 5, pool=2),
            *_conv(96, 144, 3, pool=2),
            *_conv(144, 256, 5, pool=2),
            FlattenNHWC(),
        ],
        _dense(2 * 2 * 256, 512, n_classes),
        _dense(2 * 2 * 256, 1024, 1024, 1),
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
    height, width, channels = recipe.check_image_shape(image_shape, at_least=10)
    flat = ((height - 8) // 2) * ((width - 8) // 2) * 128
    return _networks(
        [*_conv(channels, 64, 5), *_conv(64, 128, 5, pool=2), FlattenNHWC()],
        _dense(flat, 128, n_classes),
        _dense(flat, 64, 1),
        seed,
        dtype,
    )


def lenet(
    image_shape: tuple[int, int, int] = (28, 28, 1), n_classes: int = 10, seed: int = 0, dtype: str = "float32"
) -> Networks:
    """ADDA's network for MNIST and USPS: conv 5×5×20, pool, conv 5×5×50, pool, 500 features; G_d: 500-500-1."""
    height, width, channels = recipe.check_image_shape(image_shape, at_least=16)
    flat = _after_pools(height) * _after_pools(width) * 50
    return _networks(
        [
            *_conv(channels, 20, 5, pool=2),
            *_conv(20, 50, 5, pool=2),
            FlattenNHWC(),
            nn.Linear(flat, 500),
            nn.ReLU(),
        ],
        _dense(500, n_classes),
        _dense(500, 500, 500, 1),
        seed,
        dtype,
    )


# --- layers ---------------------------------------------------------------------------------------------
class FlattenNHWC(nn.Module):
    """[n, c, h, w] → [n, h·w·c]: the order of Keras, and no copy for tensors that are stored channels last."""

    def forward(self, x: Tensor) -> Tensor:
        return (x.permute(0, 2, 3, 1) if x.ndim == 4 else x).flatten(1)


class Centre(nn.Module):
    """x − mean; the mean is one number or one for each channel and is not trained."""

    def __init__(self, mean: np.ndarray | float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32).reshape(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x - self.mean.to(x.dtype)


def _conv(
    inputs: int, outputs: int, size: int, padding: int = 0, pool: int = 0, stride: int | None = None
) -> list[nn.Module]:
    """Convolution, pool, ReLU. Pooling first gives the same numbers, max(relu) = relu(max), on fewer pixels."""
    pooling = [nn.MaxPool2d(pool, stride)] if pool else []
    return [nn.Conv2d(inputs, outputs, size, padding=padding), *pooling, nn.ReLU()]


def _dense(*widths: int) -> list[nn.Module]:
    """Linear layers with a ReLU between each two."""
    layers = [layer for ends in pairwise(widths) for layer in (nn.Linear(*ends), nn.ReLU())]
    return layers[:-1]


def _after_pools(size: int) -> int:
    """Width left by conv 5, pool 2, conv 5, pool 2 without padding."""
    return ((size - 4) // 2 - 4) // 2


def _networks(
    feature_extractor: list[nn.Module],
    label_predictor: list[nn.Module],
    domain_classifier: list[nn.Module],
    seed: int,
    dtype: str,
) -> Networks:
    parts = Networks(*(nn.Sequential(*layers) for layers in (feature_extractor, label_predictor, domain_classifier)))
    parts = Networks(*(part.to(dtype=getattr(torch, dtype), memory_format=torch.channels_last) for part in parts))
    shapes = [layer_weight.shape for layer_weight, _ in get_weights(parts)]
    set_weights(parts, recipe.initial_weights(shapes, seed))
    return parts


# --- weights --------------------------------------------------------------------------------------------
def get_weights(networks: Networks | nn.Module) -> list[recipe.Layer]:
    """Weights and biases of every convolution and dense layer in order, in the layout of Keras.

    A kernel is [height, width, inputs, outputs], a matrix [inputs, outputs]; `set_weights` of either framework
    takes them.
    """
    return [
        (_to_keras(layer.weight.detach()).cpu().numpy(), layer.bias.detach().cpu().numpy())
        for layer in _layers(networks)
    ]


def set_weights(networks: Networks | nn.Module, weights: list[recipe.Layer]) -> None:
    """Copy such weights in.

    Raises:
        ValueError: the number of layers or a shape does not fit.
    """
    layers = list(_layers(networks))
    recipe.check_weights([_to_keras(layer.weight).shape for layer in layers], weights)
    with torch.no_grad():
        for layer, (weight, bias) in zip(layers, weights, strict=True):
            _to_keras(layer.weight).copy_(torch.from_numpy(np.asarray(weight)))
            layer.bias.copy_(torch.from_numpy(np.asarray(bias)))


def _layers(networks: Networks | nn.Module) -> Iterator[nn.Module]:
    for part in networks if isinstance(networks, tuple) else (networks,):
        yield from (layer for layer in part.modules() if isinstance(layer, nn.Conv2d | nn.Linear))


def _to_keras(weight: Tensor) -> Tensor:
    """A view: [out, in, h, w] as [h, w, in, out], or [out, in] as [in, out]."""
    return weight.permute(2, 3, 1, 0) if weight.ndim == 4 else weight.T


# --- precision ------------------------------------------------------------------------------------------
class _BFloat16(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16):
            return self.network(x).to(x.dtype)


def in_bfloat16(networks: Networks) -> Networks:
    """The same networks and weights with G_f computed in bfloat16; heads, losses and updates stay float32."""
    return networks._replace(feature_extractor=_BFloat16(networks.feature_extractor))
