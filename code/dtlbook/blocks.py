"""What both frameworks ask of blocks, the named parts of a network that are frozen or trained as one.

A block is block1, block2, … (of G_f, from the input) or "classifier" (all of G_y).
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from dtlbook.recipe import Layer, initial_weights

CLASSIFIER = "classifier"


def of_features(names: Iterable[str]) -> list[str]:
    """The names without the classifier's: the blocks of G_f."""
    return [name for name in names if name != CLASSIFIER]


def last(names: Iterable[str], n: int) -> list[str]:
    """The ``n`` blocks of G_f that are nearest to the classifier."""
    found = of_features(names)
    check_depth(n, len(found))
    return found[len(found) - n :]


def check_names(wanted: Iterable[str], names: Iterable[str]) -> list[str]:
    """``wanted`` as a list; a ValueError if one of them is no block."""
    if isinstance(wanted, str):
        raise ValueError(f"names must be a list of blocks, not the text {wanted!r}; write [{wanted!r}]")
    wanted, names = list(wanted), list(names)
    for name in wanted:
        if name not in names:
            raise ValueError(f"no block is called {name!r}; this network has {', '.join(names)}")
    return wanted


def check_depth(n: int, depth: int) -> None:
    if not 0 <= n <= depth:
        raise ValueError(f"the number of blocks must lie between 0 and {depth}, the blocks of G_f, not {n}")


def check_rates(rates: Mapping[str, float], optimizer: str) -> None:
    from dtlbook.recipe import check_numbers

    for name, rate in rates.items():
        check_numbers(**{f"the rate of {name}": rate})
        if not 0.0 <= rate < math.inf:
            raise ValueError(f"the rate of {name} must be a finite factor of the learning rate, 0 or more, not {rate}")
    if optimizer not in ("sgd", "rmsprop"):
        raise ValueError(f"optimizer must be 'sgd' or 'rmsprop', not {optimizer!r}")


def check_stages(**settings: Sequence[float]) -> None:
    """Each setting is a pair: for step 3, feature extraction, and for step 5, fine-tuning."""
    for name, values in settings.items():
        if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != 2:
            raise ValueError(
                f"{name} must be two numbers, the first for step 3 and the second for step 5, not {values!r}"
            )


def he_weights(shapes: Sequence[tuple[int, ...]], seed: int) -> list[Layer]:
    """`recipe.initial_weights` widened to ±√(6/inputs), biases 0 (He et al., ICCV 2015, eq. 10): for deep networks.

    Their variance 2/inputs keeps the size of the signal through any number of ReLU layers; 1/(3 · inputs) would
    divide it by 6 at each, and a network of six layers and more hardly starts to learn.
    """
    return [(weight * np.sqrt(6), 0 * bias) for weight, bias in initial_weights(shapes, seed)]
