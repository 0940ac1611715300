import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SUITE = HERE / "points.toml"
RECIPE = """
[run]
total_steps = 1600
checkpoint_every = 400

[backend]
use = "point-mass"
num_envs = 4

[curriculum]
use = "{curriculum}"
axes = ["camera-shift", "object-color", "background-color"]

[learner]
use = "random-search"
directions = 2
top = 2
"""


@pytest.fixture(scope="session")
def recipes(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("recipes")
    for name, curriculum in (("baseline", "uniform"), ("adaptive", "rules")):
        (folder / f"{name}.toml").write_text(RECIPE.format(curriculum=curriculum))
    return [folder / "baseline.toml", folder / "adaptive.toml"]


@pytest.fixture(scope="session")
def command():
    """Starts `adversarl ARGS...`; output is captured."""

    def start(*args: object) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "adversarl", *map(str, args)]
        env = {**os.environ, "COLUMNS": "400"}
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)

    return start
