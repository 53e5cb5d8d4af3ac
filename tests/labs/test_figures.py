"""Figures: the same text each time, the colours of the page, nothing that clashes, small."""

import gzip
import io
import re
import xml.etree.ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import pytest
from lab_example import draw, run

from dtlbook.figures import PALETTE, domain_scatter, inline_svg, learning_curves, to_svg, tsne, use_style


@pytest.fixture(autouse=True)
def _style():
    use_style()


def simple(text="source"):
    fig, ax = plt.subplots()
    ax.plot([0, 1], [0, 1], marker="o", color=PALETTE["target"])
    ax.scatter([0, 1], [1, 0], color=PALETTE["source"])
    ax.set_title(text)
    return fig


def file_of(fig):
    stream = io.StringIO()
    fig.savefig(stream, format="svg")
    return stream.getvalue()


def test_same_figure_gives_same_text():
    assert to_svg(simple(), "a line") == to_svg(simple(), "a line")


def test_salt_and_date_of_the_file_leave_no_trace():
    with plt.rc_context({"svg.hashsalt": None}):
        assert inline_svg(file_of(simple()), "a line") == inline_svg(file_of(simple()), "a line")


def test_identifiers_of_two_figures_do_not_clash_and_all_references_hold():
    found = []
    for text in ("one", "two"):
        svg = to_svg(simple(text), text)
        ids = set(re.findall(r' id="([^"]+)"', svg))
        assert ids == set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
        found.append(ids)
    assert not found[0] & found[1]


def test_colours_follow_the_page():
    svg = to_svg(draw(run(0.3)), "clouds")
    for name in ("source", "target", "ink", "paper"):
        assert f"var(--dtl-{name}, {PALETTE[name]})" in svg
    assert not re.sub(r"var\([^)]*\)", "", svg).count(":#"), "a colour outside the palette"


def test_black_is_ink():
    fig, ax = plt.subplots()
    ax.plot([0, 1], color="black")
    assert "#000000)" in to_svg(fig, "a black line") and "--dtl-ink, #000000" in to_svg(fig, "a black line")


def test_root_element():
    root = ET.fromstring(to_svg(simple(), 'a "line" <from> 0 & on'))
    assert root.tag == "svg" and root.get("role") == "img" and root.get("aria-label") == 'a "line" <from> 0 & on'
    assert "width" not in root.attrib and "height" not in root.attrib
    assert root.get("viewBox") == "0 0 374.4 230.4"
    assert "max-width:499px" in root.get("style")


def test_nothing_foreign_and_no_fonts():
    svg = to_svg(simple("λ → 1"), "a line")
    assert "http" not in svg and "font-family" not in svg and "DejaVu" not in svg and "<style" not in svg
    assert ">λ → 1</text>" in svg


def test_coordinates_have_at_most_two_decimals():
    assert not re.search(r"\d\.\d{3,}", to_svg(draw(run(0)), "clouds"))


def test_markup_in_a_label_stays_text():
    assert "a &lt; b &amp; c" in to_svg(simple("a < b & c"), "a line")


def test_pictures_of_few_pixels_stay_sharp():
    fig, ax = plt.subplots()
    ax.imshow(np.eye(8))
    assert "image-rendering:pixelated" in to_svg(fig, "a diagonal")


def test_two_panels_of_300_points_weigh_at_most_12_kilobytes():
    assert len(gzip.compress(to_svg(draw(run(0)), "clouds").encode())) <= 12 * 1024


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: to_svg(None, "x"), TypeError, "needs a matplotlib Figure, and got None"),
        (lambda: inline_svg("no svg", "x"), ValueError, "cannot read it"),
        (lambda: inline_svg("<svg/>", "x"), ValueError, "viewBox"),
        (lambda: tsne(np.zeros(3)), ValueError, "4 to 2000 rows"),
        (lambda: domain_scatter(None, np.zeros((3, 5)), np.zeros((3, 2))), ValueError, "z_source must have the shape"),
        (lambda: learning_curves(None, None, ("accuracy",)), ValueError, "and not accuracy"),
    ],
)
def test_bad_input_is_answered_in_a_sentence(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_tsne_is_the_same_for_the_same_seed_and_keeps_clusters_apart():
    y = np.arange(60) % 2
    features = np.random.default_rng(0).normal(size=(60, 8)) + 8 * y[:, None]
    z = tsne(features, seed=1)
    assert z.shape == (60, 2) and np.array_equal(z, tsne(features, seed=1))
    centres = np.stack([z[y == k].mean(axis=0) for k in (0, 1)])
    nearest = np.linalg.norm(z[:, None] - centres, axis=-1).argmin(axis=1)
    assert np.array_equal(nearest, y)


def test_learning_curves_are_named_at_their_ends():
    class History:
        step = [0, 10, 20]
        source_accuracy = [0.1, 0.8, 0.9]
        target_accuracy = [0.1, 0.8, 0.89]

    _, ax = plt.subplots()
    learning_curves(ax, History())
    heights = [text.xy[1] for text in ax.texts]
    assert {text.get_text() for text in ax.texts} == {"source accuracy", "target accuracy"}
    assert abs(heights[0] - heights[1]) > 0.05, "the names must not overlap"
