"""DANN in PyTorch: every sign and factor against autograd's own passes and against finite differences."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy  # noqa: E402

from dtlbook import data  # noqa: E402
from dtlbook.torch import dann  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def batch(n=12, n_target=12, dtype=torch.float64):
    rng = np.random.default_rng(0)
    x_source, x_target = (torch.tensor(rng.random((k, 1, 8, 8)), dtype=dtype) for k in (n, n_target))
    return x_source, torch.from_numpy(rng.integers(10, size=n)), x_target


def networks(seed=0):
    return dann.mlp_networks(64, 10, feature_dim=16, hidden=24, seed=seed, dtype="float64")


def separate_losses(nets, x_source, y_source, x_target):
    """L_y and L_d written another way and with no reversal layer anywhere."""
    f_source, f_target = nets.feature_extractor(x_source), nets.feature_extractor(x_target)
    z_source, z_target = nets.domain_classifier(f_source), nets.domain_classifier(f_target)
    label = cross_entropy(nets.label_predictor(f_source), y_source)
    domain = binary_cross_entropy_with_logits(z_source, torch.zeros_like(z_source)) + binary_cross_entropy_with_logits(
        z_target, torch.ones_like(z_target)
    )
    return label, domain


def gradients(loss, module):
    return torch.autograd.grad(loss, list(module.parameters()), retain_graph=True)


# --- gradient reversal ----------------------------------------------------------------------------------
@pytest.mark.parametrize("lam", [0.0, 0.3, 1.0, 7.0])
def test_reversal_is_the_identity_forward_and_minus_lambda_backward(lam):
    x = torch.linspace(-2, 3, 6, dtype=torch.float64).reshape(2, 3).requires_grad_()
    weight = torch.arange(6, dtype=torch.float64).reshape(2, 3)
    y = dann.gradient_reversal(x, lam)
    assert torch.equal(y, x)
    (y * weight).sum().backward()
    assert torch.equal(x.grad, -lam * weight)


def test_reversal_twice_restores_the_sign():
    x = torch.ones(3, requires_grad=True)
    dann.gradient_reversal(dann.gradient_reversal(x, 2.0), 3.0).sum().backward()
    assert torch.equal(x.grad, torch.full((3,), 6.0))


@pytest.mark.parametrize("lam", [-0.1, math.inf, math.nan])
def test_reversal_refuses_a_lambda_that_is_no_weight(lam):
    with pytest.raises(ValueError, match="lam must be a finite number, 0 or more"):
        dann.gradient_reversal(torch.ones(2), lam)


def test_reversal_refuses_integers():
    with pytest.raises(ValueError, match="floating-point tensor, not torch.int64"):
        dann.gradient_reversal(torch.ones(2, dtype=torch.int64), 1.0)


# --- the loss -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n, n_target", [(12, 12), (5, 9)])
def test_losses_are_the_sums_of_means_of_the_book(n, n_target):
    nets, b = networks(), batch(n, n_target)
    losses, (label, domain) = dann.dann_loss(nets, *b, 0.7), separate_losses(nets, *b)
    torch.testing.assert_close(losses.label, label, rtol=0, atol=1e-12)
    torch.testing.assert_close(losses.domain, domain, rtol=0, atol=1e-12)  # a mean over the joint batch would be half
    torch.testing.assert_close(losses.total, label + domain, rtol=0, atol=1e-12)


def test_full_confusion_costs_2_log_2():
    nets = networks()
    for parameter in nets.domain_classifier.parameters():
        torch.nn.init.zeros_(parameter)
    assert dann.dann_loss(nets, *batch(), 1.0).domain.item() == pytest.approx(2 * math.log(2), abs=1e-12)


def test_source_is_0_and_target_is_1():
    nets = networks()
    with torch.no_grad():
        nets.domain_classifier[-1].weight.zero_()
        nets.domain_classifier[-1].bias.fill_(3.0)  # G_d says "target" of everything
    x_source, y_source, x_target = batch()
    loss = dann.dann_loss(nets, x_source, y_source, x_target, 1.0).domain.item()
    assert loss == pytest.approx(math.log1p(math.exp(3)) + math.log1p(math.exp(-3)))
    z = nets.domain_classifier(nets.feature_extractor(x_source))
    z.mean().backward()  # one step down L_d on the source alone lowers its logits
    nets.domain_classifier.zero_grad()
    torch.nn.functional.softplus(nets.domain_classifier(nets.feature_extractor(x_source))).mean().backward()
    assert nets.domain_classifier[-1].bias.grad.item() > 0


@pytest.mark.parametrize("lam", [0.0, 0.3, 1.0, 5.0])
def test_one_backward_pass_gives_the_three_gradients(lam):
    nets, b = networks(), batch(7, 11)
    total = dann.dann_loss(nets, *b, lam).total
    label, domain = separate_losses(nets, *b)
    for got, g_y, g_d in zip(
        gradients(total, nets.feature_extractor),
        gradients(label, nets.feature_extractor),
        gradients(domain, nets.feature_extractor),
        strict=True,
    ):
        torch.testing.assert_close(got, g_y - lam * g_d, rtol=0, atol=1e-12)
        assert g_d.abs().max() > 1e-4  # so that a missing or flipped term would show
    for got, expected in zip(
        gradients(total, nets.label_predictor), gradients(label, nets.label_predictor), strict=True
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)
    for got, expected in zip(
        gradients(total, nets.domain_classifier), gradients(domain, nets.domain_classifier), strict=True
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)  # + and without λ
        assert expected.abs().max() > 1e-4


@pytest.mark.parametrize(
    "part, scale_y, scale_d",
    [("feature_extractor", 1, -2.5), ("label_predictor", 1, 0), ("domain_classifier", 0, 1)],
)
def test_gradients_agree_with_finite_differences(part, scale_y, scale_d):
    """∂L_y − λ∂L_d in θ_f, ∂L_y in θ_y, ∂L_d in θ_d with λ = 2.5: central differences of the losses, no
    autograd.
    """
    nets, b, h = networks(), batch(), 1e-5
    weight = getattr(nets, part)[-1 if part != "feature_extractor" else 1].weight
    total = dann.dann_loss(nets, *b, 2.5).total
    (gradient,) = torch.autograd.grad(total, [weight])
    for index in [(0, 0), (0, 5), (0, 11)]:
        ends = []
        for sign in (1, -1):
            with torch.no_grad():
                weight[index] += sign * h
                losses = dann.dann_loss(nets, *b, 2.5)
                weight[index] -= sign * h
            ends.append((losses.label.item(), losses.domain.item()))
        d_label, d_domain = ((ends[0][k] - ends[1][k]) / (2 * h) for k in (0, 1))
        assert gradient[index].item() == pytest.approx(scale_y * d_label + scale_d * d_domain, abs=1e-8)


def test_one_small_step_moves_each_part_the_right_way():
    """θ_d alone lowers L_d, θ_y alone lowers L_y; θ_f alone, with a λ that outweighs L_y, RAISES L_d."""

    def after_step(part, lam):
        nets, b = networks(), batch()
        before = dann.dann_loss(nets, *b, lam)
        optimizer = torch.optim.SGD(getattr(nets, part).parameters(), lr=1e-3)
        before.total.backward()
        optimizer.step()
        after = dann.dann_loss(nets, *b, lam)
        return (after.label - before.label).item(), (after.domain - before.domain).item()

    assert after_step("domain_classifier", 1.0)[1] < 0
    assert after_step("label_predictor", 1.0)[0] < 0
    assert after_step("feature_extractor", 0.0)[0] < 0
    assert after_step("feature_extractor", 100.0)[1] > 0


def normalised_networks():
    """`networks` with batch normalisation in G_f."""
    nets = networks()
    normalise = torch.nn.BatchNorm1d(16, dtype=torch.float64)
    return nets._replace(feature_extractor=torch.nn.Sequential(nets.feature_extractor, normalise))


def test_batch_normalisation_takes_its_statistics_from_both_domains_in_one_pass():
    """A pass for each domain would centre each of them, and G_d would be shown two domains that look alike."""
    nets, (x_source, y_source, x_target) = normalised_networks(), batch(7, 11)
    x_target = x_target + 1
    losses = dann.dann_loss(nets, x_source, y_source, x_target, 0.7)
    f = nets.feature_extractor[0](torch.cat([x_source, x_target]))
    f = (f - f.mean(0)) / (f.var(0, correction=0) + 1e-5).sqrt()  # by hand: over the 18 images together
    joined = nets._replace(feature_extractor=lambda x: f[:7] if x is x_source else f[7:])
    label, domain = separate_losses(joined, x_source, y_source, x_target)
    torch.testing.assert_close(losses.label, label, rtol=0, atol=1e-12)
    torch.testing.assert_close(losses.domain, domain, rtol=0, atol=1e-12)
    label, domain = separate_losses(nets, x_source, y_source, x_target)  # two passes
    assert abs(losses.label - label) > 0.01 < abs(losses.domain - domain)


def test_label_predictor_gives_logits_not_probabilities():
    nets = networks()
    z = nets.label_predictor(nets.feature_extractor(batch()[0]))
    assert (z < 0).any() and not torch.allclose(z.sum(1), torch.ones(len(z), dtype=z.dtype))
    assert nets.domain_classifier(nets.feature_extractor(batch()[0])).shape == (12, 1)
    assert not any(isinstance(m, (torch.nn.Softmax, torch.nn.Sigmoid)) for part in nets for m in part.modules())


@pytest.mark.parametrize(
    "change, sentence",
    [
        (
            lambda s, y, t: (s[:0], y[:0], t),
            "at least one image of each domain; got 0 of the source, 12 of the target",
        ),
        (lambda s, y, t: (s, y, t[:0]), "got 12 of the source, 0 of the target"),
        (lambda s, y, t: (s, y[:5], t), r"shape \[12\]; got shape \[5\]"),
        (lambda s, y, t: (s, y[:, None], t), r"got shape \[12, 1\]"),
        (lambda s, y, t: (s, y, t[:, :, :4]), r"same shape; source \[1, 8, 8\], target \[1, 4, 8\]"),
        (
            lambda s, y, t: (s, y.double(), t),
            "y_source int64; got torch.float64, torch.float64, torch.float64",
        ),
        (lambda s, y, t: ((s * 255).byte(), y, t), "got torch.uint8"),
        (lambda s, y, t: (s, y, t.float()), "one floating-point type"),
    ],
)
def test_a_bad_batch_gets_one_sentence(change, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        dann.dann_loss(networks(), *change(*batch()), 1.0)
    assert "\n" not in str(caught.value)


def test_a_domain_classifier_with_two_outputs_is_refused():
    nets = networks()._replace(domain_classifier=torch.nn.Linear(16, 2, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"one logit an image, shape \[12, 1\]; got \[12, 2\]"):
        dann.dann_loss(nets, *batch(), 1.0)


# --- training -------------------------------------------------------------------------------------------
SHORT = dict(steps=30, batch_size=16, records=3, device="cpu")


def weights(run, part):
    return [parameter.detach().clone() for parameter in getattr(run.networks, part).parameters()]


@pytest.fixture(scope="module")
def rotated():
    return data.pair("digits-rotated")


def test_same_seed_same_run_other_seed_other_run(rotated):
    one, same, other = (dann.train(*rotated, seed=seed, **SHORT) for seed in (1, 1, 2))
    for part in dann.Networks._fields:
        assert all(map(torch.equal, weights(one, part), weights(same, part)))
        assert not all(map(torch.equal, weights(one, part), weights(other, part)))
    assert one.history.label_loss == same.history.label_loss


def test_lambda_0_is_training_on_the_source_alone(rotated):
    """Plain SGD on L_y with no domain branch at all ends in exactly the same θ_f and θ_y."""
    source, target = rotated
    run = dann.train(source, target, lam=0.0, seed=4, **SHORT)
    plain = dann.mlp_networks(64, 10, seed=4)
    i_source, _ = dann.recipe.batch_indices(len(source.x_train), len(target.x_train), 30, 16, 4)
    parameters = [*plain.feature_extractor.parameters(), *plain.label_predictor.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.01, momentum=0.9)
    for step, i in enumerate(i_source):
        optimizer.param_groups[0]["lr"] = dann.learning_rate_schedule(step / 29)
        x = torch.from_numpy(data.to_float(source.x_train[i])).permute(0, 3, 1, 2)
        loss = cross_entropy(plain.label_predictor(plain.feature_extractor(x)), torch.from_numpy(source.y_train[i]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for part in ("feature_extractor", "label_predictor"):
        for got, expected in zip(weights(run, part), getattr(plain, part).parameters(), strict=True):
            torch.testing.assert_close(
                got, expected.detach(), rtol=0, atol=1e-6
            )  # other batch size in the matrix product
    before = dann.mlp_networks(64, 10, seed=4).domain_classifier.parameters()
    assert not any(map(torch.equal, weights(run, "domain_classifier"), before))  # G_d learns all the same


def test_lambda_0_does_not_depend_on_the_target(rotated):
    source, target = rotated
    one, other = (dann.train(source, t, lam=0.0, **SHORT) for t in (target, data.load("digits-b-blurred")))
    for part in ("feature_extractor", "label_predictor"):
        assert all(map(torch.equal, weights(one, part), weights(other, part)))


def test_target_labels_reach_no_update(rotated):
    source, target = rotated
    blind = data.Domain(
        target.name, target.x_train, np.zeros_like(target.y_train), target.x_test, target.y_test[::-1].copy()
    )
    one, other = dann.train(source, target, **SHORT), dann.train(source, blind, **SHORT)
    for part in dann.Networks._fields:
        assert all(map(torch.equal, weights(one, part), weights(other, part)))


def test_momentum_is_kept_from_step_to_step(rotated):
    """Without momentum (or with an optimiser made anew each step) thirty steps go much less far."""
    start = dann.mlp_networks(64, 10, seed=0).label_predictor[0].weight.detach()
    ways = [
        (weights(dann.train(*rotated, momentum=m, **SHORT), "label_predictor")[0] - start).norm().item()
        for m in (0.9, 0.0)
    ]
    assert ways[0] > 3 * ways[1]


def test_history_has_the_promised_records(rotated):
    history = dann.train(*rotated, lam=2.0, **SHORT).history
    assert {len(values) for values in vars(history).values()} == {3} and history.step == [10, 20, 30]
    assert history.lam[-1] == pytest.approx(2 * 0.99990920426) and history.lam[0] == pytest.approx(
        2 * math.tanh(5 * 9 / 29)
    )
    assert history.learning_rate[-1] == pytest.approx(0.01 / 11**0.75)
    assert history.seconds == sorted(history.seconds) and history.seconds[0] > 0
    assert all(0 <= v <= 1 for v in history.source_accuracy + history.target_accuracy + history.domain_error)
    assert dann.train(*rotated, lam=2.0, scheduled=False, **SHORT).history.lam == [2.0, 2.0, 2.0]


def test_recorded_losses_are_means_since_the_record_before(rotated):
    every, third = (dann.train(*rotated, **{**SHORT, "records": records}).history for records in (30, 3))
    for name in ("label_loss", "domain_loss"):
        means = np.reshape(getattr(every, name), (3, 10)).mean(axis=1)
        np.testing.assert_allclose(getattr(third, name), means, rtol=0, atol=1e-5)


def test_history_tells_the_truth(rotated):
    source, target = rotated
    run = dann.train(source, target, **SHORT)
    assert run.history.target_accuracy[-1] == dann.accuracy(run.networks, target.x_test, target.y_test)
    assert run.history.target_accuracy[-1] == (dann.predict(run.networks, target.x_test) == target.y_test).mean()
    f = dann.features(run.networks, source.x_test)
    assert f.dtype == np.float32 and f.shape == (len(source.x_test), 64) and (f >= 0).all()
    assert dann.predict(run.networks, source.x_test).dtype == np.int64
    z = [
        run.networks.domain_classifier(torch.from_numpy(dann.features(run.networks, d.x_test))).detach().numpy()
        for d in rotated
    ]
    assert run.history.domain_error[-1] == pytest.approx(((z[0] > 0).mean() + (z[1] <= 0).mean()) / 2)


def test_given_networks_are_trained_in_place(rotated):
    mine = dann.mlp_networks(64, 10, feature_dim=8, hidden=12)
    run = dann.train(*rotated, networks=mine, **SHORT)
    assert run.networks is mine and dann.features(mine, rotated[0].x_test).shape[1] == 8


def test_adaptation_helps_on_the_rotated_pair(rotated):
    """The effect of the chapter, one seed, with room for another machine's rounding."""
    source_only, adapted = (dann.train(*rotated, lam=lam, records=1, device="cpu").history for lam in (0.0, 1.0))
    assert 0.30 < source_only.target_accuracy[-1] < 0.52
    assert adapted.target_accuracy[-1] > source_only.target_accuracy[-1] + 0.15
    assert min(source_only.source_accuracy[-1], adapted.source_accuracy[-1]) > 0.87
    assert source_only.domain_error[-1] < 0.1 < 0.2 < adapted.domain_error[-1]
    assert source_only.domain_loss[-1] < 0.3 and 0.9 < adapted.domain_loss[-1] < 2 * math.log(2) + 0.1


def test_training_on_the_target_is_the_upper_bound(rotated):
    target = rotated[1]
    run = dann.train_supervised(target, records=1, device="cpu")
    assert run.history.target_accuracy[-1] > 0.87
    assert run.history.source_accuracy == run.history.target_accuracy


@pytest.mark.parametrize(
    "settings, sentence",
    [
        (dict(lam=-1.0), "lam must be a finite number, 0 or more, not -1.0"),
        (dict(steps=0), "steps, batch_size and records must be 1 or more; got 0"),
        (dict(batch_size=0), "1 or more"),
        (dict(momentum=1.0), "momentum must be at least 0 and less than 1"),
        (dict(mu_0=0.0), "mu_0 must be greater than 0"),
    ],
)
def test_bad_settings_get_one_sentence(rotated, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        dann.train(*rotated, **{**SHORT, **settings})


def test_domains_that_do_not_fit_are_refused(rotated):
    source, t = rotated
    flat = data.Domain("flat", t.x_train[:, :4], t.y_train, t.x_test[:, :4], t.y_test)
    with pytest.raises(ValueError, match=r"one shape; digits-a has \[8, 8, 1\], flat has \[4, 8, 1\]"):
        dann.train(source, flat, **SHORT)
    few = data.Domain("few", t.x_train, t.y_train // 2, t.x_test, t.y_test // 2)
    with pytest.raises(ValueError, match="same classes; digits-a has 10, few has 5"):
        dann.train(source, few, **SHORT)


def test_use_refuses_what_is_no_raw_image(rotated):
    nets = dann.mlp_networks(64, 10)
    with pytest.raises(ValueError, match="uint8, 0 to 255, not float32"):
        dann.features(nets, data.to_float(rotated[0].x_test))
    with pytest.raises(ValueError, match="got 299 images, 5 labels"):
        dann.accuracy(nets, rotated[0].x_test, rotated[0].y_test[:5])
    with pytest.raises(ValueError, match="at least one; got 0 images"):
        dann.accuracy(nets, rotated[0].x_test[:0], rotated[0].y_test[:0])
