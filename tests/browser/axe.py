"""axe-core on every page of an edition. Its tests stand in two files, so that two processes share the work."""

import pytest
from frames import look_through, scroll_to

CONTRAST_WHEN_NARROW = ("04_dann", "11_results", "preface", "search")  # a lab, wide tables, plain text, a form


def faults(open_page, site_folder, lang: str, colours: str, width: int) -> list[str]:
    """What axe-core finds on the pages of one language, in these colours and at this width.

    Two thirds of its time go to the contrast of each piece of text. Colours come from the theme, whatever the width: so
    every page is looked at for them where it is wide, and a few, with all that moves on a narrow page, once more.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = []
    for name in sorted(path.stem for path in (site_folder / lang).glob("*.html")):
        page = open_page(f"{lang}/{name}.html", width=width, color_scheme=colours, reduced_motion="reduce").page
        page.evaluate("document.querySelectorAll('article details').forEach(d => { d.open = true; })")
        look_through(page, step=600)
        scroll_to(page, 0)
        page.wait_for_timeout(500)
        # The picture of a formula is hidden from assistive technology, which reads the MathML beside it; it has half of
        # the page's elements, and takes its colour from the text around it, which is looked at.
        context, options = {"exclude": [[".katex-html"]]}, {"resultTypes": ["violations"]}  # no list of what is right
        if width < 768 and name not in CONTRAST_WHEN_NARROW:
            options["rules"] = {"color-contrast": {"enabled": False}}
        for fault in axe.run(page, context=context, options=options).response["violations"]:
            found += [
                f"{name}: {fault['id']}: {node['target']} {node['failureSummary'][:300]}" for node in fault["nodes"][:5]
            ]
        page.context.close()  # a long page holds much memory
    return found
