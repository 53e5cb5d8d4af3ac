"""Are the official test images of USPS harder than the rest? Chapter 8 quotes the answer beside the paper's numbers.

    DTLBOOK_DATA=… python benchmarks/usps_test_images.py [--seeds 2]     # about two minutes a seed on one core

The networks of the ledger's MNIST → USPS, trained anew, are judged twice: on the 2,007 test images, and on those of
the 7,291 training images that were not drawn for training. Target labels judge, and choose nothing.
"""

import argparse

import numpy as np

from dtlbook import data
from dtlbook.results import experiments
from dtlbook.torch import dann, networks, training

METHODS = {"source only": training.source_only, "DANN": dann.train}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    settings = dict(experiments.find("mnist-usps").deep) | {"records": 1}
    make = getattr(networks, settings.pop("network"))
    assert settings.pop("bfloat16")
    whole = data.pair("mnist-usps")[1]
    print("| method | seed | test images | training images not drawn |\n|---|---|---|---|")
    for seed in range(parser.parse_args().seeds):
        source, target = experiments.domains("mnist-usps", "mnist-usps", seed)
        drawn = {image.tobytes() for image in target.x_train}
        rest = np.array([image.tobytes() not in drawn for image in whole.x_train])
        for name, train in METHODS.items():
            run = train(source, target, networks=networks.in_bfloat16(make(seed=seed)), seed=seed, **settings)
            sets = (whole.x_test, whole.y_test), (whole.x_train[rest], whole.y_train[rest])
            scores = " | ".join(f"{training.accuracy(run.networks, *some):.3f} ({len(some[0])})" for some in sets)
            print(f"| {name} | {seed} | {scores} |", flush=True)


if __name__ == "__main__":
    main()
