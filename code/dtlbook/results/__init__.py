"""Measured results: what was run (`experiments`), how a sweep runs (`runner`), what is kept of it (`ledger`).

    python -m dtlbook.results list
    python -m dtlbook.results run digits-rotated --method dann --seeds 5
    python -m dtlbook.results table digits-rotated

A row is one text file, ``results/EXPERIMENT/METHOD-FRAMEWORK.json``, and only a run writes it.

>>> from dtlbook import results
>>> results.row("digits-rotated", "dann", "torch")["n"]  # doctest: +SKIP
5
"""

from dtlbook.results.ledger import folder, row

__all__ = ["folder", "row"]
