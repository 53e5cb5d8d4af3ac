"""VGG16 without its top, as both frameworks need it: its widths, its table of parameters, its ImageNet weights.

Simonyan and Zisserman, *Very Deep Convolutional Networks for Large-Scale Image Recognition*, ICLR 2015, table 1,
column D: thirteen 3×3 convolutions in five blocks, each block closed by a 2×2 pool.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from dtlbook.data import data_folder
from dtlbook.recipe import Layer

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
MEAN = (123.68, 116.779, 103.939)  # of ImageNet's red, green and blue, 0 … 255: subtracted from every pixel

# The file of keras.applications, with the checksum (MD5) that Keras itself pins.
FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{FILE}"
HASH = "md5:6d6bbae143d832006294945121d1f1fc"


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
    """Kernels [3, 3, inputs, outputs] and biases of the thirteen convolutions, trained on ImageNet, 58 MB.

    The file is downloaded once into ``vgg16/`` of the data folder and checked; a copy that was put there by hand is
    used as it is if its checksum is right.

    Raises:
        FileNotFoundError: it is not there and cannot be downloaded.
    """
    import pooch

    folder = data_folder() / "vgg16"
    try:
        path = pooch.retrieve(URL, known_hash=HASH, fname=FILE, path=folder)
    except (OSError, ValueError) as error:  # no network (requests raises an OSError), no room, a wrong checksum
        raise FileNotFoundError(
            f"the ImageNet weights of VGG16 are not at {folder / FILE} and could not be downloaded from {URL} "
            f"({_first_line(error)}); get the file with that name by other means and put it there"
        ) from error
    return read_weights(Path(path))


def read_weights(path: Path) -> list[Layer]:
    """The convolutions of a Keras weight file (HDF5), in order."""
    import h5py

    with h5py.File(path) as file:
        groups = [file[name] for name in file.attrs["layer_names"]]
        pairs = [[np.asarray(group[name]) for name in group.attrs["weight_names"]] for group in groups]
    return [tuple(pair) for pair in pairs if pair]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:120]
