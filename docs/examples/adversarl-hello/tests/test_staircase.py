from pathlib import Path

import pytest
from adversarl_hello.staircase import Staircase

from adversarl.testing import checks_for

RECIPE = Path(__file__).parent.parent / "recipe.toml"


@pytest.mark.parametrize("check", checks_for("curriculum"))
def test_the_curriculum_keeps_the_promises_of_its_interface(check):
    check(Staircase)


def test_a_recipe_runs_with_it(adversarl_run):
    summary = adversarl_run(RECIPE, "run.total_steps=2000")
    assert summary["env_steps"] == 2000
    journal = (summary["folder"] / "curriculum.jsonl").read_text()
    assert "dim the light at 0 %" in journal
