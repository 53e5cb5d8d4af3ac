"""SagNet: statistics over feature maps, what randomisation keeps, each gradient where the paper sends it, both frameworks."""

import inspect
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
tf = pytest.importorskip("tensorflow")
import twins  # noqa: E402

from dtlbook import data, styles  # noqa: E402
from dtlbook.tensorflow import networks as tf_networks  # noqa: E402
from dtlbook.tensorflow import sagnet as tf_sagnet  # noqa: E402
from dtlbook.torch import networks as torch_networks  # noqa: E402
from dtlbook.torch import sagnet  # noqa: E402

torch.set_num_threads(1)
BOTH = pytest.mark.parametrize("module", [sagnet, tf_sagnet], ids=["torch", "tensorflow"])
PARTS = ("feature_extractor", "label_predictor", "domain_classifier")


def maps(n=5, h=3, w=4, c=2, seed=0):
    """Feature maps [n, h, w, c], float64, of very different styles."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, h, w, c)) * rng.uniform(0.5, 5, (n, 1, 1, c)) + rng.normal(0, 3, (n, 1, 1, c))


def tensor(module, x):
    x = np.asarray(x)
    if module is tf_sagnet:
        return tf.constant(x)
    return torch.from_numpy(x.transpose(0, 3, 1, 2) if x.ndim == 4 else x)


def array(x):
    """Back to NumPy, channels last."""
    x = x.detach().numpy().transpose(0, 2, 3, 1) if torch.is_tensor(x) and x.ndim == 4 else np.asarray(x)
    return x


def style(z):
    return z.mean((1, 2)), np.sqrt(z.var((1, 2)) + styles.EPSILON)


def content(z):
    mean, deviation = style(z)
    return (z - mean[:, None, None]) / deviation[:, None, None]


SWAP = np.array([3, 0, 4, 1, 2])


# --- randomisation --------------------------------------------------------------------------------------
@BOTH
def test_statistics_are_those_of_each_channel_over_its_pixels(module):
    z = maps()
    mean, deviation = (array(s).reshape(5, 2) for s in module.statistics(tensor(module, z)))
    np.testing.assert_allclose(mean, style(z)[0], atol=1e-12)
    np.testing.assert_allclose(deviation, style(z)[1], atol=1e-12)


@BOTH
@pytest.mark.parametrize("alpha", [1.0, 0.0, 0.3])
def test_style_randomization_keeps_the_content_and_mixes_the_style(module, alpha):
    z = maps()
    out = array(module.style_randomization(tensor(module, z), tensor(module, SWAP), tensor(module, np.full(5, alpha))))
    (mean, deviation), (other_mean, other_deviation) = style(z), style(z[SWAP])
    np.testing.assert_allclose(out.mean((1, 2)), alpha * mean + (1 - alpha) * other_mean, atol=1e-10)
    expected = alpha * deviation + (1 - alpha) * other_deviation
    np.testing.assert_allclose(out.std((1, 2)) / z.std((1, 2)), expected / deviation, atol=1e-10)
    correlation = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(content(out), content(z), strict=True)]
    assert min(correlation) > 1 - 1e-6
    if alpha == 1:
        np.testing.assert_allclose(out, z, atol=1e-10)


@BOTH
def test_alpha_is_one_number_for_each_image(module):
    z, alpha = maps(), np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    out = array(module.style_randomization(tensor(module, z), tensor(module, SWAP), tensor(module, alpha)))
    np.testing.assert_allclose(out[0], z[0], atol=1e-10)
    np.testing.assert_allclose(out[1].mean((0, 1)), z[SWAP[1]].mean((0, 1)), atol=1e-10)


@BOTH
def test_content_randomization_keeps_the_style_and_takes_the_others_content(module):
    z = maps()
    out = array(module.content_randomization(tensor(module, z), tensor(module, SWAP)))
    mean, deviation = style(z)
    np.testing.assert_allclose(out, deviation[:, None, None] * content(z)[SWAP] + mean[:, None, None], atol=1e-10)
    np.testing.assert_allclose(out.mean((1, 2)), mean, atol=1e-10)
    same = array(module.content_randomization(tensor(module, z), tensor(module, np.arange(5))))
    np.testing.assert_allclose(same, z, atol=1e-10)


@BOTH
@pytest.mark.parametrize("shape", [(5, 64), (5, 1, 1, 64)])
def test_pooled_vectors_are_refused(module, shape):
    with pytest.raises(ValueError, match="over the pixels of feature maps.*; cut G_f before it pools or flattens"):
        module.statistics(tensor(module, np.zeros(shape)))


def test_a_constant_channel_gives_numbers_and_gradients():
    z = torch.ones(3, 2, 4, 4, requires_grad=True)
    out = sagnet.style_randomization(z, torch.tensor([1, 2, 0]), torch.full((3,), 0.5))
    out.square().sum().backward()
    assert torch.isfinite(out).all() and torch.isfinite(z.grad).all()


# --- losses ---------------------------------------------------------------------------------------------
def batch(module, n=6, seed=0, dtype="float32"):
    rng = np.random.default_rng(seed)
    x, y = rng.random((n, 8, 8, 2), dtype=np.float32).astype(dtype), rng.integers(3, size=n)
    swap, alpha = (a[0] for a in styles.draws(1, n, seed))
    return [tensor(module, a) for a in (x, y, swap, alpha)]


def gradients(module, nets, name, dtype="float32"):
    """Gradient of one of the three losses in each part: lists of arrays, None where it does not reach."""
    arguments = batch(module, dtype=dtype)
    if module is sagnet:
        loss = getattr(sagnet.sagnet_losses(nets, *arguments), name)
        return [torch.autograd.grad(loss, list(p.parameters()), retain_graph=True, allow_unused=True) for p in nets]
    with tf.GradientTape(persistent=True) as tape:
        loss = getattr(tf_sagnet.sagnet_losses(nets, *arguments), name)
    return [tape.gradient(loss, part.trainable_variables) for part in nets]


def in_keras_layout(g):
    g = np.asarray(g)
    return g.transpose(2, 3, 1, 0) if g.ndim == 4 else g.T


@pytest.mark.parametrize("dtype, tolerance", twins.TOLERANCES)
def test_both_frameworks_give_the_same_losses_and_gradients(dtype, tolerance):
    modules = {"torch": sagnet, "tensorflow": tf_sagnet}
    nets = twins.in_both(lambda framework: modules[framework].small_sagnet((8, 8, 2), 3, feature_dim=7, seed=4), dtype)
    losses, losses_tf = (
        m.sagnet_losses(n, *batch(m, dtype=dtype)) for m, n in zip(modules.values(), nets, strict=True)
    )
    for a, b in zip(losses, losses_tf, strict=True):
        assert b.dtype.name == dtype and a.item() == pytest.approx(float(b), rel=tolerance)
    for name in sagnet.SagNetLosses._fields:
        found = (gradients(m, n, name, dtype) for m, n in zip(modules.values(), nets, strict=True))
        for part, part_tf in zip(*found, strict=True):
            for g, g_tf in zip(part, part_tf, strict=True):
                assert (g is None) == (g_tf is None)
                if g is not None:
                    twins.assert_close(in_keras_layout(g), g_tf, tolerance, name)


@BOTH
@pytest.mark.parametrize("name, unreached", [("content", 2), ("style", 1), ("adversarial", 1)])
def test_a_loss_never_reaches_the_other_network(module, name, unreached):
    found = gradients(module, module.small_sagnet((8, 8, 2), 3), name)
    assert all(g is None for g in found[unreached])
    for part in {0, 1, 2} - {unreached}:
        assert max(np.abs(np.asarray(g)).max() for g in found[part]) > 1e-5


def test_only_the_style_carries_the_adversarial_gradient():
    """L_adv does not change when the content of the other image does in θ_f: the gradient flows through μ and σ alone."""
    z = torch.from_numpy(maps(c=3).transpose(0, 3, 1, 2)).requires_grad_()
    weight = torch.randn(5, 3, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    (g,) = torch.autograd.grad((sagnet.content_randomization(z, torch.from_numpy(SWAP)) * weight).sum(), z)
    mean, deviation = sagnet.statistics(z)
    kept = ((z - mean) / deviation).detach()
    to_mean = weight.sum((2, 3), keepdim=True) / 12
    to_deviation = (weight * kept[SWAP]).sum((2, 3), keepdim=True) * kept / 12
    torch.testing.assert_close(g, to_mean + to_deviation, rtol=0, atol=1e-10)


@BOTH
def test_the_adversarial_loss_is_log_k_where_style_tells_nothing(module):
    nets = module.small_sagnet((8, 8, 2), 3)
    layers = module_networks(module)
    zero = [(0 * w, 0 * b) for w, b in layers.get_weights(nets.domain_classifier)]
    layers.set_weights(nets.domain_classifier, zero)
    losses = module.sagnet_losses(nets, *batch(module))
    losses = [loss.detach() if module is sagnet else loss for loss in losses]
    assert float(losses[2]) == pytest.approx(math.log(3), abs=1e-6)
    assert float(losses[1]) == pytest.approx(math.log(3), abs=1e-6)


def module_networks(module):
    return torch_networks if module is sagnet else tf_networks


# --- one update -----------------------------------------------------------------------------------------
@BOTH
@pytest.mark.parametrize("lam", [0.0, 0.7])
def test_one_update_moves_each_part_by_its_own_loss(module, lam):
    """θ_f by ∂L_c + λ ∂L_adv, θ_c by ∂L_c, θ_s by ∂L_s and never by L_adv."""
    nets = module.small_sagnet((8, 8, 2), 3)
    expected = {name: gradients(module, nets, name) for name in sagnet.SagNetLosses._fields}
    before = [values(module, part) for part in nets]
    x, y, *_ = batch(module)
    update = module.descend(1, 6, 0, momentum=0.0)(nets)
    real = (
        (lambda v: torch.tensor(v, dtype=torch.float64)) if module is sagnet else (lambda v: tf.constant(v, tf.float64))
    )
    update(x, y, x, real(lam), real(0.5))
    wanted = [
        [
            np.asarray(c) + lam * np.asarray(a)
            for c, a in zip(expected["content"][0], expected["adversarial"][0], strict=True)
        ],
        expected["content"][1],
        expected["style"][2],
    ]
    for part, old, gradient in zip(nets, before, wanted, strict=True):
        for now, b, g in zip(values(module, part), old, gradient, strict=True):
            np.testing.assert_allclose(now - b, -0.5 * np.asarray(g), rtol=1e-4, atol=1e-6)


def values(module, part):
    return [p.detach().numpy().copy() if module is sagnet else p.numpy().copy() for p in variables(module, part)]


def variables(module, part):
    return list(part.parameters()) if module is sagnet else part.trainable_variables


def test_draws_are_permutations_and_uniform():
    swaps, alphas = styles.draws(200, 16, 0)
    assert (np.sort(swaps, axis=1) == np.arange(16)).all() and swaps.dtype == np.int64
    assert alphas.dtype == np.float32 and 0 <= alphas.min() and alphas.max() < 1 and abs(alphas.mean() - 0.5) < 0.02
    assert abs(np.corrcoef(swaps[:, 0], swaps[:, 1])[0, 1]) < 0.3  # a new order at each step
    assert (styles.draws(200, 16, 1)[0] != swaps).any()


# --- training -------------------------------------------------------------------------------------------
SHORT = dict(steps=6, batch_size=8, records=2)


@pytest.fixture(scope="module")
def domains():
    return data.load("digits-a"), data.load("digits-b-blurred"), data.load("digits-b-rotated30")


def test_both_frameworks_train_alike_from_several_sources(domains):
    *sources, target = domains
    runs = [m.train(sources, target, lam=0.5, alpha=0.0, seed=3, **SHORT) for m in (sagnet, tf_sagnet)]
    for (w, b), (w_tf, b_tf) in zip(
        torch_networks.get_weights(runs[0].networks), tf_networks.get_weights(runs[1].networks), strict=True
    ):
        np.testing.assert_allclose(w, w_tf, atol=1e-4)
        np.testing.assert_allclose(b, b_tf, atol=1e-4)
    assert runs[0].history.domain_loss == pytest.approx(runs[1].history.domain_loss, abs=1e-3)
    assert runs[0].history.step == [3, 6]


def test_no_target_image_is_used(domains):
    source, other, target = domains
    one, two = (sagnet.train(source, t, **SHORT) for t in (target, other))
    for (w, _), (w_2, _) in zip(*(torch_networks.get_weights(r.networks) for r in (one, two)), strict=True):
        assert np.array_equal(w, w_2)


def test_it_learns_the_source_and_only_G_c_predicts(domains):
    source, _, target = domains
    run = sagnet.train(source, target, steps=250, records=1, mu_0=0.05)
    assert run.history.source_accuracy[-1] > 0.8
    before = sagnet.predict(run.networks, target.x_test)
    with torch.no_grad():
        for parameter in run.networks.domain_classifier.parameters():
            parameter.zero_()
    assert np.array_equal(before, sagnet.predict(run.networks, target.x_test))


def test_joined_sources_keep_every_example(domains):
    source, other, _ = domains
    both = styles.joined([source, other])
    assert len(both.x_train) == len(source.x_train) + len(other.x_train)
    assert np.array_equal(both.y_test, np.concatenate([source.y_test, other.y_test]))
    assert styles.joined(source) is source


def test_both_frameworks_have_the_same_names_and_arguments():
    assert sagnet.__all__ == tf_sagnet.__all__
    for name in sagnet.__all__:
        ours, theirs = (list(inspect.signature(getattr(m, name)).parameters) for m in (sagnet, tf_sagnet))
        assert ours == theirs, name


@BOTH
def test_networks_that_do_not_fit_are_refused(module, domains):
    source, _, target = domains
    layers = module_networks(module)
    with pytest.raises(ValueError, match="cut G_f before it pools or flattens"):
        module.train(source, target, networks=layers.mlp(64, 10), **SHORT)
    with pytest.raises(ValueError, match="one logit for each of the 10 classes"):
        module.train(source, target, networks=module.small_sagnet((8, 8, 1), 7), **SHORT)
    with pytest.raises(ValueError, match="at least one source domain"):
        module.train([], target, **SHORT)
    moons = data.Domain(
        "rgb", *(np.repeat(a, 3, -1) if a.ndim == 4 else a for a in vars(source).values() if not isinstance(a, str))
    )
    with pytest.raises(ValueError, match="all sources need one image shape"):
        module.train([source, moons], target, **SHORT)
