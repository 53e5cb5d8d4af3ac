"""The embedded domains: kinds, sizes, and no image in both domains of a pair."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from dtlbook import data
from dtlbook.data import digits
from dtlbook.data.domain import Domain

NAMES = sorted(digits.DOMAINS)


@pytest.mark.parametrize("name", NAMES)
def test_every_domain_has_the_promised_kinds(name):
    domain = data.load(name)
    assert domain.name == name
    for x, y in ((domain.x_train, domain.y_train), (domain.x_test, domain.y_test)):
        assert x.dtype == np.uint8 and x.shape == (len(y), 8, 8, 1)
        assert y.dtype == np.int64 and set(y) <= set(range(10))
        assert x.max() > 128  # really 0 … 255, not 0 … 16 or 0 … 1
    assert domain.n_classes == 10 and domain.image_shape == (8, 8, 1)


def test_the_halves_hold_every_image_once():
    raw = np.round(load_digits().images * 255 / 16).astype(np.uint8).reshape(-1, 64)
    halves = [data.load(name) for name in ("digits-a", "digits-b")]
    ours = np.concatenate([x.reshape(-1, 64) for half in halves for x in (half.x_train, half.x_test)])
    assert sorted(map(bytes, ours)) == sorted(map(bytes, raw))


@pytest.mark.parametrize("name", sorted(digits.PAIRS))
def test_no_original_image_is_in_both_domains_of_a_pair(name):
    source_name, target_name = digits.PAIRS[name]
    assert source_name == "digits-a" and target_name.startswith("digits-b")
    a, b = data.load("digits-a"), data.load("digits-b")
    in_a = set(map(bytes, np.concatenate([a.x_train, a.x_test])))
    assert not in_a & set(map(bytes, np.concatenate([b.x_train, b.x_test])))
    source, target = data.pair(name)
    assert (source.name, target.name) == (source_name, target_name)
    if target_name != "digits-b-mostly012":
        assert np.array_equal(target.y_test, b.y_test)  # the shift moves images, never labels


@pytest.mark.parametrize("name", NAMES)
def test_no_image_is_in_training_and_test(name):
    domain = data.load(name)
    assert not set(map(bytes, domain.x_train)) & set(map(bytes, domain.x_test))


def test_the_imbalanced_domain_differs_in_label_proportions_alone():
    b, few = data.load("digits-b"), data.load("digits-b-mostly012")
    for x, y, x_all, y_all in (
        (few.x_train, few.y_train, b.x_train, b.y_train),
        (few.x_test, few.y_test, b.x_test, b.y_test),
    ):
        label_of = dict(zip(map(bytes, x_all), y_all, strict=True))
        assert all(label_of[bytes(image)] == label for image, label in zip(x, y, strict=True))
        assert (y <= 2).sum() == (y_all <= 2).sum() and (y > 2).sum() < 0.15 * (y_all > 2).sum()


def test_rotation_turns_anticlockwise_by_the_angle():
    bar = np.zeros((1, 9, 9, 1), np.uint8)
    bar[0, 4, 4:, 0] = 255  # from the centre to the right
    up = digits.rotated(bar, 90)[0, :, :, 0]
    assert up[:4, 4].min() > 200 and up[5:].max() == 0  # row 0 is the top
    assert np.array_equal(digits.rotated(bar, 0), bar)


def test_blur_lowers_contrast_about_mid_grey():
    flat = np.full((1, 8, 8, 1), 255, np.uint8)
    assert set(digits.blurred(flat, sigma=1.0, contrast=0.5).ravel()) == {191}  # 127.5 + 0.5 · 127.5
    board = (np.indices((8, 8)).sum(0) % 2 * 255).astype(np.uint8)[None, :, :, None]
    assert digits.blurred(board, sigma=1.0, contrast=1.0).std() < board.std() / 4


@pytest.mark.parametrize("function, kind", [(data.load, "domain"), (data.pair, "pair of domains")])
def test_an_unknown_name_gives_one_sentence_with_the_known_ones(function, kind):
    with pytest.raises(ValueError, match=f"^no {kind} is called 'minst'; choose one of .*digits-") as caught:
        function("minst")
    assert "\n" not in str(caught.value)


def test_to_float_scales_once_and_only_raw_images():
    images = np.array([[[[0], [255], [51]]]], np.uint8)
    assert data.to_float(images).dtype == np.float32
    np.testing.assert_allclose(data.to_float(images).ravel(), [0, 1, 0.2], atol=1e-7)
    with pytest.raises(ValueError, match="must be uint8, 0 to 255, not float32"):
        data.to_float(data.to_float(images))


def test_a_domain_with_wrong_arrays_is_refused():
    x, y = np.full((2, 8, 8, 1), 200, np.uint8), np.zeros(2, np.int64)
    with pytest.raises(ValueError, match=r"x_train must be uint8 .* not float32 \[2, 8, 8, 1\]"):
        Domain("bad", x.astype(np.float32), y, x, y)
    with pytest.raises(ValueError, match=r"y_test must be int64 \[2\], not int64 \[1\]"):
        Domain("bad", x, y, x, y[:1])
    with pytest.raises(ValueError, match="one shape"):
        Domain("bad", x, y, x[:, :4], y)
    with pytest.raises(ValueError, match="n at least 1"):
        Domain("bad", x[:0], y[:0], x, y)
