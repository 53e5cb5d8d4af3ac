"""Domain error and proxy A-distance: ends of the scale, bias, balance."""

import numpy as np
import pytest

from dtlbook.divergence import domain_error, proxy_a_distance


def normal(seed, n=200, k=10, mean=0.0):
    return np.random.default_rng(seed).normal(mean, 1, (n, k))


def test_one_distribution_gives_0_without_bias():
    values = [proxy_a_distance(normal(2 * seed), normal(2 * seed + 1)) for seed in range(40)]
    assert (
        abs(np.mean(values)) < 0.05
    )  # standard error about 0.015; |2(1 − 2ε)| or a cut at 0 would give 0.08
    assert min(values) < 0 < max(values)


def test_many_features_and_few_samples_stay_unbiased():
    """A classifier measured on its own training half would separate this noise, PAD near 2."""
    values = [
        proxy_a_distance(normal(2 * seed, 60, 100), normal(2 * seed + 1, 60, 100)) for seed in range(20)
    ]
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
    assert domain_error(1000 * source + 5, 1000 * target + 5) == pytest.approx(
        domain_error(source, target), abs=0.01
    )
    assert domain_error(np.ones((20, 3)), np.ones((30, 3))) == 0.5


def test_strength_is_the_class_of_classifiers():
    """A shift in a direction with little variance: hidden from a weak classifier, plain to a strong one."""
    source, target = normal(0), normal(1)
    source[:, 0] *= 0.001
    target[:, 0] = 0.001 * target[:, 0] + 0.01
    assert domain_error(source, target) > 0.4
    assert domain_error(source, target, strength=1e8) < 0.02
    assert proxy_a_distance(source, target, strength=1e8) > 1.9
    with pytest.raises(ValueError, match="strength must be greater than 0, not 0"):
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
