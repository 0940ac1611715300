from __future__ import annotations

import re

import pytest
from adversarl_mujoco.scenes.check import check, opening
from adversarl_mujoco.scenes.compose import compose
from adversarl_mujoco.scenes.errors import SceneError
from adversarl_mujoco.scenes.load import load_scene
from adversarl_mujoco.scenes.options import SceneOptions


def fault(**things):
    with pytest.raises(SceneError) as caught:
        check(load_scene({"objects": things}, "desk.toml"), "desk.toml")
    return str(caught.value)


def test_the_default_scene_is_sound():
    assert check(SceneOptions()) == []


def test_overlapping_objects_are_both_named_with_the_depth():
    text = fault(a={"type": "box"}, b={"type": "box", "position": [0.035, 0.0]})
    assert text == (
        "desk.toml: [objects.a] position: it overlaps 'b' by 10 mm. Move one of them, or narrow randomize.position"
    )


def test_things_that_stand_fast_are_compared_too():
    assert "it overlaps 'd'" in fault(
        c={"type": "bin", "position": [-0.1, -0.3]}, d={"type": "shelf", "position": [-0.1, -0.35]}
    )


def test_touching_is_not_overlapping():
    things = {"a": {"type": "box"}, "b": {"type": "box", "position": [0.045, 0.0]}}
    things["c"] = {"type": "box", "position": [0.0, 0.0, 0.045]}
    assert check(load_scene({"objects": things})) == []


def test_an_overlap_that_only_the_randomization_makes_is_found_and_repeated_by_its_seed():
    things = {
        "cup": {"type": "cup", "randomize": {"position": [0.1, 0.0]}},
        "can": {"type": "cylinder", "position": [0.11, 0.0]},
    }
    text = fault(**things)
    assert re.search(r"overlaps 'cup' by \d+ mm \(draw \d+ of 20, seed 0\)", text)
    assert text == fault(**things)
    assert check(load_scene({"objects": things}), samples=0) == []


def test_the_largest_size_of_the_randomization_is_what_is_compared():
    things = {"a": {"type": "box", "randomize": {"size": [0.9, 1.5]}}, "b": {"type": "box", "position": [0.05, 0.0]}}
    assert "it overlaps 'b'" in fault(**things)


def test_an_object_inside_the_table_is_told_to_be_raised():
    assert "it is 10 mm inside the table. Raise its third number" in fault(a={"type": "box", "position": [0, 0, -0.01]})


def test_an_object_outside_the_arms_box_is_unreachable():
    text = fault(a={"type": "box", "position": [0.35, 0.0]})
    assert "no arm reaches (0.35, 0.00, 0.42) m: its gripper stays within x = -0.24 ... 0.25" in text


def test_the_corners_of_the_range_must_be_reached_too():
    assert "no arm reaches" in fault(a={"type": "box", "position": [0.2, 0.0], "randomize": {"position": [0.1, 0.0]}})


def test_where_the_inverse_kinematics_fails_is_unreachable():
    options = load_scene({"robots": [{"base": [-1.1, 0.0, 0.4]}]})
    with pytest.raises(SceneError, match="its gripper cannot point down there"):
        check(options)


def test_what_nobody_is_to_take_need_not_be_reached():
    assert check(load_scene({"objects": {"a": {"type": "box", "position": [0.35, 0.0], "fixed": True}}})) == []


def test_an_object_in_the_air_falls():
    assert "it falls by 100 mm within 1 s. Put it on the table" in fault(a={"type": "box", "position": [0, 0, 0.1]})


def test_a_narrow_bottle_on_a_slope_of_another_object_tips():
    stack = {"base": {"type": "sphere", "fixed": True}, "tower": {"type": "cylinder", "size": [0.03, 0.12]}}
    stack["tower"]["position"] = [0.006, 0.0, 0.0495]
    text = fault(**stack)
    assert "[objects.tower] position: it " in text


def test_all_faults_are_told_at_once():
    text = fault(a={"type": "box", "position": [0, 0, 0.1]}, b={"type": "box", "position": [0.35, 0.1]})
    assert [line.split(":")[1].strip() for line in text.splitlines()] == [
        "[objects.b] position",
        "[objects.a] position",
    ]


def test_what_is_too_wide_for_the_gripper_is_a_warning():
    options = load_scene({"objects": {"crate": {"type": "box", "size": [0.05, 0.1, 0.05]}}})
    (problem,) = check(options)
    assert not problem.fatal
    assert str(problem) == (
        "[objects.crate] size: 100 mm along y do not fit into a gripper that opens 80 mm. "
        "Make it narrower, or turn it by yaw = 90"
    )


def test_a_target_that_tasks_would_draw_out_of_reach_is_a_warning():
    (problem,) = check(load_scene({"objects": {"cup": {"type": "cup", "position": [0.2, 0.0]}}}))
    assert not problem.fatal
    assert str(problem).startswith(
        "[objects.cup] randomize: a task that is about it draws its place up to 0.11 and 0.14 m aside, "
        "and no arm reaches (0.31, -0.14, "
    )
    still = {"type": "cup", "position": [0.2, 0.0], "randomize": {"position": [0.0, 0.1]}}
    assert check(load_scene({"objects": {"cup": still}})) == []


def test_a_turned_box_is_measured_across_the_fingers():
    crate = {"type": "box", "size": [0.05, 0.1, 0.05], "yaw": 90}
    assert check(load_scene({"objects": {"crate": crate}})) == []
    (problem,) = check(load_scene({"objects": {"crate": {**crate, "size": [0.1, 0.05, 0.05]}}}))
    assert "100 mm along y do not fit" in str(problem)


@pytest.mark.parametrize(
    ("kind", "size"), [("cup", [0.005, 0.004]), ("socket", [0.03, 0.05, 0.03, 0.004]), ("capsule", [0.1, 0.05])]
)
def test_a_size_without_room_for_an_objects_parts_is_told(kind, size):
    text = fault(thing={"type": kind, "size": size})
    assert text.startswith(f"desk.toml: [objects.thing] size: a {kind} of {size} m has no room for its parts. ")


def test_the_opening_of_grippers_is_measured():
    for gripper, width in (("hand", 0.08), ("robotiq", 0.085)):
        scene = compose(load_scene({"robots": [{"gripper": gripper}]}), textures=1)
        assert opening(scene, scene.mounts[0]) == pytest.approx(width, abs=1e-6)


def test_a_recipes_scene_is_checked_before_its_world_is_made(open_world):
    with pytest.raises(SceneError, match=r"\[backend.scene\]: \[objects.a\] position: it falls"):
        open_world(1, scene={"objects": {"a": {"type": "box", "position": [0, 0, 0.1]}}})
