from dataclasses import replace

import numpy as np
import pytest
from adversarl_curricula.uniform import Uniform

from adversarl.errors import PerturbationError
from adversarl.interfaces.curriculum import Slot
from adversarl.loop import EMPTY
from adversarl.presets import Preset, Range


def drawn(world, n=2000, **options):
    uniform = Uniform(Uniform.Options.model_validate(options), world, np.random.default_rng(0))
    return [uniform.propose(Slot(0, index, 0), EMPTY)[0].perturbations for index in range(n)]


PRESET = Preset("mild", "", "", (Range("brightness", 0.3), Range("mass", 0.5, "heavy"), Range("mass", 0.2, "light")))


def test_without_presets_the_range_of_every_axis_is_filled(world):
    episodes = drawn(world, preset="full")
    intensities = np.array([[p.intensity for p in episode] for episode in episodes])
    assert intensities.shape == (2000, len(world.axes))
    np.testing.assert_allclose(intensities.mean(axis=0), 0.5, atol=0.03)
    assert intensities.max() > 0.99
    assert np.abs(np.corrcoef(intensities.T) - np.eye(len(world.axes))).max() < 0.1


def test_a_preset_leaves_what_it_does_not_name_and_draws_one_of_several_ranges(world):
    episodes = drawn(replace(world, presets=(PRESET,)))
    highest = {}
    for p in (p for episode in episodes for p in episode):
        highest[p.axis, p.value] = max(p.intensity, highest.get((p.axis, p.value), 0.0))
    bounds = {("brightness", None): 0.3, ("mass", "heavy"): 0.5, ("mass", "light"): 0.2}
    assert highest == pytest.approx(bounds, rel=0.02)
    assert all(len(episode) == 2 for episode in episodes)


@pytest.mark.parametrize("more", [{}, {"max_intensity": 0.5}])
def test_an_unknown_preset_names_the_nearest(world, more):
    with pytest.raises(PerturbationError, match=r"no preset 'mlid'\. Did you mean 'mild'"):
        drawn(replace(world, presets=(PRESET,)), preset="mlid", **more)


def test_max_intensity_replaces_the_preset(world):
    episodes = drawn(world, max_intensity=0.6, axes=["mass", "brightness"])
    assert {p.axis for episode in episodes for p in episode} == {"mass", "brightness"}
    assert 0.59 < max(p.intensity for episode in episodes for p in episode) <= 0.6


def test_what_an_intensity_leaves_open_is_drawn_anew(world):
    seeds = [p.seed for episode in drawn(world, 100, preset="full") for p in episode]
    assert len(set(seeds)) == len(seeds)


def test_nothing_to_randomize_is_said_once(world, caplog):
    world = replace(world, presets=(PRESET,))
    uniform = Uniform(Uniform.Options.model_validate({"axes": ["action-noise"]}), world, np.random.default_rng(0))
    assert uniform.propose(Slot(0, 0, 0), EMPTY) == ()
    assert "the preset 'mild' randomizes none of the axes" in caplog.text


def test_an_unknown_axis_names_the_nearest(world):
    with pytest.raises(PerturbationError, match=r"no axis 'masss'\. Did you mean 'mass'"):
        drawn(world, axes=["masss"])
