"""One real run of the built-in world, made by the command that users type."""

import os
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

RECIPE = """
[run]
total_steps = 6000
checkpoint_every = 3000

[backend]
use = "point-mass"
num_envs = 4

[failure]
use = "statistics"

[curriculum]
use = "random-prompts"

[learner]
use = "random-search"
step_size = 0.25

[evaluation]
suite = "robustness"
episodes = 4
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The folder of a finished run; tests copy it before they change it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "point.toml").write_text(RECIPE)
    command = [sys.executable, "-m", "adversarl", "run", str(folder / "point.toml"), "--out", str(folder / "run")]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=120)
    return folder / "run"


@pytest.fixture
def runs(made, tmp_path):
    """A folder of runs that may be spoilt: ``first`` and ``second``."""
    folder = tmp_path / "runs"
    for name in ("first", "second"):
        copy(made, folder / name)
    return folder


def copy(run: Path, to: Path) -> Path:
    """A copy of a run folder, as old as the original."""
    return Path(shutil.copytree(run, to))


@pytest.fixture
def spoilt(made, tmp_path):
    """Run folders as a full disk, a kill or a stray file leave them; none has all that a page looks at."""
    folder = tmp_path / "spoilt"
    for name in ("cut", "garbage", "types", "bare", "nothing"):
        (folder / name).mkdir(parents=True)
    copy(made, folder / "half")
    for path in (folder / "half").glob("*.json*"):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])
    for name in ("recipe.toml", "episodes.jsonl", "metrics.jsonl", "curriculum.jsonl"):
        (folder / "cut" / name).write_bytes((made / name).read_bytes()[:137])
        (folder / "garbage" / name).write_bytes(b"\x00\xff\xfe{[\n\x80\n" * 5)
    for name in ("summary.json", "evaluation.json", "reports.jsonl", "lock", "notices.jsonl"):
        (folder / "garbage" / name).write_bytes(b"\x00\xff\xfe{[\n")
    wrong = '{"env_steps": "many", "text": 7, "why": null, "modes": 3, "nominal": 5, "perturbations": 9, "index": []}\n'
    (folder / "types" / "recipe.toml").write_text('run = 3\nbackend = "x"\n')
    for name in ("episodes", "metrics", "curriculum", "reports", "notices", "claude"):
        (folder / "types" / f"{name}.jsonl").write_text(wrong * 3)
    for name in ("summary.json", "evaluation.json"):
        (folder / "types" / name).write_text('{"robustness_auc": 3, "final": {"cells": [1, {"axis": 2}]}, "seeds": 1}')
    (folder / "bare" / "recipe.toml").write_text((made / "recipe.toml").read_text())
    return folder


ESTIMATE = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 5}
RESULTS = {
    "suite": "tabletop-heldout-v1",
    "seeds": [0, 1],
    "curves": ["mixed"],
    "conditions": [
        {
            "name": "adaptive",
            "kind": "recipe",
            "seeds": [0, 1],
            "auc": ESTIMATE,
            "nominal": {"value": None, "low": 0, "high": 1, "n": 0},
            "held_out": True,
            "leaks": [],
            "curves": {"mixed": [{"intensity": 0.0, **ESTIMATE}, {"intensity": 1.0, "value": None}]},
            "steps_to_threshold": {"median": None},
        }
    ],
    "comparisons": [
        {"a": "adaptive", "b": "baseline", "difference": ESTIMATE, "verdict": "better", "sentence": "It is better."}
    ],
}


@pytest.fixture
def results():
    """A small ``results.json``."""
    return deepcopy(RESULTS)
