"""The table in CONTRIBUTING.md that says where the sources stand: every label in it is a label of a chapter."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_place_of_the_coverage_table_exists():
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Where the sources stand")[2]
    named = set(re.findall(r"`((?:sec|ch)-[\w-]+)`", table))
    chapters = (path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("[0-9]*.md"))
    known = {label for text in chapters for label in re.findall(r"^\(([\w-]+)\)=$", text, re.M)}
    assert len(named) > 25 and named <= known, sorted(named - known)
