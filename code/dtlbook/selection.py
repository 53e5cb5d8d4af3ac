"""Choosing a model without one target label: four estimates of how badly it does on the target, lower is better.

Each takes what a model says about samples that it was *not* trained on. None is the target risk: the source risk
ignores the shift, the weighted risks trust the weights, the entropy trusts the model's own confidence.
"""

import numpy as np

from dtlbook.arguments import numbers, weights


def source_risk(losses: np.ndarray) -> float:
    """Mean loss over held-out source samples, ``losses`` [n]; 0/1 losses make it the error."""
    return float(_losses(losses).mean())


def importance_weighted_risk(losses: np.ndarray, w: np.ndarray) -> float:
    """Importance-weighted validation, 1/n Σ w(x_i) ℓ_i (Sugiyama et al., JMLR 8, 2007).

    ``losses`` [n] and ``w`` [n] belong to held-out source samples, w(x) = p_T(x) / p_S(x), for instance from
    `dtlbook.weighting.density_ratio` with ``points``. Unbiased under covariate shift, but a few large weights can
    make its variance as large as one likes.
    """
    losses = _losses(losses)
    return float((weights(w, len(losses), "w") * losses).mean())


def dev_risk(losses: np.ndarray, w: np.ndarray) -> float:
    """Deep embedded validation (You et al., ICML 2019): the weighted risk with a control variate.

    E[w] = 1 is known, so that mean(w) − 1 shows in which direction these samples err: the risk is
    mean(w ℓ) + η mean(w) − η with η = −Cov(w ℓ, w) / Var(w), the η of the least variance (both moments with n − 1).
    Where all weights are equal there is nothing to correct, η = 0. Weights that were scaled to mean 1 over these
    very samples leave no trace of the error either: scale them over others (`density_ratio` with ``points``).
    """
    losses = _losses(losses, least=2)
    w = weights(w, len(losses), "w")
    weighted = w * losses
    covariance = np.cov(weighted, w)  # [[Var wℓ, Cov], [Cov, Var w]]
    constant = covariance[1, 1] <= (1e-12 * w.max()) ** 2  # what rounding leaves of a variance of 0
    eta = 0.0 if constant else -covariance[0, 1] / covariance[1, 1]
    return float(weighted.mean() + eta * w.mean() - eta)


def entropy(probabilities: np.ndarray) -> float:
    """Mean entropy −Σ_k p_k ln p_k of the model's predictions on the target, ``probabilities`` [n', K], in nats.

    0 for a model that is sure everywhere (rightly or not), ln K for one that knows nothing. A model that puts the
    whole target into one class has entropy 0 too: never choose by it alone.
    """
    p = numbers(probabilities, "probabilities")
    if p.ndim != 2 or 0 in p.shape:
        raise ValueError(f"probabilities must be a table [samples, classes], not of shape {list(p.shape)}")
    if not ((p >= 0).all() and np.allclose(p.sum(axis=1), 1, atol=1e-4)):
        raise ValueError("probabilities must be at least 0 and sum to 1 in each row; logits need a softmax first")
    return float(-np.sum(p * np.log(p, where=p > 0, out=np.zeros_like(p)), axis=1).mean())


def _losses(values: np.ndarray, least: int = 1) -> np.ndarray:
    losses = numbers(values, "losses")
    if losses.ndim != 1 or len(losses) < least:
        raise ValueError(
            f"losses must hold one number for each of at least {least} samples, not be of shape {list(losses.shape)}"
        )
    if not np.isfinite(losses).all():
        raise ValueError("losses contain values that are not finite; the model that made them has probably diverged")
    return losses
