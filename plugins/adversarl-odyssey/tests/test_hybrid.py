"""The hybrid world: its options, the promises of a backend, side worlds, and live streams of the emulator."""

from __future__ import annotations

import pickle
import time
from contextlib import closing
from typing import ClassVar

import numpy as np
import pytest
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.hybrid import Hybrid
from adversarl_odyssey.inner import inner_choice, thing_of
from painter import Painter, share

from adversarl.errors import RecipeError
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import parse_recipe
from adversarl.testing import checks_for
from adversarl.types import Perturbation

SMALL = {"image_size": 32, "threads": 1, "num_envs": 2}
AXES = ("light-intensity", "background-color", "fog", "object-mass", "image-noise", "distractors")


class Painted(Hybrid):
    """A hybrid world before colours that only the words decide."""

    painters: ClassVar[list[Painter]] = []

    def open(self, num_envs, size):
        self.painters.append(Painter(num_envs, size))
        return self.painters[-1]


def recipe(backend, source="hybrid.toml"):
    tables = {"backend": {"use": "odyssey-hybrid", **backend}, "learner": {"use": "random-search"}}
    return parse_recipe(tables, build_plugin_manager().registry, source)


@pytest.fixture
def make():
    worlds = []
    Painted.painters.clear()

    def open_world(num_envs=None, **options):
        worlds.append(Painted(Painted.Options(**SMALL, **options)).make(seed=0, num_envs=num_envs))
        return worlds[-1]

    yield open_world
    for world in worlds:
        world.close()


@pytest.mark.parametrize("check", checks_for("backend"), ids=lambda check: check.__name__)
def test_it_keeps_the_promises_of_a_backend_where_words_decide_the_picture(check):
    check(Painted, Painted.Options(**SMALL, axes=AXES))


def test_every_other_key_belongs_to_the_world_inside_and_has_its_default():
    options = recipe({"task": "place", "image_size": 48}).tables["backend"].options
    inner = inner_choice(options).options
    assert (inner.task.type, inner.image_size, inner.num_envs) == ("place", 48, 2)


def test_words_call_the_tasks_object_by_its_name():
    tasks = {"pick up the cube and put it on the goal": "cube", "put the peg into the socket": "peg", "go": "object"}
    assert {task: thing_of(task) for task in tasks} == tasks


def test_a_recipe_that_was_written_out_is_the_same_recipe():
    first = recipe({"task": "place", "axes": ["fog"], "world": "mujoco", "around": "table"})
    tables = first.resolved()
    assert tables["backend"]["image_size"] == 84
    again = parse_recipe(tables, build_plugin_manager().registry, "again.toml", "run")
    assert again.resolved() == tables
    assert pickle.loads(pickle.dumps(again["backend"].options)) == again["backend"].options


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"tsak": "pick"}, r"hybrid.toml: \[backend\] tsak: unknown key. Did you mean 'task'\?"),
        ({"max_cost": 1}, r"hybrid.toml: \[backend\] max_cost: unknown key. Did you mean 'max_cost_usd'\?"),
        ({"image_size": 3}, r"hybrid.toml: \[backend\] image_size: should be greater than or equal to 16, not 3"),
        ({"task": "pikc"}, r"hybrid.toml: \[backend\] task: no task named 'pikc'. Did you mean 'pick'\?"),
        ({"task": {"type": "pick", "colour": 1}}, r"hybrid.toml: \[backend\] task.colour: unknown key"),
        ({"world": "mujco"}, r"hybrid.toml: \[backend\] world: no backend named 'mujco'. Did you mean 'mujoco'\?"),
        ({"world": "odyssey"}, r"hybrid.toml: \[backend\] world: 'odyssey' is no simulator"),
        ({"world": 3}, r"hybrid.toml: \[backend\] world: should be a valid string, not 3"),
        ({"around": "above"}, r"hybrid.toml: \[backend\] around: should be 'behind' or 'table', not 'above'"),
    ],
)
def test_a_wrong_key_of_either_is_named(table, message):
    with pytest.raises(RecipeError, match=message):
        recipe(table)


def test_several_wrong_keys_of_the_world_inside_are_all_named():
    with pytest.raises(RecipeError) as caught:
        recipe({"image_size": 3, "renderer": "crayon"})
    assert "[backend] image_size" in str(caught.value)
    assert "[backend] renderer" in str(caught.value)


def test_recording_and_playback_at_once_are_refused(tmp_path):
    options = Hybrid.Options(**SMALL, record=str(tmp_path / "a"), playback=str(tmp_path / "b"))
    with closing(Hybrid(options).make(seed=0)) as world, pytest.raises(OdysseyError, match="both record and play back"):
        world.reset(seed=[1, 2])


def test_a_world_beside_the_one_in_training_opens_no_stream_and_looks_at_its_pictures(make, tmp_path):
    world = make()
    world.connect(print, tmp_path)
    world.reset(seed=[1, 2])
    dim = [Perturbation("light-intensity", 0.9)]
    world.perturb([1], [dim])
    world.step(np.zeros(world.action_space.shape, np.float32))
    text = Painted.painters[0].asked[-1][2]
    beside = make(num_envs=1)
    beside.perturb([0], [dim])
    seen = beside.reset(seed=[3])[0]["image"][0]
    assert share(seen, text) > 0.1
    beside.restore([0])
    seen = beside.reset(seed=[3])[0]["image"][0]
    assert share(seen, world.scene) > 0.1
    assert len(Painted.painters) == 1


def test_a_world_beside_one_that_has_seen_nothing_shows_the_simulators_own_background(make, tmp_path):
    make().connect(print, tmp_path)
    beside = make(num_envs=1)
    seen, info = beside.reset(seed=[3])
    assert info["frame_number"].tolist() == [-1]
    with closing(inner_choice(beside_options()).make().make(seed=0, num_envs=1)) as alone:
        assert np.array_equal(seen["image"], alone.reset(seed=[3])[0]["image"])


def beside_options():
    return Hybrid.Options(**SMALL)


def test_an_evaluating_world_has_streams_of_its_own(make, tmp_path):
    for _ in range(2):
        world = make()
        world.connect(print, tmp_path)
        world.reset(seed=[1, 2])
    assert len(Painted.painters) == 2


def test_worlds_of_no_run_have_streams_of_their_own(make):
    for _ in range(2):
        make().reset(seed=[1, 2])
    assert len(Painted.painters) == 2


def test_other_services_are_not_looked_at(make, tmp_path):
    make().connect(print, tmp_path)
    make(num_envs=1, scene="Another room.").reset(seed=[3])
    assert len(Painted.painters) == 2


def test_a_closed_world_is_nobodys_owner_any_more(make, tmp_path):
    world = make()
    world.connect(print, tmp_path)
    world.close()
    make(num_envs=1).reset(seed=[3])
    assert len(Painted.painters) == 2


ITS_OWN_TIME = "a live stream goes on by itself, so that no two pictures of it are alike"
NO_WAY_BACK = "a live stream cannot be brought back; it is led by words to where it was"
NOT_WITH_A_LIVE_STREAM = {
    "the_same_seed_gives_the_same_episode": ITS_OWN_TIME,
    "another_seed_gives_another_episode": ITS_OWN_TIME,
    "the_reset_mask_is_respected": ITS_OWN_TIME,
    "two_worlds_run_alike": ITS_OWN_TIME,
    "neighbours_do_not_matter": ITS_OWN_TIME,
    "the_backend_can_be_pickled": ITS_OWN_TIME,
    "perturbing_one_environment_leaves_the_others_alone": ITS_OWN_TIME,
    "intensity_zero_is_nominal": ITS_OWN_TIME,
    "restoring_is_exact": ITS_OWN_TIME,
    "restoring_mid_episode_is_exact": ITS_OWN_TIME,
    "perturbations_repeat": ITS_OWN_TIME,
    "a_rewound_world_has_the_same_future": NO_WAY_BACK,
    "snapshots_travel": NO_WAY_BACK,
    "looking_back_changes_nothing": NO_WAY_BACK,
}
"""Promises about pictures that no live stream can keep, and why; `Painted` keeps them, and so does a playback."""

SLOW = {"every_axis_has_an_effect", "changes_show_mid_episode", "the_time_limit_truncates"}
"""Checks that hold live too, and wait for many pictures; run them by hand."""


@pytest.mark.parametrize("check", checks_for("backend"), ids=lambda check: check.__name__)
def test_it_keeps_all_other_promises_with_a_live_stream(check, emulator):
    if check.__name__ in {*NOT_WITH_A_LIVE_STREAM, *SLOW}:
        return
    check(Hybrid, Hybrid.Options(**SMALL, axes=AXES[:2], client="thin"))


def test_what_a_live_stream_cannot_promise_is_named_as_the_kit_names_it():
    assert set(NOT_WITH_A_LIVE_STREAM) < {check.__name__ for check in checks_for("backend")}


def warmth_of_the_wall(observation):
    """How much redder than blue the upper left corner is, where nothing stands before the wall."""
    red, _, blue = observation["image"][0, :6, :6].reshape(-1, 3).mean(axis=0)
    return red - blue


def test_prompts_show_in_the_next_observation_of_a_live_stream_and_go_with_their_end(emulator):
    with closing(Hybrid(Hybrid.Options(**SMALL, axes=AXES, client="thin", settle_frames=3)).make(seed=0)) as world:
        still = np.zeros(world.action_space.shape, np.float32)
        warm = [warmth_of_the_wall(world.reset(seed=[1, 2])[0])]
        for text in ("make the background red", "back to normal"):
            world.restore([0])
            world.perturb([0], [world.ground(text).perturbations])
            warm.append(warmth_of_the_wall(world.step(still)[0]))
        assert warm[1] > warm[0] + 20
        assert abs(warm[2] - warm[0]) < 10
        assert emulator.stats()["streams"] == 2
    assert emulator.stats()["streams"] == 0


def test_an_account_that_is_suspended_stops_a_run_and_costs_no_episode(emulator, tmp_path):
    told = []
    with closing(Hybrid(Hybrid.Options(**SMALL, client="thin")).make(seed=0)) as world:
        world.connect(told.append, tmp_path)
        still = np.zeros(world.action_space.shape, np.float32)
        world.reset(seed=[1, 2])
        emulator.faults.switch("suspended")
        emulator.faults.switch("drop-connection=0.1")
        until = time.monotonic() + 30
        while not world.exhausted and time.monotonic() < until:
            *_, terminated, truncated, _ = world.step(still)
            if (terminated | truncated).any():
                world.reset(options={"reset_mask": terminated | truncated})
        assert "suspended" in world.exhausted
        assert world.exhausted in told
        assert world.step(still)[0]["image"].any()
