"""The course of a run of DANN on MNIST → MNIST-M as in the ledger. Chapter 5 quotes those that collapse.

    DTLBOOK_DATA=… python benchmarks/dann_collapse.py [--framework tensorflow] [--seed 2] [--float32]  # 6 minutes on one core

Accuracies are of the first 1,000 test images, and so is the mean of f. A run depends on the last digit of every sum, so
another machine, or another number of threads, may see another seed collapse.
"""

import argparse
from dataclasses import replace
from importlib import import_module

import numpy as np

from dtlbook import data, recipe
from dtlbook.results import experiments


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", choices=("torch", "tensorflow"), default="tensorflow")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--float32", action="store_true", help="compute G_f in float32, not in bfloat16")
    options = parser.parse_args()
    networks, training, dann = (
        import_module(f"dtlbook.{options.framework}.{name}") for name in ("networks", "training", "dann")
    )
    pair = data.pair("mnist-mnistm")
    source, target = (replace(domain, x_test=domain.x_test[:1000], y_test=domain.y_test[:1000]) for domain in pair)
    parts = networks.dann_mnist(mean=recipe.mean_image(source, target), seed=options.seed)
    if not options.float32:
        parts = networks.in_bfloat16(parts)
    settings = dict(experiments.find("mnist-mnistm").deep)
    del settings["network"], settings["bfloat16"]

    def size(parts, source, target) -> float:
        """Stands in the history where the domain error is otherwise."""
        return float(np.abs(training.features(parts, source.x_test)).mean())

    run = dann.train(source, target, networks=parts, seed=options.seed, domain_error=size, **settings | {"records": 56})
    print("| step | λ | L_y | L_d | mean of f | source | target |\n|---|---|---|---|---|---|---|")
    history = run.history
    for row in zip(
        history.step, history.lam, history.label_loss, history.domain_loss, history.domain_error,
        history.source_accuracy, history.target_accuracy, strict=True,
    ):  # fmt: skip
        print("| {} | {:.2f} | {:.3f} | {:.3f} | {:.2f} | {:.3f} | {:.3f} |".format(*row))


if __name__ == "__main__":
    main()
