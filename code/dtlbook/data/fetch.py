"""Downloads: checked, resumed, atomic, one at a time.

pooch takes the file to a temporary name, compares its checksum with the pinned one and only then moves it into place.
What pooch has not is added here: a transfer that is cut goes on where it stopped (HTTP Range), also in the next call;
several mirrors are tried in order; a lock lets two processes that ask at once fetch once; one progress bar for all
files of a data set; errors of one sentence.
"""

import contextlib
import errno
import os
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from dtlbook.data.folder import data_folder

TRIES = 5  # of one mirror, while the connection breaks
PAUSE = 1.0  # seconds before the next try
TIMEOUT = 30.0  # seconds without an answer
CHUNK = 1 << 16  # bytes; less than this is lost when a connection breaks


@dataclass(frozen=True)
class Remote:
    """A file on the web: mirrors in the order of trying, and its checksum, "sha256:…" or "md5:…"."""

    urls: tuple[str, ...]
    checksum: str


MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://yann.lecun.com/exdb/mnist/",
)
USPS_MIRRORS = ("https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",)
SVHN_MIRRORS = ("http://ufldl.stanford.edu/housenumbers/",)
GTSRB_MIRRORS = ("https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/",)


def _remotes(folder: str, mirrors: tuple[str, ...], checksums: dict[str, str]) -> dict[str, Remote]:
    return {
        f"{folder}/{name}": Remote(tuple(mirror + name for mirror in mirrors), checksum)
        for name, checksum in checksums.items()
    }


# Path in the data folder → where it comes from. Only files whose checksum is published are here; the others are put
# into the data folder by hand.
FILES: dict[str, Remote] = {
    **_remotes(
        "mnist",
        MNIST_MIRRORS,
        {
            "train-images-idx3-ubyte.gz": "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    **_remotes(
        "usps",
        USPS_MIRRORS,
        {
            "usps.bz2": "sha256:3771e9dd6ba685185f89867b6e249233dd74652389f263963b3b741e994b034f",
            "usps.t.bz2": "sha256:a9c0164e797d60142a50604917f0baa604f326e9a689698763793fa5d12ffc4e",
        },
    ),
    **_remotes(
        "svhn",
        SVHN_MIRRORS,
        {
            "train_32x32.mat": "sha256:435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
            "test_32x32.mat": "sha256:cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        },
    ),
    **_remotes(
        "gtsrb",
        GTSRB_MIRRORS,
        {
            "GTSRB-Training_fixed.zip": "sha256:df4144942083645bd60b594de348aa6930126c3e0e5de09e39611630abf8455a",
            "GTSRB_Final_Test_Images.zip": "sha256:48ba6fab7e877eb64eaf8de99035b0aaecfbc279bee23e35deca4ac1d0a837fa",
            "GTSRB_Final_Test_GT.zip": "sha256:f94e5a7614d75845c74c04ddb26b8796b9e483f43541dd95dd5b726504e16d6d",
        },
    ),
    # No SHA-256 of this archive is published, only an MD5.
    "bsds500/BSR_bsds500.tgz": Remote(
        ("https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz",),
        "md5:0b17383ff0b21fe43d2f28e624203169",
    ),
    "cats-dogs/kagglecatsanddogs_5340.zip": Remote(
        (
            "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip",
        ),
        "sha256:b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
    ),
}


def get(*paths: str) -> list[Path]:
    """The files of these paths (keys of `FILES`) in the data folder; those that are missing are fetched.

    A file that is there already is taken as it is: whoever put it there by hand answers for it. Errors, one sentence
    each, after which no incomplete file bears a data set's name:

    - FileNotFoundError: no mirror could be reached. What came before the connection broke waits as ``.NAME.part``
      for the next call.
    - ValueError: what came is not what was published (tampered, cut short); it is deleted.
    - OSError with errno ENOSPC (the disk is full; what came is deleted), or with the cause why the folder cannot
      be written.
    """
    folder = data_folder()
    places = [folder / path for path in paths]
    if all(place.exists() for place in places):
        return places
    from filelock import FileLock
    from tqdm.auto import tqdm

    with FileLock(_lock_of(folder)):
        missing = [path for path, place in zip(paths, places, strict=True) if not place.exists()]
        if missing:  # else another process has fetched them meanwhile
            title = Path(missing[0]).parent.name
            with tqdm(total=0, unit="B", unit_scale=True, unit_divisor=1024, desc=title) as bar:
                for path in missing:
                    _fetch(path, folder / path, bar)
    return places


def _lock_of(folder: Path) -> Path:
    """A lock file outside the data folder, so that nothing but data lies there; one a folder and user."""
    key = sha256(f"{folder.resolve()} {Path.home()}".encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"dtlbook-{key}.lock"


def _fetch(path: str, place: Path, bar) -> None:
    """Bring one file into place, from the first mirror that has it."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # the progress bar says enough
    remote, failures, tampered = FILES[path], [], False
    part = place.with_name(f".{place.name}.part")
    mirrors = list(remote.urls)
    while mirrors:
        url, resumed = mirrors.pop(0), part.exists()
        try:
            pooch.retrieve(
                url, remote.checksum, fname=place.name, path=place.parent, downloader=partial(_download, part, bar)
            )
            return
        except requests.RequestException as error:
            failures.append(f"{url}: {_reason(error)}")
        except ValueError:  # pooch: the checksum is another; what came is deleted
            if resumed:  # perhaps the old part was to blame: once more from the start
                mirrors.insert(0, url)
                continue
            tampered = True
            failures.append(f"{url} sent a file with another checksum, which was deleted")
        except OSError as error:
            raise _storage_error(path, part, error) from error
    _remove_if_empty(place.parent)
    sentence = (
        f"{path} is not in the data folder and could not be fetched ({'; '.join(failures)}); "
        f"try again later, or get it from {remote.urls[0]} and put it at {place}"
    )
    raise ValueError(sentence) if tampered else FileNotFoundError(sentence)


def _storage_error(path: str, part: Path, error: OSError) -> OSError:
    """The sentence for a folder that cannot be written; nothing of the file is left."""
    with contextlib.suppress(OSError):
        part.unlink()
    _remove_if_empty(part.parent)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        sentence = (
            f"the disk is full: {path} was not stored in {part.parent}; make room or set DTLBOOK_DATA to another folder"
        )
    else:
        why = error.strerror or "no permission"
        sentence = f"{path} cannot be written to {part.parent} ({why}); set DTLBOOK_DATA to a folder of your own"
    return OSError(error.errno or errno.EACCES, sentence)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _reason(error: Exception) -> str:
    """Why a mirror gave nothing, in a few words."""
    import requests

    if isinstance(error, requests.HTTPError):
        return f"answer {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "no connection, or it broke"


# --- the downloader that pooch calls --------------------------------------------------------------------
def _download(part: Path, bar, url: str, output_file: str, pooch, check_only: bool = False) -> None:
    """Fetch ``url`` into ``part``, going on where ``part`` ends, and hand it over as ``output_file``.

    A connection that breaks is tried again as long as something comes; the checksum is pooch's affair.
    """
    import requests

    tries = TRIES
    while True:
        had = _size(part)
        try:
            _receive(url, part, bar)
            break
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            tries = TRIES if _size(part) > had else tries - 1
            if tries <= 1:
                if _size(part) == 0:
                    part.unlink(missing_ok=True)
                raise
            time.sleep(PAUSE)
    os.replace(part, output_file)


def _receive(url: str, part: Path, bar) -> None:
    """One request: append to ``part`` what the server sends from its end on."""
    import requests

    have = _size(part)
    # No compression on the way: byte positions must be those of the file.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == 416:  # nothing lies beyond: the part is complete (or of another file)
            return
        answer.raise_for_status()
        goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if not goes_on:
            have = 0
        coming = int(answer.headers.get("Content-Length", 0))
        bar.total = bar.n + coming
        with open(part, "ab" if goes_on else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    if _size(part) < have + coming:
        raise requests.ConnectionError(f"{url} sent {_size(part)} of {have + coming} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
