"""From the split sources to the published site.

Each language is one Sphinx run in a process of its own, started through Jupyter Book's Python interface: its command
line cannot set the language. The pages are then finished (assets, downloads, addresses) in a folder beside the site,
and the old site is replaced only when both languages are complete.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from press.assets import stamp, write_assets
from press.config import Config, PressError

EXTENSIONS = [
    "press.sphinx_book",  # first: its translations win
    "press.katex",
    "myst_nb",
    "jupyter_book",
    "sphinx_external_toc",
    "sphinx_multitoc_numbering",
    "sphinx_design",
    "sphinx_proof",
    "sphinx_exercise",
    "sphinxcontrib.bibtex",
    "sphinx_book_theme",
]
WORDS: dict[str, dict[str, Any]] = {
    "ko": {
        "search": "책에서 찾기",
        "contents": "이 페이지의 차례",
        "show": "코드 보기",
        "hide": "코드 접기",
        "formats": {"figure": "그림 %s", "table": "표 %s", "code-block": "코드 %s", "section": "%s절"},
    },
    "en": {
        "search": "Search the book",
        "contents": "On this page",
        "show": "Show code",
        "hide": "Hide code",
        "formats": {"figure": "Fig. %s", "table": "Table %s", "code-block": "Listing %s", "section": "Section %s"},
    },
}


@dataclass(frozen=True)
class Job:
    """One Sphinx run, in plain values: it travels to another process as JSON."""

    lang: str
    source: str
    work: str
    settings: str
    overrides: dict[str, Any]

    @property
    def html(self) -> Path:
        return Path(self.work) / "html"

    @property
    def doctrees(self) -> Path:
        return Path(self.work) / "doctrees"


def build(config: Config, source: Path, out: Path) -> None:
    """Build the published site of both languages.

    :param config: the book's settings.
    :param source: folder with one folder a language: pages, drawings, bibliography, ``_toc.yml``.
    :param out: folder of the site; replaced as a whole, and only if everything succeeded.
    :raises PressError: for a warning of Sphinx (file and line), a folder that cannot be written, a missing notebook.
    """
    theme, work, staging = config.root / "book" / "theme", out.parent / "sphinx", out.with_name(out.name + ".new")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        catalogs = compile_catalogs(theme / "locale", work / "locale")
        jobs = [_job(config, lang, source, work / lang, catalogs, theme) for lang in config.languages]
        _run_all(config, jobs)
        for job in jobs:
            _finish_language(config, job, staging / job.lang, theme)
        _finish_root(config, staging, theme)
        _swap(staging, out)
    except OSError as error:
        raise PressError(
            f"cannot write the site at {error.filename or out}: {error.strerror}; "
            "make that folder writable or remove what stands in its place"
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


# ---- the Sphinx runs ------------------------------------------------------------------------------------


def compile_catalogs(source: Path, out: Path) -> Path:
    """Compile ``LANG/LC_MESSAGES/*.po`` under `source` into ``.mo`` files under `out`."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for path in sorted(source.rglob("*.po")):
        target = out / path.relative_to(source).with_suffix(".mo")
        buffer = BytesIO()
        with path.open("rb") as text:
            write_mo(buffer, read_po(text, domain=path.stem))
        if not target.is_file() or target.read_bytes() != buffer.getvalue():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(buffer.getvalue())
    return out


def _job(config: Config, lang: str, source: Path, work: Path, catalogs: Path, theme: Path) -> Job:
    words = WORDS[lang]
    overrides = {
        "language": lang,
        "locale_dirs": [str(catalogs)],
        "latex_individualpages": False,  # a key that Jupyter Book's own command line always passes
        "external_toc_path": str(source / lang / "_toc.yml"),
        "extensions": EXTENSIONS,
        "project": config.title[lang],
        "html_title": config.title[lang],
        "html_baseurl": f"{config.site_url}{lang}/",
        "html_favicon": str(theme / "static" / "favicon.svg"),
        "templates_path": [str(theme / "templates")],
        "html_math_renderer": "katex",
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_use_index": False,
        "html_permalinks_icon": "#",
        "html_last_updated_fmt": None,
        "html_sidebars": {"**": ["book-title.html", "book-navigation.html"]},
        "html_context": {
            "default_mode": "auto",
            "repository_url": config.repository_url,
            "repository_branch": config.branch,
        },
        "html_theme_options": {
            "search_bar_text": words["search"],
            "toc_title": words["contents"],
            "article_header_start": ["navigation-toggle"],
            "article_header_end": ["page-tools"],
            "footer_content_items": ["book-footer"],
            "show_toc_level": 2,
            "use_download_button": False,
            "use_fullscreen_button": False,
            "back_to_top_button": False,
            "navigation_with_keys": False,
            "pygments_light_style": "github-light",
            "pygments_dark_style": "github-dark",
        },
        "nb_execution_mode": "off",
        "nb_merge_streams": True,
        "nb_ipywidgets_js": {},
        "nb_code_prompt_show": words["show"],
        "nb_code_prompt_hide": words["hide"],
        "myst_footnote_transition": False,
        "numfig": True,  # by chapter: Fig. 4.2, equation (4.12)
        "numfig_secnum_depth": 1,
        "math_numfig": True,
        "numfig_format": words["formats"],
        "use_multitoc_numbering": True,
        "bibtex_bibfiles": ["references.bib"] if (source / lang / "references.bib").is_file() else [],
        "suppress_warnings": [
            "myst.domains",
            "bibtex.duplicate_citation",
        ],  # a work may stand in the list of several chapters
        "press_stamp": stamp(
            b"".join(Path(__file__).with_name(name).read_bytes() for name in ("sphinx_book.py", "katex.py"))
        ),
        "press_book": {
            "languages": list(config.languages),
            "title": config.title,
            "description": config.description,
            "site_url": config.site_url,
            "repository_url": config.repository_url,
            "branch": config.branch,
        },
    }
    return Job(lang, str(source / lang), str(work), str(config.root / "_config.yml"), overrides)


def _run_all(config: Config, jobs: list[Job]) -> None:
    """Run Sphinx for all languages at the same time.

    :raises PressError: with every warning; the stored pages are then dropped, so that none is missed next time.
    """
    running = []
    for job in jobs:
        Path(job.work).mkdir(parents=True, exist_ok=True)
        order = Path(job.work) / "job.json"
        order.write_text(json.dumps(asdict(job), ensure_ascii=False), encoding="utf-8")
        command = [sys.executable, "-m", "press.site", str(order)]
        running.append(
            (
                job,
                time.perf_counter(),
                subprocess.Popen(
                    command,
                    stderr=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    text=True,
                    encoding="utf-8",
                    cwd=Path(__file__).parents[1],
                ),
            )
        )
    faults = []
    for job, started, process in running:
        complaints = process.communicate()[1]
        if process.returncode:
            shutil.rmtree(job.doctrees, ignore_errors=True)
            faults += _faults(complaints, job, config) or [f"{job.lang}: Sphinx ended with code {process.returncode}"]
        else:
            pages = len(_report(job)["pages"])
            print(f"  {job.lang}: {pages} pages, {time.perf_counter() - started:.1f} s", flush=True)
    if faults:
        raise PressError("\n".join(dict.fromkeys(faults)) + "\nThe site was left as it was.")


def _faults(complaints: str, job: Job, config: Config) -> list[str]:
    """Sphinx's warnings, one line each, with the file that an author edits."""
    text = re.sub(r"\x1b\[[\d;]*m", "", complaints)
    text = re.sub(rf"{re.escape(job.source)}/(\w+)\.(?:ipynb|md)", r"book/\1.md", text)
    text = text.replace(f"{config.root}/", "")
    text = re.sub(r"(error\b[^\n]*:)\n+", r"\1 ", text)
    marked = [line for line in text.splitlines() if re.search(r"(WARNING|ERROR|CRITICAL|error\b.*):", line)]
    return [f"{line} ({job.lang})" for line in marked] or [
        f"{job.lang}: {line}" for line in text.splitlines() if re.match(r"\w+(Error|Exception)\b", line)
    ]


def _work(order: Path) -> int:
    """Body of one process: the Sphinx run that `order` (a JSON file) describes."""
    from jupyter_book.sphinx import build_sphinx
    from sphinx.util.console import nocolor

    nocolor()
    job = Job(**json.loads(order.read_text(encoding="utf-8")))
    code = build_sphinx(
        job.source,
        job.html,
        path_config=job.settings,
        noconfig=True,
        doctreedir=job.doctrees,
        quiet=True,
        warningiserror=True,
        keep_going=True,
        confoverrides=job.overrides,
    )
    return code if isinstance(code, int) else 1


def _report(job: Job) -> dict[str, Any]:
    return json.loads((job.doctrees / "press.json").read_text(encoding="utf-8"))


# ---- from Sphinx's pages to the site --------------------------------------------------------------------


def _finish_language(config: Config, job: Job, out: Path, theme: Path) -> None:
    """Pages, assets, drawings and notebooks of one language."""
    report = _report(job)
    pages = {name: (job.html / f"{name}.html").read_text(encoding="utf-8") for name in [*report["pages"], "search"]}
    everything = "".join(pages.values())
    static = out / "_static"
    stamps = write_assets(everything, job.html / "_static", theme, static, report["sheets"])
    for name, text in pages.items():
        for asset, mark in stamps.items():
            text = text.replace(f'_static/{asset}"', f'_static/{asset}?v={mark}"')
        (out / f"{name}.html").parent.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.html").write_text(text, encoding="utf-8")
    shutil.copy(job.html / "searchindex.js", out)
    for name in sorted(set(re.findall(r'_images/([^"?#]+)"', everything))):
        (out / "_images").mkdir(exist_ok=True)
        shutil.copy(job.html / "_images" / name, out / "_images")
    if (Path(job.source) / "figures").is_dir():
        shutil.copytree(Path(job.source) / "figures", static / "figures")
    for name in sorted(set(re.findall(r'href="_notebooks/([^"]+)"', everything))):
        notebook = config.build / "notebooks" / job.lang / name
        if not notebook.is_file():
            raise PressError(
                f"{notebook.relative_to(config.root)}: the notebook that the site offers is missing; "
                "run `make book` from the start"
            )
        (out / "_notebooks").mkdir(exist_ok=True)
        shutil.copy(notebook, out / "_notebooks")


def _finish_root(config: Config, out: Path, theme: Path) -> None:
    """What stands above the languages: choice of language, 404, sitemap, robots, social card."""
    from jinja2 import Environment, FileSystemLoader, select_autoescape

    reports = sorted(path.stem for path in (out / config.languages[0]).glob("*.html") if path.stem != "search")
    environment = Environment(loader=FileSystemLoader(theme / "pages"), autoescape=select_autoescape(default=True))
    for name in ("index.html", "404.html", "sitemap.xml", "robots.txt"):
        text = environment.get_template(name).render(book=config, pages=reports, path=_path_of(config.site_url))
        (out / name).write_text(text, encoding="utf-8")
    for name in ("card.png", "favicon.svg"):
        shutil.copy(theme / "static" / name, out)
    (out / ".nojekyll").write_text("", encoding="utf-8")


def _path_of(url: str) -> str:
    """``/book/`` of ``https://host/book/``."""
    return "/" + url.split("/", 3)[3] if url.count("/") > 2 else "/"


def _swap(staging: Path, out: Path) -> None:
    """Put the new site in the old one's place."""
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists() or out.is_symlink():
        out.rename(old)
    try:
        staging.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    if old.is_dir():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(_work(Path(sys.argv[1])))
