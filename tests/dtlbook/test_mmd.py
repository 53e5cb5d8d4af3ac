"""MMD: against the double sum, without bias, at its ends; the permutation test keeps its level."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dtlbook import mmd
from dtlbook.mmd import bandwidths, gram, mean_embedding, median_bandwidth, mmd2, permutation_test, witness


def normal(seed, n=30, k=3, mean=0.0):
    return np.random.default_rng(seed).normal(mean, 1, (n, k))


def double_sum(x, y, kernel, unbiased):
    """The definition, pair by pair."""

    def mean(a, b, leave_out):
        values = [kernel(p, q) for i, p in enumerate(a) for j, q in enumerate(b) if not (leave_out and i == j)]
        return sum(values) / len(values)

    return mean(x, x, unbiased) + mean(y, y, unbiased) - 2 * mean(x, y, False)


def rbf(*sigmas):
    return lambda p, q: sum(np.exp(-((p - q) ** 2).sum() / (2 * s**2)) for s in sigmas)


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("bandwidth", [0.7, [0.5, 1.0, 4.0]])
def test_rbf_is_the_double_sum(bandwidth, unbiased):
    x, y = normal(0, 7), normal(1, 11, mean=0.5)
    expected = double_sum(x, y, rbf(*np.atleast_1d(bandwidth)), unbiased)
    assert mmd2(x, y, bandwidth=bandwidth, unbiased=unbiased) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("unbiased", [True, False])
def test_linear_is_the_double_sum(unbiased):
    x, y = normal(0, 7), normal(1, 11, mean=0.5)
    expected = double_sum(x, y, np.dot, unbiased)
    assert mmd2(x, y, "linear", unbiased=unbiased) == pytest.approx(expected, rel=1e-10)


DTYPES = st.sampled_from([np.float32, np.float64, np.int8, np.uint8])


@settings(max_examples=60)
@given(st.data(), DTYPES, st.integers(2, 6), st.integers(2, 6), st.integers(1, 4))
def test_any_shape_and_dtype(data, dtype, n, m, k):
    elements = st.integers(0, 100)
    x, y = (data.draw(arrays(dtype, (rows, k), elements=elements)) for rows in (n, m))
    for unbiased in (True, False):
        expected = double_sum(x.astype(float), y.astype(float), rbf(30.0), unbiased)
        assert mmd2(x, y, bandwidth=30, unbiased=unbiased) == pytest.approx(expected, abs=1e-9)
    biased = mmd2(x, y, bandwidth=30, unbiased=False)
    assert 0 <= biased <= 2
    assert biased == pytest.approx(mmd2(y, x, bandwidth=30, unbiased=False), abs=1e-12)
    assert mmd2(x, x, bandwidth=30, unbiased=False) == pytest.approx(0, abs=1e-12)


def test_a_sample_with_itself_gives_0():
    x = normal(0)
    assert mmd2(x, x, unbiased=False) == pytest.approx(0, abs=1e-14)
    assert mmd2(x, x, "linear", unbiased=False) == 0


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_one_distribution_gives_0_on_the_mean(kernel):
    """Only without bias; and n ≠ n' keeps it so."""
    draws = [(normal(2 * seed, 10), normal(2 * seed + 1, 25)) for seed in range(400)]
    bandwidth = 1.5 if kernel == "rbf" else None
    unbiased = np.array([mmd2(x, y, kernel, bandwidth) for x, y in draws])
    assert abs(unbiased.mean()) < 3.5 * unbiased.std() / np.sqrt(len(unbiased))
    assert unbiased.min() < 0 < unbiased.max()
    biased = np.array([mmd2(x, y, kernel, bandwidth, unbiased=False) for x, y in draws])
    assert biased.mean() > 0.05 and biased.min() > 0


def test_the_two_ends():
    """Domains far apart share nothing: 1/n + 1/n' of the diagonal is all that is left of the biased means."""
    x, y = 1e3 * normal(0, 4), 1e6 + 1e3 * normal(1, 5)
    assert mmd2(x, y, bandwidth=1, unbiased=False) == pytest.approx(1 / 4 + 1 / 5)
    assert mmd2(x, y, bandwidth=1) == 0
    assert mmd2(np.zeros((3, 1)), np.full((3, 1), 50.0), bandwidth=1) == pytest.approx(2)


def test_far_from_the_origin_nothing_is_lost():
    x, y = normal(0), normal(1, mean=0.5)
    for kernel in (("rbf", 1), ("linear",)):
        assert mmd2(x + 1e6, y + 1e6, *kernel) == pytest.approx(mmd2(x, y, *kernel), rel=1e-6)


def test_the_bandwidth_is_sigma_and_not_its_square():
    """Two points at distance 2, σ = 2: k = exp(−4 / 8)."""
    assert gram([[0.0]], [[2.0]], bandwidth=2)[0, 0] == pytest.approx(np.exp(-0.5))
    assert gram([[0.0]], [[2.0]], bandwidth=[2, 2])[0, 0] == pytest.approx(2 * np.exp(-0.5))
    assert gram([[1.0, 2]], [[3.0, 4]], "linear")[0, 0] == 11


def test_median_bandwidth_by_hand():
    """Points 0, 1, 3 and 0 again: distances 1 3 0 2 1 3, without the 0 the median is 2."""
    assert median_bandwidth([[0.0], [1]], [[3], [0.0]]) == 2
    x, y = normal(0), normal(1)
    assert mmd2(x, y) == mmd2(x, y, bandwidth=median_bandwidth(x, y))
    assert bandwidths(x, y, [1, 2]) == [1.0, 2.0]


def test_median_of_a_large_sample_needs_little_memory():
    x, y = normal(0, 4000, 2), normal(1, 4000, 2, mean=3.0)
    few = median_bandwidth(x[::8], y[::8])
    tracemalloc.start()
    assert median_bandwidth(x, y) == pytest.approx(few, rel=0.05)
    assert tracemalloc.get_traced_memory()[1] < 60e6
    tracemalloc.stop()


def test_memory_is_neither_n_n_k_nor_n_n():
    x, y = normal(0, 3000, 50), normal(1, 3000, 50)
    tracemalloc.start()
    value = mmd2(x, y, bandwidth=5)
    assert tracemalloc.get_traced_memory()[1] < 130e6  # 3000 × 3000 alone is 72 MB, three of them 216 MB
    tracemalloc.reset_peak()
    mmd2(x, y, "linear")
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()
    assert value == pytest.approx(mmd2(x[:500], y[:500], bandwidth=5), abs=0.005)


def test_blocks_change_nothing(monkeypatch):
    x, y = normal(0), normal(1, 17, mean=0.4)
    whole = mmd2(x, y, bandwidth=1)
    monkeypatch.setattr(mmd, "ROWS", 4)
    assert mmd2(x, y, bandwidth=1) == pytest.approx(whole, rel=1e-12)


# ---- Permutation test -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_the_test_reports_the_unbiased_mmd2(kernel):
    x, y = normal(0, 9), normal(1, 14, mean=1.0)
    result = permutation_test(x, y, kernel, permutations=20)
    assert result.mmd2 == pytest.approx(mmd2(x, y, kernel), rel=1e-10)
    assert len(result.null) == 20


def test_every_permutation_is_an_mmd2_of_a_cut():
    """n = n' = 2: three different cuts, each reached; the p-value counts the observed cut too."""
    points = np.array([[0.0], [1.0], [4.0], [9.0]])
    cuts = [mmd2(points[a], points[b], bandwidth=3) for a, b in (([0, 1], [2, 3]), ([0, 2], [1, 3]), ([0, 3], [1, 2]))]
    result = permutation_test(points[:2], points[2:], bandwidth=3, permutations=300)
    assert set(np.round(result.null, 9)) == set(np.round(cuts, 9))
    expected = (1 + np.isclose(result.null, cuts[0]).sum()) / 301  # the observed cut is the largest of the three
    assert result.p_value == pytest.approx(expected)
    assert result.p_value == pytest.approx(1 / 3, abs=0.1)


def test_the_least_p_value_is_not_0():
    result = permutation_test(normal(0), normal(1, mean=3.0), permutations=99)
    assert result.p_value == 1 / 100


def test_the_level_is_kept():
    """Rejections at α under one distribution: α of them, for n ≠ n' and few permutations."""
    p_values = np.array(
        [
            permutation_test(normal(2 * s, 12, 1), normal(2 * s + 1, 20, 1), permutations=39, seed=s).p_value
            for s in range(600)
        ]
    )
    for alpha in (0.1, 0.25, 0.5):
        assert np.mean(p_values <= alpha) == pytest.approx(alpha, abs=3.5 * np.sqrt(alpha * (1 - alpha) / 600))


def test_a_difference_is_found():
    assert permutation_test(normal(0, 60), normal(1, 60, mean=0.8)).p_value < 0.01
    spread = 2.5 * normal(2, 80)  # the same mean: the linear kernel does not see it, RBF does
    assert permutation_test(normal(0, 80), spread).p_value < 0.01
    assert permutation_test(normal(0, 80), spread, "linear").p_value > 0.05


def test_the_seed_decides():
    x, y = normal(0), normal(1)
    first, again, other = (permutation_test(x, y, seed=seed, permutations=50) for seed in (1, 1, 2))
    assert (first.null == again.null).all() and (first.null != other.null).any()


# ---- Witness ----------------------------------------------------------------------------------------------------


def test_the_witness_points_to_the_denser_sample():
    x, y = normal(0, 200, 1, mean=-2.0), normal(1, 200, 1, mean=2.0)
    at = witness(x, y, [[-2.0], [0.0], [2.0]], bandwidth=1)
    assert at[0] > 0.3 and abs(at[1]) < 0.1 and at[2] < -0.3


def test_the_biased_mmd2_is_the_witness_over_both_samples():
    """‖μ_x − μ_y‖² = mean of f over x − mean of f over y."""
    x, y = normal(0), normal(1, 20, mean=0.7)
    f_x, f_y = witness(x, y, x, 1.3), witness(x, y, y, 1.3)
    assert f_x.mean() - f_y.mean() == pytest.approx(mmd2(x, y, bandwidth=1.3, unbiased=False))
    assert witness(x, y, x) == pytest.approx(witness(x, y, x, median_bandwidth(x, y)))


def test_mean_embedding_by_hand():
    assert mean_embedding([[0.0], [2.0]], [[0.0]], 1) == pytest.approx([(1 + np.exp(-2)) / 2])


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: mmd2(normal(0), normal(1, k=4)), "x has 3, y has 4"),
        (lambda: mmd2(normal(0, 1), normal(1)), "x must be an array of at least 2 samples"),
        (lambda: mmd2(normal(0), normal(1) * np.nan), "y contains values that are not finite"),
        (lambda: mmd2(normal(0), normal(1) * 1e200), "y contains values larger than 1e\\+100"),
        (lambda: mmd2(normal(0), np.zeros(5)), r"y must be .* not of shape \[5\]"),
        (lambda: mmd2(normal(0), [["a"], ["b"]]), "y must be an array of numbers"),
        (lambda: mmd2(normal(0), normal(1), "poly"), 'kernel must be "rbf" or "linear", not \'poly\''),
        (lambda: mmd2(normal(0), normal(1), bandwidth=-1.0), "bandwidth must be a number greater than 0, not -1.0"),
        (lambda: mmd2(normal(0), normal(1), bandwidth=[1, np.nan]), "bandwidth must be a number .* not nan"),
        (lambda: mmd2(normal(0), normal(1), bandwidth=[]), "not an empty list"),
        (lambda: mmd2(np.ones((3, 2)), np.ones((4, 2))), "needs two different samples"),
        (lambda: permutation_test(normal(0), normal(1), permutations=0), "permutations must be a whole number"),
        (lambda: mean_embedding(normal(0), normal(1), None), "bandwidth must be a number here"),
        (lambda: witness(normal(0), normal(1), normal(2, k=1)), "x has 3, z has 1"),
    ],
)
def test_bad_input_gives_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
