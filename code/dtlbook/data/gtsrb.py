"""GTSRB, German traffic signs (J. Stallkamp et al., Neural Networks 32, 2012): 26,640 + 12,630 pictures, 43 classes.

The training pictures are those of ``GTSRB-Training_fixed.zip``; the larger ``GTSRB_Final_Training_Images.zip`` (39,209
pictures) is read instead if it lies in the data folder.
"""

import csv
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from dtlbook.data import fetch
from dtlbook.data.domain import Domain
from dtlbook.data.folder import data_folder
from dtlbook.data.pictures import AGAIN, decode, open_zip

SIZE = 40  # pixels, as in Ganin et al., JMLR 2016


def gtsrb() -> Domain:
    """The signs cut out along their frames and brought to uint8 [n, 40, 40, 3]; some ten seconds."""
    larger = data_folder() / "gtsrb/GTSRB_Final_Training_Images.zip"
    test_images, test_labels = ("gtsrb/GTSRB_Final_Test_Images.zip", "gtsrb/GTSRB_Final_Test_GT.zip")
    if larger.exists():
        training, images, labels = larger, *fetch.get(test_images, test_labels)
    else:
        training, images, labels = fetch.get("gtsrb/GTSRB-Training_fixed.zip", test_images, test_labels)
    return Domain("gtsrb", *read_signs(training, training), *read_signs(labels, images))


def read_signs(tables: Path, images: Path) -> tuple[np.ndarray, np.ndarray]:
    """Signs uint8 [n, 40, 40, 3] and labels int64 [n]: tables (.csv) of one archive, pictures (.ppm) of another.

    A table names each picture, its frame (Roi.X1 … Roi.Y2, pixels) and its class. Training pictures stand beside
    their table, test pictures in a folder of their own. Damaged archives give a ValueError of one sentence.
    """
    signs, labels = [], []
    with open_zip(tables) as table_file, open_zip(images) as image_file:
        picture_of = {name: name for name in image_file.namelist() if name.endswith(".ppm")}
        if tables != images:  # test: one folder of pictures, whatever it is called
            picture_of = {PurePosixPath(name).name: name for name in picture_of}
        try:
            for table in sorted(name for name in table_file.namelist() if name.endswith(".csv")):
                for row in csv.DictReader(table_file.read(table).decode().splitlines(), delimiter=";"):
                    name = row["Filename"]
                    beside = name if tables != images else str(PurePosixPath(table).parent / name)
                    box = tuple(int(row[f"Roi.{edge}"]) for edge in ("X1", "Y1", "X2", "Y2"))
                    signs.append(decode(image_file.read(picture_of[beside]), SIZE, box))
                    labels.append(int(row["ClassId"]))
        except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
            raise ValueError(f"{tables} and {images} do not fit or are damaged ({error!r}); {AGAIN}") from error
    if not signs:
        raise ValueError(f"{tables} has no table (.csv) of signs; {AGAIN}")
    return np.stack(signs), np.array(labels, np.int64)


DOMAINS: dict[str, Callable[[], Domain]] = {"gtsrb": gtsrb}

PAIRS: dict[str, tuple[str, str]] = {}
