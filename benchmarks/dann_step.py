"""Time of one DANN update: the book's loop against a plain one, in the same process, turn about.

    python benchmarks/dann_step.py [--steps 1000] [--rounds 5]

The plain loop is what one would write first: a DataLoader for each domain, the loss fetched to the host at every step.
Networks, batch size, losses and optimiser are the same. Prints the median of the rounds and the ratio; below 1 the
book's loop is faster. One thread, so that other work on the machine disturbs less.
"""

import argparse
import statistics
import time

import torch
from torch.utils.data import DataLoader, TensorDataset

from dtlbook import data
from dtlbook.torch import dann


def plain(source: data.Domain, target: data.Domain, steps: int, batch_size: int = 32) -> float:
    """Seconds of ``steps`` updates of the plain loop."""
    networks = dann.mlp_networks(64, 10)
    optimizer = torch.optim.SGD([w for part in networks for w in part.parameters()], lr=0.01, momentum=0.9)
    images = [torch.from_numpy(data.to_float(x)).permute(0, 3, 1, 2) for x in (source.x_train, target.x_train)]
    settings = dict(batch_size=batch_size, shuffle=True, drop_last=True)
    loaders = (
        DataLoader(TensorDataset(images[0], torch.from_numpy(source.y_train)), **settings),
        DataLoader(TensorDataset(images[1]), **settings),
    )
    start, done, losses = time.perf_counter(), 0, []
    while done < steps:
        for (x_source, y_source), (x_target,) in zip(*loaders, strict=True):
            if done == steps:
                break
            p = done / (steps - 1)
            for group in optimizer.param_groups:
                group["lr"] = dann.learning_rate_schedule(p)
            loss = dann.dann_loss(networks, x_source, y_source, x_target, dann.lambda_schedule(p))
            optimizer.zero_grad()
            loss.total.backward()
            optimizer.step()
            losses.append(loss.total.item())
            done += 1
    return time.perf_counter() - start


def book(source: data.Domain, target: data.Domain, steps: int) -> float:
    """Seconds of ``steps`` updates of `dtlbook.torch.dann.train`."""
    return dann.train(source, target, steps=steps, records=1, device="cpu").history.seconds[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    pair = data.pair("digits-rotated")
    for way in (plain, book):  # the first run of each warms up
        way(*pair, 50)
    times = {way.__name__: [] for way in (plain, book)}
    for round_ in range(options.rounds):
        for way in (plain, book):
            times[way.__name__].append(way(*pair, options.steps))
        print(f"round {round_ + 1} of {options.rounds}: " + ", ".join(f"{k} {v[-1]:.2f} s" for k, v in times.items()))
    medians = {name: statistics.median(values) / options.steps * 1000 for name, values in times.items()}
    ratio = statistics.median(b / p for b, p in zip(times["book"], times["plain"], strict=True))
    print(f"plain {medians['plain']:.3f} ms a step, book {medians['book']:.3f} ms a step, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
