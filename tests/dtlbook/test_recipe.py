"""Schedules, weights, batches and the order of records."""

import math

import numpy as np
import pytest

from dtlbook import recipe
from dtlbook.history import History


def test_lambda_goes_from_0_to_1():
    assert recipe.lambda_schedule(0.0) == 0.0
    assert recipe.lambda_schedule(1.0) == pytest.approx(0.99990920426)
    assert recipe.lambda_schedule(0.1) == pytest.approx(math.tanh(0.5))  # 2σ(x) − 1 = tanh(x/2)
    assert recipe.lambda_schedule(0.5) == pytest.approx(math.tanh(2.5))
    assert recipe.lambda_schedule(1.0, gamma=1.0) == pytest.approx(0.46211715726)  # the trap: γ = 1


def test_learning_rate_of_the_paper():
    assert recipe.learning_rate_schedule(0.0) == 0.01
    assert recipe.learning_rate_schedule(1.0) == pytest.approx(0.01 / 11**0.75)
    assert recipe.learning_rate_schedule(0.3, mu_0=0.2, alpha=0.0) == 0.2


@pytest.mark.parametrize("schedule", [recipe.lambda_schedule, recipe.learning_rate_schedule])
@pytest.mark.parametrize("p", [-0.01, 1.01, 100, float("nan")])
def test_progress_outside_0_to_1_is_refused(schedule, p):
    with pytest.raises(ValueError, match="progress p must lie between 0 and 1"):
        schedule(p)


def test_schedule_constants_are_checked():
    with pytest.raises(ValueError, match="gamma must be greater than 0"):
        recipe.lambda_schedule(0.5, gamma=0.0)
    with pytest.raises(ValueError, match="mu_0 must be greater than 0"):
        recipe.learning_rate_schedule(0.5, mu_0=-0.1)


def test_weights_depend_on_the_seed_alone_and_end_in_one_logit():
    one, same, other = (recipe.mlp_weights(64, 10, 32, 48, seed) for seed in (3, 3, 4))
    shapes = {part: [weight.shape for weight, _ in layers] for part, layers in one.items()}
    assert shapes == {
        "feature_extractor": [(64, 48), (48, 32)],
        "label_predictor": [(32, 10)],
        "domain_classifier": [(32, 48), (48, 1)],
    }
    for part in one:
        for (weight, bias), (weight_2, bias_2) in zip(one[part], same[part], strict=True):
            assert np.array_equal(weight, weight_2) and np.array_equal(bias, bias_2)
    assert not np.array_equal(one["label_predictor"][0][0], other["label_predictor"][0][0])
    assert np.abs(one["feature_extractor"][0][0]).max() <= 1 / 8
    with pytest.raises(ValueError, match="hidden must be 1 or more, not 0"):
        recipe.mlp_weights(64, 10, 32, 0, 0)


def test_batches_reach_every_image_of_each_domain():
    i_source, i_target = recipe.batch_indices(50, 70, steps=100, batch_size=16, seed=0)
    assert i_source.shape == i_target.shape == (100, 16)
    assert set(i_source.ravel()) == set(range(50)) and set(i_target.ravel()) == set(range(70))
    again = recipe.batch_indices(50, 70, steps=100, batch_size=16, seed=0)
    assert np.array_equal(i_source, again[0]) and np.array_equal(i_target, again[1])


@pytest.mark.parametrize(
    "steps, records, expected", [(10, 2, [5, 10]), (10, 3, [4, 7, 10]), (2, 5, [1, 2]), (7, 1, [7])]
)
def test_the_last_record_follows_the_last_update(steps, records, expected):
    assert recipe.record_steps(steps, records) == expected


def test_a_record_needs_every_field():
    history = History()
    full = dict.fromkeys(vars(history), 1.0)
    history.add(**full)
    assert len(history) == 1 and all(len(values) == 1 for values in vars(history).values())
    with pytest.raises(ValueError, match="look at seconds"):
        history.add(**{name: 1.0 for name in full if name != "seconds"})
    assert all(len(values) == 1 for values in vars(history).values())
