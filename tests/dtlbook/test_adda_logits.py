"""ADDA as its authors' code trains it, in both frameworks: the same function in other parts, Adam in both stages."""

import numpy as np
import pytest
from twins import BOTH, array, batch, module, networks, number, refuses, tensor, weight_gradients

from dtlbook import data

SHORT = {"steps": 6, "batch_size": 16, "records": 2}


def joined(framework, dtype="float64", seed=0):
    """The small networks of `twins`, ending at the logits."""
    return module(framework, "adda_logits").ending_at_logits(networks(framework, dtype, seed))


def weights(framework, part):
    """From the first layer to the last, as Keras has them: kernel, bias, kernel, bias …"""
    if framework == "torch":
        return [parameter.detach().numpy().T.copy() for parameter in part.parameters()]
    return [variable.numpy() for variable in part.trainable_variables]


def slopes(framework, plain):
    """L_y of the batch, and its gradient for every weight of G_f and of G_y, which ``plain`` still has apart."""
    x, y = (tensor(framework, a) for a in batch()[:2])
    loss = module(framework, "training").supervised_loss
    value, found = weight_gradients(framework, plain, lambda: loss(plain, x, y, None).total)
    return value, found["feature_extractor"] + found["label_predictor"]


def stage_1(framework, nets, mu, x_target=None):
    """What makes one update on the batch of `twins` when it is called, and gives its losses."""
    x_source, y_source, other, *_ = batch()
    scalars = [np.asarray(v, "float32") for v in (0.0, mu)]  # λ and μ, as the loop of PyTorch gives them
    update = module(framework, "adda_logits").supervised_update(nets)
    arguments = x_source, y_source, other if x_target is None else x_target, *scalars
    return lambda: update(*(tensor(framework, a) for a in arguments))


# --- the parts --------------------------------------------------------------------------------------------
@BOTH
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ending_at_the_logits_is_the_same_function_of_the_same_weights(framework, dtype):
    twin, x = networks(framework, dtype), tensor(framework, batch(dtype)[0])
    expected = array(twin.label_predictor(twin.feature_extractor(x)))
    before = networks(framework, dtype)  # never called: at its first call Keras may still round what it is given
    after = module(framework, "adda_logits").ending_at_logits(before)
    z = after.feature_extractor(x)
    found = array(after.label_predictor(z))
    assert found.dtype == dtype and np.array_equal(found, expected) and np.array_equal(array(z), expected)
    own = weights(framework, before.feature_extractor) + weights(framework, before.label_predictor)
    assert all(map(np.array_equal, weights(framework, after.feature_extractor), own)) and len(own) == 6
    assert weights(framework, after.label_predictor) == []  # nothing is left to predict
    assert array(after.domain_classifier(z)).shape == (10, 1)


@BOTH
def test_the_new_discriminator_looks_at_the_logits_in_their_own_type(framework):
    nets = module(framework, "adda").with_discriminator(joined(framework), width=7)
    assert [w.shape for w in weights(framework, nets.domain_classifier)] == [(4, 7), (7,), (7, 7), (7,), (7, 1), (1,)]
    z = nets.domain_classifier(nets.feature_extractor(tensor(framework, batch()[0])))
    assert array(z).dtype == np.float64


@BOTH
def test_get_weights_gives_the_layers_in_order(framework):
    get = module(framework, "networks").get_weights
    assert [w.shape for w, _ in get(joined(framework).feature_extractor)] == [(12, 9), (9, 6), (6, 4)]


# --- one update of stage 1 --------------------------------------------------------------------------------
@BOTH
def test_the_first_update_is_mu_times_the_sign_of_the_gradient_of_the_label_loss_and_nothing_else(framework):
    """Adam's first step, of every weight of G_f and of G_y, which is the end of the encoder here."""
    mu, plain = 1e-3, networks(framework)
    value, gradient = slopes(framework, plain)
    nets = module(framework, "adda_logits").ending_at_logits(plain)
    before, discriminator = (weights(framework, nets[k]) for k in (0, 2))
    losses = stage_1(framework, nets, mu)()
    after = weights(framework, nets.feature_extractor)
    assert number(losses.total) == number(losses.label) == pytest.approx(value, abs=1e-12)
    assert number(losses.domain) == 0
    for a, b, g in zip(after, before, gradient, strict=True):
        clear = np.abs(g) > 1e-3  # far above Adam's ε
        np.testing.assert_allclose((a - b)[clear], -mu * np.sign(g[clear]), rtol=1e-3)
        assert clear.mean() > 0.4 and (a == b)[g == 0].all()
    assert all(map(np.array_equal, weights(framework, nets.domain_classifier), discriminator))


@BOTH
def test_the_target_images_reach_no_update_of_stage_1(framework):
    nets, same = joined(framework), joined(framework)
    stage_1(framework, nets, 1e-3)()
    stage_1(framework, same, 1e-3, x_target=np.full((8, 12), np.nan))()
    assert all(map(np.array_equal, *(weights(framework, n.feature_extractor) for n in (nets, same))))


def adam(framework, plain, mu, steps, update):
    """Weights after so many steps of Adam down L_y, in NumPy, with ``update()`` doing the same to ``plain`` itself.

    β_1 = 0.5, β_2 = 0.999, ε = 1e-8. The frameworks differ in two details: Keras has ε before the bias correction of
    v, PyTorch after it, and Keras rounds β_2 to float32 in that correction.
    """
    mu, beta_2 = float(np.float32(mu)), 0.999 if framework == "torch" else float(np.float32(0.999))
    expected = weights(framework, plain.feature_extractor) + weights(framework, plain.label_predictor)
    m, v = ([0 * w for w in expected] for _ in range(2))
    for t in range(1, steps + 1):
        _, gradient = slopes(framework, plain)
        m = [0.5 * a + 0.5 * g for a, g in zip(m, gradient, strict=True)]
        v = [0.999 * a + 0.001 * g**2 for a, g in zip(v, gradient, strict=True)]
        correction = np.sqrt(1 - beta_2**t)
        epsilon = 1e-8 if framework == "torch" else 1e-8 / correction
        for w, a, b in zip(expected, m, v, strict=True):
            w -= mu * a / (1 - 0.5**t) / (np.sqrt(b) / correction + epsilon)
        update()
    return expected


def test_five_updates_are_five_steps_of_adam_and_the_same_in_both_frameworks():
    """Each is exact; side by side they are as far apart as ε's place makes them where the gradient is tiny."""
    both = []
    for framework in ("torch", "tensorflow"):
        plain = networks(framework)
        nets = module(framework, "adda_logits").ending_at_logits(plain)  # holds the same weights
        start = weights(framework, nets.feature_extractor)
        expected = adam(framework, plain, 2e-4, 5, stage_1(framework, nets, 2e-4))
        both.append((weights(framework, nets.feature_extractor), expected))
        for found, e, before in zip(*both[-1], start, strict=True):
            np.testing.assert_allclose(found, e, rtol=0, atol=1e-12)
            assert np.abs(found - before).max() > 5e-4
    for ours, in_numpy, theirs, theirs_in_numpy in zip(*both[0], *both[1], strict=True):
        np.testing.assert_allclose(ours - theirs, in_numpy - theirs_in_numpy, rtol=0, atol=1e-12)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
        assert np.median(np.abs(ours - theirs)) < 1e-7


# --- training ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def rotated():
    return data.pair("digits-rotated")


@pytest.fixture
def after_stage_1(monkeypatch):
    """watch(framework): a list that will hold stage 1's Run and a copy of its networks' weights then."""

    def watch(framework, seconds=None):
        mine, seen = module(framework, "adda_logits"), []
        stage = mine.first_stage

        def first_stage(*domains, **settings):
            run = stage(*domains, **settings)
            if seconds is not None:
                run.history.seconds[-1] = seconds
            seen.extend([run, [weights(framework, part) for part in run.networks]])
            return run

        monkeypatch.setattr(mine, "first_stage", first_stage)
        return seen

    return watch


def same(ours, theirs):
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


@BOTH
def test_training_leaves_stage_1s_networks_alone_and_adapts_up_to_the_logits(framework, rotated, after_stage_1):
    source, target = rotated
    seen, training = after_stage_1(framework), module(framework, "training")
    mine = module(framework, "networks").mlp(64, 10, feature_dim=8)
    start = weights(framework, mine.label_predictor)
    run = module(framework, "adda_logits").train(source, target, networks=mine, seed=2, mu_0=0.01, **SHORT)
    first, before = seen
    assert all(map(same, (weights(framework, part) for part in first.networks), before))
    own = weights(framework, mine.feature_extractor) + weights(framework, mine.label_predictor)
    assert same(own, before[0]) and not same(weights(framework, mine.label_predictor), start)  # trained in place
    adapted = weights(framework, run.networks.feature_extractor)
    assert len(adapted) == 6 and not any(map(np.array_equal, adapted, before[0]))  # G_y's weight and bias, too
    assert run.history.source_accuracy == 2 * [training.accuracy(first.networks, source.x_test, source.y_test)]
    assert run.history.target_accuracy[-1] == training.accuracy(run.networks, target.x_test, target.y_test)
    assert run.history.learning_rate == [0.01] * 2 and run.history.lam == [1.0] * 2
    assert first.history.learning_rate == [0.01] * 2 and first.history.step == run.history.step == [3, 6]


@BOTH
def test_target_labels_reach_no_update(framework, rotated):
    source, t = rotated
    blind = data.Domain(t.name, t.x_train, np.roll(t.y_train, 1), t.x_test, t.y_test[::-1].copy())
    one, other = (module(framework, "adda_logits").train(source, d, **SHORT).networks for d in (t, blind))
    for ours, theirs in zip(one, other, strict=True):
        assert same(weights(framework, ours), weights(framework, theirs))


@BOTH
def test_a_negative_lambda_is_refused_before_stage_1(framework, rotated, monkeypatch):
    mine = module(framework, "adda_logits")
    monkeypatch.setattr(mine, "first_stage", lambda *domains, **settings: pytest.fail("stage 1 has begun"))
    refuses("lam must be a finite number, 0 or more, not -1", mine.train, *rotated, lam=-1.0, **SHORT)


@BOTH
def test_seconds_count_both_stages(framework, rotated, after_stage_1):
    after_stage_1(framework, seconds=1000.0)
    seconds = module(framework, "adda_logits").train(*rotated, **SHORT).history.seconds
    assert 1000 < seconds[0] < seconds[1] < 1100


@BOTH
def test_stage_1_alone_ends_at_the_logits_and_gives_lambda_0(framework, rotated):
    """What the row "source only, by Adam" runs, whatever λ it is told."""
    run = module(framework, "adda_logits").first_stage(*rotated, lam=3.0, **SHORT)
    assert run.history.lam == [0.0, 0.0] and run.history.learning_rate == [0.0002] * 2
    assert weights(framework, run.networks.label_predictor) == []
    assert module(framework, "training").logits(run.networks, rotated[0].x_test).shape[1] == 10
