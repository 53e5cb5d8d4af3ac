"""Parts of the site's build that need no Sphinx run."""

from types import SimpleNamespace

import pytest

from press import assets, katex, site
from press.config import PressError
from press.sphinx_book import SearchKorean, description, inline_svg, page_url


def test_katex_gives_html_and_mathml():
    html = katex.render(r"\frac{1}{n}\sum_i L_y^i", display=True)
    assert "<math" in html and 'class="katex-html"' in html
    assert "<mtext>손실</mtext>" in katex.render(r"\text{손실}")
    assert katex.render(r"\E", macros={r"\E": r"\mathbb{E}"}).count("𝔼") or "mathbb" in katex.render(r"\mathbb{E}")


def test_katex_names_its_error():
    with pytest.raises(katex.MathError, match="frac"):
        katex.render(r"\frac{1}")


def test_korean_words_are_also_indexed_by_pairs_of_syllables():
    words = SearchKorean({}).split("적대적으로 전이를 gradient")
    assert {"적대적으로", "적대", "대적", "전이", "gradient"} <= set(words)


CSS = """
:root { --used: red; --unused: blue; --chain: var(--used); }
.kept, .gone { color: var(--chain); }
.gone .kept { color: blue }
@media (min-width: 10px) { .gone { top: 0 } #there { left: 0 } }
@font-face { font-family: "Font Awesome 6 Free"; src: url(x.woff2) }
@font-face { font-family: KaTeX_Main; src: url(fonts/a.woff2) }
a:not(.gone) { top: 1px }
@keyframes turn { from { top: 0 } to { top: 1px } }
"""


def test_purge_keeps_what_the_pages_can_need():
    kept = assets.purge(CSS, {"kept", "there"})
    assert ".kept{color:var(--chain)}" in kept and ".gone" not in kept.replace(":not(.gone)", "")
    assert "--used:red" in kept and "--chain" in kept and "--unused" not in kept
    assert "#there{left:0}" in kept and "KaTeX_Main" in kept and "Awesome" not in kept
    assert "@keyframes turn" in kept and "a:not(.gone)" in kept


def test_names_are_read_from_markup_and_scripts():
    assert assets.names_in_html('<p class="a b-c" id="d">') == {"a", "b-c", "d"}
    assert "is-open" in assets.names_in_script("e.classList.add('is-open')")


def test_a_drawing_keeps_one_language_its_own_ids_and_gets_a_name(tmp_path):
    path = tmp_path / "a.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 100" width="400" height="100"><defs>'
        '<marker id="a-tip"/></defs><text lang="ko">가</text><text lang="en">b</text>'
        '<path marker-end="url(#a-tip)"/></svg>',
        encoding="utf-8",
    )
    svg = inline_svg(path, 'say "x"', "ko", "drawing0")
    assert "가" in svg and ">b<" not in svg and 'role="img"' in svg and 'aria-label="say &quot;x&quot;"' in svg
    assert 'id="drawing0-a-tip"' in svg and "url(#drawing0-a-tip)" in svg and "max-width:400px" in svg


def test_links_of_a_drawing_reach_screen_readers(tmp_path):
    path = tmp_path / "map.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><a href="#sec-x"><rect id="sec"/></a></svg>',
        encoding="utf-8",
    )
    svg = inline_svg(path, "a map", "ko", "drawing0")
    assert 'role="group"' in svg and 'role="img"' not in svg
    assert 'href="#sec-x"' in svg and 'id="drawing0-sec"' in svg  # a place on the page, not one in the drawing


def test_addresses_of_pages():
    book = {"site_url": "https://example.org/book/"}
    assert page_url(book, "ko", "index") == "https://example.org/book/ko/"
    assert page_url(book, "en", "04_dann") == "https://example.org/book/en/04_dann.html"


def test_a_page_without_text_is_described_by_the_book():
    assert description(None, "the book") == "the book"


def test_warnings_name_the_file_that_an_author_edits(tmp_path):
    job = site.Job("ko", str(tmp_path / "_build/source/ko"), "", "", {})
    told = site._faults(
        f"\x1b[91m{tmp_path}/_build/source/ko/04_dann.ipynb:12: WARNING: no such term\x1b[0m\n",
        job,
        SimpleNamespace(root=tmp_path),
    )
    assert told == ["book/04_dann.md:12: WARNING: no such term (ko)"]


def test_the_old_site_gives_way_only_to_a_whole_new_one(tmp_path):
    new, out = tmp_path / "site.new", tmp_path / "site"
    for folder, text in ((new, "new"), (out, "old")):
        folder.mkdir()
        (folder / "index.html").write_text(text)
    site._swap(new, out)
    assert (out / "index.html").read_text() == "new" and not new.exists() and not (tmp_path / "site.old").exists()


def test_an_output_that_cannot_be_written_is_told_in_one_sentence(tmp_path):
    (tmp_path / "blocked").write_text("a file")
    config = SimpleNamespace(root=tmp_path, languages=("ko", "en"))
    with pytest.raises(PressError, match="cannot write the site at .*blocked"):
        site.build(config, tmp_path, tmp_path / "blocked" / "site")


def test_the_server_knows_the_prefix_and_its_404_page(tmp_path):
    import threading
    from urllib.error import HTTPError
    from urllib.request import urlopen

    from press.serve import server

    (tmp_path / "ko").mkdir()
    (tmp_path / "ko" / "index.html").write_text("안녕", encoding="utf-8")
    (tmp_path / "404.html").write_text("none", encoding="utf-8")
    with server(tmp_path, port=0, prefix="/a/b/") as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{running.server_port}"
        assert urlopen(f"{base}/a/b/ko/").read().decode() == "안녕"
        assert urlopen(f"{base}/a/b/ko").url.endswith("/a/b/ko/")
        for address in ("/a/b/no.html", "/ko/", "/a/b/../../etc/hosts"):
            with pytest.raises(HTTPError) as answer:
                urlopen(base + address)
            assert answer.value.code == 404 and answer.value.read() == b"none"
        running.shutdown()
