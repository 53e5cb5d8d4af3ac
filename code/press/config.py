"""What `_config.yml`, `_toc.yml` and the environment say about the book, read once and checked."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

LANGUAGES = ("ko", "en")


class PressError(Exception):
    """A fault in the input, told in one sentence; the command line prints it without a traceback."""


@dataclass(frozen=True)
class Config:
    """The book's settings.

    `title`, `description` map a language to a text; `site_url` and `repository_url` end with and without
    a slash; `documents` are the names in `_toc.yml` without the `book/` prefix, root first.
    """

    root: Path
    title: dict[str, str]
    description: dict[str, str]
    site_url: str
    repository_url: str
    branch: str
    toc: dict[str, Any]
    documents: tuple[str, ...]
    sphinx: dict[str, Any]
    languages: tuple[str, ...] = LANGUAGES

    @property
    def book(self) -> Path:
        return self.root / "book"

    @property
    def build(self) -> Path:
        return self.root / "_build"

    @property
    def notebooks(self) -> Path:
        """Where the notebooks are made; `make notebooks` copies them to book/ko and book/en."""
        return self.build / "notebooks"

    def page_url(self, lang: str, document: str) -> str:
        """Address of a published page."""
        return f"{self.site_url}{lang}/{document}.html"

    def notebook_url(self, lang: str, stem: str) -> str:
        """Address of a committed notebook in the repository."""
        return f"{self.repository_url}/blob/{self.branch}/book/{lang}/{stem}.ipynb"

    def colab_url(self, lang: str, stem: str) -> str:
        """Address that opens a committed notebook in Colab; only GitHub repositories have one."""
        path = self.notebook_url(lang, stem).removeprefix("https://github.com/")
        return f"https://colab.research.google.com/github/{path}"

    def package_url(self) -> str:
        """Archive from which pip installs the helper package, no git needed."""
        return f"{self.repository_url}/archive/refs/heads/{self.branch}.zip"

    def language_toc(self, lang: str) -> dict[str, Any]:
        """The one table of contents as Sphinx needs it for one language: captions chosen, prefix dropped."""
        return _localised(self.toc, LANGUAGES.index(lang))


def load(root: Path) -> Config:
    """Read the two settings files in `root`.

    Raises:
        PressError: a file is missing, is not YAML, lacks a key, or names a page that has no file.
    """
    settings = _read_yaml(root / "_config.yml")
    toc = _read_yaml(root / "_toc.yml")
    try:
        book = settings["sphinx"]["config"]["bilingual_book"]
        title = {lang: book[lang]["title"] for lang in LANGUAGES}
        description = {lang: book[lang]["description"] for lang in LANGUAGES}
        repository = settings["repository"]["url"].rstrip("/")
        branch = settings["repository"]["branch"]
        site = settings["html"]["baseurl"]
    except (KeyError, TypeError) as error:
        raise PressError(f"_config.yml: expected the key {error}, found none; see the comments in that file") from None
    repository, site = _addresses(repository, site)
    documents = tuple(name.removeprefix("book/") for name in _documents(toc))
    for name in documents:
        if not (root / "book" / f"{name}.md").is_file():
            raise PressError(
                f"_toc.yml: it lists book/{name}, but there is no file book/{name}.md; "
                "write the file or take the line out"
            )
    return Config(root, title, description, site, repository, branch, toc, documents, settings["sphinx"])


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PressError(f"{path.name}: expected this file at the root of the book, found none") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise PressError(f"{path.name}{line}: not valid YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(data, dict):
        raise PressError(f"{path.name}: expected a mapping of settings, found {type(data).__name__}")
    return data


def _addresses(repository: str, site: str) -> tuple[str, str]:
    """The two addresses; a publishing workflow sets BOOK_REPOSITORY=owner/name (and BOOK_SITE) to its own."""
    slug = os.environ.get("BOOK_REPOSITORY")
    if slug:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", slug):
            raise PressError(f"BOOK_REPOSITORY: expected owner/name, found {slug!r}")
        owner, name = slug.split("/")
        repository, site = f"https://github.com/{slug}", f"https://{owner.lower()}.github.io/{name}/"
    site = os.environ.get("BOOK_SITE", site).rstrip("/") + "/"
    for what, url in (("repository", repository), ("site", site)):
        if not url.startswith("https://"):
            raise PressError(f"_config.yml: expected the {what} address to start with https://, found {url!r}")
    return repository, site


def _documents(toc: Any) -> list[str]:
    """Every `root:` and `file:` of the table of contents, in reading order."""
    if isinstance(toc, list):
        return [name for item in toc for name in _documents(item)]
    if not isinstance(toc, dict):
        return []
    own = [toc[key] for key in ("root", "file") if key in toc]
    return own + [name for key, value in toc.items() if key not in ("root", "file") for name in _documents(value)]


def _localised(node: Any, index: int) -> Any:
    if isinstance(node, list):
        return [_localised(item, index) for item in node]
    if not isinstance(node, dict):
        return node
    out = {}
    for key, value in node.items():
        if key in ("root", "file"):
            out[key] = value.removeprefix("book/")
        elif key in ("caption", "title"):
            parts = value.split(" | ")
            if len(parts) != len(LANGUAGES):
                raise PressError(f"_toc.yml: expected `{key}: 한국어 | English`, found {value!r}")
            out[key] = parts[index]
        else:
            out[key] = _localised(value, index)
    return out
