"""Shallow adaptation of fixed features: subspace alignment, geodesic flow kernel, CORAL; and the nearest neighbour.

Each learns from unlabelled samples of both domains and answers in features: ``fit(x_source, x_target)``, then
``transform(x, domain)``. With the source labels, ``fit(x_source, x_target, y_source)``, it also predicts, by the
nearest source sample. All three compare directions of variance, so each domain should be standardised first
(`standardised`); no mean is taken off here.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from sklearn.metrics import pairwise_distances_argmin

from dtlbook.arguments import labels, positive, samples, two_domains, whole


def nearest_neighbour(x_source: np.ndarray, y_source: np.ndarray, x_target: np.ndarray) -> np.ndarray:
    """Label of the nearest source sample (Euclidean) for each target sample, [n']."""
    x_source, x_target = two_domains(x_source, x_target, least=1)
    return labels(y_source, len(x_source))[pairwise_distances_argmin(x_target, x_source)]


def standardised(x: np.ndarray) -> np.ndarray:
    """Each column of ONE domain with mean 0 and variance 1; a column that never varies becomes 0."""
    x = samples(x, "x")
    x = x - x.mean(axis=0)
    deviation = x.std(axis=0)
    varies = deviation > 1e-12 * np.abs(x).max(initial=1e-300)
    return np.where(varies, x / np.where(varies, deviation, 1), 0.0)


def principal_directions(x: np.ndarray, n_components: int, name: str = "x") -> np.ndarray:
    """The ``n_components`` orthonormal directions of largest variance of ``x`` [n, k], as columns [k, d]."""
    directions = _directions(samples(x, name))
    if whole(n_components, "n_components") > directions.shape[1]:
        raise ValueError(
            f"n_components must be at most {directions.shape[1]}, the number of directions in which {name} varies, "
            f"not {n_components}"
        )
    return directions[:, :n_components]


def _directions(x: np.ndarray) -> np.ndarray:
    """Every direction in which the sample varies, the largest variance first, [k, rank]."""
    centred = x - x.mean(axis=0)
    if len(x) > x.shape[1]:  # eigenvectors of the k × k scatter matrix: no n × k factor
        variances, directions = np.linalg.eigh(centred.T @ centred)
        variances, directions = variances[::-1], directions[:, ::-1]
    else:
        _, singular, rows = np.linalg.svd(centred, full_matrices=False)
        variances, directions = singular**2, rows.T
    return directions[:, variances > 1e-12 * max(variances[0], 1e-300)]


class SubspaceAlignment:
    """Subspace alignment (Fernando et al., ICCV 2013): M = P_Sᵀ P_T turns the source's axes onto the target's.

    Source features X_S P_S M = X_S P_S P_Sᵀ P_T, target features X_T P_T, with the first ``n_components`` principal
    directions P_S and P_T [k, d] of each domain. M is the matrix with the least ‖P_S M − P_T‖_F. With d = k nothing
    is lost and nothing aligned: distances are those of the features given.
    """

    def __init__(self, n_components: int):
        self.n_components = whole(n_components, "n_components")

    def fit(
        self, x_source: np.ndarray, x_target: np.ndarray, y_source: np.ndarray | None = None
    ) -> "SubspaceAlignment":
        """Learn from [n, k] and [n', k]; ``y_source`` [n] is only kept, for `predict`."""
        x_source, x_target = two_domains(x_source, x_target)
        p_source = principal_directions(x_source, self.n_components, "x_source")
        p_target = principal_directions(x_target, self.n_components, "x_target")
        self.alignment = p_source.T @ p_target  # M [d, d]
        self.to_features = {"source": p_source @ self.alignment, "target": p_target}
        self.neighbours = _neighbours(self.transform(x_source, "source"), y_source)
        return self

    def transform(self, x: np.ndarray, domain: str) -> np.ndarray:
        """Aligned features [n, d] of samples of the ``domain``, "source" or "target"."""
        matrices = _fitted(self, "to_features")
        return _columns(x, matrices[_domain(domain)]) @ matrices[domain]

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Label of the nearest aligned source sample for each target sample."""
        return nearest_neighbour(*_labelled(self), self.transform(x, "target"))


class GeodesicFlowKernel:
    """Geodesic flow kernel (Gong et al., CVPR 2012): all subspaces on the way from source to target at once.

    Φ(t), t from 0 to 1, is the geodesic on the Grassmann manifold from the source's subspace Φ(0) = P_S to the
    target's Φ(1) = P_T. The kernel sums the inner products of the projections onto each of them,
    xᵀ G z with G = ∫₀¹ Φ(t) Φ(t)ᵀ dt. In the principal vectors (column by column)

        P_S U = A,   P_T V = A cos θ + B sin θ,   Φ(t) = A cos tθ + B sin tθ,

    with the singular value decomposition P_Sᵀ P_T = U cos θ Vᵀ and B orthogonal to P_S, the integral is

        G = A Λ₁ Aᵀ + A Λ₂ Bᵀ + B Λ₂ Aᵀ + B Λ₃ Bᵀ,
        Λ₁ = ½ (1 + sin 2θ / 2θ),   Λ₂ = (1 − cos 2θ) / 4θ,   Λ₃ = ½ (1 − sin 2θ / 2θ).

    (The paper writes 1 ± sin 2θ / 2θ without the ½, and B with the other sign.) Both subspaces are of principal
    components; the paper's variant with partial least squares for the source is not here.
    """

    def __init__(self, n_components: int):
        self.n_components = whole(n_components, "n_components")

    def fit(
        self, x_source: np.ndarray, x_target: np.ndarray, y_source: np.ndarray | None = None
    ) -> "GeodesicFlowKernel":
        """Learn from [n, k] and [n', k]; ``y_source`` [n] is only kept, for `predict`."""
        x_source, x_target = two_domains(x_source, x_target)
        p_source = principal_directions(x_source, self.n_components, "x_source")
        p_target = principal_directions(x_target, self.n_components, "x_target")
        a, b, self.angles = _principal_vectors(p_source, p_target)
        self.root = _kernel_root(a, b, self.angles)  # [k, 2d] with root rootᵀ = G
        self.neighbours = _neighbours(x_source @ self.root, y_source)
        return self

    @property
    def matrix(self) -> np.ndarray:
        """G [k, k]."""
        return _fitted(self, "root") @ self.root.T

    def transform(self, x: np.ndarray, domain: str = "target") -> np.ndarray:
        """Features x G^{1/2} [n, 2d], the same for both domains: their inner products are the kernel."""
        _domain(domain)
        return _columns(x, _fitted(self, "root")) @ self.root

    def kernel(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """xᵀ G z for every pair, [n, m]."""
        return self.transform(x) @ self.transform(z).T

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Label of the source sample nearest in the kernel's distance, for each target sample."""
        return nearest_neighbour(*_labelled(self), self.transform(x))


class Coral:
    """Correlation alignment (Sun et al., AAAI 2016): the source gets the covariance of the target.

    Source features X_S C_S^{−1/2} C_T^{1/2}, whitened and coloured anew, with C = covariance + ``regulariser`` · 1 (1
    in the paper, for standardised features); target features are left as they are.
    """

    def __init__(self, regulariser: float = 1.0):
        self.regulariser = positive(regulariser, "regulariser")

    def fit(self, x_source: np.ndarray, x_target: np.ndarray, y_source: np.ndarray | None = None) -> "Coral":
        """Learn from [n, k] and [n', k]; ``y_source`` [n] is only kept, for `predict`."""
        x_source, x_target = two_domains(x_source, x_target)
        self.colouring = _power(self._covariance(x_source), -0.5) @ _power(self._covariance(x_target), 0.5)  # [k, k]
        self.neighbours = _neighbours(x_source @ self.colouring, y_source)
        return self

    def transform(self, x: np.ndarray, domain: str) -> np.ndarray:
        """Features [n, k] of samples of the ``domain``, "source" or "target"."""
        x = _columns(x, _fitted(self, "colouring"))
        return x @ self.colouring if _domain(domain) == "source" else x

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Label of the nearest transformed source sample for each target sample."""
        return nearest_neighbour(*_labelled(self), self.transform(x, "target"))

    def _covariance(self, x: np.ndarray) -> np.ndarray:
        return np.atleast_2d(np.cov(x, rowvar=False)) + self.regulariser * np.eye(x.shape[1])


def subspace_dimension(x_source: np.ndarray, x_target: np.ndarray, tolerance: float = 0.01) -> int:
    """A number of components without any label: the subspace disagreement measure of Gong et al. (CVPR 2012).

    D(d) = ½ (sin α_d + sin β_d), where α_d is the largest principal angle between the d-dimensional subspaces of the
    source and of both domains together, β_d the same for the target. D = 1 means that both have a direction which
    the common subspace lacks altogether. The rule takes the first d with D(d) = 1: as much variance as can be had
    before. On samples D comes near 1 without reaching it; "1" means 1 − ``tolerance``. If it never gets there, the
    d of the largest D is taken.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must lie between 0 and 1, not be {tolerance}")
    values = []
    for value in _disagreements(*two_domains(x_source, x_target)):
        values.append(value)
        if value >= 1 - tolerance:
            return len(values)
    return int(np.argmax(values)) + 1


def subspace_disagreement(x_source: np.ndarray, x_target: np.ndarray, most: int = 100) -> np.ndarray:
    """D(d) of `subspace_dimension` for d = 1 … ``most``; at most half the features (Gong et al.) and the rank."""
    most = whole(most, "most")
    return np.array(list(islice(_disagreements(*two_domains(x_source, x_target)), most)))


def _disagreements(x_source: np.ndarray, x_target: np.ndarray) -> Iterator[float]:
    p_source, p_target, p_both = map(_directions, (x_source, x_target, np.concatenate([x_source, x_target])))
    most = min(max(1, x_source.shape[1] // 2), p_source.shape[1], p_target.shape[1])
    if most == 0:
        raise ValueError("both domains must vary; in one of them all samples are the same")
    cosines = p_source.T @ p_both, p_target.T @ p_both  # of each direction with each
    for d in range(1, most + 1):
        yield float(np.mean([_largest_sine(cosine[:d, :d]) for cosine in cosines]))


def _largest_sine(cosines: np.ndarray) -> float:
    """Sine of the largest principal angle of two subspaces; ``cosines`` [d, d] are those of their directions."""
    return float(np.sqrt(max(1 - np.linalg.svd(cosines, compute_uv=False)[-1] ** 2, 0)))


def _principal_vectors(p_source: np.ndarray, p_target: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A, B [k, d] and θ [d] of `GeodesicFlowKernel`; B's column is 0 where θ = 0."""
    u, cosine, vt = np.linalg.svd(p_source.T @ p_target)
    a = p_source @ u
    towards = p_target @ vt.T
    rest = towards - p_source @ (p_source.T @ towards)  # = B sin θ
    sine = np.linalg.norm(rest, axis=0)
    b = np.where(sine > 1e-12, rest / np.where(sine > 1e-12, sine, 1), 0.0)
    return a, b, np.arctan2(sine, np.clip(cosine, 0, None))  # arccos would lose half the digits near 0


def _kernel_root(a: np.ndarray, b: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """[k, 2d] whose product with its own transpose is G: each angle's 2 × 2 block (Λ₁ Λ₂; Λ₂ Λ₃) has a root."""
    ratio = np.sinc(2 * theta / np.pi)  # sin 2θ / 2θ, 1 at 0
    one, three = (1 + ratio) / 2, (1 - ratio) / 2
    two = np.sin(theta) * np.sinc(theta / np.pi) / 2  # (1 − cos 2θ) / 4θ = sin²θ / 2θ, 0 at 0
    blocks = np.stack([np.stack([one, two], -1), np.stack([two, three], -1)], -2)  # [d, 2, 2]
    eigenvalues, vectors = np.linalg.eigh(blocks)
    root = vectors * np.sqrt(np.clip(eigenvalues, 0, None))[:, None]  # [d, 2, 2]
    both = np.stack([a, b], -1)  # [k, d, 2]
    return np.einsum("kdi,dij->kdj", both, root).reshape(len(a), -1)


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """A power of a symmetric positive definite matrix."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    return (vectors * eigenvalues**exponent) @ vectors.T


def _neighbours(features: np.ndarray, y_source: np.ndarray | None) -> tuple[np.ndarray, np.ndarray] | None:
    return None if y_source is None else (features, labels(y_source, len(features)))


def _fitted(model: object, name: str):
    if not hasattr(model, name):
        raise ValueError(f"call fit first: this {type(model).__name__} has not seen the two domains yet")
    return getattr(model, name)


def _labelled(model: object) -> tuple[np.ndarray, np.ndarray]:
    if _fitted(model, "neighbours") is None:
        raise ValueError("predict needs source labels: give y_source to fit")
    return model.neighbours


def _columns(x: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    x = samples(x, "x", least=1)
    if x.shape[1] != len(matrix):
        raise ValueError(f"x must have the {len(matrix)} features of the samples given to fit, not {x.shape[1]}")
    return x


def _domain(name: str) -> str:
    if name not in ("source", "target"):
        raise ValueError(f'domain must be "source" or "target", not {name!r}')
    return name
