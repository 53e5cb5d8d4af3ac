"""The one training loop of the book in PyTorch, and what is done with a trained network.

A method is a loss, ``loss(networks, x_source, y_source, x_target, lam) -> Losses`` (with ``x_labelled,
y_labelled`` before ``lam`` if a few target labels are allowed); `fit` minimises it. A method that is no single
minimisation, such as ADDA, gives `run` an update of its own instead.
"""

import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dtlbook import divergence, recipe
from dtlbook.data import Domain, to_float
from dtlbook.history import History
from dtlbook.torch.networks import Networks, mlp

__all__ = [
    "Losses",
    "Run",
    "accuracy",
    "descend",
    "features",
    "fit",
    "fresh_domain_error",
    "logits",
    "own_domain_error",
    "predict",
    "run",
    "source_only",
    "supervised_loss",
    "train_on_target",
]


class Losses(NamedTuple):
    """Scalars of one mini-batch. Minimise ``total``; ``domain`` is the term that compares the domains."""

    total: Tensor
    label: Tensor
    domain: Tensor


class Run(NamedTuple):
    networks: Networks
    history: History


Update = Callable[..., Losses]  # update(x_source, y_source, x_target[, x_labelled, y_labelled], lam, mu)


# --- the loop -------------------------------------------------------------------------------------------
def run(
    make_update: Callable[[Networks], Update],
    source: Domain,
    target: Domain,
    *,
    lam: float = 1.0,
    scheduled: bool = True,
    steps: int = 2000,
    batch_size: int = 32,
    seed: int = 0,
    networks: Networks | None = None,
    mu_0: float = 0.01,
    alpha: float = 10.0,
    beta: float = 0.75,
    records: int = 20,
    labelled: tuple[np.ndarray, np.ndarray] | None = None,
    domain_error: Callable[[Networks, Domain, Domain], float] | None = None,
    device: str | None = None,
    graph: bool = False,
) -> Run:
    """Train on labelled source and unlabelled target images.

    ``lam``        λ, reached along λ · (2/(1+exp(−10p)) − 1) if ``scheduled``, constant otherwise
    ``steps``      updates
    ``batch_size`` images of each domain in a step, drawn with replacement; at most as many as either domain has, but
                   one domain that is source and target at once, as in fine-tuning on a few labels, may have fewer
    ``seed``       initial weights and batches; runs of one seed differ in λ alone
    ``networks``   trained in place if given, else `mlp` of that seed
    ``mu_0 … beta``  learning rate μ_0/(1+αp)^β
    ``records``    how many entries the history gets, evenly spread over the steps
    ``labelled``   a few target examples whose labels the method may use, (images, labels); see `recipe.few_labels`
    ``domain_error``  what the history records under that name, a function of (networks, source, target); by default
                   `own_domain_error`, the error of G_d, which must then give one logit
    ``device``     where to train, a name of PyTorch's such as "cpu" or "cuda:1"; by default a GPU if there is one
    ``graph``      on a GPU, record the step once as a CUDA graph and replay it, see `launches`

    ``target.y_train`` is never read; the history compares predictions with the test labels for the reader.

    Raises:
        ValueError: a setting out of its range, domains or networks that do not fit each other, ``labelled`` for a
            method that uses none, or a device that is not there; all is told before the first step.
    """
    recipe.check_run(source, target, steps, batch_size, records)
    recipe.check_lambda(lam)
    recipe.check_seed(seed)
    recipe.check_rates(mu_0, alpha, beta)
    check_device(device)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if networks is None:
        networks = mlp(int(np.prod(source.image_shape)), source.n_classes, seed=seed)
    for part in networks:
        part.to(device).train()
    check_networks_fit(networks, source, domain_error is None or domain_error is own_domain_error)
    update = make_update(networks)
    recipe.check_takes_labelled(update, labelled)
    # All examples, the indices of all batches and both schedules go to the device once, where `at` counts the steps;
    # nothing comes back between two records.
    arrays = [source.x_train, source.y_train, target.x_train]
    indices = recipe.batch_indices(len(source.x_train), len(target.x_train), steps, batch_size, seed)
    indices = [indices[0], indices[0], indices[1]]
    if labelled is not None:
        recipe.check_labelled(*labelled, source)
        arrays += labelled
        indices += 2 * [recipe.labelled_indices(len(labelled[0]), steps, batch_size, seed)]
    arrays, indices = ([on_device(a, device) for a in some] for some in (arrays, indices))
    lams, rates = recipe.schedules(steps, lam, scheduled, mu_0, alpha, beta)
    lams_there, rates_there = (torch.tensor(values, device=device) for values in (lams, rates))
    at = torch.zeros(1, dtype=torch.int64, device=device)
    sums = torch.zeros(2, device=device)

    def step() -> None:
        batch = [example(a[i[at][0]]) for a, i in zip(arrays, indices, strict=True)]
        losses = update(*batch, lams_there[at][0], rates_there[at][0])
        sums.add_(torch.stack([losses.label.detach(), losses.domain.detach()]))
        at.add_(1)

    measure = domain_error or own_domain_error
    history, seconds, start, last = History(), 0.0, time.perf_counter(), 0
    record_at = set(recipe.record_steps(steps, records))
    for done, launch in zip(range(1, steps + 1), launches(step, graph, device), strict=False):
        launch()
        if done in record_at:
            label_loss, domain_loss = (sums / (done - last)).tolist()  # the only wait for the device
            seconds += time.perf_counter() - start
            history.add(
                step=done,
                lam=lams[done - 1],
                learning_rate=rates[done - 1],
                label_loss=label_loss,
                domain_loss=domain_loss,
                source_accuracy=accuracy(networks, source.x_test, source.y_test),
                target_accuracy=accuracy(networks, target.x_test, target.y_test),
                domain_error=measure(networks, source, target),
                seconds=seconds,
            )
            for part in networks:
                part.train()
            sums.zero_()
            last, start = done, time.perf_counter()
    return Run(networks, history)


def launches(step: Callable[[], None], graph: bool, device: str) -> Iterator[Callable[[], None]]:
    """What to call for each step of a run, without end: ``step`` itself, or with ``graph`` its recording.

    On a GPU, starting the hundred small kernels of a step one by one can take longer than running them. With ``graph``
    the first three steps are run so, on a stream of their own; then the step is recorded once as a CUDA graph, and every
    later step replays it in one go. A step must therefore do the same each time and never look at a number of the
    device: what changes, such as λ, is itself a tensor there.

    Raises:
        ValueError: a graph is asked for and the device is no GPU of NVIDIA's.
    """
    if not graph:
        while True:
            yield step
    if torch.device(device).type != "cuda":
        raise ValueError(f"graph=True needs a GPU with CUDA, and the device is {device!r}; leave graph out there")
    here, aside = torch.cuda.current_stream(), torch.cuda.Stream()

    def run_aside() -> None:
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            step()
        here.wait_stream(aside)

    for _ in range(3):
        yield run_aside
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):  # records, and computes nothing
        step()
    while True:
        yield graph.replay


def descend(loss: Callable[..., Losses], momentum: float = 0.9, compiled: bool = False) -> Callable[[Networks], Update]:
    """Updates by stochastic gradient descent on all three parts: v ← m v + g, θ ← θ − μ v.

    ``compiled`` lets torch.compile fuse the loss and its gradients. It takes some seconds to begin with.
    """
    recipe.check_momentum(momentum)
    if compiled:
        loss = torch.compile(loss)

    def make_update(networks: Networks) -> Update:
        parameters = [p for part in networks for p in part.parameters() if p.requires_grad]
        if not parameters:
            raise ValueError("every block is frozen, so there is nothing to train; unfreeze one")
        # Made once: momentum lives in it. A learning rate that is a tensor on the device needs no word from the host.
        rate = torch.zeros((), device=parameters[0].device)
        optimizer = torch.optim.SGD(parameters, lr=rate, momentum=momentum, fused=True)

        def update(*batch_lam_mu: Tensor) -> Losses:
            *batch, lam, mu = batch_lam_mu
            rate.copy_(mu)
            losses = loss(networks, *batch, lam)
            if not losses.total.requires_grad:
                raise ValueError("every block that the loss depends on is frozen; unfreeze one")
            optimizer.zero_grad()
            losses.total.backward()
            optimizer.step()
            return losses

        return update

    return make_update


def fit(
    loss: Callable[..., Losses],
    source: Domain,
    target: Domain,
    *,
    momentum: float = 0.9,
    compiled: bool = False,
    **settings,
) -> Run:
    """`run` with `descend`: minimise ``loss`` by SGD.

    ``momentum``, ``compiled``  see `descend`
    ``settings``                those of `run`, which raises the same errors
    """
    recipe.check_takes_labelled(loss, settings.get("labelled"))
    return run(descend(loss, momentum, compiled), source, target, **settings)


# --- the two ends of every comparison -------------------------------------------------------------------
def supervised_loss(
    networks: Networks, x_source: Tensor, y_source: Tensor, x_target: Tensor, lam: Tensor | float = 0.0
) -> Losses:
    """L_y alone: the mean cross-entropy of the source's labels. The target is not looked at."""
    label = cross_entropy(networks.label_predictor(networks.feature_extractor(x_source)), y_source)
    return Losses(label, label, torch.zeros_like(label))


def source_only(source: Domain, target: Domain, **settings) -> Run:
    """Lower end of every comparison: the same networks and batches, trained on the source alone."""
    check_trainable(settings.get("networks"))
    settings = {"domain_error": fresh_domain_error, "lam": 0.0, **settings}
    return fit(supervised_loss, source, target, **settings)


def train_on_target(target: Domain, **settings) -> Run:
    """Upper end, "train on target": the same loop and networks, with the target's training labels known."""
    return source_only(target, target, **settings)


# --- use ------------------------------------------------------------------------------------------------
def features(networks: Networks, images: np.ndarray) -> np.ndarray:
    """G_f of examples as a `Domain` holds them: float32 [n, k]."""
    return _apply(images, networks.feature_extractor)


def logits(networks: Networks, images: np.ndarray) -> np.ndarray:
    """Class logits, float32 [n, classes]."""
    return _apply(images, networks.feature_extractor, networks.label_predictor)


def predict(networks: Networks, images: np.ndarray) -> np.ndarray:
    """Predicted classes, int64 [n]."""
    return logits(networks, images).argmax(axis=1)


def accuracy(networks: Networks, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of the images whose predicted class is the label."""
    recipe.check_accuracy(images, labels)
    return float((predict(networks, images) == labels).mean())


def own_domain_error(networks: Networks, source: Domain, target: Domain) -> float:
    """Error of the run's own G_d on the test images, each domain counting one half; a logit above 0 says "target"."""
    z_source, z_target = (
        _apply(domain.x_test, networks.feature_extractor, networks.domain_classifier) for domain in (source, target)
    )
    return float(((z_source > 0).mean() + (z_target <= 0).mean()) / 2)


def fresh_domain_error(networks: Networks, source: Domain, target: Domain, at_most: int = 1000) -> float:
    """`divergence.domain_error` of the first ``at_most`` test features, for methods that train no G_d.

    NaN if a feature is not finite: a run that has diverged is recorded as such, and its history is kept.
    """
    f = [features(networks, domain.x_test[:at_most]) for domain in (source, target)]
    return divergence.domain_error(*f) if all(np.isfinite(x).all() for x in f) else math.nan


@torch.inference_mode()
def _apply(images: np.ndarray, *parts: nn.Module) -> np.ndarray:
    device = next(parts[0].parameters()).device
    to_float(images[:1])  # refuses what is neither uint8 images nor float32 features
    results = []
    for some in np.array_split(images, -(-len(images) // 1000) or 1):  # 1,000 at a time bounds the memory
        out = example(on_device(some, device))
        for part in parts:
            out = part.eval()(out)
        results.append(out.cpu().numpy())
    return np.concatenate(results)


# --- checks: one sentence each --------------------------------------------------------------------------
def check_device(device: str | torch.device | None) -> None:
    """PyTorch can put a tensor there; None, the default, is left to `run`."""
    if device is None:
        return
    try:
        torch.zeros(0, device=device)
    except (RuntimeError, AssertionError, TypeError, ValueError) as error:
        raise ValueError(
            f"device must be one that PyTorch finds here, such as 'cpu', or 'cuda' with a GPU, not {str(device)!r}; "
            "leave it out to have one chosen"
        ) from error


@torch.no_grad()
def check_networks_fit(networks: Networks, source: Domain, with_domain: bool = True) -> None:
    """`recipe.check_networks_fit` with the source's first example; the modes of all modules are left as they were.

    In inference mode, so that no batch statistics and no random state change.
    """
    modes = [(module, module.training) for part in networks for module in part.modules()]
    some = next(networks.feature_extractor.parameters(), torch.zeros(0))
    errors = RuntimeError, ValueError, TypeError, IndexError
    try:
        for part in networks:
            part.eval()
        recipe.check_networks_fit(
            networks, example(on_device(source.x_train[:1], some.device)), source, with_domain, errors
        )
    finally:
        for module, mode in modes:
            module.training = mode


def check_trainable(networks: Networks | None) -> None:
    """Something of G_f or G_y is to be trained: for methods whose loss does not depend on G_d."""
    if networks is not None and not any(p.requires_grad for part in networks[:2] for p in part.parameters()):
        raise ValueError("every block is frozen, so there is nothing to train; unfreeze one")


def check_loss_input(lam: float | Tensor, x_source: Tensor, y_source: Tensor, x_target: Tensor) -> None:
    """λ, if it is a plain number, and the types of a batch; no number of a tensor is looked at."""
    if not isinstance(lam, Tensor):
        recipe.check_lambda(lam)
    types = [getattr(a, "dtype", type(a).__name__) for a in (x_source, y_source, x_target)]
    fits = all(isinstance(a, Tensor) for a in (x_source, y_source, x_target)) and types[1] == torch.int64
    if not fits or not x_source.is_floating_point() or types[2] != types[0]:
        raise ValueError(
            f"x_source and x_target must be tensors of one floating-point type and y_source one of int64; got "
            f"{types[0]}, {types[2]}, {types[1]}, so bring uint8 images to 0 … 1 with to_float and cast the labels"
        )


def check_labelled_input(x_source: Tensor, x_labelled: Tensor, y_labelled: Tensor) -> None:
    """The labelled target images of a batch: x_labelled as x_source, y_labelled int64 [m]."""
    check_loss_input(0.0, x_source, y_labelled, x_labelled)
    recipe.check_labelled_batch(x_source, x_labelled, y_labelled)


def on_device(array: np.ndarray, device: str | torch.device) -> Tensor:
    """The array as a tensor there. What may not be written to is copied, as a tensor may always be."""
    return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(device)


def example(x: Tensor) -> Tensor:
    """uint8 [n, height, width, channels] to float32 0 … 1 as [n, channels, height, width], stored channels last.

    Features and labels pass unchanged.
    """
    return x.permute(0, 3, 1, 2).float() / 255 if x.ndim == 4 else x
