"""Worlds to measure, and what can be said to them."""

from __future__ import annotations

from typing import Any

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.plugins import build_plugin_manager
from adversarl.types import Perturbation
from adversarl_odyssey.wording import Wording, table

VIVID = (1.0, 0.1, 0.1)
"""Colour that is asked for where an axis takes any, RGB in [0, 1]."""


def make_world(name: str, *, num_envs: int, seed: int, options: dict[str, Any]) -> PerturbableVectorEnv:
    """The world of a backend by its name.

    Args:
        name: Of the backend.
        num_envs: Environments.
        seed: Root of their generators.
        options: Keys for Odyssey's backends; others do without.
    """
    backend = build_plugin_manager().registry.get("backend", name).load()
    wanted = {"num_envs": num_envs, **(options if name.startswith("odyssey") else {})}
    world: PerturbableVectorEnv = backend(backend.Options.model_validate(wanted)).make(seed=seed)
    return world


def catalogue(intensity: float = 1.0) -> dict[str, str]:
    """What is said for each axis and value that words can ask for, under names such as ``light-intensity: dim``."""
    wording, found = Wording(), dict[str, str]()
    for axis, kinds in table().axes.items():
        for kind in kinds:
            value = {"any": None, "color": VIVID, "pattern": next(iter(table().patterns))}.get(kind, kind)
            text = wording.describe(Perturbation(axis, intensity, value=value))
            if text:
                found[axis if kind == "any" else f"{axis}: {kind}"] = text
    return found
