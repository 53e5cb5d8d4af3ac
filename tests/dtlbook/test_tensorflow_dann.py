"""DANN in TensorFlow: held to PyTorch's numbers, and to its own derivatives where a sign could hide."""

import math

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")

import twins  # noqa: E402

from dtlbook import data  # noqa: E402
from dtlbook.tensorflow import dann  # noqa: E402
from dtlbook.torch import dann as torch_dann  # noqa: E402


def arrays(n=7, n_target=11, dtype="float64"):
    rng = np.random.default_rng(0)
    return (
        rng.random((n, 8, 8, 1)).astype(dtype),
        rng.integers(10, size=n),
        rng.random((n_target, 8, 8, 1)).astype(dtype),
    )


def tensors(*args, **kwargs):
    return tuple(map(tf.constant, arrays(*args, **kwargs)))


def networks(dtype="float64", seed=0):
    return dann.mlp_networks(64, 10, feature_dim=16, hidden=24, seed=seed, dtype=dtype)


def gradients(tape, loss, nets):
    return [tape.gradient(loss, part.trainable_variables) for part in nets]


@pytest.mark.parametrize("lam", [0.0, 0.3, 1.0, 7.0])
def test_reversal_is_the_identity_forward_and_minus_lambda_backward(lam):
    x = tf.reshape(tf.linspace(tf.constant(-2.0, tf.float64), 3.0, 6), (2, 3))
    weight = tf.reshape(tf.range(6, dtype=tf.float64), (2, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = dann.gradient_reversal(x, lam)
        total = tf.reduce_sum(y * weight)
    assert np.array_equal(y, x)
    assert np.array_equal(tape.gradient(total, x), -lam * weight.numpy())


def test_lambda_may_change_inside_one_compiled_function():
    @tf.function
    def slope(lam):
        x = tf.constant([1.0, 2.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(dann.gradient_reversal(x, lam))
        return tape.gradient(y, x)

    assert slope(tf.constant(0.5)).numpy().tolist() == [-0.5, -0.5]
    assert slope(tf.constant(2.0)).numpy().tolist() == [-2.0, -2.0]
    assert slope.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("lam", [-0.1, math.inf, math.nan])
def test_reversal_refuses_a_lambda_that_is_no_weight(lam):
    with pytest.raises(ValueError, match="lam must be a finite number, 0 or more"):
        dann.gradient_reversal(tf.ones(2), lam)


def test_reversal_refuses_integers():
    with pytest.raises(ValueError, match="floating-point tensor, not int64"):
        dann.gradient_reversal(tf.ones(2, tf.int64), 1.0)


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("lam", [0.0, 0.7, 4.0])
def test_both_frameworks_give_the_same_losses_and_gradients(dtype, tolerance, lam):
    nets, torch_nets = (
        networks(dtype),
        torch_dann.mlp_networks(64, 10, feature_dim=16, hidden=24, dtype=dtype),
    )
    x_source, y_source, x_target = arrays(dtype=dtype)
    with tf.GradientTape(persistent=True) as tape:
        losses = dann.dann_loss(nets, tf.constant(x_source), tf.constant(y_source), tf.constant(x_target), lam)
    torch_losses = torch_dann.dann_loss(
        torch_nets,
        torch.from_numpy(x_source).permute(0, 3, 1, 2),
        torch.from_numpy(y_source),
        torch.from_numpy(x_target).permute(0, 3, 1, 2),
        lam,
    )
    torch_losses.total.backward()
    for got, expected in zip(losses, torch_losses, strict=True):
        assert got.dtype.name == dtype and got.numpy() == pytest.approx(expected.item(), abs=tolerance)
    for ours, part in zip(gradients(tape, losses.total, nets), torch_nets, strict=True):
        theirs = [parameter.grad.numpy() for parameter in part.parameters()]
        assert len(ours) == len(theirs)
        for g, g_torch in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(
                g.numpy(), g_torch.T, rtol=0, atol=tolerance
            )  # Keras [in, out], PyTorch [out, in]


@pytest.mark.parametrize("lam", [0.0, 0.3, 5.0])
def test_one_backward_pass_gives_the_three_gradients(lam):
    """Against separate passes of L_y and L_d written with Keras' own losses and no reversal layer."""
    nets, (x_source, y_source, x_target) = networks(), tensors()
    entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True, dtype="float64")
    with tf.GradientTape(persistent=True) as tape:
        total = dann.dann_loss(nets, x_source, y_source, x_target, lam).total
        f_source, f_target = nets.feature_extractor(x_source), nets.feature_extractor(x_target)
        label = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")(
            y_source, nets.label_predictor(f_source)
        )
        domain = entropy(tf.zeros((7, 1)), nets.domain_classifier(f_source)) + entropy(
            tf.ones((11, 1)), nets.domain_classifier(f_target)
        )
    for k, (scale_y, scale_d) in enumerate([(1, -lam), (1, 0), (0, 1)]):  # θ_f, θ_y, θ_d
        variables = nets[k].trainable_variables
        for got, g_y, g_d in zip(*(tape.gradient(loss, variables) for loss in (total, label, domain)), strict=True):
            expected = sum(scale * g.numpy() for scale, g in ((scale_y, g_y), (scale_d, g_d)) if g is not None)
            np.testing.assert_allclose(got.numpy(), expected, rtol=0, atol=1e-12)
            assert k == 1 or np.abs(g_d.numpy()).max() > 1e-4


def test_batch_normalisation_takes_its_statistics_from_both_domains_in_one_pass():
    """A pass for each domain would centre each of them, and G_d would be shown two domains that look alike."""
    nets, (x_source, y_source, x_target) = networks(), tensors()
    x_target, plain = x_target + 1, nets.feature_extractor
    normalise = tf.keras.layers.BatchNormalization(epsilon=1e-3, dtype="float64")
    nets = nets._replace(feature_extractor=tf.keras.Sequential([plain, normalise]))
    nets.feature_extractor.dtype_policy = tf.keras.DTypePolicy("float64")

    def losses_of(f_source, f_target):
        label = dann.cross_entropy(nets.label_predictor(f_source), y_source)
        return np.array([label, dann.domain_loss(*map(nets.domain_classifier, (f_source, f_target)))])

    losses = dann.dann_loss(nets, x_source, y_source, x_target, 0.7)
    losses = np.array([losses.label, losses.domain])
    f = plain(tf.concat([x_source, x_target], 0)).numpy()
    f = (f - f.mean(0)) / np.sqrt(f.var(0) + 1e-3)  # by hand: over the 18 images together
    np.testing.assert_allclose(losses, losses_of(f[:7], f[7:]), rtol=0, atol=1e-12)
    two_passes = losses_of(*(nets.feature_extractor(x, training=True) for x in (x_source, x_target)))
    assert np.abs(losses - two_passes).min() > 0.01


def logarithm_of_the_share(z, y):
    """−log of the softmax of logits z at class y, for each row."""
    return np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]


@pytest.mark.parametrize("term", ["total", "label", "domain"])
def test_the_semi_supervised_loss_is_pytorchs(term):
    """Of 10 source, 8 target and 6 labelled target examples."""
    twins.assert_twins(
        lambda framework, nets, b: getattr(twins.module(framework, "dann").semi_supervised_loss(nets, *b, 0.7), term)
    )


@twins.BOTH
def test_every_labelled_example_counts_alike_in_the_semi_supervised_loss(framework):
    """(n L_y + m few) / (n + m) with n = 10 and m = 6: the mean over all 16, not the mean of two means."""
    nets, b = twins.networks(framework), list(twins.batch())
    b[3] = 5 * b[3]  # so that the few are another matter
    losses = twins.module(framework, "dann").semi_supervised_loss(nets, *(twins.tensor(framework, a) for a in b), 0.7)
    x_source, y_source, _, x_few, y_few = b
    z, z_few = (
        twins.array(nets.label_predictor(nets.feature_extractor(twins.tensor(framework, x)))) for x in (x_source, x_few)
    )
    source, few = logarithm_of_the_share(z, y_source), logarithm_of_the_share(z_few, y_few)
    expected = np.concatenate([source, few]).mean()
    assert twins.number(losses.label) == pytest.approx(expected, abs=1e-12)
    assert abs(expected - (source.mean() + few.mean()) / 2) > 0.01 < abs(expected - source.mean())
    alone = twins.module(framework, "dann").dann_loss(nets, *(twins.tensor(framework, a) for a in b[:3]), 0.7)
    assert twins.number(losses.domain) == twins.number(alone.domain)  # no label reaches it
    assert twins.number(losses.total) == pytest.approx(expected + twins.number(alone.domain), abs=1e-12)


def test_full_confusion_costs_2_log_2():
    nets = networks()
    dann.dann_loss(nets, *tensors(), 1.0)
    nets.domain_classifier.set_weights([0 * w for w in nets.domain_classifier.get_weights()])
    assert dann.dann_loss(nets, *tensors(), 1.0).domain.numpy() == pytest.approx(2 * math.log(2), abs=1e-12)


@pytest.mark.parametrize(
    "change, sentence",
    [
        (
            lambda s, y, t: (s[:0], y[:0], t),
            "at least one image of each domain; got 0 of the source, 11 of the target",
        ),
        (lambda s, y, t: (s, y[:5], t), r"shape \[7\]; got shape \[5\]"),
        (lambda s, y, t: (s, y, t[:, :4]), r"same shape; source \[8, 8, 1\], target \[4, 8, 1\]"),
        (lambda s, y, t: (s, tf.cast(y, tf.float64), t), "y_source int64; got float64, float64, float64"),
        (lambda s, y, t: (tf.cast(s * 255, tf.uint8), y, t), "got uint8"),
        (lambda s, y, t: (s, y, tf.cast(t, tf.float32)), "one floating-point type"),
    ],
)
def test_a_bad_batch_gets_one_sentence(change, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        dann.dann_loss(networks(), *change(*tensors()), 1.0)
    assert "\n" not in str(caught.value)


def test_a_domain_classifier_with_two_outputs_is_refused():
    nets = networks()._replace(domain_classifier=tf.keras.layers.Dense(2, dtype="float64"))
    with pytest.raises(ValueError, match=r"one logit an image, shape \[7, 1\]; got \[7, 2\]"):
        dann.dann_loss(nets, *tensors(), 1.0)


# --- training -------------------------------------------------------------------------------------------
SHORT = dict(steps=30, batch_size=16, records=3)


@pytest.fixture(scope="module")
def rotated():
    return data.pair("digits-rotated")


def test_both_frameworks_train_alike(rotated):
    """Same seed, constant learning rate: thirty updates, momentum and λ schedule included, end in the same
    weights.
    """
    one = dann.train(*rotated, seed=3, alpha=0.0, lam=2.0, **SHORT)
    other = torch_dann.train(*rotated, seed=3, alpha=0.0, lam=2.0, device="cpu", **SHORT)
    for part, torch_part in zip(one.networks, other.networks, strict=True):
        for weight, parameter in zip(part.get_weights(), torch_part.parameters(), strict=True):
            np.testing.assert_allclose(weight.T, parameter.detach().numpy(), rtol=0, atol=1e-4)
    for name in ("step", "lam", "learning_rate", "label_loss", "domain_loss"):
        np.testing.assert_allclose(getattr(one.history, name), getattr(other.history, name), rtol=0, atol=1e-4)
    images = rotated[1].x_test
    np.testing.assert_allclose(
        dann.features(one.networks, images), torch_dann.features(other.networks, images), atol=1e-3
    )
    assert (dann.predict(one.networks, images) == torch_dann.predict(other.networks, images)).mean() > 0.98
    assert one.history.domain_error[-1] == pytest.approx(other.history.domain_error[-1], abs=0.02)


def test_lambda_0_does_not_depend_on_the_target(rotated):
    source, target = rotated
    one, other = (dann.train(source, t, lam=0.0, **SHORT) for t in (target, data.load("digits-b-blurred")))
    for k in (0, 1):
        assert all(map(np.array_equal, one.networks[k].get_weights(), other.networks[k].get_weights()))
    assert not np.array_equal(one.networks[2].get_weights()[0], other.networks[2].get_weights()[0])


def test_adaptation_helps_on_the_rotated_pair(rotated):
    source_only, adapted = (dann.train(*rotated, lam=lam, records=1).history for lam in (0.0, 1.0))
    assert 0.30 < source_only.target_accuracy[-1] < 0.52
    assert adapted.target_accuracy[-1] > source_only.target_accuracy[-1] + 0.15
    assert min(source_only.source_accuracy[-1], adapted.source_accuracy[-1]) > 0.87


@pytest.mark.parametrize(
    "settings, sentence",
    [
        (dict(lam=-1.0), "lam must be a finite number, 0 or more, not -1.0"),
        (dict(steps=0), "1 or more; got 0"),
        (dict(momentum=1.0), "momentum must be at least 0 and less than 1"),
    ],
)
def test_bad_settings_get_one_sentence(rotated, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        dann.train(*rotated, **{**SHORT, **settings})


def test_use_refuses_what_is_no_raw_image(rotated):
    nets = dann.mlp_networks(64, 10)
    with pytest.raises(ValueError, match="uint8, 0 to 255, not float32"):
        dann.predict(nets, data.to_float(rotated[0].x_test))
    with pytest.raises(ValueError, match="got 299 images, 5 labels"):
        dann.accuracy(nets, rotated[0].x_test, rotated[0].y_test[:5])
