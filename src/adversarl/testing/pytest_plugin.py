"""Fixtures for plugin authors; pytest loads this module in every session, so it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from adversarl.interfaces.backend import PerturbableVectorEnv
    from adversarl.loop import ClosedLoop
    from adversarl.registry import Registry


@pytest.fixture
def adversarl_world() -> Iterator[PerturbableVectorEnv]:
    """A point-mass world with two environments."""
    from adversarl.testing.fakes import make_world

    world = make_world()
    yield world
    world.close()


@pytest.fixture
def adversarl_loop() -> Iterator[ClosedLoop]:
    """A closed loop around a point-mass world with two environments and 20 control steps an episode."""
    from adversarl.testing.fakes import make_loop

    loop = make_loop(max_episode_steps=20)
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def adversarl_registry() -> Registry:
    """Every component that is installed here."""
    from adversarl.plugins import build_plugin_manager

    return build_plugin_manager().registry


@pytest.fixture
def adversarl_run(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """``adversarl_run(recipe, *overrides)`` runs a recipe to its end; the summary has its ``folder`` added."""

    def run(recipe: Path, *overrides: str) -> dict[str, Any]:
        from adversarl.plugins import build_plugin_manager
        from adversarl.recipe import load_recipe
        from adversarl.training import train

        plugins = build_plugin_manager()
        folder = tmp_path / "run"
        summary = train(load_recipe(recipe, plugins.registry, overrides), plugins, folder)
        return summary | {"folder": folder}

    return run
