"""Data sets of one's own: NAME.npz with x_train, y_train, x_test, y_test."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from dtlbook.data.domain import Domain


class _Missing(ValueError):
    """An array is not in the file."""


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
                raise _Missing(f"it must have the keys {', '.join(KEYS)}, but {', '.join(missing)} is missing")
            arrays = {key: file[key] for key in KEYS}
    except _Missing as error:
        raise ValueError(f"{path} cannot be read as a domain: {error}; write it with np.savez") from error
    except IsADirectoryError as error:
        raise ValueError(f"{path} must be a .npz file, but it is a folder; remove it") from error
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        # The reader's own words are not passed on: NumPy's advise to load pickled objects, which may run any code.
        raise ValueError(
            f"{path} cannot be read as a domain: it is damaged, or holds something else than plain arrays; "
            "write it anew with np.savez"
        ) from error
    for key, array in arrays.items():
        if key.startswith("y") and array.dtype.kind in "iu":
            arrays[key] = array.astype(np.int64)
        elif key.startswith("y") and array.dtype.kind == "f":
            raise ValueError(
                f"{path} cannot be read as a domain: {key} must be whole numbers, not {array.dtype}; "
                "save it as y.astype(np.int64)"
            )
        elif array.dtype == np.uint8 and array.ndim == 3:
            arrays[key] = array[..., None]
    return Domain(name, **arrays)
