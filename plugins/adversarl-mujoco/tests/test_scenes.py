from __future__ import annotations

import mujoco
import numpy as np
import pytest
from adversarl_mujoco.robot import panda
from adversarl_mujoco.scene import TABLE_HEIGHT, build_scene
from adversarl_mujoco.scenes.compose import compose
from adversarl_mujoco.scenes.draw import draw
from adversarl_mujoco.scenes.kinds import KINDS
from adversarl_mujoco.scenes.load import load_scene
from adversarl_mujoco.scenes.options import SceneOptions

PLAIN = [name for name, kind in KINDS.items() if kind.build is not None]


def objects(**things):
    return load_scene({"objects": things})


def built(options):
    scene = compose(options, textures=1)
    data = mujoco.MjData(scene.model)
    mujoco.mj_forward(scene.model, data)
    return scene, data


def run(scene, data, seconds):
    belts = [data.joint(name).qpos for name in scene.belts]
    arms = [mount.prefix for mount in scene.mounts]
    for geom in range(scene.model.ngeom):
        if scene.model.body(int(scene.model.geom_bodyid[geom])).name.startswith(tuple(arms)):
            scene.model.geom_contype[geom] = scene.model.geom_conaffinity[geom] = 0
    for _ in range(round(seconds / scene.model.opt.timestep)):
        mujoco.mj_step(scene.model, data)
        for belt in belts:
            belt.fill(0.0)


def model_bytes(model):
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


def test_a_scene_that_writes_the_defaults_out_is_the_default_scene_to_the_byte():
    cube = {"name": "cube", "type": "box", "size": [0.045] * 3, "mass": 0.08, "color": [0.86, 0.16, 0.14]}
    table = {"size": [0.76, 1.0], "color": [0.72, 0.60, 0.46], "friction": 1.0}
    spelled = load_scene({"objects": [cube], "robots": [{"name": "panda", "gripper": "hand"}], "table": table})
    default = build_scene(panda(), textures=1).model
    assert model_bytes(compose(spelled, textures=1).model) == model_bytes(default)
    np.testing.assert_allclose(default.geom("cube").size, 0.0225)
    np.testing.assert_allclose(default.body("cube").mass, 0.08)
    np.testing.assert_allclose(default.geom("cube").friction, (1.0, 0.005, 0.0001))
    np.testing.assert_allclose(default.body("cube").pos, (0, 0, TABLE_HEIGHT + 0.0225))


@pytest.mark.parametrize("kind", PLAIN)
def test_every_type_has_the_names_that_axes_rely_on_and_the_stated_box_and_mass(kind):
    scene, data = built(objects(thing={"type": kind}))
    model, about = scene.model, scene.objects["thing"]
    body = model.body("thing")
    geoms = range(body.geomadr[0], body.geomadr[0] + body.geomnum[0])
    names = [model.geom(geom).name for geom in geoms]
    skins = [name for name in names if name.endswith("_skin")]
    parts = [name for name in names if name not in skins]
    assert skins == [f"{name}_skin" for name in parts]
    assert parts in (["thing"], [f"thing_{index}" for index in range(len(parts))])
    assert model.material("mat_thing").id in {int(model.geom(name).matid[0]) for name in parts}
    assert (model.joint("thing_free").type[0] == mujoco.mjtJoint.mjJNT_FREE) if about.free else KINDS[kind].fixed
    np.testing.assert_allclose(body.mass, KINDS[kind].mass, rtol=1e-6)
    corners = np.array([_box(model, data, model.geom(name).id) for name in parts])
    low, high = corners[:, 0].min(axis=0), corners[:, 1].max(axis=0)
    middle, half = np.array(about.position), np.array(about.half)
    assert (low >= middle - half - 0.003).all()
    assert (high <= middle + half + 0.003).all()
    assert low[2] == pytest.approx(TABLE_HEIGHT, abs=1e-3)


def _box(model, data, geom):
    rotation = data.geom_xmat[geom].reshape(3, 3)
    centre = data.geom_xpos[geom] + rotation @ model.geom_aabb[geom, :3]
    reach = np.abs(rotation) @ model.geom_aabb[geom, 3:]
    return centre - reach, centre + reach


@pytest.mark.parametrize("kind", [kind for kind in PLAIN if not KINDS[kind].fixed])
def test_every_free_type_stands_by_itself(kind):
    scene, data = built(objects(thing={"type": kind}))
    run(scene, data, 1.0)
    np.testing.assert_allclose(data.body("thing").xpos, scene.objects["thing"].position, atol=1e-3)
    if kind != "sphere":
        assert data.body("thing").xmat[8] > 0.999


@pytest.mark.parametrize("kind", ["cup", "bowl"])
def test_what_falls_into_a_cup_or_bowl_stays_inside(kind):
    things = {"vessel": {"type": kind, "fixed": True}}
    for index in range(6):
        angle = index * np.pi / 3
        position = [0.012 * np.cos(angle), 0.012 * np.sin(angle), 0.09 + 0.015 * index]
        things[f"drop{index}"] = {"type": "sphere", "size": [0.011], "mass": 0.001, "position": position}
    options = load_scene({"objects": things})
    scene, data = built(options)
    run(scene, data, 1.5)
    vessel = scene.objects["vessel"]
    radius, depth = vessel.hollow
    top = vessel.position[2] + vessel.half[2]
    for index in range(6):
        x, y, z = data.body(f"drop{index}").xpos
        assert np.hypot(x, y) < max(radius, vessel.half[0])
        assert top - depth < z < top


def test_a_peg_goes_into_the_socket_with_its_clearance_and_a_thicker_one_does_not():
    for diameter, goes in ((0.03, True), (0.036, False)):
        things = {
            "socket": {"type": "socket", "size": [0.03, 0.05, 0.09, 0.004]},
            "peg": {"type": "peg", "size": [diameter, 0.11], "position": [0.0, 0.0, 0.052]},
        }
        scene, data = built(objects(**things))
        run(scene, data, 1.0)
        fallen = scene.objects["peg"].position[2] - data.body("peg").xpos[2]
        assert bool(fallen > 0.04) is goes


def test_a_conveyor_carries_what_lies_on_it_at_its_speed_and_stays_where_it_is():
    things = {
        "conveyor": {"type": "conveyor", "speed": 0.12},
        "parcel": {"type": "box", "position": [-0.12, 0.0, 0.05]},
    }
    scene, data = built(objects(**things))
    run(scene, data, 1.0)
    carried = data.body("parcel").xpos[0] + 0.12
    assert carried == pytest.approx(0.12, abs=0.01)
    assert abs(float(data.joint("conveyor_belt").qpos[0])) < 1e-3


def test_a_simulation_puts_the_belt_back_and_the_parcel_travels(open_world):
    parcel = {"name": "parcel", "type": "box", "position": [-0.1, 0.0, 0.05], "randomize": {"position": [0, 0]}}
    things = [parcel, {"name": "conveyor", "type": "conveyor"}]
    world = open_world(1, image_size=16, scene={"objects": things})
    world.reset(seed=0)
    simulation = world.simulations[0]
    start = float(simulation.data.body("parcel").xpos[0])
    for _ in range(20):
        world.step(np.zeros((1, 4)))
    assert simulation.data.joint("conveyor_belt").qpos[0] == 0.0
    assert simulation.data.body("parcel").xpos[0] - start == pytest.approx(0.1, abs=0.015)


def test_two_robots_stand_beside_each_other_with_their_own_names():
    scene, data = built(load_scene({"robots": [{}, {"gripper": "robotiq"}]}))
    assert [mount.prefix for mount in scene.mounts] == ["robot_", "robot2_"]
    first, second = (data.body(f"{mount.prefix}base").xpos for mount in scene.mounts)
    np.testing.assert_allclose(second - first, (0, 0.6, 0))
    assert scene.model.actuator("robot2_fingers").id >= 0


def test_a_turned_base_turns_the_whole_robot():
    data = built(load_scene({"robots": [{"yaw": 90}]}))[1]
    reach = data.site("robot_grasp").xpos - data.body("robot_base").xpos
    straight = built(SceneOptions())[1]
    before = straight.site("robot_grasp").xpos - straight.body("robot_base").xpos
    np.testing.assert_allclose(reach, (-before[1], before[0], before[2]), atol=1e-9)


def test_table_cameras_and_lights_are_where_they_are_put():
    table = {"size": [0.5, 0.6], "color": [0.1, 0.2, 0.3], "friction": 0.4}
    lights = {
        "key": {"position": [0.1, -0.5, 1.5], "diffuse": 0.5},
        "fill": {"position": [0.2, 1, 1.5]},
        "lamp": {"position": [0.0, 0.0, 1.4]},
    }
    cameras = {"side": {"position": [0.0, 1.0, 0.8], "fovy": 50}}
    scene, _ = built(load_scene({"table": table, "lights": lights, "cameras": cameras}))
    model = scene.model
    assert scene.camera == "side"
    assert model.camera("side").fovy == 50
    np.testing.assert_allclose(model.geom("table").size[:2], (0.25, 0.3))
    np.testing.assert_allclose(model.geom("table").friction[0], 0.4)
    np.testing.assert_allclose(model.material("mat_table").rgba[:3], (0.1, 0.2, 0.3), rtol=1e-6)
    np.testing.assert_allclose(model.light("lamp").pos, (0, 0, 1.4))
    np.testing.assert_allclose(model.light("sun").pos, (0.1, -0.5, 1.5))


def test_draws_keep_to_their_ranges_and_repeat_with_their_seed():
    spread = {"position": [0.05, 0.1], "yaw": 30, "size": [0.8, 1.25], "mass": [0.5, 2.0], "color": True}
    options = objects(cup={"type": "cup", "position": [0.1, 0.0], "randomize": spread}, other={"type": "box"})
    again = draw(options, np.random.default_rng(3))
    assert again == draw(options, np.random.default_rng(3))
    assert again != draw(options, np.random.default_rng(4))
    for seed in range(30):
        cup, other = draw(options, np.random.default_rng(seed)).objects
        assert other == options.objects[1]
        assert abs(cup.position[0] - 0.1) <= 0.05
        assert abs(cup.position[1]) <= 0.1
        assert abs(cup.yaw) <= 30
        assert 0.8 * 0.062 <= cup.size[0] <= 1.25 * 0.062
        assert 0.5 * 0.09 <= cup.mass <= 2.0 * 0.09
        assert cup.color is not None
