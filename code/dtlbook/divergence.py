"""How far apart two domains lie, seen through a classifier that has to tell them apart.

Ben-David et al., *Analysis of Representations for Domain Adaptation*, NIPS 19 (2007), and *A theory of learning
from different domains*, Machine Learning 79 (2010); Ganin et al., *Domain-Adversarial Training of Neural
Networks*, JMLR 17 (2016), eq. 3 (proxy A-distance).
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict


def domain_error(f_source: np.ndarray, f_target: np.ndarray, seed: int = 0, strength: float = 1.0) -> float:
    """Error ε of a fresh linear classifier that tells source from target.

    ``f_source`` [n, k] and ``f_target`` [n', k] are features (or flattened images). The pooled sample is cut
    into two halves at random; a logistic regression is trained on one half and measured on the other, then
    the halves change places. So no sample judges a classifier that saw it, and nothing is chosen on the half
    that measures: ε has mean 1/2 when both domains follow the same distribution. Each domain counts one half,
    whatever n and n' are.

    ε belongs to a class of classifiers, not to the features alone. ``strength`` is that class: the inverse of
    the penalty on the weights (scikit-learn's C), for features whose pooled variances sum to 1. One common
    scale, not one a feature: a direction in which the features hardly vary needs large weights. With 1 the
    classifier sees the coarse picture; with 1000 it also finds the traces left in features that confuse G_d.
    """
    if not strength > 0:
        raise ValueError(f"strength must be greater than 0, not {strength}")
    x_source, x_target = _samples(f_source, "f_source"), _samples(f_target, "f_target")
    if x_source.shape[1] != x_target.shape[1]:
        raise ValueError(
            f"both domains need the same number of features; f_source has {x_source.shape[1]}, "
            f"f_target has {x_target.shape[1]}"
        )
    x = _common_scale(np.concatenate([x_source, x_target]))
    d = np.concatenate([np.zeros(len(x_source), int), np.ones(len(x_target), int)])  # d_i: 0 source, 1 target
    classifier = LogisticRegression(C=strength, class_weight="balanced", max_iter=5000)
    halves = StratifiedKFold(n_splits=2, shuffle=True, random_state=seed)
    wrong = cross_val_predict(classifier, x, d, cv=halves) != d
    return float((wrong[d == 0].mean() + wrong[d == 1].mean()) / 2)


def proxy_a_distance(
    f_source: np.ndarray, f_target: np.ndarray, seed: int = 0, strength: float = 1.0
) -> float:
    """Proxy A-distance 2(1 − 2ε) (JMLR 2016, eq. 3), ε from `domain_error`.

    About 0 for two samples of one distribution, 2 for domains that a hyperplane separates. It may come out a
    little below 0, and is left so: cutting at 0 would bias it upwards.
    """
    return 2.0 * (1.0 - 2.0 * domain_error(f_source, f_target, seed, strength))


def _common_scale(x: np.ndarray) -> np.ndarray:
    """The pooled sample about its mean, divided by ONE number: the variances of its columns sum to 1."""
    x = x - x.mean(axis=0)
    return x / (np.sqrt((x**2).sum(axis=1).mean()) or 1.0)


def _samples(features: np.ndarray, name: str) -> np.ndarray:
    x = np.asarray(features, dtype=np.float64)
    if x.ndim < 2 or len(x) < 2:
        raise ValueError(
            f"{name} must be an array of at least 2 samples, [n, features], not of shape {list(x.shape)}"
        )
    x = x.reshape(len(x), -1)
    if not np.isfinite(x).all():
        raise ValueError(
            f"{name} contains values that are not finite; the run that made it has probably diverged"
        )
    return x
