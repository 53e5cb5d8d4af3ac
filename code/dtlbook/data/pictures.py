"""Picture files: one photograph, a folder or an archive with one folder a class, all brought to one size."""

import tarfile
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np

AGAIN = "delete it and get it again"


def decode(data: bytes | Path, size: int | None = None, box: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """A picture file as uint8 [h, w, 3], cut to ``box`` (left, top, right, bottom), then ``size`` × ``size`` pixels.

    Resized bilinearly (shrinking averages over what a pixel covers); the proportions are not kept. What is no picture
    gives an OSError from Pillow.
    """
    from PIL import Image

    with Image.open(BytesIO(data) if isinstance(data, bytes) else data) as picture:
        try:
            picture = picture.convert("RGB")
        except SyntaxError as error:  # Pillow's word for some broken PNG files
            raise OSError(str(error)) from error
        if box:  # cut first: resize(box=…) would mix in what lies beyond the frame
            picture = picture.crop(box)
        if size:
            picture = picture.resize((size, size), Image.Resampling.BILINEAR)
        return np.asarray(picture)


def read_pictures(paths: Iterable[Path], size: int | None = None) -> list[np.ndarray]:
    """All these picture files; a damaged one gives a ValueError of one sentence."""
    pictures = []
    for path in paths:
        try:
            pictures.append(decode(path, size))
        except OSError as error:
            raise ValueError(f"{path} cannot be read as a picture ({error}); {AGAIN}") from error
    return pictures


def class_folders(folder: Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures in ``folder``/CLASS/*.jpg (or .png …): uint8 [n, size, size, 3] and int64 [n].

    Classes are numbered in the order of their names; within a class, pictures come in the order of theirs.
    """
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    files = [
        (path, number)
        for number, of_class in enumerate(classes)
        for path in sorted(of_class.iterdir())
        if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".ppm", ".bmp")
    ]
    if not files:
        raise FileNotFoundError(f"{folder} must hold one folder of pictures for each class, but has no picture")
    pictures = read_pictures((path for path, _ in files), size)
    return np.stack(pictures), np.array([number for _, number in files], np.int64)


def open_zip(path: Path) -> zipfile.ZipFile:
    """The archive; a damaged one gives a ValueError of one sentence."""
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is cut short or damaged ({error}); {AGAIN}") from error


def tar_pictures(path: Path, folder: str) -> list[np.ndarray]:
    """The .jpg pictures directly in ``folder`` of a .tgz archive, in the order of their names; nothing is unpacked."""
    pictures = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                inside = Path(member.name)
                if member.isfile() and inside.parent.as_posix() == folder and inside.suffix == ".jpg":
                    pictures[inside.name] = decode(archive.extractfile(member).read())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ValueError(f"{path} is cut short or damaged ({error}); {AGAIN}") from error
    if not pictures:
        raise ValueError(f"{path} has no .jpg in {folder}; {AGAIN}")
    return [pictures[name] for name in sorted(pictures)]
