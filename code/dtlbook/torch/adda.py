"""Adversarial discriminative domain adaptation (ADDA) in PyTorch: two stages, an encoder for each domain.

Tzeng, Hoffman, Saenko and Darrell, *Adversarial Discriminative Domain Adaptation*, CVPR 2017, eq. 9. Stage 1 trains
the source's encoder M_s and the classifier C on the labelled source. Stage 2 leaves both as they are, copies M_s
into M_t and trains M_t against a discriminator D:

    min over D    L_D = − E_s log D(M_s(x_s)) − E_t log(1 − D(M_t(x_t)))
    min over M_t  L_M = − E_t log D(M_t(x_t))            with inverted labels: the target is called source
    (minimax, as in DANN, would be L_M = + E_t log(1 − D(M_t(x_t))), whose gradient fades where D is sure)

C(M_t(x)) labels the target. In the paper the source is 1 and the target 0, D is the probability of "source". In
this book d = 0 is the source and d = 1 the target, and D has one logit z, above 0 for "target": so the paper's
D is σ(−z), −log D = softplus(z) and −log(1 − D) = softplus(−z).

>>> from dtlbook import data
>>> run = train(*data.pair("digits-rotated"), steps=10, records=1)
>>> run.history.step
[10]
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus

from dtlbook import recipe
from dtlbook.arguments import whole
from dtlbook.data import Domain
from dtlbook.torch import training
from dtlbook.torch.dann import domain_loss
from dtlbook.torch.networks import Networks, set_weights
from dtlbook.torch.training import Losses, Run, Update

__all__ = ["adapt", "adversarial_update", "domain_loss", "encoder_loss", "train", "with_discriminator"]


def encoder_loss(z_target: Tensor, minimax: bool = False) -> Tensor:
    """L_M from the target's domain logits z, [n, 1]: mean of −log D = softplus(z), the inverted label d = 0.

    Its derivative is σ(z): near 1 where D is sure of "target". With ``minimax`` it is log(1 − D) = −softplus(−z), whose
    derivative σ(−z) is near 0 there. (`domain_loss` is L_D, the sum of two means of `dtlbook.torch.dann`.)
    """
    return -softplus(-z_target).mean() if minimax else softplus(z_target).mean()


def adversarial_update(source_networks: Networks, minimax: bool = False) -> Callable[[Networks], Update]:
    """Updates of stage 2 for `training.run`: a step of D down L_D, then one of M_t down L_M against the new D.

    Both by Adam with β_1 = 0.5 as in the paper; the rate is μ for D and λμ for M_t. M_s and C take part as they are.
    Meant for networks without batch normalisation: each encoder sees one domain only, and so does D in M_t's step.
    """
    encode, classify = source_networks.feature_extractor.eval(), source_networks.label_predictor.eval()

    def make_update(networks: Networks) -> Update:
        encoder, discriminator = networks.feature_extractor, networks.domain_classifier
        encoder_step, discriminator_step = _adam(encoder), _adam(discriminator)  # made once: their momenta live in them

        def update(x_source: Tensor, y_source: Tensor, x_target: Tensor, lam: Tensor, mu: Tensor) -> Losses:
            n = len(x_source)
            with torch.no_grad():
                f_source = encode(x_source)
                label = cross_entropy(classify(f_source), y_source)  # for the record; stage 2 does not change it
            f_target = encoder(x_target)

            z = discriminator(torch.cat([f_source, f_target.detach()]))  # no gradient to M_t
            domain = domain_loss(z[:n], z[n:])
            discriminator_step(domain, mu)

            total = encoder_loss(discriminator(f_target), minimax)
            encoder_step(total, lam * mu)
            return Losses(total, label, domain)

        return update

    return make_update


def _adam(part: nn.Module) -> Callable[[Tensor, Tensor], None]:
    """step(loss, rate): one step of this part alone down the loss."""
    parameters = list(part.parameters())
    rate = torch.zeros((), device=parameters[0].device)
    on_gpu = rate.is_cuda  # there a step may be part of a CUDA graph
    optimizer = torch.optim.Adam(parameters, lr=rate, betas=(0.5, 0.999), eps=1e-8, fused=True, capturable=on_gpu)

    def step(loss: Tensor, mu: Tensor) -> None:
        rate.copy_(mu)
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        optimizer.step()

    return step


def with_discriminator(networks: Networks, width: int = 500, seed: int = 0) -> Networks:
    """The networks with a new D in place of G_d: features → width → width → 1 with ReLUs, the paper's for digits."""
    like = next(networks.domain_classifier.parameters())
    sizes = (like.shape[1], whole(width, "width")), (width, width), (width, 1)
    a, b, c = (nn.Linear(*size, dtype=like.dtype, device=like.device) for size in sizes)
    discriminator = nn.Sequential(a, nn.ReLU(), b, nn.ReLU(), c)
    set_weights(discriminator, recipe.initial_weights(sizes, seed + 1))  # other draws than the networks' own
    return networks._replace(domain_classifier=discriminator)


def adapt(
    source_networks: Networks,
    source: Domain,
    target: Domain,
    *,
    lam: float = 1.0,
    width: int | None = 500,
    minimax: bool = False,
    mu_0: float = 0.0002,
    alpha: float = 0.0,
    scheduled: bool = False,
    **settings,
) -> Run:
    """Stage 2: ``source_networks``, trained on the source, stay as they are; the Run's are copies, adapted.

    ``width``     of D's two hidden layers, see `with_discriminator`; None trains a copy of the networks' own G_d
    ``mu_0``      learning rate, the paper's; constant with ``alpha=0``
    ``lam``       factor of M_t's learning rate (Adam takes any factor out of a loss); constant if not ``scheduled``
    ``settings``  the others of `dtlbook.torch.training.run`

    In the Run's networks M_t is the feature extractor. In its history the source is seen through M_s, which is what
    labels it: ``source_accuracy`` is that of stage 1, ``domain_error`` is D's on M_s(x_s) and M_t(x_t).
    """

    def domain_error(networks: Networks, source: Domain, target: Domain) -> float:
        z_source, z_target = (
            training.logits(Networks(encoder, networks.domain_classifier, None), domain.x_test)
            for encoder, domain in ((source_networks.feature_extractor, source), (networks.feature_extractor, target))
        )
        return float(((z_source > 0).mean() + (z_target <= 0).mean()) / 2)

    settings = {"domain_error": domain_error, **settings}
    settings |= {"lam": lam, "mu_0": mu_0, "alpha": alpha, "scheduled": scheduled}
    check_same_device(source_networks, settings.get("device"))
    networks = copy.deepcopy(source_networks)
    if width is not None:
        networks = with_discriminator(networks, width, settings.get("seed", 0))
    training.check_networks_fit(networks, source)
    run = training.run(adversarial_update(source_networks, minimax), source, target, networks=networks, **settings)
    accuracy = training.accuracy(source_networks, source.x_test, source.y_test)
    run.history.source_accuracy[:] = [accuracy] * len(run.history)
    return run


def check_same_device(source_networks: Networks, device: str | torch.device | None) -> None:
    """M_s and C, which `training.run` does not move, lie where stage 2 is to run."""
    training.check_device(device)
    wanted = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    here = next(source_networks.feature_extractor.parameters()).device
    if here.type != wanted.type:
        raise ValueError(
            f"source_networks lie on {str(here)!r} and stage 2 is to run on {str(wanted)!r}; move all three parts there "
            f"by part.to({str(wanted)!r}), or give device={str(here)!r}"
        )


def train(
    source: Domain,
    target: Domain,
    *,
    lam: float = 1.0,
    width: int | None = 500,
    minimax: bool = False,
    mu_0: float = 0.0002,
    alpha: float = 0.0,
    scheduled: bool = False,
    first_stage: Mapping[str, Any] | None = None,
    **settings,
) -> Run:
    """Both stages: `training.source_only`, then `adapt`, whose Run is returned; its seconds count stage 1 too.

    ``lam`` … ``scheduled``  of stage 2, see `adapt`; it can collapse: check which classes the target is given
    ``settings``     steps, batch_size, seed, records and so on, of either stage; ``networks`` become the source's
    ``first_stage``  settings of stage 1 alone, such as its own steps, mu_0 or momentum
    """
    recipe.check_lambda(lam)  # a bad setting of stage 2 is told before stage 1 is trained
    recipe.learning_rate_schedule(0.0, mu_0, alpha)
    if width is not None:
        whole(width, "width")
    first = training.source_only(source, target, **{**settings, **(first_stage or {})})
    settings.pop("networks", None)
    rates = {"lam": lam, "mu_0": mu_0, "alpha": alpha, "scheduled": scheduled}
    run = adapt(first.networks, source, target, width=width, minimax=minimax, **rates, **settings)
    run.history.seconds[:] = [first.history.seconds[-1] + seconds for seconds in run.history.seconds]
    return run
