from dataclasses import replace

import numpy as np
import pytest
from adversarl_curricula.static import Static

from adversarl.errors import GroundingError
from adversarl.interfaces.curriculum import Slot
from adversarl.loop import EMPTY


def static(world, **options):
    return Static(Static.Options.model_validate(options), world, np.random.default_rng(0))


def proposals(curriculum, n=400):
    return [curriculum.propose(Slot(0, index, 0), EMPTY) for index in range(n)]


def test_the_default_prompts_cover_every_axis_alone_and_all_together(world):
    curriculum = static(world)
    asked = [{p.axis for p in world.ground(text).perturbations} for text in curriculum.prompts]
    assert {tuple(axes) for axes in asked if len(axes) == 1} == {(axis.name,) for axis in world.axes}
    assert sum(len(axes) == len(world.axes) for axes in asked) == len(asked) / 2


def test_a_prompt_that_occurs_often_is_checked_once(world):
    grounded = []
    listening = replace(world, ground=lambda text: (grounded.append(text), world.ground(text))[1])
    curriculum = static(listening)
    assert len(set(curriculum.prompts)) < len(curriculum.prompts)
    assert len([text for text in grounded if text.count(" at ") == len(world.axes)]) == 3


def test_every_prompt_of_the_recipe_is_used_and_none_changes_within_an_episode(world):
    prompts = ["dim the light at 40 %", "shift the camera at 20 % and make the dot heavier at 10 %"]
    asked = [proposal for episode in proposals(static(world, prompts=prompts)) for proposal in episode]
    assert {proposal.text for proposal in asked} == set(prompts)
    assert {(proposal.onset, proposal.duration) for proposal in asked} == {(0, None)}


def test_several_prompts_of_one_episode_differ(world):
    for episode in proposals(static(world, per_episode=3)):
        assert len(episode) == 3
    prompts = ["dim the light at 40 %", "shift the camera at 20 %"]
    for episode in proposals(static(world, prompts=prompts, per_episode=3)):
        assert {proposal.text for proposal in episode} == set(prompts)


def test_a_prompt_that_the_world_does_not_understand_is_refused_at_once(world):
    with pytest.raises(GroundingError, match="sing a song"):
        static(world, prompts=["dim the light at 40 %", "sing a song"])
