"""VGG16 without its top, as both frameworks need it: its widths, its table of parameters, its ImageNet weights.

Simonyan and Zisserman, *Very Deep Convolutional Networks for Large-Scale Image Recognition*, ICLR 2015, table 1,
column D: thirteen 3×3 convolutions in five blocks, each block closed by a 2×2 pool.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from dtlbook.data import fetch
from dtlbook.recipe import Layer

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
MEAN = (123.68, 116.779, 103.939)  # of ImageNet's red, green and blue, 0 … 255: subtracted from every pixel

# The file of keras.applications, with the checksum (MD5) that Keras itself pins; no SHA-256 of it is published.
FILE = "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/{FILE}"
fetch.FILES[FILE] = fetch.Remote((URL,), "md5:6d6bbae143d832006294945121d1f1fc")


def table(image_shape: tuple[int, int, int] = (150, 150, 3)) -> list[tuple[str, tuple[int, int, int], int]]:
    """Name, output (height, width, channels) and number of parameters of every layer.

    A convolution has (9 · inputs + 1) · outputs parameters: nine weights for each pair of channels, one bias for
    each output. A pool has none, halves height and width and drops an odd last row.
    """
    height, width, channels = image_shape
    rows = []
    for block, widths in enumerate(WIDTHS, 1):
        for number, (inputs, outputs) in enumerate(pairwise((channels, *widths)), 1):
            rows.append((f"block{block}_conv{number}", (height, width, outputs), (9 * inputs + 1) * outputs))
        height, width, channels = height // 2, width // 2, widths[-1]
        rows.append((f"block{block}_pool", (height, width, channels), 0))
    return rows


def imagenet_weights() -> list[Layer]:
    """Kernels [3, 3, inputs, outputs] and biases of the thirteen convolutions, trained on ImageNet.

    The file, 58 MB, is downloaded once into ``vgg16/`` of the data folder, unless it was put there by hand. Errors
    are those of `dtlbook.data.fetch.get` and of `read_weights`; without a connection a FileNotFoundError says so.
    """
    return read_weights(fetch.get(FILE)[0])


def read_weights(path: Path) -> list[Layer]:
    """The convolutions of a Keras weight file (HDF5), in order; a file that is none gives a ValueError."""
    import h5py

    try:
        with h5py.File(path) as file:
            groups = [file[name] for name in file.attrs["layer_names"]]
            pairs = [[np.asarray(group[name]) for name in group.attrs["weight_names"]] for group in groups]
    except (OSError, KeyError) as error:
        raise ValueError(f"{path} cannot be read as a weight file of Keras; delete it and get it again") from error
    return [tuple(pair) for pair in pairs if pair]
