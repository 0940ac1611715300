"""``adversarl evaluate``: who plays, which suite, and in which worlds."""

from __future__ import annotations

import json

import pytest

from adversarl.runs import read_json

SUITES = """
from adversarl import hookimpl
from adversarl.builtin.robustness import Robustness
from dataclasses import replace

class Elsewhere(Robustness):
    '''The last cell is played in the world of `keys`.'''
    keys = {"max_episode_steps": 3}

    def cells(self, axes, seed):
        *cells, last = super().cells(axes, seed)
        return [*cells, replace(last, world=self.keys)]

class Held(Elsewhere):
    keys = {"split": "test"}

class Larger(Elsewhere):
    keys = {"image_size": 24}

@hookimpl
def adversarl_register(add):
    for suite in (Elsewhere, Held, Larger):
        add.suite(suite.__name__.lower(), f"{__name__}:{suite.__name__}", "Odd.")
"""


@pytest.fixture
def run(adversarl, recipe_file, tmp_path):
    assert adversarl("run", recipe_file, "--out", tmp_path / "run", "--set", "run.total_steps=0").code == 0
    return tmp_path / "run"


@pytest.fixture
def suites(write):
    return write(SUITES, "odd_suites.py")


def evaluations(run):
    return read_json(run / "evaluations.json")


def test_the_teacher_plays_in_place_of_the_policy_under_a_name_of_its_own(adversarl, run):
    for options in ([], ["--teacher"], ["--teacher", "--suite", "robustness", "--set", "episodes=2"]):
        done = adversarl("evaluate", run, *options)
        assert done.code == 0, done.err
    assert "run, its teacher, on robustness" in done.out
    found = evaluations(run)
    assert list(found) == ["robustness", "robustness, teacher"]
    assert found["robustness, teacher"]["options"]["episodes"] == 2
    assert [len(cell["success"]) for cell in found["robustness, teacher"]["cells"]] == [2, 2]
    assert found["robustness, teacher"]["cells"][0]["success"] == [True, True]
    assert not any(found["robustness"]["cells"][0]["success"])


def test_cells_are_played_in_the_worlds_that_they_ask_for(adversarl, run, suites):
    done = adversarl("evaluate", run, "--teacher", "--suite", "elsewhere", "--plugin", suites, "--json")
    assert done.code == 0, done.err
    assert [cell["value"] for cell in json.loads(done.out)["cells"]] == [0.75, 0.0]  # three steps are too short
    assert list(evaluations(run)) == ["elsewhere, teacher"]


@pytest.mark.parametrize(
    ("suite", "problem"),
    [
        (
            "held",
            "[evaluation] suite: 'held' plays in worlds with split = 'test', which backend 'point-mass' does not have",
        ),
        ("larger", "--suite: {'image_size': 24}: the policy was trained for observations of Dict("),
    ],
)
def test_a_world_that_cannot_be_had_costs_no_episode(adversarl, run, suites, suite, problem):
    done = adversarl("evaluate", run, "--suite", suite, "--plugin", suites)
    assert done.code == 2
    assert problem in " ".join(done.err.split())
    assert not (run / "evaluations.json").exists()
