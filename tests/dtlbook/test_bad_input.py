"""Bad input gets one sentence, in both frameworks: networks, settings, batches and data that do not fit."""

import math
from dataclasses import replace

import numpy as np
import pytest
from twins import BOTH, batch, module, networks, refuses, tensor, torch

from dtlbook import arguments, data, divergence, mmd, recipe, selection, weighting
from dtlbook.data import surf
from dtlbook.data.idx import read_idx
from dtlbook.data.npz import read_npz
from dtlbook.tensorflow import finetune as tf_finetune
from dtlbook.torch import finetune as torch_finetune
from dtlbook.torch import many

SHORT = dict(steps=2, batch_size=4, records=1)
FINETUNE = {"torch": torch_finetune, "tensorflow": tf_finetune}


@pytest.fixture(scope="module")
def pair():
    return data.pair("digits-rotated")


def mlp(framework, *sizes, **settings):
    return module(framework, "networks").mlp(*sizes, **settings)


def few_images(domain, n):
    return replace(domain, name="few", x_train=domain.x_train[:n], y_train=domain.y_train[:n])


# --- networks that do not fit ------------------------------------------------------------------------------
def wrong_channels(framework):
    return module(framework, "networks").small_cnn((8, 8, 3), 10)


def wrong_height(framework):
    return module(framework, "networks").small_cnn((12, 8, 1), 10)


def wrong_width(framework):
    return mlp(framework, 64, 10)._replace(label_predictor=mlp(framework, 64, 10, feature_dim=5).label_predictor)


def two_domain_logits(framework):
    return mlp(framework, 64, 10)._replace(domain_classifier=mlp(framework, 64, 2).label_predictor)


def domain_classifier_of_other_width(framework):
    return mlp(framework, 64, 10)._replace(domain_classifier=mlp(framework, 64, 10, feature_dim=5).domain_classifier)


EXAMPLES = r"the feature extractor does not take the examples of digits-a, uint8 \[8, 8, 1\]; build the networks for such input"
FEATURES = r"does not take the features that the feature extractor gives, \[64\]; build the networks for such input"


@BOTH
@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda f: mlp(f, 36, 10), EXAMPLES),
        (wrong_channels, EXAMPLES),
        (wrong_width, f"the label predictor {FEATURES}"),
        (lambda f: mlp(f, 64, 9), r"one logit for each of the 10 classes of digits-a, shape \[1, 10\].*got \[1, 9\]"),
        (two_domain_logits, r"the domain classifier must give one logit an image, shape \[1, 1\].*got \[1, 2\], so"),
        (domain_classifier_of_other_width, f"the domain classifier {FEATURES}"),
    ],
)
def test_networks_that_do_not_fit_are_told_before_training(framework, pair, make, sentence):
    refuses(sentence, module(framework, "dann").train, *pair, networks=make(framework), **SHORT)


@BOTH
def test_networks_for_images_of_other_height(framework, pair):
    sentence = r"label predictor does not take|feature extractor does not take the examples of digits-a"
    refuses(sentence, module(framework, "dann").train, *pair, networks=wrong_height(framework), **SHORT)


@BOTH
@pytest.mark.parametrize("name", ["source_only", "finetune", "adda", "adda_logits", "sagnet"])
def test_networks_that_do_not_fit_other_methods(framework, pair, name):
    wrong = mlp(framework, 64, 9)
    sentence, short = "one logit for each of the 10 classes", SHORT
    if name == "source_only":
        refuses(sentence, module(framework, "training").source_only, *pair, networks=wrong, **short)
    elif name == "finetune":
        sentence = "one logit for each of the 10 classes of digits-b-rotated30"
        refuses(sentence, FINETUNE[framework].fit, pair[1], wrong, **short)
    elif name == "sagnet":
        sagnet = module(framework, "sagnet")
        refuses("G_c and G_s must", sagnet.train, *pair, networks=sagnet.small_sagnet((8, 8, 1), 9), **short)
    else:
        refuses(sentence, module(framework, name).train, *pair, networks=wrong, **short)


@BOTH
def test_the_discriminator_of_adda_gives_one_logit(framework, pair):
    refuses(
        r"the domain classifier must give one logit an image, shape \[1, 1\]",
        module(framework, "adda").adapt,
        two_domain_logits(framework),
        *pair,
        width=None,
        **SHORT,
    )


@BOTH
def test_what_a_method_does_not_train_may_have_any_shape(framework, pair):
    """More classes than the domain has, and a G_d that no loss asks."""
    larger = mlp(framework, 64, 12)._replace(domain_classifier=mlp(framework, 64, 2).label_predictor)
    assert module(framework, "ddc").train(*pair, networks=larger, **SHORT).history.step == [2]


def test_the_check_leaves_modes_statistics_and_random_numbers_alone(pair):
    nets = mlp("torch", 64, 10)
    g_f = torch.nn.Sequential(nets.feature_extractor, torch.nn.BatchNorm1d(64), torch.nn.Dropout(0.5))
    nets = nets._replace(feature_extractor=g_f)
    g_f[2].eval()
    modes, state = [m.training for part in nets for m in part.modules()], torch.get_rng_state()
    before = {name: value.clone() for name, value in g_f.state_dict().items()}
    module("torch", "training").check_networks_fit(nets, pair[0])
    assert modes == [m.training for part in nets for m in part.modules()]
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in g_f.state_dict().items())


def test_keras_statistics_stay_as_they_are(pair):
    import keras

    nets = mlp("tensorflow", 64, 10)
    norm = keras.layers.BatchNormalization()
    g_f = keras.Sequential([nets.feature_extractor, norm])
    module("tensorflow", "training").check_networks_fit(nets._replace(feature_extractor=g_f), pair[0])
    assert np.array_equal(norm.moving_mean.numpy(), np.zeros(64))


def test_many_models_that_do_not_fit(pair):
    sentence = "one logit for each of the 10 classes of digits-a"
    refuses(sentence, many.train_many, *pair, [0.0], make_networks=lambda s: mlp("torch", 64, 9), steps=1, batch_size=2)
    refuses("lams must hold at least one", many.train_many, *pair, [], steps=1, batch_size=2)


# --- labelled, where a method takes none, and where it needs some ----------------------------------------------
@BOTH
@pytest.mark.parametrize("name", ["ddc", "dan", "coral", "adda", "adda_logits", "sagnet", "training"])
def test_labelled_examples_for_a_method_that_uses_none(framework, pair, name):
    few, made = recipe.few_labels(pair[1], 1, 0), module(framework, name)
    train = made.source_only if name == "training" else made.train
    refuses(
        "this method uses no target labels, but labelled was given; leave it out", train, *pair, labelled=few, **SHORT
    )


@BOTH
def test_a_loss_that_needs_labelled_examples_gets_them(framework, pair):
    fit, loss = module(framework, "training").fit, module(framework, "ccsa").ccsa_loss
    refuses(r"this method needs a few target labels: labelled=recipe.few_labels\(target,", fit, loss, *pair, **SHORT)
    few = recipe.few_labels(pair[1], 1, 0)
    assert fit(loss, *pair, labelled=few, lam=0.5, **SHORT).history.step == [2]


@BOTH
def test_an_update_that_takes_no_labelled_examples(framework, pair):
    def make_update(networks):
        return lambda x_source, y_source, x_target, lam, mu: None

    few = recipe.few_labels(pair[1], 1, 0)
    refuses("this method uses no target labels", module(framework, "training").run, make_update, *pair, labelled=few)


def test_a_loss_of_any_number_of_arguments_passes():
    recipe.check_takes_labelled(lambda *batch: None, (0, 0))
    recipe.check_takes_labelled(lambda *batch: None, None)
    recipe.check_takes_labelled(dict.get, None)
    recipe.check_takes_labelled(lambda a, b, c, d, e, f, g=1: None, (0, 0))


@BOTH
def test_labelled_lists_are_no_arrays(framework, pair):
    images, labels = recipe.few_labels(pair[1], 1, 0)
    sentence = r"labelled must be two NumPy arrays \(images, labels\), not ndarray and list; call np.asarray on them"
    refuses(sentence, module(framework, "dann").train, *pair, labelled=(images, labels.tolist()), **SHORT)


# --- batches larger than a domain --------------------------------------------------------------------------------
@BOTH
@pytest.mark.parametrize("side", [0, 1])
def test_a_batch_larger_than_a_domain(framework, pair, side):
    both = [few_images(d, 4) if k == side else d for k, d in enumerate(pair)]
    settings = dict(steps=2, records=1, batch_size=64)
    sentence = "few has 4 training examples, so batch_size must be at most 4, not 64"
    refuses(sentence, module(framework, "dann").train, *both, **settings)
    assert module(framework, "dann").train(*both, **settings | {"batch_size": 4}).history.step == [2]


@BOTH
def test_few_labels_are_drawn_with_replacement(framework, pair):
    """Fine-tuning on fewer labels than a batch has: one domain is source and target."""
    few = recipe.few_labels(pair[1], 1, 0)
    run = FINETUNE[framework].fit(pair[1], mlp(framework, 64, 10), labelled=few, steps=2, batch_size=32, records=1)
    assert run.history.step == [2]


# --- settings ------------------------------------------------------------------------------------------------------
BAD_SETTINGS = [
    ({"seed": -1}, "seed must be a whole number, 0 or more, not -1"),
    ({"seed": 1.5}, "seed must be a whole number, 0 or more, not 1.5"),
    ({"steps": 2.5}, "steps must be a whole number, 1 or more, not 2.5"),
    ({"steps": 0}, "steps, batch_size and records must be 1 or more; got 0, 4, 1"),
    ({"steps": True}, "steps must be a whole number, 1 or more, not True"),
    ({"records": 1.0}, "records must be a whole number, 1 or more, not 1.0"),
    ({"batch_size": "8"}, "batch_size must be a whole number, 1 or more, not '8'"),
    ({"lam": "1"}, "lam must be a number, not '1'"),
    ({"lam": None}, "lam must be a number, not None"),
    ({"mu_0": math.inf}, "mu_0 must be greater than 0, alpha and beta 0 or more, and all three finite; got inf, 10.0"),
    ({"mu_0": "0.1"}, "mu_0 must be a number, not '0.1'"),
    ({"alpha": math.inf}, "all three finite; got 0.01, inf, 0.75"),
    ({"beta": math.inf}, "all three finite; got 0.01, 10.0, inf"),
    ({"beta": math.nan}, "all three finite; got 0.01, 10.0, nan"),
    ({"momentum": "0.9"}, "momentum must be a number, not '0.9'"),
]


@BOTH
@pytest.mark.parametrize("bad, sentence", BAD_SETTINGS)
def test_bad_settings(framework, pair, bad, sentence):
    refuses(sentence, module(framework, "dann").train, *pair, **{**SHORT, **bad})
    refuses(
        sentence, module(framework, "training").source_only, *pair, networks=mlp(framework, 64, 10), **{**SHORT, **bad}
    )


@BOTH
@pytest.mark.parametrize("name", ["ddc", "dan", "coral", "sagnet"])
@pytest.mark.parametrize("bad, sentence", [BAD_SETTINGS[1], BAD_SETTINGS[6], BAD_SETTINGS[7]])
def test_bad_settings_of_methods_that_use_them_earlier(framework, pair, name, bad, sentence):
    refuses(sentence, module(framework, name).train, *pair, **{**SHORT, **bad})


@BOTH
@pytest.mark.parametrize("bad", [{"lam": "1"}, {"margin": "1"}])
def test_text_for_a_number_of_ccsa(framework, pair, bad):
    few = recipe.few_labels(pair[1], 1, 0)
    (name,) = bad
    refuses(f"{name} must be a number, not '1'", module(framework, "ccsa").train, *pair, labelled=few, **SHORT, **bad)


@BOTH
def test_networks_and_draws_check_their_seed(framework, pair):
    for seed in (-1, 1.5):
        sentence = f"seed must be a whole number, 0 or more, not {seed}"
        refuses(sentence, mlp, framework, 64, 10, seed=seed)
        refuses(sentence, recipe.few_labels, pair[1], 1, seed)
        refuses(sentence, module(framework, "sagnet").descend, 2, 2, seed)
    refuses("hidden must be a whole number, 1 or more, not 2.5", mlp, framework, 64, 10, hidden=2.5)
    refuses("steps must be a whole number", module(framework, "sagnet").descend, 2.5, 2, 0)
    refuses("batch_size must be 1 or more, not 0", module(framework, "sagnet").descend, 2, 0, 0)


@pytest.mark.parametrize("device", ["gpu", "nothing:0", "cuda:99"])
def test_a_device_that_is_not_there(pair, device):
    sentence = f"device must be one that PyTorch finds here, such as 'cpu', or 'cuda' with a GPU, not '{device}'; leave"
    refuses(sentence, module("torch", "dann").train, *pair, device=device, **SHORT)
    refuses(sentence, many.train_many, *pair, [0.0], device=device, steps=1, batch_size=2)


def test_settings_of_many(pair):
    for bad, sentence in (BAD_SETTINGS[0], BAD_SETTINGS[9], BAD_SETTINGS[6], BAD_SETTINGS[12]):
        refuses(sentence, many.train_many, *pair, [0.0], **{"steps": 1, "batch_size": 2, **bad})


@BOTH
@pytest.mark.parametrize("name", ["steps", "mu_0"])
@pytest.mark.parametrize("bad", [(1,), (1, 2, 3), 5, "12"])
def test_five_steps_need_two_numbers(framework, pair, name, bad):
    nets = mlp(framework, 64, 10)
    sentence = f"{name} must be two numbers, the first for step 3 and the second for step 5, not"
    refuses(sentence, FINETUNE[framework].five_steps, nets, pair[1], **{name: bad})


@BOTH
def test_five_steps_freeze_nothing_before_a_bad_depth_is_told(framework, pair):
    nets = mlp(framework, 64, 10)
    refuses("the number of blocks must lie between 0 and 2", FINETUNE[framework].five_steps, nets, pair[1], unfrozen=3)
    assert FINETUNE[framework].count(nets).frozen == 0


@BOTH
def test_the_rate_of_a_block_is_a_number(framework):
    refuses("the rate of block1 must be a number, not '1'", FINETUNE[framework].descend, {"block1": "1"})


def frozen(framework, parts=3):
    nets = mlp(framework, 64, 10)
    for part in nets[:parts]:
        if framework == "torch":
            part.requires_grad_(False)
        else:
            part.trainable = False
    return nets


@BOTH
def test_nothing_left_to_train(framework, pair):
    sentence = "every block is frozen, so there is nothing to train; unfreeze one"
    refuses(sentence, module(framework, "dann").train, *pair, networks=frozen(framework), **SHORT)
    few = recipe.few_labels(pair[1], 1, 0)
    for name in ("ddc", "dan", "coral", "ccsa"):
        settings = {**SHORT, "networks": frozen(framework, 2)} | ({"labelled": few} if name == "ccsa" else {})
        refuses(sentence, module(framework, name).train, *pair, **settings)
    refuses(sentence, module(framework, "training").source_only, *pair, networks=frozen(framework, 2), **SHORT)


@BOTH
def test_a_loss_that_depends_on_frozen_blocks_alone(framework, pair):
    training, nets = module(framework, "training"), frozen(framework, 2)
    with pytest.raises(ValueError, match="every block that the loss depends on is frozen; unfreeze one"):
        training.fit(training.supervised_loss, *pair, networks=nets, **SHORT)


@BOTH
def test_a_domain_classifier_alone_can_be_trained(framework, pair):
    run = module(framework, "dann").train(*pair, networks=frozen(framework, 2), **SHORT)
    assert run.history.step == [2]


def test_a_mean_image_is_one_of_images(pair):
    moons = data.load("moons")
    sentence = r"a mean image needs images \[n, height, width, channels\], but moons has features \[300, 2\]; subtract"
    refuses(sentence, recipe.mean_image, moons, pair[1])
    coloured = replace(pair[1], x_train=pair[1].x_train.repeat(3, -1), x_test=pair[1].x_test.repeat(3, -1))
    refuses("as many channels; digits-a has 1, digits-b-rotated30 has 3: repeat", recipe.mean_image, pair[0], coloured)


# --- losses called by hand --------------------------------------------------------------------------------------
def losses(framework, labelled):
    made = {name: getattr(module(framework, name), f"{name}_loss") for name in ("ddc", "dan", "coral", "ccsa")}
    semi = module(framework, "dann").semi_supervised_loss
    plain = {name: made[name] for name in ("ddc", "dan", "coral")}
    return {"ccsa": made["ccsa"], "semi": semi} if labelled else plain


def tensors(framework, change):
    arrays = dict(zip(("x_source", "y_source", "x_target", "x_labelled", "y_labelled"), batch(), strict=True))
    return {name: tensor(framework, a) for name, a in (arrays | change(arrays)).items()}


FLOATING = "must be tensors of one floating-point type and y_source one of int64; got|one floating-point type and y_sou"
ALL = [
    (lambda a: {"x_source": a["x_source"].astype(np.uint8), "x_target": a["x_target"].astype(np.uint8)}, FLOATING),
    (lambda a: {"x_target": a["x_target"].astype(np.float32)}, FLOATING),
    (lambda a: {"y_source": a["y_source"].astype(np.int32)}, FLOATING),
    (lambda a: {"y_source": a["y_source"].astype(np.float64)}, FLOATING),
]


@BOTH
@pytest.mark.parametrize("name", ["ddc", "dan", "coral"])
@pytest.mark.parametrize("change, sentence", ALL)
def test_batches_of_other_types(framework, name, change, sentence):
    t = tensors(framework, change)
    loss = losses(framework, labelled=False)[name]
    refuses(sentence, loss, networks(framework), t["x_source"], t["y_source"], t["x_target"], 0.5)


LABELLED = [
    (lambda a: {"x_labelled": a["x_labelled"].astype(np.uint8)}, FLOATING),
    (lambda a: {"y_labelled": a["y_labelled"].astype(np.int32)}, FLOATING),
    (lambda a: {"y_labelled": a["y_labelled"][:-1]}, r"one class number for each, shape \[6\]; got 6 images and shape"),
    (lambda a: {"x_labelled": a["x_labelled"][:0], "y_labelled": a["y_labelled"][:0]}, "at least one image .* got 0 i"),
    (lambda a: {"x_labelled": a["x_labelled"][:, :5]}, r"labelled images must have the shape of the source's, \[12\]"),
    ALL[2],
]


@BOTH
@pytest.mark.parametrize("name", ["ccsa", "semi"])
@pytest.mark.parametrize("change, sentence", LABELLED)
def test_labelled_batches_that_do_not_fit(framework, name, change, sentence):
    loss = losses(framework, labelled=True)[name]
    refuses(sentence, loss, networks(framework), *tensors(framework, change).values(), 0.5)


@BOTH
@pytest.mark.parametrize("name", ["ddc", "dan", "coral", "ccsa", "semi"])
@pytest.mark.parametrize("lam", [-1.0, math.nan, math.inf])
def test_a_lambda_that_cannot_be(framework, name, lam):
    t = tensors(framework, lambda a: {})
    labelled = name in ("ccsa", "semi")
    chosen = list(t.values()) if labelled else [t["x_source"], t["y_source"], t["x_target"]]
    loss = losses(framework, labelled)[name]
    refuses(f"lam must be a finite number, 0 or more, not {lam}", loss, networks(framework), *chosen, lam)
    refuses("lam must be a number, not '1'", loss, networks(framework), *chosen, "1")


@BOTH
def test_ccsa_loss_checks_share_and_margin(framework):
    t, loss = list(tensors(framework, lambda a: {}).values()), module(framework, "ccsa").ccsa_loss
    refuses("lam must lie between 0 .* and 1 .*, not 1.5", loss, networks(framework), *t, 1.5)
    for margin in (-1.0, math.nan, math.inf):
        sentence = f"margin must be a finite number, 0 or more, not {margin}"
        refuses(sentence, loss, networks(framework), *t, 0.5, margin=margin)
    refuses("margin must be a number, not '1'", loss, networks(framework), *t, 0.5, margin="1")


@BOTH
def test_coral_knows_two_layers(framework):
    t = tensors(framework, lambda a: {})
    chosen = t["x_source"], t["y_source"], t["x_target"], 0.5
    sentence = 'layer must be "logits" or "features", not \'pixels\''
    refuses(sentence, module(framework, "coral").coral_loss, networks(framework), *chosen, layer="pixels")


def test_plain_labels_out_of_range():
    """In PyTorch labels are tensors, and those are not looked at."""
    x_source, y_source, x_target, x_labelled, y_labelled = batch()
    nets = networks("tensorflow")
    for labels in (y_source + 1, y_source - 1):
        sentence = f"labels must be classes 0 to 3, as many as the label predictor has logits, not {labels.min()} to"
        for name in ("ddc", "dan", "coral"):
            loss = losses("tensorflow", labelled=False)[name]
            refuses(sentence, loss, nets, x_source, labels, x_target, 0.5)
    semi = losses("tensorflow", labelled=True)["semi"]
    refuses("labels must be classes 0 to 3", semi, nets, x_source, y_source, x_target, x_labelled, y_labelled + 4, 0.5)
    plain = module("torch", "ddc").ddc_loss
    refuses(FLOATING, plain, networks("torch"), torch.tensor(x_source), y_source, torch.tensor(x_target), 0.5)


# --- data ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "top, remedy",
    [
        (16, "its largest value is 16: these are probably images from 0 to 16; multiply by 255/16 before the cast"),
        (15, "its largest value is 15: these are probably images from 0 to 15; multiply by 255/15 before the cast"),
        (1, "its largest value is 1: these are probably images from 0 to 1; multiply by 255 before the cast"),
        (0, "its largest value is 0: all are black; check how the images were read"),
    ],
)
def test_images_of_another_scale(top, remedy):
    x, y = np.full((2, 8, 8, 1), top, np.uint8), np.array([0, 1])
    refuses(f"raw: x_train must go from 0 black to 255 white, but {remedy}", data.Domain, "raw", x, y, x, y)


def test_the_embedded_domains_are_none_of_these():
    for name in ("digits-a", "digits-b-rotated30", "digits-b-blurred", "digits-b-mostly012"):
        assert data.load(name).x_test.max() > 100


def test_a_folder_in_place_of_a_file(tmp_path):
    (tmp_path / "train.gz").mkdir()
    refuses("train.gz must be a gzipped IDX file, but it is a folder; delete it", read_idx, tmp_path / "train.gz")
    (tmp_path / "mine.npz").mkdir()
    refuses("mine.npz must be a .npz file, but it is a folder; remove it", read_npz, "mine", tmp_path / "mine.npz")


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x80\x04K\x01.", b"PK\x03\x04 cut off"])
def test_a_broken_npz_gives_no_advice_to_load_pickles(tmp_path, content):
    (tmp_path / "usps.npz").write_bytes(content)
    with pytest.raises(ValueError, match="usps.npz cannot be read as a domain: it is damaged.*write it anew") as caught:
        read_npz("usps", tmp_path / "usps.npz")
    assert "pickle" not in str(caught.value) and "\n" not in str(caught.value)


def test_an_npz_of_objects_or_of_float_labels(tmp_path):
    x, y = np.full((2, 4, 4, 1), 200, np.uint8), np.array([0, 1])
    arrays = dict(x_train=x, y_train=y, x_test=x, y_test=y)
    np.savez(tmp_path / "objects.npz", **arrays | {"x_train": np.array([{}, {}])})
    with pytest.raises(ValueError, match="holds something else than plain arrays") as caught:
        read_npz("objects", tmp_path / "objects.npz")
    assert "pickle" not in str(caught.value)
    np.savez(tmp_path / "floats.npz", **arrays | {"y_test": y / 1})
    sentence = r"y_test must be whole numbers, not float64; save it as y.astype\(np.int64\)"
    refuses(sentence, read_npz, "floats", tmp_path / "floats.npz")
    np.savez(tmp_path / "few.npz", x_train=x)
    refuses("but y_train, x_test, y_test is missing; write it with", read_npz, "few", tmp_path / "few.npz")


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_histograms_of_nan(bad):
    counts = np.ones((3, 4))
    counts[1, 2] = bad
    refuses("row 1 has NaN or infinity: a histogram must hold finite counts; remove or", surf.normalised, counts)


@pytest.mark.parametrize("n", [10.5, "10", True])
def test_moons_of_no_whole_number(n):
    refuses(f"n must be a whole number of points, 2 or more, not {n!r}", data.make_moons, n=n)


# --- networks on another device, or wrapped ------------------------------------------------------------------------
def test_stage_2_of_adda_runs_where_the_sources_networks_are(pair):
    adda = module("torch", "adda")
    parts = mlp("torch", 64, 10)
    before = [p.clone() for part in parts for p in part.parameters()]
    refuses(
        "source_networks lie on 'cpu' and stage 2 is to run on 'meta'; move all three parts there by part.to",
        adda.adapt, parts, *pair, device="meta", **SHORT,
    )  # fmt: skip
    refuses("device must be one that PyTorch finds here, .* not 'gpu'", adda.adapt, parts, *pair, device="gpu", **SHORT)
    assert all(
        (old == p).all() for old, p in zip(before, (p for part in parts for p in part.parameters()), strict=True)
    )


def test_an_adaptation_layer_goes_into_a_chain_of_layers(pair):
    ddc, networks_of = module("torch", "ddc"), module("torch", "networks")
    wrapped = networks_of.in_bfloat16(mlp("torch", 64, 10))
    sentence = "the feature extractor is a BFloat16; put the layer in first, and call in_bfloat16 after it"
    refuses(sentence, ddc.with_adaptation_layer, wrapped, 4)
    refuses(sentence, ddc.mmd_by_place, wrapped, *pair)


# --- shallow methods ------------------------------------------------------------------------------------------------
def test_tradaboost_predicts_what_has_the_features_of_fit():
    x, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    model = weighting.TrAdaBoost(n_rounds=2).fit(x, y, x[:4], y[:4])
    refuses("x must have the 3 features of the samples given to fit, not 2", model.predict, x[:, :2])
    assert model.predict(x).shape == (20,)


@pytest.mark.parametrize("risk", [selection.source_risk, selection.entropy])
def test_text_is_no_loss(risk):
    refuses("must be an array of numbers; what came cannot be read as one", risk, ["high", "low"])


def test_text_is_no_weight():
    refuses(r"w must be an array of numbers, \[n\]", selection.importance_weighted_risk, [1.0, 2.0], ["a", "b"])
    refuses("weights must be an array of numbers", arguments.weights, ["a"], 1)


@pytest.mark.parametrize("seed", [-1, 1.5])
@pytest.mark.parametrize("measure", [weighting.density_ratio, divergence.domain_error, mmd.permutation_test])
def test_seeds_of_the_measures(measure, seed):
    x = np.random.default_rng(0).normal(size=(2, 20, 3))
    refuses(f"seed must be a whole number of at least 0, not {seed}", measure, *x, seed=seed)


def test_the_linear_kernel_has_no_bandwidth():
    x = np.random.default_rng(0).normal(size=(2, 20, 3))
    sentence = "the linear kernel has no bandwidth, but 3 was given; leave it out or take 'rbf'"
    for f in (mmd.mmd2, mmd.gram, mmd.permutation_test):
        refuses(sentence, f, *x, "linear", bandwidth=3)
