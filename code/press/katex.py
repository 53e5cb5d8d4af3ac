"""Math rendered while the book is built: KaTeX inside Python, no browser script and no Node.

``mini_racer`` (V8 in a Python module) runs the ``katex.min.js`` that ``sphinxcontrib-katex`` carries. Every
formula becomes HTML for the eye and MathML for assistive technology. Style sheet and fonts stand in
``book/theme/katex`` and belong to the same KaTeX version.
"""

from __future__ import annotations

import atexit
import json
import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

log = logging.getLogger(__name__)


class MathError(ValueError):
    """KaTeX cannot read a formula."""


@cache
def _engine():
    """One V8 context with KaTeX loaded, for the whole process."""
    import sphinxcontrib.katex
    from py_mini_racer import MiniRacer

    engine = MiniRacer()
    atexit.register(engine.close)  # left open, its thread can keep the interpreter from ending
    engine.eval((Path(sphinxcontrib.katex.__file__).parent / "katex.min.js").read_text("utf8"))
    engine.eval(
        "function render(tex, options) {"
        "  try { return {html: katex.renderToString(tex, options)}; }"
        "  catch (e) { return {error: String(e.message || e)}; } }"
    )
    return engine


@cache
def _render(tex: str, options: str) -> str:
    answer = json.loads(_engine().eval(f"JSON.stringify(render({json.dumps(tex)}, {options}))"))
    if "error" in answer:
        raise MathError(answer["error"])
    return answer["html"]


def render(tex: str, display: bool = False, macros: dict[str, str] | None = None) -> str:
    """HTML + MathML of one formula.

    :param tex: TeX source without dollar signs.
    :param display: displayed (True) or inline (False).
    :param macros: KaTeX macros, e.g. ``{r"\\E": r"\\mathbb{E}"}``.
    :raises MathError: with KaTeX's own message.
    """
    options = {
        "displayMode": display,
        "output": "htmlAndMathml",
        "throwOnError": True,
        "strict": "ignore",  # Hangul inside \text is welcome
        "trust": False,
        "macros": macros or {},
    }
    return _render(tex, json.dumps(options))


def _html(translator, node: nodes.Element, tex: str, display: bool) -> str:
    try:
        return render(tex, display, translator.config.katex_macros)
    except MathError as error:
        log.warning("%s", error, location=node, type="katex")
        return f"<code>{translator.encode(tex)}</code>"


def _text_of(mathml: re.Match) -> str:
    text = re.sub(r"<annotation.*?</annotation>|<[^>]+>", "", mathml.group(), flags=re.DOTALL)
    return f'<span class="katex-mathml">{text}</span>'


def _visit_inline(translator, node: nodes.math) -> None:
    translator.body.append(translator.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    html = _html(translator, node, node.astext(), display=False)
    if node.get("named"):  # see sphinx_book._name_headers: text in the place of the MathML
        html = re.sub(r'<span class="katex-mathml">.*?</math></span>', _text_of, html, flags=re.DOTALL)
    translator.body.append(html + "</span>")
    raise nodes.SkipNode


def _visit_block(translator, node: nodes.math_block) -> None:
    tex = node.astext()
    if r"\\" in tex and r"\begin{" not in tex:  # several lines without an environment
        tex = rf"\begin{{split}}{tex}\end{{split}}"
    out = translator.body
    out.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    out.append(f'<div class="math-scroll">{_html(translator, node, tex, display=True)}</div>')
    if node["number"]:
        out.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        out.append("</span>")
    out.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict:
    """Register the renderer under the name ``katex``."""
    app.add_config_value("katex_macros", {}, "env")
    app.add_html_math_renderer("katex", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
