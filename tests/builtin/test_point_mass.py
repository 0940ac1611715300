import numpy as np
import pytest

from adversarl.errors import PerturbationError
from adversarl.testing import make_world
from adversarl.types import Perturbation


def everything(world, intensity, seed=0):
    return [Perturbation(axis.name, intensity, seed=seed) for axis in world.axes]


@pytest.mark.parametrize("intensity", [0.0, 1.0])
def test_the_teacher_solves_every_episode_even_at_the_bounds(intensity):
    n = 50
    world = make_world(n)
    world.perturb(range(n), [everything(world, intensity, seed) for seed in range(n)])
    world.reset(seed=list(range(n)))
    solved = np.zeros(n, dtype=bool)
    for _ in range(world.max_episode_steps):
        solved |= world.step(world.teacher(range(n)))[2]
    assert solved.all()


def test_the_dot_is_drawn_where_proprioception_says():
    world = make_world(1)
    observation, _ = world.reset(seed=[3])
    red = observation["image"][0, ..., 0].astype(int) - observation["image"][0, ..., 1]
    row, column = np.argwhere(red > 100).mean(axis=0)
    across, up = (column + 0.5) / 16 - 1, 1 - (row + 0.5) / 16
    np.testing.assert_allclose([across, up], observation["proprio"][0, :2], atol=0.03)


def test_the_goal_is_in_the_picture_and_the_state_but_not_in_proprioception():
    world = make_world(1)
    observation, _ = world.reset(seed=[3])
    assert observation["proprio"].shape == (1, 4)
    np.testing.assert_array_equal(world.state()[0, :4], observation["proprio"][0])


def test_a_fixed_colour_is_drawn_exactly():
    world = make_world(1)
    world.perturb([0], [[Perturbation("background-color", 1.0, value=(1.0, 0.0, 1.0))]])
    observation, _ = world.reset(seed=[3])
    assert (255, 0, 255) in {tuple(pixel.tolist()) for pixel in observation["image"][0].reshape(-1, 3)}


def test_both_objects_can_be_recoloured_apart():
    world = make_world(1)
    both = world.ground("recolor the goal at 30 % and recolor the dot at 60 %").perturbations
    assert [(p.target, p.intensity) for p in both] == [("goal", 0.3), ("dot", 0.6)]
    world.perturb([0], [both])
    assert len(world.active([0])[0]) == 2


@pytest.mark.parametrize(
    ("perturbation", "message"),
    [
        (Perturbation("brightnes", 1.0), "the world has no axis 'brightnes'. Did you mean 'brightness'?"),
        (
            Perturbation("object-color", 1.0, target="gaol"),
            "the world has no target of 'object-color' named 'gaol'. Did you mean 'goal'?",
        ),
        (
            Perturbation("background-color", 1.0, value="red"),
            "the world has no value of 'background-color' like 'red'. There is: three numbers in [0, 1].",
        ),
        (
            Perturbation("mass", 1.0, value=(2.0,)),
            "the world has no value of 'mass' like '(2.0,)'. There is: intensity alone.",
        ),
    ],
)
def test_what_is_impossible_is_named_with_what_is_possible(perturbation, message):
    with pytest.raises(PerturbationError) as caught:
        make_world(1).perturb([0], [[perturbation]])
    assert str(caught.value) == message


def test_the_goal_keeps_its_size_until_the_reset():
    world = make_world(1, image_size=64)
    before = world.reset(seed=[3])[0]["image"].copy()
    world.perturb([0], [[Perturbation("object-size", 1.0)]])
    world.step(np.zeros((1, 2)))
    assert np.array_equal(world.reset(seed=[3])[0]["image"], before) is False
    world.restore([0])
    assert np.array_equal(world.reset(seed=[3])[0]["image"], before)


@pytest.mark.parametrize(
    ("text", "axis", "intensity"),
    [
        ("Dim the light", "brightness", 0.5),
        ("please dim the light slightly", "brightness", 0.25),
        ("strongly shake the controls", "action-noise", 1.0),
        ("shift the camera by 12.5 percent.", "camera-shift", 0.125),
        ("back to normal, then make the dot heavier at 100%", "mass", 1.0),
    ],
)
def test_prompts_say_what_and_how_much(text, axis, intensity):
    grounding = make_world(1).ground(text)
    assert grounding.complete
    assert [(p.axis, p.intensity) for p in grounding.perturbations] == [(axis, intensity)]
    assert grounding.restore is text.startswith("back")


@pytest.mark.parametrize("text", ["", "dim", "dim the light at 140 %", "dim the light and the sun", "slightly"])
def test_what_is_not_understood_is_never_dropped(text):
    grounding = make_world(1).ground(text)
    assert not grounding.complete
    assert bool(grounding.not_understood) is bool(text)
