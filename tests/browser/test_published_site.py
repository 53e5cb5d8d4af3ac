"""The published site as its readers meet it."""

import gzip
import re
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from frames import look_through

CHAPTER = "04_dann"
LANGUAGES = ("ko", "en")
OTHER = {"ko": "en", "en": "ko"}


def pages(site_folder, lang):
    return sorted(path.stem for path in (site_folder / lang).glob("*.html"))


# ---- languages


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_switch_leads_to_the_same_page_in_the_other_language(open_page, site_folder, site_server, lang):
    for name in pages(site_folder, lang):
        page = open_page(f"{lang}/{name}.html").page
        assert page.evaluate("document.documentElement.lang") == lang
        page.locator("a.language-switch").click()
        page.wait_for_load_state()
        assert page.url == f"{site_server}{OTHER[lang]}/{name}.html"
        assert page.evaluate("document.documentElement.lang") == OTHER[lang]


@pytest.mark.parametrize("locale, lang", [("ko-KR", "ko"), ("en-GB", "en"), ("fr-FR", "en")])
def test_the_root_page_picks_the_readers_language(open_page, locale, lang):
    page = open_page("", locale=locale).page
    page.wait_for_url(f"**/{lang}/index.html")


def test_the_root_page_keeps_to_the_language_chosen_before(open_page, site_server):
    page = open_page("en/index.html", locale="en-US").page
    page.locator("a.language-switch").click()
    page.wait_for_url("**/ko/index.html")
    page.goto(site_server)
    page.wait_for_url("**/ko/index.html")


def test_the_root_page_works_without_scripts(open_page):
    page = open_page("", java_script_enabled=False).page
    assert page.get_by_role("link").all_inner_texts() == ["한국어로 읽기", "Read in English"]
    page.get_by_role("link", name="한국어로 읽기").click()
    assert page.url.endswith("/ko/index.html")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_names_its_language_its_address_and_its_twin(site_folder, lang):
    for name in pages(site_folder, lang):
        html = (site_folder / lang / f"{name}.html").read_text(encoding="utf-8")
        assert re.search(rf'<html lang="{lang}"', html)
        assert html.count('<meta name="description"') == 1 and html.count("<title>") == 1
        if name == "search":
            continue
        alternates = dict(re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)"', html))
        assert set(alternates) == {"ko", "en", "x-default"}
        canonical = re.findall(r'<link rel="canonical" href="([^"]+)"', html)
        assert canonical == [alternates[lang]]
        page = "" if name == "index" else f"{name}.html"
        assert alternates["ko"].removesuffix(f"ko/{page}") == alternates["en"].removesuffix(f"en/{page}")
        for key in ("og:title", "og:description", "og:image", "og:url", "og:locale"):
            assert re.search(rf'<meta property="{key}" content="[^"]+"', html), key
        assert 'name="twitter:card"' in html


def test_the_sitemap_holds_every_page_in_both_languages(site_folder):
    text = (site_folder / "sitemap.xml").read_text(encoding="utf-8")
    names = [name for name in pages(site_folder, "ko") if name != "search"]
    assert text.count("<loc>") == 2 * len(names)
    assert text.count('hreflang="x-default"') == 2 * len(names)
    assert "sitemap.xml" in (site_folder / "robots.txt").read_text(encoding="utf-8")
    assert (site_folder / ".nojekyll").is_file()


def test_interface_words_are_korean_on_korean_pages(open_page):
    page = open_page(f"ko/{CHAPTER}.html").page
    frame = page.evaluate("""() => [...document.querySelectorAll('button, nav, summary, [aria-label], [title], [placeholder]')]
        .filter(e => !e.closest('.output, svg, .dtl-widget, pre') && !e.matches('article a:not(.headerlink)'))
        .map(e => [e.getAttribute('aria-label'), e.getAttribute('title'), e.getAttribute('placeholder'),
                   e.matches('button, summary') ? e.textContent : '']).flat().filter(Boolean).map(t => t.trim()).filter(Boolean)""")
    english = {text for text in frame if not re.search("[가-힣]", text) and re.search("[A-Za-z]{4}", text)}
    assert english <= {"English"}, english


# ---- search


@pytest.mark.parametrize(
    "lang, query",
    [
        ("ko", "전이"),
        ("ko", "적대적"),
        ("ko", "도메인 적응"),
        ("ko", "gradient reversal"),
        ("ko", "그레이디언트 반전"),
        ("en", "gradient reversal"),
        ("en", "domain adaptation"),
    ],
)
def test_the_search_page_finds(open_page, site_server, lang, query):
    page = open_page(f"{lang}/index.html").page
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").fill(query)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    # results are listed one after the other
    page.locator(f"#search-results ul.search li a[href*='{CHAPTER}']").first.wait_for(timeout=15000)
    found = page.locator("#search-results ul.search li a").evaluate_all("links => links.map(a => a.href)")
    assert found and all(path.startswith(f"{site_server}{lang}/") for path in found)


# ---- what the pages ask for, and how much


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_other_host_is_asked_and_nothing_complains(open_page, site_folder, site_server, lang):
    for name in pages(site_folder, lang):
        watched = open_page(f"{lang}/{name}.html")
        watched.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        watched.page.wait_for_timeout(300)
        host = urlsplit(site_server).netloc
        foreign = [
            url
            for url in watched.requests
            if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != host
        ]
        assert foreign == [] and watched.complaints == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_chapter_weighs_at_most_400_kb(open_page, lang):
    page = open_page(f"{lang}/{CHAPTER}.html").page
    look_through(page, step=1500)
    transfers = page.evaluate("""() => {
        return performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
            .filter(e => !e.name.startsWith('blob:')).map(e => [e.name, e.transferSize]); }""")
    total = sum(size for _, size in transfers)
    assert 50_000 < total <= 400_000, (total, sorted(transfers, key=lambda item: -item[1])[:8])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_link_inside_the_site_leads_somewhere(site_folder, lang):
    broken = []
    for name in pages(site_folder, lang):
        html = (site_folder / lang / f"{name}.html").read_text(encoding="utf-8")
        ids = set(re.findall(r'\bid="([^"]+)"', html))
        for address in set(re.findall(r'\b(?:href|src)="([^"]+)"', html)):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (site_folder / lang / unquote(parts.path)).resolve() if parts.path else None
            if target is None:
                if parts.fragment and unquote(parts.fragment) not in ids:
                    broken.append((name, address))
                continue
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                broken.append((name, address))
            elif parts.fragment and target.suffix == ".html":
                there = target.read_text(encoding="utf-8")
                if f'id="{unquote(parts.fragment)}"' not in there:
                    broken.append((name, address))
    assert broken == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_chapter_links_to_colab_source_and_its_notebook(site_folder, lang):
    html = (site_folder / lang / f"{CHAPTER}.html").read_text(encoding="utf-8")
    links = re.search(r'<nav class="chapter-links.*?</nav>', html, re.S).group()
    hrefs = re.findall(r'href="([^"]+)"', links)
    assert any(
        re.fullmatch(
            rf"https://colab\.research\.google\.com/github/[\w.-]+/[\w.-]+/blob/.+/book/{lang}/{CHAPTER}\.ipynb", href
        )
        for href in hrefs
    )
    assert any(href.endswith(f"/book/{CHAPTER}.md") for href in hrefs)
    assert (site_folder / lang / f"_notebooks/{CHAPTER}.ipynb").is_file()
    assert f"_notebooks/{CHAPTER}.ipynb" in hrefs


def test_style_and_script_are_small(site_folder):
    for name, limit in (("book.css", 40_000), ("book.js", 20_000)):
        assert len(gzip.compress((site_folder / "ko/_static" / name).read_bytes())) < limit


# ---- 404


@pytest.mark.parametrize("address", ["nowhere.html", "ko/nowhere.html", "en/deep/er/nowhere.html"])
def test_a_missing_page_leads_back_in_both_languages(open_page, site_server, address):
    page = open_page("ko/index.html").page
    answer = page.goto(site_server + address)
    assert answer.status == 404
    if "/" not in address:
        return  # a host's own path cannot be told from the address; the link then leads to the published site or here
    targets = page.get_by_role("link").evaluate_all("links => links.map(a => a.href)")
    assert targets == [urljoin(site_server, "ko/index.html"), urljoin(site_server, "en/index.html")]


# ---- the text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_math_is_set_and_no_tex_is_left(open_page, lang):
    page = open_page(f"{lang}/{CHAPTER}.html").page
    assert page.locator(".math .katex-html").count() > 50
    assert page.locator(".math .katex-mathml").count() == page.locator(".math .katex-html").count()
    assert page.locator(".math math").count() > 50
    text = page.evaluate("""() => { const copy = document.querySelector('article').cloneNode(true);
        copy.querySelectorAll('annotation, pre, code, script, .dtl-widget').forEach(e => e.remove()); return copy.textContent; }""")
    assert not re.search(r"\$\$|\\(frac|theta|lambda|mathcal|sum|partial)\b", text)
    page.locator("div.math").first.scroll_into_view_if_needed()
    page.wait_for_function("document.fonts.check('16px KaTeX_Main')")
    for link in page.locator("article a[href^='#equation-']").all():
        assert page.locator(f"[id='{link.get_attribute('href')[1:]}']").count() == 1


def test_drawings_stand_in_the_page_and_have_a_text(open_page):
    page = open_page(f"ko/{CHAPTER}.html").page
    assert page.locator("figure svg.drawing").count() >= 1
    for svg in page.locator("figure svg[role=img]").all():
        assert svg.get_attribute("aria-label")
    assert page.locator("article img").count() == 0


def test_a_term_shows_its_meaning_on_focus_and_escape_hides_it(open_page):
    page = open_page(f"ko/{CHAPTER}.html").page
    term = page.locator("a.glossary-term").first
    term.focus()
    note = page.get_by_role("tooltip")
    assert note.is_visible() and len(note.inner_text()) > 5
    assert term.get_attribute("aria-describedby") == note.get_attribute("id")
    page.keyboard.press("Escape")
    assert not note.is_visible()


# ---- using it


def test_the_colours_can_be_switched_and_are_kept(open_page):
    page = open_page(f"ko/{CHAPTER}.html", color_scheme="light").page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    button = page.locator(".theme-switch-button")
    button.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(ground) != light
    page.reload(wait_until="networkidle")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_dark_readers_get_dark_pages_from_the_first_moment(open_page):
    page = open_page("en/index.html", color_scheme="dark", java_script_enabled=True).page
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_skip_link_comes_first_and_works(open_page):
    page = open_page(f"ko/{CHAPTER}.html").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "본문으로 건너뛰기"
    assert page.locator("#pst-skip-link a").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_solutions_open_by_keyboard(open_page, lang):
    page = open_page(f"{lang}/{CHAPTER}.html").page
    fold = page.locator("details.solution").first
    assert not fold.evaluate("e => e.open")
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.evaluate("e => e.open")


def test_hidden_code_opens_by_keyboard(open_page):
    page = open_page(f"ko/{CHAPTER}.html").page
    folds = page.locator("div.cell details")
    if folds.count() == 0:
        pytest.skip("this chapter hides no code")
    fold = folds.first
    fold.locator("summary").focus()
    before = fold.evaluate("e => e.open")
    page.keyboard.press("Space")
    assert fold.evaluate("e => e.open") != before
    assert re.search("[가-힣]", fold.locator("summary").inner_text())


def test_the_table_of_contents_opens_on_a_phone(open_page):
    page = open_page(f"ko/{CHAPTER}.html", width=360, height=740).page
    page.locator(".primary-toggle").click()
    assert page.locator("#pst-primary-sidebar-modal").is_visible()
    assert page.locator("#pst-primary-sidebar-modal nav.bd-links a").first.is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#pst-primary-sidebar-modal").is_visible()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_paper_shows_everything(open_page, lang):
    page = open_page(f"{lang}/{CHAPTER}.html", color_scheme="dark").page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    hidden = page.evaluate("""() => [...document.querySelectorAll('article details')].filter(d => !d.closest('.dtl-widget') &&
        d.lastElementChild.getBoundingClientRect().height === 0).length""")
    assert hidden == 0
    assert not page.locator(".bd-sidebar-primary").is_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--dtl-ink').trim()") == "#1f2328"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.solution[open]").count() == 0
