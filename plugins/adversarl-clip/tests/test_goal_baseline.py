import numpy as np
import pytest
from adversarl_clip.goal_baseline import logistic, regularized_reward, unit

S, G, B = np.array([[0.0, 0.6, 0.8]]), np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])


def test_the_example_counted_by_hand():
    # L runs along (1, -1, 0); s - g = (-1, 0.6, 0.8) has -1.6 / 2 of it, so proj_L s = (0.2, 0.8, 0). With alpha 1/4
    # the mixture is (0.05, 0.2, 0) + 3/4 (0, 0.6, 0.8) = (0.05, 0.65, 0.6), and R = 1 - (0.95^2 + 0.65^2 + 0.6^2) / 2.
    assert regularized_reward(S, G, B, 0.25) == pytest.approx([1 - 0.5 * (0.9025 + 0.4225 + 0.36)])
    assert regularized_reward(S, G, B, 0.25) == pytest.approx([0.1575])


def test_without_regularization_it_is_the_cosine():
    rng = np.random.default_rng(0)
    s, g, b = rng.normal(size=(50, 8)), rng.normal(size=8), rng.normal(size=8)
    assert regularized_reward(s, g, b, 0.0) == pytest.approx(unit(s) @ unit(g))


def test_with_full_regularization_nothing_counts_but_the_line():
    # At (0.2, 0.8, 0), which is 0.8 of the way from g to b, of which the length squared is 2.
    assert regularized_reward(S, G, B, 1.0) == pytest.approx([1 - 0.5 * 0.64 * 2])
    aside = np.array([[0.6, 0.6, 0.0], [0.3, 0.3, 0.9]])
    first, second = regularized_reward(unit(aside) * 7, G, B, 1.0)
    scaled = unit(aside)
    along = (scaled - G) @ unit(B - G)
    assert (first, second) == pytest.approx(tuple(1 - 0.5 * along**2))


def test_the_goal_has_one_and_the_baseline_less():
    for alpha in (0.0, 0.3, 1.0):
        goal, baseline = regularized_reward(np.stack([G, B]), G, B, alpha)
        assert goal == pytest.approx(1)
        assert baseline == pytest.approx(0)


def test_it_is_within_bounds_and_knows_no_length():
    rng = np.random.default_rng(1)
    s, g, b = rng.normal(size=(1000, 3)), rng.normal(size=3), rng.normal(size=3)
    for alpha in np.linspace(0, 1, 5):
        reward = regularized_reward(s, g, b, alpha)
        assert np.abs(reward).max() <= 1 + 1e-12
        np.testing.assert_allclose(reward, regularized_reward(3 * s, 5 * g, 7 * b, alpha))


def test_log_odds_of_any_size_are_probabilities():
    assert logistic(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
