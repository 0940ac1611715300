"""What is compared: the recipes given, and the controls that are always run beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from adversarl.errors import AdversarlError
from adversarl.recipe import Recipe, load_recipe
from adversarl.registry import Registry
from adversarl.warm_starts import SHARED

Kind = Literal["recipe", "control"]
ORACLE, WARM_START = "oracle", "warm-start"
CONTROLS: Mapping[str, tuple[str, ...]] = {
    "no-dr": ("curriculum.use=none",),
    "random-prompts": ("curriculum.use=random-prompts",),
    WARM_START: ("curriculum.use=none", "run.total_steps=0"),
}
"""Changes to the last recipe given: its rates and shares are kept where the control has them too."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One way of training, for all seeds.

    Attributes:
        name: Its name in folders, tables and plots.
        kind: Whether a recipe was given, or it is a control.
        recipe: The recipe's file.
        overrides: ``table.key=value`` changes of it.
    """

    name: str
    kind: Kind
    recipe: str
    overrides: tuple[str, ...] = ()

    def load(self, registry: Registry, common: Sequence[str], seed: int = 0) -> Recipe:
        """Its recipe with its changes and those of all conditions, validated."""
        return load_recipe(Path(self.recipe), registry, [*common, *self.overrides, *self._own(seed)])

    def command(self, common: Sequence[str], seed: int, out: Path) -> list[str]:
        """Words of the `adversarl run` that trains it."""
        changes = [word for change in (*common, *self.overrides, *self._own(seed)) for word in ("--set", change)]
        return ["run", self.recipe, *changes, "--out", str(out)]

    def _own(self, seed: int) -> tuple[str, ...]:
        return f"run.name={self.name}", f"run.seed={seed}"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def conditions_of(recipes: Sequence[Path], *, controls: bool) -> list[Condition]:
    """The conditions of a benchmark.

    Args:
        recipes: Files; each is a condition with the file's name.
        controls: Whether to add those of `CONTROLS`; they vary the last recipe.

    Raises:
        AdversarlError: Two conditions would have one name.
    """
    found = [Condition(path.stem, "recipe", str(path)) for path in recipes]
    if controls:
        found += [Condition(name, "control", str(recipes[-1]), changes) for name, changes in CONTROLS.items()]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1 or name == ORACLE:
            raise AdversarlError(f"two conditions are called '{name}'. Rename the recipe's file")
    return found


def differences(recipes: Mapping[str, Recipe]) -> Iterator[str]:
    """What differs beside the curriculum and what explains failures, such as ``baseline: [learner] gamma``."""
    first = next(iter(recipes.values())).resolved()
    for name, recipe in recipes.items():
        mine = recipe.resolved()
        for table in ("backend", "reward", "learner", "watch", "evaluation"):
            keys = {*first[table], *mine[table]}
            differing = sorted(key for key in keys if first[table].get(key) != mine[table].get(key))
            yield from (f"{name}: [{table}] {key}" for key in differing)


def share_warm_start(one: Recipe, other: Recipe) -> bool:
    """Whether two recipes' warm starts are the same."""
    mine, theirs = one.resolved(), other.resolved()
    return all(mine[table] == theirs[table] for table in SHARED) and one.run.seed == other.run.seed
