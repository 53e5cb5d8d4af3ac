"""From the pictures of an executed notebook to what a page holds of them: SVG in the page, alt text, caption."""

from __future__ import annotations

from nbformat import NotebookNode

from dtlbook.figures import inline_svg
from press.config import PressError

SVG = "image/svg+xml"


def to_inline_svg(notebook: NotebookNode, name: str) -> None:
    """Put matplotlib's SVG outputs into the page itself, in place, so that the page's colours apply.

    The cells have their `alt` and `caption` in one language already (`split.for_language`).

    Raises:
        PressError: a cell shows a picture and has no `alt`, or shows one in a format that does not scale.
    """
    lines = notebook.metadata.get("source_map", [])
    for index, cell in enumerate(notebook.cells):
        pictures = [o.data for o in cell.get("outputs", []) if "data" in o and _is_picture(o.data)]
        where = f"{name}:{lines[index] + 1}" if lines else f"{name}, cell {index + 1}"
        if pictures and not cell.metadata.get("alt"):
            raise PressError(f"{where}: this code cell shows a picture and has no `alt`; give it one in both languages")
        for data in pictures:
            if SVG not in data:
                raise PressError(f"{where}: expected an SVG picture, found {_is_picture(data)}; call use_style() first")
            svg = inline_svg(data.pop(SVG), cell.metadata["alt"])
            data.clear()
            data["text/html"] = f'<div class="dtl-picture">{svg}</div>'
        if cell.metadata.get("caption"):
            figure = {"caption": cell.metadata["caption"]}
            if cell.metadata.get("name"):
                figure["name"] = cell.metadata["name"]
            cell.metadata["mystnb"] = {"figure": figure}


def _is_picture(data: dict) -> str | None:
    """The picture format of an output, if it is a picture."""
    return next((kind for kind in data if kind.startswith("image/")), None)
