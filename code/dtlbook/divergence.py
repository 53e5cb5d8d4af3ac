"""How far apart two domains lie, seen through a classifier that has to tell them apart.

Two ways to look: through a classifier that is trained (`domain_error`, `proxy_a_distance`), or through every
hypothesis of a small class, one by one (`empirical_h_divergence`, `hdh_divergence`, `bound_terms`).

Ben-David et al., *Analysis of Representations for Domain Adaptation*, NIPS 19 (2007), and *A theory of learning
from different domains*, Machine Learning 79 (2010); Ganin et al., *Domain-Adversarial Training of Neural
Networks*, JMLR 17 (2016), section 3 (H-divergence; eq. 3 is the proxy A-distance).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from dtlbook.arguments import check_seed, positive, samples, two_domains, whole


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
    check_seed(seed)
    strength = positive(strength, "strength")
    x_source, x_target = two_domains(f_source, f_target, ("f_source", "f_target"))
    x = np.concatenate([x_source, x_target])
    middle, scale = common_scale(x)
    x = (x - middle) / scale
    d = np.concatenate([np.zeros(len(x_source), int), np.ones(len(x_target), int)])  # d_i: 0 source, 1 target
    classifier = LogisticRegression(C=strength, class_weight="balanced", max_iter=5000)
    halves = StratifiedKFold(n_splits=2, shuffle=True, random_state=seed)
    wrong = cross_val_predict(classifier, x, d, cv=halves) != d
    return float((wrong[d == 0].mean() + wrong[d == 1].mean()) / 2)


def proxy_a_distance(f_source: np.ndarray, f_target: np.ndarray, seed: int = 0, strength: float = 1.0) -> float:
    """Proxy A-distance 2(1 − 2ε) (JMLR 2016, eq. 3), ε from `domain_error`.

    About 0 for two samples of one distribution, 2 for domains that a hyperplane separates. It may come out a
    little below 0, and is left so: cutting at 0 would bias it upwards.
    """
    return 2.0 * (1.0 - 2.0 * domain_error(f_source, f_target, seed, strength))


def common_scale(x: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean of the pooled sample, and ONE number to divide by: then the variances of its columns sum to 1."""
    middle = x.mean(axis=0)
    return middle, float(np.sqrt(((x - middle) ** 2).sum(axis=1).mean())) or 1.0


# ---- Every hypothesis of a small class --------------------------------------------------------------------------
# A class is the table of its predictions on a sample: row h, column i holds h(x_i), 0 or 1.


class HDivergence(NamedTuple):
    """What `empirical_h_divergence` finds."""

    value: float  # 2 (1 − (error_source + error_target)), from 0 (nobody can tell) to 2 (somebody always can)
    best: int  # the row of the hypothesis that tells the domains apart best
    flipped: bool  # whether it is the complement 1 − η of that row
    error_source: float  # share of the source that it takes for target
    error_target: float  # share of the target that it takes for source


def empirical_h_divergence(says_source: np.ndarray, says_target: np.ndarray, symmetric: bool = True) -> HDivergence:
    """Empirical H-divergence 2 (1 − min_η [ 1/n Σ_source I(η(x_i) = 1) + 1/n' Σ_target I(η(x_i) = 0) ]).

    ``says_source`` [H, n] and ``says_target`` [H, n'] hold what each hypothesis η says, 1 for "target". Ben-David
    et al. (2010), Lemma 2; JMLR 2016, section 3.1 (there 1 means "source", which is the same minimum). It equals
    the definition 2 max_η |P_S(η = 1) − P_T(η = 1)| only for a class that holds 1 − η with every η;
    ``symmetric`` adds these complements to the class, which changes nothing where they are there already.
    """
    says_source, says_target = _tables(says_source, says_target, "says_source", "says_target")
    takes_for_target = says_source.mean(axis=1)  # [H] error on the source
    takes_for_source = 1 - says_target.mean(axis=1)  # [H] error on the target
    errors = takes_for_target + takes_for_source
    best, flipped = int(errors.argmin()), False
    if symmetric and 2 - errors.max() < errors[best]:  # the complement errs wherever η is right
        best, flipped = int(errors.argmax()), True
    error_source, error_target = float(takes_for_target[best]), float(takes_for_source[best])
    if flipped:
        error_source, error_target = 1 - error_source, 1 - error_target
    return HDivergence(2 * (1 - (error_source + error_target)), best, flipped, error_source, error_target)


def hdh_divergence(predictions_source: np.ndarray, predictions_target: np.ndarray) -> float:
    """HΔH-divergence of two samples, 2 max_{h, h'} |P_S(h ≠ h') − P_T(h ≠ h')| (Ben-David et al. 2010).

    ``predictions_source`` [H, n] and ``predictions_target`` [H, n'] are a class on both samples. All pairs are
    tried: time grows with H² (n + n'), memory with H times a block of 512 hypotheses.
    """
    source, target = _tables(predictions_source, predictions_target, "predictions_source", "predictions_target")
    both = np.concatenate([source, target], axis=1)
    both = np.where(both[:, :1] == 1, 1 - both, both)  # 1 − h differs from h' where h does not: one of both is enough
    both = both[_distinct_rows(both)].astype(np.float64)
    n, largest = source.shape[1], 0.0
    for start in range(0, len(both), 512):
        block = both[start : start + 512]
        gap = _disagreement(block[:, :n], both[:, :n]) - _disagreement(block[:, n:], both[:, n:])
        largest = max(largest, float(np.abs(gap).max()))
    return 2 * largest


def _disagreement(h: np.ndarray, g: np.ndarray) -> np.ndarray:
    """P(h ≠ g) for every row of h with every row of g: P(h = 1) + P(g = 1) − 2 P(h = g = 1). Exact in whole numbers."""
    return (h.sum(axis=1)[:, None] + g.sum(axis=1)[None] - 2 * (h @ g.T)) / h.shape[1]


class BoundTerms(NamedTuple):
    """The terms of Ben-David et al. (2010), Theorem 2, on two samples: target_error ≤ bound, always."""

    source_error: float  # ε_S(h)
    half_hdh: float  # ½ d_HΔH
    joint_error: float  # λ, the least ε_S + ε_T of one hypothesis of the class
    bound: float  # the sum of the three
    target_error: float  # ε_T(h), what is bounded


def bound_terms(
    predictions_source: np.ndarray,
    y_source: np.ndarray,
    predictions_target: np.ndarray,
    y_target: np.ndarray,
    h: int,
) -> BoundTerms:
    """ε_T(h) ≤ ε_S(h) + ½ d_HΔH + λ for hypothesis number ``h``, all terms counted on the two samples.

    ``predictions_*`` [H, n] are the class on both samples, ``y_*`` [n] the labels 0 or 1. The inequality is sure
    for the samples themselves (the triangle inequality of the share of disagreement); for the distributions behind
    them add `complexity_term`. λ and ε_T(h) need target labels: the bound explains, it chooses nothing.
    """
    source, target = _tables(predictions_source, predictions_target, "predictions_source", "predictions_target")
    if not -len(source) <= h < len(source):
        raise ValueError(f"h must be the row of one of the {len(source)} hypotheses, 0 to {len(source) - 1}, not {h}")
    error_source = (source != _binary_labels(y_source, source.shape[1], "y_source")).mean(axis=1)
    error_target = (target != _binary_labels(y_target, target.shape[1], "y_target")).mean(axis=1)
    half_hdh = hdh_divergence(source, target) / 2
    joint_error = float((error_source + error_target).min())
    bound = float(error_source[h]) + half_hdh + joint_error
    return BoundTerms(float(error_source[h]), half_hdh, joint_error, bound, float(error_target[h]))


def complexity_term(n: int, vc_dimension: int, delta: float = 0.05, pairs: bool = True) -> float:
    """What to add for having seen samples only: 4 √((2 d log 2m' + log 2/δ) / m'), natural logarithm.

    ``n`` = m' unlabelled samples from each domain (the smaller number where they differ), ``vc_dimension`` = d of
    the class H; true with probability 1 − ``delta``. With ``pairs`` it is the term of Ben-David et al. (2010),
    Theorem 2: the class HΔH of pairs, hence 2d. Without, that of their Lemma 1, 4 √((d log 2m + log 2/δ) / m), by
    which the H-divergence of the distributions may exceed the one of the samples.
    """
    n, vc_dimension = whole(n, "n"), whole(vc_dimension, "vc_dimension")
    if not 0 < delta < 1:
        raise ValueError(f"delta must lie between 0 and 1, not be {delta}")
    d = 2 * vc_dimension if pairs else vc_dimension
    return float(4 * np.sqrt((d * np.log(2 * n) + np.log(2 / delta)) / n))


# ---- Three small classes, listed in full ------------------------------------------------------------------------

ROUNDING = 1e-12  # relative; points on a common line or circle are told apart by nothing but rounding


@dataclass(frozen=True)
class Thresholds:
    """h(x) = I(x > cut), or its complement where ``above`` is False. Call it with points [n]: predictions [H, n]."""

    cuts: np.ndarray  # [H]
    above: np.ndarray  # [H]

    def __len__(self) -> int:
        return len(self.cuts)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        x = _points(points, 1)[:, 0]
        return _signed(x[None] > self.cuts[:, None], self.above)


@dataclass(frozen=True)
class HalfPlanes:
    """h(x) = I(x₁ cos a + x₂ sin a > cut), or its complement. Call it with points [n, 2]: predictions [H, n]."""

    angles: np.ndarray  # [H] radians
    cuts: np.ndarray  # [H]
    above: np.ndarray  # [H]

    def __len__(self) -> int:
        return len(self.cuts)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return _signed(_along(_points(points, 2), self.angles) > self.cuts[:, None], self.above)


@dataclass(frozen=True)
class Discs:
    """h(x) = I(‖x − centre‖² > squared_radius) outside, or inside. Call it with points [n, 2]: predictions [H, n]."""

    centres: np.ndarray  # [H, 2]
    squared_radii: np.ndarray  # [H]
    outside: np.ndarray  # [H]

    def __len__(self) -> int:
        return len(self.squared_radii)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return _signed(_from(_points(points, 2), self.centres) > self.squared_radii[:, None], self.outside)


def thresholds(x: np.ndarray) -> Thresholds:
    """Every threshold, in both directions, that the values ``x`` [n] can tell apart: 2n for n different values.

    Give the pooled sample; a class made from one domain only would not cut between the points of the other.
    """
    cuts = _cuts(_points(x, 1)[:, 0])
    return Thresholds(np.tile(cuts, 2), np.repeat([True, False], len(cuts)))


def half_planes(x: np.ndarray, n_angles: int | None = 64) -> HalfPlanes:
    """Every half-plane across ``n_angles`` directions that the points ``x`` [n, 2] can tell apart.

    With ``n_angles=None`` the directions are chosen so that none is missed: one between each two at which two
    points change places. n points of which no three lie on a line then give n² − n + 2 half-planes (Cover 1965).
    """
    x = np.unique(_points(x, 2), axis=0)
    if n_angles is None and len(x) > 100:
        raise ValueError(
            f"listing every half-plane is meant for at most 100 different points, not {len(x)}; give n_angles"
        )
    angles = _turning_angles(x) if n_angles is None else np.arange(whole(n_angles, "n_angles")) * np.pi / n_angles
    cuts = [_cuts(row, ROUNDING * np.abs(x).max()) for row in _along(x, angles)]
    angles, cuts = np.repeat(angles, [len(row) for row in cuts]), np.concatenate(cuts)
    every = HalfPlanes(np.tile(angles, 2), np.tile(cuts, 2), np.repeat([True, False], len(cuts)))
    kept = _distinct_rows(every(x))
    return HalfPlanes(every.angles[kept], every.cuts[kept], every.above[kept])


def discs(x: np.ndarray) -> Discs:
    """Every disc round a point of ``x`` [n, 2], and its outside, that the points can tell apart."""
    x = np.unique(_points(x, 2), axis=0)
    cuts = [_cuts(row, ROUNDING * row.max()) for row in _from(x, x)]
    centres, cuts = np.repeat(x, [len(row) for row in cuts], axis=0), np.concatenate(cuts)
    every = Discs(np.tile(centres, (2, 1)), np.tile(cuts, 2), np.repeat([True, False], len(cuts)))
    kept = _distinct_rows(every(x))
    return Discs(every.centres[kept], every.squared_radii[kept], every.outside[kept])


def _along(x: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Place of each point along each direction, [directions, n]; one by one, so that equal points stay equal."""
    return np.cos(angles)[:, None] * x[None, :, 0] + np.sin(angles)[:, None] * x[None, :, 1]


def _from(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared distance of each point from each centre, [centres, n]."""
    return (x[None, :, 0] - centres[:, :1]) ** 2 + (x[None, :, 1] - centres[:, 1:]) ** 2


def _turning_angles(x: np.ndarray) -> np.ndarray:
    """A direction, in [0, π), out of each interval within which the order of the points along it stays the same."""
    i, j = np.triu_indices(len(x), 1)
    across = np.arctan2(x[j, 1] - x[i, 1], x[j, 0] - x[i, 0]) + np.pi / 2  # here i and j change places
    turns = np.unique(across % np.pi)
    if not len(turns):
        return np.zeros(1)
    return (turns + np.append(turns[1:], turns[0] + np.pi)) / 2 % np.pi


def _cuts(values: np.ndarray, tolerance: float = 0.0) -> np.ndarray:
    """One cut below all values, one between each two neighbours that lie more than ``tolerance`` apart."""
    low = np.unique(values)
    gaps = np.diff(low)
    middle = low[:-1] + gaps / 2
    middle = np.where(middle < low[1:], middle, low[:-1])  # neighbouring floats have no number between them
    return np.append(low[0] - 1 - abs(low[0]), middle[gaps > tolerance])


def _signed(is_one: np.ndarray, as_is: np.ndarray) -> np.ndarray:
    return (is_one == np.asarray(as_is)[:, None]).astype(np.int8)


def _distinct_rows(table: np.ndarray) -> np.ndarray:
    """Numbers of the rows that are the first of their kind, in order; the table holds 0 and 1."""
    packed = np.ascontiguousarray(np.packbits(table.astype(bool), axis=1))
    return np.sort(np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_index=True)[1])


def _points(values: np.ndarray, k: int) -> np.ndarray:
    x = np.asarray(values, dtype=np.float64)
    if k == 1 and x.ndim == 1:
        x = x[:, None]
    x = samples(x, "points", least=1)
    if x.shape[1] != k:
        raise ValueError(f"points must have {k} coordinate{'s' * (k > 1)}, [n, {k}], not {x.shape[1]}")
    return x


def _tables(source: np.ndarray, target: np.ndarray, name_source: str, name_target: str) -> list[np.ndarray]:
    tables = [np.asarray(source), np.asarray(target)]
    for table, name in zip(tables, (name_source, name_target), strict=True):
        if table.ndim != 2 or 0 in table.shape:
            raise ValueError(f"{name} must be a table [hypotheses, samples], not of shape {list(table.shape)}")
        if not np.isin(table, (0, 1)).all():
            raise ValueError(f"{name} must hold what each hypothesis says, 0 or 1, and nothing else")
    if len(tables[0]) != len(tables[1]):
        raise ValueError(
            f"both tables need a row for each hypothesis; {name_source} has {len(tables[0])} rows, "
            f"{name_target} has {len(tables[1])}"
        )
    return [table.astype(np.int8) for table in tables]


def _binary_labels(values: np.ndarray, n: int, name: str) -> np.ndarray:
    y = np.asarray(values)
    if y.shape != (n,) or not np.isin(y, (0, 1)).all():
        raise ValueError(f"{name} must hold a label, 0 or 1, for each of the {n} samples")
    return y.astype(np.int8)
