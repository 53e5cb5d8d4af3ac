"""The ledger: what a row holds, when it counts, how it is judged, and that it is never half written."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dtlbook import data, recipe, results
from dtlbook.results import experiments, ledger
from dtlbook.results.experiments import DEEP, EXPERIMENTS, METHODS, Entry, Experiment, Job, Published

ROOT = Path(__file__).resolve().parents[2]
NOW = {"settings": {"steps": 10}, "data": [{"pair": "p"}], "code": "abc"}
HERE = {"cpu": "a", "versions": {"python": "3"}}


def numbers(accuracy, **more):
    return {"target_accuracy": accuracy, "seconds": 2.0, "cpu_seconds": 1.0, "environment": HERE, "defaults": {}} | more


@pytest.fixture
def toy(monkeypatch):
    """An experiment with a published value."""
    methods = {"dann": Entry(published=Published(0.5, "ganin2016", "Table 2")), "ddc": Entry()}
    made = Experiment(("digits-rotated",), methods, {"ko": "가", "en": "toy"}, "quick", 2, {"network": "mlp"})
    monkeypatch.setitem(EXPERIMENTS, "toy", made)
    return made


def job(seed, method="dann"):
    return Job("toy", method, "torch", seed)


def file_of(folder):
    return folder / "toy" / "dann-torch.json"


# --- the registry -------------------------------------------------------------------------------------------
def test_every_experiment_is_whole():
    for name, experiment in EXPERIMENTS.items():
        assert experiment.tier in ("quick", "full") and experiment.seeds >= 1 and experiment.pairs, name
        assert set(experiment.title) == {"ko", "en"}
        for method, entry in experiment.methods.items():
            kind = METHODS[method]
            assert set(kind.name) == {"ko", "en"} and kind.frameworks in (DEEP, ("numpy",))
            assert set(experiments.frameworks(name, method)) <= set(kind.frameworks)
            settings = experiments.settings(name, method)
            assert json.loads(json.dumps(settings)) == settings, "settings must survive a text file"
            assert ("network" in settings) == (kind.frameworks == DEEP)
            assert set(entry.reason) <= set(kind.frameworks)
    assert "sagnet" not in EXPERIMENTS["moons-rotated"].methods, "points have no style"


def test_published_values_are_the_papers():
    ganin, tzeng = "ganin2016", "tzeng2017"
    known = {
        ("mnist-mnistm", "source-only"): (0.5225, ganin),
        ("mnist-mnistm", "sa-features"): (0.5690, ganin),
        ("mnist-mnistm", "dann"): (0.7666, ganin),
        ("mnist-mnistm", "train-on-target"): (0.9596, ganin),
        ("mnist-usps", "source-only"): (0.752, tzeng),
        ("mnist-usps", "dann"): (0.771, tzeng),
        ("mnist-usps", "adda"): (0.894, tzeng),
        ("usps-mnist", "source-only"): (0.571, tzeng),
        ("usps-mnist", "dann"): (0.730, tzeng),
        ("usps-mnist", "adda"): (0.901, tzeng),
        ("mnist-usps-sample", "source-only-adam"): (0.752, tzeng),
        ("mnist-usps-sample", "adda-logits"): (0.894, tzeng),
        ("usps-mnist-sample", "source-only-adam"): (0.571, tzeng),
        ("usps-mnist-sample", "adda-logits"): (0.901, tzeng),
    }
    for (experiment, method), expected in known.items():
        published = experiments.entry(experiment, method).published
        assert (published.value, published.paper) == expected
        assert published.both_ways == (method in ("source-only", "source-only-adam"))
    for ending in ("", "-sample"):
        assert EXPERIMENTS[f"mnist-usps{ending}"].sample == (2000, 1800)
        assert EXPERIMENTS[f"usps-mnist{ending}"].sample == (1800, 2000)
    assert len(EXPERIMENTS["office-caltech10"].pairs) == 12


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mnist", "dann", "torch"), "no experiment is called 'mnist'; choose one of digits-rotated"),
        (("mnist-mnistm", "dan", "torch"), "no method of mnist-mnistm is called 'dan'; choose one of source-only"),
        (("mnist-mnistm", "dann", "jax"), "no framework of mnist-mnistm/dann is called 'jax'; choose one of torch"),
        (("mnist-mnistm", "dann", None), "in torch and tensorflow: say which"),
    ],
)
def test_an_unknown_name_is_told_with_the_known_ones(words, said):
    with pytest.raises(ValueError, match=said):
        results.row(*words)


# --- a job --------------------------------------------------------------------------------------------------
def test_a_job_with_several_pairs_gives_the_mean_and_each(monkeypatch, toy):
    accuracies = {"one": 0.25, "two": 0.75}
    kind = METHODS["ddc"]
    fake = experiments.Kind(
        lambda source, target, framework, seed, settings: {"target_accuracy": accuracies[source] + seed},
        kind.module, ("numpy",), kind.name,
    )  # fmt: skip
    monkeypatch.setitem(METHODS, "ddc", fake)
    monkeypatch.setattr(experiments, "domains", lambda experiment, pair, seed: (pair, pair))
    several = Experiment(("one", "two"), {"ddc": Entry()}, toy.title, "quick", 1)
    monkeypatch.setitem(EXPERIMENTS, "toy", several)
    found = experiments.run_job(Job("toy", "ddc", "numpy", 0))
    assert found["target_accuracy"] == 0.5 and found["pairs"] == accuracies
    assert found["seconds"] >= 0 and found["environment"]["versions"]["numpy"] == np.__version__


def test_a_real_job_is_a_function_of_its_words(monkeypatch):
    pytest.importorskip("torch")
    small = EXPERIMENTS["digits-rotated"]
    monkeypatch.setitem(small.deep, "steps", 5)
    once, again = (experiments.run_job(Job("digits-rotated", "dann", "torch", 1)) for _ in range(2))
    timing = ("seconds", "cpu_seconds", "training_seconds")
    assert {k: v for k, v in once.items() if k not in timing} == {k: v for k, v in again.items() if k not in timing}
    other = experiments.run_job(Job("digits-rotated", "dann", "torch", 2))
    assert other["label_loss"] != once["label_loss"]
    assert once["defaults"]["momentum"] == 0.9 and "steps" not in once["defaults"]


def test_the_sampled_protocol_draws_anew_for_every_seed(monkeypatch):
    monkeypatch.setattr(data, "pair", lambda name: (data.load("digits-a"), data.load("digits-b")))
    monkeypatch.setitem(EXPERIMENTS, "toy", SimpleNamespace(sample=(40, 30), transductive=False))
    source, target = experiments.domains("toy", "p", 0)
    other, _ = experiments.domains("toy", "p", 1)
    assert (len(source.x_train), len(target.x_train)) == (40, 30)
    assert not np.array_equal(source.x_train, other.x_train)


def test_a_transductive_experiment_is_judged_on_the_sampled_training_images(monkeypatch, toy):
    whole = data.load("digits-a"), data.load("digits-b")
    monkeypatch.setattr(data, "pair", lambda name: whole)
    monkeypatch.setitem(EXPERIMENTS, "toy", replace(toy, sample=(40, 30), transductive=True))
    source, target = experiments.domains("toy", "p", 0)
    assert len(target.x_train) == 30 < len(whole[1].x_train)
    assert np.array_equal(target.x_test, target.x_train) and np.array_equal(target.y_test, target.y_train)
    assert len(source.x_train) == 40  # the source's test part is its own, and whole
    assert source.x_test is whole[0].x_test and source.y_test is whole[0].y_test
    monkeypatch.setitem(EXPERIMENTS, "toy", replace(toy, sample=(40, 30)))
    inductive = experiments.domains("toy", "p", 0)[1]
    assert np.array_equal(inductive.x_train, target.x_train) and inductive.x_test is whole[1].x_test


def test_a_row_of_a_transductive_experiment_says_so():
    for name, experiment in EXPERIMENTS.items():
        assert experiment.transductive == name.endswith("-sample")
        for method in experiment.methods:
            assert experiments.settings(name, method).get("transductive", False) is experiment.transductive
    experiment = EXPERIMENTS["mnist-usps-sample"]
    assert experiments.settings("mnist-usps-sample", "adda-logits")["sample"] == [2000, 1800]
    assert set(experiment.methods) == {"source-only-adam", "adda-logits"}


def test_shallow_methods_are_given_the_target_images_as_target_and_judged_on_its_test_images():
    """And no target label."""
    rng, seen = np.random.default_rng(0), []

    def domain(n, n_test, at):
        draw = lambda k: rng.integers(at, at + 20, (k, 2, 2, 1)).astype(np.uint8)  # noqa: E731
        return SimpleNamespace(x_train=draw(n), y_train=rng.integers(2, size=n),
                               x_test=draw(n_test), y_test=rng.integers(2, size=n_test))  # fmt: skip

    def fit_and_predict(*arguments, **settings):
        seen.extend([*arguments, settings])
        return np.zeros(6, int)

    source, target = domain(5, 3, 0), domain(4, 6, 200)
    found = experiments._shallow(fit_and_predict, source, target, "numpy", 7, {"bound": 2.0})
    rows = (x.reshape(len(x), 4) / np.float32(255) for x in (source.x_train, target.x_train, target.x_test))
    for given, wanted in zip((seen[0], seen[2], seen[3]), rows, strict=True):
        assert given.dtype == np.float64 and np.array_equal(given, wanted.astype("float64"))
    assert np.array_equal(seen[1], source.y_train) and seen[4:] == [7, {"bound": 2.0}]
    assert found == {"target_accuracy": (target.y_test == 0).mean()} and 0 < found["target_accuracy"] < 1


@pytest.mark.parametrize("weigh", ["density_ratio", "kernel_mean_matching"])
def test_the_weights_of_logistic_regression_reach_the_fit(weigh):
    """Class 1 lies between two halves of class 0, and the target is one side of it: only a weighted line is right."""
    rng = np.random.default_rng(0)
    xs, xt, x_test = rng.uniform(-3, 3, (200, 1)), rng.uniform(0, 3, (80, 1)), rng.uniform(0, 3, (200, 1))
    truth = lambda x: (np.abs(x[:, 0]) < 1.5).astype(int)  # noqa: E731
    plain, weighted = (experiments._logistic(how, xs, truth(xs), xt, x_test, 0) for how in (None, weigh))
    plain, weighted = ((predicted == truth(x_test)).mean() for predicted in (plain, weighted))
    assert plain < 0.6 and weighted > plain + 0.2


@pytest.mark.parametrize("weigh, drawn", [("density_ratio", {"seed": 7}), ("kernel_mean_matching", {})])
def test_the_weights_are_made_from_the_source_and_the_target_images(monkeypatch, weigh, drawn):
    from dtlbook import weighting

    xs, ys, xt = np.array([[0.0], [1.0], [0.0], [1.0]]), np.array([0, 1, 1, 0]), np.array([[5.0]])

    def weights(x_source, x_target, **settings):
        assert x_source is xs and x_target is xt and settings == {"bound": 2.0} | drawn
        return np.array([1.0, 1.0, 100.0, 100.0])  # the labels contradict each other: the heavy ones win

    monkeypatch.setattr(weighting, weigh, weights)
    assert experiments._logistic(weigh, xs, ys, xt, xs[:2], 7, bound=2.0).tolist() == [1, 0]


def test_alignment_of_features_does_not_mind_their_units(monkeypatch):
    """The target's features are the source's, each in another unit and from another zero: nothing is lost."""
    digits = data.load("digits-a")
    run = SimpleNamespace(networks=None, history=SimpleNamespace(seconds=[1.0]))
    monkeypatch.setattr(experiments, "_train", lambda *words: run)
    monkeypatch.setattr(experiments, "_without_last_layer", lambda networks: networks)
    monkeypatch.setattr(experiments, "import_module", lambda name: SimpleNamespace(logits=lambda networks, x: x))
    x_train, x_test = (x.reshape(len(x), -1) / 255.0 for x in (digits.x_train, digits.x_test))
    rng = np.random.default_rng(0)
    unit, zero = rng.uniform(0.01, 100, x_train.shape[1]), rng.uniform(-50, 50, x_train.shape[1])
    labels = {"y_train": digits.y_train, "y_test": digits.y_test}
    source = SimpleNamespace(x_train=x_train, x_test=x_test, **labels)
    target = SimpleNamespace(x_train=x_train * unit + zero, x_test=x_test * unit + zero, **labels)
    found = experiments._aligned_features(source, target, "torch", 0, {"n_components": 20})
    assert found["source_accuracy"] > 0.8
    assert found["target_accuracy"] == pytest.approx(found["source_accuracy"], abs=0.005)


@pytest.mark.parametrize("framework", DEEP)
def test_alignment_is_of_the_last_hidden_layer(framework):
    pytest.importorskip(framework)
    networks, training = (experiments.import_module(f"dtlbook.{framework}.{name}") for name in ("networks", "training"))
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28, 3), dtype=np.uint8)
    parts = networks.in_bfloat16(networks.dann_mnist())
    hidden = training.logits(experiments._without_last_layer(parts), images)
    kernel, bias = networks.get_weights(parts.label_predictor)[-1]
    assert np.allclose(hidden @ kernel + bias, training.logits(parts, images), atol=1e-5)


def test_a_shallow_method_with_a_few_labels_sees_those_of_the_target_and_no_other():
    source, target = data.pair("digits-rotated")
    seen = {}

    def fit_and_predict(xs, ys, x_few, y_few, x_test, **settings):
        seen.update(xs=xs, ys=ys, x_few=x_few, y_few=y_few, x_test=x_test, settings=settings)
        return np.where(np.arange(len(x_test)) % 4 == 0, target.y_test, -1)

    given = {"labels_per_class": 2, "n_rounds": 3}
    numbers = experiments._shallow_with_few(fit_and_predict, source, target, "numpy", 4, given)
    few, labels = recipe.few_labels(target, 2, seed=4)
    assert numbers == {"target_accuracy": pytest.approx(0.25, abs=0.001)} and len(given) == 2
    assert (seen["x_few"] == few.reshape(20, -1) / np.float32(255)).all() and (seen["y_few"] == labels).all()
    assert len(seen["xs"]) == len(source.x_train) and (seen["ys"] == source.y_train).all()
    assert len(seen["x_test"]) == len(target.x_test) and seen["settings"] == {"n_rounds": 3}


def test_the_few_labels_reach_the_method(monkeypatch):
    pair = data.pair("digits-rotated")
    seen = {}

    def train(source, target, *, networks, seed, **settings):
        seen.update(settings, networks=networks)

    monkeypatch.setattr(
        experiments, "import_module",
        lambda name: SimpleNamespace(train=train, mlp=lambda *sizes, seed: (sizes, seed)),
    )  # fmt: skip
    experiments._train("dann", "train", *pair, "torch", 4, {"network": "mlp", "steps": 3, "labels_per_class": 2})
    images, labels = seen["labelled"]
    assert sorted(labels) == sorted(list(range(10)) * 2) and len(images) == 20
    assert seen["steps"] == 3 and seen["networks"] == ((64, 10), 4) and "network" not in seen


# --- a row --------------------------------------------------------------------------------------------------
def test_a_row_grows_seed_by_seed(tmp_path, toy):
    ledger.store(tmp_path, job(1), numbers(0.60), NOW)
    first = ledger.read(file_of(tmp_path))
    assert first["n"] == 1 and first["sd"] is None and first["mean"] == 0.6
    ledger.store(tmp_path, job(0), numbers(0.50), NOW)
    found = ledger.read(file_of(tmp_path))
    assert [seed["seed"] for seed in found["seeds"]] == [0, 1]
    assert found["mean"] == 0.55 and found["sd"] == round(np.std([0.5, 0.6], ddof=1), 6)
    assert (found["seconds"], found["cpu_seconds"]) == (4.0, 2.0)
    assert found["environments"] == [HERE] and found["published"]["table"] == "Table 2"
    assert {**found["settings"]} == NOW["settings"] and found["data"] == NOW["data"] and found["code"] == "abc"
    assert [p.name for p in file_of(tmp_path).parent.iterdir()] == ["dann-torch.json"], "no partial file stays"


def test_seeds_of_two_machines_say_which(tmp_path, toy):
    ledger.store(tmp_path, job(0), numbers(0.6), NOW)
    ledger.store(tmp_path, job(1), numbers(0.6, environment={"cpu": "b"}), NOW)
    found = ledger.store(tmp_path, job(0), numbers(0.6, environment={"cpu": "b"}), NOW)
    assert found["environments"] == [{"cpu": "b"}]
    assert [seed["environment"] for seed in found["seeds"]] == [0, 0]


def test_a_row_of_another_basis_is_not_mixed_with_the_new_one(tmp_path, toy):
    for seed in (0, 1):
        ledger.store(tmp_path, job(seed), numbers(0.6), NOW)
    found = ledger.store(tmp_path, job(0), numbers(0.4), NOW | {"code": "new"})
    assert found["n"] == 1 and found["mean"] == 0.4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"settings": {"steps": 20, "lam": 1}}, ["the settings (lam, steps)"]),
        ({"data": []}, ["the data"]),
        ({"code": "x"}, ["the code"]),
        ({"code": "x", "data": []}, ["the data", "the code"]),
        ({}, []),
    ],
)
def test_what_changed_is_named(change, said):
    assert ledger.changes(NOW, NOW | change) == said


def test_a_diverged_loss_is_null_and_the_file_stays_json(tmp_path, toy):
    ledger.store(tmp_path, job(0), numbers(0.1, label_loss=float("nan"), domain_loss=float("inf")), NOW)
    text = file_of(tmp_path).read_text(encoding="utf-8")
    seed = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))["seeds"][0]
    assert seed["label_loss"] is None and seed["domain_loss"] is None


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text[: len(text) // 2], "is not a whole row of the ledger"),
        (lambda text: "[]", "it lacks experiment"),
        (lambda text: text.replace('"mean": 0.6', '"mean": 0.9'), "its mean is not the mean of its seeds"),
        (lambda text: text.replace('"target_accuracy": 0.6', '"target_accuracy": 60'), "no target_accuracy between"),
        (lambda text: text.replace('"method": "dann"', '"method": "ddc"'), "it says it is toy/ddc-torch"),
    ],
)
def test_a_spoilt_row_is_told_in_one_sentence(tmp_path, toy, spoil, said):
    ledger.store(tmp_path, job(0), numbers(0.6), NOW)
    file = file_of(tmp_path)
    file.write_text(spoil(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ledger.LedgerError, match=said) as error:
        results.row("toy", "dann", "torch", rows=tmp_path)
    assert "\n" not in str(error.value) and "toy/dann-torch.json" in str(error.value)


def test_an_interrupted_write_leaves_the_old_row(tmp_path, toy, monkeypatch):
    ledger.store(tmp_path, job(0), numbers(0.6), NOW)
    before = file_of(tmp_path).read_bytes()
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ledger.LedgerError, match="cannot write toy/dann-torch.json .No space left"):
        ledger.store(tmp_path, job(1), numbers(0.7), NOW)
    assert file_of(tmp_path).read_bytes() == before
    assert [p.name for p in file_of(tmp_path).parent.iterdir()] == ["dann-torch.json"]


def test_what_was_not_run_is_none(tmp_path):
    assert results.row("digits-rotated", "dann", "torch", rows=tmp_path) is None


# --- judging ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("mean", "within", "both_ways", "word"),
    [
        (0.50, 0.02, False, "reproduced"),
        (0.48, 0.02, False, "reproduced"),
        (0.4799, 0.02, False, "differs"),
        (0.90, 0.02, False, "reproduced"),
        (0.60, 0.10, True, "reproduced"),
        (0.6001, 0.10, True, "differs"),
        (0.3999, 0.10, True, "differs"),
    ],
)
def test_the_rule_of_the_status_word(mean, within, both_ways, word):
    assert ledger.status({"mean": mean}, Published(0.5, "p", "t", within, both_ways)) == word


def test_published_values_of_pairs_must_all_be_reached():
    published = Published(0.3, "p", "t", 0.00006, True, pairs={"a": 0.2370, "b": 0.3630})
    seeds = [{"pairs": {"a": 0.23703, "b": 0.36296, "c": 0.9}}]
    assert ledger.status({"mean": 0.5, "seeds": seeds}, published) == "reproduced"
    seeds[0]["pairs"] |= {"a": 0.2371}
    assert ledger.status({"mean": 0.3, "seeds": seeds}, published) == "differs"


def test_a_row_that_differs_says_why_or_that_it_is_not_known(tmp_path, toy):
    assert ledger.store(tmp_path, job(0), numbers(0.3), NOW)["reason"] == ledger.UNKNOWN_REASON
    why = {"ko": "짧게 돌렸다", "en": "a short run"}
    toy.methods["dann"].reason["torch"] = why
    assert ledger.refresh(tmp_path, "toy", "dann", "torch")["reason"] == why
    assert ledger.read(file_of(tmp_path))["reason"] == why
    assert ledger.store(tmp_path, job(0), numbers(0.5), NOW)["reason"] is None
    assert ledger.store(tmp_path, job(0, "ddc"), numbers(0.3), NOW)["status"] == "measured"


# --- what a row depends on ----------------------------------------------------------------------------------
@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "PACKAGE", tmp_path)
    (tmp_path / "torch").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "d.py").write_text("A = 1\n")
    (tmp_path / "loop.py").write_text("RATE = 1\n")
    (tmp_path / "torch" / "m.py").write_text(
        '''"""Text."""
from dtlbook import loop
import dtlbook.data.d


def check_rate():
    if loop.RATE < 0:
        raise ValueError("no rate")


def f():
    """Says."""
    check_rate()
    if loop.RATE > 9:
        raise ValueError("too much")
    if loop.RATE > 8:
        loop.RATE = 8
    return loop.RATE
'''
    )
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "experiments.py").write_text(
        "def _prepare(x):\n    return 2 * x\n\n\ndef _other():\n    pass\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("name", "old", "new", "same"),
    [
        ("torch/m.py", "Says.", "Tells.", True),
        ("torch/m.py", "Text.", "Other.", True),
        ("torch/m.py", "    return", "    # why\n    return", True),
        ("torch/m.py", "return loop.RATE", "return -loop.RATE", False),
        ("loop.py", "1", "2", False),
        ("data/d.py", "1", "2", True),
        ("torch/m.py", "< 0", "< 1", True),
        ("torch/m.py", "    check_rate()\n", "", True),
        ("torch/m.py", "too much", "much too much", True),
        ("torch/m.py", "import loop\n", "import loop\nfrom dtlbook.arguments import check_seed\n", True),
        ("torch/m.py", "import loop\n", "import loop\nfrom dtlbook.arguments import whole\n", False),
        ("torch/m.py", "> 9", "> 7", True),
        ("torch/m.py", "> 8", "> 7", False),
        ("torch/m.py", "= 8", "= 7", False),
        ("results/experiments.py", "2 * x", "3 * x", False),
        ("results/experiments.py", "pass", "return 1", True),
    ],
)
def test_the_code_is_what_a_method_computes_not_how_it_is_described(package, name, old, new, same):
    file = package / "torch" / "m.py"
    before = ledger.code_hash(file, functions=["_prepare"])
    changed = package / name
    assert old in changed.read_text()
    changed.write_text(changed.read_text().replace(old, new))
    assert (ledger.code_hash(file, functions=["_prepare"]) == before) == same


def test_a_method_depends_on_every_module_and_function_that_computes_its_row():
    """The names given for a method are the functions of `experiments` that its own functions call."""
    import ast

    tree = ast.parse(Path(experiments.__file__).read_text(encoding="utf-8"))
    defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name, kind in METHODS.items():
        run = kind.run.func if isinstance(kind.run, partial) else kind.run
        given = kind.run.args if isinstance(kind.run, partial) else ()
        begin = [run.__name__, *(getattr(f, "func", f).__name__ for f in given if callable(f))]
        seen, waiting = set(), begin
        while waiting:
            here = waiting.pop()
            seen.add(here)
            called = {n.id for n in ast.walk(defined[here]) if isinstance(n, ast.Name) and n.id[0] == "_"} & set(
                defined
            )
            waiting += called - seen
        assert seen == set(kind.functions), name


def test_two_sweeps_at_once_lose_no_seed(tmp_path, toy):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: ledger.store(tmp_path, job(seed), numbers(0.5), NOW), range(40)))
    assert ledger.read(file_of(tmp_path))["n"] == 40


def test_a_stored_row_says_what_its_experiment_says():
    """Published value, status and reason: `run` brings them up to date where the text has changed."""
    for file in sorted((ledger.folder()).glob("*/*-*.json")):
        row = ledger.read(file)
        entry = experiments.entry(row["experiment"], row["method"])
        assert row["published"] == json.loads(json.dumps(vars(entry.published) if entry.published else None)), file.name
        assert row["status"] == ledger.status(row, entry.published), file.name
        expected = entry.reason.get(row["framework"], ledger.UNKNOWN_REASON) if row["status"] == "differs" else None
        assert row["reason"] == expected, file.name


def test_a_module_that_is_not_there_is_told(package):
    with pytest.raises(ledger.LedgerError, match="no module dtlbook/torch/gone.py"):
        ledger.code_hash(package / "torch" / "gone.py")


def test_the_basis_names_the_data_with_its_checksum():
    source, target = data.pair("digits-rotated")
    (found,) = ledger.basis("digits-rotated", "dann", "torch")["data"]
    assert found["source"]["sha256"] == data.checksum(source) and found["target"]["name"] == target.name
    assert found["source"]["train"] == len(source.x_train)


# --- where ----------------------------------------------------------------------------------------------------
def test_the_rows_are_found_from_a_checkout_and_from_an_installed_package(tmp_path, monkeypatch):
    inside = tmp_path / "repository" / "book"
    (tmp_path / "repository" / "code" / "dtlbook").mkdir(parents=True)
    (tmp_path / "repository" / "pyproject.toml").touch()
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert ledger.folder() == tmp_path / "repository" / "results"
    assert ledger.folder("x/y").parts == ("x", "y")
    alone = tmp_path / "site-packages" / "dtlbook"
    alone.mkdir(parents=True)
    monkeypatch.chdir(alone)
    monkeypatch.setattr(ledger, "PACKAGE", alone)
    assert ledger.folder() == alone / "results" / "rows"


def test_an_installed_package_carries_the_rows(tmp_path, toy):
    pytest.importorskip("setuptools")
    copy = tmp_path / "copy"
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        copy.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "code" / "dtlbook" / "results", copy / "code" / "dtlbook" / "results")
    (copy / "code" / "dtlbook" / "__init__.py").touch()
    ledger.store(copy / "results", job(0), numbers(0.6), NOW)
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(tmp_path / "built")]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert ledger.read(tmp_path / "built" / "dtlbook" / "results" / "rows" / "toy" / "dann-torch.json")["mean"] == 0.6


def test_every_committed_row_is_sound_and_known():
    for file in sorted(ledger.folder().glob("*/*.json")):
        found = ledger.read(file)
        experiments.check(found["experiment"], found["method"], found["framework"])
