"""Domains: data sets cut into a training and a test part, and pairs of them.

Those of scikit-learn's digits come with the dependencies. Others are read from the data folder (`data_folder`:
environment variable DTLBOOK_DATA, else the user's cache folder). Nothing is read before it is asked for.
"""

from dtlbook.data import blend, digits, handwritten
from dtlbook.data.domain import Domain, checksum, sample, to_float
from dtlbook.data.folder import data_folder

__all__ = ["Domain", "checksum", "data_folder", "load", "pair", "sample", "to_float"]

DOMAINS = digits.DOMAINS | handwritten.DOMAINS | blend.DOMAINS
PAIRS = digits.PAIRS | handwritten.PAIRS | blend.PAIRS


def load(name: str) -> Domain:
    """The domain of that name; a name that is not known gives a ValueError with those that are."""
    return _find(DOMAINS, "domain", name)()


def pair(name: str) -> tuple[Domain, Domain]:
    """The (source, target) of that name; a name that is not known gives a ValueError with those that are."""
    source, target = _find(PAIRS, "pair of domains", name)
    return load(source), load(target)


def _find(table: dict, kind: str, name: str):
    if name not in table:
        raise ValueError(f"no {kind} is called {name!r}; choose one of {', '.join(sorted(table))}")
    return table[name]
