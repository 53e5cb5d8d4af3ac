"""Data sets of one's own: NAME.npz with x_train, y_train, x_test, y_test."""

import zipfile
from pathlib import Path

import numpy as np

from dtlbook.data.domain import Domain

KEYS = ("x_train", "y_train", "x_test", "y_test")


def read_npz(name: str, path: Path) -> Domain:
    """The domain in a .npz file; pickled objects are never loaded.

    Images [n, h, w] get a channel; integer labels of any width become int64. Everything else must be as `Domain`
    says. A damaged file, or one without the four keys, gives a ValueError of one sentence.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [key for key in KEYS if key not in file.files]
            if missing:
                raise ValueError(f"it must have the keys {', '.join(KEYS)}, but {', '.join(missing)} is missing")
            arrays = {key: file[key] for key in KEYS}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read as a domain: {error}; write it with np.savez") from error
    for key, array in arrays.items():
        if key.startswith("y") and array.dtype.kind in "iu":
            arrays[key] = array.astype(np.int64)
        elif array.dtype == np.uint8 and array.ndim == 3:
            arrays[key] = array[..., None]
    return Domain(name, **arrays)
