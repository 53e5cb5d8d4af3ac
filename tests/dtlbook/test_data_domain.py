"""What a domain may be, what it refuses and with which sentence; checksum and sample."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dtlbook import data
from dtlbook.data.domain import MAX_CLASSES, OTHER_SCALES, Domain

quick = settings(max_examples=60, deadline=None)

IMAGES = np.full((4, 5, 6, 3), 200, np.uint8)
FEATURES = np.arange(8, dtype=np.float32).reshape(4, 2)
LABELS = np.array([0, 1, 0, 1])


def domain(x=IMAGES, y=LABELS, x_test=None, y_test=None) -> Domain:
    return Domain("d", x, y, x if x_test is None else x_test, y if y_test is None else y_test)


# --- what is taken -------------------------------------------------------------------------------------
IMAGE_ARRAYS = hnp.arrays(
    np.uint8,
    st.tuples(st.integers(2, 5), st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)),
    elements=st.one_of(st.just(0), st.integers(2, 255)),
).filter(lambda x: x.max() not in OTHER_SCALES)
FEATURE_ARRAYS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(2, 5), st.integers(1, 6)),
    elements=st.floats(allow_nan=False, allow_infinity=False, width=32),
)


@quick
@given(st.one_of(IMAGE_ARRAYS, FEATURE_ARRAYS), st.integers(1, MAX_CLASSES - 1))
def test_images_and_features_of_any_shape_are_taken_as_they_are(x, highest):
    y = np.zeros(len(x), np.int64)
    y[-1] = highest
    d = domain(x, y)
    assert d.x_train is x and d.y_test is y
    assert d.image_shape == x.shape[1:] and d.n_classes == highest + 1
    as_float = data.to_float(x)
    assert as_float.dtype == np.float32 and as_float.shape == x.shape
    if x.dtype == np.uint8:
        np.testing.assert_allclose(as_float * 255, x, rtol=1e-6)
    else:
        assert as_float is x


# --- what is refused -----------------------------------------------------------------------------------
@quick
@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(max_dims=5, max_side=4)))
def test_arrays_of_other_kinds_get_one_sentence(x):
    assume((x.dtype, x.ndim) not in ((np.uint8, 4), (np.float32, 2)))
    y = np.arange(len(x), dtype=np.int64)
    with pytest.raises(ValueError, match=r"^d: x_train must be uint8 \[n, height, width, channels\]") as caught:
        domain(x, y)
    assert "\n" not in str(caught.value) and f"not {x.dtype} {list(x.shape)}" in str(caught.value)


@quick
@given(st.sampled_from([np.int32, np.uint8, np.float64, np.bool_, "U1"]), st.integers(1, 6))
def test_labels_of_another_type_or_number_get_one_sentence(dtype, n):
    y = np.zeros(n).astype(dtype)
    with pytest.raises(ValueError, match=r"^d: y_train must be int64 \[4\], not ") as caught:
        domain(y=y)
    assert "\n" not in str(caught.value)
    assert ("y.astype(np.int64)" in str(caught.value)) == (dtype in (np.int32, np.uint8) and n == 4)


@pytest.mark.parametrize(
    "x, sentence",
    [
        (IMAGES / 255.0, r"values lie from 0 to 1: write np.round\(x \* 255\).astype\(np.uint8\)"),
        (IMAGES.astype(np.float32), r"values lie from 0 to 255: write np.round\(x\).astype\(np.uint8\)"),
        (IMAGES.astype(np.float32) - 200, r"lie from 0 to 1: "),
        (IMAGES / 100.0 - 3, r"lie from -1 to -1: bring them to 0 … 255"),
        (IMAGES / 0.5, r"lie from 400 to 400: bring them to 0 … 255"),
        (np.where(IMAGES == 200, np.nan, 0.0), "NaN or infinite pixels"),
        (IMAGES[..., 0], r"add the channel with x\[..., None\]"),
        (FEATURES.astype(np.float64), r"cast features with x.astype\(np.float32\)"),
        (np.zeros((4, 3, 5, 6), np.uint8), r"1 to 4 channels .* not 6; .*x.transpose\(0, 2, 3, 1\)"),
        (IMAGES // 200, "largest value is 1: these are probably images from 0 to 1; multiply by 255"),
        (np.float32([[1, 2], [3, np.nan], [0, 0], [0, 0]]), "row 1 has NaN or infinity"),
        (np.float32([[np.inf, 2], [3, 3], [0, 0], [0, 0]]), "row 0 has NaN or infinity"),
        (IMAGES[:, :0], "it is empty"),
        (IMAGES.tolist(), "must be a NumPy array, not list"),
    ],
)
def test_the_sentence_says_what_to_do_about_the_examples(x, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        domain(x)
    assert "\n" not in str(caught.value) and str(caught.value).startswith("d: x_train must")


@pytest.mark.parametrize(
    "y, sentence",
    [
        (np.array([0, 1, -1, 1]), "from 0 and below 100,000, but it has -1; number the classes anew"),
        (np.array([0, 1, MAX_CLASSES, 1]), "but it has 100000"),
        (np.array([0, 0, 0, 0]), "at least two classes, but every label is 0"),
        (np.array([7, 7, 7, 7]), "at least two classes, but every label is 7"),
        ([0, 1, 0, 1], "must be a NumPy array, not list"),
    ],
)
def test_the_sentence_says_what_to_do_about_the_labels(y, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        domain(y=y)
    assert "\n" not in str(caught.value)


def test_the_test_part_is_looked_at_as_well():
    with pytest.raises(ValueError, match="d: y_test must hold classes"):
        domain(y_test=LABELS - 1)
    with pytest.raises(ValueError, match="d: x_test must hold finite"):
        domain(FEATURES, x_test=np.full_like(FEATURES, np.inf))


@pytest.mark.parametrize("x_test", [IMAGES[:, :, :, :1], IMAGES[:, 1:], FEATURES])
def test_training_and_test_of_different_shapes_are_refused(x_test):
    with pytest.raises(ValueError, match="training and test examples must have one shape, not uint8"):
        domain(x_test=x_test)


def test_to_float_refuses_what_is_no_raw_image_and_no_features():
    for x in (IMAGES.astype(np.float32), FEATURES.astype(np.float64), LABELS):
        with pytest.raises(ValueError, match=f"^images must be uint8, 0 to 255, not {x.dtype}"):
            data.to_float(x)


# --- checksum and sample -------------------------------------------------------------------------------
def test_the_checksum_is_that_of_the_arrays_alone():
    a, b = domain(), Domain("another name", IMAGES.copy(order="F"), LABELS.copy(), IMAGES, LABELS)
    assert data.checksum(a) == data.checksum(b) and len(bytes.fromhex(data.checksum(a))) == 32


def test_the_checksum_changes_with_any_value_shape_or_type():
    changed = IMAGES.copy()
    changed[3, 4, 5, 2] ^= 1
    others = [
        domain(),
        domain(changed),
        domain(x_test=changed),
        domain(y_test=LABELS[::-1].copy()),
        domain(np.full((4, 6, 5, 3), 200, np.uint8)),
        domain(FEATURES),
        Domain("d", IMAGES[:2], LABELS[:2], IMAGES[2:], LABELS[2:]),
    ]
    assert len({data.checksum(d) for d in others}) == len(others)


def test_the_checksum_of_an_embedded_domain_is_the_recorded_one():
    """scikit-learn's digits and the cut into halves: chapter 4's numbers rest on them."""
    assert data.checksum(data.load("digits-a")) == DIGITS_A
    assert data.checksum(data.load("digits-b")) == DIGITS_B


DIGITS_A = "aab2a1ff52c5ea622df259b38dc681d708d5055326011dfd7cdafaa93f0c2905"
DIGITS_B = "0749e7a5299d36ed7503b6e0bff9997a2d3b8d56492d86251ca76153053e6967"


@quick
@given(st.integers(1, 600), st.integers(0, 2**32 - 1))
def test_a_sample_has_n_different_training_examples_with_their_labels(n, seed):
    base = data.load("digits-a")
    part = data.sample(base, n, seed)
    assert len(part.x_train) == len(part.y_train) == n and part.name == base.name
    assert part.x_test is base.x_test and part.y_test is base.y_test
    label_of = dict(zip(map(bytes, base.x_train), base.y_train, strict=True))
    assert all(label_of[bytes(image)] == label for image, label in zip(part.x_train, part.y_train, strict=True))
    assert len(set(map(bytes, part.x_train))) == n  # every image of digits-a is there once
    assert data.checksum(part) == data.checksum(data.sample(base, n, seed))


def test_another_seed_draws_another_sample():
    base = data.load("digits-a")
    one, other = (data.sample(base, 50, seed) for seed in (0, 1))
    assert data.checksum(one) != data.checksum(other)


@pytest.mark.parametrize("n", [0, -1, 601])
def test_a_sample_beyond_the_domain_is_refused(n):
    with pytest.raises(ValueError, match=f"has 600 training examples, so n must be from 1 to 600, not {n}"):
        data.sample(data.load("digits-a"), n, 0)
