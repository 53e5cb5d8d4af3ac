"""DeepCORAL in both frameworks: the formula, its invariances, and that the task loss reaches the encoder."""

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

from dtlbook import data

LAYERS = pytest.mark.parametrize("layer", ["logits", "features"])
SHORT = {"steps": 20, "batch_size": 16, "records": 2}


def samples(n=9, m=7, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) @ rng.normal(size=(d, d))


def distance(framework, x, y):
    return number(module(framework, "coral").coral_distance(tensor(framework, x), tensor(framework, y)))


def frobenius(x, y):
    """1/(4d²) ‖C_x − C_y‖_F², entry by entry; np.cov divides by n − 1."""
    c_x, c_y = (np.atleast_2d(np.cov(z.T)) for z in (x, y))
    return sum((c_x[i, j] - c_y[i, j]) ** 2 for i in range(len(c_x)) for j in range(len(c_x))) / (4 * len(c_x) ** 2)


@BOTH
def test_the_distance_is_the_papers_formula(framework):
    x, y = samples()
    assert distance(framework, x, y) == pytest.approx(frobenius(x, y), abs=1e-12)
    c = array(module(framework, "coral").covariance(tensor(framework, x)))
    np.testing.assert_allclose(c, np.cov(x.T), rtol=0, atol=1e-12)
    two = np.array([[0.0], [2.0]])  # variance 2 with 1/(n−1), against 8: 1/4 · 36
    assert distance(framework, two, 2 * two) == pytest.approx(9.0, abs=1e-12)


@BOTH
def test_0_for_equal_covariances_wherever_the_means_lie(framework):
    x, y = samples()
    assert distance(framework, x, x) == 0
    assert distance(framework, x, x + 5) == pytest.approx(0, abs=1e-20)
    assert distance(framework, x, y) == pytest.approx(distance(framework, y, x - 3), rel=1e-9)
    assert distance(framework, 2 * x, 2 * y) == pytest.approx(16 * distance(framework, x, y), rel=1e-9)


@BOTH
def test_gradient_of_the_distance_is_that_of_finite_differences(framework):
    x, y = samples()
    _, found = gradients(framework, module(framework, "coral").coral_distance, x, y)
    for z, g in zip((x, y), found, strict=True):
        for index in [(0, 0), (4, 2), (6, 1)]:
            ends = []
            for h in (1e-6, -1e-6):
                z[index] += h
                ends.append(frobenius(x, y))
                z[index] -= h
            assert g[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)
        assert np.abs(g).max() > 1e-3


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(2, 7),
    m=st.integers(2, 7),
    d=st.integers(1, 9),
    dtype=st.sampled_from(["float32", "float64"]),
    scale=st.integers(-8, 8),
    framework=st.sampled_from(["torch", "tensorflow"]),
)
def test_any_shape_type_and_scale(n, m, d, dtype, scale, framework):
    """More units than images as well; the distance grows with the fourth power of the activations."""
    x, y = (z.astype(dtype) for z in samples(n, m, d))
    f, factor = module(framework, "coral").coral_distance, np.dtype(dtype).type(10.0**scale)
    got, found = gradients(framework, f, x * factor, y * factor)
    assert got == pytest.approx(frobenius(x.astype(float), y.astype(float)) * 10.0 ** (4 * scale), rel=2e-4)
    assert all(np.isfinite(g).all() and g.dtype == dtype for g in found)


# --- the loss ---------------------------------------------------------------------------------------------
def coral_loss(framework, nets, lam=0.7, layer="logits"):
    b = (tensor(framework, a) for a in batch()[:3])
    return module(framework, "coral").coral_loss(nets, *b, lam, layer)


@LAYERS
def test_tensorflow_is_pytorch(layer):
    assert_twins(lambda fw, nets, b: module(fw, "coral").coral_loss(nets, *b[:3], 0.7, layer).total)


@BOTH
@LAYERS
def test_total_is_label_loss_plus_lambda_coral(framework, layer):
    nets, (x_source, y_source, x_target, *_) = networks(framework), batch()
    losses = coral_loss(framework, nets, 0.7, layer)
    f = [nets.feature_extractor(tensor(framework, x)) for x in (x_source, x_target)]
    z = [array(nets.label_predictor(a)) for a in f]
    label = np.mean([np.log(np.exp(row).sum()) - row[k] for row, k in zip(z[0], y_source, strict=True)])
    domain = frobenius(*(z if layer == "logits" else map(array, f)))
    assert number(losses.label) == pytest.approx(label, abs=1e-12)
    assert number(losses.domain) == pytest.approx(domain, abs=1e-14) and domain > 1e-6
    assert number(losses.total) == pytest.approx(label + 0.7 * domain, abs=1e-12)


@LAYERS
def test_gradients_agree_with_finite_differences(layer):
    assert_finite_differences("torch", lambda nets: coral_loss("torch", nets, 50.0, layer).total)


@BOTH
@LAYERS
def test_the_task_loss_and_the_coral_loss_reach_the_encoder(framework, layer):
    nets = networks(framework)
    label, domain, both = (
        weight_gradients(framework, nets, lambda t=term: getattr(coral_loss(framework, nets, 0.7, layer), t))[1]
        for term in ("label", "domain", "total")
    )
    for part in ("feature_extractor", "label_predictor"):
        for a, b, c in zip(label[part], domain[part], both[part], strict=True):
            assert np.abs(a).max() > 1e-3
            if b is None or not b.any():  # what is behind the features; a bias shifts the mean alone
                b = 0.0
            np.testing.assert_allclose(c, a + 0.7 * b, rtol=0, atol=1e-14)
    assert np.abs(domain["feature_extractor"][0]).max() > 1e-5
    assert all(g is None for g in both["domain_classifier"])


# --- training ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def rotated():
    return data.pair("digits-rotated")


def weights(framework, run):
    return [w for layer in module(framework, "networks").get_weights(run.networks) for w in layer]


def test_the_same_run_in_both_frameworks(rotated):
    runs = [module(fw, "coral").train(*rotated, alpha=0.0, seed=3, **SHORT) for fw in ("torch", "tensorflow")]
    for a, b in zip(weights("torch", runs[0]), weights("tensorflow", runs[1]), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4)


@BOTH
def test_target_labels_reach_no_update(framework, rotated):
    source, t = rotated
    blind = data.Domain(t.name, t.x_train, np.roll(t.y_train, 1), t.x_test, t.y_test[::-1].copy())
    one, other = (module(framework, "coral").train(source, target, **SHORT) for target in (t, blind))
    assert all(map(np.array_equal, weights(framework, one), weights(framework, other)))


def test_training_brings_the_covariances_together_and_still_learns_the_task(rotated):
    train = module("torch", "coral").train
    alone, adapted = (train(*rotated, lam=lam, steps=500, records=1, scheduled=False) for lam in (0.0, 10.0))
    apart = [
        frobenius(*(module("torch", "training").logits(run.networks, d.x_test) for d in rotated))
        for run in (alone, adapted)
    ]
    assert apart[1] < 0.3 * apart[0]
    assert adapted.history.source_accuracy[-1] > 0.6


@BOTH
@pytest.mark.parametrize(
    "bad, sentence",
    [
        ({"layer": "pixels"}, 'layer must be "logits" or "features", not \'pixels\''),
        ({"batch_size": 1}, "a covariance needs at least 2 images of each domain, not 1"),
        ({"lam": -1.0}, "lam must be a finite number, 0 or more"),
    ],
)
def test_bad_settings_get_one_sentence(framework, rotated, bad, sentence):
    refuses(sentence, module(framework, "coral").train, *rotated, **{**SHORT, **bad})


@BOTH
def test_bad_batches_get_one_sentence(framework):
    loss, nets = module(framework, "coral").coral_loss, networks(framework)
    x, y, t = (tensor(framework, a) for a in batch()[:3])
    refuses("needs at least 2 images of each domain, not 1", loss, nets, x, y, t[:1], 1.0)
    refuses("y_source must hold one class number", loss, nets, x, y[:5], t, 1.0)
    refuses("images of both domains must have the same shape", loss, nets, x, y, t[:, :5], 1.0)
