import numpy as np
import pytest

from adversarl.builtin.features import RunningMoments, features
from adversarl.evaluate import evaluate
from adversarl.testing import make_learner, make_loop, make_world
from adversarl.types import Cell


def picture(row, column, size=9):
    image = np.full((1, size, size, 3), 40, dtype=np.uint8)
    image[0, row, column] = 255
    return {"image": image, "proprio": np.array([[0.5]], dtype=np.float32)}


def success(learner, episodes=40):
    seeds = tuple(range(2**31, 2**31 + episodes))
    [result] = evaluate(learner.act, make_world(8), [Cell("nominal", 0.0, seeds, ((),) * episodes)])
    return np.mean(result.success)


@pytest.mark.parametrize(("row", "column", "across", "up"), [(4, 4, 0, 0), (0, 8, 1, 1), (8, 0, -1, -1)])
def test_features_are_proprioception_and_where_things_are(row, column, across, up):
    np.testing.assert_allclose(features(picture(row, column))[0], [0.5, *[across] * 3, *[up] * 3], atol=1e-4)


def test_a_plain_picture_has_its_centroid_in_the_middle():
    plain = {"image": np.full((1, 9, 9, 3), 200, np.uint8), "proprio": np.zeros((1, 1))}
    assert not features(plain).any()


def test_moments_change_only_when_committed():
    batches = np.random.default_rng(0).normal(3.0, 2.0, (5, 40, 2))
    moments = RunningMoments(2)
    for batch in batches:
        moments.add(batch)
    everything = batches.reshape(-1, 2)
    assert np.array_equal(moments.normalise(everything), everything)
    moments.commit()
    normal = moments.normalise(everything)
    np.testing.assert_allclose([normal.mean(), normal.std()], [0.0, 1.0], atol=1e-9)


def test_an_update_follows_the_direction_with_the_higher_return():
    learner = make_learner(make_loop(max_episode_steps=5), directions=2, top=1, step_size=1.0)
    learner._scores = np.array([4.0, 2.0, 1.0, 1.0])
    learner._update()
    np.testing.assert_allclose(learner._policy, 2.0 * learner._directions[0], rtol=1e-6)


def test_random_search_learns_to_reach_the_goal_it_sees():
    learner = make_learner(make_loop(8))
    before = success(learner)
    learner.learn(40_000, lambda scalars: True)
    after = success(learner)
    assert before <= 0.2
    assert after >= 0.5, f"success went from {before} to {after}"
