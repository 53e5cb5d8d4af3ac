"""Subspace alignment, geodesic flow kernel, CORAL, nearest neighbour: their definitions, their limits, real data."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtlbook.baselines import (
    Coral,
    GeodesicFlowKernel,
    SubspaceAlignment,
    nearest_neighbour,
    principal_directions,
    standardised,
    subspace_dimension,
    subspace_disagreement,
)
from dtlbook.data import load


def sample(seed, n=40, k=8):
    """Columns of different variance, mixed: principal directions that are none of the axes."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, k)) * np.linspace(3, 0.5, k) @ rng.normal(size=(k, k))


def geodesic(p, q, t):
    """Point t of the Grassmann geodesic from span p to span q, by the exponential map (Edelman et al. 1998)."""
    inside = p.T @ q
    u, s, vt = np.linalg.svd((q - p @ inside) @ np.linalg.inv(inside), full_matrices=False)
    return p @ vt.T * np.cos(t * np.arctan(s)) + u * np.sin(t * np.arctan(s))


def integral(p, q, points=40):
    t, weight = np.polynomial.legendre.leggauss(points)
    phis = [geodesic(p, q, (time + 1) / 2) for time in t]
    return sum(w / 2 * phi @ phi.T for w, phi in zip(weight, phis, strict=True))


# ---- Nearest neighbour and standardisation ----------------------------------------------------------------------


def test_nearest_neighbour_is_the_definition():
    source, target, y = sample(0), sample(1, 25), np.arange(40) % 3
    expected = [y[((source - x) ** 2).sum(axis=1).argmin()] for x in target]
    assert (nearest_neighbour(source, y, target) == expected).all()


def test_standardised():
    x = np.column_stack([np.arange(5.0) * 1e-9, np.full(5, 0.1), np.arange(5.0) ** 2 + 1e6])
    z = standardised(x)
    assert z.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert z.std(axis=0) == pytest.approx([1, 0, 1])


def test_principal_directions_are_those_of_largest_variance():
    for x in (sample(0, 50), sample(0, 6)):  # more samples than features, and fewer
        p = principal_directions(x, 3)
        covariance = np.cov(x, rowvar=False)
        assert p.T @ p == pytest.approx(np.eye(3), abs=1e-9)
        assert np.diag(p.T @ covariance @ p) == pytest.approx(np.linalg.eigvalsh(covariance)[::-1][:3])


# ---- Subspace alignment -----------------------------------------------------------------------------------------


def test_alignment_is_the_best_linear_map():
    source, target = sample(0), sample(1)
    model = SubspaceAlignment(3).fit(source, target)
    p, q = principal_directions(source, 3), principal_directions(target, 3)
    assert model.transform(source, "source") == pytest.approx(source @ p @ p.T @ q)
    assert model.transform(target, "target") == pytest.approx(target @ q)
    best = np.linalg.lstsq(p, q, rcond=None)[0]
    assert model.alignment == pytest.approx(best)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_with_full_dimension_nothing_is_aligned(seed, k):
    source, target, y = sample(seed, 30, k), sample(seed + 1, 20, k), np.arange(30) % 4
    for model in (SubspaceAlignment(k), GeodesicFlowKernel(k)):
        predicted = model.fit(source, target, y).predict(target)
        assert (predicted == nearest_neighbour(source, y, target)).all()


def test_alignment_undoes_a_rotation():
    """The target is the source turned by 60 degrees: raw neighbours are wrong, aligned ones right."""
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    x = np.column_stack([6 * y + rng.normal(size=200), rng.normal(size=200), 0.1 * rng.normal(size=200)])
    x -= x.mean(axis=0)
    x[:, 1] += 0.3 * x[:, 0]
    turn = np.array([[0.5, -np.sqrt(0.75), 0], [np.sqrt(0.75), 0.5, 0], [0, 0, 1]])
    model = SubspaceAlignment(1).fit(x, x @ turn.T, y)
    agree = (model.predict(x @ turn.T) == y).mean()
    assert agree > 0.99


# ---- Geodesic flow kernel ---------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 9), st.data())
def test_gfk_is_its_integral(seed, k, data):
    """Also for d > k/2, where some angles are 0 by necessity."""
    d = data.draw(st.integers(1, k))
    source, target = sample(seed, 30, k), sample(seed + 1, 25, k)
    model = GeodesicFlowKernel(d).fit(source, target)
    p, q = principal_directions(source, d), principal_directions(target, d)
    assert geodesic(p, q, 1) @ geodesic(p, q, 1).T == pytest.approx(q @ q.T, abs=1e-6)
    assert model.matrix == pytest.approx(integral(p, q), abs=1e-6)
    assert model.kernel(source, target) == pytest.approx(
        source @ model.matrix @ target.T, abs=1e-6 * np.abs(source).max() ** 2
    )


def test_gfk_of_one_subspace_is_its_projection():
    """All angles 0, where sin 2θ / 2θ and (1 − cos 2θ) / 4θ are 0 / 0."""
    x = sample(0)
    p = principal_directions(x, 3)
    model = GeodesicFlowKernel(3).fit(x, 2 * x + 5)
    assert model.angles == pytest.approx(0, abs=1e-9)
    assert model.matrix == pytest.approx(p @ p.T, abs=1e-9)


@pytest.mark.parametrize("angle", [1e-12, 1e-9, 1e-7, 1e-4, 1.0, np.pi / 2])
def test_gfk_in_the_plane_by_hand(angle):
    """Two lines at an angle θ: G = ∫ (cos tθ, sin tθ)(cos tθ, sin tθ)ᵀ dt, small angles to full precision."""
    along = np.linspace(-1, 1, 20)[:, None]
    source, target = along * [1.0, 0], along * [np.cos(angle), np.sin(angle)]
    model = GeodesicFlowKernel(1).fit(source, target)
    t = (np.polynomial.legendre.leggauss(30)[0] + 1) / 2
    phi, weight = np.stack([np.cos(t * angle), np.sin(t * angle)]), np.polynomial.legendre.leggauss(30)[1] / 2
    assert model.matrix == pytest.approx(phi * weight @ phi.T, abs=1e-12)
    assert model.angles == pytest.approx([angle], rel=1e-3, abs=1e-12)


# ---- CORAL ------------------------------------------------------------------------------------------------------


def test_coral_gives_the_source_the_targets_covariance():
    source, target = sample(0, 200), sample(1, 150)
    model = Coral(regulariser=1e-9).fit(source, target)
    assert np.cov(model.transform(source, "source"), rowvar=False) == pytest.approx(
        np.cov(target, rowvar=False), rel=1e-4, abs=1e-4
    )
    assert (model.transform(target, "target") == target).all()


def test_coral_is_its_formula():
    """With the regulariser of the paper, 1, through an eigendecomposition-free root."""
    from scipy.linalg import inv, sqrtm

    source, target = sample(0, 30, 4), sample(1, 30, 4)
    c_source, c_target = (np.cov(x, rowvar=False) + np.eye(4) for x in (source, target))
    expected = source @ inv(sqrtm(c_source)) @ sqrtm(c_target)
    assert Coral().fit(source, target).transform(source, "source") == pytest.approx(expected.real)


def test_coral_of_equal_domains_changes_nothing():
    x, y = sample(0), np.arange(40) % 3
    model = Coral().fit(x, x, y)
    assert model.transform(x, "source") == pytest.approx(x)
    assert (model.predict(x) == y).all()


@given(st.sampled_from([np.float32, np.float64, np.int16]), st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_other_types_give_the_same(dtype, k):
    source, target = (np.round(10 * sample(seed, 12, k)).astype(dtype) for seed in (0, 1))
    for model in (SubspaceAlignment(1), GeodesicFlowKernel(1), Coral()):
        as_given = model.fit(source, target).transform(source, "source")
        as_float = model.fit(source.astype(float), target.astype(float)).transform(source.astype(float), "source")
        assert (as_given == as_float).all()


# ---- The number of components -----------------------------------------------------------------------------------


def test_disagreement_is_0_for_one_domain_and_reaches_1_where_the_domains_part():
    """Both vary most along axes 1 and 2; then the source along 3, the target along 4, the rest is 0.1."""
    rng = np.random.default_rng(0)
    scale_source, scale_target = np.full(10, 0.1), np.full(10, 0.1)
    scale_source[:3], scale_target[[0, 1, 3]] = [9, 6, 1], [9, 6, 2]
    source, target = rng.normal(size=(2000, 10)) * scale_source, rng.normal(size=(2000, 10)) * scale_target
    assert subspace_disagreement(source, source) == pytest.approx(0, abs=1e-6)
    disagreement = subspace_disagreement(source, target)
    assert len(disagreement) == 5
    assert (disagreement[:2] < 0.1).all() and disagreement[2] == pytest.approx(0.5, abs=0.1)  # 3 dims: both has axis 4
    assert len(subspace_disagreement(source, target, most=2)) == 2
    assert subspace_dimension(source, target, tolerance=0.6) == 3
    assert 1 <= subspace_dimension(source, source) <= 5


def test_the_first_dimension_that_reaches_1_is_taken():
    source, target = sample(0, 60, 20), sample(1, 60, 20)
    disagreement = subspace_disagreement(source, target)
    d = subspace_dimension(source, target, tolerance=0.05)
    reached = disagreement >= 0.95
    assert d == (reached.argmax() if reached.any() else disagreement.argmax()) + 1
    assert (disagreement <= 1).all()


# ---- Kind -------------------------------------------------------------------------------------------------------

X, Y = sample(0), np.arange(40) % 2


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: SubspaceAlignment(0), "n_components must be a whole number of at least 1, not 0"),
        (lambda: GeodesicFlowKernel(2.5), "n_components must be a whole number of at least 1, not 2.5"),
        (lambda: SubspaceAlignment(9).fit(X, X), "n_components must be at most 8, .* x_source varies, not 9"),
        (lambda: GeodesicFlowKernel(5).fit(X, X[:5]), "n_components must be at most 4, .* x_target varies, not 5"),
        (lambda: SubspaceAlignment(1).fit(np.ones((4, 2)), np.ones((4, 2))), "n_components must be at most 0"),
        (lambda: SubspaceAlignment(1).fit(X, X[:, :3]), "x_source has 8, x_target has 3"),
        (lambda: Coral().fit(X, X * np.nan), "x_target contains values that are not finite"),
        (lambda: Coral(-1), "regulariser must be a number greater than 0, not -1"),
        (lambda: Coral().fit(X, X[:0]), "x_target must be an array of at least 2 samples"),
        (lambda: Coral().transform(X, "source"), "call fit first: this Coral"),
        (lambda: GeodesicFlowKernel(1).matrix, "call fit first: this GeodesicFlowKernel"),
        (lambda: SubspaceAlignment(1).predict(X), "call fit first: this SubspaceAlignment"),
        (lambda: SubspaceAlignment(1).fit(X, X).predict(X), "predict needs source labels: give y_source to fit"),
        (lambda: SubspaceAlignment(1).fit(X, X).transform(X, "test"), 'domain must be "source" or "target", not'),
        (lambda: Coral().fit(X, X).transform(X[:, :2], "target"), "x must have the 8 features .* not 2"),
        (lambda: Coral().fit(X, X, Y[:3]), r"y_source must hold one label for each of the 40 samples"),
        (lambda: nearest_neighbour(X, Y, X[:, :2]), "x_source has 8, x_target has 2"),
        (lambda: subspace_dimension(X, X, tolerance=0), "tolerance must lie between 0 and 1, not be 0"),
        (lambda: subspace_dimension(X, np.ones((5, 8))), "in one of them all samples are the same"),
        (lambda: standardised(np.zeros(3)), "x must be an array of at least 2 samples"),
    ],
)
def test_bad_input_gives_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


# ---- Office-Caltech10, SURF histograms --------------------------------------------------------------------------

NAMES = {"A": "amazon", "C": "caltech", "D": "dslr", "W": "webcam"}
PAIRS = [s + t for s in NAMES for t in NAMES if s != t]


@pytest.fixture(scope="module")
def surf():
    if not (Path(os.environ.get("DTLBOOK_DATA", "")) / "office_caltech10_surf").is_dir():
        pytest.skip("Office-Caltech10 is not in the data folder")
    domains = {letter: load(f"surf-{name}") for letter, name in NAMES.items()}
    return {letter: (domain.x_train, domain.y_train) for letter, domain in domains.items()}


def accuracy(surf, pair, model):
    (x_source, y_source), (x_target, y_target) = surf[pair[0]], surf[pair[1]]
    return 100 * np.mean(model.fit(x_source, x_target, y_source).predict(x_target) == y_target)


@pytest.mark.parametrize("pair, published", [("CA", 23.70), ("CW", 25.76), ("AC", 26.00), ("DW", 63.39)])
def test_raw_neighbours_give_the_published_rows(surf, pair, published):
    (x_source, y_source), (x_target, y_target) = surf[pair[0]], surf[pair[1]]
    assert round(100 * np.mean(nearest_neighbour(x_source, y_source, x_target) == y_target), 2) == published


def test_both_subspace_methods_beat_raw_neighbours_by_ten_points(surf):
    """All source samples, mean of the 12 pairs; the dimension by a rule that sees no label."""
    raw, sa, gfk = [], [], []
    dimension = {frozenset(p): subspace_dimension(surf[p[0]][0], surf[p[1]][0]) for p in PAIRS if p[0] < p[1]}
    for pair in PAIRS:
        (x_source, y_source), (x_target, y_target) = surf[pair[0]], surf[pair[1]]
        d = dimension[frozenset(pair)]  # the same in both directions
        raw.append(100 * np.mean(nearest_neighbour(x_source, y_source, x_target) == y_target))
        sa.append(accuracy(surf, pair, SubspaceAlignment(d)))
        gfk.append(accuracy(surf, pair, GeodesicFlowKernel(d)))
        print(f"{pair}  d {d:3d}  1-NN {raw[-1]:5.2f}  SA {sa[-1]:5.2f}  GFK {gfk[-1]:5.2f}")
    print(f"mean       1-NN {np.mean(raw):5.2f}  SA {np.mean(sa):5.2f}  GFK {np.mean(gfk):5.2f}")
    assert np.mean(raw) == pytest.approx(31.37, abs=0.01)
    assert np.mean(sa) > np.mean(raw) + 10
    assert np.mean(gfk) > np.mean(raw) + 10
