"""Tasks as data: what a recipe may say of them, what it changes, and that each can be solved."""

from __future__ import annotations

import re
import tomllib

import numpy as np
import pytest
from adversarl_mujoco.backend import Mujoco
from adversarl_mujoco.tasks import reach
from adversarl_mujoco.tasks.catalog import TASKS
from adversarl_mujoco.tasks.errors import TaskError
from adversarl_mujoco.tasks.place import PLACE_STATE
from adversarl_mujoco.tasks.place_teacher import GOAL

from adversarl.bench_teachers import measure_teacher
from adversarl.errors import AdversarlError, RecipeError
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import parse_recipe
from adversarl.types import Perturbation

ISSUE = """
task = {type="pick", target="cup", success={lift_height=0.1, grasp_stability=0.95, time_limit=5.0},
reward={grasp=1, lift=2, time_bonus=0.5}}
"""


@pytest.fixture(scope="module")
def registry():
    return build_plugin_manager().registry


def recipe_with(registry, task):
    """The backend's options of a recipe that has a task."""
    backend = {"use": "mujoco", **tomllib.loads(task.replace("},\n", "}, "))}
    tables = {"backend": backend, "learner": {"use": "random-search"}}
    return parse_recipe(tables, registry, "mine.toml")


def one(task, **options):
    return Mujoco(Mujoco.Options(num_envs=1, threads=1, image_size=16, task=task, **options)).make(seed=0)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (
            "3",
            "[backend] task: must be a task's name or its table, not 3. There is: handover, insert, pick, pick-place, "
            "place, pour, reach.",
        ),
        ('{type=["pick"]}', "[backend] task: no task named ['pick']. Did you mean 'pick'?"),
        (
            '{type="reach", success={grasp_stability=0.5}}',
            "[backend] task.success.grasp_stability: should be less than or equal to 0, not 0.5 "
            "(Nothing is grasped here: 0 [1].)",
        ),
        ('"pik"', "[backend] task: no task named 'pik'. Did you mean 'pick'?"),
        ('{type="pick", sucess={}}', "[backend] task.sucess: unknown key. Did you mean 'success'?"),
        (
            '{type="pick", success={lift_hight=0.1}}',
            "[backend] task.success.lift_hight: unknown key. Did you mean 'lift_height'?",
        ),
        (
            '{type="place", reward={lift=1}}',
            "[backend] task.reward.lift: unknown key. There is: grasp, reach, release, step_cost, success, time_bonus, "
            "transport.",
        ),
        (
            '{type="pick", success={lift_height=3}}',
            "[backend] task.success.lift_height: should be less than or equal to 0.25, not 3 "
            "(Height of the object above its rest [m].)",
        ),
    ],
)
def test_a_mistake_in_a_task_names_file_table_and_key(registry, task, said):
    with pytest.raises(RecipeError) as caught:
        recipe_with(registry, f"task = {task}")
    assert str(caught.value).removesuffix(".") == f"mine.toml: {said}".removesuffix(".")


def test_a_name_stands_for_a_table_of_defaults_and_a_table_without_a_type_is_pick(registry):
    named = recipe_with(registry, 'task = "pick"')["backend"].options
    assert (
        named == recipe_with(registry, "task = {}")["backend"].options == recipe_with(registry, "")["backend"].options
    )
    assert named.task.success.lift_height == 0.1


@pytest.mark.parametrize("task", [ISSUE, *(f'task = "{name}"' for name in TASKS)])
def test_a_resolved_recipe_gives_the_same_task_and_scene(registry, task):
    recipe = recipe_with(registry, task)
    again = parse_recipe(tomllib.loads(recipe.to_toml()), registry, "resolved.toml")
    assert again["backend"].options == recipe["backend"].options


@pytest.mark.parametrize(
    ("task", "key", "said"),
    [
        ({"type": "pick", "target": "kube"}, "target", "the scene has no movable object 'kube'. Did you mean 'cube'?"),
        ({"type": "place", "onto": "table2"}, "onto", "the scene has no object 'table2'. There is: cube."),
        ({"type": "pick-place", "onto": "cube"}, "onto", "'cube' cannot be put onto itself. Name another object"),
    ],
)
def test_an_object_that_the_scene_does_not_have_gets_the_names_of_those_it_has(task, key, said):
    with pytest.raises(TaskError, match=re.escape(f"[backend] task.{key}: {said}")):
        one(task)


def test_a_scene_may_be_given_as_a_table_or_a_file_and_targets_are_its_objects(tmp_path):
    table = {"objects": {"ball": {"type": "sphere"}, "dish": {"type": "plate", "position": [0.0, -0.2]}}}
    path = tmp_path / "dishes.toml"
    path.write_text('[objects.ball]\ntype = "sphere"\n\n[objects.dish]\ntype = "plate"\nposition = [0.0, -0.2]\n')
    inline = Mujoco(Mujoco.Options(task={"type": "pick-place", "onto": "dish"}, scene=table)).scene()
    assert list(inline.objects) == ["ball", "dish"]
    filed = Mujoco.Options(task={"type": "pick-place", "onto": "dish"}, scene=str(path))
    assert filed.scene == Mujoco.Options(scene=table).scene
    with pytest.raises(AdversarlError, match=r"dishs\.toml: .*there is no such file"):
        Mujoco.Options(scene=str(tmp_path / "dishs.toml"))


def test_a_task_for_one_arm_refuses_a_scene_with_two():
    with pytest.raises(TaskError, match="'pick' needs 1 robot, the scene has 2"):
        one("pick", scene={"robots": [{}, {}]})


def solve(task, **options):
    """What a teacher does with 60 nominal episodes."""
    chosen = {"threads": 1, "image_size": 16, "num_envs": 20, **options}
    world = Mujoco(Mujoco.Options(task=task, **chosen)).make(seed=0)
    try:
        return measure_teacher(world, 60)
    finally:
        world.close()


@pytest.mark.parametrize(
    "task",
    [
        {"type": "reach"},
        {"type": "reach", "target": "cube"},
        {"type": "place"},
        {"type": "pick-place"},
        {"type": "pick-place", "onto": "plate"},
        {"type": "pick-place", "onto": "bin"},
        {"type": "pick", "target": "bottle"},
        {"type": "pick", "target": "cup", "success": {"grasp_stability": 0.95}},
        {"type": "pick", "success": {"hold": 0.5, "lift_height": 0.2}},
    ],
    ids=str,
)
def test_the_teacher_solves_at_least_95_percent(task):
    assert solve(task).success.value >= 0.95


@pytest.fixture(scope="module", params=["place", "pick-place"])
def tiny(request, open_world):
    return open_world(20, image_size=16, task=request.param)


def play(world, disturb, steps=150):
    """Which episodes the teacher solves when something disturbs its actions."""
    world.reset(seed=list(range(world.num_envs)))
    solved = np.zeros(world.num_envs, bool)
    for step in range(min(steps, world.max_episode_steps)):
        _, _, terminated, *_ = world.step(disturb(step, world.teacher(range(world.num_envs))))
        solved |= terminated
    return solved


def test_the_teacher_recovers_from_dropping_the_object_on_its_way(tiny):
    def drop(step, actions):
        if step in (5, 6, 14, 15):
            actions[:, 3] = -1.0
        return actions

    assert play(tiny, drop).mean() >= 0.95


def test_the_teacher_recovers_from_random_pushes(tiny):
    rng = np.random.default_rng(0)

    def push(step, actions):
        if 4 <= step < 8:
            actions[:, :3] = rng.uniform(-1, 1, (len(actions), 3))
        return actions

    assert play(tiny, push).mean() >= 0.95


def test_the_teacher_reads_the_state_alone(tiny):
    tiny.reset(seed=0)
    saved = tiny.snapshot(range(20))
    first = tiny.teacher(range(20))
    play(tiny, lambda _, actions: actions, steps=5)
    tiny.rewind(range(20), saved)
    np.testing.assert_array_equal(tiny.teacher(range(20)), first)
    assert np.abs(first).max() <= 1


def test_place_begins_with_the_object_held_and_pick_place_with_it_on_the_table(tiny):
    tiny.reset(seed=0)
    held = not tiny.task.startswith("pick up")
    grasped = tiny.state()[:, PLACE_STATE["flags"][0]][:, 0]
    height = 0.1 * tiny.state()[:, PLACE_STATE["object"][0]][:, 2]
    assert (grasped == held).all()
    assert ((height > 0.1) == held).all()


def test_placing_takes_letting_go_on_the_goal(tiny):
    """An object held on the goal is not placed, nor is one let go of beside it."""
    assert not play(tiny, lambda _, actions: np.hstack([actions[:, :3], np.ones((20, 1))])).any()
    tiny.reset(seed=list(range(20)))
    far = np.hypot(*(0.1 * tiny.state()[:, GOAL][:, :2].T)) > 0.06
    solved = np.zeros(20, bool)
    for _ in range(40):
        _, _, terminated, *_ = tiny.step(np.tile([0, 0, 0, -1.0], (20, 1)))
        solved |= terminated
    assert far.any()
    assert not solved[far].any()


def resized(task, axis_target, value, **options):
    """What a teacher does with 20 episodes in which an object is half as large again, or half as large."""
    world = Mujoco(Mujoco.Options(task=task, threads=1, image_size=16, num_envs=20, **options)).make(seed=0)
    world.perturb(range(20), [[Perturbation("object-size", 1.0, axis_target, value)]] * 20)
    world.reset(seed=list(range(20)))
    solved = np.zeros(20, bool)
    for _ in range(world.max_episode_steps):
        _, _, terminated, *_ = world.step(world.teacher(range(20)))
        solved |= terminated
    world.close()
    return solved.mean()


@pytest.mark.parametrize(
    ("task", "target", "value"),
    [
        ({"type": "reach", "target": "bottle"}, "bottle", "large"),
        ({"type": "pick-place", "onto": "plate"}, "cube", "large"),
        ({"type": "pick-place", "onto": "plate"}, "cube", "small"),
    ],
    ids=str,
)
def test_a_goal_moves_with_the_size_of_what_is_on_it(task, target, value):
    assert resized(task, target, value) >= 0.9


def test_what_lies_on_the_rim_of_a_cup_is_not_in_it():
    world = one({"type": "pick-place", "onto": "cup"})
    world.reset(seed=0)
    simulation = world.simulations[0]
    cube = simulation.data.joint("cube_free").qpos
    cube[:3] = np.add(simulation.data.body("cup").xpos, (0, 0, 0.04 + 0.0226))
    cube[3:] = 1, 0, 0, 0
    for _ in range(10):
        assert not world.step(np.array([[0, 0, 1, -1.0]]))[2][0]
    assert cube[2] - simulation.data.body("cup").xpos[2] > 0.06
    world.close()


def test_what_begins_on_top_of_something_is_placed_on_the_table():
    things = {
        "box": {"type": "box", "position": [0, 0, 0.06], "randomize": {"position": [0, 0], "yaw": 0}},
        "stand": {"type": "box", "size": [0.1, 0.1, 0.06], "fixed": True},
    }
    world = one("pick-place", scene={"objects": things})
    world.reset(seed=0)
    assert 0.1 * world.state()[0, GOAL][2] == pytest.approx(-0.06, abs=1e-3)
    world.close()


def test_what_a_teacher_does_does_not_depend_on_other_environments():
    pair = Mujoco(Mujoco.Options(num_envs=2, threads=1, image_size=16)).make(seed=0)

    def second():
        pair.reset(seed=[0, 1])
        for _ in range(5):  # down beside the object, where it matters how high that is
            pair.step(np.tile([0.3, 0, -1, -1], (2, 1)))
        actions = []
        for _ in range(8):
            actions.append(pair.teacher([0, 1])[1])
            pair.step(pair.teacher([0, 1]))
        return np.array(actions)

    usual = second()
    pair.perturb([0], [[Perturbation("object-size", 1.0, None, "large")]])
    np.testing.assert_array_equal(second(), usual)
    pair.close()


def rewards(task, steps=100):
    """Rewards of a teacher's episode until it is solved."""
    world = one(task)
    world.reset(seed=0)
    collected = []
    for _ in range(steps):
        _, reward, terminated, *_ = world.step(world.teacher([0]))
        collected.append(float(reward[0]))
        if terminated[0]:
            break
    world.close()
    return collected


NOTHING = {"reach": 0, "grasp": 0, "lift": 0, "success": 0, "step_cost": 0}


def test_weights_of_nothing_pay_nothing_and_each_term_pays_its_weight():
    assert not any(rewards({"type": "pick", "reward": NOTHING}))
    assert sum(rewards({"type": "pick", "reward": {**NOTHING, "grasp": 3}})) == pytest.approx(3)
    assert sum(rewards({"type": "pick", "reward": {**NOTHING, "lift": 3}})) == pytest.approx(3)
    assert rewards({"type": "pick", "reward": {**NOTHING, "success": 5}})[-1] == pytest.approx(5)
    paid = rewards({"type": "pick", "reward": {**NOTHING, "step_cost": 0.5}})
    assert sum(paid) == pytest.approx(-0.5 * len(paid))


def test_the_time_bonus_is_paid_by_the_share_of_time_left():
    paid = rewards({"type": "pick", "reward": {**NOTHING, "time_bonus": 2}, "success": {"time_limit": 2.5}})
    assert paid[-1] == pytest.approx(2 * (1 - len(paid) / 50))
    assert not any(paid[:-1])


def test_hold_asks_for_the_condition_to_last():
    usual = len(rewards("pick"))
    assert len(rewards({"type": "pick", "success": {"hold": 1.0}})) == usual + 19


def test_stability_is_the_share_of_steps_with_contact_since_the_first_grasp():
    """Letting go for three steps after the grasp costs a share that only holding on can make up for."""

    def play(stability):
        world = one({"type": "pick", "success": {"grasp_stability": stability}})
        world.reset(seed=0)
        task, since, kept, steps = world.simulations[0].task, 0, 0, 0
        while not task.solved:
            action = world.teacher([0])
            action[:, 3] = -1.0 if since in (2, 3, 4) else action[:, 3]
            world.step(action)
            since += task.grasped or since > 0
            kept += task.grasped
            steps += 1
        world.close()
        return steps, kept / since

    slack, loose = play(0.0)
    patient, firm = play(0.9)
    assert loose < 0.9 <= firm
    assert patient > slack


@pytest.mark.parametrize(("state", "size"), [(PLACE_STATE, 32), (reach.STATE, 11)])
def test_the_columns_of_the_states_are_documented_without_gaps(state, size):
    ends = [0] + [columns.stop for columns, _ in state.values()]
    assert [columns.start for columns, _ in state.values()] == ends[:-1]
    assert ends[-1] == size
