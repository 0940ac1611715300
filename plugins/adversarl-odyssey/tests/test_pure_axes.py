"""Tests of what a world of words can vary, and of what it takes sentences for."""

from __future__ import annotations

import pytest
from adversarl_odyssey import pure_axes
from adversarl_odyssey.pure_axes import PROMPT
from adversarl_odyssey.wording import LEVELS, Wording, table

from adversarl.types import Axis, Perturbation


@pytest.mark.parametrize("axis", pure_axes.all_axes(), ids=lambda axis: axis.name)
def test_every_axis_understands_its_phrase_and_its_words(axis: Axis) -> None:
    found = pure_axes.ground(f"{axis.phrase} at 40 %")
    assert [(p.axis, p.intensity) for p in found.perturbations] == [(axis.name, 0.4)]
    assert found.complete
    for seed, intensity in enumerate(LEVELS * 4):
        text = Wording().describe(Perturbation(axis.name, intensity, seed=seed))
        assert [p.axis for p in pure_axes.ground(text).perturbations] == [axis.name]


def test_every_axis_of_words_is_one_of_the_wording() -> None:
    assert {axis.name for axis in pure_axes.all_axes()} <= set(table().axes)


@pytest.mark.parametrize(
    "text", ["A dog runs in, and the lamp swings.", "frobnicate the zworble", "???", "in Wonderland"]
)
def test_no_sentence_is_refused(text: str) -> None:
    found = pure_axes.ground(text)
    assert not found.not_understood
    if any(letter.isalpha() for letter in text):
        assert [p.axis for p in found.perturbations] == [PROMPT]
        assert text.rstrip(".") in str(found.perturbations[0].value)


def test_a_prompt_can_ask_for_several_things_and_for_the_nominal_world() -> None:
    found = pure_axes.ground("back to normal, then dim the lights a bit. A cat sits down. the table is dark green")
    assert found.restore
    assert [(p.axis, p.intensity) for p in found.perturbations] == [
        ("light-intensity", 0.25),
        ("table-color", 0.5),
        (PROMPT, 1.0),
    ]
    assert pure_axes.ground("back to normal").perturbations == ()


def test_values_are_taken_from_the_words() -> None:
    (green,) = pure_axes.ground("paint the table dark green").perturbations
    assert green.value == table().colors["dark green"]
    (left,) = pure_axes.ground("move the camera to the left at 20 %").perturbations
    assert (left.value, left.intensity) == ("left", 0.2)
    (key,) = pure_axes.ground("dim the key light").perturbations
    assert (key.target, key.value) == ("key", "dim")
