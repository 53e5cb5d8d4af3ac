"""Digits drawn from matplotlib's own fonts: the recipe of SYN NUMBERS.

Ganin and Lempitsky (ICML 2015, section 4) drew numbers of one to three digits from fonts and varied their place,
angle, colours of ground and stroke, and blur, to resemble SVHN; the label is the digit in the middle. This is that
recipe with the fonts that come with matplotlib, not their data set: results on it are not results on SYN NUMBERS.

A digit is kept as its *signed distance field*: how far a point lies inside (+) or outside (−) of its outline. Moving,
turning and scaling are then only other points to look up; a bolder stroke adds a constant; a soft edge is blur.
"""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np

from dtlbook.data.blend import blend, sample_photos
from dtlbook.data.domain import Domain

FONTS = tuple(
    f"{family}.ttf"
    for family in (
        *(f"DejaVuSans{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
        *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
        *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
        *(f"STIXGeneral{style}" for style in ("", "Bol", "Italic", "BolIta")),
        *("cmr10", "cmb10", "cmss10", "cmtt10"),
    )
)
CELL = 96  # pixels of a distance field's side
HEIGHT = 48  # pixels of a digit's height in it
CHUNK = 256  # images drawn at once


@cache
def distance_fields() -> tuple[np.ndarray, np.ndarray]:
    """Every digit of every font: distances float32 [fonts, 10, CELL, CELL] and widths float32 [fonts, 10].

    In heights of a digit: +0.1 is a tenth of the height inside the stroke. A digit stands in the middle of its field.
    """
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont
    from scipy.ndimage import distance_transform_edt as depth

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fields, widths = np.empty((len(FONTS), 10, CELL, CELL), np.float32), np.empty((len(FONTS), 10), np.float32)
    for f, file in enumerate(FONTS):
        font = ImageFont.truetype(folder / file, 64, layout_engine=ImageFont.Layout.BASIC)
        left, top, right, bottom = font.getbbox("8")
        font = font.font_variant(size=64 * HEIGHT / (bottom - top))
        for digit in range(10):
            left, top, right, bottom = font.getbbox(str(digit))
            picture = Image.new("L", (CELL, CELL))
            corner = (CELL - right - left) / 2, (CELL - bottom - top) / 2
            ImageDraw.Draw(picture).text(corner, str(digit), fill=255, font=font)
            inside = np.asarray(picture) > 127
            fields[f, digit] = (depth(inside) - depth(~inside)) / HEIGHT
            widths[f, digit] = (right - left) / HEIGHT
    return fields, widths


def draw(labels: np.ndarray, size: int, rng: np.random.Generator, coloured: bool = True) -> np.ndarray:
    """One picture for each label: uint8 [n, size, size, 3], or white on black [n, size, size, 1].

    Varied, all from ``rng``: font, height (0.5 … 0.75 of the picture), place (± 0.1), angle (± 20°), thickness of the
    stroke, and for coloured pictures neighbours to the left and right, colours of stroke, outline and ground (a
    gradient), blur and noise. Stroke and ground differ by at least 0.35 of the range in brightness.
    """
    parts = [_draw(labels[i : i + CHUNK], size, rng, coloured) for i in range(0, len(labels), CHUNK)]
    return np.concatenate(parts)


def _draw(labels: np.ndarray, size: int, rng: np.random.Generator, coloured: bool) -> np.ndarray:
    n = len(labels)

    def between(low: float, high: float, *shape: int) -> np.ndarray:
        return rng.uniform(low, high, shape or (n, 1, 1)).astype(np.float32)

    font, height = rng.integers(len(FONTS), size=n), between(0.5, 0.75)
    angle, shift, bold = between(-np.pi / 9, np.pi / 9), between(-0.1, 0.1, 2, n, 1, 1), between(-0.015, 0.04)
    # Where each pixel's centre lies in the digit's own frame: origin in its middle, its height the unit.
    y, x = ((np.indices((size, size), np.float32)[:, None] + 0.5) / size - 0.5) - shift
    cos, sin = np.cos(angle) / height, np.sin(angle) / height
    u, v = cos * x - sin * y, sin * x + cos * y
    distance = _look_up(font, labels, u, v)
    edge = 1 / (size * height)  # a pixel's width, in heights
    if not coloured:
        return np.round(255 * _step(distance + bold, edge))[..., None].astype(np.uint8)
    distance = _with_neighbours(distance, font, labels, u, v, rng) + bold
    stroke, outline, ground = _colours(n, rng)
    tilt, soft = between(0, 2 * np.pi), edge * between(1, 4)
    rim = rng.choice(np.float32([0, 0.06]), (n, 1, 1), p=[0.7, 0.3])
    picture = _mixed(ground[0], ground[1], (0.5 + np.cos(tilt) * x + np.sin(tilt) * y).clip(0, 1))
    picture = _mixed(picture, outline, _step(distance + rim, soft))
    picture = _mixed(picture, stroke, _step(distance, soft))
    picture += rng.standard_normal(picture.shape, np.float32) * between(0, 0.04, n, 1, 1, 1)
    return np.round(255 * picture.clip(0, 1)).astype(np.uint8)


def _step(distance: np.ndarray, width: np.ndarray) -> np.ndarray:
    """0 outside, 1 inside, a straight rise of ``width`` across the outline."""
    return (distance / width + 0.5).clip(0, 1)


def _mixed(under: np.ndarray, over: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Colours ``over`` laid upon ``under`` where ``share`` [n, size, size] is 1, and in parts where it is less."""
    return under + share[..., None] * (over - under)


def _look_up(font: np.ndarray, digit: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Distance of the digits at the points (u, v) [n, h, w], bilinear; beyond the field, that of its border."""
    column, row = ((a * HEIGHT + (CELL - 1) / 2).clip(0, CELL - 1.001) for a in (u, v))
    i, j = row.astype(np.int32), column.astype(np.int32)
    di, dj = row - i, column - j
    first = (font * 10 + digit).astype(np.int32)[:, None, None] * CELL**2 + i * CELL + j
    upper, lower = (
        (1 - dj) * flat.take(first) + dj * flat.take(first + 1)
        for flat in (distance_fields()[0].ravel(), distance_fields()[0].ravel()[CELL:])
    )
    return (1 - di) * upper + di * lower


def _with_neighbours(distance, font, labels, u, v, rng: np.random.Generator) -> np.ndarray:
    """Distance to the nearest outline when digits stand beside the middle one: none, left, right or both.

    They have its font and its frame; between two outlines lies 0.12 to 0.25 of a height.
    """
    n, width, nearest = len(labels), distance_fields()[1], distance.copy()
    for side in (-1, 1):
        digit, there = rng.integers(10, size=n), np.flatnonzero(rng.random(n) < 0.5)
        away = (width[font, labels] + width[font, digit]) / 2 + rng.uniform(0.12, 0.25, n).astype(np.float32)
        beside = _look_up(font[there], digit[there], u[there] - side * away[there, None, None], v[there])
        nearest[there] = np.maximum(nearest[there], beside)
    return nearest


def _colours(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stroke and outline [n, 1, 1, 3] and the two ends of the ground [2, n, 1, 1, 3], 0 … 1.

    The stroke's brightness is moved away from the ground's until they differ by 0.35: a digit can always be seen.
    """
    ground = rng.random((2, n, 3), np.float32)
    ground[1] = ground[0] + 0.4 * (ground[1] - ground[0])  # a mild gradient
    stroke, outline = rng.random((2, n, 3), np.float32)
    base = ground.mean(axis=(0, 2))
    gap = rng.uniform(0.35, 0.6, n).astype(np.float32)
    brightness = np.where(base > 0.5, base - gap, base + gap)
    stroke = (0.5 * (stroke - stroke.mean(axis=1, keepdims=True)) + brightness[:, None]).clip(0, 1)
    return stroke[:, None, None], outline[:, None, None], ground[:, :, None, None]


# --- domains --------------------------------------------------------------------------------------------
def _domain(name: str, size: int, n_train: int, n_test: int, seed: int, paint: Callable) -> Domain:
    parts = []
    for part, n in enumerate((n_train, n_test)):
        rng = np.random.default_rng([seed, part])
        labels = rng.permutation(np.arange(n) % 10)
        parts += [paint(labels, size, rng, part), labels.astype(np.int64)]
    return Domain(name, *parts)


def _coloured(labels, size, rng, part) -> np.ndarray:
    return draw(labels, size, rng)


def _white(labels, size, rng, part) -> np.ndarray:
    return draw(labels, size, rng, coloured=False).repeat(3, axis=-1)


def _on_photo(labels, size, rng, part) -> np.ndarray:
    return blend(draw(labels, size, rng, coloured=False), sample_photos()[part], rng)


# Seeds differ, so the two domains of a pair share no picture.
DOMAINS: dict[str, Callable[[], Domain]] = {
    "font-digits": cache(partial(_domain, "font-digits", 28, 6000, 1000, 0, _coloured)),
    "font-digits-white": cache(partial(_domain, "font-digits-white", 28, 6000, 1000, 1, _white)),
    "font-digits-photo": cache(partial(_domain, "font-digits-photo", 28, 6000, 1000, 2, _on_photo)),
    "syn-numbers": partial(_domain, "syn-numbers", 32, 60_000, 10_000, 3, _coloured),
}

PAIRS: dict[str, tuple[str, str]] = {
    "font-digits-photo": ("font-digits-white", "font-digits-photo"),
    "synnumbers-svhn": ("syn-numbers", "svhn"),
}
