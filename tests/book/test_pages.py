"""The numbers that the notebooks print for equations, figures and exercises are those of the pages."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "site"
PAGES = [(lang, path.stem) for lang in ("ko", "en") for path in sorted((ROOT / "book" / lang).glob("*.ipynb"))]


@pytest.mark.parametrize(("lang", "stem"), PAGES)
def test_numbers_agree(lang, stem):
    page = SITE / lang / f"{stem}.html"
    if not page.is_file():
        pytest.skip("no site was built: run `make book` first")
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    text = "\n".join(
        c.source for c in nbformat.read(ROOT / "book" / lang / f"{stem}.ipynb", 4).cells if c.cell_type == "markdown"
    )

    equations = re.findall(r"\((\d+\.\d+)\)", " ".join(e.get_text() for e in soup.select(".eqno")))
    assert equations[0] == f"{int(stem[:2])}.1"  # numbered by chapter
    assert re.findall(r"\\tag\{(\d+\.\d+)\}", text) == equations

    captions = [e.get_text().strip() for e in soup.select("figcaption .caption-number")]
    assert captions and re.findall(r"^\*((?:그림|Fig\.) \d+\.\d+)\.\*", text, re.M) == captions

    # exercises, definitions, propositions, examples: name and number
    boxes = [e.get_text().strip() for e in soup.select(".admonition-title .caption-number")]
    assert boxes and re.findall(r"^(?:> )?\*\*(\S[^*]* \d+\.\d+)\*\*", text, re.M) == boxes
