"""Weights that make the source count like the target: importance weighting, kernel mean matching, TrAdaBoost.

Under covariate shift both domains share p(y | x), and the target risk is the source risk weighted by
w(x) = p_T(x) / p_S(x) (Shimodaira 2000). `density_ratio` learns w from a domain classifier (Bickel et al. 2009),
`kernel_mean_matching` without one (Huang et al., NIPS 19, 2007). `TrAdaBoost` (Dai et al., ICML 2007) needs a few
labelled target samples and bears a changed p(y | x) too.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq, minimize
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import has_fit_parameter

from dtlbook.arguments import check_seed, labels, positive, samples, two_domains, weights, whole
from dtlbook.divergence import common_scale
from dtlbook.mmd import Bandwidth, bandwidths, gram


def density_ratio(
    x_source: np.ndarray,
    x_target: np.ndarray,
    strength: float = 1.0,
    seed: int = 0,
    points: np.ndarray | None = None,
) -> np.ndarray:
    """Weights w(x_i) = p_T(x_i) / p_S(x_i) of the source samples, [n], scaled to mean 1.

    A logistic regression tells the domains apart (d = 1: target), and Bayes' rule turns its answer into the ratio:
    w(x) = (n / n') · P(d = 1 | x) / P(d = 0 | x), where n / n' takes back how many samples each domain happened to
    give. The two halves of the data judge each other, so no sample is weighted by a classifier that saw it.
    ``strength`` is the classifier's, as in `dtlbook.divergence.domain_error`.

    With ``points`` [p, k], such as held-out source samples, the classifier is trained on all of both domains, and
    the ratio at the points comes back as Bayes' rule gives it, not scaled to any mean.
    """
    check_seed(seed)
    x_source, x_target = two_domains(x_source, x_target)
    n, n_target = len(x_source), len(x_target)
    extra = np.empty((0, x_source.shape[1]))
    if points is not None:
        extra = two_domains(x_source, points, ("x_source", "points"), least=1)[1]
    middle, scale = common_scale(np.concatenate([x_source, x_target]))
    x, extra = (np.concatenate([x_source, x_target]) - middle) / scale, (extra - middle) / scale
    d = np.concatenate([np.zeros(n, int), np.ones(n_target, int)])  # d_i: 0 source, 1 target
    classifier = LogisticRegression(C=positive(strength, "strength"), max_iter=5000)
    if points is None:
        halves = StratifiedKFold(n_splits=2, shuffle=True, random_state=seed)
        log_odds = cross_val_predict(classifier, x, d, cv=halves, method="decision_function")[:n]
        ratio = _ratio(log_odds, n, n_target)
        return ratio / ratio.mean()
    return _ratio(classifier.fit(x, d).decision_function(extra), n, n_target)


def _ratio(log_odds: np.ndarray, n: int, n_target: int) -> np.ndarray:
    """(n / n') P(d = 1 | x) / P(d = 0 | x); the log odds are cut at ±50, where the domains are apart anyway."""
    return n / n_target * np.exp(np.clip(log_odds, -50, 50))


def effective_size(values: np.ndarray) -> float:
    """(Σ w)² / Σ w²: as many samples of equal weight would make a weighted mean as sure (Kish 1965)."""
    w = weights(values, len(np.atleast_1d(values)))
    return float(w.sum() ** 2 / (w**2).sum())


def kernel_mean_matching(
    x_source: np.ndarray,
    x_target: np.ndarray,
    bandwidth: Bandwidth = None,
    bound: float = 1000.0,
    tolerance: float | None = None,
) -> np.ndarray:
    """Weights β [n] with which the source has the target's mean in the kernel's space (Huang et al. 2007).

    Minimise ½ βᵀKβ − κᵀβ with K_ij = k(x_i, x_j) and κ_i = (n/n') Σ_j k(x_i, x'_j), subject to 0 ≤ β_i ≤ B and
    |Σ β_i − n| ≤ n ε. ``bound`` is B; ``tolerance`` is ε, with None the paper's (√n − 1) / √n. A small B, or a
    wider kernel, keeps a few samples from carrying all the weight.

    The quadratic programme has one constraint that ties the weights together. Its multiplier ν is a price on Σ β:
    for each ν the rest is a box, solved by L-BFGS-B, and Σ β grows with ν. So: ν = 0 if the sum is good, otherwise
    the ν that brings it to the nearer limit.
    """
    x_source, x_target = two_domains(x_source, x_target)
    n, bound = len(x_source), positive(bound, "bound")
    tolerance = (np.sqrt(n) - 1) / np.sqrt(n) if tolerance is None else tolerance
    if not 0 <= tolerance < np.inf:
        raise ValueError(f"tolerance must be a number of at least 0, or None, not {tolerance}")
    least, most = n * max(1 - tolerance, 0), n * (1 + tolerance)
    if bound * n < least:
        raise ValueError(
            f"a bound of {bound} cannot give weights of mean {1 - tolerance:.3g}: raise bound or tolerance"
        )
    sigmas = bandwidths(x_source, x_target, bandwidth)
    matrix = gram(x_source, x_source, bandwidth=sigmas)
    kappa = n / len(x_target) * gram(x_source, x_target, bandwidth=sigmas).sum(axis=1)
    beta = np.clip(np.ones(n), 0, bound)

    def solve(price: float) -> np.ndarray:
        nonlocal beta  # each solution starts the next search

        def objective(b: np.ndarray) -> tuple[float, np.ndarray]:
            kb = matrix @ b
            return (b @ kb / 2 - (kappa + price) @ b) / n, (kb - kappa - price) / n

        options = {"maxiter": 5000, "maxfun": 20000, "ftol": 1e-14, "gtol": 1e-9}
        for _ in range(20):  # L-BFGS-B may stop short of the optimum: it is called again until the slope is 0
            beta = minimize(objective, beta, jac=True, method="L-BFGS-B", bounds=[(0, bound)] * n, options=options).x
            if np.abs(beta - np.clip(beta - objective(beta)[1], 0, bound)).max() < 1e-8:
                break
        return beta

    sums = {0.0: solve(0.0).sum()}  # Σ β for each price that was tried

    def gap(price: float) -> float:
        if price not in sums:
            sums[price] = solve(price).sum()
        return sums[price] - limit

    if least <= sums[0.0] <= most:
        return beta
    limit = least if sums[0.0] < least else most
    step = -np.sign(gap(0.0)) * (n + bound)  # grows until the price has brought the sum across the limit
    while gap(step) * np.sign(step) < 0:
        step *= 4
    solve(brentq(gap, *sorted((0.0, step)), xtol=1e-9 * n))
    return np.clip(beta * limit / beta.sum(), 0, bound)  # the last digits of the sum


class Round(NamedTuple):
    """One round of `TrAdaBoost`."""

    learner: object  # h_t
    error: float  # ε_t, on the target samples, by their weights
    log_vote: float  # ln(1 / β_t)


class TrAdaBoost:
    """Boosting for transfer learning (Dai et al., ICML 2007): the source helps as long as it agrees with the target.

    Each round trains h_t on both samples with their weights and measures ε_t on the target's alone. A target sample
    that h_t gets wrong gains weight, w ← w · β_t^{−1} with β_t = ε_t / (1 − ε_t), as in AdaBoost; a *source* sample
    that h_t gets wrong does not seem to follow the target and loses weight, w ← w · β with
    β = 1 / (1 + √(2 ln n / N)). The rounds ⌈N/2⌉ … N vote, h_t with weight ln(1/β_t).

    The paper has two classes, and h(x) = 1 where Π β_t^{−h_t(x)} ≥ Π β_t^{−1/2}. Here the class with the largest
    sum of votes wins, a tie goes to the later class: for two classes the same rule, for more of them an extension
    (as AdaBoost.M1 is to AdaBoost). The paper asks for ε_t < 1/2; a learner with more gets no vote and changes no
    target weight (β_t = 1), and ε_t below 1e-6 counts as 1e-6, which keeps the weights finite.

    ``estimator`` is any scikit-learn classifier whose ``fit`` takes ``sample_weight``; None is a decision stump. It
    gets weights of mean 1: with the paper's, of sum 1, a learner that also has a penalty on its size, such as logistic
    regression, would see little but the penalty.
    """

    def __init__(self, estimator: object = None, n_rounds: int = 20):
        self.estimator = DecisionTreeClassifier(max_depth=1, random_state=0) if estimator is None else estimator
        self.n_rounds = whole(n_rounds, "n_rounds")
        if not has_fit_parameter(self.estimator, "sample_weight"):
            raise ValueError(
                f"estimator must take sample_weight in fit; {type(self.estimator).__name__} does not, "
                "a decision tree or a linear classifier does"
            )

    def fit(
        self, x_source: np.ndarray, y_source: np.ndarray, x_target: np.ndarray, y_target: np.ndarray
    ) -> "TrAdaBoost":
        """Learn from the source [n, k] with labels [n] and a few labelled target samples [m, k]."""
        x_source, x_target = two_domains(x_source, x_target, least=1)
        n = len(x_source)
        x, y_source = np.concatenate([x_source, x_target]), labels(y_source, n)
        y = np.concatenate([y_source, labels(y_target, len(x_target), "y_target")])
        self.classes = np.unique(y)
        if len(self.classes) < 2:
            raise ValueError(f"at least two classes are needed; all labels are {self.classes[0]}")
        source_factor = 1 / (1 + np.sqrt(2 * np.log(n) / self.n_rounds))  # β
        w, self.rounds = np.ones(len(x)), []
        for _ in range(self.n_rounds):
            w = w / w.sum()
            learner = clone(self.estimator).fit(x, y, sample_weight=len(x) * w)
            wrong = learner.predict(x) != y
            error = float(w[n:] @ wrong[n:] / w[n:].sum())
            beta = np.clip(error, 1e-6, 0.5) / (1 - np.clip(error, 1e-6, 0.5))  # β_t
            w[:n] *= np.where(wrong[:n], source_factor, 1.0)
            w[n:] *= np.where(wrong[n:], 1 / beta, 1.0)
            self.rounds.append(Round(learner, error, float(-np.log(beta))))
        self.weights_source, self.weights_target = w[:n] / w.sum(), w[n:] / w.sum()
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Class of each sample, [p]: the later half of the rounds votes."""
        if not hasattr(self, "rounds"):
            raise ValueError("call fit before predict: there is no round to vote yet")
        x = samples(x, "x", least=1)
        check_columns(x, self.rounds[0].learner)
        votes = np.zeros((len(x), len(self.classes)))
        for learner, _, log_vote in self.rounds[-(-self.n_rounds // 2) - 1 :]:  # ⌈N/2⌉ … N, counted from 1
            votes += log_vote * (learner.predict(x)[:, None] == self.classes)
        last = votes.shape[1] - 1
        return self.classes[last - votes[:, ::-1].argmax(axis=1)]


def check_columns(x: np.ndarray, learner: object) -> None:
    """As many features as the learner was given, if it says how many."""
    expected = getattr(learner, "n_features_in_", x.shape[1])
    if x.shape[1] != expected:
        raise ValueError(f"x must have the {expected} features of the samples given to fit, not {x.shape[1]}")
