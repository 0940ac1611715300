from __future__ import annotations

import numpy as np
import pytest

from adversarl.builtin.point_mass import PointMass
from adversarl.evaluate import evaluate, evaluate_everywhere, teacher
from adversarl.interfaces.learner import Learner, LearnerOptions
from adversarl.seeding import TRAINING_SEEDS
from adversarl.types import Cell, Perturbation


class Expert(Learner):
    """Acts as the world's teacher does, whatever it is shown."""

    def learn(self, total_steps, on_progress):
        del total_steps, on_progress

    def act(self, observation, *, deterministic=True):
        assert deterministic
        return self.env.teacher(range(len(observation["image"])))

    def save(self, folder):
        del folder

    def load(self, folder):
        del folder


class Idle(Expert):
    """Does nothing."""

    def act(self, observation, *, deterministic=True):
        return np.zeros((len(observation["image"]), 2), dtype=np.float32)


def world(num_envs):
    return PointMass(PointMass.Options(num_envs=num_envs, image_size=16, max_episode_steps=40)).make(seed=0)


def cells(n=5):
    seeds = tuple(TRAINING_SEEDS + i for i in range(n))
    heavy = tuple((Perturbation("mass", 1.0), Perturbation("action-noise", 1.0, seed=i)) for i in range(n))
    return [Cell("mixed", 0.0, seeds, ((),) * n), Cell("mixed", 1.0, seeds, heavy)]


def run(learner, num_envs, **kwargs):
    env = world(num_envs)
    return evaluate(learner(LearnerOptions(), env, np.random.default_rng(0)).act, env, cells(), **kwargs), env


def test_a_policy_is_judged_on_every_episode_of_every_cell():
    results, _ = run(Expert, 2)
    assert [(r.axis, r.intensity, len(r.success)) for r in results] == [("mixed", 0.0, 5), ("mixed", 1.0, 5)]
    assert results[0].success == (True,) * 5
    idle, _ = run(Idle, 2)
    assert sum(results[0].total_reward) > sum(idle[0].total_reward)
    assert idle[0].success == (False,) * 5
    assert idle[0].seeds == results[0].seeds


@pytest.mark.parametrize("num_envs", [1, 3, 16])
def test_an_outcome_does_not_depend_on_how_many_environments_share_the_work(num_envs):
    assert run(Expert, num_envs)[0] == run(Expert, 2)[0]


def test_the_same_episodes_give_the_same_outcomes_however_they_were_played_before():
    env = world(2)
    learner = Expert(LearnerOptions(), env, np.random.default_rng(0))
    first = evaluate(learner.act, env, cells())
    assert evaluate(learner.act, env, cells()) == first


def test_the_world_is_nominal_afterwards():
    _, env = run(Expert, 3)
    assert env.active(range(3)) == [(), (), ()]


def test_progress_is_told_after_every_episode():
    told = []
    run(Expert, 3, on_episode=lambda done, total: told.append((done, total)))
    assert told == [(n, 10) for n in range(1, 11)]


def many_cells():
    """Cells of three worlds, mixed up; shorter episodes tell the worlds apart."""
    seeds = tuple(TRAINING_SEEDS + i for i in range(3))
    limits = (10, 40, 5, 10, 40)
    return [Cell(f"c{n}", 1.0, seeds, ((),) * 3, {"max_episode_steps": t}) for n, t in enumerate(limits)]


class Worlds:
    """Makes worlds, and remembers what was asked and what was closed."""

    def __init__(self):
        self.asked, self.closed = [], []

    def __call__(self, keys):
        options = PointMass.Options(num_envs=2, image_size=16, **keys)
        made = PointMass(options).make(seed=0)
        made.close_extras = lambda **kwargs: self.closed.append(keys["max_episode_steps"])
        self.asked.append(keys["max_episode_steps"])
        return made


def nobody_moves(world):
    return lambda observation: np.zeros((world.num_envs, 2), np.float32)


def test_every_cell_is_played_in_its_own_world_which_is_made_once_and_closed():
    worlds, told = Worlds(), []
    cells, tell = many_cells(), lambda world, done, total: told.append((world.max_episode_steps, done, total))
    results = evaluate_everywhere(nobody_moves, worlds, cells, tell)
    assert [result.axis for result in results] == ["c0", "c1", "c2", "c3", "c4"]
    assert worlds.asked == worlds.closed == [10, 40, 5]
    assert [done for _, done, _ in told] == list(range(1, 16))
    assert {total for *_, total in told} == {15}
    assert [limit for limit, *_ in told] == [10] * 6 + [40] * 6 + [5] * 3
    rewards = [sum(result.total_reward) for result in results]
    assert rewards[0] == rewards[3]
    assert rewards[1] == rewards[4]
    assert len(set(rewards)) == 3


def test_a_world_is_closed_when_its_player_fails():
    worlds = Worlds()

    def clumsy(world):
        raise RuntimeError("fell")

    with pytest.raises(RuntimeError, match="fell"):
        evaluate_everywhere(clumsy, worlds, many_cells(), lambda *_: None)
    assert worlds.asked == worlds.closed == [10]


def test_the_teacher_plays_by_the_state_alone():
    env = world(3)
    [nominal, heavy] = evaluate(teacher(env), env, cells())
    assert nominal.success == (True,) * 5
    assert nominal == run(Expert, 2)[0][0]
    assert heavy.seeds == nominal.seeds
