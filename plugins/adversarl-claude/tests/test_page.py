import re
import tomllib
from pathlib import Path

import pytest
from adversarl_claude.curriculum import Claude
from adversarl_claude.failure import ClaudeFailure
from adversarl_claude.record import Record

from adversarl.plugins import build_plugin_manager
from adversarl.recipe import parse_recipe

PAGE = (Path(__file__).parents[3] / "docs" / "claude.md").read_text()
RECIPE, FAILURE = re.findall(r"^```toml.*?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_recipe_of_the_page_is_valid_and_shows_the_defaults():
    shown = tomllib.loads(RECIPE)
    parse_recipe(shown, build_plugin_manager().registry, "claude.md")
    defaults = Claude.Options.model_validate({})
    assert {key: getattr(defaults, key) for key in shown["curriculum"] if key != "use"} == {
        key: value for key, value in shown["curriculum"].items() if key != "use"
    }


def test_the_table_of_the_classifier_is_valid():
    table = tomllib.loads(FAILURE)["failure"]
    assert table.pop("use") == "claude"
    assert ClaudeFailure.Options.model_validate(table).frames_per_report == 4


@pytest.mark.parametrize("key", ["timeout_s", "deadline_s", "stale_after", "apply_after", "effort", "instructions"])
def test_keys_that_the_page_explains_exist(key):
    assert f"`{key}" in PAGE
    assert key in Claude.Options.model_fields


def test_the_page_lists_every_event_of_the_record():
    events = re.findall(r"^    \* ``(\w+)``", Record.__doc__, re.MULTILINE)
    rows = re.findall(r"^\| `(\w+)` \| .*\|$", PAGE.partition("## What is kept")[2], re.MULTILINE)
    assert rows == ["event", *events]
