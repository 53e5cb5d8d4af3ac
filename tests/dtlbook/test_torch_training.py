"""The loop of PyTorch apart from any method: compiled, in bfloat16, many models at once, the two ends, bad input."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dtlbook import data, divergence, recipe  # noqa: E402
from dtlbook.torch import dann, many, networks, training  # noqa: E402

SHORT = dict(steps=30, batch_size=16, records=2)


@pytest.fixture(scope="module")
def rotated():
    return data.pair("digits-rotated")


def parameters(nets: networks.Networks) -> list[np.ndarray]:
    return [array for layer in networks.get_weights(nets) for array in layer]


def test_source_only_is_dann_without_lambda_and_never_looks_at_the_target(rotated):
    alone = training.source_only(*rotated, **SHORT).networks
    zero = dann.train(*rotated, lam=0.0, **SHORT).networks
    assert np.allclose(networks.get_weights(alone)[0][0], networks.get_weights(zero)[0][0], atol=1e-6)
    assert np.array_equal(networks.get_weights(alone)[3][0], networks.get_weights(networks.mlp(64, 10))[3][0])


def test_train_on_target_beats_source_only(rotated):
    upper = training.train_on_target(rotated[1], steps=300, records=1).history
    lower = training.source_only(*rotated, steps=300, records=1).history
    assert upper.target_accuracy[-1] > lower.target_accuracy[-1] + 0.2


def test_target_labels_reach_no_update(rotated):
    source, target = rotated
    shuffled = data.Domain(target.name, target.x_train, target.y_train[::-1].copy(), target.x_test, target.y_test)
    one, other = (dann.train(source, t, **SHORT).networks for t in (target, shuffled))
    assert all(np.array_equal(a, b) for a, b in zip(parameters(one), parameters(other), strict=True))


def test_the_fresh_domain_error_is_that_of_the_test_images(rotated):
    """These domains cannot be told apart by their test images, and by their training images nobody would err."""
    whole, nets, halves = rotated[0], networks.mlp(64, 10), []
    for half, shade in ((slice(0, None, 2), 0), (slice(1, None, 2), 200)):
        x_train = (shade + whole.x_train % 8).astype(np.uint8)
        halves.append(replace(whole, x_train=x_train, x_test=whole.x_test[half], y_test=whole.y_test[half]))
    f_test, f_train = ([training.features(nets, getattr(d, part)) for d in halves] for part in ("x_test", "x_train"))
    found = training.fresh_domain_error(nets, *halves)
    assert found == divergence.domain_error(*f_test) > 0.3 and divergence.domain_error(*f_train) < 0.01
    first = training.fresh_domain_error(nets, *halves, at_most=50)
    assert first == divergence.domain_error(*(f[:50] for f in f_test)) != found


def test_a_compiled_update_is_the_same_update(rotated):
    plain = dann.train(*rotated, **SHORT)
    compiled = dann.train(*rotated, compiled=True, **SHORT)
    for a, b in zip(parameters(plain.networks), parameters(compiled.networks), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
    assert plain.history.lam == compiled.history.lam


def test_in_bfloat16_a_run_stays_close(rotated):
    exact = dann.train(*rotated, **SHORT)
    low = dann.train(*rotated, networks=networks.in_bfloat16(networks.mlp(64, 10)), **SHORT)
    assert low.history.label_loss[-1] == pytest.approx(exact.history.label_loss[-1], rel=0.05)
    assert low.history.label_loss != exact.history.label_loss


def test_many_lambdas_at_once_are_the_runs_one_by_one(rotated):
    lams = [0.0, 0.1, 1.0]
    together = many.train_many(*rotated, lams, steps=30, batch_size=16)
    for lam, nets in zip(lams, together, strict=True):
        alone = dann.train(*rotated, lam=lam, **SHORT).networks
        for a, b in zip(parameters(alone), parameters(nets), strict=True):
            np.testing.assert_allclose(a, b, atol=2e-5)
    moved = np.abs(parameters(together[0])[0] - parameters(together[2])[0]).max()
    assert moved > 1e-4  # λ does make a difference


def test_many_convolutional_models_with_a_mean(rotated):
    def make(seed: int) -> networks.Networks:
        return networks.small_cnn((8, 8, 1), 10, seed=seed)

    together = many.train_many(*rotated, [0.5, 2.0], make_networks=make, steps=5, batch_size=8)
    alone = dann.train(*rotated, lam=2.0, networks=make(0), steps=5, batch_size=8, records=1).networks
    for a, b in zip(parameters(alone), parameters(together[1]), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_few_target_labels_help(rotated):
    source, target = rotated
    few = recipe.few_labels(target, 3, seed=0)
    settings = dict(steps=600, records=1, seed=0)
    with_labels = dann.train(source, target, labelled=few, **settings).history.target_accuracy[-1]
    without = dann.train(source, target, **settings).history.target_accuracy[-1]
    assert with_labels > without


def test_the_semi_supervised_label_loss_is_the_mean_over_all_labelled_images(rotated):
    source, target = rotated
    nets = networks.mlp(64, 10, dtype="float64")
    x_s, x_t, x_l = (
        torch.from_numpy(d.x_train[:n] / 255.0).flatten(1) for d, n in ((source, 6), (target, 5), (target, 2))
    )
    y_s, y_l = torch.from_numpy(source.y_train[:6]), torch.from_numpy(target.y_train[:2])
    losses = dann.semi_supervised_loss(nets, x_s, y_s, x_t, x_l, y_l, 0.5)
    logits = nets.label_predictor(nets.feature_extractor(torch.cat([x_s, x_l])))
    expected = torch.nn.functional.cross_entropy(logits, torch.cat([y_s, y_l]))
    torch.testing.assert_close(losses.label, expected)
    torch.testing.assert_close(losses.domain, dann.dann_loss(nets, x_s, y_s, x_t, 0.5).domain)


@pytest.mark.parametrize(
    "labelled, sentence",
    [
        ((np.zeros((0, 8, 8, 1), np.uint8), np.zeros(0, np.int64)), "at least one image; got 0 images"),
        ((np.zeros((1, 8, 8, 1), np.uint8), np.zeros(1, np.int32)), "one int64 class for each image"),
        ((np.zeros((1, 8, 8, 3), np.uint8), np.zeros(1, np.int64)), r"must be uint8 \[8, 8, 1\] as in digits-a"),
        ((np.zeros((1, 8, 8, 1), np.uint8), np.array([10])), "classes 0 to 9 of digits-a, not 10 to 10"),
    ],
)
def test_labelled_images_that_do_not_fit_are_refused(rotated, labelled, sentence):
    with pytest.raises(ValueError, match=sentence):
        dann.train(*rotated, labelled=labelled, **SHORT)


def test_momentum_out_of_range_is_refused(rotated):
    with pytest.raises(ValueError, match="momentum must be at least 0 and less than 1, not 1.0"):
        dann.train(*rotated, momentum=1.0, **SHORT)
