import pickle

import numpy as np
import pytest
from adversarl_curricula.rules import Rules
from adversarl_curricula.static import Static
from adversarl_curricula.uniform import Uniform

from adversarl.testing import checks_for

CURRICULA = (Rules, Static, Uniform)


@pytest.mark.parametrize("check", checks_for("curriculum"))
@pytest.mark.parametrize("curriculum", CURRICULA)
def test_the_promises_of_a_curriculum_are_kept(check, curriculum):
    check(curriculum)


def episodes_of(loop, steps, record):
    """Random actions until so many control steps are over; appends what the hooks would be told."""
    actions = np.random.default_rng(steps)
    finished = loop.parts.curriculum.observe

    def observe(episode):
        record.append(episode)
        finished(episode)

    loop.parts.curriculum.observe = observe
    for _ in range(steps):
        loop.step(actions.uniform(-1, 1, (loop.num_envs, 2)).astype(np.float32))
    del loop.parts.curriculum.observe


@pytest.mark.parametrize("curriculum", CURRICULA)
def test_an_interrupted_closed_loop_goes_on_as_the_uninterrupted_one(curriculum, closed_loop):
    loop, resumed = closed_loop(curriculum), closed_loop(curriculum, seed=7)
    loop.reset(seed=3)
    resumed.reset(seed=4)
    episodes_of(loop, 400, [])
    saved = pickle.dumps(loop.snapshot())
    uninterrupted, interrupted = [], []
    episodes_of(loop, 401, uninterrupted)
    resumed.rewind(pickle.loads(saved))
    episodes_of(resumed, 401, interrupted)
    assert len(uninterrupted) > 10
    assert any(episode.perturbations for episode in uninterrupted)
    assert interrupted == uninterrupted
