"""Domain error, proxy A-distance, divergences of small classes, the bound: ends of the scale, bias, balance."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dtlbook.divergence import (
    Discs,
    HalfPlanes,
    Thresholds,
    bound_terms,
    complexity_term,
    discs,
    domain_error,
    empirical_h_divergence,
    half_planes,
    hdh_divergence,
    proxy_a_distance,
    thresholds,
)


def normal(seed, n=200, k=10, mean=0.0):
    return np.random.default_rng(seed).normal(mean, 1, (n, k))


def test_one_distribution_gives_0_without_bias():
    values = [proxy_a_distance(normal(2 * seed), normal(2 * seed + 1)) for seed in range(40)]
    assert abs(np.mean(values)) < 0.05  # standard error about 0.015; |2(1 − 2ε)| or a cut at 0 would give 0.08
    assert min(values) < 0 < max(values)


def test_many_features_and_few_samples_stay_unbiased():
    """A classifier measured on its own training half would separate this noise, PAD near 2."""
    values = [proxy_a_distance(normal(2 * seed, 60, 100), normal(2 * seed + 1, 60, 100)) for seed in range(20)]
    assert abs(np.mean(values)) < 0.15


def test_separable_domains_give_2():
    assert proxy_a_distance(normal(0), normal(1, mean=20.0)) == 2.0


def test_a_half_way_case():
    """Two unit normals 2·0.6745 apart: the best error is Φ(−0.6745) = 1/4, so PAD = 1."""
    source, target = normal(0, 4000, 1), normal(1, 4000, 1, mean=1.349)
    assert domain_error(source, target) == pytest.approx(0.25, abs=0.02)
    assert proxy_a_distance(source, target) == pytest.approx(1.0, abs=0.08)


def test_each_domain_counts_one_half():
    """With 9 of 10 samples from the source, always saying "source" must not look like a good classifier."""
    errors = [domain_error(normal(seed, 900), normal(seed + 100, 100)) for seed in range(10)]
    assert np.mean(errors) == pytest.approx(0.5, abs=0.03)


def test_a_rare_domain_is_not_given_up():
    """The half-way case again with 9 source samples for each target sample: the same 1/4."""
    assert domain_error(normal(0, 7200, 1), normal(1, 800, 1, mean=1.349)) == pytest.approx(0.25, abs=0.03)


def test_seed_scale_and_place():
    source, target = normal(0), normal(1, mean=0.3)
    assert domain_error(source, target, seed=3) == domain_error(source, target, seed=3)
    assert domain_error(1000 * source + 5, 1000 * target + 5) == pytest.approx(domain_error(source, target), abs=0.01)
    assert domain_error(np.ones((20, 3)), np.ones((30, 3))) == 0.5


def test_strength_is_the_class_of_classifiers():
    """A shift in a direction with little variance: hidden from a weak classifier, plain to a strong one."""
    source, target = normal(0), normal(1)
    source[:, 0] *= 0.001
    target[:, 0] = 0.001 * target[:, 0] + 0.01
    assert domain_error(source, target) > 0.4
    assert domain_error(source, target, strength=1e8) < 0.02
    assert proxy_a_distance(source, target, strength=1e8) > 1.9
    with pytest.raises(ValueError, match="strength must be a number greater than 0, not 0"):
        domain_error(source, target, strength=0)


@pytest.mark.parametrize(
    "source, target, sentence",
    [
        (normal(0), normal(1, k=9), "f_source has 10, f_target has 9"),
        (normal(0)[:1], normal(1), "f_source must be an array of at least 2 samples"),
        (normal(0), np.zeros(5), r"f_target must be .* not of shape \[5\]"),
        (normal(0), np.full((5, 10), np.nan), "f_target contains values that are not finite"),
    ],
)
def test_bad_input_gives_one_sentence(source, target, sentence):
    with pytest.raises(ValueError, match=sentence):
        domain_error(source, target)


# ---- Divergences of small classes -------------------------------------------------------------------------------


@st.composite
def problem(draw):
    """Predictions of a few hypotheses on two samples, and labels."""
    hypotheses, n, n_target = (draw(st.integers(1, high)) for high in (6, 8, 9))
    bits = st.integers(0, 1)
    shapes = [(hypotheses, n), n, (hypotheses, n_target), n_target]
    return [draw(arrays(np.int64, shape, elements=bits)) for shape in shapes]


def cut(x_source, x_target):
    hypotheses = thresholds(np.concatenate([x_source, x_target]))
    return hypotheses(x_source), hypotheses(x_target)


def test_the_two_ends_of_the_h_divergence():
    same = np.array([0.0, 1.0, 2.0])
    assert empirical_h_divergence(*cut(same, same)).value == pytest.approx(0)
    apart = empirical_h_divergence(*cut(same, same + 5))
    assert apart.value == 2 and apart.error_source == apart.error_target == 0


def test_an_h_divergence_by_hand():
    """Source 0 1 2 3, target 2.5 4: the cut at 2.25 errs on 1/4 of the source, that at 3.5 on 1/2 of the target."""
    found = empirical_h_divergence(*cut(np.array([0.0, 1, 2, 3]), np.array([2.5, 4])))
    assert found.value == pytest.approx(2 * (1 - 0.25))
    assert (found.error_source, found.error_target) == (0.25, 0.0)


def test_complements_are_added_only_where_asked():
    says_source, says_target = [[1, 1, 1, 0]], [[0, 0]]
    assert empirical_h_divergence(says_source, says_target, symmetric=False).value == pytest.approx(2 * (1 - 1.75))
    found = empirical_h_divergence(says_source, says_target)
    assert found == (pytest.approx(2 * (1 - 0.25)), 0, True, 0.25, 0.0)
    assert not empirical_h_divergence([[0, 0]], [[1, 1]]).flipped


@given(problem())
def test_h_divergence_is_its_definition(tables):
    source, _, target, _ = tables
    definition = 2 * max(abs(s.mean() - t.mean()) for s, t in zip(source, target, strict=True))
    found = empirical_h_divergence(source, target)
    assert found.value == pytest.approx(definition)
    says_source, says_target = source[found.best], target[found.best]
    if found.flipped:
        says_source, says_target = 1 - says_source, 1 - says_target
    assert found.error_source == pytest.approx(np.mean(says_source == 1))
    assert found.error_target == pytest.approx(np.mean(says_target == 0))
    with_complements = [np.concatenate([table, 1 - table]) for table in (source, target)]
    assert empirical_h_divergence(*with_complements, symmetric=False).value == pytest.approx(definition)


@given(problem())
def test_hdh_divergence_is_its_definition(tables):
    source, _, target, _ = tables
    pairs = product(range(len(source)), repeat=2)
    definition = 2 * max(abs(np.mean(source[i] != source[j]) - np.mean(target[i] != target[j])) for i, j in pairs)
    assert hdh_divergence(source, target) == pytest.approx(definition)


def test_hdh_divergence_of_many_hypotheses_takes_them_block_by_block():
    rng = np.random.default_rng(0)
    source, target = rng.integers(0, 2, (700, 12)), rng.integers(0, 2, (700, 11))
    source[650], target[650], source[600], target[600] = 0, 0, 1, 0  # the best pair lies in the last block: 2 |1 − 0|
    assert hdh_divergence(source, target) == 2


@given(problem(), st.data())
def test_the_bound_bounds(tables, data):
    source, y_source, target, y_target = tables
    h = data.draw(st.integers(0, len(source) - 1))
    terms = bound_terms(source, y_source, target, y_target, h)
    assert terms.target_error <= terms.bound + 1e-12
    assert terms.bound == pytest.approx(terms.source_error + terms.half_hdh + terms.joint_error)


def test_the_terms_of_the_bound_by_hand():
    """Two hypotheses, equal on the source, opposite on the target; the second is right on both: the bound is tight."""
    source, target = [[0, 1], [0, 1]], [[0, 0, 1], [1, 1, 0]]
    terms = bound_terms(source, [0, 1], target, [1, 1, 0], h=0)
    assert terms == pytest.approx((0.0, 1.0, 0.0, 1.0, 1.0))
    assert bound_terms(source, [0, 0], target, [1, 1, 1], h=1) == pytest.approx((1 / 2, 1, 5 / 6, 7 / 3, 1 / 3))


def test_the_complexity_term_by_hand():
    """d = 1, 1000 samples, δ = 0.05: log 2000 = 7.6009, log 40 = 3.6889."""
    assert complexity_term(1000, 1, pairs=False) == pytest.approx(4 * np.sqrt((7.6009 + 3.6889) / 1000), rel=1e-5)
    assert complexity_term(1000, 1) == pytest.approx(4 * np.sqrt((2 * 7.6009 + 3.6889) / 1000), rel=1e-5)


def test_the_complexity_term_holds_on_drawn_samples():
    """Lemma 1 for thresholds (d = 2 with both directions): uniform on [0, 1] and [0.2, 1.2], so d_H = 0.4."""
    rng, term = np.random.default_rng(0), complexity_term(60, 2, delta=0.5, pairs=False)
    for _ in range(20):
        value = empirical_h_divergence(*cut(rng.random(60), rng.random(60) + 0.2)).value
        assert 0.4 <= value + term


# ---- The classes ------------------------------------------------------------------------------------------------


@given(arrays(np.float64, st.integers(1, 12), elements=st.floats(-1e100, 1e100)))
def test_thresholds_are_all_told_apart_and_closed_under_complement(x):
    said = thresholds(x)(x)
    assert len(np.unique(said, axis=0)) == len(said) == 2 * len(np.unique(x))
    assert {tuple(row) for row in said} == {tuple(1 - row) for row in said}
    order = np.argsort(x, kind="stable")
    assert (np.abs(np.diff(said[:, order], axis=1)).sum(axis=1) <= 1).all()  # one change from left to right


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 12])
def test_every_half_plane_of_points_in_general_position(n):
    """Cover (1965): n² − n + 2 of them. Four points: 14 of 16, all but the two that take opposite corners."""
    x = np.random.default_rng(n).normal(size=(n, 2))
    said = half_planes(x, n_angles=None)(x)
    assert len(np.unique(said, axis=0)) == len(said) == n * n - n + 2
    assert {tuple(row) for row in said} == {tuple(1 - row) for row in said}


def test_points_on_lines_are_not_told_apart_by_rounding():
    line = np.outer(np.arange(7), [0.1, 0.7]) + 1 / 3
    assert len(half_planes(line, n_angles=None)) == len(half_planes(line, n_angles=20)) == 14
    square = np.array([[0.1, 0.1], [0.1, 0.3], [0.3, 0.1], [0.3, 0.3]])
    assert len(half_planes(square, n_angles=None)) == 14
    assert len(half_planes(square, n_angles=4)) == 14
    across = np.outer(np.random.default_rng(0).random(20), [1, -1]) + 1 / 3  # one of the 4 directions sees one point
    assert len(half_planes(across, n_angles=4)) == len(half_planes(across, n_angles=None)) == 40


def test_what_the_parameters_mean():
    """For drawing: 1 lies beyond the cut, or outside the disc."""
    assert Thresholds(np.array([1.0, 1.0]), np.array([True, False]))([0, 2]).tolist() == [[0, 1], [1, 0]]
    plane = HalfPlanes(np.array([np.pi / 2]), np.array([1.0]), np.array([True]))
    assert plane([[5, 0], [0, 5]]).tolist() == [[0, 1]]
    assert Discs(np.zeros((1, 2)), np.array([4.0]), np.array([True]))([[1, 1], [3, 0]]).tolist() == [[0, 1]]


def test_one_direction_is_a_threshold():
    x = np.random.default_rng(0).normal(size=(9, 2))
    assert (half_planes(x, n_angles=1)(x) == thresholds(x[:, 0])(x[:, 0])).all()


def test_equal_points_are_never_told_apart():
    """A domain against itself, each domain evaluated alone."""
    x = np.random.default_rng(0).normal(size=(37, 2))
    for hypotheses in (half_planes(np.concatenate([x, x])), discs(np.concatenate([x, x]))):
        assert empirical_h_divergence(hypotheses(x), hypotheses(x[::-1])).value == pytest.approx(0)


def test_discs_see_a_ring():
    """Source in the middle, target round it: a disc tells them apart, a half-plane cannot."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    source, target = 0.2 * ring, 2 * ring
    pooled = np.concatenate([source, target])
    of_discs, of_planes = discs(pooled), half_planes(pooled)
    assert empirical_h_divergence(of_discs(source), of_discs(target)).value == 2
    assert 0.5 < empirical_h_divergence(of_planes(source), of_planes(target)).value < 1.5


def test_discs_by_hand():
    """Points 0, 1, 3 on a line, a disc round each: {0} {0 1} {1} {3} {3 1} all none, and every complement."""
    x = np.array([[0.0, 0], [1, 0], [3, 0]])
    said = discs(x)(x)
    inside = {(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1), (0, 0, 0)}
    assert {tuple(row) for row in said} == inside | {tuple(1 - np.array(row)) for row in inside}
    assert len(said) == 8 == len(discs(x))


@settings(max_examples=25)
@given(arrays(np.float64, st.tuples(st.integers(1, 7), st.just(2)), elements=st.integers(-3, 3)))
def test_richer_classes_see_more(x):
    source, target = x, x + [1.0, 0.5]
    pooled = np.concatenate([source, target])
    few, every = half_planes(pooled, n_angles=4), half_planes(pooled, n_angles=None)
    small = empirical_h_divergence(few(source), few(target)).value
    assert small <= empirical_h_divergence(every(source), every(target)).value + 1e-9
    assert small <= hdh_divergence(few(source), few(target)) + 1e-9  # the class holds h = 0


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: empirical_h_divergence([0, 1], [[1]]), r"says_source must be a table .* not of shape \[2\]"),
        (lambda: empirical_h_divergence([[0, 2]], [[1]]), "says_source must hold what each hypothesis says, 0 or 1"),
        (lambda: empirical_h_divergence([[0.0]], [[np.nan]]), "says_target must hold what each hypothesis says"),
        (lambda: hdh_divergence([[0]], [[1], [0]]), "predictions_source has 1 rows, predictions_target has 2"),
        (lambda: hdh_divergence(np.zeros((0, 3)), np.zeros((0, 3))), "predictions_source must be a table"),
        (lambda: bound_terms([[0]], [2], [[0]], [0], 0), "y_source must hold a label, 0 or 1"),
        (lambda: bound_terms([[0]], [0], [[0]], [0, 1], 0), "y_target must hold a label, .* each of the 1 samples"),
        (lambda: bound_terms([[0]], [0], [[0]], [0], 1), "h must be the row of one of the 1 hypotheses"),
        (lambda: complexity_term(0, 1), "n must be a whole number of at least 1, not 0"),
        (lambda: complexity_term(10, 1.5), "vc_dimension must be a whole number of at least 1, not 1.5"),
        (lambda: complexity_term(10, 1, delta=1), "delta must lie between 0 and 1, not be 1"),
        (lambda: thresholds(np.zeros((3, 2))), "points must have 1 coordinate"),
        (lambda: half_planes(np.zeros((3, 3))), "points must have 2 coordinates"),
        (lambda: half_planes(np.zeros((3, 2)), n_angles=0), "n_angles must be a whole number of at least 1, not 0"),
        (lambda: half_planes(normal(0, 101, 2), n_angles=None), "at most 100 different points, not 101"),
        (lambda: discs(np.full((3, 2), np.nan)), "points contains values that are not finite"),
        (lambda: discs(np.zeros((0, 2))), "points must be an array of at least 1 sample"),
    ],
)
def test_bad_classes_give_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
