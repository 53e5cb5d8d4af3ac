"""A lab's script, put together from its files: anywidget takes one module, and a page fetches nothing."""

from pathlib import Path

HERE = Path(__file__).parent


def module(*names: str) -> str:
    """The JavaScript files of these names as one module, in order.

    Later files use what earlier ones define; none has an import. What is marked ``export`` may be called by tests.
    """
    return "\n".join((HERE / f"{name}.js").read_text(encoding="utf8") for name in names)


def style(*names: str) -> str:
    """The style sheets of these names, one after the other."""
    return "\n".join((HERE / f"{name}.css").read_text(encoding="utf8") for name in names)
