"""Korean that a number decides: the particle after 식 (7.8) or 정의 1.1 follows how its last digit is read."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "book" / "ko").glob("*.ipynb"))
CLOSED = "013678"  # 영, 일, 삼, 육, 칠, 팔 end in a consonant
AFTER = {"을": True, "은": True, "과": True, "이": True, "를": False, "는": False, "와": False, "가": False}
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
NUMBER = re.compile(
    r"(?:\(|(?:그림|표|예|정의|명제|정리|보조정리|따름정리|덧붙임|알고리즘|연습 문제) )(\d+\.\d+)\)?"
    r"(으로|로|을|를|은|는|과|와|이|가)(?=[\s,.)]|도|만|$)"
)


def wrong_particles(text: str) -> list[str]:
    found = []
    for match in NUMBER.finditer(LINK.sub(r"\1", text)):
        digit, particle = match[1][-1], match[2]
        closed = digit in CLOSED
        if particle in ("로", "으로"):
            fits = (particle == "으로") == (closed and digit not in "178")  # after ㄹ it is 로
        else:
            fits = AFTER[particle] == closed
        if not fits:
            found.append(match[0])
    return found


def test_a_wrong_particle_is_seen():
    assert wrong_particles("(4.3)은 [그림 4.2](x.html)와 정의 1.10을, (2.7)로, (2.6)으로") == []
    for wrong in ("(4.3)는", "[(4.2)](#x)은", "그림 4.10와", "정의 1.1를", "(2.7)으로", "(2.6)로", "예 2.4이"):
        assert len(wrong_particles(f"앞의 {wrong} 뒤")) == 1, wrong


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_particles_fit_the_numbers(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    wrong = [found for cell in cells if cell.cell_type == "markdown" for found in wrong_particles(cell.source)]
    assert not wrong, f"the particle does not fit the number: {wrong}"
