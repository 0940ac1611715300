import numpy as np
import pytest
from adversarl_curricula.uniform import Uniform

from adversarl.errors import PerturbationError
from adversarl.interfaces.curriculum import Slot
from adversarl.loop import EMPTY


def drawn(world, n=2000, **options):
    uniform = Uniform(Uniform.Options.model_validate(options), world, np.random.default_rng(0))
    return [uniform.propose(Slot(0, index, 0), EMPTY)[0].perturbations for index in range(n)]


def test_the_strong_preset_fills_the_range_of_every_axis(world):
    episodes = drawn(world, preset="strong")
    intensities = np.array([[p.intensity for p in episode] for episode in episodes])
    assert intensities.shape == (2000, len(world.axes))
    np.testing.assert_allclose(intensities.mean(axis=0), 0.5, atol=0.03)
    assert intensities.max() > 0.99
    assert np.abs(np.corrcoef(intensities.T) - np.eye(len(world.axes))).max() < 0.1


def test_robosuites_preset_leaves_what_robosuite_does_not_randomize(world):
    names = {p.axis for episode in drawn(world, 50) for p in episode}
    assert names == {"background-color", "object-color"}
    assert max(p.intensity for episode in drawn(world) for p in episode) <= 0.3


def test_max_intensity_replaces_the_preset(world):
    episodes = drawn(world, max_intensity=0.6, axes=["mass", "brightness"])
    assert {p.axis for episode in episodes for p in episode} == {"mass", "brightness"}
    assert 0.59 < max(p.intensity for episode in episodes for p in episode) <= 0.6


def test_what_an_intensity_leaves_open_is_drawn_anew(world):
    seeds = [p.seed for episode in drawn(world, 100, preset="strong") for p in episode]
    assert len(set(seeds)) == len(seeds)


def test_nothing_to_randomize_is_said_once(world, caplog):
    uniform = Uniform(Uniform.Options.model_validate({"axes": ["mass"]}), world, np.random.default_rng(0))
    assert uniform.propose(Slot(0, 0, 0), EMPTY) == ()
    assert "the preset 'robosuite' randomizes no axis of this world" in caplog.text


def test_an_unknown_axis_names_the_nearest(world):
    with pytest.raises(PerturbationError, match=r"no axis 'masss'\. Did you mean 'mass'"):
        drawn(world, axes=["masss"])
