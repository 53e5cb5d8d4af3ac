"""Weights: a known density ratio comes back; KMM solves its quadratic programme; TrAdaBoost follows its paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from dtlbook.mmd import gram
from dtlbook.weighting import TrAdaBoost, density_ratio, effective_size, kernel_mean_matching


def normal(seed, n=200, k=2, mean=0.0):
    return np.random.default_rng(seed).normal(mean, 1, (n, k))


# ---- Density ratio ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_target", [300, 6000])
def test_a_known_density_ratio_comes_back(n_target):
    """N(0, 1) and N(1, 1): w(x) = exp(x − 1/2), whatever the sizes of the samples."""
    source, target = normal(0, 3000, 1), normal(1, n_target, 1, mean=1.0)
    points = np.array([[-1.0], [0.0], [1.0], [2.0]])
    truth = np.exp(points[:, 0] - 0.5)
    assert density_ratio(source, target, 100, points=points) == pytest.approx(truth, rel=0.15)
    w = density_ratio(source, target, 100)
    assert w.shape == (3000,) and w.mean() == pytest.approx(1)
    assert np.corrcoef(np.log(w), source[:, 0])[0, 1] > 0.99
    assert (w @ source[:, 0]) / 3000 == pytest.approx(1.0, abs=0.15)  # the weighted source has the target's mean


def test_one_distribution_gives_weights_of_about_1():
    w = density_ratio(normal(0, 1000), normal(1, 500))
    assert w.std() < 0.1
    assert effective_size(w) > 980


def test_no_sample_is_weighted_by_a_classifier_that_saw_it():
    """60 samples, 100 features, one distribution: a classifier knows each sample that it saw, and w is near 0.

    Weights by a classifier that saw other samples have nothing to do with that.
    """
    likeness = []
    for seed in range(8):
        source, target = normal(2 * seed, 60, 100), normal(2 * seed + 1, 60, 100)
        seen = density_ratio(source, target, 1e4, points=source)
        assert np.median(seen) < 0.05
        likeness.append(np.corrcoef(np.log(density_ratio(source, target, 1e4)), np.log(seen))[0, 1])
    assert np.mean(likeness) < 0.8


def test_points_and_seed():
    source, target = normal(0), normal(1, mean=0.5)
    assert (density_ratio(source, target) == density_ratio(source, target)).all()
    assert (density_ratio(source, target) != density_ratio(source, target, seed=1)).any()
    assert density_ratio(source * 1e3 + 7, target * 1e3 + 7) == pytest.approx(density_ratio(source, target), rel=1e-3)


def test_effective_size_by_hand():
    assert effective_size([1, 1, 1, 1]) == 4
    assert effective_size([3, 0, 0]) == 1
    assert effective_size([2.0, 1.0]) == pytest.approx(9 / 5)


# ---- Kernel mean matching ---------------------------------------------------------------------------------------


def objective(beta, source, target, sigma):
    matrix = gram(source, source, bandwidth=sigma)
    kappa = len(source) / len(target) * gram(source, target, bandwidth=sigma).sum(axis=1)
    return beta @ matrix @ beta / 2 - kappa @ beta


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(2, 8),
    st.integers(2, 8),
    st.sampled_from([1.2, 2.0, 1000.0]),
    st.sampled_from([0.0, 0.1, None]),
    st.floats(0, 3),
)
def test_kmm_is_the_solution_of_its_programme(seed, n, m, bound, tolerance, shift):
    """Against SLSQP, a general solver of another kind."""
    source, target = normal(seed, n), normal(seed + 1, m, mean=shift)
    epsilon = (np.sqrt(n) - 1) / np.sqrt(n) if tolerance is None else tolerance
    beta = kernel_mean_matching(source, target, 1.0, bound, tolerance)
    assert (beta >= 0).all() and (beta <= bound + 1e-9).all()
    assert abs(beta.sum() - n) <= n * epsilon + 1e-6
    limits = [
        {"type": "ineq", "fun": lambda b: b.sum() - n * (1 - epsilon)},
        {"type": "ineq", "fun": lambda b: n * (1 + epsilon) - b.sum()},
    ]
    other = minimize(
        objective, np.ones(n), (source, target, 1.0), "SLSQP", bounds=[(0, bound)] * n, constraints=limits, tol=1e-12
    )
    assert objective(beta, source, target, 1.0) <= other.fun + 1e-6 * (1 + abs(other.fun))


def test_kmm_goes_on_where_its_solver_stops_short():
    """A case on which one call of L-BFGS-B ends too early; the slope of the solution, cut to the box, is 0."""
    rng = np.random.default_rng(333)
    n, m = rng.integers(2, 9, 2)
    rng.choice(4), rng.choice(3)
    source, target = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + rng.random() * 3
    beta = kernel_mean_matching(source, target, 1.0, bound=1.2, tolerance=0.5)
    slope = gram(source, source, bandwidth=1) @ beta - n / m * gram(source, target, bandwidth=1).sum(axis=1)
    assert np.clip(beta - slope, 0, 1.2) == pytest.approx(beta, abs=1e-6)


@pytest.mark.parametrize("tolerance, expected", [(0.0, 1.0), (0.1, 1.1), (1.0, 5 / 3)])
def test_kmm_whose_sum_wants_to_be_too_large(tolerance, expected):
    """Ten source samples round one target sample, k = 1/3 from it and 1/9 from each other: β = 10 k / (1 + 9 k²)."""
    distance = np.sqrt(2 * np.log(3))
    beta = kernel_mean_matching(distance * np.eye(10), np.zeros((2, 10)), bandwidth=1, tolerance=tolerance)
    assert beta == pytest.approx(expected, rel=1e-6)


def test_kmm_brings_a_known_ratio_back():
    """A source uniform on [0, 1]; four fifths of the target lie in its upper half: w near 1.6 above, 0.4 below."""
    rng = np.random.default_rng(0)
    source, target = rng.random((400, 1)), rng.random((1000, 1))
    target = np.concatenate([target[target < 0.5][:100, None], target[target >= 0.5][:400, None]])
    upper = source[:, 0] >= 0.5
    beta = kernel_mean_matching(source, target, bandwidth=0.3, bound=5, tolerance=0.05)
    assert beta[upper].mean() == pytest.approx(0.8 / upper.mean(), abs=0.1)
    assert beta[~upper].mean() == pytest.approx(0.2 / (1 - upper.mean()), abs=0.1)
    assert (beta @ source[:, 0]) / beta.sum() == pytest.approx(target.mean(), abs=0.01)


def test_kmm_of_many_samples_is_quick_enough():
    source, target = normal(0, 600, 5), normal(1, 300, 5, mean=0.5)
    beta = kernel_mean_matching(source, target, tolerance=0.01, bound=10)
    assert abs(beta.sum() / 600 - 1) <= 0.01 + 1e-9
    before, after = (np.linalg.norm(w @ source / w.sum() - target.mean(axis=0)) for w in (np.ones(600), beta))
    assert after < before / 5


# ---- TrAdaBoost -------------------------------------------------------------------------------------------------


def transfer_problem(seed, n=200, m=24):
    """The target has y = I(x₁ > 0); two thirds of the source agree, the rest has it the other way round."""
    rng = np.random.default_rng(seed)
    x_source, x_target, x_test = (rng.normal(size=(rows, 2)) for rows in (n, m, 500))
    y_source = (x_source[:, 0] > 0).astype(int)
    liars = np.arange(n) % 3 == 0
    y_source[liars] = 1 - y_source[liars]
    return x_source, y_source, x_target, (x_target[:, 0] > 0).astype(int), x_test, (x_test[:, 0] > 0).astype(int), liars


def by_the_paper(x_source, y_source, x_target, y_target, x_test, n_rounds):
    """Dai et al. (2007), line by line, for labels 0 and 1."""
    n, m = len(x_source), len(x_target)
    x, c = np.vstack([x_source, x_target]), np.concatenate([y_source, y_target])
    w, beta = np.ones(n + m), 1 / (1 + np.sqrt(2 * np.log(n) / n_rounds))
    h, betas = [], []
    for _ in range(n_rounds):
        learner = DecisionTreeClassifier(max_depth=1, random_state=0).fit(x, c, sample_weight=w / w.sum())
        miss = np.abs(learner.predict(x) - c)
        error = sum(w[i] * miss[i] for i in range(n, n + m)) / w[n:].sum()
        betas.append(error / (1 - error))
        w = np.array([w[i] * (beta ** miss[i] if i < n else betas[-1] ** -miss[i]) for i in range(n + m)])
        h.append(learner.predict(x_test))
    first = int(np.ceil(n_rounds / 2))
    left = np.prod([betas[t - 1] ** -h[t - 1].astype(float) for t in range(first, n_rounds + 1)], axis=0)
    return (left >= np.prod([betas[t - 1] ** -0.5 for t in range(first, n_rounds + 1)])).astype(int), w


@pytest.mark.parametrize("n_rounds", [1, 2, 5, 8])
def test_tradaboost_is_the_paper(n_rounds):
    x_source, y_source, x_target, y_target, x_test, _, _ = transfer_problem(3)
    y_target = y_target.copy()
    y_target[:5] = 1 - y_target[:5]  # no stump is without error, so β_t > 0 as the paper needs
    expected, w = by_the_paper(x_source, y_source, x_target, y_target, x_test, n_rounds)
    model = TrAdaBoost(n_rounds=n_rounds).fit(x_source, y_source, x_target, y_target)
    assert (model.predict(x_test) == expected).all()
    assert np.concatenate([model.weights_source, model.weights_target]) == pytest.approx(w / w.sum())


def test_source_samples_that_contradict_the_target_lose_their_weight():
    x_source, y_source, x_target, y_target, x_test, y_test, liars = transfer_problem(0)
    model = TrAdaBoost(n_rounds=10).fit(x_source, y_source, x_target, y_target)
    assert model.weights_source[liars].mean() < 0.1 * model.weights_source[~liars].mean()
    assert (model.predict(x_test) == y_test).mean() > 0.9
    assert all(r.log_vote >= 0 for r in model.rounds) and len(model.rounds) == 10


def test_three_classes_and_another_learner():
    rng = np.random.default_rng(0)
    middle = np.array([[0, 3], [-3, -2], [3, -2]])
    y_source, y_target, y_test = np.arange(300) % 3, np.arange(12) % 3, np.arange(300) % 3
    x_source, x_target, x_test = (middle[y] + rng.normal(size=(len(y), 2)) for y in (y_source, y_target, y_test))
    y_source[:100] = (y_source[:100] + 1) % 3
    model = TrAdaBoost(LogisticRegression(), n_rounds=10).fit(x_source, y_source + 5, x_target, y_target + 5)
    assert (model.predict(x_test) == y_test + 5).mean() > 0.9


def test_a_learner_with_a_penalty_gets_weights_of_mean_1():
    """In the first round all weights are equal, so it is the learner fitted without weights; of sum 1 it is not."""
    x_source, y_source, x_target, y_target, x_test, _, _ = transfer_problem(1)
    both = np.concatenate([x_source, x_target]), np.concatenate([y_source, y_target])
    learner = TrAdaBoost(LogisticRegression(), n_rounds=1).fit(x_source, y_source, x_target, y_target).rounds[0].learner
    assert learner.coef_ == pytest.approx(LogisticRegression().fit(*both).coef_)
    sum_1 = LogisticRegression().fit(*both, sample_weight=np.full(len(both[0]), 1 / len(both[0])))
    assert np.abs(learner.coef_[0, 0]) > 2 * np.abs(sum_1.coef_[0, 0])


def test_a_learner_that_knows_nothing_changes_no_target_weight():
    x = np.zeros((6, 1))
    model = TrAdaBoost(n_rounds=3).fit(x, [0, 1, 1, 1, 1, 1], x[:4], [0, 0, 0, 1])
    assert [r.log_vote for r in model.rounds] == [0, 0, 0]
    assert len(set(np.round(model.weights_target, 12))) == 1


X, Y = normal(0, 6), np.array([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: density_ratio(X, normal(1, 5, 3)), "x_source has 2, x_target has 3"),
        (lambda: density_ratio(X, X, points=normal(1, 5, 3)), "x_source has 2, points has 3"),
        (lambda: density_ratio(X, X, strength=-1), "strength must be a number greater than 0, not -1"),
        (lambda: density_ratio(X * np.inf, X), "x_source contains values that are not finite"),
        (lambda: density_ratio(X, X[:0]), "x_target must be an array of at least 2 samples"),
        (lambda: effective_size([0.0, 0.0]), "weights must be finite, not negative and not all 0"),
        (lambda: kernel_mean_matching(X, X, bandwidth=0), "bandwidth must be a number greater than 0, not 0"),
        (lambda: kernel_mean_matching(X, X, bound=0), "bound must be a number greater than 0, not 0"),
        (
            lambda: kernel_mean_matching(X, X, bound=0.5, tolerance=0.1),
            "a bound of 0.5 cannot give weights of mean 0.9",
        ),
        (lambda: kernel_mean_matching(X, X, tolerance=-0.1), "tolerance must be a number of at least 0, or None"),
        (lambda: kernel_mean_matching(X, X, tolerance=np.nan), "tolerance must be .* not nan"),
        (lambda: TrAdaBoost(n_rounds=0), "n_rounds must be a whole number of at least 1, not 0"),
        (lambda: TrAdaBoost(KNeighborsClassifier()), "estimator must take sample_weight in fit; KNeighborsClassifier"),
        (lambda: TrAdaBoost().predict(X), "call fit before predict"),
        (lambda: TrAdaBoost().fit(X, Y[:5], X, Y), r"y_source must hold one label for each of the 6 .* \[5\]"),
        (lambda: TrAdaBoost().fit(X, Y, X, Y + 0.5), "y_target must hold whole class numbers"),
        (lambda: TrAdaBoost().fit(X, Y * np.nan, X, Y), "y_source must hold whole class numbers"),
        (lambda: TrAdaBoost().fit(X, 0 * Y, X, 0 * Y), "at least two classes are needed; all labels are 0"),
    ],
)
def test_bad_input_gives_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
