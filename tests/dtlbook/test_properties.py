"""What holds for every shape, type and extreme value: the reversal layer and the domain loss, in both frameworks."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
tf = pytest.importorskip("tensorflow")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from dtlbook import recipe  # noqa: E402
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
