"""A miniature book, complete and sound, that each test breaks in its own way."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FRONT = """\
---
jupytext:
  text_representation: {extension: .md, format_name: myst, format_version: 0.13}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""

CHAPTER = (
    FRONT.replace("kernelspec", 'dtlbook: {read: 5, cpu: 1, gpu: 1, downloads: {ko: "없음", en: "none"}}\nkernelspec')
    + """
+++ {"lang": "ko"}

# 1. 작은 장

(sec-first)=
## 첫 절

{term}`전이 학습`은 2015년에 {cite:t}`ganin2015`이 보인 손실 $L_y - \\lambda L_d$ 를 쓴다. 식 {eq}`eq-e`와 [논문](https://example.org/a)을 보라. `train`도 함께.

$$
E = L_y - \\lambda L_d
$$ (eq-e)

+++ {"lang": "en"}

# 1. A small chapter

(sec-first)=
## First section

In 2015 {term}`transfer learning` got the loss $L_y - \\lambda L_d$ from {cite:t}`ganin2015`. See {eq}`eq-e` and the [paper](https://example.org/a), and `train`.

$$
E = L_y - \\lambda  L_d
$$ (eq-e)

```{code-cell} ipython3
import random

print("two:", 1 + 1)
```

+++ {"lang": "ko"}

```{exercise} 손으로
:label: ex-hand

식 {eq}`eq-e`에 $\\lambda = 0$ 을 넣어라.
```

```{solution} ex-hand
:class: dropdown

$E = L_y$ 이다.
```

{ref}`sec-first`과 {prf:ref}`def-risk`를 보라.

```{prf:definition} 위험
:label: def-risk

평균 손실이다.
```

+++ {"lang": "en"}

```{exercise} By hand
:label: ex-hand

Put $\\lambda = 0$ into {eq}`eq-e`.
```

```{solution} ex-hand
:class: dropdown

$E = L_y$.
```

See {ref}`sec-first` and {prf:ref}`def-risk`.

```{prf:definition} Risk
:label: def-risk

The mean loss.
```
"""
)

INDEX = (
    FRONT
    + """
+++ {"lang": "ko"}

# 책

읽어 보자.

+++ {"lang": "en"}

# The book

Read on.
"""
)

GLOSSARY = """\
- en: transfer learning
  ko: 전이 학습
  not: [전이학습]
  def: {ko: 배운 것을 다른 과제에 쓰는 일, en: using what was learned elsewhere}
- en: target
  ko: 타깃
  not: [타겟]
  def: {ko: 전이를 받는 쪽, en: where knowledge goes}
"""

BIB = """\
@inproceedings{ganin2015,
  author = {Ganin, Yaroslav and Lempitsky, Victor},
  title = {Unsupervised Domain Adaptation by Backpropagation},
  booktitle = {ICML},
  year = {2015},
}
"""


class Book:
    """Paths of the miniature book, and a way to change its chapter."""

    def __init__(self, root: Path) -> None:
        self.root, self.chapter = root, root / "book" / "01_small.md"

    def change(self, old: str, new: str, which: int = 0) -> None:
        """Replace the `which`-th occurrence of `old`; the test is wrong if there is none."""
        text = self.chapter.read_text(encoding="utf-8")
        parts = text.split(old)
        assert len(parts) > which + 1, f"{old!r} stands {len(parts) - 1} times in the chapter"
        self.chapter.write_text(old.join(parts[: which + 1]) + new + old.join(parts[which + 1 :]), encoding="utf-8")

    def line(self, text: str, which: int = 0) -> int:
        lines = self.chapter.read_text(encoding="utf-8").splitlines()
        return [number for number, line in enumerate(lines, 1) if text in line][which]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "figures").mkdir()
    (tmp_path / "code" / "dtlbook").mkdir(parents=True)
    (tmp_path / "code" / "dtlbook" / "__init__.py").write_text("")
    shutil.copy(ROOT / "_config.yml", tmp_path)
    (tmp_path / "_toc.yml").write_text(
        textwrap.dedent("""\
        format: jb-book
        root: book/index
        options:
          numbered: 1
        chapters:
          - file: book/01_small
        """)
    )
    for name, text in {
        "index.md": INDEX,
        "01_small.md": CHAPTER,
        "glossary.yml": GLOSSARY,
        "references.bib": BIB,
    }.items():
        (tmp_path / "book" / name).write_text(text, encoding="utf-8")
    return Book(tmp_path)
