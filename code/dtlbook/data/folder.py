"""Where data sets lie, and the sentence for one that is not there."""

import os
from pathlib import Path


def data_folder() -> Path:
    """The folder of the data sets: environment variable DTLBOOK_DATA, else the user's cache folder.

    The loaders only read it; `dtlbook.data.fetch` alone writes to it.
    """
    if chosen := os.environ.get("DTLBOOK_DATA"):
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("dtlbook"))


def find(path: str, source: str) -> Path:
    """The file or folder ``path`` of the data folder, for data that must be put there by hand.

    A FileNotFoundError of one sentence, with the ``source`` it comes from, if it is not there.
    """
    place = data_folder() / path
    if not place.exists():
        raise FileNotFoundError(
            f"{path} is not in the data folder; get it from {source} and put it at {place} "
            "(the environment variable DTLBOOK_DATA names another data folder)"
        )
    return place
