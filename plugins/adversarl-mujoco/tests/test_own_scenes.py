"""Axes in scenes with lights and cameras of their own."""

from __future__ import annotations

import numpy as np
import pytest
from adversarl_mujoco.scenes.load import load_scene

from adversarl.errors import AdversarlError
from adversarl.types import Perturbation

LIGHTS = {
    "key": {"position": [0.7, -0.8, 2.0]},
    "fill": {"position": [0.3, 1.3, 1.6], "diffuse": 0.2},
    "desk": {"position": [0.0, 0.5, 1.5], "diffuse": 0.5},
}


@pytest.fixture(scope="module")
def simulation(open_world):
    return open_world(1, scene={"lights": LIGHTS}).simulations[0]


def desk(simulation, *active):
    simulation.perturber.apply(active)
    return simulation.model.light("desk").diffuse.copy()


def test_all_lights_are_dimmed_tinted_and_counted(simulation):
    nominal, key = desk(simulation), simulation.model.light("key").diffuse.copy()
    dimmed = desk(simulation, Perturbation("light-intensity", 1.0, value="dim"))
    assert np.allclose(dimmed / nominal, simulation.model.light("key").diffuse / key)
    assert dimmed.max() < 0.4 * nominal.max()
    assert desk(simulation, Perturbation("light-color", 1.0, value=(1.0, 0.0, 0.0)))[1:].max() == 0
    assert desk(simulation, Perturbation("light-count", 1.0, value="fewer")).max() == 0
    assert desk(simulation, Perturbation("shadow", 1.0)) == pytest.approx(0.4 * nominal)
    assert np.array_equal(desk(simulation), nominal)


def test_a_light_that_is_named_leaves_the_others_alone(simulation):
    nominal = desk(simulation)
    assert np.array_equal(desk(simulation, Perturbation("light-intensity", 1.0, "key", "dim")), nominal)


@pytest.mark.parametrize("position", [(0.0, -0.8, 0.9), (0.1, 0.6, 0.9), (0.02, 0.0, 1.2), (0.0, 0.0, 1.3)])
def test_the_occluder_stands_between_any_camera_and_the_table(open_world, position):
    # A camera straight above would have no upright picture, so its target lies a little aside.
    scene = {"cameras": [{"position": position, "target": (-0.03, 0.001, 0.47)}]}
    simulation = open_world(1, image_size=84, scene=scene).simulations[0]
    simulation.perturber.apply([Perturbation("occluder", 1.0, value="center")])
    model = simulation.model
    assert model.geom("occluder").size.min() > 0
    camera, post = np.array(position[:2]), model.body("occluder").pos[:2]
    assert post @ camera == pytest.approx(np.linalg.norm(post) * np.linalg.norm(camera))
    assert np.linalg.norm(post) <= 0.55 * np.linalg.norm(camera) + 1e-9
    simulation.perturber.apply(())


@pytest.mark.parametrize(
    ("scene", "name"),
    [
        ({"lights": {**LIGHTS, "sun": {"position": [0, 0, 2]}}}, "sun"),
        ({"lights": {**LIGHTS, "lamp_0": {"position": [0, 0, 2]}}}, "lamp_0"),
        ({"objects": {"obstacle_0": {"type": "box"}}}, "obstacle_0"),
    ],
)
def test_names_of_the_worlds_own_parts_are_refused(scene, name):
    with pytest.raises(AdversarlError, match=f"'{name}' is a .* of the world. Choose another name"):
        load_scene(scene)
