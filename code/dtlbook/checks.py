"""Claims of a page, checked whenever the page is run.

A measured number differs in its last digits from machine to machine. So a claim prints what is EXPECTED and
with which tolerance, the same text on every machine, and stops the page if the measured value lies outside.
"""

import math


def claim(text: str, value: float, expected: float, tolerance: float) -> None:
    """``|value − expected| ≤ tolerance``, else AssertionError.

    >>> claim("target accuracy", 0.6412, 0.62, 0.05)
    target accuracy 0.62 ± 0.05: ok
    """
    value, expected, tolerance = _number(text, value), _number(text, expected), _number(text, tolerance)
    if tolerance < 0:
        raise ValueError(f"{text}: the tolerance must be 0 or more, not {tolerance:g}")
    _judge(f"{text} {expected:g} ± {tolerance:g}", value, abs(value - expected) <= tolerance)


def claim_at_least(text: str, value: float, bound: float) -> None:
    """``value ≥ bound``, else AssertionError.

    >>> claim_at_least("gain", 0.21, 0.15)
    gain at least 0.15: ok
    """
    value, bound = _number(text, value), _number(text, bound)
    _judge(f"{text} at least {bound:g}", value, value >= bound)


def claim_at_most(text: str, value: float, bound: float) -> None:
    """``value ≤ bound``, else AssertionError.

    >>> claim_at_most("largest difference of the gradients", 3e-8, 1e-5)
    largest difference of the gradients at most 1e-05: ok
    """
    value, bound = _number(text, value), _number(text, bound)
    _judge(f"{text} at most {bound:g}", value, value <= bound)


def _number(text: str, value: float) -> float:
    number = float(value)
    if math.isnan(number):
        raise AssertionError(f"{text}: a number was expected, but the value is not a number (NaN)")
    return number


def _judge(statement: str, value: float, holds: bool) -> None:
    if not holds:
        raise AssertionError(f"{statement} was claimed, but this run gives {value:.4g}")
    print(f"{statement}: ok")
