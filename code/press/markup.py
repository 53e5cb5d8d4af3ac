"""What a cell of MyST text contains: a flat list of items (headings, equations, citations, numbers, ...).

The parser is the site's own (myst-parser on markdown-it), so the gate sees what Sphinx will see. Bodies of
directives are parsed in turn, with their lines counted on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.parsers.mdit import create_md_parser

from press.source import PARSER

DIRECTIVE = re.compile(r"^\{([\w:.-]+)\}\s*(.*)$", re.S)
# Directives whose body is text to be read on; the body of any other one (a bibliography's options) is not.
TEXT_DIRECTIVES = frozenset(
    "admonition note tip warning important caution hint seealso exercise solution dropdown figure table "
    "list-table card epigraph".split()
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_HTML_URL = re.compile(r"""(?:src|href)=["']([^"']+)""")
_RAW_URL = re.compile(r"\b(?:https?|ftp)://[^\s<>)\]\"'`]+")


@dataclass(frozen=True)
class Item:
    """`kind`: heading, equation, inline equation, label, citation, reference, term, link, figure, inline code,
    code block, directive, number, table row, text, comment, url, result (a key of the results ledger), results table."""

    kind: str
    value: str
    line: int


@dataclass(frozen=True)
class Directive:
    """A parsed `{name} argument` block: its options, its body and the line at which the body begins."""

    name: str
    argument: str
    options: dict[str, str]
    body: str
    body_line: int


def tokens(source: str) -> list[Token]:
    """Block tokens of a piece of MyST text."""
    return create_md_parser(PARSER, RendererHTML).parse(source + "\n")


def read_directive(token: Token, line: int = 0) -> Directive | None:
    """The directive that a fence token holds, or None if it is an ordinary code block."""
    match = DIRECTIVE.match(token.info.strip())
    if not match:
        return None
    lines = token.content.split("\n")
    options, used = _options(lines)
    return Directive(match[1], match[2].strip(), options, "\n".join(lines[used:]).rstrip(), line + 1 + used)


def _options(lines: list[str]) -> tuple[dict[str, str], int]:
    """Options in either spelling (`:key: value` lines, or a `---` block) and how many lines they take."""
    if lines and lines[0].strip() == "---":
        end = next((i for i in range(1, len(lines)) if lines[i].strip() == "---"), len(lines) - 1)
        return {k: str(v) for k, v in (yaml.safe_load("\n".join(lines[1:end])) or {}).items()}, end + 1
    options, used = {}, 0
    for text in lines:
        match = re.match(r"^:([\w-]+):\s*(.*)$", text)
        if not match:
            break
        options[match[1]], used = match[2].strip(), used + 1
    return options, used


def items(source: str, line: int = 1) -> Iterator[Item]:
    """All items of `source`, whose first line is line `line` of its file."""
    for token in tokens(source):
        here = line + (token.map[0] if token.map else 0)
        if token.type == "heading_open":
            yield Item("heading", token.tag[1:], here)
        elif token.type == "inline":
            yield from _inline(token, here)
        elif token.type in ("math_block", "math_block_label", "amsmath"):
            yield Item("equation", token.content, here)
            if token.type == "math_block_label":
                yield Item("label", token.info, here)
        elif token.type == "myst_target":
            yield Item("label", token.content, here)
        elif token.type == "tr_open":
            yield Item("table row", "row", here)
        elif token.type == "html_block":
            yield from _html(token.content, here)
        elif token.type == "code_block":
            yield Item("code block", token.content.strip(), here)
        elif token.type in ("fence", "colon_fence"):
            yield from _fence(token, here)


def _fence(token: Token, line: int) -> Iterator[Item]:
    directive = read_directive(token, line)
    if directive is None:
        yield Item("code block", f"{token.info}\n{token.content.strip()}", line)
        return
    name = directive.name
    yield Item("directive", name, line)
    for key in ("name", "label"):
        if key in directive.options:
            yield Item("label", directive.options[key], line)
    if name == "math":
        yield Item("equation", directive.body, line)
        return
    if name == "figure":
        yield Item("figure", directive.argument, line)
        yield from items(directive.options.get("alt", ""), line)
    elif name == "solution":
        yield Item("reference", directive.argument, line)
    elif name == "results-table":
        wanted = ", ".join(re.split(r"[\s,]+", directive.options.get("methods", "").strip()))
        yield Item("results table", f"{directive.argument} {wanted}".strip(), line)
    elif directive.argument:
        yield from items(directive.argument, line)
    if name in TEXT_DIRECTIVES or name.startswith("prf:"):
        yield from items(directive.body, directive.body_line)


def _inline(token: Token, line: int) -> Iterator[Item]:
    for child in token.children or []:
        if child.type == "math_inline" or child.type == "math_single":
            yield Item("inline equation", child.content, line)
        elif child.type == "math_inline_double":
            yield Item("equation", child.content, line)
        elif child.type == "code_inline":
            yield Item("inline code", child.content, line)
        elif child.type == "myst_role":
            yield from _role(child.meta["name"], child.content, line)
        elif child.type == "link_open":
            yield Item("link", str(child.attrs["href"]), line)
        elif child.type == "image":
            yield Item("figure", str(child.attrs["src"]), line)
            yield from _text(child.content, line)
        elif child.type == "html_inline":
            yield from _html(child.content, line)
        elif child.type == "text":
            yield from _text(child.content, line)
        elif child.type in ("softbreak", "hardbreak"):
            line += 1


def _role(name: str, content: str, line: int) -> Iterator[Item]:
    target = re.search(r"<([^<>]+)>$", content)
    target = target[1] if target else content.strip()
    if name.startswith("cite"):
        for key in target.split(","):
            yield Item("citation", key.strip(), line)
    elif name == "term":
        yield Item("term", target, line)
        yield Item("text", content, line)
    elif name == "result":
        yield Item("result", content.strip(), line)
    elif name in ("eq", "ref", "numref", "doc", "prf:ref", "download"):
        yield Item("reference", target, line)
    else:
        yield Item("inline code", f"{{{name}}}{content}", line)


def _html(content: str, line: int) -> Iterator[Item]:
    comment = re.match(r"\s*<!--(.*?)-->", content, re.S)
    if comment:
        yield Item("comment", comment[1].strip(), line)
    for url in _HTML_URL.findall(content):
        yield Item("link", url, line)


def _text(content: str, line: int) -> Iterator[Item]:
    for url in _RAW_URL.findall(content):
        yield Item("url", url, line)
    content = _RAW_URL.sub(" ", content)
    yield Item("text", content, line)
    for number in _NUMBER.findall(content):
        yield Item("number", _plain_number(number), line)


def _plain_number(number: str) -> str:
    """1,797 and 1797 are one number; 0.50 and 0.5 are not (a lost digit is a difference)."""
    return number.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", number) else number
