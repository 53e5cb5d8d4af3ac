"""Stage 2 of ADDA on the rotated digits under other settings, several seeds each: the table of chapter 8.

    PYTHONPATH=code python benchmarks/adda_stability.py [seeds]

Stage 1 (`training.source_only`, 2,000 steps) is trained once a seed; every setting starts from it and takes 2,000
steps of 32 + 32 images on one thread. Prints mean ± standard deviation of the target accuracy at the last step, the
worst seed, the error of the run's own D, and the total variation distance between the classes given to the target's
test images and the class proportions of the source's training labels, which needs no target label.
"""

import sys

import numpy as np
import torch

from dtlbook import data
from dtlbook.torch import adda, training
from dtlbook.torch.networks import mlp

SETTINGS = {
    "inverted labels (the default)": {},
    "minimax": {"minimax": True},
    "D of width 64": {"width": 64},
    "M_t ten times as fast": {"lam": 10.0},
    "both ten times as fast": {"mu_0": 0.002},
    "both ten times as slow": {"mu_0": 0.00002},
    "M_t from new weights": {"fresh": True},
}


def stage_2(first, source, target, seed: int, fresh: bool = False, **settings):
    if not fresh:
        return adda.adapt(first, source, target, seed=seed, records=5, **settings)
    new = mlp(64, source.n_classes, seed=seed + 1000)  # as `adda.adapt`, but M_t does not start from M_s
    networks = adda.with_discriminator(new._replace(label_predictor=first.label_predictor), seed=seed)
    rates = {"mu_0": 0.0002, "alpha": 0.0, "scheduled": False}
    update = adda.adversarial_update(first)

    def domain_error(networks, source, target) -> float:  # D on M_s(x_s) and M_t(x_t), as `adda.adapt` measures it
        z_source, z_target = (
            training.logits(networks._replace(feature_extractor=part, label_predictor=networks.domain_classifier), x)
            for part, x in ((first.feature_extractor, source.x_test), (networks.feature_extractor, target.x_test))
        )
        return float(((z_source > 0).mean() + (z_target <= 0).mean()) / 2)

    settings = {"networks": networks, "seed": seed, "records": 5, "domain_error": domain_error, **rates}
    return training.run(update, source, target, **settings)


def main() -> None:
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    torch.set_num_threads(1)
    source, target = data.pair("digits-rotated")
    shares = np.bincount(source.y_train, minlength=source.n_classes) / len(source.y_train)
    first = [training.source_only(source, target, seed=seed, records=1) for seed in seeds]
    _row("source only", [run.history.target_accuracy[-1] for run in first])
    for name, settings in SETTINGS.items():
        accuracy, error, distance = [], [], []
        for seed in seeds:
            run = stage_2(first[seed].networks, source, target, seed, **settings)
            given = np.bincount(training.predict(run.networks, target.x_test), minlength=len(shares))
            accuracy.append(run.history.target_accuracy[-1])
            error.append(run.history.domain_error[-1])
            distance.append(np.abs(given / given.sum() - shares).sum() / 2)
        _row(name, accuracy, error, distance)


def _row(name: str, *columns) -> None:
    cells = [f"{np.mean(column):.3f} ± {np.std(column, ddof=1):.3f}" for column in columns]
    print(f"{name:30s}", *cells, f"worst {min(columns[0]):.3f}", sep="   ", flush=True)


if __name__ == "__main__":
    main()
