from __future__ import annotations

import numpy as np
import pytest
from adversarl_mujoco.axes.dynamics import MASS
from adversarl_mujoco.axes.geometry import SIZE
from adversarl_mujoco.scenes.errors import SceneError
from adversarl_mujoco.scenes.load import load_scene
from adversarl_mujoco.scenes.options import MASS_BOUND, SIZE_BOUND

from adversarl.types import Perturbation

SPREAD = {"size": [0.8, 1.2], "mass": [0.5, 2.0], "color": True}
TABLE = {"objects": {"cup": {"type": "cup", "randomize": SPREAD}}}


@pytest.fixture(scope="module")
def world(open_world):
    return open_world(1, image_size=32, scene=TABLE)


def seen(world):
    """Wall's half height, weight and colour of the cup."""
    model = world.simulations[0].model
    return (
        float(model.geom("cup_1").size[2]),
        float(model.body("cup").mass[0]),
        tuple(model.material("mat_cup").rgba[:3].tolist()),
    )


def test_the_bounds_of_the_options_are_those_of_the_axes():
    assert (SIZE_BOUND, MASS_BOUND) == (SIZE, MASS)


def test_size_mass_and_colour_are_drawn_for_every_episode_by_its_seed(world):
    height, colors = 0.037, set()
    for seed in range(20):
        world.reset(seed=seed)
        size, mass, color = seen(world)
        factor = size / height
        assert 0.8 <= factor <= 1.2
        assert 0.5 <= mass / (0.09 * factor**3) <= 2.0
        colors.add(color)
    assert len(colors) == 20
    world.reset(seed=3)
    before = seen(world)
    world.reset(seed=4)
    assert seen(world) != before
    world.reset(seed=3)
    assert seen(world) == before


def test_what_was_drawn_stays_under_prompts_and_after_them(world):
    world.reset(seed=5)
    size, mass, color = seen(world)
    red = Perturbation("object-color", 1.0, value=(1.0, 0.0, 0.0))
    world.perturb([0], [[red, Perturbation("light-intensity", 0.5, value="dim")]])
    world.step(np.zeros((1, 4)))
    assert seen(world) == (size, mass, (1.0, 0.0, 0.0))
    assert world.active([0]) == [(red, Perturbation("light-intensity", 0.5, value="dim"))]
    world.restore([0])
    world.step(np.zeros((1, 4)))
    assert seen(world) == (size, mass, color)


def test_a_rewound_episode_has_its_own_draw_and_goes_on_bit_for_bit(world):
    world.reset(seed=6)
    start = seen(world)
    snapshots = world.snapshot([0])
    first = [world.step(world.teacher([0]))[0]["image"] for _ in range(4)]
    world.reset(seed=7)
    assert seen(world) != start
    world.rewind([0], snapshots)
    assert seen(world) == start
    again = [world.step(world.teacher([0]))[0]["image"] for _ in range(4)]
    np.testing.assert_array_equal(first, again)


def test_what_cannot_vary_is_refused():
    for options, message in (
        ({"type": "bin", "randomize": {"size": [0.9, 1.1]}}, "randomize.size needs an object of primitives"),
        ({"type": "cup", "fixed": True, "randomize": {"mass": [0.9, 1.1]}}, "stands fast changes nothing"),
        ({"type": "cup", "randomize": {"size": [0.1, 1.1]}}, "should be greater than or equal to 0.5"),
    ):
        with pytest.raises(SceneError, match=message):
            load_scene({"objects": {"a": options}})
