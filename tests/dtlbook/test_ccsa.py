"""CCSA in both frameworks: pairs in loops, the hinge on the distance, the few labels it may use."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import (
    BOTH,
    array,
    assert_finite_differences,
    assert_twins,
    batch,
    gradients,
    module,
    networks,
    number,
    refuses,
    tensor,
    weight_gradients,
)

from dtlbook import data, recipe

SHORT = {"steps": 20, "batch_size": 16, "records": 2}


def pair_losses(f_source, y_source, f_target, y_target, margin):
    """(L_SA, L_S) pair by pair."""
    alignment, separation = [], []
    for a, y_a in zip(f_source, y_source, strict=True):
        for b, y_b in zip(f_target, y_target, strict=True):
            d = math.sqrt(((a - b) ** 2).sum())
            (alignment if y_a == y_b else separation).append(d**2 / 2 if y_a == y_b else max(0, margin - d) ** 2 / 2)
    return tuple(np.mean(values) if values else 0.0 for values in (alignment, separation))


def samples(n=7, m=5, k=3, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(n, k)),
        rng.integers(classes, size=n),
        rng.normal(size=(m, k)),
        rng.integers(classes, size=m),
    )


def contrastive(framework, f_source, y_source, f_target, y_target, margin=1.0):
    f = module(framework, "ccsa").contrastive_losses
    return [number(v) for v in f(*(tensor(framework, a) for a in (f_source, y_source, f_target, y_target)), margin)]


# --- the pairs --------------------------------------------------------------------------------------------
@BOTH
@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5])
def test_the_losses_are_means_over_pairs(framework, margin):
    b = samples()
    assert contrastive(framework, *b, margin) == pytest.approx(pair_losses(*b, margin), abs=1e-12)


@BOTH
def test_the_hinge_is_on_the_distance_not_on_its_square(framework):
    """d = 0.5, m = 1: ½ (1 − 0.5)² = 0.125; a hinge on d² would give ½ (1 − 0.25) = 0.375."""
    one, half, y = np.zeros((1, 1)), np.full((1, 1), 0.5), np.zeros(1, np.int64)
    assert contrastive(framework, one, y, half, y + 1) == pytest.approx([0, 0.125], abs=1e-12)
    assert contrastive(framework, one, y, half, y) == pytest.approx([0.125, 0], abs=1e-12)  # ½ d²
    assert contrastive(framework, one, y, half * 2.2, y + 1) == [0, 0]  # beyond the margin
    loss = module(framework, "ccsa").contrastive_losses
    labels = tensor(framework, y), tensor(framework, y + 1)
    _, (g_s, g_t) = gradients(framework, lambda a, b: loss(a, labels[0], b, labels[1])[1], one, half)
    assert (g_s.item(), g_t.item()) == pytest.approx((0.5, -0.5))  # −(m − d) ∂d: descent drives the two apart
    _, (g_s, g_t) = gradients(framework, lambda a, b: loss(a, labels[0], b, labels[0])[0], one, half)
    assert (g_s.item(), g_t.item()) == pytest.approx((-0.5, 0.5))  # and these two together


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_classes_at_one_point_give_a_finite_gradient(framework, dtype):
    f = np.zeros((3, 4), dtype)
    y = np.arange(3)
    loss = module(framework, "ccsa").contrastive_losses
    value, found = gradients(
        framework, lambda a, b: sum(loss(a, tensor(framework, y), b, tensor(framework, y))), f, f.copy()
    )
    assert value == pytest.approx(0.5) and all(np.all(g == 0) for g in found)


@BOTH
def test_without_a_pair_of_one_kind_its_loss_is_0(framework):
    f_source, _, f_target, _ = samples()
    same = contrastive(framework, f_source, np.zeros(7, np.int64), f_target, np.zeros(5, np.int64))
    other = contrastive(framework, f_source, np.zeros(7, np.int64), f_target, np.ones(5, np.int64), 9.0)
    assert same[0] > 0 and same[1] == 0 and other[0] == 0 and other[1] > 0


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 6),
    m=st.integers(1, 6),
    k=st.integers(1, 5),
    dtype=st.sampled_from(["float32", "float64"]),
    scale=st.integers(-6, 6),
    margin=st.floats(0, 3),
    framework=st.sampled_from(["torch", "tensorflow"]),
)
def test_any_shape_type_and_scale(n, m, k, dtype, scale, margin, framework):
    f_s, y_s, f_t, y_t = samples(n, m, k)
    f_s, f_t = ((f * 10.0**scale).astype(dtype) for f in (f_s, f_t))
    loss = module(framework, "ccsa").contrastive_losses
    labels = tensor(framework, y_s), tensor(framework, y_t)
    expected = pair_losses(f_s.astype(float), y_s, f_t.astype(float), y_t, margin)
    assert contrastive(framework, f_s, y_s, f_t, y_t, margin) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    _, found = gradients(framework, lambda a, b: sum(loss(a, labels[0], b, labels[1], margin)), f_s, f_t)
    assert all(np.isfinite(g).all() and g.dtype == dtype for g in found)


# --- the loss ---------------------------------------------------------------------------------------------
def ccsa_loss(framework, nets, lam=0.3, margin=1.5):
    b = (tensor(framework, a) for a in batch())
    return module(framework, "ccsa").ccsa_loss(nets, *b, lam, margin)


@pytest.mark.parametrize("lam, margin", [(0.3, 1.5), (0.0, 1.0), (1.0, 0.5)])
def test_tensorflow_is_pytorch(lam, margin):
    assert_twins(lambda fw, nets, b: module(fw, "ccsa").ccsa_loss(nets, *b, lam, margin).total)


@BOTH
def test_total_is_the_weighted_sum_of_the_three_losses(framework):
    nets, (x_source, y_source, _, x_few, y_few) = networks(framework), batch()
    losses = ccsa_loss(framework, nets)
    f = [array(nets.feature_extractor(tensor(framework, x))) for x in (x_source, x_few)]
    z = array(nets.label_predictor(nets.feature_extractor(tensor(framework, x_source))))
    label = np.mean([np.log(np.exp(row).sum()) - row[k] for row, k in zip(z, y_source, strict=True)])
    pairs = pair_losses(f[0], y_source, f[1], y_few, 1.5)
    assert number(losses.label) == pytest.approx(label, abs=1e-12)
    assert number(losses.domain) == pytest.approx(sum(pairs), abs=1e-12) and min(pairs) > 0.01
    assert number(losses.total) == pytest.approx(0.7 * label + 0.3 * sum(pairs), abs=1e-12)


def test_gradients_agree_with_finite_differences():
    assert_finite_differences("torch", lambda nets: ccsa_loss("torch", nets).total)


@BOTH
def test_the_task_loss_and_the_pairs_reach_the_encoder(framework):
    nets = networks(framework)
    label, domain, both = (
        weight_gradients(framework, nets, lambda t=term: getattr(ccsa_loss(framework, nets), t))[1]
        for term in ("label", "domain", "total")
    )
    for a, b, c in zip(label["feature_extractor"], domain["feature_extractor"], both["feature_extractor"], strict=True):
        assert np.abs(a).max() > 1e-3 < np.abs(b).max()
        np.testing.assert_allclose(c, 0.7 * a + 0.3 * b, rtol=0, atol=1e-14)
    assert domain["label_predictor"] == [None, None]
    assert all(g is None for g in both["domain_classifier"])


@BOTH
def test_the_unlabelled_target_is_not_looked_at(framework):
    nets, b = networks(framework), list(batch())
    one = ccsa_loss(framework, nets).total
    b[2] = b[2] * np.nan
    other = module(framework, "ccsa").ccsa_loss(nets, *(tensor(framework, a) for a in b), 0.3, 1.5).total
    assert number(one) == number(other)


# --- training ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def rotated():
    return data.pair("digits-rotated")


def weights(framework, run):
    return [w for layer in module(framework, "networks").get_weights(run.networks) for w in layer]


def test_the_same_run_in_both_frameworks(rotated):
    few = recipe.few_labels(rotated[1], 2, 0)
    runs = [module(fw, "ccsa").train(*rotated, labelled=few, alpha=0.0, **SHORT) for fw in ("torch", "tensorflow")]
    for a, b in zip(weights("torch", runs[0]), weights("tensorflow", runs[1]), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4)
    assert runs[0].history.lam == [0.25, 0.25]


@BOTH
def test_no_target_label_but_the_few_reaches_an_update_and_these_do(framework, rotated):
    source, t = rotated
    blind = data.Domain(t.name, t.x_train, np.roll(t.y_train, 1), t.x_test, t.y_test[::-1].copy())
    images, labels = recipe.few_labels(t, 2, 0)
    train = module(framework, "ccsa").train
    one, other, wrong = (
        weights(framework, train(source, target, labelled=(images, y), **SHORT))
        for target, y in ((t, labels), (blind, labels), (t, (labels + 1) % 10))
    )
    assert all(map(np.array_equal, one, other)) and not all(map(np.array_equal, one, wrong))


def test_three_labels_of_each_class_help_on_the_rotated_pair(rotated):
    """Source only gives 0.42 here: one seed, with room for another machine's rounding."""
    few = recipe.few_labels(rotated[1], 3, 0)
    history = module("torch", "ccsa").train(*rotated, labelled=few, steps=1000, records=1).history
    assert history.target_accuracy[-1] > 0.7 and history.source_accuracy[-1] > 0.87


@BOTH
@pytest.mark.parametrize(
    "bad, sentence",
    [
        ({"labelled": None}, "CCSA needs a few labelled target images: labelled=recipe.few_labels"),
        ({"margin": -0.1}, "margin must be a finite number, 0 or more, not -0.1"),
        ({"margin": math.nan}, "margin must be a finite number, 0 or more, not nan"),
        ({"lam": 1.2}, r"lam must lie between 0 \(no contrastive losses\) and 1 \(they alone\), not 1.2"),
        ({"lam": np.float32(1.5)}, r"lam must lie between 0 .* and 1 .*, not 1.5"),
        ({"lam": -0.2}, "lam must lie between 0"),
        ({"lam": math.nan}, "lam must lie between 0"),
    ],
)
def test_bad_settings_get_one_sentence(framework, rotated, bad, sentence):
    few = recipe.few_labels(rotated[1], 1, 0)
    refuses(sentence, module(framework, "ccsa").train, *rotated, **{**SHORT, "labelled": few, **bad})


@BOTH
@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda x, y: (x, y + 1), "labels must be classes 0 to 9 of digits-a, not 1 to 10"),
        (lambda x, y: (x, y - 1), "labels must be classes 0 to 9 of digits-a, not -1 to 8"),
        (lambda x, y: (x, y[:5]), r"labelled must be \(images, labels\) with one int64 class for each image"),
        (lambda x, y: (x[:0], y[:0]), "at least one image; got 0 images"),
        (lambda x, y: (x / 255, y), "labelled images must be uint8"),
    ],
)
def test_bad_labelled_images_get_one_sentence(framework, rotated, change, sentence):
    few = change(*recipe.few_labels(rotated[1], 1, 0))
    refuses(sentence, module(framework, "ccsa").train, *rotated, labelled=few, **SHORT)
