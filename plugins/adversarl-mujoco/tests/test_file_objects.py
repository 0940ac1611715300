"""Axes act on objects from MJCF files too, whose geoms may be bodies below the object's own and have no materials."""

from __future__ import annotations

import numpy as np
import pytest

from adversarl.types import Perturbation

NESTED = """<mujoco><worldbody><body name="inner">
<geom name="left" type="box" size=".015 .02 .02" pos="-.015 0 0" rgba="1 0 0 1" mass="0.1"/>
<geom name="banana_skin" type="box" size=".015 .02 .02" pos=".015 0 0" rgba="0 1 0 1" mass="0.1"/>
</body></worldbody></mujoco>"""


@pytest.fixture(scope="module")
def world(open_world, tmp_path_factory):
    path = tmp_path_factory.mktemp("object") / "thing.xml"
    path.write_text(NESTED)
    scene = {"objects": {"thing": {"type": "mjcf", "file": str(path)}}}
    return open_world(1, task={"type": "reach", "target": "thing"}, scene=scene)


def under(world, *active):
    """The model when an episode has begun under perturbations."""
    world.restore([0])
    world.perturb([0], [active])
    world.reset(seed=0)
    return world.simulations[0].model


def colors(model):
    return np.array([model.geom(f"thing_{name}").rgba[:3] for name in ("left", "banana_skin")])


def test_a_color_covers_all_parts_that_have_no_material(world):
    nominal = colors(under(world))
    assert np.allclose(colors(under(world, Perturbation("object-color", 1.0, value=(0.0, 0.0, 1.0)))), (0, 0, 1))
    drawn = colors(under(world, Perturbation("object-color", 1.0, seed=3)))
    assert np.linalg.norm(drawn[0] - nominal[0]) >= 0.5
    model = under(world, Perturbation("object-camouflage", 1.0))
    assert np.allclose(colors(model), model.material("mat_table").rgba[:3])
    assert np.array_equal(colors(under(world)), nominal)


def test_distractors_may_look_like_it(world):
    model = under(world, Perturbation("distractor-similarity", 1.0))
    assert np.allclose(model.geom("distractor_0").rgba[:3], (1, 0, 0))


def test_its_parts_below_are_as_heavy_as_asked_for(world):
    nominal = float(under(world).body("thing").subtreemass[0])
    assert nominal == pytest.approx(0.2)
    heavy = float(under(world, Perturbation("object-mass", 1.0, value="heavy")).body("thing").subtreemass[0])
    assert heavy == pytest.approx(0.6)
    assert float(under(world).body("thing").subtreemass[0]) == nominal


def test_it_can_be_pushed_and_slides_as_asked_for(world):
    nominal = float(under(world).geom("thing_left").friction[0])
    model = under(world, Perturbation("object-friction", 1.0, value="slippery"), Perturbation("pushes", 1.0))
    assert float(model.geom("thing_left").friction[0]) == pytest.approx(nominal / 10)
    world.reset(seed=9)  # whose pushes are frequent
    pushed = 0.0
    for _ in range(60):
        world.step(np.zeros((1, 4)))
        pushed = max(pushed, float(np.abs(world.simulations[0].data.body("thing").xfrc_applied).max()))
    assert 0.1 < pushed < 10


def test_what_would_tear_its_parts_apart_is_not_offered(world):
    assert not {"object-size", "object-shape"} & {axis.name for axis in world.axes}
