"""Every network: the same weights and outputs in both frameworks, layouts, sizes, precision."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
tf = pytest.importorskip("tensorflow")

from dtlbook.tensorflow import networks as tf_networks  # noqa: E402
from dtlbook.torch import networks as torch_networks  # noqa: E402

MAKERS = {
    "mlp": ((8, 8, 1), dict(input_dim=64, n_classes=5, feature_dim=7, hidden=9)),
    "small_cnn": ((9, 8, 2), dict(image_shape=(9, 8, 2), n_classes=5, feature_dim=7)),
    "dann_mnist": ((28, 28, 3), dict(mean=np.array([0.4, 0.5, 0.6], np.float32))),
    "lecture_cnn": ((14, 12, 3), dict(image_shape=(14, 12, 3))),
    "lenet": ((28, 28, 1), {}),
    "dann_gtsrb": ((40, 40, 3), dict(mean=0.5)),
    "dann_svhn": ((32, 32, 3), {}),
}


def outputs(name: str, dtype: str, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Features, class logits and domain logits of five random images, PyTorch's and TensorFlow's."""
    shape, settings = MAKERS[name]
    images = np.random.default_rng(1).random((5, *shape)).astype(dtype)
    ours = getattr(torch_networks, name)(**settings, seed=seed, dtype=dtype)
    theirs = getattr(tf_networks, name)(**settings, seed=seed, dtype=dtype)
    with torch.no_grad():
        f = ours.feature_extractor(torch.from_numpy(images).permute(0, 3, 1, 2))
        one = [f, ours.label_predictor(f), ours.domain_classifier(f)]
    g = theirs.feature_extractor(images)
    other = [g, theirs.label_predictor(g), theirs.domain_classifier(g)]
    return [a.numpy() for a in one], [a.numpy() for a in other]


@pytest.mark.parametrize("name", MAKERS)
def test_same_seed_same_outputs_in_both_frameworks(name):
    dtype, tolerance = ("float32", 1e-4) if name == "dann_svhn" else ("float64", 1e-12)
    for one, other in zip(*outputs(name, dtype), strict=True):
        assert one.dtype == other.dtype == np.dtype(dtype)
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def test_the_papers_network_for_mnist_has_768_features_and_its_heads():
    f, y, d = outputs("dann_mnist", "float32")[0]
    assert (f.shape, y.shape, d.shape) == ((5, 768), (5, 10), (5, 1))
    shapes = [w.shape for w, _ in torch_networks.get_weights(torch_networks.dann_mnist())]
    assert shapes == [
        (5, 5, 3, 32),
        (5, 5, 32, 48),
        (768, 100),
        (100, 100),
        (100, 10),
        (768, 100),
        (100, 1),
    ]


def test_weights_travel_from_one_framework_to_the_other_and_back():
    a = torch_networks.dann_mnist(seed=1)
    b = tf_networks.dann_mnist(seed=2)
    tf_networks.set_weights(b, torch_networks.get_weights(a))
    for (w, bias), (w_2, bias_2) in zip(torch_networks.get_weights(a), tf_networks.get_weights(b), strict=True):
        assert np.array_equal(w, w_2) and np.array_equal(bias, bias_2)
    for module, networks in ((torch_networks, a), (tf_networks, b)):
        with pytest.raises(ValueError, match="the weights must have the shapes"):
            module.set_weights(networks, module.get_weights(networks)[:-1])


def test_pooling_before_relu_is_pooling_after_relu():
    images = torch.rand(2, 3, 28, 28)
    extractor = torch_networks.dann_mnist(mean=0.5).feature_extractor
    conv_1, conv_2 = (layer for layer in extractor if isinstance(layer, torch.nn.Conv2d))
    x = torch.nn.functional.max_pool2d(conv_1(images - 0.5).relu(), 2)
    x = torch.nn.functional.max_pool2d(conv_2(x).relu(), 2)
    torch.testing.assert_close(extractor(images), x.permute(0, 2, 3, 1).flatten(1))


@pytest.mark.parametrize("module", [torch_networks, tf_networks])
def test_bfloat16_is_close_and_gives_float32(module):
    images = np.random.default_rng(0).random((4, 28, 28, 3)).astype("float32")
    x = torch.from_numpy(images).permute(0, 3, 1, 2) if module is torch_networks else images
    exact = np.asarray(
        module.dann_mnist().feature_extractor(x).tolist()
        if module is torch_networks
        else module.dann_mnist().feature_extractor(x)
    )
    low = module.in_bfloat16(module.dann_mnist()).feature_extractor(x)
    low = low.detach() if module is torch_networks else low
    assert "float32" in str(low.dtype)
    difference = np.abs(np.asarray(low) - exact).max()
    assert 0 < difference < 0.02 * np.abs(exact).max()


@pytest.mark.parametrize("module", [torch_networks, tf_networks])
def test_sizes_that_cannot_be_are_refused(module):
    with pytest.raises(ValueError, match="hidden must be 1 or more, not 0"):
        module.mlp(4, 2, hidden=0)
    with pytest.raises(ValueError, match="height and width at least 16"):
        module.dann_mnist((8, 8, 1))
