"""The house style of figures, and their way into a page.

A figure is drawn once, by matplotlib, and read in four places: a notebook, a page in light or dark colours,
a phone, a print-out. So its text stays text, its size gives way to the width of the page, and every colour of
the house palette becomes a CSS variable with that colour as fallback: `var(--dtl-source, #0b62a8)`.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import xml.etree.ElementTree as ET
from html import escape

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PALETTE = {
    "ink": "#1f2328",
    "soft": "#57606a",
    "paper": "#ffffff",
    "grid": "#d0d7de",  # text, notes, ground, lines
    "source": "#0b62a8",
    "target": "#b8460e",  # the two domains
    "f": "#3d6b21",
    "y": "#6b4fa0",
    "d": "#a8326e",  # G_f, G_y, G_d
}

STYLE = {
    "figure.figsize": (5.2, 3.2),  # inches: a column's width, so 13 pt stay legible on a phone
    "figure.constrained_layout.use": True,
    "figure.facecolor": PALETTE["paper"],
    "savefig.facecolor": PALETTE["paper"],
    "font.size": 13.5,
    "axes.titlesize": 13.5,
    "axes.titleweight": "bold",
    "axes.labelsize": 13.5,
    "xtick.labelsize": 12.5,
    "ytick.labelsize": 12.5,
    "legend.fontsize": 13.5,
    "legend.markerscale": 2,
    "legend.handletextpad": 0.3,
    "text.color": PALETTE["ink"],
    "axes.labelcolor": PALETTE["ink"],
    "axes.edgecolor": PALETTE["soft"],
    "xtick.color": PALETTE["soft"],
    "ytick.color": PALETTE["soft"],
    "xtick.labelcolor": PALETTE["ink"],
    "ytick.labelcolor": PALETTE["ink"],
    "grid.color": PALETTE["grid"],
    "axes.facecolor": PALETTE["paper"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=[PALETTE[name] for name in ("source", "target", "f", "y", "d", "soft")]),
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "image.cmap": "gray_r",
    "image.interpolation": "none",  # an 8 x 8 picture stays 64 pixels, sharp on the screen
    "svg.fonttype": "none",  # text as text: read, searched, set in the page's font
    "svg.hashsalt": "dtlbook",  # the same figure gives the same file
}
_SAVE = {"format": "svg", "metadata": {"Date": None, "Creator": None}}


def use_style() -> None:
    """Set the house style for every figure drawn from here on.

    In a notebook figures appear as sharp PNG; in the making of the book (`DTLBOOK_PRESS=1`) as SVG.
    """
    mpl.rcParams.update(STYLE)
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if getattr(get_ipython(), "kernel", None) is None:
        return
    # bbox_inches: the notebook's own habit of cropping would give every figure another size
    if os.environ.get("DTLBOOK_PRESS") == "1":
        set_matplotlib_formats("svg", bbox_inches=None, metadata=_SAVE["metadata"])
    else:
        set_matplotlib_formats("retina", bbox_inches=None)


# --- from matplotlib to the page ---

_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_COLOUR = re.compile("|".join(set(PALETTE.values()) | {"#000000"}), re.IGNORECASE)
_NAMES = {colour: name for name, colour in PALETTE.items()} | {"#000000": "ink"}
_NO_ROTATION = re.compile(r"rotate\(-?0 [^)]*\)$")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
# what a child inherits from its group: only these may be moved from equal children to their parent
_INHERITED = (
    "fill",
    "fill-opacity",
    "stroke",
    "stroke-opacity",
    "stroke-width",
    "stroke-linejoin",
    "stroke-linecap",
    "stroke-dasharray",
    "stroke-dashoffset",
)


def to_svg(fig: Figure, alt: str) -> str:
    """Draw `fig` as an `<svg>` element for an HTML page; `alt` says in one sentence what it shows."""
    if not isinstance(fig, Figure):
        raise TypeError(f"to_svg needs a matplotlib Figure, and got {_kind(fig)}: pass the figure drawn on.")
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": STYLE["svg.hashsalt"]}):
        fig.savefig(buffer, **_SAVE)
    return inline_svg(buffer.getvalue(), alt)


def inline_svg(svg_text: str, alt: str) -> str:
    """Turn matplotlib's SVG file into an element that may stand, any number of times, inside an HTML page.

    The same drawing and `alt` always give the same text. Lengths keep two decimals (1/100 pt), identifiers
    are renamed after the content so that no two figures of a page clash, house colours and font are the page's.
    """
    try:
        root = ET.fromstring(svg_text)
    except ET.ParseError as error:
        raise ValueError(f"inline_svg needs the text of an SVG file, and cannot read it: {error}.") from None
    width, height = _size(root)
    for element in root.iter():
        _clean(element)
    _drop(root, ("metadata", "style", "title"))
    _flatten(root)
    _share_style(root)
    root.attrib = {
        "role": "img",
        "aria-label": alt,
        "viewBox": f"0 0 {_short(width)} {_short(height)}",
        # points to CSS pixels: never larger than drawn, never wider than the page
        "style": f"display:block;width:100%;max-width:{round(width * 96 / 72)}px;height:auto;"
        "fill:var(--dtl-ink, #1f2328);stroke-linejoin:round",
    }
    text = _rename_ids(root)
    return text.replace("@@", f"fig{hashlib.sha256(text.encode()).hexdigest()[:8]}-")


def _size(root: ET.Element) -> tuple[float, float]:
    """Width and height in points, from the view box."""
    box = root.get("viewBox", "").split()
    if len(box) != 4:
        raise ValueError("inline_svg needs an <svg> element with a viewBox; matplotlib writes one.")
    return float(box[2]), float(box[3])


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".").replace("-0", "0" if round(number, 2) == 0 else "-0")


def _clean(element: ET.Element) -> None:
    """Plain names, two decimals, palette colours as variables, no font family."""
    element.tag = element.tag.rpartition("}")[2]
    if len(element) or element.tag not in ("text", "tspan"):
        element.text = None  # the file's line breaks and indents
    for name in list(element.attrib):
        value = element.attrib.pop(name)
        name = name.rpartition("}")[2]
        if name == "style":
            value = _clean_style(value)
        elif name == "href":
            value = "".join(value.split())  # an embedded picture's base64 comes in lines
        elif name not in ("id", "clip-path"):
            value = _NUMBER.sub(lambda match: _short(float(match[0])), " ".join(value.split()))
        if name == "d":
            value = re.sub(r" ?([MLQCZz]) ?", r"\1", value)
        if value and not _NO_ROTATION.match(value):
            element.set(name, value)
    if element.tag == "image" and float(element.get("width", "inf")) <= 64:
        element.set("style", "image-rendering:pixelated")  # a picture of few pixels is not to be blurred


def _clean_style(style: str) -> str:
    rules = [rule.strip().split(": ", 1) for rule in style.split(";") if ": " in rule]
    kept = []
    for name, value in rules:
        if name == "font-family":
            continue
        if name == "font":  # the short form: `italic 700 13px 'DejaVu Sans', sans-serif`
            found = re.match(r"(.*?)([\d.]+px)", value)
            name, value = "font-size", found[2]
            kept += [f"font-weight:{word}" for word in found[1].split() if word.isdigit() or word == "bold"]
            kept += ["font-style:italic" for word in found[1].split() if word in ("italic", "oblique")]
        value = _NUMBER.sub(lambda match: _short(float(match[0])), value)
        kept.append(f"{name}:{_COLOUR.sub(_variable, value)}")
    return ";".join(kept)


def _variable(match: re.Match) -> str:
    colour = match[0].lower()
    return f"var(--dtl-{_NAMES[colour]}, {colour})"


def _drop(parent: ET.Element, tags: tuple[str, ...]) -> None:
    for child in list(parent):
        if child.tag in tags:
            parent.remove(child)
        else:
            _drop(child, tags)
            if child.tag in ("defs", "g") and not len(child):
                parent.remove(child)


def _flatten(root: ET.Element) -> None:
    """Drop identifiers that nothing refers to, then groups that say nothing."""
    used = {element.get("href", "").lstrip("#") for element in root.iter()}
    for element in root.iter():
        used.update(name for value in element.attrib.values() for name in _REFERENCE.findall(value))
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
    _unwrap(root)


def _unwrap(parent: ET.Element) -> None:
    for child in list(parent):
        _unwrap(child)
        if child.tag == "g" and not child.attrib:
            place = list(parent).index(child)
            parent.remove(child)
            for offset, grandchild in enumerate(child):
                parent.insert(place + offset, grandchild)


def _share_style(root: ET.Element) -> None:
    """Where all children of a group look the same (the points of a scatter plot), say so once, there."""
    for group in root.iter("g"):
        styles = {child.get("style") for child in group}
        if len(group) > 1 and len(styles) == 1 and all(child.tag == "use" for child in group):
            style = styles.pop() or ""
            inherited = all(rule.split(":")[0] in _INHERITED for rule in style.split(";"))
            if style and inherited and "style" not in group.attrib:
                group.set("style", style)
                for child in group:
                    del child.attrib["style"]


def _rename_ids(root: ET.Element) -> str:
    """Number the identifiers in order of appearance, `@@` standing for the prefix that is not yet known."""
    names = {}
    for element in root.iter():
        if "id" in element.attrib:
            names[element.get("id")] = f"@@{len(names)}"
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "id":
                element.set(name, names[value])
            elif name == "href" and value.startswith("#"):
                element.set(name, "#" + names[value[1:]])
            elif name in ("clip-path", "style") and "url(#" in value:
                element.set(name, _REFERENCE.sub(lambda match: f"url(#{names[match[1]]})", value))
    return _serialise(root)


def _serialise(element: ET.Element) -> str:
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in element.attrib.items())
    inner = escape(element.text or "", quote=False) + "".join(map(_serialise, element))
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>" if inner else f"<{element.tag}{attributes}/>"


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


# --- the figures that recur ---


def domain_scatter(ax: Axes, z_source, z_target, y_source=None, y_target=None) -> None:
    """Source ● and target ▲ points in the plane, told apart by shape and colour.

    z_source [n, 2], z_target [n', 2]. With y_source the middle of each source class carries the class's name;
    with y_target too, a line leads from there to the middle of the same class in the target domain: where the
    domains are aligned class by class, the lines are short. The middle is the medoid, a point of the class.
    """
    z_source, z_target = _plane("z_source", z_source), _plane("z_target", z_target)
    style = {"s": 16, "alpha": 0.65, "linewidths": 0}
    ax.scatter(*z_source.T, marker="o", color=PALETTE["source"], label="source", **style)
    ax.scatter(*z_target.T, marker="^", color=PALETTE["target"], label="target", **style)
    if y_source is not None:
        y_target = None if y_target is None else np.asarray(y_target)
        _label_classes(ax, z_source, np.asarray(y_source), z_target, y_target)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _label_classes(ax: Axes, z_source, y_source, z_target, y_target) -> None:
    for label in np.unique(y_source):
        start = _medoid(z_source[y_source == label])
        if y_target is not None and np.any(y_target == label):
            end = _medoid(z_target[y_target == label])
            ax.plot(*np.stack([start, end]).T, color=PALETTE["ink"], linewidth=1.2, zorder=3)
        box = {"boxstyle": "circle,pad=0.15", "facecolor": PALETTE["paper"], "edgecolor": PALETTE["source"]}
        ax.text(
            *start,
            str(label),
            color=PALETTE["ink"],
            size=12.5,
            weight="bold",
            ha="center",
            va="center",
            zorder=4,
            bbox=box,
        )


def _medoid(points: np.ndarray) -> np.ndarray:
    """The point of [n, 2] with the least sum of distances to all others."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    return points[distances.sum(axis=1).argmin()]


def _plane(name: str, points) -> np.ndarray:
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"{name} must have the shape [n, 2], and has {list(points.shape)}: use tsne().")
    return points


def tsne(features, seed: int = 0) -> np.ndarray:
    """Features [n, d] laid out in the plane [n, 2] by t-SNE (van der Maaten & Hinton 2008), started from PCA.

    Distances between far clusters mean nothing; fit source and target together, or they cannot be compared.
    """
    from sklearn.manifold import TSNE

    features = np.asarray(features, dtype=np.float32)
    if features.ndim != 2 or not 4 <= len(features) <= 2000:
        raise ValueError(
            f"tsne needs features [n, d] with 4 to 2000 rows, and got {list(features.shape)}: "
            "pass one row an example, and a random part of them if there are more."
        )
    perplexity = min(30.0, (len(features) - 1) / 3)
    return TSNE(n_components=2, init="pca", perplexity=perplexity, random_state=seed).fit_transform(features)


_CURVES = {
    "source_accuracy": ("source accuracy", PALETTE["source"], "-"),
    "target_accuracy": ("target accuracy", PALETTE["target"], "-"),
    "domain_error": ("domain error", PALETTE["d"], "--"),
    "label_loss": ("label loss", PALETTE["y"], "-"),
    "domain_loss": ("domain loss", PALETTE["d"], "-"),
}


def learning_curves(ax: Axes, history, names=("source_accuracy", "target_accuracy")) -> None:
    """Columns of a `History` against its `step`, each curve named at its end instead of in a legend."""
    unknown = [name for name in names if name not in _CURVES]
    if unknown:
        raise ValueError(f"learning_curves draws {', '.join(_CURVES)}, and not {', '.join(unknown)}.")
    ends = sorted((getattr(history, name)[-1], name) for name in names)
    for name in names:
        _, colour, line = _CURVES[name]
        ax.plot(history.step, getattr(history, name), line, color=colour)
    low, high = ax.get_ylim()
    height = -np.inf
    for end, name in ends:  # from the lowest up: each name at least a line above the last
        height = max(end, height + 0.09 * (high - low))
        text, colour, _ = _CURVES[name]
        ax.annotate(
            text, (1.02, height), xycoords=("axes fraction", "data"), color=colour, va="center", annotation_clip=False
        )
    ax.set(xlabel="step", xlim=(history.step[0], history.step[-1]))
    ax.locator_params(axis="x", nbins=4)
