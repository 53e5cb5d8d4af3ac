"""Domains that are made: blends with photographs, digits from fonts, moons."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtlbook import data
from dtlbook.data import blend, fonts, moons

RNG = np.random.default_rng(0)


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


# --- blends ----------------------------------------------------------------------------------------------
def patches(photo: np.ndarray, h: int, w: int) -> set[bytes]:
    rows, columns = photo.shape[0] - h + 1, photo.shape[1] - w + 1
    return {photo[i : i + h, j : j + w].tobytes() for i in range(rows) for j in range(columns)}


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3]), st.integers(0, 99))
def test_a_blend_is_the_absolute_difference_to_one_patch_of_one_photograph(n, h, w, channels, seed):
    images, photos = noise(n, h, w, channels), [noise(h + 3, w, 3), noise(h, w + 2, 3)]
    blended = blend.blend(images, photos, np.random.default_rng(seed))
    assert blended.dtype == np.uint8 and blended.shape == (n, h, w, 3)
    black = blend.blend(np.zeros_like(images), photos, np.random.default_rng(seed))  # |patch − 0|: the patches
    every = patches(photos[0], h, w) | patches(photos[1], h, w)
    assert all(patch.tobytes() in every for patch in black)
    assert np.array_equal(blended, np.abs(images.astype(int) - black.astype(int)))


def test_blending_uses_every_place_of_every_photograph_and_one_generator():
    photos = [np.arange(12, dtype=np.uint8).reshape(3, 4, 1).repeat(3, 2), np.full((1, 1, 3), 99, np.uint8)]
    zeros = np.zeros((3000, 1, 1, 1), np.uint8)
    one = blend.blend(zeros, photos, np.random.default_rng(5))
    levels, counts = np.unique(one[..., 0], return_counts=True)
    assert levels.tolist() == [*range(12), 99] and 0.45 < counts[-1] / 3000 < 0.55 and counts[:-1].min() > 80
    np.random.seed(1)  # another generator plays no part
    assert np.array_equal(one, blend.blend(zeros, photos, np.random.default_rng(5)))
    assert not np.array_equal(one, blend.blend(zeros, photos, np.random.default_rng(6)))


def test_blending_refuses_photographs_that_are_too_small():
    for photos in ([], [noise(9, 7, 3)]):
        with pytest.raises(ValueError, match="photographs of at least 8×8 pixels, not"):
            blend.blend(noise(2, 8, 8, 1), photos, RNG)


def test_training_and_test_never_meet_the_same_piece_of_a_sample_photograph():
    train, test = blend.sample_photos()
    assert [p.shape for p in train + test] == [(427, 420, 3)] * 2 + [(427, 220, 3)] * 2


def test_digits_photo_is_digits_b_under_a_photograph():
    source, target = data.pair("digits-photo")
    assert source.image_shape == target.image_shape == (28, 28, 3)
    assert np.array_equal(target.y_train, data.load("digits-b").y_train)
    assert np.array_equal(source.y_test, data.load("digits-a").y_test)
    assert (source.x_train[..., 0] == source.x_train[..., 2]).all()
    assert (target.x_train[..., 0] != target.x_train[..., 2]).mean() > 0.5


# --- digits from fonts -----------------------------------------------------------------------------------
def test_distance_fields_are_distances_and_every_glyph_is_a_digit_of_its_own():
    fields, widths = fonts.distance_fields()
    assert fields.shape == (len(fonts.FONTS), 10, fonts.CELL, fonts.CELL) and np.isfinite(fields).all()
    steps = np.abs(np.diff(fields, axis=-1)) * fonts.HEIGHT
    assert steps.max() <= 2 + 1e-4  # a pixel further is at most a pixel away (two across the outline)
    inside = fields > 0
    assert 0.02 < inside.mean(axis=(2, 3)).min() and inside.mean(axis=(2, 3)).max() < 0.25
    for number in range(len(fonts.FONTS)):
        assert len({glyph.tobytes() for glyph in inside[number]}) == 10
        rows = np.flatnonzero(inside[number, 8].any(axis=1))
        assert abs(rows[-1] - rows[0] + 1 - fonts.HEIGHT) <= 4
        assert abs((rows[0] + rows[-1]) / 2 - (fonts.CELL - 1) / 2) <= 2  # in the middle
    assert 0.2 < widths.min() and widths.max() < 1


@pytest.mark.parametrize("coloured, channels", [(True, 3), (False, 1)])
def test_drawing_depends_on_the_generator_alone(coloured, channels):
    labels = np.arange(30) % 10
    one, again, other = (fonts.draw(labels, 20, np.random.default_rng(s), coloured) for s in (0, 0, 1))
    assert one.shape == (30, 20, 20, channels) and one.dtype == np.uint8
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_place_angle_size_and_colours_vary():
    labels = np.full(400, 1)
    white = fonts.draw(labels, 28, np.random.default_rng(0), coloured=False)[..., 0] / 255
    mass = white.sum(axis=(1, 2))
    i, j = np.indices((28, 28)) - 13.5
    row, column = ((white * k).sum(axis=(1, 2)) / mass for k in (i, j))
    assert row.std() > 1 and column.std() > 1 and np.abs(row).max() < 6
    slant = (white * (i - row[:, None, None]) * (j - column[:, None, None])).sum(axis=(1, 2)) / mass
    assert slant.std() > 1 and (slant > 0).mean() > 0.1 and (slant < 0).mean() > 0.1
    assert mass.max() > 2 * mass.min()
    coloured = fonts.draw(labels, 28, np.random.default_rng(0))
    corner = coloured[:, 0, 0].astype(float)
    assert corner.std(axis=0).min() > 40 and np.abs(corner[:, 0] - corner[:, 2]).mean() > 30


def test_a_stroke_can_be_told_from_its_ground():
    stroke, _, ground = fonts._colours(2000, np.random.default_rng(0))
    assert np.abs(stroke.mean(axis=-1) - ground.mean(axis=(0, -1))).min() > 0.3


def test_the_labelled_digit_is_the_one_in_the_middle():
    """The nearest of the white digits, which stand alone, names the coloured ones among their neighbours as well."""
    from sklearn.neighbors import KNeighborsClassifier

    white, coloured = data.load("font-digits-white"), data.load("font-digits")
    x_white, x_test = (x[..., 0].reshape(len(x), -1) / 255 for x in (white.x_train, white.x_test))
    reader = KNeighborsClassifier(1).fit(x_white, white.y_train)
    assert reader.score(x_test, white.y_test) > 0.9
    grey = coloured.x_test.mean(axis=-1)
    away = np.abs(grey - np.median(grey, axis=(1, 2), keepdims=True))  # from the ground
    strokes = away / away.max(axis=(1, 2), keepdims=True)
    assert reader.score(strokes.reshape(len(strokes), -1), coloured.y_test) > 0.85


@pytest.mark.parametrize("name", ["font-digits", "font-digits-white", "font-digits-photo"])
def test_font_digits_have_balanced_labels_and_no_picture_twice(name):
    domain = data.load(name)
    assert domain.x_train.shape == (6000, 28, 28, 3) and domain.x_test.shape == (1000, 28, 28, 3)
    assert set(np.bincount(domain.y_train)) == {600} and set(np.bincount(domain.y_test)) == {100}
    everything = np.concatenate([domain.x_train, domain.x_test])
    assert len(set(map(bytes, everything))) == len(everything)
    assert data.load(name) is domain  # made once


def test_the_pair_of_font_digits_shares_no_drawing():
    source, target = data.pair("font-digits-photo")
    assert not np.array_equal(source.y_train, target.y_train)
    a, b = (fonts.draw(np.arange(10), 28, np.random.default_rng([seed, 0]), coloured=False) for seed in (1, 2))
    assert not any(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


# --- moons -----------------------------------------------------------------------------------------------
def test_moons_without_noise_lie_on_two_half_circles():
    m = moons.make_moons(noise=0.0, n=200)
    assert m.x_train.dtype == np.float32 and m.image_shape == (2,) and m.n_classes == 2
    points = m.x_train + np.float32([0.5, 0.25])
    for label, centre in ((0, (0, 0)), (1, (1, 0.5))):
        away = points[m.y_train == label] - np.float32(centre)
        np.testing.assert_allclose(np.hypot(*away.T), 1, atol=1e-5)
        assert ((away[:, 1] >= -1e-5) if label == 0 else (away[:, 1] <= 1e-5)).all()
    assert np.bincount(m.y_train).tolist() == [100, 100]


@settings(max_examples=30, deadline=None)
@given(st.floats(-360, 360), st.integers(0, 99))
def test_rotation_is_anticlockwise_about_the_origin(degrees, seed):
    plain, turned = (moons.make_moons(d, n=20, seed=seed) for d in (0, degrees))
    as_complex = (m.x_train[:, 0] + 1j * m.x_train[:, 1] for m in (plain, turned))
    straight, after = as_complex
    np.testing.assert_allclose(after, straight * np.exp(1j * np.deg2rad(degrees)), atol=1e-5)
    assert np.array_equal(plain.y_test, turned.y_test)


def test_source_and_target_moons_and_their_parts_share_no_point():
    source, target = data.pair("moons-rotated")
    back = moons.make_moons(0, seed=1)
    assert np.array_equal(back.y_train, target.y_train)
    all_points = np.concatenate([source.x_train, source.x_test, back.x_train, back.x_test])
    assert len(np.unique(all_points, axis=0)) == len(all_points)


@pytest.mark.parametrize("settings", [dict(n=1), dict(noise=-0.1), dict(noise=np.nan), dict(degrees=np.inf)])
def test_moons_refuse_bad_settings(settings):
    with pytest.raises(ValueError, match="moons need n of 2 or more, noise of 0 or more and a finite angle; got"):
        moons.make_moons(**settings)


# --- importing ---------------------------------------------------------------------------------------------
def test_importing_reads_nothing_and_loads_no_heavy_library():
    program = "import sys, dtlbook.data; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    out = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(Path(data.__file__).parents[2]), "DTLBOOK_DATA": "no such folder"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    heavy = {"scipy", "sklearn", "matplotlib", "PIL", "pooch", "requests", "tqdm", "filelock", "torch", "tensorflow"}
    assert "numpy" in out and not heavy & set(out)
