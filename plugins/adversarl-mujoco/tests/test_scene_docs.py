"""What docs/scenes.md says of scenes is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from adversarl_mujoco.scenes.check import check
from adversarl_mujoco.scenes.kinds import KINDS
from adversarl_mujoco.scenes.load import load_scene
from adversarl_mujoco.scenes.options import (
    CameraOptions,
    LightOptions,
    ObjectOptions,
    RandomizeOptions,
    RobotOptions,
    SceneOptions,
    TableOptions,
)

PAGE = (Path(__file__).parents[3] / "docs" / "scenes.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}[^\n]*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_names_every_type_with_its_sizes():
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*)\|", PAGE, re.MULTILINE))
    for name, kind in KINDS.items():
        for label, value in kind.sizes.items():
            assert label in rows[name]
            assert f"{value:g}" in rows[name]


@pytest.mark.parametrize(
    "options", [ObjectOptions, RandomizeOptions, RobotOptions, CameraOptions, LightOptions, TableOptions]
)
def test_the_page_names_every_key(options):
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert set(options.model_fields) <= named


def test_the_page_names_every_table():
    assert all(f"[{name}]" in PAGE for name in SceneOptions.model_fields)


def test_the_first_scene_of_the_page_is_sound():
    assert check(load_scene(tomllib.loads(blocks("toml")[0]))) == []


def test_the_gripper_of_the_page_has_keys_that_there_are():
    table = tomllib.loads(blocks("toml")[1])["robots"][0]
    RobotOptions.model_validate(table)


def test_the_python_of_the_page_runs():
    names = {}
    exec(blocks("python")[0], names)
    assert names["model"].body("cup").id > 0
