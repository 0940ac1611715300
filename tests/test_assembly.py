from __future__ import annotations

import re

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

import adversarl
from adversarl.errors import AdversarlError, RecipeError
from adversarl.interfaces.trials import Trial
from adversarl.recipe import load_recipe
from adversarl.training import train


@pytest.fixture
def env(recipe_file):
    env = adversarl.make(str(recipe_file))
    yield env
    env.close()


def test_the_public_names_are_there_and_no_others():
    assert set(adversarl.__all__) == {"__version__", "hookimpl", "make"}
    assert adversarl.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="module 'adversarl' has no attribute 'mkae'"):
        _ = adversarl.mkae


def test_make_returns_a_vector_environment_that_steps_like_any_other(env):
    assert isinstance(env, VectorEnv)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert env.observation_space == batch_space(env.single_observation_space, 4)
    assert env.action_space == batch_space(env.single_action_space, 4)
    observation, info = env.reset(seed=0)
    assert observation in env.observation_space
    env.action_space.seed(0)
    for _ in range(50):
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert observation in env.observation_space
        assert {k: v.dtype for k, v in observation.items()} == {"image": np.uint8, "proprio": np.float32}
        assert reward.shape == terminated.shape == truncated.shape == (4,)
        assert terminated.dtype == truncated.dtype == info["success"].dtype == np.bool_
        assert ("final_obs" in info) == bool((terminated | truncated).any())


def test_make_stays_a_function_however_often_it_is_asked_for(recipe_file):
    """A submodule of the same name would take its place at the first import."""
    for _ in range(2):
        adversarl.make(recipe_file).close()


def test_overrides_and_seed_are_those_of_the_command_line(recipe_file):
    env = adversarl.make(recipe_file, "backend.num_envs=2", seed=3)
    try:
        first, _ = env.reset()
        assert env.num_envs == 2
        again, _ = env.reset(seed=3)
        assert np.array_equal(first["image"], again["image"])
    finally:
        env.close()


def test_a_one_file_plugin_may_be_given(write, small):
    plugin = write(
        "from adversarl import hookimpl\n"
        "@hookimpl\n"
        "def adversarl_register(add):\n"
        "    add.backend('mine', 'adversarl.builtin.point_mass:PointMass', 'My world.')\n",
        "mine.py",
    )
    recipe = write(small.replace('"point-mass"', '"mine"'), "mine.toml")
    env = adversarl.make(recipe, plugins=[plugin])
    env.close()


def test_an_unusable_recipe_says_why(write, small):
    with pytest.raises(RecipeError, match=r"bad.toml: \[backend\] num_env: unknown key. Did you mean 'num_envs'\?"):
        adversarl.make(write(small.replace("num_envs", "num_env")))


PARTS = """
from adversarl import hookimpl
from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy
from pydantic import Field

class PairOptions(CurriculumOptions):
    part: dict = Field({}, description="The part.")

class Pair(CurriculumStrategy):
    '''Delegates to another curriculum.'''
    Options = PairOptions

    def __init__(self, options, world, rng):
        super().__init__(options, world, rng)
        self.inner = world.part("part", options.part, world, rng)

    def propose(self, slot, report):
        return self.inner.propose(slot, report)

@hookimpl
def adversarl_register(add):
    add.curriculum("pair", f"{__name__}:Pair", "Two.")
"""


def with_part(small, write, part):
    recipe = write(small + f'\n[curriculum]\nuse = "pair"\npart = {part}\n')
    return adversarl.make(recipe, plugins=[write(PARTS, "pair.py")])


def test_a_curriculum_may_have_parts_that_are_curricula(small, write):
    env = with_part(small, write, '{ use = "none", clean_share = 0.5 }')
    assert type(env.parts.curriculum.inner).__name__ == "NoCurriculum"
    assert env.parts.curriculum.inner.rng is env.parts.curriculum.rng
    env.close()


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ('{ use = "nothing" }', r"\[curriculum\.part\] use: no curriculum named 'nothing'\."),
        (
            '{ use = "none", clean_shar = 1 }',
            r"\[curriculum\.part\] clean_shar: unknown key\. Did you mean 'clean_",
        ),
    ],
)
def test_errors_in_a_part_name_its_table(small, write, part, message):
    with pytest.raises(AdversarlError, match=message):
        with_part(small, write, part)


def test_the_antagonist_is_the_policy_of_another_run(recipe_file, plugins, registry, tmp_path):
    folder = tmp_path / "antagonist"
    train(load_recipe(recipe_file, registry), plugins, folder)
    env = adversarl.make(recipe_file, "curriculum.guard=antagonist", f"curriculum.antagonist={folder}")
    env.reset(seed=0)
    (outcome,) = env.parts.trials.play([Trial(0)], "antagonist")
    assert outcome.length > 0
    env.close()


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("nowhere", "nowhere: is no run folder: it holds no recipe.toml"),
        (None, 'guard = "antagonist" needs a policy. Set antagonist to the folder of a run'),
    ],
)
def test_an_antagonist_that_is_not_there_is_an_error_before_anything_begins(recipe_file, folder, message):
    sets = ["curriculum.guard=antagonist", *([f"curriculum.antagonist={folder}"] if folder else [])]
    with pytest.raises(AdversarlError, match=re.escape(message)):
        adversarl.make(recipe_file, *sets)
