"""MATLAB files."""

from pathlib import Path

import numpy as np


def read_mat(path: Path, *keys: str) -> tuple[np.ndarray, ...]:
    """The arrays of these names; a file that is damaged or lacks one gives a ValueError of one sentence."""
    from scipy.io import loadmat

    try:
        content = loadmat(path)
    except Exception as error:  # loadmat promises no type for damaged files
        raise ValueError(f"{path} is cut short or damaged ({error}); delete it and get it again") from error
    if missing := [key for key in keys if key not in content]:
        raise ValueError(f"{path} must have the arrays {', '.join(keys)}, but {', '.join(missing)} is missing")
    return tuple(content[key] for key in keys)
