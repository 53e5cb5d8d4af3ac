"""From the widgets of an executed notebook to what a static page holds of them.

A page without a kernel keeps each widget as

    <div class="dtl-widget" data-model="ID">
      <script type="application/vnd.jupyter.widget-state+json">…</script> a still, for readers without scripts
    </div>

and book/theme/static/afm-host.js mounts it from there.
"""

from __future__ import annotations

import hashlib
import json
import re

from nbformat import NotebookNode

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
# what every widget carries for a notebook's own page layout; nothing in a static page reads it
_UNUSED = re.compile(r"_model_|_view_|_dom_classes|_anywidget_id|layout$|tabbable$|tooltip$")
_CAPTION = re.compile(r'<(\w+)((?: [\w-]+="[^"]*")*? lang="(\w+)"[^>]*)>.*?</\1>', re.DOTALL)


def to_static_html(notebook: NotebookNode, lang: str) -> None:
    """Replace, in place, every widget view of `notebook` by HTML in the language `lang`, and drop the saved state.

    An output becomes {"text/plain", "text/html"}: the widget's own still with the captions of other languages taken
    out, and its state, once a page for each model and without what a page does not need. Identifiers are taken from
    the content, so that the same notebook always gives the same page.

    Raises ValueError for a widget that only a kernel can show.
    """
    saved = notebook.metadata.pop("widgets", {}).get(STATE, {}).get("state", {})
    page = _Page(saved)
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            view = output.get("data", {}).pop(VIEW, None)
            if view is not None:
                where = f"cell {number}, {cell.source.strip().splitlines()[-1]!r}"
                still = _in_language(output.data.get("text/html", ""), lang)
                output.data["text/html"] = page.box(view["model_id"], still, where)


def _in_language(html: str, lang: str) -> str:
    """`html` without its elements of other languages."""
    return _CAPTION.sub(lambda match: match[0] if match[3] == lang else "", html)


class _Page:
    """The widgets of one page: what has been written once need not be written again."""

    def __init__(self, saved: dict):
        self.saved = saved
        self.names: dict[str, str] = {}  # model id of the notebook -> name in the page
        self.holders: dict[str, str] = {}  # text of a module or style sheet -> the first widget that has it

    def box(self, model_id: str, still: str, where: str) -> str:
        script = "" if model_id in self.names else self._script(model_id, where)
        return f'<div class="dtl-widget" data-model="{self.names[model_id]}">{script}{still}</div>'

    def _script(self, model_id: str, where: str) -> str:
        record = self._record(model_id, where)
        name = self.names[model_id] = self._name(record)
        for part in ("_esm", "_css"):
            holder = self.holders.setdefault(record["state"].get(part, ""), name)
            if holder != name:
                record["state"][part] = f"@{holder}"
        state = {"version_major": 2, "version_minor": 0, "state": {name: record}}
        text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
        # inside <script> these two would end it, or change how its end is looked for
        text = text.replace("</", "<\\/").replace("<!--", "\\u003c!--")
        return f'<script type="{STATE}">{text}</script>'

    def _record(self, model_id: str, where: str) -> dict:
        """What was saved of a model, without what a page does not use."""
        if model_id not in self.saved:
            raise ValueError(f"{where}: the notebook holds no state of its widget; run the notebook again.")
        saved = self.saved[model_id]
        if saved["model_name"] != "AnyModel":
            raise ValueError(
                f"{where}: a page without a kernel cannot show a {saved['model_name'].removesuffix('Model')}; "
                'use a widget of dtlbook.labs, or tag the cell "remove-output".'
            )
        state = {name: value for name, value in saved["state"].items() if not _UNUSED.match(name)}
        buffers = {"buffers": saved["buffers"]} if saved.get("buffers") else {}
        return {"model_name": "AnyModel", "model_module": "anywidget", "state": state, **buffers}

    def _name(self, record: dict) -> str:
        """A name taken from the content; equal widgets stay two."""
        name = "w" + hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:10]
        equals = sum(other.startswith(name) for other in self.names.values())
        return f"{name}-{equals}" if equals else name
