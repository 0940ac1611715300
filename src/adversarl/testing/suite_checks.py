"""Checks of evaluation suites."""

from __future__ import annotations

from collections.abc import Sequence

from adversarl.builtin.point_mass_axes import AXES
from adversarl.errors import PerturbationError
from adversarl.interfaces.suite import Suite, SuiteOptions
from adversarl.seeding import TRAINING_SEEDS
from adversarl.testing.fakes import make_world
from adversarl.testing.kit import conformance, demand
from adversarl.types import Cell

WORLD_AXES = tuple(AXES)


def _cells(cls: type[Suite], options: SuiteOptions, seed: int = 0) -> Sequence[Cell]:
    return cls(options).cells(WORLD_AXES, seed)


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
    """The same seed gives the same grid, and another one other episodes."""
    first = list(_cells(cls, options))
    demand(first == list(_cells(cls, options)), "the same seed gave two grids", "Derive everything from `seed`")
    demand(
        first != list(_cells(cls, options, seed=1)), "another seed gave the same grid", "Derive episodes from `seed`"
    )


@conformance("suite")
def the_world_can_carry_it_out(cls: type[Suite], options: SuiteOptions) -> None:
    """Every perturbation exists in the world whose axes were given."""
    world = make_world()
    for cell in _cells(cls, options):
        for perturbations in cell.perturbations:
            try:
                world.perturb([0], [perturbations])
            except PerturbationError as error:
                demand(False, f"cell {cell.axis} at {cell.intensity}: {error}", "Choose among the `axes` given")
