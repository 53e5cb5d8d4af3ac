"""What the tests of a method in two frameworks share: the same arrays and weights in both, results back in NumPy."""

import importlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")
tf = pytest.importorskip("tensorflow")
torch.set_num_threads(1)

BOTH = pytest.mark.parametrize("framework", ["torch", "tensorflow"])


def module(framework, name):
    return importlib.import_module(f"dtlbook.{framework}.{name}")


def tensor(framework, array):
    return torch.tensor(array) if framework == "torch" else tf.constant(array)


def array(value):
    """A tensor of either framework as a NumPy array."""
    return value.detach().numpy() if isinstance(value, torch.Tensor) else value.numpy()


def number(value):
    return float(array(value))


def gradients(framework, f, *arrays):
    """f of tensors, a number, and its gradient with respect to each array; None where there is none."""
    if framework == "torch":
        xs = [torch.tensor(a, requires_grad=True) for a in arrays]
        y = f(*xs)
        found = torch.autograd.grad(y, xs, allow_unused=True) if y.requires_grad else [None] * len(xs)
        return number(y), [g if g is None else g.numpy() for g in found]
    xs = [tf.constant(a) for a in arrays]
    with tf.GradientTape() as tape:
        tape.watch(xs)
        y = f(*xs)
    return number(y), [g if g is None else g.numpy() for g in tape.gradient(y, xs)]


# --- a small network and a batch of feature vectors -------------------------------------------------------
def batch(dtype="float64", n=10, m=8, few=6, seed=0):
    """x_source [n, 12], y_source, x_target [m, 12], shifted, x_labelled [few, 12], y_labelled; four classes."""
    rng = np.random.default_rng(seed)
    x_source, x_target, x_labelled = (rng.normal(size=(k, 12)).astype(dtype) for k in (n, m, few))
    return x_source, rng.integers(4, size=n), x_target + 1, x_labelled + 1, rng.integers(4, size=few)


def networks(framework, dtype="float64", seed=0):
    return module(framework, "networks").mlp(12, 4, feature_dim=6, hidden=9, seed=seed, dtype=dtype)


def weight_gradients(framework, nets, loss):
    """Value of loss(), and its gradient for every weight of every part: {part: [arrays as Keras has them]}."""
    if framework == "torch":
        value = loss()
        weights = {part: list(getattr(nets, part).parameters()) for part in nets._fields}
        found = {
            part: torch.autograd.grad(value, ws, retain_graph=True, allow_unused=True) for part, ws in weights.items()
        }
        return number(value), {part: [None if g is None else g.numpy().T for g in gs] for part, gs in found.items()}
    with tf.GradientTape(persistent=True) as tape:
        value = loss()
    return number(value), {
        part: [None if g is None else g.numpy() for g in tape.gradient(value, getattr(nets, part).trainable_variables)]
        for part in nets._fields
    }


def in_both(make, dtype):
    """``make(framework)`` for PyTorch and for TensorFlow, all of it in this type and from PyTorch's initial weights.

    For functions that make networks in the frameworks' own type, float32.
    """
    ours, keras = make("torch"), tf.keras.config
    before = keras.floatx(), keras.dtype_policy()
    keras.set_floatx(dtype)  # of a keras.Input, to which a network's input is rounded, whatever its policy is
    keras.set_dtype_policy(dtype)
    try:
        theirs = make("tensorflow")
    finally:
        keras.set_floatx(before[0])
        keras.set_dtype_policy(before[1])
    for part in ours:
        part.to(getattr(torch, dtype))
    module("tensorflow", "networks").set_weights(theirs, module("torch", "networks").get_weights(ours))
    return ours, theirs


def assert_close(ours, theirs, tolerance, message=""):
    """Of two gradients, the first of PyTorch: relative to the largest number in it."""
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(1e-3, np.abs(ours).max()), err_msg=message)


TOLERANCES = (("float64", 1e-10), ("float32", 1e-5))


def assert_twins(loss, tolerances=TOLERANCES):
    """``loss(framework, networks, tensors of a batch)`` and all its gradients agree; a part is untouched in both."""
    for dtype, tolerance in tolerances:
        results = []
        for framework in ("torch", "tensorflow"):
            nets = networks(framework, dtype)
            tensors = [tensor(framework, a) for a in batch(dtype)]
            results.append(weight_gradients(framework, nets, lambda f=framework, n=nets, t=tensors: loss(f, n, t)))
        (one, ours), (other, theirs) = results
        assert one == pytest.approx(other, rel=tolerance, abs=tolerance)
        for part in ours:
            for a, b in zip(ours[part], theirs[part], strict=True):
                assert (a is None) == (b is None), part
                if a is not None:
                    assert a.dtype == dtype
                    assert_close(a, b, tolerance, part)


def assert_finite_differences(framework, loss, expected=None, nets=None, parts=None, h=1e-5):
    """Central differences of ``expected(nets)`` (else of ``loss``) in three weights of each layer."""
    nets = nets or networks(framework)
    fields = parts or nets._fields
    _, found = weight_gradients(framework, nets, lambda: loss(nets))
    get, put = module(framework, "networks").get_weights, module(framework, "networks").set_weights
    largest = 0.0
    for part in fields:
        network = getattr(nets, part)
        kernels = found[part][::2]  # weight, bias, weight, bias …
        for layer, gradient in enumerate(kernels):
            for index in ((0, 0), (3, 0), (5, -1)):
                ends = []
                for sign in (h, -h):
                    weights = [(w.copy(), b.copy()) for w, b in get(network)]
                    before = [(w.copy(), b.copy()) for w, b in get(network)]
                    weights[layer][0][index] += sign
                    put(network, weights)
                    ends.append(number((expected or loss)(nets)))
                    put(network, before)
                difference = (ends[0] - ends[1]) / (2 * h)
                got = 0.0 if gradient is None else gradient[index]
                assert got == pytest.approx(difference, abs=2e-8, rel=1e-5), (part, layer, index)
                largest = max(largest, abs(difference))
    assert largest > 1e-4  # so that a missing or flipped term would show


def refuses(sentence, f, *arguments, **settings):
    """f raises a ValueError of one sentence that begins or goes on like this."""
    with pytest.raises(ValueError, match=sentence) as caught:
        f(*arguments, **settings)
    assert "\n" not in str(caught.value)
