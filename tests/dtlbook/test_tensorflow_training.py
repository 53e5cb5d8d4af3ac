"""The loop of TensorFlow apart from any method, and its run beside PyTorch's."""

from dataclasses import replace

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from dtlbook import data, divergence, recipe  # noqa: E402
from dtlbook.tensorflow import dann, networks, training  # noqa: E402

SHORT = dict(steps=30, batch_size=16, records=2)


@pytest.fixture(scope="module")
def rotated():
    return data.pair("digits-rotated")


def parameters(nets: networks.Networks) -> list[np.ndarray]:
    return [array for layer in networks.get_weights(nets) for array in layer]


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


def test_source_only_leaves_the_domain_classifier_as_it_was(rotated):
    nets = training.source_only(*rotated, **SHORT).networks
    fresh = networks.get_weights(networks.mlp(64, 10))
    assert np.array_equal(networks.get_weights(nets)[3][0], fresh[3][0])
    assert not np.array_equal(networks.get_weights(nets)[0][0], fresh[0][0])


def test_train_on_target_beats_source_only(rotated):
    upper = training.train_on_target(rotated[1], steps=300, records=1).history
    lower = training.source_only(*rotated, steps=300, records=1).history
    assert upper.target_accuracy[-1] > lower.target_accuracy[-1] + 0.2


@pytest.mark.parametrize("few", [False, True])
def test_a_run_of_a_convolutional_network_is_pytorchs(rotated, few):
    pytest.importorskip("torch")
    from dtlbook.torch import dann as torch_dann
    from dtlbook.torch import networks as torch_networks

    labelled = recipe.few_labels(rotated[1], 2, seed=0) if few else None
    settings = dict(lam=0.7, steps=8, batch_size=8, records=1, alpha=0.0, labelled=labelled)
    ours = dann.train(*rotated, networks=networks.small_cnn((8, 8, 1), 10), **settings)
    theirs = torch_dann.train(*rotated, networks=torch_networks.small_cnn((8, 8, 1), 10), **settings)
    for a, b in zip(networks.get_weights(ours.networks), torch_networks.get_weights(theirs.networks), strict=True):
        np.testing.assert_allclose(a[0], b[0], atol=2e-6)
    assert ours.history.label_loss[0] == pytest.approx(theirs.history.label_loss[0], rel=1e-5)
    assert ours.history.domain_loss[0] == pytest.approx(theirs.history.domain_loss[0], rel=1e-5)


def test_in_bfloat16_a_run_stays_close(rotated):
    exact = dann.train(*rotated, **SHORT)
    low = dann.train(*rotated, networks=networks.in_bfloat16(networks.mlp(64, 10)), **SHORT)
    assert low.history.label_loss[-1] == pytest.approx(exact.history.label_loss[-1], rel=0.05)
    assert low.history.label_loss != exact.history.label_loss
    assert all(a.dtype == np.float32 for a in parameters(low.networks))


def test_labelled_images_that_do_not_fit_are_refused(rotated):
    images, labels = recipe.few_labels(rotated[1], 1, seed=0)
    with pytest.raises(ValueError, match="classes 0 to 9 of digits-a, not 5 to 14"):
        dann.train(*rotated, labelled=(images, labels + 5), **SHORT)
    with pytest.raises(ValueError, match="momentum must be at least 0 and less than 1, not -0.1"):
        dann.train(*rotated, momentum=-0.1, **SHORT)
