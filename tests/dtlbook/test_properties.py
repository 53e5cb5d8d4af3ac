"""What holds for every shape, type and extreme value, in both frameworks: the reversal layer, and losses."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
tf = pytest.importorskip("tensorflow")

import twins  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from dtlbook import recipe, styles  # noqa: E402
from dtlbook.tensorflow import dann as tf_dann  # noqa: E402
from dtlbook.torch import dann as torch_dann  # noqa: E402

few = settings(max_examples=25, deadline=None, derandomize=True)
shapes = st.lists(st.integers(1, 4), min_size=0, max_size=4).map(tuple)
lambdas = st.sampled_from([0.0, 1e-30, 0.5, 1.0, 1e6])
dtypes = st.sampled_from(["float16", "float32", "float64"])


@few
@given(shapes, dtypes, lambdas, st.booleans())
def test_reversal_is_the_identity_forward_and_minus_lambda_backward_in_pytorch(shape, dtype, lam, as_tensor):
    x = torch.ones(shape, dtype=getattr(torch, dtype), requires_grad=True)
    out = torch_dann.gradient_reversal(x, torch.tensor(lam, dtype=torch.float64) if as_tensor else lam)
    assert out.shape == x.shape and out.dtype == x.dtype and torch.equal(out, x)
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert gradient.dtype == x.dtype
    assert torch.equal(gradient, torch.full_like(x, -lam))


@few
@given(shapes, dtypes, lambdas, st.booleans())
def test_reversal_is_the_identity_forward_and_minus_lambda_backward_in_tensorflow(shape, dtype, lam, as_tensor):
    x = tf.ones(shape, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        out = tf_dann.gradient_reversal(x, tf.constant(lam, tf.float64) if as_tensor else lam)
        total = tf.reduce_sum(out)
    gradient = tape.gradient(total, x)
    assert out.shape == x.shape and out.dtype == x.dtype == gradient.dtype
    assert np.array_equal(gradient.numpy(), np.full(shape, -lam, dtype))


logits = st.lists(st.sampled_from([-1e4, -30.0, -1.0, 0.0, 2.0, 30.0, 1e4]), min_size=1, max_size=5)


@few
@given(logits, logits)
def test_the_domain_loss_is_finite_for_any_logit_and_equal_in_both_frameworks(z_source, z_target):
    z_s, z_t = np.array(z_source)[:, None], np.array(z_target)[:, None]
    ours = torch_dann.domain_loss(torch.from_numpy(z_s), torch.from_numpy(z_t)).item()
    theirs = float(tf_dann.domain_loss(tf.constant(z_s), tf.constant(z_t)))
    by_hand = np.mean([max(z, 0) + math.log1p(math.exp(-abs(z))) for z in z_source])
    by_hand += np.mean([max(-z, 0) + math.log1p(math.exp(-abs(z))) for z in z_target])
    assert ours == pytest.approx(by_hand, rel=1e-12) and theirs == pytest.approx(by_hand, rel=1e-12)
    assert math.isfinite(ours) and ours >= 0


@few
@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=5), st.sampled_from(["float32", "float64"]), st.booleans())
def test_the_loss_of_addas_encoder_is_softplus_and_sends_every_logit_down(values, dtype, minimax):
    """Its slope is σ(z)/n, with minimax σ(−z)/n: never negative, so that a step down L_M is a step towards "source"."""
    z = np.array(values, dtype)[:, None]
    sign = -1 if minimax else 1
    by_hand = sign * np.mean([max(sign * v, 0) + math.log1p(math.exp(-abs(v))) for v in z[:, 0].tolist()])
    slope = np.exp(-np.logaddexp(0, -sign * z.astype(float))) / len(z)
    near = 3e-9 if dtype == "float64" else 1e-6  # PyTorch's softplus(z) is z from 20 on: e^-20 is left out
    for framework in ("torch", "tensorflow"):
        loss = twins.module(framework, "adda").encoder_loss
        found, (gradient,) = twins.gradients(framework, lambda t, f=loss: f(t, minimax), z)
        assert math.isfinite(found) and found == pytest.approx(by_hand, rel=near, abs=near)
        assert gradient.dtype == dtype and (gradient >= 0).all()
        np.testing.assert_allclose(gradient, slope, rtol=0, atol=near)
        assert twins.number(loss(twins.tensor(framework, z - np.array(1, dtype)), minimax)) <= found


tenth = settings(few, max_examples=10)
lengths = st.integers(1, 5)


@tenth
@given(lengths, lengths, lengths, lengths, st.integers(2, 4), st.sampled_from([0.0, 1.0, 1e4]))
def test_the_semi_supervised_loss_is_finite_for_any_numbers_of_examples(n, n_target, m, inputs, classes, scale):
    rng = np.random.default_rng([n, n_target, m])
    x_source, x_target, x_few = (scale * rng.normal(size=(k, inputs)) for k in (n, n_target, m))
    batch = x_source, rng.integers(classes, size=n), x_target, x_few, rng.integers(classes, size=m)
    found = []
    for framework in ("torch", "tensorflow"):
        nets = twins.module(framework, "networks").mlp(inputs, classes, feature_dim=3, hidden=4, dtype="float64")
        loss = twins.module(framework, "dann").semi_supervised_loss
        tensors = [twins.tensor(framework, a) for a in batch]
        _, slopes = twins.weight_gradients(framework, nets, lambda f=loss, p=nets, t=tensors: f(p, *t, 0.7).total)
        assert all(np.isfinite(g).all() for part in slopes.values() for g in part)
        found.append([twins.number(term) for term in loss(nets, *tensors, 0.7)])
    assert np.isfinite(found).all() and min(found[0]) >= 0
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-9)


@tenth
@given(lengths, st.integers(4, 7), st.integers(4, 7), st.integers(1, 3), st.sampled_from(["images", "one colour"]))
def test_sagnets_losses_are_finite_for_any_shape_and_for_images_of_one_colour(n, height, width, channels, kind):
    rng = np.random.default_rng([n, height, width])
    x, y = rng.random((n, height, width, channels), dtype=np.float32), rng.integers(3, size=n)
    if kind == "one colour":
        x[:] = 0.5
    swap, alpha = (a[0] for a in styles.draws(1, n, 0))
    found = []
    for framework in ("torch", "tensorflow"):
        sagnet = twins.module(framework, "sagnet")
        nets = sagnet.small_sagnet((height, width, channels), 3, feature_dim=4)
        images = x.transpose(0, 3, 1, 2).copy() if framework == "torch" else x
        tensors = [twins.tensor(framework, a) for a in (images, y, swap, alpha)]
        _, slopes = twins.weight_gradients(
            framework, nets, lambda s=sagnet, p=nets, t=tensors: sum(s.sagnet_losses(p, *t))
        )
        assert all(np.isfinite(g).all() for part in slopes.values() for g in part)
        found.append([twins.number(term) for term in sagnet.sagnet_losses(nets, *tensors)])
    assert np.isfinite(found).all() and found[0][2] >= math.log(3) - 1e-6
    np.testing.assert_allclose(*found, rtol=1e-5)


@few
@given(st.floats(0, 1), st.floats(0.01, 1e3))
def test_schedules_stay_in_their_range(p, gamma):
    assert 0.0 <= recipe.lambda_schedule(p, gamma) <= 1.0
    assert 0.165 * 0.01 < recipe.learning_rate_schedule(p) <= 0.01


@few
@given(st.one_of(st.floats(max_value=-1e-9), st.just(math.nan), st.just(math.inf)))
def test_a_lambda_that_cannot_be_is_refused(lam):
    for module, x in ((torch_dann, torch.zeros(1)), (tf_dann, tf.zeros(1))):
        with pytest.raises(ValueError, match="lam must be a finite number, 0 or more"):
            module.gradient_reversal(x, lam)


@few
@given(st.integers(1, 400), st.integers(1, 50))
def test_records_end_with_the_last_update(steps, records):
    at = recipe.record_steps(steps, records)
    assert at[-1] == steps and len(at) == min(steps, records) and at == sorted(set(at)) and at[0] >= 1
