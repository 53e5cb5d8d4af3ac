"""Many DANNs trained at once, one for each λ: the models are stacked and every layer becomes one batched product.

Each model sees the same batches and takes the same updates as its own run of `dtlbook.torch.dann.train`.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from dtlbook import recipe
from dtlbook.data import Domain
from dtlbook.torch.dann import dann_loss
from dtlbook.torch.networks import Networks, mlp
from dtlbook.torch.training import Losses, check_device, check_networks_fit, example, launches, on_device

__all__ = ["train_many"]


def train_many(
    source: Domain,
    target: Domain,
    lams: Sequence[float],
    *,
    make_networks: Callable[[int], Networks] | None = None,
    loss: Callable[..., Losses] = dann_loss,
    scheduled: bool = True,
    steps: int = 2000,
    batch_size: int = 32,
    seed: int = 0,
    mu_0: float = 0.01,
    alpha: float = 10.0,
    beta: float = 0.75,
    momentum: float = 0.9,
    device: str | None = None,
    graph: bool = False,
) -> list[Networks]:
    """The trained networks of every λ in ``lams``, in order; arguments as in `dtlbook.torch.training.run`.

    ``make_networks``  seed → networks, by default `mlp`; all models start from the same weights
    """
    if len(lams) == 0:
        raise ValueError("lams must hold at least one λ, but it is empty")
    for lam in lams:
        recipe.check_lambda(lam)
    recipe.check_run(source, target, steps, batch_size, records=1)
    recipe.check_momentum(momentum)
    recipe.check_seed(seed)
    recipe.check_rates(mu_0, alpha, beta)
    check_device(device)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    make_networks = make_networks or (lambda seed: mlp(int(np.prod(source.image_shape)), source.n_classes, seed=seed))
    models = [Networks(*(part.to(device) for part in make_networks(seed))) for _ in lams]
    check_networks_fit(models[0], source, with_domain=False)  # all are alike; what a loss asks of G_d it says itself
    stacked = [stack_module_state(parts) for parts in zip(*models, strict=True)]
    parameters = [{name: p.detach() for name, p in state[0].items()} for state in stacked]
    buffers = [state[1] for state in stacked]

    def total(parameters, buffers, lam, *batch):
        networks = Networks(
            *(
                lambda x, part=part, state=(p, b): functional_call(part, state, (x,))
                for part, p, b in zip(models[0], parameters, buffers, strict=True)
            )
        )
        return loss(networks, *batch, lam).total

    gradients = vmap(grad_and_value(total), in_dims=(0, 0, 0, None, None, None))
    velocity = [{name: torch.zeros_like(p) for name, p in part.items()} for part in parameters]
    arrays = [on_device(a, device) for a in (source.x_train, source.y_train, target.x_train)]
    indices = recipe.batch_indices(len(arrays[0]), len(arrays[2]), steps, batch_size, seed)
    indices = [on_device(indices[k], device) for k in (0, 0, 1)]
    shape, rates = recipe.schedules(steps, 1.0, scheduled, mu_0, alpha, beta)
    lams_there = torch.tensor(np.outer(shape, lams), dtype=torch.float32, device=device)
    rates_there = torch.tensor(rates, dtype=torch.float32, device=device)
    at = torch.zeros(1, dtype=torch.int64, device=device)

    def step() -> None:
        batch = [example(a[i[at][0]]) for a, i in zip(arrays, indices, strict=True)]
        g, _ = gradients(parameters, buffers, lams_there[at][0], *batch)
        for part in range(3):
            for name, v in velocity[part].items():
                v.mul_(momentum).add_(g[part][name])
                parameters[part][name].sub_(rates_there[at] * v)
        at.add_(1)

    for _, launch in zip(range(steps), launches(step, graph, device), strict=False):
        launch()
    for k, model in enumerate(models):
        for part, values in zip(model, parameters, strict=True):
            part.load_state_dict({name: p[k] for name, p in values.items()}, strict=False)
    return models
