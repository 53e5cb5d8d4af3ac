"""Photographs of things: Office-31 and cats vs dogs.

Office-31 (K. Saenko et al., ECCV 2010): amazon 2,817, dslr 498, webcam 795 pictures of 31 kinds of objects; no checksum
of it is published, so it is put into the data folder by hand. It is used transductively: all source pictures are
labelled, all target pictures are both adapted to and tested on, so x_train and x_test are the same.

Cats vs dogs (J. Elson et al., CCS 2007): 25,000 pictures; the usual small task takes a few thousand of them.
"""

import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations
from pathlib import Path

import numpy as np

from dtlbook.data import fetch
from dtlbook.data.domain import Domain
from dtlbook.data.folder import data_folder, find
from dtlbook.data.pictures import class_folders, decode, open_zip

OFFICE = ("amazon", "dslr", "webcam")
OFFICE_SOURCE = "https://faculty.cc.gatech.edu/~judy/domainadapt/ (Office-31, unpacked)"


def office31(name: str, size: int = 224) -> Domain:
    """One source of Office-31, uint8 [n, size, size, 3], from office31/NAME/images/CLASS/*.jpg (or without images/)."""
    if name not in OFFICE:
        raise ValueError(f"no Office-31 domain is called {name!r}; choose one of {', '.join(OFFICE)}")
    folder = find(f"office31/{name}", OFFICE_SOURCE)
    x, y = class_folders(folder / "images" if (folder / "images").is_dir() else folder, size)
    return Domain(f"office31-{name}", x, y, x, y)


def cats_dogs(size: int = 150, n_train: int = 2000, n_test: int = 1000) -> Domain:
    """The first ``n_train`` pictures, half cats (0) half dogs (1), for training and the next ``n_test`` for test.

    uint8 [n, size, size, 3], from the folder cats-dogs/PetImages/{Cat,Dog} or the archive kagglecatsanddogs_5340.zip.
    Some pictures of the set are known to be damaged: they are passed over, and a warning says how many.
    """
    per_class, parts, damaged = (n_train + n_test) // 2, [], 0
    if n_train < 2 or n_test < 2 or n_train % 2 or n_test % 2:
        raise ValueError(f"n_train and n_test must be even and at least 2, not {n_train} and {n_test}")
    for kind in ("Cat", "Dog"):
        good = []
        for data in _pet_files(kind):
            try:
                good.append(decode(data, size))
            except OSError:
                damaged += 1
            if len(good) == per_class:
                break
        if len(good) < per_class:
            raise ValueError(
                f"cats-dogs has {len(good)} pictures of the kind {kind}, but n_train={n_train} and n_test={n_test} "
                f"need {per_class}; ask for fewer"
            )
        parts.append(np.stack(good))
    if damaged:
        warnings.warn(f"cats-dogs: {damaged} damaged pictures were passed over", stacklevel=2)
    half = n_train // 2
    x_train, x_test = (np.concatenate([part[cut] for part in parts]) for cut in (slice(half), slice(half, None)))
    y_train, y_test = (np.repeat(np.array([0, 1], np.int64), n // 2) for n in (n_train, n_test))
    return Domain("cats-dogs", x_train, y_train, x_test, y_test)


def _pet_files(kind: str) -> Iterator[Path | bytes]:
    """The pictures of a kind in the order of their numbers: paths in the folder, or contents from the archive."""

    def number(name: str) -> tuple[int, str]:
        return len(Path(name).stem), name

    folder = data_folder() / "cats-dogs/PetImages"
    if folder.is_dir():
        yield from sorted((folder / kind).glob("*.jpg"), key=lambda path: number(path.name))
        return
    (path,) = fetch.get("cats-dogs/kagglecatsanddogs_5340.zip")
    with open_zip(path) as archive:
        names = [n for n in archive.namelist() if n.startswith(f"PetImages/{kind}/") and n.endswith(".jpg")]
        for name in sorted(names, key=number):
            try:
                yield archive.read(name)
            except zipfile.BadZipFile as error:
                raise ValueError(f"{path} is damaged ({error}); delete it and get it again") from error


DOMAINS: dict[str, Callable[[], Domain]] = {
    **{f"office31-{name}": partial(office31, name) for name in OFFICE},
    "cats-dogs": cats_dogs,
}

PAIRS: dict[str, tuple[str, str]] = {
    f"office31-{s}-{t}": (f"office31-{s}", f"office31-{t}") for s, t in permutations(OFFICE, 2)
}
