"""ADDA falls short of its paper on MNIST ↔ USPS: is it the first stage? Chapter 8 quotes the answer.

    DTLBOOK_DATA=… python benchmarks/adda_first_stage.py [--seeds 1] [--pair mnist-usps]   # 11 minutes a seed and pair, one core

The ledger trains stage 1 like every "source only" of the book: SGD, 3,000 steps of 64 images. Here it is trained as in
Tzeng et al. 2017, section 5.1: Adam with μ = 0.0002 and β_1 = 0.5, 10,000 steps of 128 images. Stage 2 is the paper's in
both. Target labels judge, and choose nothing.
"""

import argparse

import torch

from dtlbook.results import experiments
from dtlbook.torch import adda, networks, training


def by_adam(parts: networks.Networks) -> training.Update:
    """Updates of G_f and G_y down the source's label loss."""
    learned = [*parts.feature_extractor.parameters(), *parts.label_predictor.parameters()]
    optimizer = torch.optim.Adam(learned, lr=0.0002, betas=(0.5, 0.999))

    def update(*batch_lam_mu: torch.Tensor) -> training.Losses:
        *batch, _, _ = batch_lam_mu
        losses = training.supervised_loss(parts, *batch)
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
        return losses

    return update


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--pair", action="append", choices=("mnist-usps", "usps-mnist"))
    options = parser.parse_args()
    both = {"steps": 10000, "batch_size": 128, "records": 1}
    print("| pair | seed | source only | ADDA |\n|---|---|---|---|")
    for pair in options.pair or ("mnist-usps", "usps-mnist"):
        for seed in range(options.seeds):
            source, target = experiments.domains(pair, pair, seed)
            parts = networks.in_bfloat16(networks.lenet(seed=seed))
            error = training.fresh_domain_error
            first = training.run(
                by_adam, source, target, networks=parts, lam=0.0, seed=seed, domain_error=error, **both
            )
            second = adda.adapt(first.networks, source, target, seed=seed, **both)
            scores = " | ".join(f"{run.history.target_accuracy[-1]:.3f}" for run in (first, second))
            print(f"| {pair} | {seed} | {scores} |", flush=True)


if __name__ == "__main__":
    main()
