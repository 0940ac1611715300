from __future__ import annotations

import json

import numpy as np
import pytest
from adversarl_mujoco.axes import AXES
from adversarl_mujoco.presets import PRESETS

from adversarl.types import Perturbation

BY_NAME = {preset.name: preset for preset in PRESETS}


def test_the_five_presets_vary_axes_that_exist_within_their_bounds():
    assert list(BY_NAME) == ["robosuite", "strong", "dactyl", "colosseum", "distracting-control"]
    known = {axis.name for axis in AXES}
    for preset in PRESETS:
        assert {one.axis for one in preset.ranges} <= known
        assert all(0 < one.high <= 1 for one in preset.ranges)
        assert preset.summary
        assert preset.source


@pytest.fixture(scope="module")
def simulation(open_world):
    return open_world(1).simulations[0]


@pytest.mark.parametrize("name", list(BY_NAME))
def test_every_range_of_a_preset_can_be_put_in_force(simulation, name):
    simulation.perturber.apply([Perturbation(r.axis, r.high, value=r.value) for r in BY_NAME[name].ranges])
    simulation.perturber.apply(())


def in_force(simulation, preset, axis, value=None, seed=0):
    """The model under the far end of one range of a preset."""
    (one,) = [r for r in BY_NAME[preset].ranges if r.axis == axis and r.value == value]
    simulation.perturber.apply([Perturbation(axis, one.high, value=value, seed=seed)])
    return simulation.model


def test_robosuites_camera_moves_by_a_centimetre(simulation):
    nominal = simulation.model.camera("front").pos.copy()
    moved = in_force(simulation, "robosuite", "camera-position").camera("front").pos
    np.testing.assert_allclose(np.linalg.norm(moved - nominal), 0.01, rtol=1e-6)
    simulation.perturber.apply(())


@pytest.mark.parametrize(
    ("preset", "value", "factor"), [("dactyl", "heavy", 1.5), ("dactyl", "light", 0.5), ("robosuite", "heavy", 1.02)]
)
def test_masses_reach_the_published_factors(simulation, preset, value, factor):
    nominal = float(simulation.model.body("cube").mass[0])
    heavy = float(in_force(simulation, preset, "object-mass", value).body("cube").mass[0])
    assert heavy / nominal == pytest.approx(factor, rel=0.01)
    simulation.perturber.apply(())


@pytest.mark.parametrize(("value", "factor"), [("rough", 1.3), ("slippery", 0.7)])
def test_dactyls_friction_reaches_the_published_factors(simulation, value, factor):
    nominal = float(simulation.model.geom("cube").friction[0])
    now = float(in_force(simulation, "dactyl", "object-friction", value).geom("cube").friction[0])
    assert now / nominal == pytest.approx(factor, rel=0.01)
    simulation.perturber.apply(())


def test_the_command_line_prints_presets(capsys):
    from adversarl.cli.app import build_app

    build_app()(["axes", "show", "dactyl", "--json"], standalone_mode=False)
    shown = json.loads(capsys.readouterr().out)
    assert shown["name"] == "dactyl"
    assert {r["axis"] for r in shown["ranges"]} >= {"backlash", "action-delay", "pushes", "timing-jitter"}
