"""What ``adversarl plugins list`` imports: the light set, whatever is installed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "torch", "mujoco", "numpy", "gymnasium", "pydantic", "pydantic_core", "pyarrow", "PIL", "stable_baselines3",
    "scipy", "pandas", "matplotlib", "tensorboard", "onnx", "onnxruntime", "OpenGL",
}  # fmt: skip


def imported(code):
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    lines = [line for line in result.stderr.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip().partition(".")[0] for line in lines}, result.stdout


def test_listing_plugins_imports_nothing_heavy():
    code = "import sys; sys.argv = ['adversarl', 'plugins', 'list', '--json']; from adversarl.cli import main; main()"
    modules, out = imported(code)
    assert "adversarl" in modules
    assert modules & HEAVY == set()
    assert {row["status"] for row in json.loads(out)} == {"ok"}


@pytest.mark.parametrize("module", ["adversarl", "adversarl.testing.pytest_plugin"])
def test_what_others_import_in_passing_is_light(module):
    assert imported(f"import {module}")[0] & HEAVY == set()
