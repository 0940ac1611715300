"""Simulated worlds before pictures from elsewhere."""

from __future__ import annotations

import pickle
from contextlib import closing

import numpy as np
import pytest
from adversarl_odyssey.composed import ComposedVectorEnv
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.wording import Wording, settle
from painter import Painter, share

from adversarl.errors import AdversarlError, NoGL
from adversarl.plugins import build_plugin_manager
from adversarl.testing.fakes import make_world
from adversarl.types import Perturbation

SCENE = "An empty room."


def simulated(num_envs=2, **options):
    backend = build_plugin_manager().registry.get("backend", "mujoco").load()
    chosen = backend.Options(num_envs=num_envs, threads=1, image_size=32, **options)
    try:
        return backend(chosen).make(seed=0)
    except NoGL as error:
        pytest.skip(str(error))


@pytest.fixture
def compose():
    worlds = []

    def make(num_envs=2, **options):
        source = Painter(num_envs)
        worlds.append(ComposedVectorEnv(simulated(num_envs), source, Wording(), SCENE, **options))
        return worlds[-1], source

    yield make
    for world in worlds:
        world.close()


def still(world):
    return np.zeros(world.action_space.shape, np.float32)


def test_the_scene_is_seen_behind_the_simulated_things_from_the_first_reset_on(compose):
    world, source = compose()
    observation, info = world.reset(seed=[1, 2])
    assert source.asked == [("begin", 0, SCENE), ("begin", 1, SCENE)]
    assert all(0.1 < share(image, SCENE) < 0.9 for image in observation["image"])
    assert np.array_equal(info["frame_number"], [1, 1])
    assert set(info) >= {"frame_age_s", "frame_latency_s", "frames_dropped", "stream_renewed", "success"}
    assert all(np.shape(info[name]) == (2,) for name in info)


def test_the_table_top_is_replaced_too_if_asked(compose):
    behind, _ = compose()
    table, _ = compose(table=True)
    shares = [share(world.reset(seed=[1, 2])[0]["image"][0], SCENE) for world in (behind, table)]
    assert shares[1] > shares[0] + 0.1


def test_what_is_reserved_for_tests_is_what_the_world_inside_reserves(compose):
    world, _ = compose()
    assert world.reserved(Perturbation("table-color", 1.0, value=(0.3, 0.1, 0.1)))
    assert not world.reserved(Perturbation("table-color", 1.0, value=(0.1, 0.1, 0.1)))


def test_physics_reward_and_state_are_those_of_the_world_inside(compose):
    world, _ = compose()
    with closing(simulated()) as alone:
        actions = np.random.default_rng(0).uniform(-1, 1, (5, *world.action_space.shape)).astype(np.float32)
        results = []
        for each in (world, alone):
            each.reset(seed=[1, 2])
            each.perturb([0], [[Perturbation("object-mass", 0.8, seed=3)]])
            rows = [each.step(action)[:4] for action in actions]
            results.append(([(o["proprio"], *rest) for o, *rest in rows], each.state(), each.teacher([0, 1])))
        (mine, *own), (theirs, *bare) = results
        for one, other in zip([*mine, own], [*theirs, bare], strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_prompt_is_asked_of_the_source_in_its_own_words_and_seen_in_the_next_observation(compose):
    world, source = compose()
    world.reset(seed=[1, 2])
    world.perturb([0], [world.ground("dim the lights").perturbations])
    observation, *_ = world.step(still(world))
    told = f"{SCENE} Dim the lights."
    assert source.asked[2:] == [("prompt", 0, told)]
    assert share(observation["image"][0], SCENE) == 0
    assert share(observation["image"][1], SCENE) > 0.1


def test_what_nobody_can_see_is_not_asked_for(compose):
    world, source = compose()
    world.reset(seed=[1, 2])
    world.perturb([0], [[Perturbation("object-mass", 1.0)]])
    world.step(still(world))
    assert len(source.asked) == 2


def test_restoring_and_perturbing_alike_asks_for_nothing_within_an_episode(compose):
    world, source = compose()
    world.reset(seed=[1, 2])
    dim = [Perturbation("light-intensity", 0.9)]
    for _ in range(3):
        world.restore([0])
        world.perturb([0], [dim])
        world.step(still(world))
    assert [kind for kind, *_ in source.asked] == ["begin", "begin", "prompt"]
    world.restore([0])
    world.step(still(world))
    assert source.asked[-1] == ("prompt", 0, SCENE)


def test_a_new_episode_begins_with_what_is_in_force(compose):
    world, source = compose()
    world.perturb([1], [[Perturbation("light-intensity", 0.9)]])
    world.reset(seed=[1, 2])
    (kind, env, text) = source.asked[-1]
    assert (kind, env) == ("prompt", 1)
    assert text.startswith(f"{SCENE} ")
    world.reset(seed=[None, 2], options={"reset_mask": np.array([False, True])})
    assert source.asked[-2:] == [("begin", 1, SCENE), ("prompt", 1, text)]


def test_a_masked_reset_leaves_the_other_picture_alone(compose):
    world, source = compose()
    world.reset(seed=[1, 2])
    world.reset(seed=[5, None], options={"reset_mask": np.array([True, False])})
    assert [env for _, env, _ in source.asked] == [0, 1, 0]


def test_nothing_is_asked_of_a_source_while_nobody_looks(compose):
    world, source = compose()
    world.pictures = False
    world.reset(seed=[1, 2])
    world.perturb([0], [[Perturbation("light-intensity", 0.9)]])
    world.step(still(world))
    assert (source.asked, source.shows) == ([], 0)
    world.pictures = True
    observation, *_ = world.step(still(world))
    assert [kind for kind, *_ in source.asked] == ["begin", "prompt", "begin"]
    assert share(observation["image"][1], SCENE) > 0.1


def test_only_a_changed_world_waits_for_a_fresh_picture(compose):
    world, _ = compose()
    _, info = world.reset(seed=[1, 2])
    assert info["frames_dropped"].tolist() == [1, 1]
    *_, info = world.step(still(world))
    assert info["frames_dropped"].tolist() == [0, 0]
    world.perturb([1], [[Perturbation("light-intensity", 0.9)]])
    *_, info = world.step(still(world))
    assert info["frames_dropped"].tolist() == [0, 1]


def test_what_words_leave_open_is_settled_alike_before_and_behind(compose):
    world, _ = compose()
    dealt = [Perturbation(axis.name, 0.8, seed=seed) for axis in world.axes for seed in range(4)]
    for perturbation in dealt:
        world.perturb([0], [[perturbation]])
        assert world.active([0])[0][-1] == settle(perturbation)
        world.restore([0])


def test_a_snapshot_brings_the_picture_back_too(compose):
    world, _ = compose()
    world.reset(seed=[1, 2])
    world.perturb([0], [[Perturbation("light-intensity", 0.9)]])
    before, *_ = world.step(still(world))
    moments = pickle.loads(pickle.dumps(world.snapshot([0, 1])))
    world.restore([0])
    world.step(still(world))
    other, source = compose()
    for each in (world, other):
        after = each.rewind([0, 1], moments)
        assert all(np.array_equal(before[name], after[name]) for name in before)
    other.step(still(other))
    assert [kind for kind, *_ in source.asked] == ["begin", "prompt", "begin"]


def test_words_travel_with_a_snapshot_into_a_fresh_world(compose):
    world, _ = compose()
    grounding = world.ground("please make the lamp very dim")
    world.reset(seed=[1, 2])
    other, source = compose()
    other.rewind([0, 1], world.snapshot([0, 1]))
    other.perturb([0], [grounding.perturbations])
    other.step(still(other))
    assert source.asked[1][2].endswith("Please make the lamp very dim.")


def test_a_broken_source_is_the_callers_error_where_there_is_no_run(compose):
    world, source = compose()
    world.reset(seed=[1, 2])
    source.broken = "the quota is used up"
    with pytest.raises(OdysseyError, match=r"the quota is used up. Mend it"):
        world.step(still(world))


def test_a_broken_source_stops_a_run_that_has_begun_without_costing_the_episode(compose, tmp_path):
    world, source = compose()
    told = []
    world.connect(told.append, tmp_path)
    world.reset(seed=[1, 2])
    source.broken = "the quota is used up"
    observation, *_ = world.step(still(world))
    assert "the quota is used up" in world.exhausted
    assert told == [world.exhausted]
    assert share(observation["image"][0], SCENE) > 0.1
    world.reset(seed=[1, 2])


def test_a_source_that_never_worked_is_an_error_of_the_run(compose, tmp_path):
    world, source = compose()
    world.connect(print, tmp_path)
    source.broken = "the key is refused"
    with pytest.raises(OdysseyError, match="the key is refused"):
        world.reset(seed=[1, 2])


def test_a_spent_budget_is_passed_on_and_opens_nothing(compose, tmp_path):
    world, source = compose()
    source.exhausted = "5 USD are spent"
    world.connect(print, tmp_path)
    world.reset(seed=[1, 2])
    assert world.exhausted == "5 USD are spent"
    assert source.shows == 0


def test_a_budget_that_runs_out_does_not_freeze_the_pictures_before_the_run_has_stopped(compose, tmp_path):
    world, source = compose()
    world.connect(print, tmp_path)
    world.reset(seed=[1, 2])
    source.exhausted = "5 USD are spent"
    world.step(still(world))
    assert world.exhausted == "5 USD are spent"
    world.step(still(world))
    assert source.shows == 6


def test_streams_begin_with_a_rendered_picture_if_asked(compose):
    world, source = compose(first=(44, 80))
    observation, _ = world.reset(seed=[1, 2])
    assert [source.first[env].shape for env in (0, 1)] == [(44, 80, 3)] * 2
    assert not np.array_equal(source.first[0], source.first[1])
    with closing(simulated()) as alone:
        proprio = alone.reset(seed=[1, 2])[0]["proprio"]
    assert np.array_equal(observation["proprio"], proprio)
    assert share(observation["image"][0], SCENE) > 0.1


def test_closing_closes_both(compose):
    world, source = compose()
    world.reset(seed=[1, 2])
    assert world.scalars() == {"odyssey/shows": 2.0}
    world.close()
    assert source.closed == 1


def test_a_world_that_puts_nothing_behind_its_scene_is_refused():
    with (
        closing(make_world()) as inner,
        pytest.raises(AdversarlError, match=r"PointMass.* cannot put pictures .*'mujoco'"),
    ):
        ComposedVectorEnv(inner, Painter(), Wording(), SCENE)


def test_pictures_on_their_way_are_let_pass_where_something_has_changed_and_nowhere_else(compose):
    world, source = compose(settle=2)
    world.reset(seed=[1, 2])
    assert source.shows == 2
    world.perturb([1], [[Perturbation("light-intensity", 0.9)]])
    world.step(still(world))
    assert source.shows == 2 + 1 + 3
    world.step(still(world))
    assert source.shows == 6 + 2
    world.reset(seed=[1, 2])
    assert source.shows == 8 + 2
    world.restore([1])
    world.reset(seed=[1, 2])
    assert source.shows == 10 + 1 + 3
