"""The IDX format of MNIST: 0, 0, type, number of dimensions, the dimensions (32 bits, big-endian), the values."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

UNSIGNED_BYTE = 0x08


def read_idx(path: Path) -> np.ndarray:
    """uint8 array of a gzipped IDX file of unsigned bytes; a damaged file gives a ValueError of one sentence."""
    again = "delete it and get it again"
    try:
        with gzip.open(path) as file:
            raw = file.read()
    except IsADirectoryError as error:
        raise ValueError(f"{path} must be a gzipped IDX file, but it is a folder; {again}") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is cut short or damaged ({error}); {again}") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != UNSIGNED_BYTE or len(raw) < 4 + 4 * raw[3]:
        raise ValueError(f"{path} is no IDX file of unsigned bytes (it begins with {raw[:4].hex(' ')}); {again}")
    shape = struct.unpack_from(f">{raw[3]}I", raw, 4)
    values = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    if values.size != math.prod(shape):
        raise ValueError(f"{path} must hold {list(shape)} = {math.prod(shape)} values, but has {values.size}; {again}")
    return values.reshape(shape)
