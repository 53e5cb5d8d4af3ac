"""ADDA's text and its authors' code, on MNIST ↔ USPS: which difference costs how much. Chapter 8 quotes the answer.

    DTLBOOK_DATA=… python benchmarks/adda_authors_code.py [--seeds 1] [--pair mnist-usps] [--choice logits]

Ten minutes a line on one core. The authors' public code (github.com/erictzeng/adda) comes with a script for SVHN → MNIST.
It departs from the ledger's rows "ADDA" in the ways below, which are taken one after the other, each on top of the last:

    stage-1    the source network by Adam, μ = 0.0002 and β_1 = 0.5, 10,000 steps of 128 (the ledger: SGD, 3,000 of 64)
    logits     M ends at the logits: D looks at them, and M_t's last layer is adapted with the rest
    size-32    images of 32×32 instead of 28×28
    range-255  pixels 0 … 255 instead of 0 … 1

Besides, the script judges on the target's training images, not on its test images: the last two columns do, on the
sampled ones. Stage 2 is the paper's in all lines (Adam, 10,000 steps of 128). Target labels judge, and choose nothing.
"""

import argparse
from dataclasses import replace

import torch
from torch import nn

from dtlbook import data
from dtlbook.data.handwritten import resized
from dtlbook.results import experiments
from dtlbook.torch import adda, adda_logits, networks, training

CHOICES = ("stage-1", "logits", "size-32", "range-255")
STAGE = {"steps": 10000, "batch_size": 128, "records": 1}


class Times255(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 255 * x


def domains(pair: str, seed: int, size: int) -> list[data.Domain]:
    """The pair with the ledger's sampled training images, at ``size`` × ``size``."""
    both = []
    for domain in experiments.domains(pair, pair, seed):
        if size != 28:
            domain = replace(domain, **{part: resized(getattr(domain, part), size) for part in ("x_train", "x_test")})
        both.append(domain)
    return both


def run(choices: set[str], pair: str, seed: int) -> list[float]:
    """Accuracy of source only and ADDA on the target's test images, then on its sampled training images."""
    source, target = domains(pair, seed, 32 if "size-32" in choices else 28)
    parts = networks.in_bfloat16(networks.lenet(source.image_shape, seed=seed))
    if "range-255" in choices:
        parts = parts._replace(feature_extractor=nn.Sequential(Times255(), parts.feature_extractor))
    if "stage-1" in choices:
        first = adda_logits.first_stage(source, target, networks=parts, seed=seed, **STAGE).networks
        first = first if "logits" in choices else parts  # which were trained in place
    else:
        first = training.source_only(
            source, target, networks=parts, seed=seed, steps=3000, batch_size=64, records=1
        ).networks
    second = adda.adapt(first, source, target, seed=seed, **STAGE).networks
    return [
        training.accuracy(trained, *images)
        for images in ((target.x_test, target.y_test), (target.x_train, target.y_train))
        for trained in (first, second)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--pair", action="append", choices=("mnist-usps", "usps-mnist"))
    parser.add_argument(
        "--choice", action="append", choices=("none", *CHOICES), help="up to this one; all if not given"
    )
    options = parser.parse_args()
    print(
        "| pair | seed | up to | source only | ADDA | the same on training images | ADDA |\n|---|---|---|---|---|---|---|"
    )
    for pair in options.pair or ("mnist-usps", "usps-mnist"):
        for last in options.choice or ("none", *CHOICES):
            taken = set(CHOICES[: CHOICES.index(last) + 1]) if last != "none" else set()
            for seed in range(options.seeds):
                scores = " | ".join(f"{score:.3f}" for score in run(taken, pair, seed))
                print(f"| {pair} | {seed} | {last} | {scores} |", flush=True)


if __name__ == "__main__":
    main()
