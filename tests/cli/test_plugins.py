from __future__ import annotations

import json
import sys
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from adversarl.cli.app import load_plugins
from adversarl.cli.plugins import option_rows

BROKEN = """
from adversarl import hookimpl

@hookimpl
def adversarl_register(add):
    add.backend("one", "adversarl.builtin.point_mass:PointMass", "A world.")
    add.learner("one", "adversarl.builtin.random_search:RandomSearch", "A learner.")

@hookimpl
def adversarl_epsiode_finished(episode): ...
"""

MINE = """
from typing import Literal
from pydantic import Field
from adversarl import hookimpl
from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy

class MineOptions(CurriculumOptions):
    weight_kg: float = Field(description="Weight [kg].", gt=0, lt=9)
    mode: Literal["fast", "slow"] = Field("fast", description="How.")
    limit: int | None = Field(None, description="How many.")
    names: tuple[str, ...] = Field((), description="Which.")

class Mine(CurriculumStrategy):
    Options = MineOptions

    def propose(self, slot, report):
        return ()

class Broken(Mine):
    def propose(self, slot, report):
        raise ValueError("no idea")

@hookimpl
def adversarl_register(add):
    add.curriculum("mine", f"{__name__}:Mine", "Asks for nothing.")
    add.curriculum("wrong", f"{__name__}:Broken", "Raises.")
    add.failure("mine", "adversarl.builtin.nothing:NoFailure", "Counts.")
"""


@pytest.fixture
def mine(write):
    yield write(MINE, "mine.py")
    sys.modules.pop("adversarl_file_mine", None)


@pytest.fixture
def fresh():
    """Plugins are loaded once a process; these tests install some."""
    load_plugins.cache_clear()
    yield
    load_plugins.cache_clear()


def rows(done):
    return {(row["kind"], row["name"]): row for row in json.loads(done.out)}


def test_list_has_a_row_for_every_component(adversarl):
    listed = rows(adversarl("plugins", "list", "--json"))
    row = listed["backend", "point-mass"]
    assert row["distribution"] == "adversarl"
    assert row["version"].count(".") == 2
    assert row["status"] == "ok"
    assert row["summary"].startswith("A dot to be moved")
    table = adversarl("plugins", "list").out
    assert all(name in table for _, name in listed)


def test_list_one_kind(adversarl):
    assert {kind for kind, _ in rows(adversarl("plugins", "list", "--kind", "suite", "--json"))} == {"suite"}


def test_a_kind_that_does_not_exist_names_the_nearest_one(adversarl):
    done = adversarl("plugins", "list", "--kind", "lerner")
    assert done.code == 2
    assert "--kind: no kind named 'lerner'. Did you mean 'learner'?" in done.err


@pytest.mark.usefixtures("fresh")
def test_a_broken_plugin_is_a_row_with_its_cause_and_the_rest_works(adversarl, install):
    install("bad-plugin", BROKEN)
    done = adversarl("plugins", "list", "--json")
    assert done.code == 0
    broken = rows(done)["", "bad-plugin"]
    assert (broken["status"], broken["distribution"], broken["version"]) == ("broken", "bad-plugin", "1.2")
    assert "unknown hook 'adversarl_epsiode_finished'" in broken["summary"]
    assert ("backend", "point-mass") in rows(done)
    assert "broken" in adversarl("plugins", "list").out


def test_show_prints_default_type_range_and_meaning(adversarl, mine):
    out = adversarl("plugins", "show", "curriculum:mine", "--plugin", mine).out
    table = {cells[0]: cells[1:] for line in out.splitlines() if (cells := [c.strip() for c in line.split("│")[1:-1]])}
    assert table["weight_kg"] == ["required", "number > 0, < 9", "Weight [kg]."]
    assert table["mode"] == ["fast", '"fast" | "slow"', "How."]
    assert table["limit"] == ["", "integer", "How many."]
    assert table["names"] == ["[]", "list of string", "Which."]
    assert table["clean_share"][:2] == ["0.1", "number ≥ 0, ≤ 1"]


class Walk(BaseModel):
    type: Literal["walk"] = "walk"


class Lift(BaseModel):
    type: Literal["lift"] = "lift"


class Choosing(BaseModel):
    task: Annotated[Walk | Lift, Field(discriminator="type", description="What to do.")] = Walk()


def test_a_choice_of_tables_shows_their_names_and_its_default_by_name():
    (row,) = option_rows(Choosing.model_json_schema())
    assert row == ["task", "walk", '"lift" | "walk" | table', "What to do."]


def test_show_as_json_has_the_schema(adversarl):
    shown = json.loads(adversarl("plugins", "show", "point-mass", "--json").out)
    assert shown["target"] == "adversarl.builtin.point_mass:PointMass"
    assert shown["options"]["properties"]["num_envs"]["minimum"] == 1


def test_a_name_of_several_kinds_must_say_which(adversarl, mine):
    done = adversarl("plugins", "show", "mine", "--plugin", mine)
    assert done.code == 2
    assert "no single component named 'mine'. Say which: failure:mine or curriculum:mine" in done.err


def test_an_unknown_component_names_the_nearest_one(adversarl):
    done = adversarl("plugins", "show", "point-mas")
    assert done.code == 2
    assert "no component named 'point-mas'. Did you mean 'point-mass'?" in done.err


def test_check_runs_the_conformance_kit(adversarl):
    done = adversarl("plugins", "check", "backend:point-mass", "--json", "--set", "image_size=16")
    assert done.code == 0
    checks = json.loads(done.out)
    assert len(checks) > 5
    assert {check["status"] for check in checks} == {"ok"}


def test_check_tells_which_promise_a_component_breaks(adversarl, mine):
    done = adversarl("plugins", "check", "curriculum:wrong", "--set", "weight_kg=1", "--plugin", mine)
    assert done.code == 1
    assert "failed" in done.out
    assert "no idea" in done.out


def test_check_refuses_options_that_do_not_exist(adversarl):
    done = adversarl("plugins", "check", "point-mass", "--set", "num_env=2")
    assert done.code == 2
    assert "--set: [point-mass] num_env: unknown key. Did you mean 'num_envs'?" in done.err
