"""Killing a run in the middle, to see that nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from adversarl.runs import latest_checkpoint, read_json

PATIENCE_S = 80.0
"""How long a run may take to come to a checkpoint and go on [s]."""


def wait_until_training(process: subprocess.Popen[str], folder: Path, step: int) -> None:
    """Waits until a run's latest checkpoint is at least at `step`, and its journal has gone on since.

    Raises:
        AssertionError: The process ended before, or did not come so far.
    """
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        checkpoint = latest_checkpoint(folder) if folder.exists() else None
        if checkpoint is not None and int(checkpoint.name.removeprefix("step-")) >= step:
            written = (folder / "episodes.jsonl").stat().st_size
            try:
                known = read_json(checkpoint / "meta.json")["journals"]["episodes"]
            except FileNotFoundError:  # replaced by a newer one while we looked
                continue
            if written > known:
                return
        time.sleep(0.005)
    raise AssertionError(f"the run in {folder} did not come to train")


def kill_in_training(process: subprocess.Popen[str], folder: Path, step: int) -> None:
    """Kills a run with ``SIGKILL`` that has gone on since a checkpoint at `step` or later.

    Raises:
        AssertionError: It ended before, did not come so far, or had finished.
    """
    wait_until_training(process, folder, step)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "summary.json").exists()
