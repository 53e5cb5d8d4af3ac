"""One style sheet, one script and the fonts of a published language, as small as the pages allow.

The themes bring 430 KB of CSS and three icon fonts. A rule stays only if the pages or the scripts name its classes
and ids, a custom property only if something reads it, an icon only if a rule shows it. Our own sheet is kept whole.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable
from pathlib import Path

import tinycss2

THEME_SHEETS = ("styles/theme.css", "styles/pydata-sphinx-theme.css")
SCRIPTS = (
    "documentation_options.js",
    "doctools.js",
    "sphinx_highlight.js",
    "scripts/pydata-sphinx-theme.js",
    "scripts/sphinx-book-theme.js",
)
SEARCH_FILES = ("translations.js", "searchtools.js", "language_data.js")
# The theme measures every code block and table as soon as a page is loaded, which lays out the whole chapter (0.5 s
# on a laptop); book.js does the same near the screen. In another version of the theme this may match nothing: slower only.
_EAGER = re.compile(r'"complete"===document\.readyState\?(\w+)\(\):window\.addEventListener\("load",\1\)')
NESTING = {"media", "supports", "layer", "container"}


# ---- style sheets ---------------------------------------------------------------------------------------


def names_in_html(html: str) -> set[str]:
    """Every class and id that the markup uses."""
    return {name for value in re.findall(r'\s(?:class|id)="([^"]*)"', html) for name in value.split()}


def names_in_script(script: str) -> set[str]:
    """Every word of a script: it may be a class that the script sets."""
    return set(re.findall(r"[A-Za-z_][\w-]*", script))


def _selectors(prelude: list) -> list[list]:
    """A selector list, split at its commas."""
    parts: list[list] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _wanted(selector: list, names: set[str]) -> bool:
    """Whether something on the pages can match: all its classes and ids are in use (brackets are not looked into)."""
    for before, token in zip([None, *selector], selector, strict=False):
        is_class = token.type == "ident" and before is not None and before.type == "literal" and before.value == "."
        if (is_class or token.type == "hash") and token.value not in names:
            return False
    return True


def _squeeze(tokens: list) -> str:
    return re.sub(r"\s+", " ", tinycss2.serialize(tokens)).strip()


def _declarations(content: list) -> list[tuple[str, str]]:
    """(name, text) of each declaration of a block."""
    found = tinycss2.parse_declaration_list(content, skip_comments=True, skip_whitespace=True)
    return [
        (item.name, f"{item.name}:{_squeeze(item.value)}{'!important' if item.important else ''}")
        for item in found
        if item.type == "declaration"
    ]


def _rules(rules: Iterable, names: set[str]) -> list[tuple[str, list]]:
    """Kept rules as (opening, declarations or nested rules)."""
    kept = []
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [_squeeze(one) for one in _selectors(rule.prelude) if _wanted(one, names)]
            if selectors:
                kept.append((",".join(selectors), _declarations(rule.content)))
        elif rule.type == "at-rule" and rule.lower_at_keyword in NESTING and rule.content is not None:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            nested = _rules(inner, names)
            if nested:
                kept.append((f"@{rule.at_keyword} {_squeeze(rule.prelude)}", nested))
        elif rule.type == "at-rule" and rule.lower_at_keyword == "font-face":
            face = _squeeze(rule.content)
            if "Font Awesome" not in face and "FontAwesome" not in face:  # icons() gives us our own
                kept.append(("@font-face", [("src", face)]))
        elif rule.type == "at-rule" and rule.content is not None:
            kept.append((f"@{rule.at_keyword} {_squeeze(rule.prelude)}", [("", _squeeze(rule.content))]))
    return kept


def _write(rules: list, read: set[str]) -> str:
    """CSS text; custom properties that nothing reads are left out."""
    out = []
    for opening, body in rules:
        if body and isinstance(body[0][1], list):
            inner = _write(body, read)
        else:
            inner = ";".join(text for name, text in body if not name.startswith("--") or name in read)
        if inner:
            out.append(f"{opening}{{{inner}}}")
    return "".join(out)


def _texts(rules: list) -> Iterable[tuple[str, str]]:
    for _, body in rules:
        yield from (_texts(body) if body and isinstance(body[0][1], list) else body)


def purge(css: str, names: set[str], also_read: str = "") -> str:
    """The rules of `css` that `names` (classes and ids in use) can need, minified.

    :param also_read: other CSS or HTML whose ``var(--x)`` keep custom properties alive.
    """
    rules = _rules(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), names)
    declared = list(_texts(rules))
    read: set[str] = set(re.findall(r"--[\w-]+", also_read))
    while True:  # a property is read by a rule that stays, or by a property that is read
        more = {
            name
            for owner, text in declared
            if not owner.startswith("--") or owner in read
            for name in re.findall(r"var\(\s*(--[\w-]+)", text)
        }
        if more <= read:
            return _write(rules, read)
        read |= more


def katex_sheet(folder: Path) -> str:
    """KaTeX's style sheet with woff2 fonts only, found under ``fonts/``."""
    css = (folder / "katex.min.css").read_text(encoding="utf-8")
    css = re.sub(r',url\([^)]+\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)', "", css)
    return css.replace("font-display:block", "font-display:swap")


def icons(css: str, font: Path) -> tuple[str, bytes]:
    """The icon font cut to the icons that `css` shows.

    :param font: the theme's full TrueType file.
    :returns: the ``@font-face`` rule and the woff2 file ``fonts/icons.woff2``.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont

    codes = {ord(sign) for sign in re.findall("[\ue000-\uf8ff]", css)}  # the private use area
    options = subset.Options(flavor="woff2", layout_features=[], name_IDs=[], notdef_outline=False, hinting=False)
    with TTFont(font, recalcTimestamp=False) as whole:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=codes)
        cutter.subset(whole)
        whole.flavor = "woff2"
        out = io.BytesIO()
        whole.save(out)
    family = re.search(r"--fa-family-classic:\s*([^;}]+)", css)
    name = family.group(1).strip() if family else '"Font Awesome 6 Free"'
    return (
        f'@font-face{{font-family:{name};font-weight:900;src:url(fonts/icons.woff2) format("woff2")}}',
        out.getvalue(),
    )


# ---- everything a language needs ------------------------------------------------------------------------


def stamp(data: bytes) -> str:
    """Short name of a content, for addresses that change when the file does."""
    return hashlib.sha256(data).hexdigest()[:8]


def write_assets(html: str, built: Path, theme: Path, out: Path, sheets: list[str]) -> dict[str, str]:
    """Fill `out` (the ``_static`` folder of a published language).

    :param html: all its pages, joined.
    :param built: Sphinx's ``_static``.
    :param theme: ``book/theme``.
    :param sheets: style sheets that Sphinx's extensions registered, e.g. ``_static/pygments.css``.
    :returns: for each bundled file its content's stamp.
    """
    (out / "fonts").mkdir(parents=True, exist_ok=True)
    own_css = (theme / "static" / "book.css").read_text(encoding="utf-8")
    own_js = (theme / "static" / "book.js").read_text(encoding="utf-8")
    scripts = [_EAGER.sub("0", (built / name).read_text(encoding="utf-8")) for name in SCRIPTS] + [own_js]
    script = ";\n".join(re.sub(r"//# sourceMappingURL=.*", "", text) for text in scripts)

    order = [*THEME_SHEETS, *(name.removeprefix("_static/").partition("?")[0] for name in sheets)]
    vendor = "\n".join(
        (built / name).read_text(encoding="utf-8") for name in dict.fromkeys(order) if (built / name).is_file()
    ) + katex_sheet(theme / "katex")
    names = names_in_html(html) | names_in_script(script)
    kept = purge(vendor, names, also_read=own_css + html)
    face, font = icons(kept, built / "vendor/fontawesome/webfonts/fa-solid-900.ttf")
    css = face + kept + purge(own_css, names | names_in_script(own_css), also_read=own_css + html)

    (out / "fonts" / "icons.woff2").write_bytes(font)
    for path in sorted((theme / "katex" / "fonts").glob("*.woff2")):
        (out / "fonts" / path.name).write_bytes(path.read_bytes())
    for name in SEARCH_FILES:
        if (built / name).is_file():
            (out / name).write_bytes((built / name).read_bytes())
    for path in sorted((theme / "static").rglob("*")):
        if path.is_file() and path.name not in ("book.css", "book.js"):
            copy = out / path.relative_to(theme / "static")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    bundles = {"book.css": css.encode(), "book.js": script.encode()}
    for name, data in bundles.items():
        (out / name).write_bytes(data)
    host = out / "afm-host.js"
    return {name: stamp(data) for name, data in bundles.items()} | (
        {"afm-host.js": stamp(host.read_bytes())} if host.is_file() else {}
    )
