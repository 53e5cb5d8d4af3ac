"""Selection without target labels: the weighted risks have the target risk as their mean; DEV has less variance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dtlbook.selection import dev_risk, entropy, importance_weighted_risk, source_risk
from dtlbook.weighting import density_ratio


def covariate_shift(seed, n=60):
    """Source uniform on [0, 1], target with density 2x; the loss is x² ⇒ source risk 1/3, target risk 1/2."""
    x = np.random.default_rng(seed).random(n)
    return x**2, 2 * x


def test_the_weighted_risks_are_the_target_risk_on_the_mean():
    draws = [covariate_shift(seed) for seed in range(2000)]
    weighted = np.array([importance_weighted_risk(*draw) for draw in draws])
    dev = np.array([dev_risk(*draw) for draw in draws])
    plain = np.array([source_risk(losses) for losses, _ in draws])
    assert plain.mean() == pytest.approx(1 / 3, abs=0.005)
    assert weighted.mean() == pytest.approx(1 / 2, abs=0.005)
    assert dev.mean() == pytest.approx(1 / 2, abs=0.005)
    assert dev.std() < 0.5 * weighted.std()  # the wrong sign of η would more than double it


def test_dev_by_hand():
    """Losses 1 0 1, w 2 0 4: wℓ = 2 0 4 = w, so η = −1 and the risk is mean(wℓ) − mean(w) + 1 = 1."""
    assert dev_risk([1, 0, 1], [2, 0, 4]) == pytest.approx(1.0)
    losses, w = np.array([1.0, 0.0, 0.5]), np.array([1.0, 3.0, 1.0])
    eta = -np.cov(losses * w, w)[0, 1] / np.var(w, ddof=1)
    assert eta > 0
    assert dev_risk(losses, w) == pytest.approx(0.5 + eta * 5 / 3 - eta)


@given(arrays(np.float64, st.integers(2, 20), elements=st.floats(0, 1e6)), st.floats(0.01, 100))
def test_equal_weights_of_1_change_nothing(losses, c):
    ones = np.ones(len(losses))
    assert importance_weighted_risk(losses, ones) == pytest.approx(source_risk(losses))
    assert dev_risk(losses, ones) == pytest.approx(source_risk(losses))
    assert dev_risk(losses, c * ones) == pytest.approx(c * source_risk(losses))


@given(arrays(np.float64, 12, elements=st.floats(0, 10)), arrays(np.float64, 12, elements=st.floats(0.01, 10)))
def test_dev_of_a_constant_loss_is_that_loss(losses, w):
    """A loss that is c everywhere has risk c on any domain: only DEV knows, from E[w] = 1."""
    assert dev_risk(np.full(12, 3.0), w) == pytest.approx(3.0, abs=1e-6) or np.var(w) < 1e-12
    if np.var(w) > 1e-6:  # and no shift of the loss by c shifts the estimate by anything else
        assert dev_risk(losses + 3, w) == pytest.approx(dev_risk(losses, w) + 3, abs=1e-4)


def test_the_right_model_is_chosen_with_estimated_weights():
    """Two models: one errs for x > 0.7, where the target lives, one for x < 0.5, where most of the source lives."""
    rng = np.random.default_rng(0)
    source, held_out, target = rng.normal(0, 1, (2000, 1)), rng.normal(0, 1, (2000, 1)), rng.normal(1, 1, (2000, 1))
    w = density_ratio(source, target, strength=100, points=held_out)
    errs_where_target_lives, errs_where_source_lives = held_out[:, 0] > 0.7, held_out[:, 0] < 0.5
    assert source_risk(errs_where_target_lives) < source_risk(errs_where_source_lives)
    for risk in (importance_weighted_risk, dev_risk):
        assert risk(errs_where_target_lives, w) > risk(errs_where_source_lives, w)
        assert risk(errs_where_target_lives, w) == pytest.approx((target > 0.7).mean(), abs=0.1)


def test_entropy_at_its_ends_and_by_hand():
    assert entropy(np.eye(4)) == 0
    assert entropy(np.full((3, 4), 0.25)) == pytest.approx(np.log(4))
    assert entropy([[0.5, 0.5], [1.0, 0.0]]) == pytest.approx(np.log(2) / 2)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: source_risk([]), r"losses must hold one number .* not be of shape \[0\]"),
        (lambda: source_risk([[1.0]]), "losses must hold one number"),
        (lambda: source_risk([np.nan]), "losses contain values that are not finite"),
        (lambda: importance_weighted_risk([1.0, 2.0], [1.0]), r"w must hold one weight for each of the 2 .* \[1\]"),
        (lambda: importance_weighted_risk([1.0], [-1.0]), "w must be finite, not negative and not all 0"),
        (lambda: dev_risk([1.0], [1.0]), "at least 2 samples"),
        (lambda: dev_risk([1.0, 2.0], [np.inf, 1.0]), "w must be finite"),
        (lambda: entropy([0.5, 0.5]), r"probabilities must be a table .* not of shape \[2\]"),
        (lambda: entropy([[2.0, -1.0]]), "logits need a softmax first"),
        (lambda: entropy([[0.5, 0.6]]), "sum to 1 in each row"),
        (lambda: entropy([[np.nan, 1.0]]), "probabilities must be at least 0"),
    ],
)
def test_bad_input_gives_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
