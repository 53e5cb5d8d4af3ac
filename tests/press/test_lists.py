"""The lists that a page asks for: chapters from their front matter, works from the bibliography, terms."""

from press import config, lists


def test_the_chapters_stand_with_the_minutes_of_their_front_matter(book):
    settings = config.load(book.root)
    book.change("read: 5", "read: 7")
    made = {lang: lists.fill_in("before\n\n```{chapters-list}\n```\n\nafter", lang, settings) for lang in ("ko", "en")}
    assert "| 1. {doc}`01_small` | 7 min | 1 min | 1 min | none |" in made["en"]
    assert "| 1. {doc}`01_small` | 7분 | 1분 | 1분 | 없음 |" in made["ko"]
    assert made["en"].startswith("before\n\n| chapter |") and made["en"].endswith("|\n\nafter")
    assert "index" not in made["en"]


def test_every_work_is_listed_by_author_and_year(book):
    settings = config.load(book.root)
    (settings.book / "references.bib").write_text(
        "@article{b2, author={Zhao, Han}, title={Second}, journal={J}, year={2019}}\n"
        "@article{a1, author={Ben-David, Shai}, title={Later}, journal={J}, year={2010}}\n"
        "@article{a0, author={Ben-David, Shai}, title={First}, journal={J}, year={2007}}\n",
        encoding="utf-8",
    )
    found = lists.fill_in("```{references-list}\n```", "ko", settings).splitlines()
    titles = ("first", "later", "second")
    assert [next(word for word in titles if word in line.lower()) for line in found] == list(titles)
    assert all(line.startswith("- ") for line in found)


def test_other_directives_are_left_alone(book):
    text = "```{note}\nglossary-list\n```"
    assert lists.fill_in(text, "ko", config.load(book.root)) == text
