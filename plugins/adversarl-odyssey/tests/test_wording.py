"""Tests of words for conditions."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from adversarl_odyssey.wording import FREE, LEVELS, SIMULATED, Wording, color_name, level, settle, table

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.plugins import build_plugin_manager
from adversarl.types import Grounding, Perturbation

AXES = [axis for axis in table().axes if axis != FREE]
CASES = [(axis, value) for axis in AXES for value in table().axes[axis]]


@pytest.fixture(scope="module")
def world() -> Iterator[PerturbableVectorEnv]:
    """Our world of physics, which the emulator obeys prompts with."""
    backend = build_plugin_manager().registry.get("backend", "mujoco").load()
    made: PerturbableVectorEnv = backend(backend.Options(num_envs=1, image_size=16)).make(seed=0)
    yield made
    made.close()


def _perturbation(axis: str, value: str, intensity: float, seed: int = 0) -> Perturbation:
    if value == "any":
        return Perturbation(axis, intensity, seed=seed)
    if value == "color":
        return Perturbation(axis, intensity, value=table().colors["green"], seed=seed)
    return Perturbation(axis, intensity, value="stripes" if value == "pattern" else value, seed=seed)


@pytest.mark.parametrize(("axis", "value"), CASES)
def test_our_physics_world_takes_each_sentence_for_its_axis_value_and_growing_intensity(
    world: PerturbableVectorEnv, axis: str, value: str
) -> None:
    said = [Wording().conditions([_perturbation(axis, value, intensity)]) for intensity in LEVELS]
    found = [world.ground(text) for text in said]
    assert [[p.axis for p in grounding.perturbations] for grounding in found] == [[axis]] * 3, said
    assert [grounding.not_understood for grounding in found] == [()] * 3
    intensities = [grounding.perturbations[0].intensity for grounding in found]
    assert intensities == sorted(intensities)
    default = next(iter(table().axes[axis]))
    wanted = _perturbation(axis, value, 1).value
    assert all(g.perturbations[0].value == wanted or value in ("any", default) for g in found)


@pytest.mark.parametrize("name", list(table().colors))
def test_our_physics_world_knows_every_colour_by_our_name(world: PerturbableVectorEnv, name: str) -> None:
    (found,) = world.ground(f"The table is rather {name}.").perturbations
    assert isinstance(found.value, tuple)
    assert found.axis == "table-color"
    assert color_name(found.value) == name


@pytest.mark.parametrize("pattern", list(table().patterns))
def test_our_physics_world_knows_every_pattern_by_our_words(world: PerturbableVectorEnv, pattern: str) -> None:
    text = Wording().describe(Perturbation("table-texture", 0.5, value=pattern))
    (found,) = world.ground(text).perturbations
    assert (found.axis, found.value) == ("table-texture", pattern)


def test_several_conditions_are_understood_together(world: PerturbableVectorEnv) -> None:
    wanted = [_perturbation(axis, value, 0.5) for axis, value in CASES[::7]]
    found = world.ground(Wording().conditions(wanted))
    assert {p.axis for p in found.perturbations} == {p.axis for p in wanted}


def test_lamps_and_other_things_are_named(world: PerturbableVectorEnv) -> None:
    text = Wording().describe(Perturbation("light-intensity", 0.9, "key", "dim"))
    assert text == "The left light is extremely dim."
    assert [p.target for p in world.ground(text).perturbations] == ["key"]
    assert Wording("peg").describe(Perturbation("object-size", 0.5, value="large")) == "The peg is large."
    assert Wording().describe(Perturbation("object-size", 0.5, "big_box", "small")) == "The big box is small."


def test_what_no_picture_shows_has_no_words() -> None:
    hidden = [Perturbation(axis, 1.0) for axis in ("gravity", "proprio-noise", "dropped-frames", "action-delay")]
    assert Wording().conditions([*hidden, Perturbation("fog", 0.0)]) == ""


def test_every_seed_of_an_open_value_has_words_and_keeps_them() -> None:
    for axis in AXES:
        for seed in range(20):
            text = Wording().describe(Perturbation(axis, 0.5, seed=seed))
            assert text == Wording().describe(Perturbation(axis, 0.5, seed=seed))
            assert text[0].isupper()
            assert text.endswith(".")
            assert not {"{", "%"} & set(text)


def test_settled_perturbations_have_the_words_that_they_had_before() -> None:
    for axis in AXES:
        for seed in range(10):
            before = Perturbation(axis, 0.5, seed=seed)
            assert Wording().describe(settle(before)) == Wording().describe(before)


def test_the_physics_world_accepts_settled_perturbations(world: PerturbableVectorEnv) -> None:
    for axis in AXES:
        for seed in range(10):
            world.perturb([0], [[settle(Perturbation(axis, 0.5, seed=seed))]])
    world.restore([0])


def test_directions_given_by_numbers_are_called_by_their_largest_part() -> None:
    say = Wording().describe
    assert say(Perturbation("camera-position", 0.5, value=(0.1, 0.9, 0.0))) == "The camera has moved up."
    assert say(Perturbation("camera-position", 0.9, value=(-0.9, 0.1, 0.0))) == "The camera has moved far to the left."
    assert say(Perturbation("light-direction", 0.5, value=(0.0, 0.0, 1.0)))


def test_names_that_no_words_know_are_still_said() -> None:
    say = Wording().describe
    assert say(Perturbation("table-texture", 0.5, value="tex_011")) == "The table has a striped pattern."
    assert say(Perturbation("background-image", 0.5, value="bank_3")) == "A photograph covers the wall."
    assert say(Perturbation("camera-position", 0.5, value="left up")) == "The camera has moved to the left."
    assert say(Perturbation("occluder", 0.5, value=(1.0, 0.0, 0.0)))


def test_a_curriculums_own_words_come_before_ours(world: PerturbableVectorEnv) -> None:
    wording = Wording()
    grounding = world.ground("make the room gloomy and tint the light green")
    wording.remember(grounding)
    drawn = [p.seeded(7) for p in grounding.perturbations]
    fog = Perturbation("fog", 0.5)
    assert wording.conditions(drawn) == "Make the room gloomy and tint the light green."
    assert wording.conditions([fog, *drawn]) == "There is fog. Make the room gloomy and tint the light green."
    assert "gloomy" not in wording.conditions(drawn[1:])


def test_words_with_numbers_are_described_anew(world: PerturbableVectorEnv) -> None:
    wording = Wording()
    grounding = world.ground("add fog at 80 %")
    wording.remember(grounding)
    assert wording.conditions(grounding.perturbations) == "There is very thick fog."


def test_words_that_restore_first_are_not_kept_for_what_they_add(world: PerturbableVectorEnv) -> None:
    wording = Wording()
    wording.remember(Grounding("back to normal and fog", (Perturbation("fog", 0.5),), restore=True))
    assert wording.conditions([Perturbation("fog", 0.5)]) == "There is fog."


def test_remembered_words_survive_a_file() -> None:
    wording, again = Wording(), Wording()
    perturbations = (Perturbation("table-color", 0.5, value=(0.1, 0.2, 0.3)), Perturbation("fog", 0.4))
    wording.remember(Grounding("a blue table in the mist", perturbations))
    again.load_state_dict(json.loads(json.dumps(wording.state_dict())))
    assert again.conditions(perturbations) == "A blue table in the mist."


def test_levels_lie_in_the_middle_of_what_they_stand_for() -> None:
    assert [level(intensity) for intensity in LEVELS] == [0, 1, 2]
    assert (level(0.01), level(1.0)) == (0, 2)


def test_a_sentence_that_is_a_condition_itself_is_said_as_it_stands() -> None:
    cat = Perturbation(FREE, 1.0, value="a cat jumps onto the table")
    assert Wording().conditions([cat, Perturbation("fog", 0.5)]) == "A cat jumps onto the table. There is fog."
    assert Wording().conditions([Perturbation(FREE, 0.1)])


def test_what_a_simulator_shows_by_itself_is_not_said_to_a_stream_behind_it(world: PerturbableVectorEnv) -> None:
    wording = Wording(silent=SIMULATED)
    both, alone = world.ground("dim the lights and add fog"), world.ground("dim the lights")
    wording.remember(both)
    wording.remember(alone)
    assert wording.conditions(both.perturbations) == "Dim the lights."
    assert wording.conditions(world.ground("add fog").perturbations) == ""
    assert Wording().conditions(both.perturbations) != ""
    assert set(table().axes) > SIMULATED


def test_words_for_more_than_is_said_are_replaced_by_a_description(world: PerturbableVectorEnv) -> None:
    wording = Wording(silent=SIMULATED)
    both = world.ground("dim the lights and add fog")
    wording.remember(both)
    said = wording.conditions(both.perturbations)
    assert said
    assert "fog" not in said.lower()
