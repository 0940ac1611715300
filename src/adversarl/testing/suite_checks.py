"""Checks of evaluation suites."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from typing import Any
from unittest import SkipTest

from adversarl.builtin.point_mass_axes import AXES
from adversarl.errors import AdversarlError, PerturbationError, RecipeError, UnknownComponent
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.suite import Suite, SuiteOptions
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import Choice, choose
from adversarl.seeding import TRAINING_SEEDS
from adversarl.testing.kit import conformance, demand
from adversarl.types import Axis, Cell

ANY = "point-mass"
"""The backend of suites that will do in any world."""


@lru_cache(maxsize=8)
def _backend(home: str) -> Choice:
    """The backend in which a suite is checked, with two environments.

    Raises:
        SkipTest: It is not installed.
    """
    try:
        return choose("backend", {"use": home, "num_envs": 2}, build_plugin_manager().registry, "the suite's home")
    except UnknownComponent as error:
        raise SkipTest(f"it can be checked in its home alone, which is not installed: {error}") from None


@lru_cache(maxsize=8)
def _axes(home: str) -> tuple[Axis, ...]:
    if home == ANY:
        return tuple(AXES)
    with closing(_make(home, {})) as world:
        return world.axes


def _make(home: str, keys: Mapping[str, Any]) -> PerturbableVectorEnv:
    """A world of a suite's home.

    Raises:
        RecipeError: The home has no such keys.
        SkipTest: It cannot be made on this machine.
    """
    choice = _backend(home).changed(keys, "Cell.world", "backend")
    try:
        world: PerturbableVectorEnv = choice.make().make(seed=0)
    except AdversarlError as error:
        raise SkipTest(f"its world with {dict(keys)} cannot be made here: {error}") from None
    return world


def _cells(cls: type[Suite], options: SuiteOptions, seed: int = 0) -> Sequence[Cell]:
    return cls(options).cells(_axes(cls.home or ANY), seed)


def _by_world(cells: Sequence[Cell]) -> Iterator[tuple[Mapping[str, Any], list[Cell]]]:
    places: dict[str, list[Cell]] = {}
    for cell in cells:
        places.setdefault(json.dumps(dict(cell.world), sort_keys=True), []).append(cell)
    return ((here[0].world, here) for here in places.values())


@conformance("suite")
def there_are_cells_to_play(cls: type[Suite], options: SuiteOptions) -> None:
    """At least one cell; each has one seed and one tuple of perturbations per episode, and an intensity in [0, 1]."""
    cells = _cells(cls, options)
    demand(cells, "the suite has no cells", "Return at least one Cell")
    labels = [(cell.axis, cell.intensity) for cell in cells]
    demand(len(set(labels)) == len(labels), f"two cells are called {labels}", "Make (axis, intensity) unique")
    for cell in cells:
        sizes = len(cell.seeds), len(cell.perturbations)
        demand(
            sizes == (options.episodes, options.episodes),
            f"cell {cell.axis} at {cell.intensity} has {sizes[0]} seeds and {sizes[1]} perturbations",
            f"Give it {options.episodes} of both, as `episodes` says",
        )
        demand(0 <= cell.intensity <= 1, f"cell {cell.axis} has intensity {cell.intensity}", "Keep it in [0, 1]")


@conformance("suite")
def episodes_were_never_trained_on(cls: type[Suite], options: SuiteOptions) -> None:
    """Reset seeds lie in [2**31, 2**32), where training never draws."""
    seeds = [seed for cell in _cells(cls, options) for seed in cell.seeds]
    outside = [seed for seed in seeds if not TRAINING_SEEDS <= seed < 2 * TRAINING_SEEDS]
    demand(not outside, f"reset seeds {outside[:3]} may occur in training", "Draw them from [2**31, 2**32)")


@conformance("suite")
def the_seed_fixes_the_grid(cls: type[Suite], options: SuiteOptions) -> None:
    """The same seed gives the same grid; a published suite may be one grid for all seeds."""
    for seed in (0, 1):
        first, again = (list(_cells(cls, options, seed)) for _ in range(2))
        demand(first == again, "the same seed gave two grids", "Derive everything from `seed`, or from constants")


@conformance("suite")
def the_world_can_carry_it_out(cls: type[Suite], options: SuiteOptions) -> None:
    """Every perturbation exists in the world where it is to be in force, and that world can be had.

    A suite that names its `home` is checked there, any other in a point-mass world. What cannot be made on this
    machine, such as a renderer that needs Vulkan, is skipped after all else.
    """
    skipped = []
    for keys, cells in _by_world(_cells(cls, options)):
        try:
            world = _make(cls.home or ANY, keys)
        except RecipeError as error:
            demand(False, f"cell {cells[0].axis} at {cells[0].intensity}: {error}", "Ask for keys that its home has")
        except SkipTest as error:
            skipped.append(str(error))
        else:
            with closing(world):
                _carry_out(world, cells)
    if skipped:
        raise SkipTest("; ".join(skipped))


def _carry_out(world: PerturbableVectorEnv, cells: Sequence[Cell]) -> None:
    for cell in cells:
        for perturbations in cell.perturbations:
            try:
                world.perturb([0], [perturbations])
            except PerturbationError as error:
                demand(False, f"cell {cell.axis} at {cell.intensity}: {error}", "Choose among the `axes` given")
