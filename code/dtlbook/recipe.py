"""What PyTorch and TensorFlow share: schedules, initial weights, mini-batches, checks of the input.

All of it is NumPy and comes from one seed, so both frameworks start from the same weights and see the same
batches.
"""

import math
from collections.abc import Sequence

import numpy as np

Layer = tuple[np.ndarray, np.ndarray]  # weight [inputs, outputs] or [height, width, inputs, outputs]; bias [outputs]


# --- schedules: Ganin et al., JMLR 2016, section 5.2.2 --------------------------------------------------
def lambda_schedule(p: float, gamma: float = 10.0) -> float:
    """λ_p = 2 / (1 + exp(−γp)) − 1: from 0 at p = 0 to nearly 1 at p = 1.

    ``p`` is the share of the run that is done, step / (steps − 1), never step / 1000 whatever the length.
    With γ = 1 instead of 10 the schedule would end at 0.462.
    """
    _progress(p)
    if not gamma > 0:
        raise ValueError(f"gamma must be greater than 0, not {gamma}")
    return 2.0 / (1.0 + math.exp(-gamma * p)) - 1.0


def learning_rate_schedule(p: float, mu_0: float = 0.01, alpha: float = 10.0, beta: float = 0.75) -> float:
    """μ_p = μ_0 / (1 + αp)^β: from μ_0 at p = 0 to 0.166 μ_0 at p = 1."""
    _progress(p)
    check_rates(mu_0, alpha, beta)
    return mu_0 / (1.0 + alpha * p) ** beta


def _progress(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"progress p must lie between 0 and 1, not {p}; it is the share of the run that is done")


# --- weights and batches --------------------------------------------------------------------------------
def initial_weights(shapes: Sequence[tuple[int, ...]], seed: int) -> list[Layer]:
    """Weights and biases for layers of these shapes, uniform in ±1/√inputs (PyTorch's rule), float64.

    A dense layer is [inputs, outputs], a convolution [height, width, inputs, outputs]; its inputs are then
    height · width · inputs numbers. Both frameworks round the same draws.
    """
    check_seed(seed)
    rng = np.random.default_rng([seed, 0])
    layers = []
    for shape in shapes:
        bound = 1.0 / math.sqrt(math.prod(shape[:-1]))
        layers.append((rng.uniform(-bound, bound, shape), rng.uniform(-bound, bound, shape[-1])))
    return layers


def mean_image(source, target) -> np.ndarray:
    """Mean of each channel over the training images of both domains, 0 … 1, float32 [channels].

    One mean for both, so that a network need not know which domain an image is from.

    Raises:
        ValueError: the examples are features, or the two domains have different numbers of channels.
    """
    check_images(source, target)
    total = sum(domain.x_train.sum(axis=(0, 1, 2), dtype=np.float64) for domain in (source, target))
    pixels = sum(domain.x_train[..., 0].size for domain in (source, target))
    return (total / pixels / 255).astype(np.float32)


def few_labels(domain, per_class: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``per_class`` training examples of each class with their labels, drawn without replacement.

    For methods that may see a few target labels (semi-supervised DANN, CCSA); the draw depends on the seed alone.
    """
    check_seed(seed)
    rng = np.random.default_rng([seed, 2])
    chosen = []
    for label in np.unique(domain.y_train):
        of_class = np.flatnonzero(domain.y_train == label)
        if not 1 <= per_class <= len(of_class):
            raise ValueError(
                f"per_class must lie between 1 and the {len(of_class)} training examples of class {label} in "
                f"{domain.name}, not {per_class}"
            )
        chosen.append(rng.choice(of_class, per_class, replace=False))
    chosen = np.concatenate(chosen)
    return domain.x_train[chosen], domain.y_train[chosen]


def batch_indices(
    n_source: int, n_target: int, steps: int, batch_size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of every mini-batch, source and target, int64 [steps, batch_size], drawn with replacement."""
    rng = np.random.default_rng([seed, 1])
    return tuple(rng.integers(n, size=(steps, batch_size)) for n in (n_source, n_target))


def labelled_indices(n: int, steps: int, batch_size: int, seed: int) -> np.ndarray:
    """Indices into the few labelled target examples, int64 [steps, batch_size], drawn with replacement."""
    return np.random.default_rng([seed, 3]).integers(n, size=(steps, batch_size))


def schedules(
    steps: int, lam: float, scheduled: bool, mu_0: float, alpha: float, beta: float
) -> tuple[list[float], list[float]]:
    """λ and the learning rate of every step, p = step / (steps − 1)."""
    progress = [step / max(steps - 1, 1) for step in range(steps)]
    lams = [lam * lambda_schedule(p) if scheduled else lam for p in progress]
    return lams, [learning_rate_schedule(p, mu_0, alpha, beta) for p in progress]


def record_steps(steps: int, records: int) -> list[int]:
    """After which updates a record is taken: evenly spread, the last one after the last update."""
    return sorted({math.ceil(steps * k / records) for k in range(1, records + 1)})


# --- checks: one sentence each --------------------------------------------------------------------------
def check_numbers(**values: float) -> None:
    """Each value can be compared with a number: no text, no None, no list."""
    for name, value in values.items():
        try:
            float(value < 0)  # a comparison, because float("1") is no complaint
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"{name} must be a number, not {value!r}") from error


def check_lambda(lam: float) -> None:
    check_numbers(lam=lam)
    if not (0.0 <= lam < math.inf):
        raise ValueError(
            f"lam must be a finite number, 0 or more, not {lam}; where a method needs a minus, it brings it itself"
        )


def check_whole(**numbers: int) -> None:
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | np.integer):
            raise ValueError(f"{name} must be a whole number, 1 or more, not {number!r}")


def check_sizes(**sizes: int) -> None:
    check_whole(**sizes)
    for name, number in sizes.items():
        if number < 1:
            raise ValueError(f"{name} must be 1 or more, not {number}")


def check_seed(seed: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or more, not {seed!r}")


def check_rates(mu_0: float, alpha: float, beta: float) -> None:
    check_numbers(mu_0=mu_0, alpha=alpha, beta=beta)
    if not (0 < mu_0 < math.inf and 0 <= alpha < math.inf and 0 <= beta < math.inf):
        raise ValueError(
            f"mu_0 must be greater than 0, alpha and beta 0 or more, and all three finite; got {mu_0}, {alpha}, {beta}"
        )


def check_images(source, target) -> None:
    """Both domains hold images of as many channels."""
    for domain in (source, target):
        if domain.x_train.ndim != 4:
            raise ValueError(
                f"a mean image needs images [n, height, width, channels], but {domain.name} has features "
                f"{list(domain.x_train.shape)}; subtract x_train.mean(axis=0) of the features instead"
            )
    if source.x_train.shape[-1] != target.x_train.shape[-1]:
        raise ValueError(
            f"both domains need as many channels; {source.name} has {source.x_train.shape[-1]}, {target.name} has "
            f"{target.x_train.shape[-1]}: repeat the grey channel with x.repeat(3, axis=-1)"
        )


def check_image_shape(shape: tuple[int, ...], at_least: int) -> tuple[int, int, int]:
    if len(shape) != 3 or min(shape[:2]) < at_least or shape[2] < 1:
        raise ValueError(
            f"image_shape must be (height, width, channels) with height and width at least {at_least}, "
            f"not {tuple(shape)}"
        )
    return tuple(shape)


def check_weights(shapes: Sequence[tuple[int, ...]], weights: Sequence[Layer]) -> None:
    expected, found = [tuple(shape) for shape in shapes], [tuple(np.shape(weight)) for weight, _ in weights]
    if expected != found:
        raise ValueError(f"the weights must have the shapes {expected}, not {found}")


def check_batch(x_source, y_source, x_target) -> None:
    """Shapes of one step's batch: x_source [n, …], y_source [n], x_target [n', …]."""
    n, n_target = len(x_source), len(x_target)
    if n == 0 or n_target == 0:
        raise ValueError(
            f"a batch needs at least one image of each domain; got {n} of the source, {n_target} of the target"
        )
    if tuple(y_source.shape) != (n,):
        raise ValueError(
            f"y_source must hold one class number for each source image, shape [{n}]; got shape {list(y_source.shape)}"
        )
    if tuple(x_source.shape[1:]) != tuple(x_target.shape[1:]):
        raise ValueError(
            f"images of both domains must have the same shape; source {list(x_source.shape[1:])}, "
            f"target {list(x_target.shape[1:])}"
        )


def check_labelled(images: np.ndarray, labels: np.ndarray, source) -> None:
    """The few labelled target examples: images as the domains have them, int64 classes of the source."""
    for array in (images, labels):
        if not isinstance(array, np.ndarray):
            raise ValueError(
                f"labelled must be two NumPy arrays (images, labels), not {type(images).__name__} and "
                f"{type(labels).__name__}; call np.asarray on them"
            )
    if len(images) == 0 or labels.shape != (len(images),) or labels.dtype != np.int64:
        raise ValueError(
            f"labelled must be (images, labels) with one int64 class for each image and at least one image; "
            f"got {len(images)} images and labels {labels.dtype} {list(labels.shape)}"
        )
    if images.shape[1:] != source.x_train.shape[1:] or images.dtype != source.x_train.dtype:
        raise ValueError(
            f"labelled images must be {source.x_train.dtype} {list(source.x_train.shape[1:])} as in {source.name}, "
            f"not {images.dtype} {list(images.shape[1:])}"
        )
    if labels.min() < 0 or labels.max() >= source.n_classes:
        raise ValueError(
            f"labels must be classes 0 to {source.n_classes - 1} of {source.name}, not {labels.min()} to {labels.max()}"
        )


def check_accuracy(images: np.ndarray, labels: np.ndarray) -> None:
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(
            f"accuracy needs one label for each image and at least one; got {len(images)} images, {len(labels)} labels"
        )


def check_share(lam, margin: float) -> None:
    """For CCSA: λ in 0 … 1 if it is a plain number, and a margin that can be one."""
    check_numbers(margin=margin)
    if isinstance(lam, int | float) and not 0.0 <= lam <= 1.0:
        raise ValueError(f"lam must lie between 0 (no contrastive losses) and 1 (they alone), not {lam}")
    if not 0.0 <= margin < math.inf:
        raise ValueError(f"margin must be a finite number, 0 or more, not {margin}")


def check_momentum(momentum: float) -> None:
    check_numbers(momentum=momentum)
    if not 0.0 <= momentum < 1.0:
        raise ValueError(f"momentum must be at least 0 and less than 1, not {momentum}")


def check_run(source, target, steps: int, batch_size: int, records: int) -> None:
    """Sizes of a run, and two domains that go together.

    Batches are drawn with replacement, so a batch larger than a domain could be drawn; of two domains it is refused
    as a slip. One domain that is source and target at once may be smaller: fine-tuning on a few labels is so.
    """
    check_whole(steps=steps, batch_size=batch_size, records=records)
    if min(steps, batch_size, records) < 1:
        raise ValueError(f"steps, batch_size and records must be 1 or more; got {steps}, {batch_size}, {records}")
    if source.image_shape != target.image_shape:
        raise ValueError(
            f"both domains need images of one shape; {source.name} has {list(source.image_shape)}, "
            f"{target.name} has {list(target.image_shape)}"
        )
    if source.n_classes != target.n_classes:
        raise ValueError(
            f"both domains need the same classes; {source.name} has {source.n_classes}, "
            f"{target.name} has {target.n_classes}"
        )
    for domain in (source, target):
        n = len(domain.x_train)
        if batch_size > n and source is not target:
            raise ValueError(
                f"{domain.name} has {n} training examples, so batch_size must be at most {n}, not {batch_size}"
            )


def check_networks_fit(networks, x, source, with_domain: bool, errors: tuple[type[Exception], ...]):
    """One example ``x``, a tensor [1, …], through the parts (G_f, G_y, G_d); the features, for more checks.

    ``with_domain`` also asks for one logit of G_d; a method that does not train G_d leaves it out. ``errors`` are
    what the framework raises where shapes do not fit. G_y may know more classes than the source has.

    Raises:
        ValueError: a part does not take what comes before it, or gives other than [1, n_classes], [1, 1].
    """
    feature_extractor, label_predictor, domain_classifier = networks
    kind = f"{source.x_train.dtype} {list(source.image_shape)}"
    f = check_part("feature extractor", feature_extractor, x, f"the examples of {source.name}, {kind}", errors)
    features = f"the features that the feature extractor gives, {list(f.shape)[1:]}"
    logits = tuple(check_part("label predictor", label_predictor, f, features, errors).shape)
    if len(logits) != 2 or logits[0] != 1 or logits[1] < source.n_classes:
        raise ValueError(
            f"the label predictor must give one logit for each of the {source.n_classes} classes of {source.name}, "
            f"shape [1, {source.n_classes}] for one image; got {list(logits)}, so build it for as many classes"
        )
    if with_domain:
        z = tuple(check_part("domain classifier", domain_classifier, f, features, errors).shape)
        if z != (1, 1):
            raise ValueError(
                f"the domain classifier must give one logit an image, shape [1, 1] for one image; got {list(z)}, so "
                "let it end in one unit"
            )
    return f


def check_part(name: str, part, x, what: str, errors: tuple[type[Exception], ...]):
    """``part(x)``; a ValueError of one sentence if the framework refuses ``x``."""
    try:
        return part(x)
    except errors as error:
        raise ValueError(f"the {name} does not take {what}; build the networks for such input") from error


def check_takes_labelled(method, labelled) -> None:
    """``method``, a loss or an update of five arguments, has two more if and only if ``labelled`` is given.

    A method that takes any number of arguments passes.
    """
    from inspect import Parameter, signature

    try:
        parameters = signature(method).parameters.values()
    except (TypeError, ValueError):  # some callables do not tell
        return
    if any(p.kind is Parameter.VAR_POSITIONAL for p in parameters):
        return
    positional = Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD
    needed = sum(p.kind in positional and p.default is Parameter.empty for p in parameters)
    if labelled is not None and needed < 6:
        raise ValueError(
            "this method uses no target labels, but labelled was given; leave it out, or take DANN, CCSA or "
            "fine-tuning, which use a few"
        )
    if labelled is None and needed > 6:
        raise ValueError(
            "this method needs a few target labels: labelled=recipe.few_labels(target, per_class, seed) must be given"
        )


def check_labelled_batch(x_source, x_labelled, y_labelled) -> None:
    """Shapes of a step's labelled target images: x_labelled [m, …] as the source's, y_labelled [m], m at least 1."""
    m = len(x_labelled)
    if m == 0 or tuple(y_labelled.shape) != (m,):
        raise ValueError(
            f"x_labelled must hold at least one image and y_labelled one class number for each, shape [{m}]; "
            f"got {m} images and shape {list(y_labelled.shape)}"
        )
    if tuple(x_labelled.shape[1:]) != tuple(x_source.shape[1:]):
        raise ValueError(
            f"labelled images must have the shape of the source's, {list(x_source.shape[1:])}, "
            f"not {list(x_labelled.shape[1:])}"
        )


def check_classes(labels, n_classes: int) -> None:
    """Labels in a NumPy array lie in 0 … n_classes − 1; a tensor is not looked at, for it may live on a GPU."""
    if isinstance(labels, np.ndarray) and labels.size and not 0 <= labels.min() <= labels.max() < n_classes:
        raise ValueError(
            f"labels must be classes 0 to {n_classes - 1}, as many as the label predictor has logits, not "
            f"{labels.min()} to {labels.max()}"
        )
