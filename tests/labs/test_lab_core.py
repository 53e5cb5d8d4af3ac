"""The labs' numbers against PyTorch in float64: same weights, same batch, same losses and gradients."""

import math
from itertools import pairwise

import numpy as np
import pytest
from engine import engine

from dtlbook import recipe

torch = pytest.importorskip("torch")
CLOSE = {"rtol": 1e-10, "atol": 1e-14}  # a gradient that cancels has no relative digits


@pytest.fixture(scope="module")
def js():
    with engine("core") as one:
        yield one


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def tensor(array):
    return torch.tensor(np.asarray(array), dtype=torch.float64, requires_grad=True)


def derived(loss, *tensors):
    """Value of a loss and its gradients, as NumPy."""
    return loss.item(), [g.numpy() for g in torch.autograd.grad(loss, tensors)]


# --- numbers --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name, numbers", [
    ("exp", [-745, -700, -30.5, -1, -1e-9, 0, 1e-12, 0.3, 1, 20, 709]),
    ("log", [1e-308, 1e-9, 0.4, 0.75, 1, 1 + 1e-9, 1.5, 2, 1e6, 1e308]),
    ("tanh", [-30, -3, -0.51, -0.5, -1e-8, 0, 0.2, 0.5, 0.7, 400]),
])  # fmt: skip
def test_functions_made_from_sums_and_products_are_those_of_the_library(js, name, numbers):
    ours = js.run(f"x.map({name})", x=np.array(numbers, float))
    theirs = [getattr(math, name)(x) for x in numbers]
    np.testing.assert_allclose(ours, theirs, rtol=1e-15, atol=5e-324)


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, -90, 135, 180, -720, 1234.5])
def test_a_turn_is_cosine_and_sine(js, degrees):
    angle = math.radians(degrees)
    np.testing.assert_allclose(js.run("turn(a)", a=degrees), [math.cos(angle), math.sin(angle)], atol=1e-14)


def test_no_function_is_used_that_browsers_round_differently():
    import re

    from dtlbook.labs.parts import module

    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", module("core"), flags=re.DOTALL)
    assert not re.search(r"\*\*|Math\.(?!sqrt|round|floor|max|min|abs|imul)\w+", code)


def xoshiro(seed, n):
    """xoshiro128** in whole numbers of Python."""
    mask, state = 2**32 - 1, []
    rotate = lambda v, k: (v << k | v >> (32 - k)) & mask  # noqa: E731
    for i in range(1, 5):
        v = (seed + i * 0x9E3779B9) & mask
        v = (v ^ v >> 16) * 0x85EBCA6B & mask
        v = (v ^ v >> 13) * 0xC2B2AE35 & mask
        state.append(v ^ v >> 16)
    out = []
    for _ in range(n):
        a, b, c, d = state
        out.append(rotate(b * 5 & mask, 7) * 9 & mask)
        c, d = c ^ a, d ^ b
        b, a = b ^ c, a ^ d
        c, d = c ^ (state[1] << 9 & mask), rotate(d, 11)
        state = [a, b, c, d]
    return out


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_chance_is_xoshiro(js, seed):
    code = "const g = generator(seed);\nArray.from({ length: 50 }, g.bits)"
    assert js.run(code, seed=seed) == xoshiro(seed, 50)


def test_draws_have_the_right_distribution(js):
    from scipy import stats

    g = "const g = generator(3);\n"
    normal = js.run(g + "Array.from({ length: 4000 }, g.normal)")
    assert stats.kstest(normal, "norm").pvalue > 0.01
    counts = np.bincount(js.run(g + "Array.from({ length: 7000 }, () => g.integer(7))"), minlength=7)
    assert stats.chisquare(counts).pvalue > 0.01
    assert sorted(js.run(g + "g.shuffled(100)")) == list(range(100))


def test_moons_turn_and_keep_their_shares(js):
    make = "const { x, y } = moons(generator(1), 200, { degrees, noise: 0, share });\n[x, y]"
    (x, y), (turned, again) = (js.run(make, degrees=d, share=0.9) for d in (0, 30))
    x, turned = np.reshape(x, (-1, 2)), np.reshape(turned, (-1, 2))
    assert sum(y) == 180 and y == again and y[:20].count(1) < 20, "in random order"
    angle = math.radians(30)
    matrix = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    np.testing.assert_allclose(turned, x @ np.transpose(matrix), atol=1e-12)
    centre = np.where(np.array(y) == 1, 0.5, -0.5)[:, None] * [1, 0.5]
    np.testing.assert_allclose(np.linalg.norm(x - centre, axis=1), 1, rtol=1e-12)


# --- DANN -----------------------------------------------------------------------------------------------
def both(js, activation, lam, rng, widths=((2, 7, 2), (2, 3), (2, 5, 1)), n=6, m=9):
    """Losses and gradients of G_f, G_y, G_d for the same weights and batch: (JavaScript, PyTorch)."""
    from dtlbook.torch.dann import dann_loss
    from dtlbook.torch.networks import Networks, set_weights

    x, y = rng.normal(size=(n + m, 2)), rng.integers(widths[1][-1], size=n)
    layer = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[activation]
    parts, flat, inner = [], [], []
    for w in widths:
        dense = [part for ends in pairwise(w) for part in (torch.nn.Linear(*ends, dtype=torch.float64), layer())]
        weights = recipe.initial_weights(list(pairwise(w)), seed=len(parts))
        parts.append(torch.nn.Sequential(*dense[:-1]))
        set_weights(parts[-1], weights)
        flat.append(np.concatenate([part.ravel() for pair in weights for part in pair]))
        inner.append([activation] * (len(w) - 2) + ["linear"])
    networks = Networks(*parts)
    losses = dann_loss(networks, torch.tensor(x[:n]), torch.tensor(y), torch.tensor(x[n:]), lam)
    losses.total.backward()
    expected = [
        np.concatenate([g for one in part if isinstance(one, torch.nn.Linear)
                        for g in (one.weight.grad.numpy().T.ravel(), one.bias.grad.numpy())])
        for part in networks
    ]  # fmt: skip
    code = """const make = (w, a, theta) => { const net = network(w, a); net.theta.set(theta); return net; };
    const nets = { f: make(widths[0], inner[0], f), y: make(widths[1], inner[1], g), d: make(widths[2], inner[2], d) };
    const losses = dannGradients(nets, x, labels, n, m, lam);
    [losses.label, losses.domain, nets.f.gradient, nets.y.gradient, nets.d.gradient]"""
    given = dict(zip("fgd", flat, strict=True)) | {
        "x": x,
        "labels": y,
        "n": n,
        "m": m,
        "lam": lam,
        "widths": widths,
        "inner": inner,
    }
    return js.run(code, **given), [losses.label.item(), losses.domain.item(), *expected]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("lam", [0, 0.3, 1, 30])
def test_dann_agrees_with_the_reference(js, rng, activation, lam):
    ours, theirs = both(js, activation, lam, rng)
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, reference, **CLOSE)
    if lam:
        assert np.abs(theirs[2]).max() > 1e-3, "a gradient of zeros would agree with anything"


def test_two_hidden_layers_agree_too(js, rng):
    ours, theirs = both(js, "tanh", 0.7, rng, widths=((2, 6, 5, 3), (3, 4, 4), (3, 5, 5, 1)))
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, reference, **CLOSE)


def test_the_reversal_layer_is_the_only_place_of_lambda(js, rng):
    """θ_d gets +∂L_d whatever λ is; θ_f gets ∂L_y − λ ∂L_d: linear in λ."""
    at = {lam: both(js, "tanh", lam, np.random.default_rng(1))[0] for lam in (0, 1, 2)}
    assert at[0][4] == at[1][4] == at[2][4] and at[0][3] == at[2][3]
    f = {lam: np.array(values[2]) for lam, values in at.items()}
    np.testing.assert_allclose(f[2] - f[0], 2 * (f[1] - f[0]), rtol=1e-9, atol=1e-15)


def test_sgd_with_momentum_is_that_of_the_reference(js, rng):
    start, gradients = rng.normal(size=9), rng.normal(size=(4, 9))
    parameter = tensor(start)
    optimizer = torch.optim.SGD([parameter], lr=0.03, momentum=0.9)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
    code = """const net = network([2, 3], ["linear"]);
    net.theta.set(start);
    for (let t = 0; t < 4; t++) { net.gradient.set(gradients.subarray(9 * t, 9 * t + 9)); descend(net, 0.03, 0.9); }
    net.theta"""
    np.testing.assert_allclose(js.run(code, start=start, gradients=gradients), parameter.detach().numpy(), **CLOSE)


@pytest.mark.parametrize("p", [0, 0.01, 0.3, 1])
def test_schedules(js, p):
    assert js.run("lambdaSchedule(p)", p=p) == pytest.approx(recipe.lambda_schedule(p), rel=1e-13, abs=1e-16)
    assert js.run("rateSchedule(p, 0.02)", p=p) == pytest.approx(recipe.learning_rate_schedule(p, 0.02), rel=1e-13)


# --- the other methods ------------------------------------------------------------------------------------
@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("kernel", ["linear", "one", "three"])
def test_mmd(js, rng, kernel, unbiased):
    from dtlbook import mmd

    x, y = rng.normal(size=(7, 3)) + 4, 2 * rng.normal(size=(5, 3)) + 4
    sigmas = {"linear": None, "one": [1.3], "three": [0.5, 1.0, 4.0]}[kernel]
    tx, ty = tensor(x), tensor(y)
    gram = lambda a, b: (  # noqa: E731
        a @ b.T if sigmas is None else
        sum(torch.exp(-((a[:, None] - b) ** 2).sum(-1) / (2 * s**2)) for s in sigmas)
    )  # fmt: skip
    within = lambda k: (k.sum() - unbiased * k.diagonal().sum()) / (len(k) * (len(k) - unbiased))  # noqa: E731
    value, gradients = derived(within(gram(tx, tx)) + within(gram(ty, ty)) - 2 * gram(tx, ty).mean(), tx, ty)
    code = """const gx = new Float64Array(21), gy = new Float64Array(15);
    [mmd2(x, y, 7, 5, 3, sigmas, unbiased, gx, gy), gx, gy, mmd2(x, y, 7, 5, 3, sigmas, unbiased)]"""
    ours = js.run(code, x=x, y=y, sigmas=sigmas, unbiased=unbiased)
    assert ours[0] == pytest.approx(value, rel=1e-10) and ours[3] == ours[0]
    for mine, reference in zip(ours[1:3], gradients, strict=True):
        np.testing.assert_allclose(mine, reference.ravel(), rtol=1e-10, atol=1e-13)
    name = "linear" if sigmas is None else "rbf"
    assert ours[0] == pytest.approx(mmd.mmd2(x, y, kernel=name, bandwidth=sigmas, unbiased=unbiased), rel=1e-9)


def test_mmd_agrees_with_what_ddc_trains_by(js, rng):
    from dtlbook.torch.mmd import median_bandwidth, rbf_mmd2

    x, y = rng.normal(size=(8, 2)), rng.normal(size=(8, 2)) + 1
    tx, ty = tensor(x), tensor(y)
    value, gradients = derived(rbf_mmd2(tx, ty), tx, ty)
    code = """const gx = new Float64Array(16), gy = new Float64Array(16), sigma = medianBandwidth(x, y, 8, 8, 2);
    [sigma, mmd2(x, y, 8, 8, 2, [sigma], true, gx, gy), gx, gy]"""
    sigma, mine, *ours = js.run(code, x=x, y=y)
    assert sigma == pytest.approx(median_bandwidth(tx, ty).item(), rel=1e-12) and mine == pytest.approx(value, rel=1e-9)
    np.testing.assert_allclose(ours, [g.ravel() for g in gradients], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("minimax", [False, True])
def test_adda(js, rng, minimax):
    from dtlbook.torch.adda import domain_loss, encoder_loss

    z = tensor(3 * rng.normal(size=(9, 1)))
    code = "const g = new Float64Array(9);\n[encoderLoss(z, 9, minimax, g), g]"
    value, (gradient,) = derived(encoder_loss(z, minimax), z)
    ours = js.run(code, z=z.detach().numpy(), minimax=minimax)
    assert ours[0] == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(ours[1], gradient.ravel(), **CLOSE)
    value, (gradient,) = derived(domain_loss(z[:4], z[4:]), z)
    ours = js.run("const g = new Float64Array(9);\n[domainLoss(z, 4, 5, g), g]", z=z.detach().numpy())
    assert ours[0] == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(ours[1], gradient.ravel(), **CLOSE)


@pytest.mark.parametrize("margin", [0, 1, 3])
def test_ccsa(js, rng, margin):
    from dtlbook.torch.ccsa import contrastive_losses

    a, b = rng.normal(size=(6, 2)), rng.normal(size=(4, 2))
    b[0] = a[0]  # distance 0, two classes
    y, other = np.array([0, 1, 2, 0, 1, 2]), np.array([1, 0, 0, 2])
    ta, tb = tensor(a), tensor(b)
    alignment, separation = contrastive_losses(ta, torch.tensor(y), tb, torch.tensor(other), float(margin))
    _, gradients = derived(alignment + separation, ta, tb)
    code = """const ga = new Float64Array(12), gb = new Float64Array(8);
    [contrastive(a, y, b, other, 6, 4, 2, margin, ga, gb), ga, gb]"""
    losses, *ours = js.run(code, a=a, b=b, y=y, other=other, margin=margin)
    assert losses["alignment"] == pytest.approx(alignment.item(), rel=1e-10)
    assert losses["separation"] == pytest.approx(separation.item(), rel=1e-10, abs=1e-16)
    for mine, reference in zip(ours, gradients, strict=True):
        np.testing.assert_allclose(mine, reference.ravel(), rtol=1e-9, atol=1e-13)


# --- the distance of two sets of features -----------------------------------------------------------------
def test_logistic_regression_is_that_of_the_library(js, rng):
    from sklearn.linear_model import LogisticRegression

    x, d, a = rng.normal(size=(40, 3)), (rng.uniform(size=40) < 0.4).astype(int), rng.uniform(0.5, 2, size=40)
    x[:, 0] += d
    reference = LogisticRegression(C=0.7, tol=1e-10, max_iter=5000).fit(x, d, sample_weight=a)
    ours = js.run("logistic(x, d, a, 40, 3, 0.7)", x=x, d=d.astype(float), a=a)
    np.testing.assert_allclose(ours, [*reference.coef_[0], reference.intercept_[0]], rtol=1e-4, atol=1e-5)


def test_proxy_a_distance_is_2_for_separable_and_about_0_for_equal_domains(js, rng):
    x = rng.normal(size=(300, 2))
    far = js.run("proxyADistance(x, y, 300, 100)", x=x, y=x[:100] + 9)
    same = js.run("proxyADistance(x, y, 300, 100)", x=x, y=rng.normal(size=(100, 2)))
    ring = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert far == 2 and abs(same) < 0.4
    assert js.run("proxyADistance(x, y, 300, 300)", x=ring / 3, y=ring) > 1.9, "a line could not tell these"
    assert js.run("proxyADistance(x, y, 300, 300, 1)", x=ring / 3, y=ring) < 0.5


# --- refusals -------------------------------------------------------------------------------------------------
NETS = """const g = generator(0), net = (...w) => network(w, ["linear"], g), into = new Float64Array(9), x = Float64Array.of(1, 2, 3, 4);
const nets = { f: net(2, 2), y: net(2, 2), d: net(2, 1) };
"""


@pytest.mark.parametrize("code, words", [
    ("dannGradients(nets, x, [0], 1, 1, NaN)", "λ must be a finite number, 0 or more, not NaN"),
    ("dannGradients(nets, x, [0], 1, 1, -1)", "λ must be a finite number, 0 or more, not -1"),
    ("dannGradients(nets, x, [2], 1, 1, 1)", "a label must be a class from 0 to 1, not 2"),
    ("dannGradients(nets, x, [0], 2, 0, 1)", "a label must be a class from 0 to 1, not undefined"),
    ("domainLoss(x, 2, 0, into)", "target examples must be a whole number, 1 or more, not 0"),
    ("reverse(x, Infinity, 4)", "λ must be a finite number"),
    ("generator(1.5)", "seed must be a whole number"),
    ("network([2, 0], ['linear'])", "width must be a whole number, 1 or more, not 0"),
    ("network([2, 2], [])", "1 layers need as many activations, not 0"),
    ("network([2, 2], ['gelu'])", "one of linear, relu, tanh, not gelu"),
    ("moons(g, 10, { share: 2 })", "between 0 and 1, not 2"),
    ("moons(g, 10, { degrees: NaN })", "the rotation must be a finite number, not NaN"),
    ("mmd2(x, x, 1, 2, 2, [1], true)", "source examples must be a whole number, 2 or more, not 1"),
    ("mmd2(x, x, 2, 2, 2, [-1], true)", "a bandwidth must be a finite number above 0, not -1"),
    ("mmd2(x, x, 2, 2, 2, [], true)", "at least one bandwidth"),
    ("medianBandwidth(into, into, 2, 2, 2)", "the points are all the same"),
    ("contrastive(x, [0], x, [0], 1, 1, 2, NaN, into, into)", "the margin must be a finite number"),
    ("lambdaSchedule(1.1)", "between 0 and 1, not 1.1"),
])  # fmt: skip
def test_bad_values_are_refused_in_a_sentence(js, code, words):
    with pytest.raises(ValueError, match=words) as caught:
        js.run(NETS + code)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_refused_lambda_changes_nothing(js):
    code = (
        NETS
        + """const before = Float64Array.from(nets.f.gradient);
    try { dannGradients(nets, x, [0], 1, 1, NaN); } catch (error) {}
    nets.f.gradient.every((v, i) => v === before[i])"""
    )
    assert js.run(code) is True
