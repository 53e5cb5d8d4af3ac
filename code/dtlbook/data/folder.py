"""Where data sets lie, and the sentence for one that is not there."""

import os
from pathlib import Path


def data_folder() -> Path:
    """The folder of the data sets: environment variable DTLBOOK_DATA, else the user's cache folder.

    It is only read by the loaders; the downloader alone writes to it.
    """
    if chosen := os.environ.get("DTLBOOK_DATA"):
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("dtlbook"))


def find(path: str, source: str) -> Path:
    """The file or folder ``path`` of the data folder; a FileNotFoundError of one sentence if it is not there.

    ``source`` says where it comes from: for data that must be put there by hand.
    """
    place = data_folder() / path
    if not place.exists():
        raise FileNotFoundError(
            f"{place} is missing; get it from {source} and put it there, or set DTLBOOK_DATA to the folder that has {path}"
        )
    return place
