"""What both frameworks share of SagNet: the draws of its randomisations, several sources as one, checks."""

from collections.abc import Sequence

import numpy as np

from dtlbook.data import Domain

EPSILON = 1e-5  # added to the variance of a channel, as in the authors' code


def draws(steps: int, batch_size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """For every step a permutation of the batch, int64 [steps, batch_size], and α ~ U(0, 1), float32, for each image."""
    check_draws(steps, batch_size, seed)
    rng = np.random.default_rng([seed, 4])
    swaps = np.argsort(rng.random((steps, batch_size)), axis=1)
    return swaps, rng.random((steps, batch_size), dtype=np.float32)


def joined(sources: Domain | Sequence[Domain]) -> Domain:
    """Several sources of one shape and the same classes as one domain; one alone passes unchanged."""
    if isinstance(sources, Domain):
        return sources
    sources = list(sources)
    if not sources:
        raise ValueError("SagNet needs at least one source domain; the list is empty")
    first = sources[0]
    for other in sources[1:]:
        if (other.image_shape, other.n_classes) != (first.image_shape, first.n_classes):
            raise ValueError(
                f"all sources need one image shape and the same classes; {first.name} has {list(first.image_shape)} and "
                f"{first.n_classes} classes, {other.name} {list(other.image_shape)} and {other.n_classes}"
            )
    arrays = ("x_train", "y_train", "x_test", "y_test")
    name = " + ".join(source.name for source in sources)
    return Domain(name, *(np.concatenate([getattr(source, a) for source in sources]) for a in arrays))


def check_draws(steps: int, batch_size: int, seed: int) -> None:
    from dtlbook import recipe

    recipe.check_sizes(steps=steps, batch_size=batch_size)
    recipe.check_seed(seed)


def check_maps(shape: Sequence[int], pixels: Sequence[int]) -> None:
    """Feature maps: four dimensions and more than one pixel; ``pixels`` are height and width."""
    if len(shape) != 4 or pixels[0] * pixels[1] < 2:
        raise ValueError(
            f"SagNet's style is a mean and a deviation over the pixels of feature maps, so G_f must give maps of four "
            f"dimensions with at least 2 pixels, not shape {list(shape)}; cut G_f before it pools or flattens"
        )


def check_networks(maps: tuple[int, ...], content: tuple[int, ...], style: tuple[int, ...], n_classes: int) -> None:
    """Outputs of G_f, G_c and G_s for one image."""
    if content[1:] != (n_classes,) or style[1:] != (n_classes,):
        raise ValueError(
            f"G_c and G_s must each give one logit for each of the {n_classes} classes; they give shapes "
            f"{list(content)} and {list(style)} for one image, of feature maps {list(maps)}"
        )
