"""On a GPU a step can be one CUDA graph: it must look at no number of the device, and do what the same step does on a CPU."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode  # noqa: E402

from dtlbook import data, recipe  # noqa: E402
from dtlbook.torch import adda, ccsa, coral, dan, dann, ddc, many, networks, sagnet, training  # noqa: E402

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that PyTorch can use")
LOSSES = {
    "supervised": training.supervised_loss,
    "dann": dann.dann_loss,
    "ddc": ddc.ddc_loss,
    "dan": dan.dan_loss,
    "coral": coral.coral_loss,
}


def total(name, nets, x_source, y_source, x_target, lam):
    if name == "ccsa":
        return ccsa.ccsa_loss(nets, x_source, y_source, x_target, x_target, y_source, lam).total
    if name == "adda":
        f = nets.feature_extractor(x_target)
        return adda.encoder_loss(nets.domain_classifier(f))
    return LOSSES[name](nets, x_source, y_source, x_target, lam).total


def gradients(loss, nets):
    parameters = [p for part in nets for p in part.parameters()]
    return torch.autograd.grad(loss, parameters, allow_unused=True)


@pytest.mark.parametrize("name", [*LOSSES, "ccsa", "adda"])
def test_loss_and_gradients_wait_for_no_number(name):
    nets = networks.mlp(12, 4)
    with FakeTensorMode(allow_non_fake_inputs=True):  # tensors with shapes and no numbers: nothing can be looked at
        x_source, x_target = torch.zeros(8, 12), torch.zeros(8, 12)
        y_source, lam = torch.zeros(8, dtype=torch.int64), torch.zeros(())
        assert gradients(total(name, nets, x_source, y_source, x_target, lam), nets)[0].shape == (64, 12)


def test_sagnet_waits_for_no_number():
    nets = sagnet.small_sagnet((8, 8, 1), 10)
    with FakeTensorMode(allow_non_fake_inputs=True):
        x, y, swap, alpha = torch.zeros(4, 1, 8, 8), torch.zeros(4, dtype=torch.int64), torch.arange(4), torch.ones(4)
        assert gradients(sum(sagnet.sagnet_losses(nets, x, y, swap, alpha)), nets)[0] is not None


def test_the_check_notices_a_look():
    with FakeTensorMode(), pytest.raises(DataDependentOutputException):
        float(torch.zeros(3).sum())


METHODS = {
    "source only": training.source_only,
    "dann": dann.train,
    "ddc": ddc.train,
    "dan": dan.train,
    "coral": coral.train,
    "adda": adda.train,
    "ccsa": ccsa.train,
    "sagnet": sagnet.train,
}


def test_a_graph_needs_a_gpu():
    with pytest.raises(ValueError, match="graph=True needs a GPU with CUDA, and the device is 'cpu'"):
        dann.train(*data.pair("digits-rotated"), steps=2, records=1, device="cpu", graph=True)


@GPU
@pytest.mark.parametrize("name", METHODS)
def test_graph_on_a_gpu_does_what_the_cpu_does(name):
    source, target = data.pair("digits-rotated")
    settings = {"steps": 24, "batch_size": 32, "records": 6, "seed": 3}
    if name == "ccsa":
        settings["labelled"] = recipe.few_labels(target, 3, 0)
    on_cpu, on_gpu = (
        METHODS[name](source, target, device=device, graph=device == "cuda", **settings).history
        for device in ("cpu", "cuda")
    )
    for column in ("lam", "learning_rate"):
        assert getattr(on_cpu, column) == getattr(on_gpu, column)
    for column in ("label_loss", "domain_loss"):
        np.testing.assert_allclose(getattr(on_gpu, column), getattr(on_cpu, column), rtol=2e-2, atol=2e-3)


@GPU
def test_many_on_a_gpu_are_those_of_the_cpu():
    source, target = data.pair("digits-rotated")
    on_cpu, on_gpu = (
        many.train_many(source, target, [0.0, 1.0], steps=20, device=device, graph=device == "cuda")
        for device in ("cpu", "cuda")
    )
    for a, b in zip(on_cpu, on_gpu, strict=True):
        for (w, v), (w_gpu, v_gpu) in zip(*(networks.get_weights(n.feature_extractor) for n in (a, b)), strict=True):
            np.testing.assert_allclose(w_gpu, w, atol=1e-3)
            np.testing.assert_allclose(v_gpu, v, atol=1e-3)
