"""What ``adversarl doctor`` examines: versions, plugins, rendering, determinism."""

from __future__ import annotations

import hashlib
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from adversarl.errors import AdversarlError
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.known import HOMES
from adversarl.plugins import Plugins
from adversarl.recipe import parse_recipe
from adversarl.seeding import generator


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: what was examined, whether it is fine, and the detail or what to do."""

    name: str
    ok: bool
    detail: str


def examine(plugins: Plugins, backend: str, steps: int = 20) -> list[Finding]:
    """Examines the installation and one backend.

    Args:
        plugins: What is installed; each plugin's `adversarl_doctor` adds its findings.
        backend: The backend whose determinism is checked.
        steps: Control steps of each determinism run.
    """
    findings = [Finding("python", sys.version_info >= (3, 11), f"{platform.python_version()}, needs 3.11 or newer")]
    findings += [_package(name) for name in ("adversarl", *HOMES)]
    findings += [
        Finding(f"plugin {b.plugin}", False, f"{b.cause}. Run: pip install --force-reinstall {b.distribution}")
        for b in plugins.registry.broken
    ]
    findings += _from_plugins(plugins)
    try:
        findings += _determinism(plugins, backend, steps)
    except AdversarlError as error:
        findings.append(Finding(f"backend {backend}", False, str(error)))
    return findings


def _from_plugins(plugins: Plugins) -> list[Finding]:
    """What each plugin finds; one whose examination fails is a finding itself."""
    findings: list[Finding] = []
    for implementation in plugins.manager.hook.adversarl_doctor.get_hookimpls():
        try:
            implementation.function(lambda name, ok, detail: findings.append(Finding(name, ok, detail)))
        except Exception as error:
            findings.append(Finding(f"plugin {implementation.plugin_name}", False, f"its examination fails: {error}"))
    return findings


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        # The core works without any of them, so this is a hint, not a fault.
        return Finding(name, True, f"not installed. Run: pip install {name}")


def _determinism(plugins: Plugins, backend: str, steps: int) -> list[Finding]:
    tables: dict[str, Any] = {"backend": {"use": backend, "num_envs": 2}, "learner": {"use": "random-search"}}
    choice = parse_recipe(tables, plugins.registry, "doctor")["backend"]
    first, again, other = (_episode_hash(choice.make().make(seed=0), seed, steps) for seed in (0, 0, 1))
    same = "two runs with one seed agree" if first == again else "two runs with one seed differ. Report it"
    changes = "another seed gives another scene" if first != other else "the seed changes nothing. Report it"
    return [
        Finding(f"{backend} determinism", first == again, f"{same} ({first[:12]})"),
        Finding(f"{backend} seeding", first != other, changes),
    ]


def _episode_hash(world: PerturbableVectorEnv, seed: int, steps: int) -> str:
    """SHA-256 over everything that some random actions make a world return."""
    digest, rng = hashlib.sha256(), generator(0, "doctor")
    try:
        observation, _ = world.reset(seed=[seed + env for env in range(world.num_envs)])
        for _ in range(steps):
            for key in sorted(observation):
                digest.update(np.ascontiguousarray(observation[key]).tobytes())
            actions = rng.uniform(-1, 1, world.action_space.shape or ()).astype(np.float32)
            observation, reward, *_ = world.step(actions)
            digest.update(reward.tobytes())
    finally:
        world.close()
    return digest.hexdigest()
