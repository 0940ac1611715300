"""Versions and machine: what a run folder remembers of where it was made."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import distributions
from typing import Any


def manifest() -> dict[str, Any]:
    """Versions and machine of this run."""
    versions = {d.name: d.version for d in distributions()}
    names = ("adversarl", "torch", "mujoco", "numpy", "gymnasium", "stable-baselines3", "pluggy", "pydantic")
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": _cpus(),
        "versions": {n: v for n, v in sorted(versions.items()) if n in names or n.startswith("adversarl")},
    }


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
