import numpy as np
import pytest
from adversarl_rewards.bench.intervals import aurocs, balanced_accuracies, bounded
from sklearn.metrics import balanced_accuracy_score, roc_auc_score


def draw(rng, episodes=30, frames=6, shared=1.0):
    """Frames of episodes whose scores have a part in common."""
    episode = np.repeat(np.arange(episodes), frames)
    success = rng.random(len(episode)) < 0.5
    noise = shared * rng.normal(size=episodes)[episode] + rng.normal(size=len(episode))
    return success, success + noise, episode


def test_weighted_areas_are_those_of_scikit_learn_ties_included():
    rng = np.random.default_rng(0)
    success, scores, _ = draw(rng)
    scores, weights = np.round(scores, 1), rng.integers(0, 4, (5, len(scores))).astype(float)
    expected = [roc_auc_score(success, scores, sample_weight=row) for row in weights]
    assert aurocs(success, scores)(weights) == pytest.approx(expected)


def test_weighted_balanced_accuracies_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    success, scores, _ = draw(rng)
    weights = rng.integers(0, 4, (5, len(scores))).astype(float)
    expected = [balanced_accuracy_score(success, scores > 0.5, sample_weight=row) for row in weights]
    assert balanced_accuracies(success, scores > 0.5)(weights) == pytest.approx(expected)


def test_nothing_is_known_where_a_resample_lacks_one_truth():
    success = np.array([True, False])
    weights = np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    assert np.isnan(aurocs(success, success * 1.0)(weights)).tolist() == [True, True, False]


def width(success, scores, episode):
    found = bounded(aurocs(success, scores), success, episode, np.random.default_rng(0))
    return found["high"] - found["low"]


def test_frames_of_one_episode_do_not_count_as_so_many():
    success, scores, episode = draw(np.random.default_rng(0))
    once, thrice = np.tile(np.arange(len(success)), 1), np.tile(np.arange(len(success)), 3)
    assert width(success[thrice], scores[thrice], episode[thrice]) == pytest.approx(
        width(success[once], scores[once], episode[once]), rel=0.01
    )


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng, covered = np.random.default_rng(0), 0
    truth = roc_auc_score(*draw(np.random.default_rng(1), 20_000)[:2])
    for _ in range(200):
        success, scores, episode = draw(rng)
        found = bounded(aurocs(success, scores), success, episode, rng)
        covered += found["low"] <= truth <= found["high"]
    assert 0.89 <= covered / 200 <= 0.99


def test_one_episode_bounds_nothing():
    success = np.array([True, False, True])
    found = bounded(aurocs(success, np.zeros(3)), success, np.zeros(3, int), np.random.default_rng(0))
    assert found == {"value": 0.5, "low": 0.0, "high": 1.0}


def test_the_bound_of_a_perfect_one_depends_on_its_episodes():
    lows = []
    for episodes in (5, 50):
        success, _, episode = draw(np.random.default_rng(0), episodes)
        found = bounded(aurocs(success, success * 1.0), success, episode, np.random.default_rng(0))
        lows.append(found["low"])
    assert lows == pytest.approx([0.566, 0.928], abs=1e-3)


def test_a_value_that_cannot_be_had_is_bounded_by_nothing():
    success = np.ones(3, bool)
    found = bounded(aurocs(success, np.zeros(3)), success, np.arange(3), np.random.default_rng(0))
    assert found == {"value": None, "low": 0.0, "high": 1.0}
