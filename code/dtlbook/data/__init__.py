"""Domains: data sets cut into a training and a test part, and pairs of a source and a target.

Without a download: scikit-learn's digits and shifts of them, digits drawn from fonts, either blended with photographs,
two moons. Real data sets are read from the data folder (`data_folder`: environment variable DTLBOOK_DATA, else the
user's cache folder); what is missing there is fetched where a checksum is published, and otherwise an error says where
to get it and where to put it. Any NAME.npz in that folder with x_train, y_train, x_test and y_test is a domain, too.

A pair shares no original image: otherwise a network could recognise the image instead of the class.
"""

from dtlbook.data import blend, digits, fonts, gtsrb, handwritten, moons, objects, surf, svhn
from dtlbook.data.domain import Domain, checksum, sample, to_float
from dtlbook.data.folder import data_folder
from dtlbook.data.moons import make_moons
from dtlbook.data.npz import read_npz

__all__ = ["Domain", "checksum", "data_folder", "load", "make_moons", "pair", "sample", "to_float"]

FAMILIES = (digits, moons, fonts, blend, handwritten, svhn, gtsrb, surf, objects)
DOMAINS = {name: make for family in FAMILIES for name, make in family.DOMAINS.items()}
PAIRS = {name: both for family in FAMILIES for name, both in family.PAIRS.items()}


def load(name: str) -> Domain:
    """The domain of that name: one of `DOMAINS`, or NAME.npz in the data folder.

    Read anew at each call, but for the small embedded ones, whose arrays are shared: copy them before changing them.
    A name that is not known gives a ValueError with those that are; for what a missing or damaged file gives, see
    `dtlbook.data.fetch.get`.
    """
    if name in DOMAINS:
        return DOMAINS[name]()
    own = {path.stem: path for path in data_folder().glob("*.npz")}
    if name in own:
        return read_npz(name, own[name])
    raise _unknown("domain", name, [*DOMAINS, *own])


def pair(name: str) -> tuple[Domain, Domain]:
    """The (source, target) of that name; a name that is not known gives a ValueError with those that are."""
    if name not in PAIRS:
        raise _unknown("pair of domains", name, PAIRS)
    source, target = PAIRS[name]
    return load(source), load(target)


def _unknown(kind: str, name: str, known) -> ValueError:
    return ValueError(f"no {kind} is called {name!r}; choose one of {', '.join(sorted(known))}")
