"""Domains that come with the dependencies: nothing is downloaded.

A domain is a set of images with labels, cut into a training and a test part. `pair` gives a source and a
target that share no original image: otherwise a network could recognise the image instead of the class.
"""

from dtlbook.data.digits import DOMAINS, PAIRS
from dtlbook.data.domain import Domain, to_float

__all__ = ["Domain", "load", "pair", "to_float"]


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
