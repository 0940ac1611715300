"""Tests of the keys of the backend `odyssey`."""

from __future__ import annotations

from typing import Any

import pytest
from adversarl_odyssey.pure_axes import PROMPT, chosen
from adversarl_odyssey.pure_options import OdysseyOptions
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"task": "pikc"}, "no task named 'pikc'.*Did you mean 'pick'"),
        ({"axes": ["fgo"]}, "fgo.*fog"),
        ({"judge": {"use": "goal-imgae"}}, "goal-imgae.*goal-image"),
        ({"judge": {"use": "state"}}, "believes a simulator"),
        ({"judge": {"treshold": 0.3}}, "treshold.*threshold"),
        ({"vocabulary": [["moves", "moves"]]}, "its phrases must differ"),
    ],
)
def test_keys_are_checked_when_the_recipe_is_read(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){problem}"):
        OdysseyOptions(**given)


def test_keys_of_the_physics_world_are_taken() -> None:
    found = OdysseyOptions(task={"type": "pick", "success": {"hold": 1}}, axes=("fog",), image_size=64, num_envs=3)
    assert found.task_text == "pick up the cube"
    assert [axis.name for axis in chosen(found.axes)] == ["fog"]
    assert (found.thing, OdysseyOptions(task="insert").thing) == ("cube", "peg")


def test_any_sentence_is_a_task() -> None:
    drawer = OdysseyOptions(task="open the drawer")
    assert (drawer.task_text, drawer.thing) == ("open the drawer", "object")


def test_all_axes_are_offered_unless_some_are_named() -> None:
    assert PROMPT in [axis.name for axis in chosen(None)]


def test_a_recipe_that_was_written_out_reads_the_same() -> None:
    found = OdysseyOptions(judge={"threshold": 0.3}, vocabulary=(("opens", "closes"),))
    assert OdysseyOptions(**found.model_dump(mode="json", exclude_none=True)) == found
