"""What is said where open_clip is missing or its PyTorch does not fit; each in a process of its own."""

import os
import subprocess
import sys

import pytest

RECIPE = """
[run]
total_steps = 100

[backend]
use = "point-mass"
num_envs = 2
image_size = 16

[reward]
use = "clip"

[learner]
use = "random-search"
"""


@pytest.fixture
def run(tmp_path):
    """``adversarl run`` in an environment where a package of that name has this content."""
    (tmp_path / "recipe.toml").write_text(RECIPE)

    def call(package, content):
        shadow = tmp_path / "packages" / package
        shadow.mkdir(parents=True)
        (shadow / "__init__.py").write_text(content)
        command = [
            sys.executable,
            "-m",
            "adversarl",
            "run",
            str(tmp_path / "recipe.toml"),
            "--out",
            str(tmp_path / "out"),
        ]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "packages"), "COLUMNS": "1000"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, " ".join((done.stdout + done.stderr).replace("│", " ").split())

    return call


def test_a_missing_package_is_named_with_what_to_run(run):
    code, said = run("torchvision", "raise ModuleNotFoundError(\"No module named 'torchvision'\", name='torchvision')")
    assert code == 2
    assert (
        "reward 'clip' needs the package 'torchvision', which is not installed. Run: pip install open-clip-torch "
        "safetensors scikit-learn torch==2.14.1 torchvision==0.29.1"
    ) in said


def test_a_torchvision_of_another_release_is_told_from_a_missing_one(run):
    # What torchvision 0.28.0 says beside the CPU build of torch 2.13.0.
    code, said = run("torchvision", "raise RuntimeError('operator torchvision::nms does not exist')")
    assert code == 2
    assert "do not go together: operator torchvision::nms does not exist. " in said
    assert "Run: pip install torch==2.14.1 torchvision==0.29.1" in said
    assert said.index("reward 'clip': torch ") < said.index(" and torchvision ") < said.index(" do not go together")
