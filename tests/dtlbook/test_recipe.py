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


def test_weights_depend_on_the_seed_alone_and_are_bounded_by_the_inputs():
    shapes = [(5, 5, 3, 32), (768, 100), (100, 1)]
    one, same, other = (recipe.initial_weights(shapes, seed) for seed in (3, 3, 4))
    for shape, (weight, bias), (weight_2, bias_2) in zip(shapes, one, same, strict=True):
        assert weight.shape == shape and bias.shape == shape[-1:]
        assert np.array_equal(weight, weight_2) and np.array_equal(bias, bias_2)
        inputs = weight.size // shape[-1]
        assert 0.9 / np.sqrt(inputs) < np.abs(weight).max() <= 1 / np.sqrt(inputs)
    assert not np.array_equal(one[1][0], other[1][0])


def test_sizes_shapes_and_weights_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="hidden must be 1 or more, not 0"):
        recipe.check_sizes(input_dim=64, hidden=0)
    with pytest.raises(ValueError, match=r"height and width at least 16, not \(8, 8, 1\)"):
        recipe.check_image_shape((8, 8, 1), at_least=16)
    with pytest.raises(ValueError, match=r"must have the shapes \[\(3, 2\)\], not \[\(2, 3\)\]"):
        recipe.check_weights([(3, 2)], [(np.zeros((2, 3)), np.zeros(3))])


class Tiny:
    name = "tiny"
    n_classes = 2
    x_train = np.zeros((4, 2, 2, 3), np.uint8)
    y_train = np.array([0, 1, 1, 1])


def test_few_labels_are_drawn_class_by_class_and_depend_on_the_seed_alone():
    images, labels = recipe.few_labels(Tiny, 1, seed=0)
    assert images.shape == (2, 2, 2, 3) and list(labels) == [0, 1]
    with pytest.raises(ValueError, match="between 1 and the 1 training examples of class 0 in tiny, not 2"):
        recipe.few_labels(Tiny, 2, seed=0)


def test_the_mean_image_counts_each_pixel_of_both_domains_once():
    class Bright(Tiny):
        x_train = np.full((12, 2, 2, 3), 255, np.uint8)

    assert np.allclose(recipe.mean_image(Tiny, Bright), 0.75) and recipe.mean_image(Tiny, Bright).shape == (3,)


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
