"""Sphinx extension of the book: what a page of either language needs beyond Jupyter Book's own settings.

It adds Korean search terms, the head of each page (description, canonical address, language alternates, social
card), the links of a chapter (Colab, source, download), drawings set into the page, solutions folded with the
browser's own ``<details>``, and the short definition on every glossary term.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.locale import _, admonitionlabels, get_translation
from sphinx.search.en import SearchEnglish
from sphinx.transforms.post_transforms import SphinxPostTransform

SVG = "http://www.w3.org/2000/svg"
CHAPTER = re.compile(r"\d\d_")
LOCALES = {"ko": "ko_KR", "en": "en_US"}
_proof = get_translation("proof")
NAMES = {"ko": "한국어", "en": "English"}


class SearchKorean(SearchEnglish):
    """Words as they stand, and every pair of neighbouring syllables of a Hangul word.

    Sphinx's search finds parts of a word only from three letters on; with the pairs, 전이 finds 전이를.
    Latin words are stemmed as in English.
    """

    lang = "ko"
    language_name = "Korean"

    def split(self, text: str) -> list[str]:
        words = super().split(text)
        pairs = [
            part[i : i + 2] for word in words for part in re.findall("[가-힣]{3,}", word) for i in range(len(part) - 1)
        ]
        return words + pairs


# ---- drawings -------------------------------------------------------------------------------------------


def inline_svg(path: Path, alt: str, lang: str, serial: str) -> str:
    """A drawing as markup for the page, so that the page's colour variables apply to it.

    :param alt: text alternative; becomes ``aria-label``.
    :param lang: variants marked with another ``lang`` are left out.
    :param serial: prefix that keeps the ids of two drawings on one page apart.
    """
    ElementTree.register_namespace("", SVG)
    root = ElementTree.parse(path).getroot()
    for parent in list(root.iter()):
        for child in list(parent):
            if child.get("lang", lang) != lang:
                parent.remove(child)
    # what is inside an img is hidden from screen readers: a drawing with links is a group
    root.set("role", "img" if root.find(f".//{{{SVG}}}a") is None else "group")
    root.set("aria-label", alt)
    root.set("class", "drawing")
    width = root.attrib.pop("width", "").removesuffix("px") or root.get("viewBox", "0 0 640 0").split()[2]
    root.attrib.pop("height", None)
    root.set("style", f"max-width:{float(width):g}px")
    text = ElementTree.tostring(root, encoding="unicode")
    for name in re.findall(r'\bid="([^"]+)"', text):
        text = re.sub(rf'(\bid="|url\(#|href="#){re.escape(name)}(?=["\)])', rf"\g<1>{serial}-{name}", text)
    return text


class InlineDrawings(SphinxPostTransform):
    """Replace images of ``figures/*.svg`` by the drawing itself."""

    default_priority = 300
    formats = ("html",)

    def run(self, **kwargs) -> None:
        for number, image in enumerate(list(self.document.findall(nodes.image))):
            path = Path(self.env.srcdir) / image["uri"]
            if path.suffix != ".svg" or path.parent.name != "figures" or not path.is_file():
                continue
            markup = inline_svg(path, image.get("alt", ""), self.config.language, f"drawing{number}")
            image.replace_self(nodes.raw("", markup, format="html"))


# ---- folded boxes ---------------------------------------------------------------------------------------


class fold(nodes.General, nodes.Element):
    """A box that the reader opens: ``<details>``."""


class fold_title(nodes.General, nodes.TextElement):
    """Its heading: ``<summary>``."""


def _fold_boxes(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Turn every box of class ``dropdown`` into a ``fold``."""
    for box in list(doctree.findall(nodes.Admonition)):
        if "dropdown" not in box.get("classes", []):
            continue
        children = list(box.children)
        if children and isinstance(children[0], nodes.title):
            heading = children.pop(0).astext()
        else:
            heading = admonitionlabels.get(box.tagname, _("Note"))
        kinds = [name for name in box["classes"] if name != "dropdown"]
        box.replace_self(fold("", fold_title("", nodes.Text(heading)), *children, ids=box["ids"], classes=kinds))


def _visit_fold(self, node: fold) -> None:
    self.body.append(self.starttag(node, "details", CLASS="admonition fold"))


def _visit_fold_title(self, node: fold_title) -> None:
    self.body.append(self.starttag(node, "summary", "", CLASS="admonition-title"))


def _mend_proofs(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """sphinx-proof writes "Proof." in English and gives every proof the same id."""
    for box in list(doctree.findall(nodes.Element)):
        box["ids"] = [name for name in box.get("ids", []) if name not in ("proof", "proof-content")]
        if isinstance(box, nodes.admonition) and box["classes"][:2] == ["proof", "proof"]:
            box["classes"].append("proof-text")
            start = next(box.findall(nodes.Text), None)
            if start and start.startswith("Proof. "):
                start.parent.replace(
                    start, [nodes.strong("", _proof("Proof") + "."), nodes.Text(start.removeprefix("Proof."))]
                )


def _name_headers(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """A table header that is a formula alone gets its name as text: screen readers take no name from MathML."""
    for head in doctree.findall(nodes.thead):
        for cell in head.findall(nodes.entry):
            formulas = list(cell.findall(nodes.math))
            if formulas and cell.astext().strip() == "".join(formula.astext() for formula in formulas).strip():
                for formula in formulas:
                    formula["named"] = True


def _plain_et_al(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Citations set "et al." in italics; Korean type has none, and would show it as stressed."""
    for stressed in list(doctree.findall(nodes.emphasis)):
        if stressed.astext() == "et al." and app.config.language == "ko":
            stressed.replace_self(nodes.inline("", "et al."))


# ---- glossary -------------------------------------------------------------------------------------------


def _definitions(app: Sphinx, doctree: nodes.document) -> None:
    """Remember what each glossary term of this page means: id of the term -> its definition in one line."""
    found = {}
    for item in doctree.findall(nodes.definition_list_item):
        meaning = " ".join(part.astext() for part in item.children if isinstance(part, nodes.definition))
        for term in item.children:
            if isinstance(term, nodes.term):
                found.update((name, " ".join(meaning.split())) for name in term["ids"])
    _known(app.env)[app.env.docname] = found


def _mark_other_language(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """A glossary entry begins with the term's name in the other language; say so to screen readers and hyphenation."""
    other = next(name for name in app.config.press_book["languages"] if name != app.config.language)
    for entry in doctree.findall(nodes.definition):
        for name in list(entry.findall(nodes.emphasis))[:1]:
            name.replace_self(nodes.inline("", name.astext(), classes=[f"language-{other}"]))


def _known(env: BuildEnvironment) -> dict[str, dict[str, str]]:
    if not hasattr(env, "press_definitions"):
        env.press_definitions = {}
    return env.press_definitions


def _forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _known(env).pop(docname, None)


def _rewrite_on_new_definitions(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """A changed definition changes every page that shows it."""
    now = json.dumps(_known(env), sort_keys=True)
    before, env.press_definitions_written = getattr(env, "press_definitions_written", now), now
    return [] if before == now else list(env.found_docs)


def _explain_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give each link to a term the class ``term``; its definition is added when the page is written."""
    meanings = {name: text for page in _known(app.env).values() for name, text in page.items()}
    for link in doctree.findall(nodes.reference):
        name = link.get("refuri", "").partition("#")[2] or link.get("refid", "")
        if name in meanings and any(
            "std-term" in child.get("classes", []) for child in link.children if isinstance(child, nodes.Element)
        ):
            link["classes"].append("glossary-term")
            link["reftitle"] = meanings[name]


# ---- the page -------------------------------------------------------------------------------------------


def page_url(book: dict, lang: str, docname: str) -> str:
    """Public address of a page; the first page of a language is its folder."""
    return f"{book['site_url']}{lang}/" + ("" if docname == "index" else f"{docname}.html")


def description(doctree: nodes.document | None, fallback: str, limit: int = 155) -> str:
    """The first paragraph of running text, without its formulas, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        inside_box = isinstance(paragraph.parent, (nodes.Admonition, nodes.list_item))
        if inside_box or any(paragraph.findall(nodes.math)) or len(paragraph.astext()) < 40:
            continue
        text = " ".join(paragraph.astext().split())
        return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"
    return fallback


def _chapter_links(book: dict, lang: str, docname: str) -> list[dict[str, str]]:
    path = f"book/{lang}/{docname}.ipynb"
    repository, branch = book["repository_url"], book["branch"]
    slug = repository.removeprefix("https://github.com/")
    return [
        {
            "kind": "colab",
            "text": _("Open in Colab"),
            "href": f"https://colab.research.google.com/github/{slug}/blob/{branch}/{path}",
        },
        {"kind": "download", "text": _("Download the notebook"), "href": f"_notebooks/{docname}.ipynb"},
        {"kind": "source", "text": _("View the source"), "href": f"{repository}/blob/{branch}/book/{docname}.md"},
    ]


def _mend_markup(body: str) -> str:
    """What the packages' markup does to screen readers, put right."""
    # myst-nb names every fold in English, over the visible, translated prompt
    body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    # a role that ARIA has withdrawn; the list of citations is a list
    body = body.replace('role="doc-biblioentry"', 'role="listitem"')
    # the empty corner of a table heads nothing
    return re.sub(r'<th class="[^"]*">(?:<p></p>)?\s*</th>', "<td></td>", body)


def _page_context(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    book, lang = app.config.press_book, app.config.language
    is_page = pagename in app.env.found_docs
    body = context.get("body", "")
    context["body"] = _mend_markup(body)
    context["has_widget"] = 'class="dtl-widget"' in body
    context["summary"] = description(doctree, book["description"][lang])
    context["book_title"] = book["title"][lang]
    context["is_page"] = is_page
    context["pageurl"] = page_url(book, lang, pagename) if is_page else None
    context["card_url"] = f"{book['site_url']}card.png"
    context["locale"] = LOCALES[lang]
    context["other_locales"] = [LOCALES[name] for name in book["languages"] if name != lang]
    context["chapter_links"] = _chapter_links(book, lang, pagename) if CHAPTER.match(pagename) else []
    context["alternates"] = []
    if is_page:
        context["alternates"] = [(name, page_url(book, name, pagename)) for name in book["languages"]]
        default = book["site_url"] if pagename == "index" else page_url(book, "en", pagename)
        context["alternates"].append(("x-default", default))
    up = "../" * (pagename.count("/") + 1)
    target = f"{pagename}.html" if is_page or pagename == "search" else "index.html"
    context["other_languages"] = [
        {"lang": name, "name": NAMES[name], "href": f"{up}{name}/{target}"}
        for name in book["languages"]
        if name != lang
    ]


def _report(app: Sphinx, exception: Exception | None) -> None:
    """Tell the press which pages there are and which style sheets they need."""
    if exception is None:
        sheets = [sheet.filename for sheet in getattr(app.builder, "_css_files", [])]
        report = {"pages": sorted(app.env.found_docs), "sheets": [str(name) for name in sheets]}
        (Path(app.doctreedir) / "press.json").write_text(json.dumps(report), encoding="utf-8")


def setup(app: Sphinx) -> dict:
    """Connect everything. ``press_book`` holds the addresses and titles; ``press.site`` fills it in."""
    app.add_config_value("press_book", {}, "html")
    app.add_config_value("press_stamp", "", "env")  # changed code of the press: every page is made anew
    for name in ("bilingual_book", "comments_config"):  # read by the press; always passed by Jupyter Book
        app.add_config_value(name, {}, "")
    app.add_search_language(SearchKorean)
    app.add_post_transform(InlineDrawings)
    app.add_node(fold, html=(_visit_fold, lambda self, node: self.body.append("</details>\n")))
    app.add_node(fold_title, html=(_visit_fold_title, lambda self, node: self.body.append("</summary>\n")))
    app.connect("doctree-read", _definitions)
    app.connect("env-purge-doc", _forget)
    app.connect("env-updated", _rewrite_on_new_definitions)
    app.connect("doctree-resolved", _mend_proofs)
    app.connect("doctree-resolved", _plain_et_al)
    app.connect("doctree-resolved", _name_headers)
    app.connect("doctree-resolved", _fold_boxes)
    app.connect("doctree-resolved", _explain_terms)
    app.connect("doctree-resolved", _mark_other_language)
    app.connect("html-page-context", _page_context, priority=100)  # before the theme tries its templates
    app.connect("build-finished", _report)
    for domain in ("proof", "exercise", "booktheme"):  # first come, first served: ours before the packages' own
        app.add_message_catalog(domain, app.config.locale_dirs[0])
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
