"""Fine-tuning: what is frozen stays, each block moves at its own rate, both frameworks agree, VGG16 has its sizes."""

import inspect
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
tf = pytest.importorskip("tensorflow")
import h5py  # noqa: E402
import twins  # noqa: E402

from dtlbook import blocks, data, recipe, vgg16  # noqa: E402
from dtlbook.data import fetch  # noqa: E402
from dtlbook.tensorflow import finetune as tf_finetune  # noqa: E402
from dtlbook.tensorflow import networks as tf_networks  # noqa: E402
from dtlbook.tensorflow import vgg as tf_vgg  # noqa: E402
from dtlbook.torch import finetune as torch_finetune  # noqa: E402
from dtlbook.torch import networks as torch_networks  # noqa: E402
from dtlbook.torch import vgg as torch_vgg  # noqa: E402

torch.set_num_threads(1)
BOTH = pytest.mark.parametrize("finetune", [torch_finetune, tf_finetune], ids=["torch", "tensorflow"])
WIDTHS = ((4, 4), (6,))
CONSTANT = dict(batch_size=8, records=1, alpha=0.0)  # a constant learning rate: then the frameworks agree


def small(finetune, seed=0, n_classes=10):
    return finetune.small_vgg((8, 8, 1), n_classes, widths=WIDTHS, hidden=5, seed=seed)


def weights(networks):
    """Block → its weights and biases, in the layout of Keras."""
    module = torch_networks if isinstance(networks.feature_extractor, torch.nn.Module) else tf_networks
    module_of = {torch_networks: torch_finetune, tf_networks: tf_finetune}[module]
    return {
        name: [np.array(a) for layer in layers for pair in module.get_weights(_part(layer)) for a in pair]
        for name, layers in module_of.blocks(networks).items()
    }


def _part(layer):
    return torch.nn.ModuleList([layer]) if isinstance(layer, torch.nn.Module) else tf.keras.Sequential([layer])


def moved(before, after):
    """Block → the largest change of a weight."""
    return {name: max(np.abs(a - b).max() for a, b in zip(before[name], after[name], strict=True)) for name in before}


@pytest.fixture(scope="module")
def target():
    return data.load("digits-b-rotated30")


# --- VGG16 ----------------------------------------------------------------------------------------------
def test_the_table_is_the_lectures():
    rows = vgg16.table()
    assert sum(parameters for *_, parameters in rows) == 14_714_688
    assert rows[0] == ("block1_conv1", (150, 150, 64), 1_792)
    assert rows[6] == ("block3_conv1", (37, 37, 256), 295_168)
    assert rows[-1] == ("block5_pool", (4, 4, 512), 0)
    assert len(rows) == 18


def test_the_table_is_the_real_model_of_keras():
    model = tf.keras.applications.VGG16(weights=None, include_top=False, input_shape=(150, 150, 3))
    found = [(layer.name, tuple(layer.output.shape[1:]), layer.count_params()) for layer in model.layers[1:]]
    assert found == vgg16.table()


@BOTH
def test_vgg16_has_the_papers_blocks_and_the_lectures_classifier(finetune):
    networks = finetune.vgg16(image_shape=(150, 150, 3))
    sizes = {name: finetune.count(networks, [name]).trainable for name in finetune.blocks(networks)}
    assert sizes == {
        "block1": 38_720,
        "block2": 221_440,
        "block3": 1_475_328,
        "block4": 5_899_776,
        "block5": 7_079_424,
        "classifier": 2_097_408 + 257,
    }
    finetune.freeze(networks)
    finetune.unfreeze(networks, ["block5"])
    assert finetune.count(networks) == (7_079_424 + 2_097_665, 14_714_688 - 7_079_424)


def test_vgg16_is_the_same_function_in_both_frameworks():
    ours, theirs = (f.vgg16(image_shape=(32, 32, 3), hidden=4, seed=3) for f in (torch_finetune, tf_finetune))
    images = np.random.default_rng(0).integers(256, size=(2, 32, 32, 3), dtype=np.uint8)
    f, g = torch_finetune.features(ours, images), tf_finetune.features(theirs, images)
    assert f.shape == (2, 512) and np.abs(f).max() > 1
    np.testing.assert_allclose(f, g, rtol=1e-3, atol=1e-3 * np.abs(f).max())


def test_pixels_become_what_the_imagenet_weights_expect():
    images = np.random.default_rng(0).integers(256, size=(2, 5, 4, 3)).astype("float32")
    expected = tf.keras.applications.vgg16.preprocess_input(images.copy())
    ours = torch_vgg.ImageNetPixels()(torch.from_numpy(images / 255).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    np.testing.assert_allclose(ours, expected, atol=1e-3)
    np.testing.assert_allclose(tf_vgg.ImageNetPixels()(images / 255), expected, atol=1e-3)


def test_a_weight_file_of_keras_is_read_in_order(tmp_path):
    shapes = {"block1_conv1": (3, 3, 3, 4), "block1_pool": None, "block1_conv2": (3, 3, 4, 5)}
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in shapes]
        for value, (name, shape) in enumerate(shapes.items()):
            group = file.create_group(name)
            names = [f"{name}_W_1:0", f"{name}_b_1:0"] if shape else []
            group.attrs["weight_names"] = [n.encode() for n in names]
            if shape:
                group[names[0]], group[names[1]] = np.full(shape, value, "f4"), np.full(shape[-1], -value, "f4")
    (w, b), (w_2, b_2) = vgg16.read_weights(tmp_path / "w.h5")
    assert (w.shape, b.shape, w_2.shape, b_2.shape) == ((3, 3, 3, 4), (4,), (3, 3, 4, 5), (5,))
    assert w.max() == 0 and w_2.min() == 2 and b_2.min() == -2


def test_without_the_weights_one_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("DTLBOOK_DATA", str(tmp_path))
    monkeypatch.setattr(fetch, "PAUSE", 0.0)
    nowhere = fetch.Remote(("http://127.0.0.1:9/" + vgg16.FILE,), fetch.FILES[vgg16.FILE].checksum)
    monkeypatch.setitem(fetch.FILES, vgg16.FILE, nowhere)
    with pytest.raises(FileNotFoundError, match="could not be fetched .* and put it at") as caught:
        vgg16.imagenet_weights()
    assert "\n" not in str(caught.value) and not list(tmp_path.rglob("*.h5"))


def test_a_file_of_another_kind_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("DTLBOOK_DATA", str(tmp_path))
    (tmp_path / "vgg16").mkdir()
    (tmp_path / vgg16.FILE).write_bytes(b"not the weights")
    with pytest.raises(ValueError, match="cannot be read as a weight file of Keras; delete it and get it again"):
        torch_finetune.vgg16(weights="imagenet", image_shape=(32, 32, 3))


@BOTH
def test_the_weight_file_reaches_every_convolution(tmp_path, monkeypatch, finetune):
    monkeypatch.setenv("DTLBOOK_DATA", str(tmp_path))
    (tmp_path / "vgg16").mkdir()
    convolutions = [(name, shape[2], n) for name, shape, n in vgg16.table() if n]
    with h5py.File(tmp_path / vgg16.FILE, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name, *_ in convolutions]
        for k, (name, outputs, n) in enumerate(convolutions, 1):
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_W_1:0".encode(), f"{name}_b_1:0".encode()]
            shape = (3, 3, (n // outputs - 1) // 9, outputs)  # chunks that hold the fill value take no room
            group.create_dataset(f"{name}_W_1:0", shape, "f4", chunks=True, fillvalue=k)
            group.create_dataset(f"{name}_b_1:0", (outputs,), "f4", fillvalue=-k)
    networks = finetune.vgg16(weights="imagenet", image_shape=(32, 32, 3), hidden=4)
    layers = (torch_networks if finetune is torch_finetune else tf_networks).get_weights(networks.feature_extractor)
    assert [(w.min(), w.max(), b.max()) for w, b in layers] == [(k, k, -k) for k in range(1, 14)]


# --- blocks ---------------------------------------------------------------------------------------------
def test_both_frameworks_have_the_same_names_and_arguments():
    assert torch_finetune.__all__ == tf_finetune.__all__
    for name in torch_finetune.__all__:
        ours, theirs = (list(inspect.signature(getattr(m, name)).parameters) for m in (torch_finetune, tf_finetune))
        assert ours == theirs, name


@BOTH
def test_a_network_without_blocks_has_one_for_each_layer(finetune):
    module = torch_networks if finetune is torch_finetune else tf_networks
    networks = module.mlp(64, 10, hidden=7)
    assert {name: finetune.count(networks, [name]).trainable for name in finetune.blocks(networks)} == {
        "block1": 65 * 7,
        "block2": 8 * 64,
        "classifier": 65 * 10,
    }


@BOTH
def test_blocks_of_a_network_in_bfloat16_are_its_own(finetune):
    networks = torch_networks if finetune is torch_finetune else tf_networks
    low = networks.in_bfloat16(networks.mlp(9, 3, feature_dim=4, hidden=5))
    assert {name: finetune.count(low, [name]).trainable for name in finetune.blocks(low)} == {
        "block1": 9 * 5 + 5,
        "block2": 5 * 4 + 4,
        "classifier": 4 * 3 + 3,
    }
    finetune.freeze(low, ["block1"])
    assert finetune.count(low) == (4 * 5 + 4 + 4 * 3 + 3, 9 * 5 + 5)


@BOTH
def test_freezing_counts_and_can_be_undone(finetune):
    networks = small(finetune)
    everything = finetune.count(networks)
    assert everything == ((9 + 1) * 4 + (36 + 1) * 4 + (36 + 1) * 6 + (24 + 1) * 5 + 6 * 10, 0)
    finetune.freeze(networks)
    assert finetune.count(networks) == (25 * 5 + 60, 40 + 148 + 222)
    finetune.unfreeze(networks, ["block2"])
    assert finetune.count(networks) == (25 * 5 + 60 + 222, 188)
    finetune.freeze(networks, ["classifier"])
    finetune.unfreeze(networks)
    assert finetune.count(networks) == (410, 185)


def test_keras_own_freezing_of_the_whole_base_does_not_hide_a_block():
    networks = small(tf_finetune)
    networks.feature_extractor.trainable = False
    tf_finetune.unfreeze(networks, ["block2"])
    assert len(networks.feature_extractor.trainable_variables) == 2
    assert tf_finetune.count(networks, ["block1"]) == (0, 188)


@pytest.mark.parametrize("dtype, tolerance", twins.TOLERANCES)
def test_both_frameworks_give_the_same_losses_and_gradients(dtype, tolerance):
    ours, theirs = twins.in_both(
        lambda framework: small(twins.module(framework, "finetune"), seed=5, n_classes=2), dtype
    )
    rng = np.random.default_rng(0)
    x, y = rng.random((6, 8, 8, 1)).astype(dtype), rng.integers(2, size=6)
    x_torch, y_torch = torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(y)
    torch_finetune.freeze(ours, ["block1"])
    tf_finetune.freeze(theirs, ["block1"])
    loss = torch_finetune.supervised_loss(ours, x_torch, y_torch, x_torch).total
    loss.backward()
    z = ours.label_predictor[:-1](ours.feature_extractor(x_torch))
    binary = torch.nn.functional.binary_cross_entropy_with_logits(z[:, 0], y_torch.to(z.dtype))
    assert loss.item() == pytest.approx(binary.item(), rel=tolerance)  # one logit: the lecture's loss
    with tf.GradientTape(persistent=True) as tape:
        loss_tf = tf_finetune.supervised_loss(theirs, x, tf.constant(y), x).total
    assert loss_tf.dtype.name == dtype and float(loss_tf) == pytest.approx(loss.item(), rel=tolerance)
    for name in ("block2", "classifier"):
        for layer, layer_tf in zip(torch_finetune.blocks(ours)[name], tf_finetune.blocks(theirs)[name], strict=True):
            kernel = layer.weight.grad.permute(2, 3, 1, 0) if layer.weight.ndim == 4 else layer.weight.grad.T
            g = tape.gradient(loss_tf, layer_tf.trainable_variables)
            assert kernel.abs().max() > 1e-4
            twins.assert_close(kernel.numpy(), g[0], tolerance, name)
            twins.assert_close(layer.bias.grad.numpy(), g[1], tolerance, name)
    assert ours.feature_extractor[0][0].weight.grad is None


def test_the_supervised_loss_is_the_same_in_both_frameworks():
    twins.assert_twins(
        lambda framework, nets, b: twins.module(framework, "training").supervised_loss(nets, *b[:3]).total
    )


# --- training -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("optimizer, mu_0", [("sgd", 0.05), ("rmsprop", 0.001)])
def test_both_frameworks_train_alike(target, optimizer, mu_0):
    runs = []
    for finetune in (torch_finetune, tf_finetune):
        networks = small(finetune, seed=1)
        finetune.freeze(networks, ["block1"])
        settings = dict(rates={"block2": 0.5}, optimizer=optimizer, mu_0=mu_0, steps=5, **CONSTANT)
        before = weights(networks)
        run = finetune.fit(target, networks, **settings)
        runs.append(weights(run.networks))
        assert moved(before, runs[-1])["block1"] == 0
        assert min(moved(before, runs[-1])[name] for name in ("block2", "classifier")) > 1e-4
    assert max(moved(*runs).values()) < 1e-4


@BOTH
def test_frozen_blocks_stay_and_carry_no_momentum_over_when_unfrozen(target, finetune):
    networks = small(finetune)
    start = weights(networks)
    finetune.fit(target, networks, steps=4, mu_0=0.05, **CONSTANT)  # momentum gathers in every block
    finetune.freeze(networks)
    before = weights(networks)
    assert min(moved(start, before).values()) > 0
    finetune.fit(target, networks, steps=4, mu_0=0.05, **CONSTANT)
    frozen = weights(networks)
    assert {n: m > 0 for n, m in moved(before, frozen).items()} == {
        "block1": False,
        "block2": False,
        "classifier": True,
    }
    finetune.unfreeze(networks)
    fresh = small(finetune)
    for module in (torch_networks, tf_networks):
        if (finetune is torch_finetune) == (module is torch_networks):
            module.set_weights(fresh, module.get_weights(networks))
    one = weights(finetune.fit(target, networks, steps=1, mu_0=0.05, momentum=0.9, **CONSTANT).networks)
    plain = weights(finetune.fit(target, fresh, steps=1, mu_0=0.05, momentum=0.0, **CONSTANT).networks)
    assert max(moved(one, plain).values()) < 1e-7  # the first step after it is −μ g and nothing else
    assert min(moved(frozen, one).values()) > 0


@BOTH
def test_every_block_moves_at_its_own_rate(target, finetune):
    """One step of SGD moves a block by its rate times what it moves at rate 1; RMSprop, too, which a mere factor on the
    gradient would not slow down.
    """
    rates = {"block1": 0.0, "block2": 0.25}
    for optimizer in ("sgd", "rmsprop"):
        steps = []
        for chosen in ({}, rates):
            networks = small(finetune)
            before = weights(networks)
            settings = dict(steps=1, mu_0=0.01, optimizer=optimizer, momentum=0.0)
            steps.append(
                moved(before, weights(finetune.fit(target, networks, rates=chosen, **settings, **CONSTANT).networks))
            )
        for name, step in steps[0].items():
            assert steps[1][name] == pytest.approx(rates.get(name, 1.0) * step, rel=1e-2), (optimizer, name)


@BOTH
def test_the_first_step_of_rmsprop_is_3_16_learning_rates(target, finetune):
    networks = small(finetune)
    before = weights(networks)
    after = weights(finetune.fit(target, networks, optimizer="rmsprop", steps=1, mu_0=2e-5, **CONSTANT).networks)
    assert moved(before, after)["classifier"] == pytest.approx(2e-5 / math.sqrt(0.1), rel=2e-2)


@BOTH
def test_transplant_copies_the_first_blocks_and_no_more(finetune):
    ours, donor = small(finetune, seed=0), small(finetune, seed=1)
    before = weights(ours)
    finetune.transplant(ours, donor, 1)
    change = moved(before, weights(ours))
    assert change["block1"] > 0 and change["block2"] == change["classifier"] == 0
    assert moved(weights(ours), weights(donor))["block1"] == 0


@BOTH
def test_the_five_steps(target, finetune):
    pretrained = small(finetune)
    before = weights(pretrained)
    few = recipe.few_labels(target, 2, 0)
    result = finetune.five_steps(pretrained, target, labelled=few, hidden=6, steps=(6, 6), **CONSTANT)
    networks = result.fine_tuning.networks
    assert result.feature_extraction.history.step == result.fine_tuning.history.step == [6]
    assert result.fine_tuning.history.learning_rate == [0.001]
    change = moved(before | {"classifier": weights(networks)["classifier"]}, weights(networks))
    assert change["block1"] == 0 and change["block2"] > 0  # step 4 unfreezes the last block only
    assert weights(networks)["classifier"][0].shape == (24, 6)
    assert finetune.count(networks, ["block1"]).trainable == 0


def test_only_the_labelled_examples_are_used(target):
    """Other labels, and other images beyond the few, change nothing."""
    few = recipe.few_labels(target, 1, 0)
    blind = data.Domain("blind", target.x_test, 0 * target.y_test, target.x_test, target.y_test)
    runs = [torch_finetune.fit(d, small(torch_finetune), labelled=few, steps=4, **CONSTANT) for d in (target, blind)]
    assert max(moved(*(weights(r.networks) for r in runs)).values()) == 0
    assert runs[0].history.target_accuracy[-1] == torch_finetune.accuracy(
        runs[0].networks, target.x_test, target.y_test
    )


def test_transfer_from_a_source_beats_a_start_from_nothing(target):
    """digits-b-rotated30 from 20 labels, by the network of digits-b-rotated30's own other labels: an easy transfer."""
    few = recipe.few_labels(target, 2, 0)
    make = lambda: torch_networks.mlp(64, 10, seed=0)  # noqa: E731
    settings = dict(steps=300, records=1)
    scratch = torch_finetune.fit(target, make(), labelled=few, mu_0=0.05, **settings)
    run = torch_finetune.train(target, target, labelled=few, networks=make(), mu_0=0.05, **settings)
    assert run.history.target_accuracy[-1] > scratch.history.target_accuracy[-1] + 0.1


# --- mistakes -------------------------------------------------------------------------------------------
@BOTH
@pytest.mark.parametrize(
    "call, sentence",
    [
        (
            lambda f, n, t: f.freeze(n, ["block9"]),
            "no block is called 'block9'; this network has block1, block2, classifier",
        ),
        (
            lambda f, n, t: f.freeze(n, "block1"),
            r"names must be a list of blocks, not the text 'block1'; write \['block1'\]",
        ),
        (lambda f, n, t: f.fit(t, n, rates={"conv1": 1.0}), "no block is called 'conv1'"),
        (lambda f, n, t: f.fit(t, n, rates={"block1": -1.0}), "the rate of block1 must be a finite factor"),
        (lambda f, n, t: f.fit(t, n, optimizer="adam"), "optimizer must be 'sgd' or 'rmsprop', not 'adam'"),
        (lambda f, n, t: f.transplant(n, n, 3), "between 0 and 2, the blocks of G_f, not 3"),
        (lambda f, n, t: f.five_steps(n, t, unfrozen=5, steps=(1, 1), **CONSTANT), "between 0 and 2, .* not 5"),
        (lambda f, n, t: f.vgg16(weights="ImageNet", image_shape=(32, 32, 3)), "weights must be None or 'imagenet'"),
        (lambda f, n, t: f.small_vgg((8, 8, 1), 10, widths=((2,),) * 4), "height and width at least 16"),
        (lambda f, n, t: f.add_classifier(n, 24, 10, hidden=0), "hidden must be 1 or more, not 0"),
    ],
)
def test_a_mistake_gets_one_sentence(target, finetune, call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call(finetune, small(finetune), target)
    assert "\n" not in str(caught.value)


@BOTH
def test_nothing_to_train_is_said(target, finetune):
    networks = small(finetune)
    finetune.freeze(networks, finetune.blocks(networks))
    with pytest.raises(ValueError, match="every block is frozen, so there is nothing to train; unfreeze one"):
        finetune.fit(target, networks, steps=1, **CONSTANT)


def test_he_weights_keep_the_size_of_the_signal():
    layers = blocks.he_weights([(200, 200)] * 8, seed=0)
    x = np.random.default_rng(1).normal(size=(500, 200))
    for weight, bias in layers:
        assert not bias.any()
        x = np.maximum(x @ weight, 0)
    assert 0.3 < np.sqrt((x**2).mean()) < 3
