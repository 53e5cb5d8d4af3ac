"""Settings: what is wrong with them is said in one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tomllib
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from press import config
from press.source import EXTENSIONS

ROOT = Path(__file__).resolve().parents[2]


def test_the_real_settings_load():
    settings = config.load(ROOT)
    assert settings.documents[0] == "index"
    assert settings.site_url.endswith("/") and not settings.repository_url.endswith("/")


def test_gate_and_site_parse_the_same_syntax():
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert sorted(settings["parse"]["myst_enable_extensions"]) == sorted(EXTENSIONS)


def test_a_chapter_without_a_file(book):
    (book.root / "_toc.yml").write_text("format: jb-book\nroot: book/index\nchapters:\n  - file: book/09_none\n")
    with pytest.raises(
        config.PressError, match=r"_toc.yml: it lists book/09_none, but there is no file book/09_none.md"
    ):
        config.load(book.root)


@pytest.mark.parametrize(
    ("name", "text"), [("_config.yml", "a: [b"), ("_toc.yml", "- x\n"), ("_config.yml", "title: x\n")]
)
def test_unusable_settings(book, name, text):
    (book.root / name).write_text(text)
    with pytest.raises(config.PressError, match=re.escape(name)):
        config.load(book.root)


def test_a_publishing_workflow_brings_its_own_addresses(book, monkeypatch):
    monkeypatch.setenv("BOOK_REPOSITORY", "Someone/some-book")
    settings = config.load(book.root)
    assert settings.site_url == "https://someone.github.io/some-book/"
    assert settings.colab_url("ko", "04_dann") == (
        "https://colab.research.google.com/github/Someone/some-book/blob/main/book/ko/04_dann.ipynb"
    )
    monkeypatch.setenv("BOOK_REPOSITORY", "nonsense")
    with pytest.raises(config.PressError, match="owner/name"):
        config.load(book.root)


def test_captions_are_chosen_by_language(book):
    (book.root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nparts:\n  - caption: 기초 | Foundations\n    chapters:\n      - file: book/01_small\n"
    )
    settings = config.load(book.root)
    assert settings.language_toc("ko")["parts"][0]["caption"] == "기초"
    assert settings.language_toc("en")["parts"][0] == {"caption": "Foundations", "chapters": [{"file": "01_small"}]}


# --- pyproject.toml, constraints.txt and environment.yml agree ---


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines if "==" in line)}


def test_every_requirement_is_pinned_within_its_range():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    pins = _pins()
    for requirement in map(Requirement, wanted):
        if requirement.marker and not requirement.marker.evaluate({"platform_machine": "x86_64"}):
            continue
        name = canonicalize_name(requirement.name)
        assert name in pins, f"constraints.txt does not pin {name}"
        assert requirement.specifier.contains(pins[name]), f"{name}=={pins[name]} is outside {requirement}"


def test_conda_users_get_the_same_versions():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    listed = environment["dependencies"][-1]["pip"]
    pins = _pins()
    exact = [line.split("==") for line in listed if "==" in line]
    assert {name for name, _ in exact} >= {
        "torch",
        "tensorflow-cpu",
        "jupyter-book",
        "matplotlib",
        "ipywidgets",
        "nbval",
    }
    for name, version in exact:
        assert pins[canonicalize_name(name)] == version, f"{name} differs between environment.yml and constraints.txt"
    assert "--constraint constraints.txt" in listed
    editable = next(line for line in listed if line.startswith("--editable"))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(re.findall(r"\w+", editable.partition("[")[2])) == set(extras)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"'.[{editable.partition('[')[2]}'" in makefile
    assert "python=3.11" in environment["dependencies"] and "python3.11" in makefile


def test_the_environment_is_the_pinned_one():
    from press.execute import installed_versions

    pins = _pins()
    other = [
        line
        for line in installed_versions()
        for name, version in [line.split("==")]
        if pins.get(canonicalize_name(name), version) != version.split("+")[0]
    ]
    assert not other, f"installed versions differ from constraints.txt: {other}; run `make setup` again"
